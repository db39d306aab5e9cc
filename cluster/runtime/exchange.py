"""The engine's port to blocks on workers: what the solver asks for goes through a conductor.

The solver knows steps and answers; that a worker died it learns as `BegunAnewError`: some blocks
still have their state, others that of the last checkpoint, the rest none.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ogas.cluster.jobs.checkpoint import Checkpoints
from ogas.cluster.jobs.job import Job
from ogas.cluster.jobs.lease import Lease, LostLeaseError
from ogas.cluster.memory import (
    Run,
    blocks_to_stream,
    burdens_of,
    coordinating_bytes,
    streaming_bytes,
)
from ogas.cluster.runtime.conductor import Conductor
from ogas.cluster.runtime.coordinator import Needs
from ogas.cluster.runtime.events import Renewed
from ogas.cluster.runtime.holding import Loaded, Shape
from ogas.datasets.store import Store
from ogas.engine.account import Matrix
from ogas.engine.errors import DamagedError, PlanError
from ogas.engine.exchange import BegunAnewError
from ogas.engine.layout import Layout
from ogas.engine.sectors import Form
from ogas.engine.source import Source

# What a worker's death costs at most, besides reading its blocks; writing takes far less.
CHECKPOINT_EVERY = 30.0  # seconds; OGAS_CHECKPOINT_EVERY changes it
PUBLISHING = 60.0  # seconds to wait for a busy lock: a plan is not thrown away for less
# Seconds in which a worker that died is back, imports and all, if it comes back.
RETURNING = 10.0
LOOK_AGAIN = 0.1


@dataclass(eq=False)
class Memory:
    """The checkpoints of a job, written and read by its coordinator.

    Attributes
    ----------
    job : Job
    lease : Lease
    """

    job: Job
    lease: Lease

    def __post_init__(self) -> None:
        self.every = float(os.environ.get("OGAS_CHECKPOINT_EVERY") or CHECKPOINT_EVERY)
        self.checkpoints = Checkpoints(self.job.path)
        self.latest_at = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether it is time for another."""
        return time.monotonic() - self.latest_at >= self.every

    def write(
        self, ask: Callable[[str], Sequence[Mapping[int, str] | str]], facts: Mapping[str, Any]
    ) -> None:
        """Have all blocks write their states into the folder that ``ask`` takes; or log why not.

        Raises
        ------
        LostLeaseError
            If another coordinator has taken over.
        """
        self.latest_at = time.monotonic()
        try:
            slot, folder = self.checkpoints.begin(self.lease)
            digests: dict[int, str] = {}
            for answer in ask(str(folder)):
                if isinstance(answer, str):
                    raise DamagedError(answer)
                digests |= answer
            self.checkpoints.complete(self.lease, slot, digests, facts)
        except LostLeaseError:
            raise
        except (PlanError, OSError) as error:  # a full disk, say: the plan needs no checkpoint
            self.job.note("checkpoint not written", message=str(error))
        else:
            self.job.note("checkpoint", **facts)

    def read(self, numbers: Sequence[int], run: Mapping[str, Any]) -> dict[int, Matrix]:
        """Return the states of some blocks, as far as they are known and of this run."""
        try:
            latest = self.checkpoints.latest()
            if latest is None or any(latest.facts.get(name) != run[name] for name in run):
                return {}
            return {number: latest.read_part(number)["state"] for number in numbers}
        except (PlanError, OSError, KeyError) as error:
            self.job.note("checkpoint not read", message=str(error))
            return {}


@dataclass(eq=False)
class WorkersExchange:
    """All blocks of a table, on workers; see `ogas.engine.exchange.Exchange`.

    Attributes
    ----------
    conductor : Conductor
    layout : Layout
    memory : Memory
    run : mapping
        What states belong to: those of another run are of no use.
    """

    conductor: Conductor
    layout: Layout
    memory: Memory
    run: Mapping[str, Any]
    rounds: int = 0
    words: int = 0  # that cross the boundaries of blocks, for each column
    columns: int = 0
    inherited: BegunAnewError | None = None

    def ask(self, step: str, *arguments: Any, each: Sequence[Any] | None = None) -> Sequence[Any]:
        """Have every block take a step; return their answers in the order of their numbers."""
        if step == "begin" and self.inherited is not None:
            inherited, self.inherited = self.inherited, None
            raise inherited
        reply = self.conductor.ask(step, (arguments, each))
        if isinstance(reply, Renewed):
            return self._renewed(step, reply.answers)
        self._count(step, arguments)
        if step == "settle":
            self.rounds += 1
            if self.memory.is_due:
                self._keep()
        return [answer for stored in reply.answers for answer in stored]

    def _count(self, step: str, arguments: Sequence[Any]) -> None:
        """Add up what crosses the boundaries of blocks, for those who watch."""
        if step == "begin":
            self.columns = arguments[0].columns.width + arguments[0].is_carried
        elif step in ("reach_out", "settle"):
            self.conductor.tally.crossed += 8 * self.words * self.columns
        elif step == "count" and not self.conductor.shape.is_transposed:
            self.conductor.tally.crossed += 4 * self.words

    def _renewed(self, step: str, loaded: Sequence[Loaded]) -> Sequence[Any]:
        kept = {
            piece
            for stored, one in enumerate(loaded)
            if one.is_kept
            for piece in self.layout.pieces(stored)
        }
        self.words = sum(facts.ext for one in loaded for facts in one.facts)
        others = [number for number in range(self.layout.blocks) if number not in kept]
        states = self.memory.read(others, self.run)
        begun = BegunAnewError(kept, states)
        self.memory.job.note(
            "blocks loaded",
            epoch=self.conductor.epoch,
            seconds=round(self.conductor.loading_seconds, 3),
            workers=self.conductor.workers,
            blocks=self.layout.blocks,
            kept=len(kept),
            from_checkpoint=len(states),
        )
        if step != "describe":
            raise begun
        self.inherited = begun if kept or states else None
        return [facts for one in loaded for facts in one.facts]

    def _keep(self) -> None:
        def ask(folder: str) -> Sequence[Any]:
            reply = self.conductor.ask("keep", ((folder,), None))
            if isinstance(reply, Renewed):
                self._renewed("keep", reply.answers)
            return [answer for stored in reply.answers for answer in stored]

        self.memory.write(ask, {**self.run, "round": self.rounds})


@dataclass(eq=False)
class OnWorkers:
    """Where a job's blocks are held: on Dask workers; see `ogas.cluster.planning.Site`.

    Attributes
    ----------
    conductor : Conductor
    memory : Memory
    wanted : int or None
        Most workers to use; None for all there are.
    """

    conductor: Conductor
    memory: Memory
    wanted: int | None = None
    loads: int = field(default=0, init=False)

    def load(self, store: Store, run: Run) -> Callable[[Source, Layout, Form], WorkersExchange]:
        """Return how the workers load a table; what is swept as a whole, the coordinator loads.

        Raises
        ------
        DoesNotFitError
            If that does not fit into its memory; of blocks it is known when workers are there.
        """
        if not run.in_blocks:
            blocks_to_stream(store, run, self.conductor.memory, threads=1)

        def load(source: Source, layout: Layout, form: Form) -> WorkersExchange:
            self.loads += 1
            shape = Shape(
                str(store.path.resolve()),
                store.version,
                store.digest,
                form.is_transposed,
                form.narrow,
                self.loads,
            )
            burdens, common = burdens_of(store.manifest.content, run)
            self.conductor.crew.reserved = coordinating_bytes(store.manifest.content, run)
            present = self._present()
            wanted = min(self.wanted or present, present, len(burdens))
            rooms = streaming_bytes(store.manifest.content, run)
            needs = Needs(burdens, common, max(wanted, 1), rooms)
            self.conductor.open(needs, shape, layout)
            states = {"load": self.loads, "digest": store.digest}
            return WorkersExchange(self.conductor, layout, self.memory, states)

        return load

    def _present(self) -> int:
        """Count the workers; one that died with an earlier coordinator is on its way back."""
        deadline = time.monotonic() + RETURNING
        known, earlier = self.conductor.crew.greetings, self.memory.job.state.workers
        while len(known) < earlier and time.monotonic() < deadline:
            self.conductor.go_on()
            time.sleep(LOOK_AGAIN)
        return len(known)

    def facts(self) -> dict[str, Any]:
        """Return how many workers hold blocks, and what all processes took."""
        return self.conductor.facts()

    def publish(self, write: Callable[[], None]) -> None:
        """Have the plan written by the holder of the lease alone.

        Raises
        ------
        LostLeaseError
            If another coordinator has taken over.
        """
        with self.memory.lease.while_held(PUBLISHING):
            write()
            with suppress(PlanError, OSError):  # what is left to say is short
                self.memory.lease.prolong()
