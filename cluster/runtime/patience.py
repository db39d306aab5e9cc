"""How long the coordinator waits: for workers to come, to load, and to take a step.

A deadline that is too short restarts healthy workers, one too long only wastes time, so whatever is
unknown is given much: steps not yet timed (kernels may have to be compiled), blocks to be read
(disks may be slow); and every deadline missed doubles the next one.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Patience:
    """The coordinator's numbers, in seconds unless said otherwise.

    Attributes
    ----------
    gathering : float
        For the workers that were wanted; then for any at all. How long a job outlives its workers.
    grace : float
        For the successor of a lost worker. A process that died is back after 0.7 s, and its blocks
        are read as fast by one newcomer as they would be by the others, which then would carry them
        beside their own until they are moved back.
    step : float
        At least, for every step.
    times : float
        A step may take that many times what it took on average.
    first_step : float
        For a step not yet taken in this epoch: new processes compile, and read what they touch.
    loading : float
        For loading, besides what has to be read.
    loading_rate : float
        Bytes per second of a block held that are read at the very least.
    rejoining : float
        At least, between epochs that only make use of a newcomer.
    most_epochs : int
        Without a step taken.
    """

    gathering: float = 60.0
    grace: float = 3.0
    step: float = 10.0
    times: float = 5.0
    first_step: float = 120.0
    loading: float = 60.0
    loading_rate: float = 5e6
    rejoining: float = 10.0
    most_epochs: int = 8


LATEST = 0.3  # weight of the latest time in the average of a step: three or four steps count


@dataclass(eq=False)
class Pace:
    """What steps took, and what they are therefore allowed."""

    patience: Patience
    average: dict[str, float] = field(default_factory=dict)
    misses: dict[str, int] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def begin_epoch(self) -> None:
        """Expect that steps take longer once."""
        self.taken.clear()

    def allowance(self, step: str) -> float:
        """Return the seconds that a step may take."""
        patience = self.patience
        seconds = max(patience.step, patience.times * self.average.get(step, 0.0))
        if step not in self.taken:
            seconds = max(seconds, patience.first_step)
        return seconds * 2.0 ** self.misses.get(step, 0)

    def loading(self, unread: int) -> float:
        """Return the seconds that a worker may take to read so many bytes of blocks."""
        seconds = self.patience.loading + unread / self.patience.loading_rate
        return seconds * 2.0 ** self.misses.get("", 0)

    def took(self, step: str, seconds: float) -> None:
        """Learn from a step that all took."""
        # The first in an epoch says what compiling takes, not what the step does.
        if step in self.taken or step not in self.average:
            before = self.average.get(step, seconds)
            self.average[step] = before + LATEST * (seconds - before)
        self.taken.add(step)
        self.misses.pop(step, None)

    def missed(self, step: str) -> None:
        """Learn that a step, or loading (an empty name), was not taken in time."""
        self.misses[step] = self.misses.get(step, 0) + 1

    def loaded(self) -> None:
        """Learn that all blocks were loaded in time."""
        self.misses.pop("", None)


@dataclass(eq=False)
class Muster:
    """How long the coordinator waits for workers to come.

    Attributes
    ----------
    enough : int
        With so many it goes on at once.
    until : float
        Then it goes on with those that are there.
    at_most : float
        Then it gives up if they are none, or too few.
    is_late : bool
        Whether the first wait is over, and was in vain.
    """

    enough: int
    until: float
    at_most: float
    is_late: bool = False

    def is_over(self, count: int, now: float) -> bool:
        """Whether to go on with so many workers, if they can hold the table."""
        return count > 0 and (count >= self.enough or now >= self.until)

    def is_given_up(self, now: float) -> bool:
        """Whether nobody is waited for any longer."""
        return now >= self.at_most

    def prolong(self, now: float) -> None:
        """Wait as long as possible, if waiting was in vain so far."""
        if now >= self.until:
            self.until, self.is_late = self.at_most, True

    def hasten(self, until: float) -> None:
        """Wait a little for others, if somebody came late at last."""
        if self.is_late:
            self.until, self.is_late = min(until, self.at_most), False
