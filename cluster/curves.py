"""What the plots of a job show: columns by name, from its trace; and the units of their axes.

Pure: the same trace gives the same columns. Numbers that a plot cannot show (nothing was proved,
nothing is known yet) are NaN, and leave a gap.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ogas.cluster.showing_jobs import lasting
from ogas.cluster.watching import Effort, Round, Trace
from ogas.engine.certificate import figures_of, half_width_for

MOST_BARS = 120  # beyond, neighbouring rounds share one
MOST_WORKERS = 40  # those that were busy longest
MOST_BLOCKS = 400  # those that took longest
SHADES = 6  # of workers
SILENT = 10.0  # seconds after which it is said when a job was last heard of
WIDEST = 1e3  # a half-width beyond says nothing, and would make the rest of the plot flat
NAN = math.nan

SECONDS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))
BYTES = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("bytes", 1.0))

Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class Measured:
    """Columns of which some are in a unit.

    Attributes
    ----------
    unit : str
    columns : mapping of name to list
    """

    unit: str
    columns: Columns


def forecasts(trace: Trace) -> Columns:
    """Return what a certificate would have proved after every sweep; a gap before every run."""
    found: Columns = {"round": [], "half_width": []}
    latest = None
    for (number, one), (attempt, _) in zip(trace.numbered(), trace.rounds, strict=True):
        if one.kind != "sweep":
            continue
        if latest not in (None, (attempt, one.run)):
            _add(found, round=number, half_width=NAN)
        latest = attempt, one.run
        _add(found, round=number, half_width=_shown(one.half_width))
    return found


def certificates(trace: Trace) -> Columns:
    """Return what every certificate proved; none that proved nothing."""
    found: Columns = {"round": [], "half_width": [], "figures": []}
    for number, one in trace.numbered():
        if one.kind == "certificate" and not math.isnan(_shown(one.half_width)):
            figures = int(figures_of(np.array([one.half_width]))[0])
            _add(found, round=number, half_width=one.half_width, figures=figures)
    return found


def requested(trace: Trace) -> Columns:
    """Return the half-width that was asked for, from the first round to the last."""
    numbers = [number for number, _ in trace.numbered()]
    if not numbers:
        return {"round": [], "half_width": []}
    return {
        "round": [numbers[0] - 0.5, numbers[-1] + 0.5],
        "half_width": [half_width_for(trace.digits)] * 2,
    }


def renewals(trace: Trace) -> Columns:
    """Return before which rounds blocks were placed anew, or another coordinator took over."""
    placements = [(attempt, one.placement) for attempt, one in trace.rounds]
    changes = zip(pairwise(placements), trace.numbered()[1:], strict=True) if placements else ()
    return {"round": [number - 0.5 for (old, new), (number, _) in changes if old != new]}


def times(trace: Trace) -> Measured:
    """Return the wall-clock time of every round, and what it went into."""
    bars = _bars(trace)
    unit, scale = _unit([bar.seconds for bar, _ in bars], SECONDS)
    found = _columns(bars, "sweeping", "waiting", "rest", "total")
    for bar, _ in bars:
        rest = max(bar.seconds - bar.sweeping - bar.waiting, 0.0)
        named = {"sweeping": bar.sweeping, "waiting": bar.waiting, "rest": rest}
        _add(found, total=bar.seconds / scale, **{k: v / scale for k, v in named.items()})
    return Measured(unit, found)


def traffic(trace: Trace) -> Measured:
    """Return the bytes of every round between blocks, and in parcels between workers."""
    bars = _bars(trace)
    largest = [max(bar.between_blocks, bar.between_workers) for bar, _ in bars]
    unit, scale = _unit(largest, BYTES)
    found = _columns(bars, "blocks", "workers")
    for bar, _ in bars:
        _add(found, blocks=bar.between_blocks / scale, workers=bar.between_workers / scale)
    return Measured(unit, found)


def efforts(
    trace: Trace, heartbeats: Mapping[str, Mapping[str, Any]], names: Mapping[str, Any]
) -> Measured:
    """Return what every worker holds and has done.

    Parameters
    ----------
    trace : Trace
    heartbeats : mapping of address to mapping
        What workers say of themselves; those of other jobs are left out.
    names : mapping of address to str or int
        Of workers that are still there.
    """
    known = _known(trace, heartbeats)
    busiest = sorted(known, key=lambda address: -known[address].seconds)[:MOST_WORKERS]
    shown = sorted(busiest, key=lambda address: _natural(_called(address, names)))
    unit, scale = _unit([known[address].seconds for address in shown], SECONDS)
    sent, byte = _unit([known[address].bytes_sent for address in shown], BYTES)
    columns: Columns = {
        name: [] for name in ("worker", "address", "blocks", "stepping", "waiting", "sent")
    }
    for address in shown:
        one = known[address]
        _add(columns, worker=_called(address, names), address=address, blocks=len(one.blocks))
        stepping = max(one.seconds - one.waiting, 0.0)
        _add(columns, stepping=stepping / scale, waiting=one.waiting / scale)
        _add(columns, sent=f"{one.bytes_sent / byte:,.1f} {sent}")
    return Measured(unit, columns)


def blocks(
    trace: Trace, heartbeats: Mapping[str, Mapping[str, Any]], names: Mapping[str, Any]
) -> Measured:
    """Return what the steps of every block took; see `efforts`.

    ``shade`` is the same for all blocks of a worker, and another for each of the next few.
    """
    known = _known(trace, heartbeats)
    workers = sorted(known, key=lambda address: _natural(_called(address, names)))
    found = [
        (taken, number, place)
        for place, address in enumerate(workers)
        for number, taken in known[address].blocks
    ]
    shown = sorted(sorted(found, reverse=True)[:MOST_BLOCKS], key=lambda one: one[1])
    unit, scale = _unit([taken for taken, _, _ in shown], SECONDS)
    columns: Columns = {name: [] for name in ("block", "taken", "worker", "shade")}
    for taken, number, place in shown:
        _add(columns, block=number, taken=taken / scale)
        _add(columns, worker=_called(workers[place], names), shade=str(place % SHADES))
    return Measured(unit, columns)


def headline(trace: Trace, now: float) -> list[tuple[str, str]]:
    """Return what stands above the plots; ``now`` by the scheduler's clock."""
    since = max(now - trace.heard, 0.0)
    elapsed = trace.elapsed if trace.has_ended else trace.elapsed + since
    numbers = trace.numbered()
    state = trace.state
    if trace.state == "running" and not numbers:
        state = "reading the table"
    if not trace.has_ended and since > SILENT:
        state += f", last heard of {lasting(since)} ago"
    return [
        ("job", trace.job),
        ("state", state),
        ("figures certified", f"{trace.certified} of {trace.digits}"),
        ("round", f"{numbers[-1][0]:,}" if numbers else "–"),
        ("elapsed", lasting(elapsed)),
        ("workers", f"{trace.workers:,}" if trace.workers else "–"),
        ("placement of blocks", f"{trace.placement:,}" if trace.placement else "–"),
    ]


# ---- what they consist of ----------------------------------------------------------------------


def _known(trace: Trace, heartbeats: Mapping[str, Mapping[str, Any]]) -> dict[str, Effort]:
    """Return the latest of what the coordinator told of workers, and they of themselves."""
    known = dict(trace.efforts)
    for address, said in heartbeats.items():
        try:
            found = Effort.parse(said) if said["job"] == trace.job else None
        except (KeyError, TypeError, ValueError):
            continue
        if found is not None and found.seconds >= known.get(address, Effort()).seconds:
            known[address] = found
    return known


def _bars(trace: Trace) -> list[tuple[Round, tuple[int, int]]]:
    """Return means of neighbouring rounds, with the first and last number of each."""
    rounds = trace.numbered()
    size = max(1, math.ceil(len(rounds) / MOST_BARS))
    groups = [rounds[start : start + size] for start in range(0, len(rounds), size)]
    return [(_mean([one for _, one in group]), (group[0][0], group[-1][0])) for group in groups]


def _mean(group: Sequence[Round]) -> Round:
    means = {
        name: sum(getattr(one, name) for one in group) / len(group)
        for name in ("seconds", "sweeping", "waiting")
    }
    moved = {
        name: round(sum(getattr(one, name) for one in group) / len(group))
        for name in ("between_blocks", "between_workers")
    }
    kinds = {one.kind for one in group}
    return replace(group[0], kind=" and ".join(sorted(kinds)), **means, **moved)


def _columns(bars: Sequence[tuple[Round, tuple[int, int]]], *names: str) -> Columns:
    """Return where bars stand, how wide they are, and what they are; and empty columns."""
    spans = [span for _, span in bars]
    return {
        "round": [(first + last) / 2 for first, last in spans],
        "width": [0.85 * (last - first + 1) for first, last in spans],
        "rounds": [f"{a:,}" if a == b else f"mean of {a:,} to {b:,}" for a, b in spans],
        "kind": [bar.kind for bar, _ in bars],
        **{name: [] for name in names},
    }


def _add(columns: Columns, **values: Any) -> None:
    for name, value in values.items():
        columns[name].append(value)


def _shown(half_width: float) -> float:
    """Return a half-width that a logarithmic axis can show, or NaN."""
    return half_width if 0.0 < half_width <= WIDEST else NAN


def _unit(numbers: Sequence[float], units: Sequence[tuple[str, float]]) -> tuple[str, float]:
    """Return the largest unit of which there is one at least; of nothing, that of the base."""
    largest = max(numbers, default=0.0)
    for unit in sorted(units, key=lambda unit: -unit[1]):
        if largest >= unit[1]:
            return unit
    return min(units, key=lambda unit: abs(math.log(unit[1])))


def _called(address: str, names: Mapping[str, Any]) -> str:
    """Return what people call a worker: its name if somebody gave it one."""
    name, place = names.get(address, address), address.rpartition("://")[2]
    if name == address:
        return place
    return f"worker {name}" if isinstance(name, int) else str(name)


def _natural(name: str) -> list[Any]:
    """Return a key by which w10 comes after w9."""
    digits = "".join(letter if letter.isdigit() else " " for letter in name).split()
    letters = "".join(" " if letter.isdigit() else letter for letter in name).split()
    return [letters, [int(number) for number in digits]]
