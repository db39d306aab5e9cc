"""What `ogas bench scaling` prints: workers, losses, and what follows for many more workers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ogas.cluster.sheet import Sheet

if TYPE_CHECKING:
    from ogas.benchmarks.scaling import Rounds

MILLI, MEGA = 1e3, 1e-6


def sheets(quick: bool) -> list[Sheet]:
    """Measure everything."""
    from ogas.benchmarks import scaling
    from ogas.cluster.progress import counting

    scale = scaling.QUICK if quick else scaling.Scale()
    with counting("measuring", "clusters") as progress:
        found = scaling.measured(scale, progress)
    with counting("killing", "clusters") as progress:
        progress(0, 1)
        lost = _recovery(quick)
    beyond = _projection(found.small, found.large, quick=quick)
    return [_rounds(found.small), _speed_up(found.large), _growing(found.each), lost, beyond]


def _rounds(found: "Sequence[Rounds]") -> Sheet:
    from ogas.benchmarks.machine import description
    from ogas.benchmarks.scaling import overhead

    alone, *others = found
    rows = [[*_head(alone), "", "", ""]]
    rows += [
        [
            *_head(one),
            f"{MILLI * overhead(one, alone):.1f}",
            f"{one.sent:,.0f}",
            f"{one.least:,.0f}",
        ]
        for one in others
    ]
    head = [*HEAD, "beyond the sweep, ms", "bytes between workers", "at least"]
    footer = f"per round; aim: at most 10 ms beyond the sweep at 4 workers. {description()}"
    return Sheet("rounds", "rounds of a small economy", head, rows, footer)


def _speed_up(found: "Sequence[Rounds]") -> Sheet:
    rows = [[*_head(one), f"{one.gain:.2f}"] for one in found]
    footer = (
        "medians of turns; speed-up over one worker, or one thread in one process; aim: 1.8 for "
        f"two workers. Memory brings two threads {_bandwidth():.2f} times what it brings one"
    )
    return Sheet("speed_up", "a large economy on two workers", [*HEAD, "speed-up"], rows, footer)


def _growing(found: "Sequence[Rounds]") -> Sheet:
    rows = [[*_head(one), f"{one.gain:.2f}"] for one in found]
    footer = "efficiency: 1 if twice the economy on twice the workers takes as long"
    return Sheet("growing", "economies that grow with workers", [*HEAD, "efficiency"], rows, footer)


def _recovery(quick: bool) -> Sheet:
    from ogas.benchmarks import recovery

    size = recovery.QUICK if quick else recovery.SIZE
    found = [recovery.worker_lost(size), recovery.scheduler_lost(size)]
    rows: list[list[Any]] = [
        [
            *(one.what, f"{one.seconds:.2f}", f"{one.loading:.2f}"),
            *(f"{one.seconds - one.loading:.2f}", one.blocks, one.kept, one.from_checkpoint),
        ]
        for one in found
    ]
    head = ["lost", "until all blocks are held, s", "reading, s", "beyond reading, s"]
    footer = "aim: at most 5 s beyond reading"
    return Sheet(
        "recovery",
        "after kill -9",
        [*head, "blocks", "kept", "from a checkpoint"],
        rows,
        footer,
    )


def _projection(small: "Sequence[Rounds]", large: "Sequence[Rounds]", *, quick: bool) -> Sheet:
    from ogas.benchmarks import projection

    several = [one for one in small if one.workers > 1]
    costs = projection.fitted(small[0].seconds, several)
    first = next(one for one in large if one.workers == 1)
    sent = next(one for one in large if one.workers == 2).least
    sizes = (8,) if quick else projection.SIZES
    rows = []
    for workers in sizes:
        for partners in (min(projection.PARTNERS, workers - 1), workers - 1):
            one = projection.projected(costs, workers, partners, first.seconds, sent)
            parts = (one.coordinator, one.messages, one.network, one.machine, one.table)
            rows.append(
                [
                    *(f"{workers:,}", f"{partners:,}", f"{MILLI * one.sweep:,.0f}"),
                    *(f"{MILLI * part:,.1f}" for part in parts),
                    f"{MILLI * one.overhead:,.0f}",
                ]
            )
    head = ["workers", "partners", "sweep", "coordinator", "messages", "network", "machine"]
    footer = (
        "ms per round, PROJECTED: every worker has the large economy above; one block each. "
        f"Fitted processor time: coordinator {MILLI * costs.fixed:.2f} + "
        f"{MILLI * costs.per_worker:.2f} ms per worker; worker {MILLI * costs.per_step:.2f} + "
        f"{MILLI * costs.per_parcel:.2f} ms per parcel; network assumed "
        f"{projection.RATE / 1e9:.2f} GB/s. Machine: the state machine, simulated at that size; "
        "table: the sector table of that many blocks, measured"
    )
    named = [*head, "table", "beyond the sweep"]
    return Sheet("projection", "rounds on many workers", named, rows, footer)


HEAD = ("economy", "workers", "threads", "rounds", "ms per round")


def _head(one: "Rounds") -> list[Any]:
    where = f"{one.workers:,}" if one.workers else "in process"
    return [one.economy, where, one.threads, one.rounds, f"{MILLI * one.seconds:.2f}"]


def _bandwidth() -> float:
    """Return how much more memory brings to two threads than to one."""
    import numpy as np

    from ogas.benchmarks.runs import reading

    pieces = list(np.ones((8, 2**22)))
    return reading(pieces, 1) / reading(pieces, 2)
