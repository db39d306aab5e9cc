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
from dataclasses import dataclass, field
from typing import Any

from distributed import Worker

from ogas.cluster.memory import peak_memory
from ogas.cluster.runtime import events
from ogas.cluster.runtime.coordinator import Coordinator, Needs
from ogas.cluster.runtime.crew import DROPPING, GREETING, NOT_OURS, Crew
from ogas.cluster.runtime.events import Event, Instruction
from ogas.cluster.runtime.holding import Assignment, Shape
from ogas.cluster.runtime.patience import Patience
from ogas.cluster.runtime.telling import Tally
from ogas.cluster.runtime.wire import pack, unpack
from ogas.engine.layout import Layout


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
        self._watch: asyncio.Task[None] | None = None
        self.tally = Tally()

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

    def go_on(self) -> None:
        """Return unless the job has ended, for a solver that has nothing to ask.

        Raises
        ------
        CancelledError, StoodDownError
            And whatever `ask` would raise.
        """
        if self._ending is not None:
            raise self._ending

    # ---- in the event loop ----------------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Tell the machine what happened, and carry out what it says."""
        if self.machine is None:
            if isinstance(event, events.CancelAsked):
                self._end(CancelledError())
            elif isinstance(event, events.Superseded):
                self._end(StoodDownError())
            return
        try:
            instructions = self.machine.handle(event, time.monotonic())
            self.epoch = self.crew.epoch = max(self.epoch, self.machine.epoch)
            for instruction in instructions:
                DEEDS[type(instruction)](self, instruction)
            self._set_timer()
        except Exception as error:  # nobody else would tell the solver, which waits
            self._end(error)

    def watch(self) -> None:
        """Look after the workers from now on, until `close`."""
        self._watch = self.loop.create_task(self.crew.watch())
        self._watch.add_done_callback(self.check)

    def check(self, task: "asyncio.Task[None]") -> None:
        """End the job if a task of it failed."""
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._end(error)

    @property
    def workers(self) -> int:
        """How many workers hold blocks; 1 where the coordinator holds the whole table itself."""
        if self.machine is None:
            return 1
        schedule = self.machine.schedule
        return 0 if schedule is None else len(schedule.hosts)

    @property
    def loading_seconds(self) -> float:
        """What reading blocks and tying them together took in the latest epoch."""
        return 0.0 if self.machine is None else self.machine.loading_seconds

    def facts(self) -> dict[str, Any]:
        """Return how many workers hold blocks, and what all processes took until now."""
        asyncio.run_coroutine_threadsafe(self.crew.refresh(), self.loop).result()
        greetings = self.crew.greetings.values()
        own = 0 if self.worker.address in self.crew.greetings else peak_memory()
        return {
            "workers": self.workers,
            "peak_memory_bytes": own + sum(one["peak_memory_bytes"] for one in greetings),
            "bytes_between_workers": sum(one["bytes_sent"] for one in greetings),
        }

    def stand_down(self) -> None:
        """Leave the job, and the workers with their blocks, to another coordinator."""
        self.tell(events.Superseded())
        self._end(StoodDownError())

    async def close(self) -> None:
        """Let the workers go, and the solver, if it still asks."""
        # Workers whose job goes on elsewhere keep their blocks for the other coordinator.
        goes_on = isinstance(self._ending, StoodDownError)
        self.tell(events.Finished())
        self._end(StoodDownError())
        self.crew.is_over.set()
        if self._watch is not None:
            await asyncio.wait([self._watch], timeout=GREETING + DROPPING)
        if self._timer is not None:
            self._timer.cancel()
        if not goes_on:
            self._start(self.crew.release(list(self.crew.greetings)))
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
            earlier = self.crew.schedule(len(needs.burdens))
            now = time.monotonic()
            self.machine = Coordinator(needs, self.patience, now, self.epoch, earlier)
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
        task.add_done_callback(self.check)

    # ---- instructions ---------------------------------------------------------------------------

    def _load(self, load: events.Load) -> None:
        schedule = load.schedule
        streamed = tuple(sorted(schedule.streamed))
        assignment = Assignment(self.job, load.epoch, self.shape, schedule.owners, streamed)
        for address in load.schedule.hosts:
            told = (address, load.epoch, events.LOADING)
            message = {"assignment": pack(assignment)}
            self._start(self._told(told, "ogas_load", message))

    def _ask(self, ask: events.Ask) -> None:
        schedule = self.machine.schedule if self.machine is not None else None
        assert schedule is not None
        arguments, each = ask.arguments
        common = pack(arguments)  # once for all
        for address in ask.addresses:
            mine = None
            if each is not None:
                stored = schedule.blocks_of(address)
                mine = [each[piece] for number in stored for piece in self.layout.pieces(number)]
            message = {"job": self.job, "epoch": ask.epoch, "step": ask.step}
            message |= {"arguments": common, "each": pack(mine)}
            self._start(self._told((address, ask.epoch, ask.number), "ogas_take", message))

    async def _told(
        self, told: tuple[str, int, int], handler: str, message: dict[str, Any]
    ) -> None:
        """Tell a worker to do something; its answer, or the lack of one, is an event."""
        address = told[0]
        try:
            answer = await self._call(address, handler, message)
        except OSError:
            self.crew.lose(address)
            return
        except Exception as error:
            self.tell(events.Failed(*told, error))
            return
        self.tally.add(address, answer.get("spent"))
        if answer["status"] == "done":
            self.tell(events.Answered(*told, unpack(answer["answer"])))
        elif answer["status"] == "failed":
            self.tell(events.Failed(*told, unpack(answer["error"])))
        elif answer["status"] in NOT_OURS:
            self.crew.lose(address)
        else:
            self.tell(events.Unreached(*told, tuple(answer.get("peers", ()))))

    async def _call(self, address: str, handler: str, message: dict[str, Any]) -> Any:
        """Call a handler of a worker; our own needs no message."""
        if address == self.worker.address:
            return await self.worker.handlers[handler](**message)
        return await getattr(self.worker.rpc(address), handler)(**message)

    def _drop(self, drop: events.Drop) -> None:
        self._start(self.crew.release(drop.addresses, drop.epoch))

    def _evict(self, evict: events.Evict) -> None:
        self.crew.greetings.pop(evict.address, None)
        self._start(self.crew.evict(evict.address))

    def _reply(self, answer: events.Reply | events.Renewed) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.set_result(answer)

    def _end(self, error: Exception) -> None:
        self._ending = self._ending or error
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.set_exception(self._ending)


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
