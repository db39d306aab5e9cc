"""Jobs, as a person reads about them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.text import Text

from ogas.cluster.jobs.state import State
from ogas.cluster.summary import console, counted

HEADINGS = ("job", "state", "submitted (UTC)", "elapsed", "so far")
STYLES = {"certified": "green", "failed": "red", "cancelled": "yellow", "running": "bold"}
MINUTE, HOUR, DAY = 60, 3600, 86400


def show_jobs(states: Sequence[State]) -> None:
    """Print one line for every job; on a terminal, none is longer than it is wide."""
    out = console()
    if not states:
        out.print("there are no jobs")
        return
    rows = [HEADINGS, *map(_row, states)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row, style in zip(rows, ["bold", *map(_style, states)], strict=True):
        cells = [
            cell.rjust(width) if heading == "elapsed" else cell.ljust(width)
            for cell, width, heading in zip(row, widths, HEADINGS, strict=True)
        ]
        line = Text("  ".join(cells).rstrip(), style=style)
        if out.is_terminal:
            line.truncate(out.width, overflow="ellipsis")
        out.print(line)


def show_state(state: State, *, is_carried_out: bool) -> None:
    """Print what is known of a job, and what to do where it needs somebody."""
    out = console()
    out.print(f"{state.job}: {state.state}", style=_style(state))
    if state.started is not None:
        spent = f"{'after' if state.has_ended else 'for'} {lasting(state.elapsed)}"
        if state.round:
            spent = f"{lasting(state.elapsed)} on {counted(state.workers, 'worker')}"
        out.print(", ".join([*state.reached(), spent]))
    if state.message:
        out.print("; ".join(filter(None, (state.where, state.message, state.advice))))
    if state.asked_to_cancel and not state.has_ended:
        out.print("asked to end")
    if state.state == "running" and not is_carried_out:
        out.print(f"nobody is carrying it out now; `ogas resume {state.job}` goes on with it")
    elif state.state == "queued" and not is_carried_out:
        out.print(
            "waiting for a worker to coordinate it; if its scheduler was restarted since, "
            f"`ogas resume {state.job}` submits it again"
        )


def show_events(events: Iterable[Mapping[str, Any]]) -> None:
    """Print events, each when it comes."""
    for event in events:
        facts = {name: value for name, value in event.items() if name not in ("time", "event")}
        told = ", ".join(
            f"{name.replace('_', ' ')} {_worded(value)}"
            for name, value in facts.items()
            if value not in ("", None)
        )
        time, what = _moment(str(event.get("time", ""))), event.get("event", "")
        print(f"{time}  {what}" + (f": {told}" if told else ""), flush=True)


def lasting(seconds: float) -> str:
    """Return a time as people say it.

    >>> lasting(9.87), lasting(125), lasting(2 * 3600 + 240), lasting(90000)
    ('9.9 s', '2 min 5 s', '2 h 4 min', '1 d 1 h')
    """
    if seconds < MINUTE:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    return f"{whole // DAY:,} d {whole % DAY // HOUR} h"


def _row(state: State) -> tuple[str, ...]:
    submitted, elapsed = _moment(state.submitted), lasting(state.elapsed)
    started = "" if state.started is None else elapsed
    return state.job, state.state, submitted, started, _so_far(state)


def _so_far(state: State) -> str:
    """Return what matters now: why it failed, or how far it is."""
    if state.state == "failed":
        return state.message or str(state.outcome).replace("_", " ")
    return ", ".join(state.reached())


def _style(state: State) -> str:
    return STYLES.get(state.state, "")


def _moment(time: str) -> str:
    """Return the time of a record without the parts that nobody reads.

    >>> _moment("2026-11-22T08:36:32.595+00:00")
    '2026-11-22 08:36:32'
    """
    try:
        return datetime.fromisoformat(time).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:  # somebody has altered it; it is only shown
        return time


def _worded(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
