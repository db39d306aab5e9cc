"""Draws: one block of a generated economy, from its random stream to its columns.

Every block draws from a counter-based stream of its own (Philox), keyed by seed, purpose and block:

    key = (seed, purpose · 2³² + block)

so what a block is made of depends on the seed alone, never on which worker draws it, or when. What
blocks must agree on (the hub products, the units of each other's products) has streams of its own,
which anybody may read again.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array

from ogas.engine.block import Block
from ogas.engine.rows import Rows
from ogas.engine.table import Integers, Vector, coefficients_from


class Purpose(IntEnum):
    """What a stream is drawn for; a purpose of its own leaves all other draws as they are."""

    RECIPES = 0
    DEMAND = 1
    HUBS = 2
    SIGNS = 3
    UNITS = 4
    IMPORTS = 5
    SHUFFLE = 6


def stream(seed: int, purpose: Purpose, block: int = 0) -> np.random.Generator:
    """Return the random stream of one block (or one island) for one purpose.

    Examples
    --------
    >>> first, again = (stream(7, Purpose.DEMAND, block=3).random() for _ in range(2))
    >>> first == again
    True
    """
    key = np.array([seed, (int(purpose) << 32) + block], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


@dataclass(frozen=True, eq=False)
class Draws:
    """Inputs as they were drawn: unsorted, the same input possibly several times.

    Attributes
    ----------
    suppliers : (d,) int64
        Position of the input in the whole table.
    users : (d,) int32
        Position of the product inside its block.
    weights : (d,) float64
        Drawn importance; `scaled` turns it into coefficients.
    """

    suppliers: Integers
    users: npt.NDArray[np.int32]
    weights: Vector

    def scaled(self, totals: Vector) -> "Draws":
        """Return the draws with each product's weights adding up to its column total."""
        sums = np.bincount(self.users, weights=self.weights, minlength=len(totals))
        factors = totals / np.where(sums > 0, sums, 1.0)
        return Draws(self.suppliers, self.users, self.weights * factors[self.users])


class Law(Protocol):
    """An economy that can be drawn one block at a time."""

    @property
    def starts(self) -> Integers:
        """Position of each block's first product, and the number of products: (m + 1,)."""
        ...

    def draw(self, block: int) -> Draws:
        """Return the coefficients of one block's products."""
        ...

    def demand(self, block: int) -> Vector:
        """Return the final demand for one block's products."""
        ...

    @property
    def expected(self) -> tuple[float, float]:
        """How many entries are drawn, and how many of them for inputs from other blocks."""
        ...


def even_starts(products: int, blocks: int) -> Integers:
    """Return where blocks begin when their sizes differ by at most one.

    Examples
    --------
    >>> even_starts(11, 3).tolist()
    [0, 3, 7, 11]
    """
    return np.arange(blocks + 1, dtype=np.int64) * products // blocks


def as_block(draws: Draws, first: int, last: int) -> Block:
    """Merge repeated inputs and split them into the block's own and what it orders.

    The block owns the products ``first .. last - 1``. Entries are rounded to float32 here, before
    anything is derived from them: the table *is* those numbers.
    """
    size = last - first
    inside = (draws.suppliers >= first) & (draws.suppliers < last)
    outside = ~inside
    own = coo_array(
        (draws.weights[inside], (draws.suppliers[inside] - first, draws.users[inside])),
        shape=(size, size),
    )
    ext, rows = np.unique(draws.suppliers[outside], return_inverse=True)
    orders = coo_array(
        (draws.weights[outside], (rows, draws.users[outside])), shape=(len(ext), size)
    )
    return Block(np.arange(first, last), _rounded(own), ext, _rounded(orders))


def _rounded(part: coo_array) -> Rows:
    rows = Rows.of(coefficients_from(part))
    return replace(rows, data=rows.data.astype(np.float32).astype(np.float64))


def column_totals(block: Block) -> Vector:
    """Return the sum of each column of a block, own and ordered inputs together."""
    totals = np.zeros(len(block.products))
    for part in (block.own, block.orders):
        totals += np.bincount(part.indices, weights=part.data, minlength=len(totals))
    return totals
