"""Reading ahead: when a table is loaded, and for blocks that do not fit into memory.

A share visits its blocks in order, some threads at a time. What they need next is being read into
rooms meanwhile, several pieces of it at a time; who has brought it into form gives its room back,
and what comes next is read into that. Blocks for which there is no room in memory are read so again
for every pass:

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
ALIGNED, ARRAYS = 64, 8  # where arrays begin, and how many of a block there are at most

Part = TypeVar("Part", Own, Orders)
Read = TypeVar("Read", covariant=True)
Ready = Callable[[], Read]
"""Returns what was read, once it is there."""


class File(Protocol[Read]):
    """What is stored of a block."""

    @property
    def nbytes(self) -> int:
        """What its arrays take as they are stored."""
        ...

    def reads(self, empty: Empty) -> tuple[Ready[Read], Sequence[Callable[[], None]]]:
        """Return what makes it, and before that what fills it, in any order or at the same time."""
        ...


def read_now(file: File[Read]) -> Read:
    """Read into new memory, piece by piece."""
    ready, reads = file.reads(np.empty)
    for read in reads:
        read()
    return ready()


@dataclass(frozen=True, eq=False)
class Streamed:
    """The parts of a block that is read again whenever it is needed; it was proved before."""

    own: File[Rows]
    orders: File[Rows]


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


Coming = tuple[Ready[Any], Room, Sequence["Future[None]"]]
"""What comes, its room, and what has to end before it is there."""


class Ahead:
    """Files that are read ahead of their turn.

    Parameters
    ----------
    rooms : int
        How many of them are in memory at a time.
    largest : int
        What the largest of them takes, in bytes.
    """

    def __init__(self, rooms: int, largest: int) -> None:
        self.count, self.largest = rooms, largest
        self.rooms: list[Room] = []
        self.lock = Lock()

    @contextmanager
    def reading(self, files: Sequence[File[Any]]) -> Iterator[None]:
        """Read these ahead, in this order; each may be visited once meanwhile."""
        self.coming: dict[int, Future[Coming]] = {id(file): Future() for file in files}
        if not self.coming:
            yield
            return
        self.left = iter([(file, self.coming[id(file)]) for file in files])
        self.rooms = self.rooms or [Room(self.largest) for _ in range(self.count)]
        with ThreadPoolExecutor(REQUESTS, thread_name_prefix="ogas-read") as pool:
            self.pool = pool
            try:
                for room in self.rooms:
                    pool.submit(self._read_next, room)
                yield
            finally:
                self.give_up(CancelledError("nobody visits any more"))

    @contextmanager
    def visit(self, file: File[Read]) -> Iterator[Read]:
        """Wait for a file; the next one is read into its room afterwards."""
        try:
            ready, room, reads = self.coming[id(file)].result()
            for read in reads:
                read.result()
            yield ready()
            self.pool.submit(self._read_next, room)
        except BaseException as error:
            self.give_up(error)
            raise

    def give_up(self, error: BaseException) -> None:
        """Read no more, and tell all who wait."""
        with self.lock:
            left, self.left = list(self.left), iter(())
        for _, coming in left:
            coming.set_exception(error)

    def _read_next(self, room: Room) -> None:
        """Have the next file read into a room that is free."""
        with self.lock:
            file, coming = next(self.left, (None, None))
        if file is None or coming is None:
            return
        room.used = 0
        try:
            ready, reads = file.reads(room.empty)
            coming.set_result((ready, room, [self.pool.submit(read) for read in reads]))
        except BaseException as error:
            coming.set_exception(error)


def ahead(files: Sequence[File[Any]], threads: int) -> Ahead:
    """Return rooms for the largest of some files: as many as are visited, and `AHEAD` more."""
    largest = max((file.nbytes for file in files), default=0)
    return Ahead(min(threads + AHEAD, len(files)), ARRAYS * ALIGNED + largest)


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
        files = [file for _, part in streamed for file in (part.own, part.orders)]
        formed = [max(frame.own_bytes, frame.order_bytes) for frame, _ in streamed]
        self.threads = min(threads, len(streamed))
        self.ahead = ahead(files, self.threads)
        self.largest_formed = ARRAYS * ALIGNED + max(formed, default=0)
        self.desks: SimpleQueue[Room] = SimpleQueue()

    @contextmanager
    def reading(self, files: Sequence[File[Rows]]) -> Iterator[None]:
        """Read these parts ahead, in this order; each may be visited once meanwhile."""
        if files and not self.ahead.rooms:
            for _ in range(self.threads):
                self.desks.put(Room(self.largest_formed))
        with self.ahead.reading(files):
            yield

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
    def _formed(self, file: File[Rows], form: Callable[[Rows, Empty], Part]) -> Iterator[Part]:
        """Wait for a part and bring it into form; its room is free for the next one then."""
        desk = self.desks.get()
        desk.used = 0
        try:
            with self.ahead.visit(file) as rows:
                part = form(rows, desk.empty)
            yield part
        except BaseException as error:
            self.ahead.give_up(error)
            raise
        finally:
            self.desks.put(desk)
