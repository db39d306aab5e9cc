"""One question to all workers of a schedule: who has answered, who is late, what they said."""

from collections.abc import Mapping, Sequence
from typing import Any

from ogas.cluster.runtime.schedule import Schedule


class Poll:
    """Answers to one Load or Ask while they come in.

    An answer costs O(1), all of them together O(blocks) once: an address is crossed out when it
    answers, and deadlines are only looked through when the earliest may have passed.

    Parameters
    ----------
    epoch, number : int
        Under which it is answered.
    step : str
        Empty for loading.
    schedule : Schedule
    deadlines : mapping of str to float
        When every address has to have answered.
    """

    def __init__(
        self,
        epoch: int,
        number: int,
        step: str,
        schedule: Schedule,
        deadlines: Mapping[str, float],
    ) -> None:
        self.epoch, self.number, self.step = epoch, number, step
        self.schedule = schedule
        self.deadline = min(deadlines.values())
        self._waiting = dict(deadlines)
        self._answers: dict[str, Sequence[Any]] = {}

    @property
    def is_complete(self) -> bool:
        """Whether all have answered."""
        return not self._waiting

    def awaits(self, address: str, epoch: int, number: int) -> bool:
        """Whether this is the first that a worker says to this question, and not to an older."""
        return (epoch, number) == (self.epoch, self.number) and address in self._waiting

    def take(self, address: str, answer: Sequence[Any]) -> None:
        """Keep what a worker says of its blocks, ascending."""
        del self._waiting[address]
        self._answers[address] = answer

    def overdue(self, now: float) -> tuple[str, ...]:
        """Return who should have answered; if nobody, see to the next deadline."""
        late = tuple(address for address, until in self._waiting.items() if until <= now)
        if not late:
            self.deadline = min(self._waiting.values())
        return late

    def answers(self) -> tuple[Any, ...]:
        """Return all answers, by block number."""
        return self.schedule.in_order(self._answers)
