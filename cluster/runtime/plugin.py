"""What a Dask worker does for jobs: it holds blocks, takes steps with them, and passes parcels on.

Handlers answer at once or from a thread of their own, so that the worker's event loop is free for
messages while its blocks are swept. State is kept here, not in Dask's data: nobody moves it, and a
plugin that is registered twice loses nothing.

    ogas_hello    who are you, what do you hold
    ogas_load     hold these blocks of a job in this epoch        (thread)
    ogas_take     take a step with them                           (thread)
    ogas_parcel   a parcel from another worker
    ogas_drop     let go of a job

One job holds a worker at a time, until it drops it or is silent for too long. Epochs grow with
every placement of blocks and with every coordinator of a job; what belongs to an earlier one is
refused.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from distributed import Worker, WorkerPlugin

from ogas.cluster.memory import peak_memory
from ogas.cluster.runtime.holding import Assignment, Held
from ogas.cluster.runtime.post import Mailbox, Parcel, UnreachedError, WirePost
from ogas.cluster.runtime.versions import versions
from ogas.cluster.runtime.wire import pack, unpack
from ogas.engine.machine import installed_bytes
from ogas.kernels.jit import make_ready

NAME = "ogas"
# A coordinator is heard from every second or so; one that was silent for this long is gone.
SILENCE = 20.0
MOST_BLOCKS = 256  # of which a heartbeat tells
PATIENCE = 300.0  # with parcels; the coordinator finds out earlier who is missing


@dataclass(eq=False)
class Occupation:
    """The job that a worker works for.

    Attributes
    ----------
    job : str
    epoch : int
        The latest heard of.
    mailboxes : dict of epoch to Mailbox
        Peers may be an epoch ahead.
    held : Held or None
    heard : float
        When the coordinator was last heard from.
    """

    job: str
    epoch: int = 0
    mailboxes: dict[int, Mailbox] = field(default_factory=dict)
    held: Held | None = None
    post: WirePost | None = None
    heard: float = field(default_factory=time.monotonic)
    sent_before: int = 0
    seconds: float = 0.0  # in steps, and how much of it waiting for parcels
    waiting: float = 0.0
    latest: tuple[float, float, int] = (0.0, 0.0, 0)  # of one step; with the bytes sent

    def mailbox(self, epoch: int) -> Mailbox:
        """Return the mailbox of an epoch."""
        return self.mailboxes.setdefault(epoch, Mailbox())

    def advance(self, epoch: int) -> None:
        """Begin an epoch: whoever waits for parcels of an earlier one is told."""
        self.epoch = epoch
        for earlier in [number for number in self.mailboxes if number < epoch]:
            self.mailboxes.pop(earlier).close()

    @property
    def is_silent(self) -> bool:
        """Whether its coordinator seems to be gone."""
        return time.monotonic() - self.heard > SILENCE

    @property
    def bytes_sent(self) -> int:
        """Bytes of all parcels sent for the job."""
        return self.sent_before + (0 if self.post is None else self.post.bytes_sent)

    def timed(self, step: Callable[[], Any]) -> Any:
        """Take a step, and note what it takes."""
        post, start = self.post, time.perf_counter()
        waited, sent = (0.0, 0) if post is None else (post.waited, post.bytes_sent)
        try:
            return step()
        finally:
            spent = time.perf_counter() - start
            if post is not None:
                self.latest = (spent, post.waited - waited, post.bytes_sent - sent)
                self.seconds += spent
                self.waiting += self.latest[1]


OCCUPATIONS: dict[str, Occupation] = {}  # by worker: in tests, several live in one process


class BlockHolder(WorkerPlugin):
    """The plugin; see the head of this page."""

    name = NAME
    idempotent = True

    def setup(self, worker: Worker) -> None:
        """Register the handlers."""
        if "ogas_take" in worker.handlers:
            return
        make_ready()  # else the first steps of a job would wait for it
        self.worker, self.is_leaving = worker, False
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="ogas")
        worker.handlers |= {
            "ogas_hello": self.hello,
            "ogas_load": self.load,
            "ogas_take": self.take,
            "ogas_parcel": self.parcel,
            "ogas_drop": self.drop,
        }
        worker.metrics["ogas"] = self.metrics

    def teardown(self, worker: Worker) -> None:
        """End whatever waits, and begin nothing more."""
        self.is_leaving = True
        occupation = OCCUPATIONS.pop(worker.address, None)
        if occupation is not None:
            occupation.advance(occupation.epoch + 1)
        self.pool.shutdown(wait=False, cancel_futures=True)

    # ---- handlers -------------------------------------------------------------------------------

    async def hello(self, job: str = "", epoch: int = 0, of: str = "") -> dict[str, Any]:
        """Say what is held; with a job, that its coordinator is alive, and of these versions.

        ``status`` is ``busy`` if another job is, whose coordinator is alive, ``leaving`` if the
        worker is about to end, and ``unfit`` if it has other versions.
        """
        if job and of != versions():
            return {"status": "unfit", "job": ""}
        occupation = self._occupation
        is_ready = not job or self._occupy(job, epoch) is not None
        return {
            "status": "ready" if is_ready else self._refusal,
            "job": "" if occupation is None else occupation.job,
            "epoch": 0 if self._occupation is None else self._occupation.epoch,
            "stored": self._stored(job),
            "installed_bytes": installed_bytes(),
            "peak_memory_bytes": peak_memory(),
            "bytes_sent": 0 if self._occupation is None else self._occupation.bytes_sent,
            "blocks": self._blocks,
        }

    async def load(self, assignment: Any) -> dict[str, Any]:
        """Hold blocks in a new epoch."""
        assignment = unpack(assignment)
        occupation = self._occupy(assignment.job, assignment.epoch)
        if occupation is None:
            return {"status": self._refusal}
        if assignment.epoch < occupation.epoch:
            return {"status": "stale"}
        # Made here: one made by the thread, after the epoch has ended, nobody would ever close.
        mailbox = occupation.mailbox(assignment.epoch)
        return await self._answer(lambda: self._loaded(occupation, assignment, mailbox))

    async def take(
        self,
        job: str,
        epoch: int,
        step: str,
        arguments: Any,
        each: Any,
    ) -> dict[str, Any]:
        """Take a step; arguments are packed."""
        held, occupation = self._held(job, epoch), self._occupation
        if held is None or occupation is None:
            return {"status": "stale"}
        answer = await self._answer(
            lambda: occupation.timed(lambda: held.take(step, unpack(arguments), unpack(each)))
        )
        return answer | {"spent": occupation.latest}

    async def parcel(self, job: str, epoch: int, number: int, sender: str, parcel: Any) -> None:
        """Take in a parcel, unless it is of an earlier epoch."""
        occupation = self._occupation
        if occupation is not None and occupation.job == job and epoch >= occupation.epoch:
            occupation.mailbox(epoch).put(sender, number, unpack(parcel))

    async def drop(self, job: str, epoch: int) -> dict[str, Any]:
        """Let go of a job, unless it is in a later epoch here."""
        occupation = self._occupation
        if occupation is not None and occupation.job == job and occupation.epoch <= epoch:
            occupation.advance(epoch + 1)
            del OCCUPATIONS[self.worker.address]
        return {"status": "done"}

    def metrics(self, worker: Worker) -> Mapping[str, Any]:
        """Return what heartbeats tell the scheduler."""
        occupation = self._occupation
        if occupation is None:
            return {"job": ""}
        return {
            "job": occupation.job,
            "epoch": occupation.epoch,
            "blocks": self._blocks,
            "bytes_sent": occupation.bytes_sent,
            "seconds": occupation.seconds,
            "waiting": occupation.waiting,
            "latest_seconds": occupation.latest[0],
            "latest_waiting": occupation.latest[1],
        }

    # ---- what they consist of -------------------------------------------------------------------

    @property
    def _occupation(self) -> Occupation | None:
        return OCCUPATIONS.get(self.worker.address)

    @property
    def _blocks(self) -> list[tuple[int, float]]:
        """The blocks that took longest, with the seconds of their steps."""
        held = None if self._occupation is None else self._occupation.held
        taken = [] if held is None else held.seconds()
        return sorted(taken, key=lambda one: -one[1])[:MOST_BLOCKS]

    @property
    def _refusal(self) -> str:
        return "leaving" if self.is_leaving else "busy"

    def _occupy(self, job: str, epoch: int) -> Occupation | None:
        """Work for a job from now on, in this epoch or later; None if that is refused."""
        if self.is_leaving:
            return None
        occupation = self._occupation
        if occupation is not None and occupation.job != job:
            if not occupation.is_silent:
                return None
            occupation.advance(occupation.epoch + 1)
            occupation = None
        if occupation is None:
            occupation = OCCUPATIONS[self.worker.address] = Occupation(job)
        occupation.heard = time.monotonic()
        if epoch > occupation.epoch:
            occupation.advance(epoch)
        return occupation

    def _stored(self, job: str) -> tuple[int, ...]:
        """Return the blocks of a job that are held, whoever had them loaded."""
        occupation = self._occupation
        if occupation is None or occupation.held is None or occupation.job != job:
            return ()
        return occupation.held.stored

    def _held(self, job: str, epoch: int) -> Held | None:
        occupation = self._occupation
        if occupation is None or (occupation.job, occupation.epoch) != (job, epoch):
            return None
        occupation.heard = time.monotonic()
        held = occupation.held
        return held if held is not None and held.assignment.epoch == epoch else None

    def _loaded(
        self, occupation: Occupation, assignment: Assignment, mailbox: Mailbox
    ) -> list[Any]:
        epoch, earlier = assignment.epoch, occupation.held
        post = WirePost(
            assignment.addresses,
            mailbox,
            lambda address, number, parcel: self._deliver(
                (assignment.job, epoch), address, number, parcel
            ),
            self.worker.loop.asyncio_loop,
            PATIENCE,
        )
        me = self.worker.address, threads_of(self.worker)
        held = Held.load(assignment, post, earlier, me)
        occupation.sent_before = occupation.bytes_sent
        occupation.held, occupation.post = held, post
        return held.describe()

    async def _deliver(
        self, sent_for: tuple[str, int], address: str, number: int, parcel: Parcel
    ) -> None:
        """Bring a parcel to another worker; it may hear of the epoch by this."""
        job, epoch = sent_for
        await self.worker.rpc(address).ogas_parcel(
            reply=False,  # who refuses it is in another epoch, and this worker will hear of that
            job=job,
            epoch=epoch,
            number=number,
            sender=self.worker.address,
            parcel=pack(parcel),
        )

    async def _answer(self, act: Callable[[], Any]) -> dict[str, Any]:
        """Act in the thread for blocks, and put into words what came of it."""
        try:
            found = await asyncio.get_running_loop().run_in_executor(self.pool, act)
        except UnreachedError as error:
            return {"status": "unreached", "peers": list(error.peers)}
        except Exception as error:
            return {"status": "failed", "error": pack(error)}
        return {"status": "done", "answer": pack(found)}


def threads_of(worker: Worker) -> int:
    """Return how many blocks a worker sweeps at a time: ``OGAS_THREADS``, or its own threads."""
    return int(os.environ.get("OGAS_THREADS") or 0) or int(worker.state.nthreads)
