"""The blocks of a table, ready to be swept: what is known of each, and where its parts are."""

from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import vstack

from ogas.engine.block import Block, part_of
from ogas.engine.layout import MOST_PRODUCTS, Layout
from ogas.engine.parts import Frame, Held, Orders, Own
from ogas.engine.rows import Rows
from ogas.engine.streams import File, Streamed, ahead
from ogas.engine.table import Integers, Vector
from ogas.kernels import loading
from ogas.kernels.slices import by_length, lay_out

FORMERS = 4


Lines = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Sector:
    """One block, ready to be swept.

    Attributes
    ----------
    products : (b,) int64
        Positions in the table's order; in the order of sweeps, where that is known.
    frame : Frame
    parts : Held or Streamed
        ``A[J, J]`` for quantities, its transpose for values, and ``A[ext, J]``.
    ext : (e,) uint32
        Positions, in the table's order, of the products it takes from others; by the rows of
        ``orders``.
    diagonal : (b,) float64
    price, ext_price : (b,), (e,) float64
        p, the prices known: of its products, and of those it takes from others. Empty where none
        are: then all are 1.
    costs_less : bool
        Whether ``p A < p``: all inputs of a unit cost less than the unit.
    own_content : (b, 1) or (b, 2) float64
        The part of it that is from the block itself; beside it the same of magnitudes, where
        entries are negative.
    nonzeros : int
    is_signed : bool
    """

    products: Integers
    frame: Frame
    parts: Held | Streamed
    ext: npt.NDArray[np.uint32]
    diagonal: Vector
    price: Vector
    ext_price: Vector
    costs_less: bool
    own_content: npt.NDArray[np.float64]
    nonzeros: int
    is_signed: bool

    def __len__(self) -> int:
        return len(self.products)

    @property
    def facts(self) -> "Facts":
        """What has to be known of all blocks together."""
        return Facts(
            nonzeros=self.nonzeros,
            own_nonzeros=int(self.frame.own_ptr[-1]),
            ext=len(self.ext),
            is_signed=self.is_signed,
            is_narrow=self.frame.numbers == "float32",
            streamed=sum(file.nbytes for file in self.files(("own", "orders"))),
            costs_less=self.costs_less,
            feeds_on_itself=bool((self.diagonal >= 1.0).any()),
        )

    def files(self, names: Sequence[str]) -> list[File[Rows]]:
        """Return those parts, ``own`` or ``orders``, that have to be read again; in this order."""
        if isinstance(self.parts, Held):
            return []
        return [getattr(self.parts, name) for name in names]

    def users_inside(self, own: Own, positions: Integers) -> npt.NDArray[np.int64]:
        """Return some rows of A (of its transpose for values), as far as they are in ``own``.

        As (2, k) pairs: number of the row among ``positions``, which ascend, and position of the
        user.
        """
        rows = np.repeat(_numbered(self.products, positions), np.diff(own.indptr))
        return np.stack([rows, self.products[own.columns]])[:, rows >= 0]

    def users_outside(self, orders: Orders, positions: Integers) -> npt.NDArray[np.int64]:
        """Return the part of the same rows that is in ``orders``."""
        lines = orders.entry_rows
        padding = np.zeros(self.frame.order_rows - len(self.ext), np.int64)
        ext = np.append(self.ext, padding)
        if self.frame.is_transposed:
            row, column = _numbered(self.products, positions)[orders.columns], ext[lines]
        else:
            taken = np.append(_numbered(self.ext, positions), padding)
            row, column = taken[lines], self.products[orders.columns]
        return np.stack([row, column])[:, (row >= 0) & (orders.values != 0)]


@dataclass(frozen=True)
class Facts:
    """What is told of a block when it has been loaded.

    Attributes
    ----------
    nonzeros : int
    own_nonzeros : int
        Those in its own part.
    ext : int
        Distinct products it takes from others.
    is_signed : bool
        Whether any entry is negative.
    is_narrow : bool
        Whether its entries are held in float32; those of some blocks may not fit.
    streamed : int
        Bytes that every pass reads from the disk; 0 if it is held in memory.
    costs_less : bool
        Whether all inputs of a unit cost less than the unit, at the prices known.
    feeds_on_itself : bool
        Whether some product uses up at least one unit of itself per unit.
    """

    nonzeros: int
    own_nonzeros: int
    ext: int
    is_signed: bool
    is_narrow: bool
    streamed: int
    costs_less: bool
    feeds_on_itself: bool


@dataclass(frozen=True, eq=False)
class Form:
    """How blocks are to be held.

    Attributes
    ----------
    is_transposed : bool
        For values: ``own`` becomes its transpose.
    narrow : bool
        Round entries to float32.
    price : (n,) float64, positive, or None
        At which ``content`` is counted; 1 if not given.
    """

    is_transposed: bool = False
    narrow: bool = False
    price: Vector | None = None


@dataclass(frozen=True, eq=False)
class Reading:
    """How stored blocks are read.

    Attributes
    ----------
    whole : callable
        Returns what is stored of one by its number; those that are too large are cut.
    files : callable
        Returns its own part and its orders, to be read again.
    streamed : set of int
        The blocks that are read again whenever they are needed, instead of being held. Only those
        that are swept as they are stored can be: others are held.
    """

    whole: Callable[[int], File[Block]]
    files: Callable[[int], tuple[File[Rows], File[Rows]]] | None = None
    streamed: Set[int] = frozenset()

    def again(self, number: int) -> Streamed | None:
        """Return where a block is read again; None if it is held."""
        if self.files is None or number not in self.streamed:
            return None
        return Streamed(*self.files(number))


def arrange(
    reading: Reading,
    stored: Sequence[int],
    layout: Layout,
    form: Form = Form(),
    threads: int = 1,
) -> tuple[Sector, ...]:
    """Bring blocks into the form in which they are swept.

    Parameters
    ----------
    reading : Reading
    stored : sequence of int
        Their numbers, ascending.
    layout : Layout
        Of all products of the table.
    form : Form
    threads : int
        How many blocks are brought into form at a time, `FORMERS` at most: those are held twice,
        and so is what is read ahead.
    """
    threads = min(threads, FORMERS)
    files = {number: reading.whole(number) for number in stored}

    def sectors(number: int) -> list[Sector]:
        numbers = layout.pieces(number)
        orders = [layout.products_of(piece) for piece in numbers]
        streamed = reading.again(number) if len(numbers) == 1 else None
        with rooms.visit(files[number]) as block:
            return [
                _sector(piece, order, form, streamed)
                for piece, order in zip(pieces(block), orders, strict=True)
            ]

    rooms = ahead(list(files.values()), threads)
    with rooms.reading(list(files.values())), ThreadPoolExecutor(threads) as pool:
        return tuple(chain.from_iterable(pool.map(sectors, stored)))


def pieces(block: Block, most: int = MOST_PRODUCTS) -> Iterator[Block]:
    """Cut a block into blocks of at most ``most`` products, in order; usually it is one already."""
    if len(block.products) <= most:
        yield block
        return
    rows = np.concatenate([block.products, block.ext])
    columns = vstack([block.own.csr(), block.orders.csr()]).tocsc()
    for start in range(0, len(block.products), most):
        part = columns[:, start : start + most].tocoo()
        yield part_of(block.products[start : start + most], rows[part.row], part.col, part.data)


def _sector(block: Block, products: Integers, form: Form, streamed: Streamed | None) -> Sector:
    """Return a block with its products in this order; its parts are held unless streamed."""
    size = len(products)
    order = np.searchsorted(block.products, products)
    own_price, ext_price = (_worth(form.price, names) for names in (block.products, block.ext))
    parts = ((block.own, own_price), (block.orders, ext_price))
    found = [_content(part, worth) for part, worth in parts]
    is_signed = any(content.is_signed for content in found)
    is_narrow = form.narrow and all(content.fits_float32 for content in found)
    inside, outside = (
        (_with_magnitudes(*part, content.content) if is_signed else content.content[:, None])[order]
        for part, content in zip(parts, found, strict=True)
    )
    frame, rows = _frame(block, order, "float32" if is_narrow else "float64", form)
    diagonal = np.empty(size)
    loading.diagonal(block.own.indptr, block.own.indices, block.own.data, diagonal)
    return Sector(
        products=products,
        frame=frame,
        parts=streamed or Held(frame.own(block.own), frame.orders(block.orders, rows=rows)),
        ext=block.ext.astype(np.uint32)[rows],
        diagonal=diagonal[order].astype(frame.numbers).astype(np.float64),
        price=own_price[order] if own_price.size else own_price,
        ext_price=ext_price[rows] if own_price.size else ext_price,
        costs_less=bool(
            (inside[:, -1] + outside[:, -1] < (own_price[order] if own_price.size else 1.0)).all()
        ),
        own_content=np.ascontiguousarray(inside),
        nonzeros=block.nonzeros,
        is_signed=is_signed,
    )


def _worth(price: Vector | None, products: Integers) -> Vector:
    """Return the prices of some products; no prices are prices of 1."""
    return np.zeros(0) if price is None else price[products]


def _frame(block: Block, order: Integers, numbers: str, form: Form) -> tuple[Frame, Lines]:
    """Return how long the rows of a block are, and the stored row of each of its orders."""
    place = np.empty(len(order), dtype=np.uint16)
    place[order] = np.arange(len(order))
    lengths = np.diff(block.own.indptr)
    if form.is_transposed:
        lengths = np.bincount(block.own.indices, minlength=len(order))
    own_ptr = np.concatenate([[0], np.cumsum(lengths[order])]).astype(np.int64)
    rows = by_length(block.orders.indptr)
    layout = lay_out(block.orders.indptr, rows)
    return Frame(own_ptr, *layout, place, numbers, form.is_transposed), rows


@dataclass(frozen=True, eq=False)
class _Content:
    """``price @ part``, and what its entries are like."""

    content: Vector
    fits_float32: bool
    is_signed: bool


def _content(part: Rows, price: Vector) -> _Content:
    """Read a part once.

    Entries fit where none is so small or large that float32 would lose more than its last bits.
    """
    content, limits = np.zeros(part.shape[1]), np.finfo(np.float32)
    least, largest, is_signed = loading.add_content(
        part.indptr, part.indices, part.data, price, False, content
    )
    fits = bool(float(limits.tiny) <= least and largest <= float(limits.max))
    return _Content(content, fits, bool(is_signed))


def _with_magnitudes(part: Rows, price: Vector, content: Vector) -> npt.NDArray[np.float64]:
    """Return ``price @ part``, and beside it ``price @ |part|``."""
    magnitudes = np.zeros_like(content)
    loading.add_content(part.indptr, part.indices, part.data, price, True, magnitudes)
    return np.stack([content, magnitudes], axis=1)


def _numbered(products: npt.NDArray[Any], positions: Integers) -> Integers:
    """Return the number of each product among the positions, which ascend; -1 if it is none."""
    number = np.minimum(np.searchsorted(positions, products), len(positions) - 1)
    return np.where(positions[number] == products, number, -1)
