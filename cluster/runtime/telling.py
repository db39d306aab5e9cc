"""What a coordinator tells those who watch: every round, in a small event every so often.

The solver's thread hands over each pass as it ends; the event loop gathers what the workers took
for it, and logs an event at the scheduler (`ogas.cluster.watching` reads them). Where no page is
there that could show it, nothing is told. A pass costs the solver some 30 µs.

Law: nothing that goes wrong here ends a job.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ogas.cluster.jobs.state import State
from ogas.cluster.watching import PAGES, TOPIC, VERSION, Effort, Round
from ogas.engine.iterate import Forecast
from ogas.engine.outcome import History

if TYPE_CHECKING:
    from ogas.cluster.runtime.conductor import Conductor

EVERY = 0.3  # seconds between two events of a job, endings aside
MOST_ROUNDS = 500  # in one event; the latest
PATIENCE = 5.0  # seconds for the scheduler to say whether it has a page


@dataclass(eq=False)
class Tally:
    """What a job has taken so far, by the answers of its workers.

    Attributes
    ----------
    efforts : dict of address to Effort
        Without their blocks.
    crossed : int
        Bytes that crossed the boundaries of blocks; counted by the solver's thread.
    """

    efforts: dict[str, Effort] = field(default_factory=dict)
    crossed: int = 0

    def add(self, address: str, spent: tuple[float, float, int] | None) -> None:
        """Take note of what one step took a worker, if its answer says so."""
        if spent is not None:
            one = self.efforts.get(address, Effort())
            seconds, waiting, sent = one.seconds + spent[0], one.waiting + spent[1], spent[2]
            self.efforts[address] = Effort((), seconds, waiting, one.bytes_sent + sent)

    @property
    def total(self) -> tuple[float, float, int]:
        """Seconds in steps, those of them that were waited for parcels, and bytes, of all."""
        efforts = self.efforts.values()
        seconds, waiting = sum(one.seconds for one in efforts), sum(one.waiting for one in efforts)
        return seconds, waiting, sum(one.bytes_sent for one in efforts)


class Teller:
    """Tells of one job, as long as one coordinator has it.

    Parameters
    ----------
    conductor : Conductor
    attempt : int
        The coordinator's token.
    digits : int
        Figures that were asked for.
    is_watched : bool
        Whether anybody could look.
    """

    def __init__(self, conductor: "Conductor", attempt: int, digits: int, is_watched: bool) -> None:
        self.conductor, self.attempt, self.digits = conductor, attempt, digits
        self.is_watched = is_watched
        self.loop = asyncio.get_running_loop()
        self._rounds: deque[list[Any]] = deque(maxlen=MOST_ROUNDS)
        self._first, self._started = conductor.epoch, time.time()
        self._number = self._run = 0
        self._crossed = 0
        self._known = (0.0, 0.0, 0)
        self._told = -EVERY
        self._timer: asyncio.TimerHandle | None = None

    @staticmethod
    async def of(conductor: "Conductor", attempt: int, digits: int) -> "Teller":
        """Return one that tells if the scheduler has a page for it."""
        pages: Any = ()
        with suppress(Exception):
            asked = conductor.worker.scheduler.events(topic=PAGES)
            pages = await asyncio.wait_for(asked, PATIENCE)
        return Teller(conductor, attempt, digits, bool(pages))

    # ---- from the solver's thread ---------------------------------------------------------------

    def passed(self, history: History, forecast: Forecast) -> None:
        """Take note of a pass that has just ended."""
        if not self.is_watched:
            return
        crossed, self._crossed = self._crossed, self.conductor.tally.crossed
        record = history.records[-1]
        self._run += len(history.records) == 1
        half_width = forecast.half_width if record.kind == "sweep" else record.half_width
        known = (self._run, record.kind, half_width, record.seconds, self._crossed - crossed)
        with suppress(RuntimeError):  # the worker ends, and the job goes on elsewhere
            self.loop.call_soon_threadsafe(self._passed, known, record.reads)

    # ---- in the event loop ----------------------------------------------------------------------

    def queued(self, behind: str) -> None:
        """Tell that the workers belong to another job."""
        self._tell("queued", f"behind {behind}" if behind else "")

    def begun(self, state: State) -> None:
        """Tell that the job is being carried out."""
        if state.started is not None:
            self._started = datetime.fromisoformat(state.started).timestamp()
        self._tell("running")

    def ended(self, state: State) -> None:
        """Tell how the job came out."""
        self._tell(state.state, state.message, self._efforts())

    def _passed(self, known: tuple[int, str, float, float, int], reads: int) -> None:
        run, kind, half_width, seconds, moved = known
        self._number += reads
        now = self.conductor.tally.total
        spent, waited, sent = (late - early for late, early in zip(now, self._known, strict=True))
        self._known = now
        workers = max(self.conductor.workers, 1)
        # What no worker had a part in, the coordinator computed itself: small tables, audits.
        sweeping = (spent - waited) / workers if spent else seconds
        times = (seconds, sweeping, waited / workers)
        placement = self.conductor.epoch - self._first
        found = Round(self._number, run, kind, half_width, *times, moved, int(sent), placement)
        self._rounds.append(found.row())
        if self._timer is None:
            delay = max(self._told + EVERY - time.monotonic(), 0.0)
            self._timer = self.loop.call_later(delay, self._tell, "running")

    def _efforts(self) -> dict[str, Any]:
        """Return what every worker has done, and held at last."""
        greetings = self.conductor.crew.greetings
        return {
            address: asdict(replace(one, blocks=greetings.get(address, {}).get("blocks", ())))
            for address, one in self.conductor.tally.efforts.items()
        }

    def _tell(self, state: str, message: str = "", efforts: Any = None) -> None:
        if not self.is_watched:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        event = {
            "version": VERSION,
            "job": self.conductor.job,
            "attempt": self.attempt,
            "state": state,
            "message": message,
            "digits": self.digits,
            "elapsed": max(time.time() - self._started, 0.0),
            "workers": self.conductor.workers,
            "placement": self.conductor.epoch - self._first,
            "rounds": list(self._rounds),
            "efforts": efforts or {},
        }
        self._rounds.clear()
        self._told = time.monotonic()
        with suppress(Exception):
            self.conductor.worker.log_event(TOPIC, event)
