"""What the coordinator of a job hears (events), and what it has done (instructions).

    workers, cluster                                       workers, cluster
    Joined Lost Answered Failed Unreached  ─┐           ┌─  Load Ask Drop Evict
    the solver                              ├─ handle ──┤   the solver
    Asked Finished                         ─┤           ├─  Reply Renewed
    the clock, people, other coordinators   │           │   the job
    Tick CancelAsked Superseded            ─┘           └─  Refuse Cancelled StoodDown

What workers hear and say carries the epoch, which grows with every placement of blocks, and a
number, which is 0 for Load and grows with every Ask of a job. Answers are lists, with one item for
every block of the worker, ascending.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ogas.cluster.runtime.schedule import Host, Schedule

LOADING = 0  # the number under which Load is answered


@dataclass(frozen=True)
class Joined:
    """A worker is there and holds nothing that counts."""

    host: Host


@dataclass(frozen=True)
class Lost:
    """A connection broke, or the cluster says that the worker left."""

    address: str


@dataclass(frozen=True)
class Answered:
    """A worker has loaded its blocks, or taken a step with them."""

    address: str
    epoch: int
    number: int
    answer: Sequence[Any]


@dataclass(frozen=True)
class Failed:
    """A worker could not do as it was told."""

    address: str
    epoch: int
    number: int
    error: Exception


@dataclass(frozen=True)
class Unreached:
    """A worker waited in vain for the messages of peers; none are named if its epoch was stale."""

    address: str
    epoch: int
    number: int
    peers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """The solver wants all blocks to take a step, and waits."""

    step: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Finished:
    """The solver is done."""


@dataclass(frozen=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True)
class CancelAsked:
    """Somebody wants the job to stop."""


@dataclass(frozen=True)
class Superseded:
    """Another coordinator holds the lease of this job."""


Event = (
    Joined
    | Lost
    | Answered
    | Failed
    | Unreached
    | Asked
    | Finished
    | Tick
    | CancelAsked
    | Superseded
)


@dataclass(frozen=True)
class Load:
    """Every host of the schedule is to hold its blocks, and to read those that it does not yet."""

    epoch: int
    schedule: Schedule


@dataclass(frozen=True)
class Ask:
    """Every address is to take a step with its blocks.

    Attributes
    ----------
    epoch, number : int
    step : str
    arguments : tuple
    addresses : tuple of str
    allowance : float
        Seconds after which a silent worker counts as hung; a worker that waits for peers has to
        say so (Unreached) earlier, or it will be taken for hung itself.
    """

    epoch: int
    number: int
    step: str
    arguments: tuple[Any, ...]
    addresses: tuple[str, ...]
    allowance: float


@dataclass(frozen=True)
class Drop:
    """Every address is to let go of all blocks of this job up to this epoch."""

    epoch: int
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Evict:
    """The cluster is to restart a process that hangs."""

    address: str


@dataclass(frozen=True)
class Reply:
    """The step was taken; what the solver asked for, by block number."""

    answers: tuple[Any, ...]


@dataclass(frozen=True)
class Renewed:
    """No step was taken: blocks were loaded, for the first time or anew, and begin from there.

    Attributes
    ----------
    epoch : int
    answers : tuple
        To Load, by block number.
    """

    epoch: int
    answers: tuple[Any, ...]


@dataclass(frozen=True)
class Refuse:
    """The job ends with this error."""

    error: Exception


@dataclass(frozen=True)
class Cancelled:
    """The job ends because somebody wanted it to."""


@dataclass(frozen=True)
class StoodDown:
    """The job goes on elsewhere: the solver is to stop here, and nothing more to be written."""


Instruction = Load | Ask | Drop | Evict | Reply | Renewed | Refuse | Cancelled | StoodDown
