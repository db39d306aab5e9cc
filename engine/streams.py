"""Blocks that do not fit into memory: read again for every pass, ahead of their turn.

A share visits its blocks in order, some threads at a time. What they need next is being read into
rooms meanwhile, several pieces of a part at a time; who has swept a part gives its room back, and
the next part is read into it:

    disk     | own 5 | own 6 | own 7 |  into rooms, as stored
    threads  | own 3 | own 4 |          brought into form in a room of the thread, and swept

Parts are brought into form by the same code, from the same bytes, as those of blocks that stay in
memory, so results have the same bits. Rooms are used again and again: to have the system clear new
memory would take longer than a sweep.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from ogas.engine.parts import Empty, Frame, Held, Orders, Own
from ogas.engine.rows import Rows

REQUESTS = 8  # that are on their way to the disk at a time
AHEAD = 2  # parts that are read beyond those being swept
ALIGNED, ARRAYS = 64, 4  # where arrays of a part begin, and how many there are at most

Part = TypeVar("Part", Own, Orders)


class File(Protocol):
    """A stored part of a block, which was read and proved before."""

    @property
    def nbytes(self) -> int:
        """What its arrays take as they are stored."""
        ...

    def reads(self, empty: Empty) -> tuple[Rows, Sequence[Callable[[], None]]]:
        """Return the part, and what fills it, in any order or at the same time."""
        ...


@dataclass(frozen=True, eq=False)
class Streamed:
    """The parts of a block that is read again whenever it is needed."""

    own: File
    orders: File


class Room:
    """Memory that is used again and again."""

    def __init__(self, size: int) -> None:
        self.memory = np.empty(size, np.uint8)
        self.used = 0

    def empty(self, shape: int, dtype: Any, /) -> npt.NDArray[Any]:
        """Return the next so many numbers of it."""
        size = shape * np.dtype(dtype).itemsize
        part = self.memory[self.used : self.used + size]
        self.used += -(-size // ALIGNED) * ALIGNED
        return part.view(dtype)


Coming = tuple[Rows, Room, Sequence["Future[None]"]]
"""A part in its room, and what has to end before it is there."""


class Stream:
    """The parts of the blocks of one share, wherever they are.

    Parameters
    ----------
    parts : sequence of (Frame, Held or Streamed)
    threads : int
        How many blocks may be visited at a time.
    """

    def __init__(self, parts: Sequence[tuple[Frame, Held | Streamed]], threads: int) -> None:
        streamed = [(frame, part) for frame, part in parts if isinstance(part, Streamed)]
        self.threads = min(threads, len(streamed))
        raw = [max(part.own.nbytes, part.orders.nbytes) for _, part in streamed]
        formed = [max(frame.own_bytes, frame.order_bytes) for frame, _ in streamed]
        self.largest = ARRAYS * ALIGNED + max(raw, default=0)
        self.largest_formed = ARRAYS * ALIGNED + max(formed, default=0)
        self.rooms: list[Room] = []
        self.desks: SimpleQueue[Room] = SimpleQueue()
        self.lock = Lock()

    @contextmanager
    def reading(self, files: Sequence[File]) -> Iterator[None]:
        """Read these parts ahead, in this order; each may be visited once meanwhile."""
        self.coming: dict[int, Future[Coming]] = {id(file): Future() for file in files}
        if not self.coming:
            yield
            return
        self.left = iter([(file, self.coming[id(file)]) for file in files])
        self._furnish()
        with ThreadPoolExecutor(REQUESTS, thread_name_prefix="ogas-read") as pool:
            self.pool = pool
            try:
                for room in self.rooms:
                    self._read_next(room)
                yield
            finally:
                self.give_up(CancelledError("nobody visits any more"))

    def give_up(self, error: BaseException) -> None:
        """Read no more, and tell all who wait."""
        with self.lock:
            left, self.left = list(self.left), iter(())
        for _, coming in left:
            coming.set_exception(error)

    @contextmanager
    def own(self, frame: Frame, parts: Held | Streamed) -> Iterator[Own]:
        """Visit the own part of a block."""
        if isinstance(parts, Held):
            yield parts.own
        else:
            with self._formed(parts.own, frame.own) as own:
                yield own

    @contextmanager
    def orders(self, frame: Frame, parts: Held | Streamed) -> Iterator[Orders]:
        """Visit the orders of a block."""
        if isinstance(parts, Held):
            yield parts.orders
        else:
            with self._formed(parts.orders, frame.orders) as orders:
                yield orders

    @contextmanager
    def _formed(self, file: File, form: Callable[[Rows, Empty], Part]) -> Iterator[Part]:
        """Wait for a part and bring it into form; its room is free for the next one then."""
        try:
            rows, room, reads = self.coming[id(file)].result()
            for read in reads:
                read.result()
            desk = self.desks.get()
            desk.used = 0
            try:
                part = form(rows, desk.empty)
                self._read_next(room)
                yield part
            finally:
                self.desks.put(desk)
        except BaseException as error:
            self.give_up(error)
            raise

    def _furnish(self) -> None:
        if not self.rooms:
            self.rooms = [Room(self.largest) for _ in range(self.threads + AHEAD)]
            for _ in range(self.threads):
                self.desks.put(Room(self.largest_formed))

    def _read_next(self, room: Room) -> None:
        """Have the next part read into a room that is free."""
        with self.lock:
            file, coming = next(self.left, (None, None))
        if file is None or coming is None:
            return
        room.used = 0
        try:
            rows, reads = file.reads(room.empty)
            coming.set_result((rows, room, [self.pool.submit(read) for read in reads]))
        except BaseException as error:
            coming.set_exception(error)
            raise
