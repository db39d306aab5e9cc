"""What whole runs come to, next to what was aimed at: the rows of `ogas.benchmarks.runs`."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from ogas.benchmarks.runs import SCENARIOS, Result, Threads

SWEPT = 6  # bytes per nonzero that a sweep has to bring at the least
# On one thread and on all, DESIGN's aims for a million products on two cores.
FASTER = {"S1": "3 / 5", "S2": "20"}


@dataclass(frozen=True)
class Fact:
    """A row: a number on one thread and on all; ``all`` is None where threads play no part."""

    case: str
    what: str
    unit: str
    one: float
    all: float | None = None
    aim: str = ""


def facts(found: Result) -> Iterator[Fact]:
    """Yield the rows of one economy."""
    for what, unit, number in _sizes(found):
        yield Fact(found.case, what, unit, number)
    ones, alls = _numbers(found, found.one), _numbers(found, found.all)
    for (what, unit, one, aim), (_, _, every, _) in zip(ones, alls, strict=True):
        yield Fact(found.case, what, unit, one, every, aim)


def peer_seconds(found: Result) -> float:
    """Return the seconds of SciPy's best run."""
    return min(sum(sweeps) for sweeps in found.peer)


def _sizes(found: Result) -> Iterator[tuple[str, str, float]]:
    """Yield what no thread changes."""
    yield "products", "", found.products
    yield "nonzeros", "", found.nonzeros
    yield "loading", "s", found.loading
    yield "memory", "bytes / nonzero", found.bytes_per_nonzero
    yield "words exchanged in a cycle, x and w", "per product", found.words / found.products
    product = min(min(sweeps) for sweeps in found.peer)
    yield "SciPy CSR @ x + f", "ns / nonzero", 1e9 * product / found.nonzeros
    yield "SciPy, as close, without proof", "s", peer_seconds(found)
    yield "SciPy, as close, without proof", "passes", len(found.peer[0])


def _numbers(found: Result, rounds: tuple[Threads, ...]) -> Iterator[tuple[str, str, float, str]]:
    """Yield what so many threads did: name, unit, number, aim."""
    cycles = [cycle for threads in rounds for cycle in threads.plan.cycles]
    reading = min(threads.reading for threads in rounds)
    plan = min(threads.plan.seconds for threads in rounds)
    alone = min(threads.alone.seconds for threads in rounds)
    together = min(threads.together.seconds for threads in rounds)
    first, per_nonzero = rounds[0], min(cycles) / found.nonzeros
    yield "reading memory", "GB / s", 8e-9 / reading, ""
    yield "a cycle, best", "s", min(cycles), ""
    yield "a cycle, median", "s", statistics.median(cycles), ""
    yield "a cycle, best", "ns / nonzero", 1e9 * per_nonzero, ""
    yield f"... over reading {SWEPT} bytes", "ratio", per_nonzero / (SWEPT / 8 * reading), "4"
    yield "exchange", "ns / word", 1e9 * min(threads.exchange for threads in rounds), ""
    yield "to 3 certified figures", "s", plan, ""
    yield "to 3 certified figures", "passes", first.plan.passes, ""
    yield "SciPy over ours", "ratio", peer_seconds(found) / plan, FASTER.get(found.case, "")
    yield "one scenario", "s", alone, ""
    yield "one scenario", "passes", first.alone.passes, ""
    yield f"{SCENARIOS} scenarios at once", "s", together, ""
    yield f"{SCENARIOS} scenarios at once", "passes", first.together.passes, ""
    yield f"{SCENARIOS} scenarios over one", "ratio", together / alone, "5"
