"""Who sends what to whom: the routes of everything that crosses the boundaries of blocks.

Each block has one outbox, with a row for every product it takes from others. Going up, a row is an
order, and goes to the block that makes the product; coming down, it is filled with what the product
is worth. The routes are found once, when a table is loaded.

The blocks of one process are a *share*. Rows for its own blocks stay where they are; the others
travel, one parcel for every other share, and are put behind the share's own:

    messages   [ outboxes of its blocks | orders that came up from share 0 | from share 2 ... ]
    numbers    [ its own, by slots      | what came down from share 0      | from share 2 ... ]
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ogas.engine.layout import Layout
from ogas.engine.sectors import Sector
from ogas.engine.table import Integers
from ogas.kernels import routing

Parcels = Mapping[int, npt.NDArray[Any]]
Places = npt.NDArray[np.uint32] | npt.NDArray[np.int64]
Slots = npt.NDArray[np.uint32]


class Post(Protocol):
    """How a share reaches the others; all of them send, and then receive, in the same order."""

    def send(self, parcels: Parcels) -> None:
        """Send one parcel to each of some shares."""
        ...

    def receive(self, senders: Sequence[int]) -> Parcels:
        """Return the next parcel of each of these shares, when all are there."""
        ...


class Nobody:
    """The post of a share that holds all blocks."""

    def send(self, parcels: Parcels) -> None:
        """There is nobody to send to."""

    def receive(self, senders: Sequence[int]) -> Parcels:
        """There is nobody to receive from."""
        return {}


@dataclass(frozen=True, eq=False)
class Mail:
    """The routes of one block.

    Attributes
    ----------
    outbox : slice
        Its rows among the messages, padding included.
    ext : (e,) uint32 or int64
        Where the numbers of the product stand that each row of the outbox is about.
    partners : (k,) int64
        The blocks that make these products, each once.
    owners : (e,) uint16
        For each row, the place of its maker among the partners.
    rows : (r,) uint32 or int64
        The messages with orders for this block.
    local : (r,) uint16
        Which of the block's products each of them is for.
    sources : (s,) int64
        The blocks that sent them, ascending; ``sources[i]`` those from ``bounds[i]`` to
        ``bounds[i + 1]``.
    bounds : (s + 1,) int64
    """

    outbox: slice
    ext: Places
    partners: Integers
    owners: npt.NDArray[np.uint16]
    rows: Places
    local: npt.NDArray[np.uint16]
    sources: Integers
    bounds: Integers


@dataclass(frozen=True, eq=False)
class Routes:
    """The routes of a share.

    Attributes
    ----------
    mails : tuple of Mail
        Of its blocks.
    rows : int
        Messages, those of other shares included.
    places : int
        Products whose numbers the share knows: its own, and those its blocks take from others.
    up : mapping of share to (r,) int64
        Messages that go there when orders go up.
    arrivals : mapping of share to slice
        Where its orders are put among the messages.
    down : mapping of share to (r,) int64
        Products whose numbers go there when numbers come down: one for each order from there.
    ghosts : mapping of share to slice
        Where the numbers of its products are put.
    """

    mails: tuple[Mail, ...]
    rows: int
    places: int
    up: Mapping[int, Integers]
    arrivals: Mapping[int, slice]
    down: Mapping[int, Integers]
    ghosts: Mapping[int, slice]


@dataclass(frozen=True, eq=False)
class Outbox:
    """Rows of the outbox of one block, which may be another share's.

    Attributes
    ----------
    source : int
        The block.
    first : int
        The message that the first row is; the others follow.
    slots : (r,) uint32
        The product that each is about.
    """

    source: int
    first: int
    slots: Slots


@dataclass(frozen=True, eq=False)
class Abroad:
    """Rows of a share's outboxes that go to another share.

    Attributes
    ----------
    which : (r,) int64
        Among all of its rows, padding left out.
    messages : (r,) int64
        Where they stand.
    sources, slots : (r,) uint32
        The block that sends each, and the product that it is about.
    """

    which: Integers
    messages: Integers
    sources: Slots
    slots: Slots


@dataclass(frozen=True, eq=False)
class Taken:
    """What a block takes from others: its slots, the blocks that make it, and how many each."""

    slots: Slots
    makers: npt.NDArray[np.uint16]
    counts: Integers


@dataclass(frozen=True, eq=False)
class Holding:
    """Which share holds which block.

    Attributes
    ----------
    holders : (m,) int64
        The share of every block.
    share : int
        This one.
    threads : int
        How many of its blocks may be at work at a time.
    """

    holders: Integers
    share: int
    threads: int = 1

    @staticmethod
    def all_of(blocks: int, threads: int = 1) -> "Holding":
        """Return one share that holds all blocks."""
        return Holding(np.zeros(blocks, dtype=np.int64), 0, threads)

    @property
    def numbers(self) -> Integers:
        """The blocks of this share."""
        return np.flatnonzero(self.holders == self.share)

    @property
    def others(self) -> list[int]:
        """The other shares."""
        return [share for share in range(int(self.holders.max()) + 1) if share != self.share]


def link(sectors: Sequence[Sector], layout: Layout, holding: Holding, post: Post) -> Routes:
    """Tell the other shares what this one's blocks take from theirs, and find all routes.

    Every share does this at the same time.
    """
    numbers, size = holding.numbers, sum(map(len, sectors))
    starts = np.concatenate([[0], np.cumsum([sector.frame.order_rows for sector in sectors])])
    with ThreadPoolExecutor(holding.threads) as pool:
        taken = list(pool.map(lambda sector: _taken(sector, layout), sectors))
        sent = [one.slots for one in taken]
        outboxes = list(map(Outbox, numbers.tolist(), starts.tolist(), sent))
        abroad = _abroad(outboxes, taken, holding)
        post.send({to: np.stack([some.sources, some.slots]) for to, some in abroad.items()})
        come = post.receive(holding.others)
        ghosts = _behind(size, {other: len(some.which) for other, some in abroad.items()})
        arrivals = _behind(int(starts[-1]), {other: part.shape[1] for other, part in come.items()})
        for other, part in come.items():
            outboxes += _outboxes(part, arrivals[other].start)
        shifts = _shifts(layout, numbers)
        kind = narrow(_end(ghosts, size))
        places = list(pool.map(lambda one: _places(one, shifts, kind), taken))
        received = _received(outboxes, layout, numbers, pool)
    ext = _with_ghosts([place for place, _ in places], abroad, ghosts)
    return Routes(
        mails=tuple(
            Mail(
                outbox=slice(int(starts[k]), int(starts[k + 1])),
                ext=ext[k],
                partners=np.flatnonzero(one.counts),
                owners=places[k][1],
                **received[k],
            )
            for k, one in enumerate(taken)
        ),
        rows=_end(arrivals, int(starts[-1])),
        places=_end(ghosts, size),
        up={other: some.messages for other, some in abroad.items() if len(some.which)},
        arrivals=_filled(arrivals),
        down={
            other: shifts[layout.owners[wanted]] + wanted
            for other, (_, wanted) in come.items()
            if len(wanted)
        },
        ghosts=_filled(ghosts),
    )


def _taken(sector: Sector, layout: Layout) -> Taken:
    slots = np.empty(len(sector.ext), dtype=np.uint32)
    makers = np.empty(len(sector.ext), dtype=np.uint16)
    counts = np.zeros(layout.blocks, dtype=np.int64)
    routing.address(sector.ext, layout.slots, layout.owners, slots, makers, counts)
    return Taken(slots, makers, counts)


def _abroad(
    outboxes: Sequence[Outbox], taken: Sequence[Taken], holding: Holding
) -> dict[int, Abroad]:
    """Return the rows of a share's outboxes that go to each other share."""
    if not holding.others:
        return {}
    holders = np.concatenate([holding.holders[one.makers] for one in taken])
    slots = np.concatenate([one.slots for one in outboxes])
    numbers = holding.numbers.astype(np.uint32)
    sources = np.repeat(numbers, [len(one.slots) for one in outboxes])
    messages = np.concatenate([one.first + np.arange(len(one.slots)) for one in outboxes])
    going = {other: np.flatnonzero(holders == other) for other in holding.others}
    return {other: Abroad(k, messages[k], sources[k], slots[k]) for other, k in going.items()}


def _with_ghosts(
    places: list[Places], abroad: Mapping[int, Abroad], ghosts: Mapping[int, slice]
) -> list[Places]:
    """Return where the products of all outboxes stand, those of other shares among ghosts."""
    if not abroad:
        return places
    everywhere = np.concatenate(places)
    for other, some in abroad.items():
        everywhere[some.which] = np.arange(ghosts[other].start, ghosts[other].stop)
    return np.split(everywhere, np.cumsum([len(part) for part in places])[:-1])


def _outboxes(parcel: Slots, first: int) -> list[Outbox]:
    """Return the rows that came from another share, block by block."""
    sources, slots = parcel[0].astype(np.int64), np.ascontiguousarray(parcel[1])
    cuts = np.flatnonzero(np.diff(sources, prepend=-1))
    parts = np.split(slots, cuts[1:]) if len(cuts) else []
    return [
        Outbox(int(sources[cut]), first + int(cut), part)
        for cut, part in zip(cuts, parts, strict=True)
    ]


def _places(taken: Taken, shifts: Integers, kind: type) -> tuple[Places, npt.NDArray[np.uint16]]:
    """Return where the products stand in this share, and the place of each maker among partners.

    Written over the makers, and over slots that are not moved: there may be billions.
    """
    numbers = np.zeros(len(shifts), dtype=np.uint16)
    partners = np.flatnonzero(taken.counts)
    numbers[partners] = np.arange(len(partners))
    places: Places = np.empty(len(taken.slots), dtype=kind) if shifts.any() else taken.slots
    routing.move(taken.slots, taken.makers, shifts, places, numbers, taken.makers)
    return places, taken.makers


def _received(
    outboxes: Sequence[Outbox], layout: Layout, numbers: Integers, pool: Executor
) -> list[dict[str, Any]]:
    """Return the rows for each block of a share, in the order of the blocks that sent them.

    That order does not depend on which share holds which block, and with it no sum does.
    """
    sent = sorted(outboxes, key=lambda one: one.source)
    counts = np.array(
        [np.bincount(layout.owners[one.slots], minlength=layout.blocks)[numbers] for one in sent]
    ).reshape(len(sent), len(numbers))
    ends = np.cumsum(counts.T).reshape(len(numbers), len(sent))  # by receiver, then by sender
    begins = ends - counts.T
    total = int(counts.sum())
    last_row = max((one.first + len(one.slots) for one in sent), default=0)
    rows: Places = np.empty(total, dtype=narrow(last_row))
    local = np.empty(total, dtype=np.uint16)

    def deal(place: int) -> None:
        free = np.full(layout.blocks, -1, dtype=np.int64)
        free[numbers] = begins[:, place]
        one = sent[place]
        routing.deal(one.slots, one.first, layout.owners, layout.bounds, free, rows, local)

    list(pool.map(deal, range(len(sent))))
    found = []
    for k in range(len(numbers)):
        some = np.flatnonzero(counts[:, k])
        first, last = (int(begins[k, 0]), int(ends[k, -1])) if sent else (0, 0)
        found.append(
            {
                "rows": rows[first:last],
                "local": local[first:last],
                "sources": np.array([sent[place].source for place in some], dtype=np.int64),
                "bounds": np.append(begins[k, some], last) - first,
            }
        )
    return found


def _shifts(layout: Layout, numbers: Integers) -> Integers:
    """Return, for every block of a share, how far its slots are moved to follow one another."""
    sizes = np.diff(layout.bounds)[numbers]
    moved = np.zeros(layout.blocks, dtype=np.int64)
    moved[numbers] = np.cumsum(sizes) - sizes - layout.bounds[numbers]
    return moved


def narrow(count: int) -> type:
    """Return the type for places of so many things: few machines need more than 32 bits."""
    return np.uint32 if count <= 2**32 else np.int64


def _behind(start: int, counts: Mapping[int, int]) -> dict[int, slice]:
    """Return slices of these lengths, one after the other."""
    found = {}
    for other, count in counts.items():
        found[other] = slice(start, start + count)
        start += count
    return found


def _end(slices: Mapping[int, slice], start: int) -> int:
    return max([start, *(int(part.stop) for part in slices.values())])


def _filled(slices: Mapping[int, slice]) -> dict[int, slice]:
    return {other: part for other, part in slices.items() if part.stop > part.start}
