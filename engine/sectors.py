"""The blocks of a table in the form in which they are swept.

    J's part of A          in memory                         bytes per nonzero
    own = A[J, J]          CSR, 16-bit columns               6 with float32 entries, 10 with float64
    orders = A[ext, J]     rows sorted by length, in slices  the same

Row k of a block's orders belongs to the product ``ext[k]`` of another block: what J orders goes up
to it, what it is worth comes down from it.

For values the same blocks serve the transposed balance: ``own`` is transposed once, while the
blocks are made, and ``orders`` is read the other way.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import vstack

from ogas.engine.block import Block, part_of
from ogas.engine.layout import MOST_PRODUCTS, Layout
from ogas.engine.rows import Rows
from ogas.engine.table import Integers, Vector
from ogas.kernels import loading
from ogas.kernels.slices import copy_rows, slice_rows

LANES = 16
READERS = 4
Values = npt.NDArray[np.float32] | npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Own:
    """A square CSR matrix with 16-bit columns; entry ``values[k]`` of row i: product i's user."""

    indptr: Integers
    columns: npt.NDArray[np.uint16]
    values: Values

    @property
    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """``indptr, columns, values``, as kernels take them."""
        return self.indptr, self.columns, self.values

    @property
    def density(self) -> float:
        """The share of places with an entry."""
        return len(self.values) / max((len(self.indptr) - 1) ** 2, 1)

    def dense(self) -> npt.NDArray[np.float32] | npt.NDArray[np.float64]:
        """Return the matrix with every entry in its place."""
        size = len(self.indptr) - 1
        matrix = np.zeros((size, size), self.values.dtype)
        matrix[np.repeat(np.arange(size), np.diff(self.indptr)), self.columns] = self.values
        return matrix


@dataclass(frozen=True, eq=False)
class Orders:
    """The rows of what a block takes from others: the longest as CSR, the rest in slices of 16."""

    hub_ptr: Integers
    slice_ptr: Integers
    columns: npt.NDArray[np.uint16]
    values: Values

    @property
    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """``hub_ptr, slice_ptr, columns, values``, as kernels take them."""
        return self.hub_ptr, self.slice_ptr, self.columns, self.values

    @property
    def rows(self) -> int:
        """Rows with the padding to whole slices."""
        return len(self.hub_ptr) - 1 + LANES * (len(self.slice_ptr) - 1)

    def column_lengths(self, columns: int) -> Integers:
        """Return the entries of every column."""
        return np.bincount(self.columns[self.values != 0], minlength=columns)

    @property
    def entry_rows(self) -> Integers:
        """The row of every entry, padding included."""
        hubs = len(self.hub_ptr) - 1
        in_hubs = np.repeat(np.arange(hubs), np.diff(self.hub_ptr))
        steps = np.diff(self.slice_ptr) // LANES
        first = np.repeat(hubs + LANES * np.arange(len(steps)), steps)
        return np.concatenate([in_hubs, (first[:, None] + np.arange(LANES)).ravel()])


@dataclass(frozen=True, eq=False)
class Sector:
    """One block, ready to be swept.

    Attributes
    ----------
    products : (b,) int64
        Positions in the table's order; in the order of sweeps, where that is known.
    own : Own
        ``A[J, J]`` for quantities, its transpose for values.
    orders : Orders
        ``A[ext, J]``.
    ext : (e,) uint32
        Positions, in the table's order, of the products it takes from others; by the rows of
        ``orders``.
    diagonal : (b,) float64
    price, ext_price : (b,), (e,) float64
        p, the prices known: of its products, and of those it takes from others. Where none are,
        the first are 1, and the second empty.
    content : (b,) float64
        ``p A``, what the inputs of one unit cost.
    own_content : (b, 1) or (b, 2) float64
        The part of it that is from the block itself; beside it the same of magnitudes, where
        entries are negative.
    nonzeros : int
    is_signed : bool
    """

    products: Integers
    own: Own
    orders: Orders
    ext: npt.NDArray[np.uint32]
    diagonal: Vector
    price: Vector
    ext_price: Vector
    content: Vector
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
            own_nonzeros=int(self.own.indptr[-1]),
            ext=len(self.ext),
            is_signed=self.is_signed,
            is_narrow=self.own.values.dtype == np.float32,
            costs_less=bool((self.content < self.price).all()),
            feeds_on_itself=bool((self.diagonal >= 1.0).any()),
        )

    def users(self, positions: Integers, *, is_transposed: bool) -> npt.NDArray[np.int64]:
        """Return the block's part of some rows of A (of its transpose for values), as (2, k) pairs.

        Number of the row among ``positions``, which ascend, and position of the user.
        """
        own, orders = self.own, self.orders
        mine, taken = _numbered(self.products, positions), _numbered(self.ext, positions)
        rows = np.repeat(mine, np.diff(own.indptr))
        inside = np.stack([rows, self.products[own.columns]])[:, rows >= 0]
        lines = orders.entry_rows
        padding = np.zeros(orders.rows - len(self.ext), np.int64)
        ext = np.append(self.ext, padding)
        if is_transposed:
            row, column = mine[orders.columns], ext[lines]
        else:
            row, column = np.append(taken, padding)[lines], self.products[orders.columns]
        outside = np.stack([row, column])[:, (row >= 0) & (orders.values != 0)]
        return np.concatenate([inside, outside], axis=1)


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


def arrange(
    read: Callable[[int], Block],
    stored: Sequence[int],
    layout: Layout,
    form: Form = Form(),
    threads: int = 1,
) -> tuple[Sector, ...]:
    """Bring blocks into the form in which they are swept.

    Parameters
    ----------
    read : callable
        Returns a stored block by its number; those that are too large are cut.
    stored : sequence of int
        Their numbers, ascending.
    layout : Layout
        Of all products of the table.
    form : Form
    threads : int
        How many blocks are read at a time, `READERS` at most: those are held twice.
    """
    price = np.ones(len(layout)) if form.price is None else form.price

    def sectors(number: int) -> list[Sector]:
        orders = [layout.products_of(piece) for piece in layout.pieces(number)]
        return [
            _sector(piece, order, price, form)
            for piece, order in zip(pieces(read(number)), orders, strict=True)
        ]

    with ThreadPoolExecutor(min(threads, READERS)) as pool:
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


def _sector(block: Block, products: Integers, price: Vector, form: Form) -> Sector:
    """Return a block with its products in this order."""
    size = len(products)
    order = np.searchsorted(block.products, products)
    place = np.empty(size, dtype=np.uint16)
    place[order] = np.arange(size)
    own_price, ext_price = price[block.products], price[block.ext]
    parts = ((block.own, own_price), (block.orders, ext_price))
    found = [_content(part, worth) for part, worth in parts]
    is_signed = any(content.is_signed for content in found)
    is_narrow = form.narrow and all(content.fits_float32 for content in found)
    numbers = np.float32 if is_narrow else np.float64
    inside, outside = (
        (_with_magnitudes(*part, content.content) if is_signed else content.content[:, None])[order]
        for part, content in zip(parts, found, strict=True)
    )
    own, orders = (_as_wide_as(part, numbers) for part in (block.own, block.orders))
    rows, *layout = slice_rows(orders.indptr, orders.indices, orders.data, place, numbers)
    diagonal = np.empty(size)
    loading.diagonal(own.indptr, own.indices, own.data, diagonal)
    return Sector(
        products=products,
        own=_by_rows(_transposed(own) if form.is_transposed else own, order, place, numbers),
        orders=Orders(*layout),
        ext=block.ext[rows].astype(np.uint32),
        diagonal=diagonal[order].astype(numbers).astype(np.float64),
        price=own_price[order],
        ext_price=np.zeros(0) if form.price is None else ext_price[rows],
        content=inside[:, -1] + outside[:, -1],
        own_content=np.ascontiguousarray(inside),
        nonzeros=block.nonzeros,
        is_signed=is_signed,
    )


def _by_rows(part: Rows, order: Integers, place: npt.NDArray[np.uint16], numbers: type) -> Own:
    """Return a matrix with rows and columns in another order, in the narrow types."""
    lengths = np.diff(part.indptr)[order]
    moved = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    places = np.empty(part.nnz, np.uint16)
    entries: Values = np.empty(part.nnz, numbers)
    copy_rows(
        *(part.indptr, part.indices, part.data),
        *(order, moved[:-1], np.ones_like(order), place, places, entries),
    )
    return Own(moved, places, entries)


def _transposed(part: Rows) -> Rows:
    height, width = part.shape
    indptr = np.zeros(width + 1, dtype=np.int64)
    np.cumsum(np.bincount(part.indices, minlength=width), out=indptr[1:])
    indices, data = np.empty_like(part.indices), np.empty_like(part.data)
    loading.transpose(part.indptr, part.indices, part.data, indptr[:-1].copy(), indices, data)
    return Rows((width, height), indptr, indices, data)


def _as_wide_as(part: Rows, numbers: type) -> Rows:
    """Return the matrix with values that are no narrower than those wanted."""
    wide = np.result_type(part.data.dtype, numbers)
    return replace(part, data=part.data.astype(wide, copy=False))


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
