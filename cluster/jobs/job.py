"""One job: a directory that tells what was asked, how far it is, and what came out.

    JOB/
        specification.json    what was asked; never changes
        state.json            queued, running or ended, and how
        progress.json         round, figures, workers
        events.jsonl          one line per event; grows only
        cancel                somebody asked for an end
        lease.json            who carries it out (see `ogas.cluster.jobs.lease`)
        checkpoints/          where a new coordinator goes on
        result.json           the JSON object of the command, before ``state.json`` says it is there

Whoever holds the lease changes the state; anybody may read it, add an event, or ask for an end. A
process that dies at any moment leaves a job that is queued, running without a coordinator (then
another one may take its lease), or ended with its result.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ogas.cluster import answer
from ogas.cluster.jobs.files import (
    append_line,
    now,
    parse_lines,
    read_record,
    replace_quickly,
    replace_record,
)
from ogas.cluster.jobs.lease import Lease
from ogas.cluster.jobs.specification import Specification
from ogas.cluster.jobs.state import Progress, State, read_state
from ogas.engine.errors import DamagedError, PlanError, WrongUsageError

LOOK_AGAIN = 0.2  # seconds between two looks of somebody who waits; people do not notice it
CANCELLED = {
    "outcome": "cancelled",
    "code": answer.INTERRUPTED,
    "message": "the job was cancelled",
    "where": "",
    "advice": "",
}


@dataclass(frozen=True, repr=False)
class Job:
    """A job of a store; `JobStore.create` makes it, `JobStore.job` finds it.

    Attributes
    ----------
    path : Path
        Its directory. Nothing is kept in memory: every look is at the files.

    Examples
    --------
    >>> from ogas.cluster.jobs import JobStore
    >>> job = JobStore(Path("jobs").absolute()).create(
    ...     Specification("quantities", "us-2021", "/plans/us.zarr"), "night-7"
    ... )
    >>> job
    <job night-7: queued>
    """

    path: Path

    def __repr__(self) -> str:
        """Say how far the job is; also where its files are damaged."""
        try:
            state = self.state
        except PlanError as error:
            return f"<job {self.id}: {error.message}>"
        return f"<job {self.id}: {', '.join((state.state, *state.reached()))}>"

    @property
    def id(self) -> str:
        """The name under which people and commands know the job."""
        return self.path.name

    @property
    def specification(self) -> Specification:
        """What was asked.

        Raises
        ------
        DamagedError
            If the file is damaged, or a newer version wrote it.
        """
        file = self.path / "specification.json"
        try:
            return Specification.parse(read_record(file))
        except DamagedError as error:
            raise DamagedError(error.message, where=str(file), advice=error.advice) from error

    @property
    def state(self) -> State:
        """How far the job is, now."""
        return read_state(self.path)

    @property
    def has_ended(self) -> bool:
        """Whether the job is certified, failed or cancelled."""
        return self.state.has_ended

    @property
    def asked_to_cancel(self) -> bool:
        """Whether somebody asked for an end."""
        return (self.path / "cancel").exists()

    def result(self) -> dict[str, Any] | None:
        """Return the JSON object of the command; None before the job has ended."""
        return read_record(self.path / "result.json") if self.has_ended else None

    def ask_to_cancel(self) -> None:
        """Ask whoever carries the job out to end it; asking again changes nothing.

        A job that nobody carries out stays as it is: take its lease and `end` it as cancelled.
        """
        if not self.asked_to_cancel:
            self.log("cancel asked for")
            replace_record(self.path / "cancel", {"time": now()})

    def log(self, event: str, /, **facts: Any) -> None:
        """Add one event; anybody may, at any time.

        Raises
        ------
        DamagedError
            If the disk is full.
        """
        append_line(self.path / "events.jsonl", {"time": now(), "event": event} | facts)

    def note(self, event: str, /, **facts: Any) -> None:
        """Add one event if that can be: no job ends for want of a line that tells of it."""
        with suppress(PlanError, OSError):
            self.log(event, **facts)

    def events(
        self, follow: bool = False, patience: float | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the events, the oldest first.

        Parameters
        ----------
        follow : bool, optional
            Wait for more until the job has ended.
        patience : float, optional
            Seconds after which following ends in any case.
        """
        deadline = None if patience is None else time.monotonic() + patience
        position = 0
        while True:
            # Asked before reading: what was logged before the end is then read after it.
            is_last = not follow or self.has_ended or _is_over(deadline)
            text = self._text(position)
            whole = len(text) if is_last else text.rfind(b"\n") + 1
            yield from parse_lines(text[:whole])
            position += whole
            if is_last:
                return
            time.sleep(LOOK_AGAIN)

    def begin(self, lease: Lease) -> State:
        """Say that the holder of the lease carries the job out from now on.

        Raises
        ------
        LostLeaseError
            If the lease is lost.
        WrongUsageError
            If the job has ended.
        """
        with lease.while_held():
            state = self.state
            if state.has_ended:
                raise WrongUsageError(
                    f"this job has ended ({state.state})",
                    where=self.id,
                    advice="`ogas resume` begins it again",
                )
            state = state.begun(now())
            self.log("started", attempt=state.attempts, owner=lease.owner, token=lease.token)
            self._replace(state)
        return state

    def record_progress(self, lease: Lease, progress: Progress) -> None:
        """Say where the computation is; at most once a second, say.

        Raises
        ------
        LostLeaseError
            If the lease is lost.
        """
        with lease.while_held():
            replace_quickly(self.path / "progress.json", asdict(progress))

    def requeue(self, lease: Lease, scheduler: str | None) -> State:
        """Let the job be carried out once more, at ``scheduler``; withdraw any wish to cancel it.

        Checkpoints stay, so it goes on where it was.

        Raises
        ------
        LostLeaseError
            If the lease is lost.
        WrongUsageError
            If the job is certified: nothing is left to do.
        """
        with lease.while_held():
            state = self.state
            state.check_resumable()
            # In this order: a kill in between leaves the job as it was, without the wish.
            (self.path / "cancel").unlink(missing_ok=True)
            self.log("queued again", scheduler=scheduler)
            state = state.queued_again(scheduler)
            self._replace(state)
            (self.path / "progress.json").unlink(missing_ok=True)
        return replace(state, asked_to_cancel=False)

    def end(self, lease: Lease, facts: Mapping[str, Any]) -> State:
        """Publish what came out, and then that the job has ended; the first ending stands.

        Parameters
        ----------
        lease : Lease
        facts : mapping
            The JSON object of the command. Its ``outcome`` decides the state: ``certified`` and
            ``cancelled`` are states, everything else is ``failed``. A ``code`` in it is the exit
            code; without one, the outcome says it, and 7 stands for what has none.

        Raises
        ------
        LostLeaseError
            If the lease is lost; nothing was published then.
        DamagedError
            If the disk is full; the job has not ended then.
        """
        with lease.while_held():
            state = self.state
            if not state.has_ended:
                state = state.finished(facts, now())
                replace_record(self.path / "result.json", facts)
                self.log("ended", outcome=state.outcome, code=state.code, message=state.message)
                self._replace(state)
        return state

    def _replace(self, state: State) -> None:
        replace_record(self.path / "state.json", state.record())

    def _text(self, position: int) -> bytes:
        """Return the bytes of the events from a position on."""
        try:
            with (self.path / "events.jsonl").open("rb") as stream:
                stream.seek(position)
                return stream.read()
        except FileNotFoundError:
            return b""


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline
