"""The blocks of a table in the form in which they are swept.

    J's part of A          in memory                         bytes per nonzero
    own = A[J, J]          CSR, 16-bit columns               6 with float32 entries, 10 with float64
    orders = A[ext, J]     rows sorted by length, in slices  the same

Row k of a block's orders belongs to the product ``ext[k]`` of another block: what J orders goes up
to it, what it is worth comes down from it.

For values the same blocks serve the transposed balance: ``own`` is transposed once, while the
blocks are made, and ``orders`` is read the other way.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from ogas.engine.block import Block, part_of
from ogas.engine.layout import MOST_PRODUCTS, Layout
from ogas.engine.table import Integers, Vector
from ogas.kernels.slices import copy_rows, slice_rows

LANES = 16
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
    ext : (e,) int64
        Positions, in the table's order, of the products it takes from others; by the rows of
        ``orders``.
    diagonal : (b,) float64
    price, ext_price : (b,), (e,) float64
        p, the prices known, or 1: of its products, and of those it takes from others.
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
    ext: Integers
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
    blocks: Iterable[Block], stored: Sequence[int], layout: Layout, form: Form = Form()
) -> tuple[Sector, ...]:
    """Bring blocks into the form in which they are swept, each while the next is being read.

    Parameters
    ----------
    blocks : iterable of Block
        Stored blocks; those that are too large are cut.
    stored : sequence of int
        Their numbers, ascending.
    layout : Layout
        Of all products of the table.
    form : Form
    """
    price = np.ones(len(layout)) if form.price is None else form.price

    def sectors(block: Block, number: int) -> list[Sector]:
        orders = [layout.products_of(piece) for piece in layout.pieces(number)]
        return [
            _sector(piece, order, price, form)
            for piece, order in zip(pieces(block), orders, strict=True)
        ]

    made: list[Sector] = []
    with ThreadPoolExecutor(1) as pool:  # two are held as they are stored
        earlier: Future[list[Sector]] | None = None
        for block, number in zip(blocks, stored, strict=True):
            if earlier is not None:
                made += earlier.result()
            earlier = pool.submit(sectors, block, number)
        if earlier is not None:
            made += earlier.result()
    return tuple(made)


def pieces(block: Block, most: int = MOST_PRODUCTS) -> Iterator[Block]:
    """Cut a block into blocks of at most ``most`` products, in order; usually it is one already."""
    if len(block.products) <= most:
        yield block
        return
    rows = np.concatenate([block.products, block.ext])
    columns = vstack([block.own, block.orders]).tocsc()
    for start in range(0, len(block.products), most):
        part = columns[:, start : start + most].tocoo()
        yield part_of(block.products[start : start + most], rows[part.row], part.col, part.data)


def _sector(block: Block, products: Integers, price: Vector, form: Form) -> Sector:
    """Return a block with its products in this order."""
    own, orders = block.own, block.orders
    numbers = np.float32 if form.narrow and _fits_float32(own, orders) else np.float64
    is_signed = bool((own.data < 0).any() or (orders.data < 0).any())
    size = len(products)
    order = np.searchsorted(block.products, products)
    place = np.empty(size, dtype=np.uint16)
    place[order] = np.arange(size)
    own_price, ext_price = price[block.products], price[block.ext]
    inside = _content(own, own_price, is_signed=is_signed)[order]
    outside = _content(orders, ext_price, is_signed=is_signed)[order]
    rows, hub_ptr, slice_ptr, places, entries = slice_rows(*_compact(orders, place, numbers))
    square = own.T.tocsr() if form.is_transposed else own
    return Sector(
        products=products,
        own=_by_rows(order, *_compact(square, place, numbers)),
        orders=Orders(hub_ptr, slice_ptr, places, entries),
        ext=block.ext[rows],
        diagonal=own.diagonal()[order].astype(numbers).astype(np.float64),
        price=own_price[order],
        ext_price=ext_price[rows],
        content=inside[:, -1] + outside[:, -1],
        own_content=inside,
        nonzeros=block.nonzeros,
        is_signed=is_signed,
    )


def _compact(
    part: csr_array, place: npt.NDArray[np.uint16], numbers: type
) -> tuple[Integers, npt.NDArray[np.uint16], Values]:
    """Return a CSR matrix with its columns at their places, in the narrow types."""
    indptr = part.indptr.astype(np.int64, copy=False)
    columns = place[part.indices] if place.size else part.indices.astype(np.uint16)
    return indptr, columns, part.data.astype(numbers)


def _by_rows(
    order: Integers, indptr: Integers, columns: npt.NDArray[np.uint16], values: Values
) -> Own:
    """Return the matrix with its rows in another order."""
    lengths = np.diff(indptr)[order]
    moved = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    places, entries = np.empty_like(columns), np.empty_like(values)
    copy_rows(indptr, columns, values, order, moved[:-1], np.ones_like(order), places, entries)
    return Own(moved, places, entries)


def _fits_float32(*parts: csr_array) -> bool:
    """Whether no entry is so small or large that float32 would lose more than its last bits."""
    limits = np.finfo(np.float32)
    magnitudes = [np.abs(part.data) for part in parts if part.nnz]
    return all(
        bool((found >= limits.tiny).all() and (found <= limits.max).all()) for found in magnitudes
    )


def _content(part: csr_array, price: Vector, *, is_signed: bool) -> npt.NDArray[np.float64]:
    """Return ``price @ part``, and beside it ``price @ |part|`` where entries are negative."""
    weighed = part.data * np.repeat(price, np.diff(part.indptr))
    found = [np.bincount(part.indices, weighed, minlength=part.shape[1])]
    if is_signed:
        found.append(np.bincount(part.indices, np.abs(weighed), minlength=part.shape[1]))
    return np.ascontiguousarray(np.stack(found, axis=1), dtype=np.float64)


def _numbered(products: Integers, positions: Integers) -> Integers:
    """Return the number of each product among the positions, which ascend; -1 if it is none."""
    number = np.minimum(np.searchsorted(positions, products), len(positions) - 1)
    return np.where(positions[number] == products, number, -1)
