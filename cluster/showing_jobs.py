"""Jobs, as a person reads about them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table as Grid

from ogas.cluster.jobs.state import State
from ogas.cluster.summary import console, counted

HEAD = ("time", "event")
STYLES = {"certified": "green", "failed": "red", "cancelled": "yellow", "running": "bold"}


def show_jobs(states: Sequence[State]) -> None:
    """Print one line for every job."""
    grid = Grid(box=None, pad_edge=False)
    for heading in ("job", "state", "submitted", "elapsed"):
        grid.add_column(heading, justify="right" if heading == "elapsed" else "left")
    grid.add_column("so far")
    for state in states:
        style = STYLES.get(state.state, "")
        submitted = state.submitted[:19].replace("T", " ")
        grid.add_row(state.job, state.state, submitted, _seconds(state), _far(state), style=style)
    console().print(grid if states else "there are no jobs")


def show_state(state: State, *, is_orphan: bool) -> None:
    """Print what is known of a job."""
    out = console()
    out.print(f"{state.job}: {state.state}", style=STYLES.get(state.state, ""))
    if state.started is not None:
        out.print(f"{_far(state)}, {_seconds(state)}, {counted(state.workers, 'worker')}")
    if is_orphan:
        out.print(f"nobody is carrying it out now; `ogas resume {state.job}` goes on with it")
    if state.message:
        out.print("; ".join(filter(None, (state.where, state.message, state.advice))))


def show_events(events: Iterable[Mapping[str, Any]]) -> None:
    """Print events, each when it comes."""
    for event in events:
        facts = {name: value for name, value in event.items() if name not in ("time", "event")}
        told = ", ".join(
            f"{name} {value}" for name, value in facts.items() if value not in ("", None)
        )
        print(f"{event['time']}  {event['event']}" + (f": {told}" if told else ""), flush=True)


def _far(state: State) -> str:
    if state.started is None:
        return "not begun"
    digits = state.digits_now or 0
    expected = state.digits_expected
    more = f", about {expected:.1f} expected" if not state.has_ended and expected > digits else ""
    return f"round {state.round:,}, {counted(digits, 'figure')} certified{more}"


def _seconds(state: State) -> str:
    return "" if state.started is None else f"{state.elapsed:,.1f} s"
