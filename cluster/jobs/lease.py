"""The lease: one at a time is at work in a folder, and one that lost it can publish nothing.

So it is with the coordinators of a job, and with those who make the nights of a table.

    lease.json    {"token": 3, "owner": "tcp://10.0.0.7:41233", "scheduler": "...",
                   "process": "...", "expires": ...}
    lease.lock    held while lease.json is looked at and changed, and while something is published

Every taking raises the token by one, under the lock, so no two takers ever have the same token. A
holder that was cut off, stopped or merely slow finds another token on disk when it comes back
(`LostLeaseError`). Because it looks under the same lock that a taker needs, nobody can take the
lease between its look and its writing: that is what `Lease.while_held` is for.

The time of expiry is compared with the clock of whoever would like to take over, so the hosts'
clocks must agree to a few seconds (any time service does). Clocks that do not agree cost time, an
early or a late takeover; they cannot make two coordinators publish.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ogas.cluster.jobs.files import DAMAGE_ADVICE, PATIENCE, locked, read_record, replace_record
from ogas.cluster.jobs.process import has_ended, this_process
from ogas.engine.errors import DamagedError, PlanError

# Two renewals may fail or be late (a slow disk, a long pause) before another coordinator takes
# over; and nobody waits longer than this for a coordinator whose death nobody can see.
DURATION = 6.0
RENEW_EVERY = 2.0
LOOK_AGAIN = 0.2  # seconds between two looks of somebody who waits for it

Clock = Callable[[], float]


class LostLeaseError(PlanError, RuntimeError):
    """Another coordinator has taken the job over; this one must stop, and may publish nothing."""


@dataclass(frozen=True)
class Record:
    """What ``lease.json`` says.

    Attributes
    ----------
    token : int
        How often the lease has been taken.
    owner : str
        Who took it last: host and process, or the address of a worker.
    scheduler : str
        The Dask scheduler that the owner belongs to.
    process : str
        The owner's, as `ogas.cluster.jobs.process` names it.
    expires : float
        Seconds since 1970; 0 once the lease is released.
    """

    token: int
    owner: str
    scheduler: str
    process: str
    expires: float

    def is_valid(self, now: float) -> bool:
        """Whether the owner may still be at work; ``now`` in seconds since 1970."""
        return self.expires > now and not has_ended(self.process)


@dataclass(frozen=True)
class Lease:
    """The right to carry out one job; make it with `take`.

    Attributes
    ----------
    folder : Path
        The job's directory.
    token : int
        Grows with every taking; the workers' epochs follow it.
    owner, scheduler : str
    clock : callable
        Seconds since 1970.
    """

    folder: Path
    token: int
    owner: str
    scheduler: str
    clock: Clock = field(default=time.time, compare=False)

    def is_held(self) -> bool:
        """Say whether the lease is ours and has not run out.

        A yes is already old when it is heard: to publish, use `while_held`.
        """
        found = read_lease(self.folder)
        return found is not None and found.token == self.token and found.expires > self.clock()

    def renew(self) -> None:
        """Keep the lease for another `DURATION`; also after it ran out, if nobody took it.

        Raises
        ------
        LostLeaseError
            If it was taken by another, or released.
        """
        with self.while_held():
            self.prolong()

    def prolong(self) -> None:
        """Keep the lease for another `DURATION`, in the body of `while_held`.

        After a long body, during which nobody could renew it, it would go to whoever waits.
        """
        _write(self, self.clock() + DURATION)

    def release(self) -> None:
        """Let the next coordinator take the job at once; does nothing if the lease is lost."""
        with locked(_lock(self.folder)):
            found = read_lease(self.folder)
            if found is not None and found.token == self.token:
                _write(self, 0.0)

    @contextmanager
    def while_held(self, patience: float = PATIENCE) -> Iterator[None]:
        """Publish something in the body: nobody can take the lease meanwhile.

        Keep the body short (rename what was written before): a takeover, and the next `renew`,
        wait for it.

        Parameters
        ----------
        patience : float, optional
            Seconds to wait for the lock.

        Raises
        ------
        LostLeaseError
            If the lease was taken by another, or released; the body does not run then.
        """
        with locked(_lock(self.folder), patience):
            found = read_lease(self.folder)
            if found is None or found.token != self.token or found.expires == 0:
                raise LostLeaseError(
                    f"the lease number {self.token} is no longer valid: {_told(found)}",
                    where=str(self.folder),
                    advice="leave the job to its new coordinator; `ogas status` says how it goes",
                )
            yield


def take(
    folder: Path,
    owner: str,
    scheduler: str,
    is_dead: Callable[[str], bool],
    clock: Clock = time.time,
) -> Lease | None:
    """Take the lease of the job in ``folder`` if it is free.

    Parameters
    ----------
    folder : Path
        The job's directory.
    owner, scheduler : str
        Who takes it, and the scheduler that would know of the taker's death.
    is_dead : callable
        Says of another owner whether it is dead for certain. Asked only about an owner that
        belongs to the same scheduler, and without holding the lock.
    clock : callable, optional
        Seconds since 1970.

    Returns
    -------
    Lease or None
        None if another owner holds it. Free is what was never taken, was released, has run out,
        or is held by the dead: a process of this machine that has ended, or an owner of whom
        ``is_dead`` says so.

    Raises
    ------
    LockedError
        If the lock could not be had in time.
    DamagedError
        If the lease file is damaged.
    """
    before = read_lease(folder)
    is_orphan = before is not None and before.scheduler == scheduler and is_dead(before.owner)
    # The verdict holds for the owner who was asked about, not for one who took the lease since.
    dead_token = before.token if before is not None and is_orphan else 0
    with locked(_lock(folder)):
        found = read_lease(folder) or Record(0, "", "", "", 0.0)
        if found.is_valid(clock()) and found.token != dead_token:
            return None
        lease = Lease(folder, found.token + 1, owner, scheduler, clock)
        _write(lease, clock() + DURATION)
    return lease


def take_unless_renewed(folder: Path, owner: str, is_dead: Callable[[str], bool]) -> Lease | None:
    """Take the lease; wait for a holder who does not renew it, up to `DURATION`.

    ``is_dead`` says of another owner whether it is dead for certain. Returns None as soon as the
    holder is seen to be at work.
    """
    first = read_lease(folder)
    while (lease := take(folder, owner, "", is_dead)) is None:
        now = read_lease(folder)
        if first is None or now is None or now.expires != first.expires:
            return None
        time.sleep(LOOK_AGAIN)
    return lease


@contextmanager
def renewed(lease: Lease) -> Iterator[threading.Event]:
    """Keep a lease while the body runs, and release it then; yield what is set if it is lost.

    The body is not interrupted: `Lease.while_held` will say so, too.
    """
    is_over, lost = threading.Event(), threading.Event()

    def renew() -> None:
        while not is_over.wait(RENEW_EVERY):
            try:
                lease.renew()
            except LostLeaseError:
                lost.set()
                return
            except (PlanError, OSError):  # a busy lock, a full disk: there is time for another try
                continue

    threading.Thread(target=renew, name="lease", daemon=True).start()
    try:
        yield lost
    finally:
        is_over.set()  # not waited for: a lease that was released cannot be renewed
        with suppress(PlanError, OSError):  # it runs out by itself
            lease.release()


def this_owner() -> str:
    """Return this process as the owner of a lease: host and number."""
    return f"{socket.gethostname()}:{os.getpid()}"


def read_lease(folder: Path) -> Record | None:
    """Return what is known of the lease of a job; None if it was never taken.

    Raises
    ------
    DamagedError
        If the file is damaged.
    """
    file = _file(folder)
    if not file.exists():
        return None
    found = read_record(file)
    try:
        return Record(
            int(found["token"]),
            str(found["owner"]),
            str(found["scheduler"]),
            str(found.get("process", "")),
            float(found["expires"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedError(
            f"altered ({type(error).__name__}: {error})", where=str(file), advice=DAMAGE_ADVICE
        ) from error


def _file(folder: Path) -> Path:
    return folder / "lease.json"


def _lock(folder: Path) -> Path:
    return folder / "lease.lock"


def _write(lease: Lease, expires: float) -> None:
    record = Record(lease.token, lease.owner, lease.scheduler, this_process(), expires)
    # Forced to the disk: a token that a power cut took back would be given twice.
    replace_record(_file(lease.folder), asdict(record))


def _told(found: Record | None) -> str:
    if found is None:
        return "the file of the lease is gone"
    return f"number {found.token} was {'taken' if found.expires else 'released'} by {found.owner}"
