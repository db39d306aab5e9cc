"""The blocks of a table in the form in which they are swept, and what ties them together.

    J's part of A          in memory                         bytes per nonzero
    own = A[J, J]          CSR, 16-bit columns               6 with float32 entries, 10 with float64
    orders = A[ext, J]     rows sorted by length, in slices  the same

Products are numbered block by block (a *slot* each), so that a block's vectors are slices of the
economy's. Row k of a block's orders belongs to the slot ``ext[k]`` of another block: what J orders
goes up to it, what it is worth comes down from it.

For values the same blocks serve the transposed balance: ``own`` is transposed once, while the
blocks are made, and ``orders`` is read the other way.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from ogas.engine.block import Block, part_of
from ogas.engine.mail import Mail, routes
from ogas.engine.table import Integers, Vector
from ogas.kernels.slices import copy_rows, slice_rows

MOST_PRODUCTS = 2**16  # that 16-bit columns can name
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


@dataclass(frozen=True, eq=False)
class Sectors:
    """All blocks of a table; see the head of this page.

    Attributes
    ----------
    blocks : tuple of Sector
    is_transposed : bool
        For values.
    bounds : (m + 1,) int64
        Block J has the slots ``bounds[J] .. bounds[J + 1]``.
    products : (n,) int64
        The position in the table's order of every slot.
    slots : (n,) int64
        The slot of every position.
    owners : (n,) int32
        The block of every slot.
    mails : tuple of Mail
        What crosses between blocks.
    """

    blocks: tuple[Sector, ...]
    is_transposed: bool
    bounds: Integers
    products: Integers
    slots: Integers
    owners: npt.NDArray[np.int32]
    mails: tuple[Mail, ...]

    def __len__(self) -> int:
        return len(self.products)

    @property
    def nonzeros(self) -> int:
        """Stored entries of A."""
        return sum(block.nonzeros for block in self.blocks)

    @property
    def is_signed(self) -> bool:
        """Whether any entry is negative."""
        return any(block.is_signed for block in self.blocks)

    @property
    def is_narrow(self) -> bool:
        """Whether all entries are held in float32; those of some blocks may not fit."""
        return all(block.own.values.dtype == np.float32 for block in self.blocks)

    def rows(self, positions: Integers) -> csr_array:
        """Return rows of the balance's matrix (A, or its transpose for values): who uses what.

        In the table's order; entries are 1. Reads little of A for quantities, all for values.
        """
        number = np.full(len(self), -1)
        number[self.slots[positions]] = np.arange(len(positions))
        found: list[tuple[Integers, Integers]] = []
        for J, block in enumerate(self.blocks):
            span, orders = self.span(J), block.orders
            mine, own = number[span], block.own
            rows = np.repeat(mine, np.diff(own.indptr))
            found.append((rows[rows >= 0], block.products[own.columns[rows >= 0]]))
            made = block.products[orders.columns]
            taken = np.append(block.ext, np.zeros(LANES, np.int64))[orders.entry_rows]
            row, column = (made, taken) if self.is_transposed else (taken, made)
            wanted = number[self.slots[row]]
            keep = (wanted >= 0) & (orders.values != 0)
            found.append((wanted[keep], column[keep]))
        rows, columns = (np.concatenate(part) for part in zip(*found, strict=True))
        shape = (len(positions), len(self))
        return csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)

    @property
    def recipes_cost_less(self) -> bool:
        """Whether all inputs of a unit cost less than the unit, at the prices known."""
        return all(bool((block.content < block.price).all()) for block in self.blocks)

    def span(self, number: int) -> slice:
        """Return the slots of one block."""
        return slice(int(self.bounds[number]), int(self.bounds[number + 1]))


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
    rank : (n,) float64 or None
        The place of every product between final goods (least) and raw materials. Products of a
        block are then stored in the order in which they are swept.
    """

    is_transposed: bool = False
    narrow: bool = False
    price: Vector | None = None
    rank: Vector | None = None


def arrange(
    blocks: Iterable[Block],
    n: int,
    form: Form = Form(),
) -> Sectors:
    """Bring blocks into the form in which they are swept, each while the next is being read.

    Parameters
    ----------
    blocks : iterable of Block
        All blocks of a table of n products; those that are too large are cut.
    form : Form
    """
    price = np.ones(n) if form.price is None else form.price
    made = list(_arranged(blocks, price, form))
    sizes = [len(sector) for sector in made]
    products = np.concatenate([sector.products for sector in made])
    slots = np.empty(n, dtype=np.int64)
    slots[products] = np.arange(n)
    owners = np.repeat(np.arange(len(made), dtype=np.int32), sizes)
    bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    ext = [slots[sector.ext] for sector in made]
    mails = routes(ext, [sector.orders.rows for sector in made], bounds, owners)
    return Sectors(tuple(made), form.is_transposed, bounds, products, slots, owners, mails)


def _arranged(blocks: Iterable[Block], price: Vector, form: Form) -> Iterator[Sector]:
    """Arrange a block in a thread while the next is read: two are held as they are stored."""

    def sectors(block: Block) -> list[Sector]:
        return [_sector(piece, price, form) for piece in pieces(block)]

    with ThreadPoolExecutor(1) as pool:
        earlier: Future[list[Sector]] | None = None
        for block in blocks:
            if earlier is not None:
                yield from earlier.result()
            earlier = pool.submit(sectors, block)
        if earlier is not None:
            yield from earlier.result()


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


def _sector(block: Block, price: Vector, form: Form) -> Sector:
    own, orders = block.own, block.orders
    numbers = np.float32 if form.narrow and _fits_float32(own, orders) else np.float64
    is_signed = bool((own.data < 0).any() or (orders.data < 0).any())
    size = len(block.products)
    order = np.arange(size)
    if form.rank is not None:
        rank = form.rank[block.products] * (-1.0 if form.is_transposed else 1.0)
        order = np.argsort(rank, kind="stable")
    place = np.empty(size, dtype=np.uint16)
    place[order] = np.arange(size)
    own_price, ext_price = price[block.products], price[block.ext]
    inside = _content(own, own_price, is_signed=is_signed)[order]
    outside = _content(orders, ext_price, is_signed=is_signed)[order]
    rows, hub_ptr, slice_ptr, places, entries = slice_rows(*_compact(orders, place, numbers))
    square = own.T.tocsr() if form.is_transposed else own
    return Sector(
        products=block.products[order],
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
