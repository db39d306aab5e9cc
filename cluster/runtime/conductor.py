"""The shell around the coordinator: it carries out its instructions, and tells it what happens.

    solver (thread)      ask ──▶ Asked ─┐                    ┌─▶ Load, Ask, Drop ──▶ workers
    workers          answers, losses ───┼──▶ coordinator ────┼─▶ Reply, Renewed ───▶ solver
    clock                     Tick ─────┘   (pure machine)   └─▶ Evict ────────────▶ cluster

One coordinator machine serves one loaded table; a job that loads another (in another form, or for
further scenarios) begins another machine, whose epochs follow.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from distributed import Worker
from distributed.protocol import to_serialize

from ogas.cluster.memory import peak_memory
from ogas.cluster.runtime import events
from ogas.cluster.runtime.coordinator import Coordinator, Needs
from ogas.cluster.runtime.crew import Crew
from ogas.cluster.runtime.events import Event, Instruction
from ogas.cluster.runtime.holding import Assignment, Shape
from ogas.cluster.runtime.patience import Patience
from ogas.engine.layout import Layout

DROPPING = 3.0  # seconds that workers may take to let go; they do so by themselves after silence


class CancelledError(Exception):
    """Somebody asked the job to end."""


class StoodDownError(Exception):
    """Another coordinator has taken over; nothing may be published here."""


@dataclass(eq=False)
class Conductor:
    """The coordinator of one job at work.

    Attributes
    ----------
    worker : Worker
        The one that it runs in.
    job : str
    crew : Crew
    patience : Patience
    epoch : int
        The latest; workers refuse earlier ones.
    """

    worker: Worker
    job: str
    memory: int | None
    epoch: int
    patience: Patience = field(default_factory=Patience)

    def __post_init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.crew = Crew(self.worker, self.job, self.memory, self.tell)
        self.crew.epoch = self.epoch
        self.machine: Coordinator | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: Future[Instruction] | None = None
        self._ending: Exception | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.seconds: dict[str, float] = {}  # by worker, of its latest step

    # ---- from the solver's thread ---------------------------------------------------------------

    def open(self, needs: Needs, shape: Shape, layout: Layout) -> None:
        """Have a table loaded by the workers; whatever was loaded before is let go."""
        asyncio.run_coroutine_threadsafe(self._open(needs, shape, layout), self.loop).result()

    def ask(self, step: str, arguments: tuple[Any, ...]) -> events.Reply | events.Renewed:
        """Have all blocks take a step, and wait.

        Raises
        ------
        PlanError
            If the job cannot go on; the error says why.
        CancelledError, StoodDownError
        """
        waiting: Future[Any] = Future()
        self.loop.call_soon_threadsafe(self._asked, waiting, events.Asked(step, arguments))
        answer: events.Reply | events.Renewed = waiting.result()
        return answer

    # ---- in the event loop ----------------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Tell the machine what happened, and carry out what it says."""
        if self.machine is None:
            return
        instructions = self.machine.handle(event, time.monotonic())
        self.epoch = self.crew.epoch = max(self.epoch, self.machine.epoch)
        for instruction in instructions:
            DEEDS[type(instruction)](self, instruction)
        self._set_timer()

    @property
    def workers(self) -> int:
        """How many workers hold blocks."""
        schedule = None if self.machine is None else self.machine.schedule
        return 0 if schedule is None else len(schedule.hosts)

    def facts(self) -> dict[str, Any]:
        """Return how many workers hold blocks, and what all processes took."""
        greetings = self.crew.greetings.values()
        own = 0 if self.worker.address in self.crew.greetings else peak_memory()
        return {
            "workers": self.workers,
            "peak_memory_bytes": own + sum(one["peak_memory_bytes"] for one in greetings),
            "bytes_between_workers": sum(one["bytes_sent"] for one in greetings),
        }

    async def close(self) -> None:
        """Let the workers go."""
        self.tell(events.Finished())
        if self._timer is not None:
            self._timer.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DROPPING)
        for task in self._tasks:
            task.cancel()

    async def _open(self, needs: Needs, shape: Shape, layout: Layout) -> None:
        self.tell(events.Finished())
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DROPPING)
        self.shape, self.layout = shape, layout
        if self._ending is None:
            self.machine = Coordinator(needs, self.patience, time.monotonic(), self.epoch)
            self.crew.introduce()
            self._set_timer()

    def _asked(self, waiting: "Future[Instruction]", event: events.Asked) -> None:
        if self._ending is not None:
            waiting.set_exception(self._ending)
            return
        self._waiting = waiting
        self.tell(event)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = None if self.machine is None else self.machine.deadline
        if deadline is not None:
            delay = max(deadline - time.monotonic(), 0.0) + 0.01
            self._timer = self.loop.call_later(delay, self.tell, events.Tick())

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- instructions ---------------------------------------------------------------------------

    def _load(self, load: events.Load) -> None:
        assignment = Assignment(self.job, load.epoch, self.shape, load.schedule.owners)
        for address in load.schedule.hosts:
            told = (address, load.epoch, events.LOADING)
            message = {"assignment": to_serialize(assignment)}
            self._start(self._told(told, "ogas_load", message))

    def _ask(self, ask: events.Ask) -> None:
        schedule = self.machine.schedule if self.machine is not None else None
        assert schedule is not None
        arguments, each = ask.arguments
        common = to_serialize(arguments)  # once for all
        for address in ask.addresses:
            mine = None
            if each is not None:
                stored = schedule.blocks_of(address)
                mine = [each[piece] for number in stored for piece in self.layout.pieces(number)]
            message = {"job": self.job, "epoch": ask.epoch, "step": ask.step}
            message |= {"arguments": common, "each": to_serialize(mine)}
            self._start(self._told((address, ask.epoch, ask.number), "ogas_take", message))

    async def _told(
        self, told: tuple[str, int, int], handler: str, message: dict[str, Any]
    ) -> None:
        """Tell a worker to do something; its answer, or the lack of one, is an event."""
        address, start = told[0], time.monotonic()
        try:
            answer = await getattr(self.worker.rpc(address), handler)(**message)
        except OSError:
            self.crew.greetings.pop(address, None)
            self.tell(events.Lost(address))
            return
        except Exception as error:
            self.tell(events.Failed(*told, error))
            return
        self.seconds[address] = time.monotonic() - start
        if answer["status"] == "done":
            self.tell(events.Answered(*told, answer["answer"]))
        elif answer["status"] == "failed":
            self.tell(events.Failed(*told, answer["error"]))
        else:
            self.tell(events.Unreached(*told, tuple(answer.get("peers", ()))))

    def _drop(self, drop: events.Drop) -> None:
        for address in drop.addresses:
            self._start(self._dropped(address, drop.epoch))

    async def _dropped(self, address: str, epoch: int) -> None:
        with suppress(Exception):  # who does not hear lets go by itself
            rpc = self.worker.rpc(address)
            await asyncio.wait_for(rpc.ogas_drop(job=self.job, epoch=epoch), DROPPING)

    def _evict(self, evict: events.Evict) -> None:
        self.crew.greetings.pop(evict.address, None)
        self._start(self.crew.evict(evict.address))

    def _reply(self, answer: events.Reply | events.Renewed) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.set_result(answer)

    def _end(self, error: Exception) -> None:
        self._ending = error
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.set_exception(error)


DEEDS: dict[type[Instruction], Callable[[Conductor, Any], None]] = {
    events.Load: Conductor._load,
    events.Ask: Conductor._ask,
    events.Drop: Conductor._drop,
    events.Evict: Conductor._evict,
    events.Reply: Conductor._reply,
    events.Renewed: Conductor._reply,
    events.Refuse: lambda conductor, refuse: conductor._end(refuse.error),
    events.Cancelled: lambda conductor, _: conductor._end(CancelledError()),
    events.StoodDown: lambda conductor, _: conductor._end(StoodDownError()),
}
