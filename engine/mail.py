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
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ogas.engine.layout import Layout
from ogas.engine.sectors import Sector
from ogas.engine.table import Integers

Parcels = Mapping[int, npt.NDArray[Any]]


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
    ext : (e,) int64
        Where the numbers of the product stand that each row of the outbox is about.
    makers : (e,) int32
        The block that makes it.
    partners : (k,) int64
        These blocks, each once.
    owners : (e,) int32
        For each row, the place of its maker among the partners.
    rows : (r,) int64
        The messages with orders for this block.
    local : (r,) int32
        Which of the block's products each of them is for.
    sources : (s,) int64
        The blocks that sent them, ascending; ``sources[i]`` those from ``bounds[i]`` to
        ``bounds[i + 1]``.
    bounds : (s + 1,) int64
    """

    outbox: slice
    ext: Integers
    makers: npt.NDArray[np.int32]
    partners: Integers
    owners: npt.NDArray[np.int32]
    rows: Integers
    local: npt.NDArray[np.int32]
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
class Rows:
    """Message rows: where they stand, which block sent them, and the slot they are about."""

    places: Integers
    sources: Integers
    slots: Integers

    def some(self, which: npt.NDArray[Any]) -> "Rows":
        """Return some of them, or all in another order."""
        return Rows(self.places[which], self.sources[which], self.slots[which])


@dataclass(frozen=True, eq=False)
class Holding:
    """Which share holds which block.

    Attributes
    ----------
    holders : (m,) int64
        The share of every block.
    share : int
        This one.
    """

    holders: Integers
    share: int

    @staticmethod
    def all_of(blocks: int) -> "Holding":
        """Return one share that holds all blocks."""
        return Holding(np.zeros(blocks, dtype=np.int64), 0)

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
    numbers = holding.numbers
    starts = np.concatenate([[0], np.cumsum([sector.orders.rows for sector in sectors])])
    sent = _sent(sectors, layout, numbers, starts)
    makers = layout.owners[sent.slots]
    holders = holding.holders[makers]
    going = {other: np.flatnonzero(holders == other) for other in holding.others}
    post.send({to: np.stack([sent.sources[k], sent.slots[k]]) for to, k in going.items()})
    come = post.receive(holding.others)

    ghosts = _behind(sum(map(len, sectors)), {other: len(k) for other, k in going.items()})
    arrivals = _behind(int(starts[-1]), {other: come[other].shape[1] for other in holding.others})
    local = _local(layout, numbers)
    ext = local[makers] + sent.slots
    received = [sent.some(np.flatnonzero(holders == holding.share))]
    for other in holding.others:
        ext[going[other]] = _range(ghosts[other])
        received.append(Rows(_range(arrivals[other]), *come[other]))
    return Routes(
        mails=_mails(sectors, starts, (ext, makers), _by_maker(received, layout, numbers)),
        rows=_end(arrivals, int(starts[-1])),
        places=_end(ghosts, sum(map(len, sectors))),
        up={other: sent.places[k] for other, k in going.items() if len(k)},
        arrivals=_filled(arrivals),
        down={
            other: local[layout.owners[slots]] + slots
            for other, (_, slots) in come.items()
            if len(slots)
        },
        ghosts=_filled(ghosts),
    )


def _sent(sectors: Sequence[Sector], layout: Layout, numbers: Integers, starts: Integers) -> Rows:
    """Return the rows of all outboxes of a share, padding left out."""
    counts = [len(sector.ext) for sector in sectors]
    places = [start + np.arange(count) for start, count in zip(starts[:-1], counts, strict=True)]
    slots = [layout.slots[sector.ext] for sector in sectors]
    return Rows(np.concatenate(places), np.repeat(numbers, counts), np.concatenate(slots))


def _by_maker(received: Sequence[Rows], layout: Layout, numbers: Integers) -> list[Rows]:
    """Return the rows that are for each block, in the order of the blocks that sent them.

    That order does not depend on which share holds which block, and with it no sum does.
    """
    every = [np.concatenate(parts) for parts in zip(*map(_fields, received), strict=True)]
    rows = Rows(*every)
    if len(received) > 1:  # within a share, blocks are in order already
        rows = rows.some(_sorted(rows.sources, layout.blocks))
    makers = layout.owners[rows.slots]
    rows = rows.some(_sorted(makers, layout.blocks))
    ends = np.cumsum(np.bincount(makers, minlength=layout.blocks))
    starts = np.concatenate([[0], ends[:-1]])
    return [
        Rows(rows.places[start:end], rows.sources[start:end], rows.slots[start:end] - first)
        for start, end, first in zip(
            starts[numbers], ends[numbers], layout.bounds[numbers], strict=True
        )
    ]


def _mails(
    sectors: Sequence[Sector],
    starts: Integers,
    sent: tuple[Integers, npt.NDArray[np.int32]],
    received: Sequence[Rows],
) -> tuple[Mail, ...]:
    """Return the mail of every block; ``sent`` are the places and makers of all outboxes' rows."""
    cuts = np.cumsum([len(sector.ext) for sector in sectors])[:-1]
    ext, makers = (np.split(part, cuts) for part in sent)
    found = []
    for k, rows in enumerate(received):
        partners, owners = np.unique(makers[k], return_inverse=True)
        firsts = np.flatnonzero(np.diff(rows.sources, prepend=-1))
        found.append(
            Mail(
                outbox=slice(int(starts[k]), int(starts[k + 1])),
                ext=np.ascontiguousarray(ext[k]),
                makers=np.ascontiguousarray(makers[k]),
                partners=partners.astype(np.int64),
                owners=owners.astype(np.int32),
                rows=np.ascontiguousarray(rows.places),
                local=rows.slots.astype(np.int32),
                sources=rows.sources[firsts],
                bounds=np.append(firsts, len(rows.sources)).astype(np.int64),
            )
        )
    return tuple(found)


def _local(layout: Layout, numbers: Integers) -> Integers:
    """Return, for every block of a share, how far its slots are moved to follow one another."""
    sizes = np.diff(layout.bounds)[numbers]
    moved = np.zeros(layout.blocks, dtype=np.int64)
    moved[numbers] = np.cumsum(sizes) - sizes - layout.bounds[numbers]
    return moved


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


def _range(part: slice) -> Integers:
    return np.arange(part.start, part.stop)


def _fields(rows: Rows) -> tuple[Integers, Integers, Integers]:
    return rows.places, rows.sources, rows.slots


def _sorted(keys: npt.NDArray[Any], most: int) -> Integers:
    """Return the stable order of some block numbers; narrow keys are sorted by counting."""
    return np.argsort(keys.astype(np.uint16) if most <= 2**16 else keys, kind="stable")
