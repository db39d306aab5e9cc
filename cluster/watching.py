"""What can be watched of the jobs on a cluster: from the events of coordinators to traces.

A coordinator tells every few rounds, in one event of the topic `ogas`, all that is new; the
scheduler keeps the latest thousand events. Whoever looks puts them together:

    event     version, job, attempt, state, elapsed, ..., rounds: [[...], ...], efforts: {...}
    Trace     what is known of a job, all its rounds in a row
    columns   what a plot shows of it (`ogas.cluster.curves`)

Laws: an event that is torn, or that a newer version wrote, is left out, and changes nothing; so is
one of a coordinator that another has replaced.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from typing import Any

import numpy as np

from ogas.engine.certificate import figures_of

TOPIC = "ogas"
PAGES = "ogas-pages"  # where pages register: without one, nobody is told anything
VERSION = 1


@dataclass(frozen=True)
class Round:
    """One pass over the table.

    Attributes
    ----------
    number : int
        Counted by its coordinator, from 1.
    run : int
        Which solution it is for: a job that prices several factors has several.
    kind : str
        As in `ogas.engine.outcome.Pass`.
    half_width : float
        Relative: of a certificate what it proved, of a sweep what one would prove, by the forecast.
    seconds : float
    sweeping, waiting : float
        How much of them a worker computed, and waited for parcels, on average. The rest it waited
        for slower workers and for the coordinator.
    between_blocks, between_workers : int
        Bytes that crossed the boundaries of blocks, and bytes of parcels between workers.
    placement : int
        How often its coordinator had placed the blocks.
    """

    number: int
    run: int
    kind: str
    half_width: float
    seconds: float
    sweeping: float
    waiting: float
    between_blocks: int
    between_workers: int
    placement: int

    def row(self) -> list[Any]:
        """Return it as an event holds it."""
        return list(astuple(self))

    @staticmethod
    def parse(row: Sequence[Any]) -> "Round":
        """Return what `row` returned; raise ValueError or TypeError for anything else."""
        number, run, kind, *numbers, blocks, workers, placement = row
        half_width, seconds, sweeping, waiting = map(float, numbers)
        return Round(
            *(int(number), int(run), str(kind), half_width, seconds, sweeping, waiting),
            *(int(blocks), int(workers), int(placement)),
        )


@dataclass(frozen=True)
class Effort:
    """What one worker has done for a job so far.

    Attributes
    ----------
    blocks : tuple of (int, float)
        Those it holds, at most the few hundred that took longest, and the seconds of their steps
        since they were placed.
    seconds, waiting : float
        In steps, and how much of that it waited for parcels.
    bytes_sent : int
        In parcels.
    """

    blocks: tuple[tuple[int, float], ...] = ()
    seconds: float = 0.0
    waiting: float = 0.0
    bytes_sent: int = 0

    @staticmethod
    def parse(found: Mapping[str, Any]) -> "Effort":
        """Return what an event or a heartbeat says; raise an error where it does not."""
        seconds, waiting = float(found["seconds"]), float(found["waiting"])
        blocks = tuple((int(number), float(taken)) for number, taken in found["blocks"])
        return Effort(blocks, seconds, waiting, int(found["bytes_sent"]))


@dataclass(frozen=True)
class Trace:
    """What is known of one job.

    Attributes
    ----------
    job : str
    heard : float
        When the latest event came, by the scheduler's clock.
    state, message : str
    attempt : int
        The coordinator's token; a later one has a greater.
    digits : int
        Figures that were asked for.
    elapsed : float
        Seconds from the start to the latest event.
    workers : int
        That hold blocks.
    placement : int
    rounds : tuple of (int, Round)
        With their attempts.
    efforts : mapping of address to Effort
        Known at the end.
    """

    job: str
    heard: float
    state: str
    message: str
    attempt: int
    digits: int
    elapsed: float
    workers: int
    placement: int
    rounds: tuple[tuple[int, Round], ...] = ()
    efforts: Mapping[str, Effort] = field(default_factory=dict)

    @staticmethod
    def parse(heard: float, event: Mapping[str, Any]) -> "Trace":
        """Return what one event says; raise an error where it does not."""
        attempt = int(event["attempt"])
        efforts = {str(name): Effort.parse(one) for name, one in event["efforts"].items()}
        return Trace(
            *(str(event["job"]), float(heard), str(event["state"]), str(event["message"])),
            *(attempt, int(event["digits"]), float(event["elapsed"])),
            *(int(event["workers"]), int(event["placement"])),
            tuple((attempt, Round.parse(row)) for row in event["rounds"]),
            efforts,
        )

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state not in ("queued", "running")

    @property
    def certified(self) -> int:
        """Figures proven so far, in the latest run."""
        if not self.rounds:
            return 0
        latest = self.rounds[-1][0], self.rounds[-1][1].run
        proved = [
            one.half_width
            for attempt, one in self.rounds
            if one.kind == "certificate" and (attempt, one.run) == latest
        ]
        return int(figures_of(np.array([min(proved)]))[0]) if proved else 0

    def numbered(self) -> list[tuple[int, Round]]:
        """Return the rounds with their numbers in the job: every attempt goes on counting."""
        found, before, latest = [], 0, (0, 0)
        for attempt, one in self.rounds:
            if attempt != latest[0]:
                before += latest[1]
            found.append((before + one.number, one))
            latest = attempt, one.number
        return found


def traces(events: Iterable[tuple[float, Any]]) -> dict[str, Trace]:
    """Return what is known of every job, the one heard of last at the end."""
    found: dict[str, Trace] = {}
    for heard, event in events:
        try:
            if event["version"] != VERSION:
                continue
            new = Trace.parse(heard, event)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        old = found.get(new.job)
        if old is not None and old.attempt > new.attempt:
            continue
        if old is not None:
            efforts = new.efforts or old.efforts
            new = replace(new, rounds=old.rounds + new.rounds, efforts=efforts)
            del found[new.job]
        found[new.job] = new
    return found
