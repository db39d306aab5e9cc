"""Blocks: products that belong together, and the recipes they own.

A block owns its **columns**. Cut by blocks, the coefficients of three blocks look like this; block
J holds `own` (the square on the diagonal) and `orders` (the rest of its columns, empty rows
dropped):

        I     J     K
    I [ own | ordJ | ordK ]        own    = A[J, J]
    J [ ordI| own  | ordK ]        orders = A[ext, J],   ext = the products J takes from others
    K [ ordI| ordJ | own  ]

Recipes never leave their block; only what it orders from others does.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csc_array, csr_array

from ogas.engine.rows import Rows
from ogas.engine.table import Integers, Table, Vector, coefficients_from


@dataclass(frozen=True, eq=False)
class Block:
    """The columns of one block, split into what it makes itself and what it orders.

    Attributes
    ----------
    products : (b,) int64, ascending
        Positions of the block's products in the table's order.
    own : (b, b) Rows
        ``A[products, products]``.
    ext : (e,) int64, ascending
        Positions of the products taken from other blocks.
    orders : (e, b) Rows
        ``A[ext, products]``; no row is empty.
    """

    products: Integers
    own: Rows
    ext: Integers
    orders: Rows

    @property
    def nonzeros(self) -> int:
        """Entries of ``own`` and ``orders`` together."""
        return self.own.nnz + self.orders.nnz


def undivided(coefficients: csr_array) -> Block:
    """Return all of a table as one block, without copying it."""
    everything = np.arange(coefficients.shape[0], dtype=np.int64)
    nothing = csr_array((0, len(everything)), dtype=np.float64)
    return Block(everything, Rows.of(coefficients), everything[:0], Rows.of(nothing))


class Cut:
    """The blocks of a table in memory, by number (one block if it has none)."""

    def __init__(self, table: Table) -> None:
        self.table, self.count = table, 1
        if table.blocks is not None:
            order = np.argsort(table.blocks, kind="stable")
            ends = np.cumsum(np.bincount(table.blocks))
            self._products, self.count = np.split(order, ends[:-1]), len(ends)

    @cached_property
    def _columns(self) -> csc_array:
        return self.table.coefficients.tocsc()

    def __call__(self, number: int) -> Block:
        """Return one block."""
        if self.table.blocks is None:
            return undivided(self.table.coefficients)
        products = self._products[number]
        part = self._columns[:, products].tocoo()
        return part_of(products, part.row, part.col, part.data)

    def __iter__(self) -> Iterator[Block]:
        return map(self, range(self.count))


def part_of(products: Integers, rows: Integers, columns: Integers, data: Vector) -> Block:
    """Return the block that owns some columns of A.

    ``products`` (b,), ascending, are its positions; entry k stands at position ``rows[k]`` in
    column ``columns[k]`` of the block.
    """
    size = len(products)
    place = np.minimum(np.searchsorted(products, rows), size - 1)
    inside = products[place] == rows
    own = coo_array((data[inside], (place[inside], columns[inside])), shape=(size, size))
    ext, numbers = np.unique(rows[~inside], return_inverse=True)
    orders = coo_array((data[~inside], (numbers, columns[~inside])), shape=(len(ext), size))
    return Block(
        products.astype(np.int64),
        Rows.of(coefficients_from(own)),
        ext.astype(np.int64),
        Rows.of(coefficients_from(orders)),
    )


def assemble(blocks: Iterable[Block], n: int) -> csr_array:
    """Put the columns of all blocks back into one ``(n, n)`` matrix; the inverse of `Cut`.

    Holds the blocks and the result at a time, 24 bytes per nonzero, and SciPy's wider copy of the
    indices while it looks whether they are sorted, 8 more.
    """
    parts = [
        (names, block.products, part)
        for block in blocks
        for names, part in ((block.products, block.own), (block.ext, block.orders))
    ]
    indptr = np.zeros(n + 1, dtype=np.int64)
    for names, _, part in parts:
        indptr[names + 1] += np.diff(part.indptr)
    np.cumsum(indptr, out=indptr)
    free = indptr[:-1].copy()  # where the next entry of each row goes
    indices, data = np.empty(indptr[-1], dtype=np.int32), np.empty(indptr[-1])
    for names, columns, part in parts:
        lengths = np.diff(part.indptr)
        places = np.arange(part.nnz) + np.repeat(free[names] - part.indptr[:-1], lengths)
        indices[places] = columns[part.indices]
        data[places] = part.data
        free[names] += lengths
    matrix = csr_array((data, indices, indptr), shape=(n, n))
    if not matrix.has_sorted_indices:  # the products of a block need not be neighbours
        matrix.sort_indices()
    matrix.indptr = matrix.indptr.astype(np.int64, copy=False)
    matrix.indices = matrix.indices.astype(np.int32, copy=False)
    return matrix
