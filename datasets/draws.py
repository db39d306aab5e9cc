"""Draws: one block of a generated economy, from its random stream to its columns.

Every block draws from a counter-based stream of its own (Philox), keyed by seed, purpose and block:

    key = (seed, purpose · 2³² + block)

so what a block is made of depends on the seed alone, never on which worker draws it, or when. What
blocks must agree on (the hub products, the units of each other's products) has streams of its own,
which anybody may read again. The inputs themselves, billions of them, are made from keys that the
block's stream gives (`ogas.kernels.numbers`), with the same bits on every machine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from ogas.datasets.stored_block import index_type
from ogas.engine.block import Block
from ogas.engine.rows import Rows
from ogas.engine.table import Integers, Vector
from ogas.kernels.loading import add_content
from ogas.kernels.numbers import CELLS, OCTAVES, fill_alias
from ogas.kernels.sorting import count, mark, merge, number, pile, rank

DRAWING = 1  # the next number when the same recipe draws another table
PILES = 8  # 2^PILES piles: more do not stay in the first cache
SPARE = 16  # a sixteenth more than was asked for, so that the next block fits as well


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
    """Inputs as they were drawn, column by column: unsorted, the same input possibly several times.

    Attributes
    ----------
    starts : (b + 1,) int64
        Where the draws of each product begin; the last is their number, d.
    inner : (b,) int64
        Where those from the own block end, and those from others begin.
    suppliers : (d,) uint32
        Position of the input: in the block if from there, else in the table.
    weights : (d,) float32
        Coefficients.
    adds : bool
        Whether draws of the same input add up; if not, the first one counts.
    """

    starts: Integers
    inner: Integers
    suppliers: npt.NDArray[np.uint32]
    weights: npt.NDArray[np.float32]
    adds: bool = True


class Desk:
    """Memory in which blocks are drawn one after the other.

    The first touch of memory takes longer than drawing what is written there, so each worker keeps
    its own. What lies on a desk holds until the next block is drawn there.
    """

    def __init__(self) -> None:
        self._held: dict[str, npt.NDArray[Any]] = {}

    def array(self, name: str, length: int, kind: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return the array of this name, with so many elements of any value."""
        if name not in self._held or len(self._held[name]) < length:
            self._held.pop(name, None)
            self._held[name] = np.empty(length + length // SPARE, dtype=kind)
        return self._held[name][:length]


class Law(Protocol):
    """An economy that can be drawn one block at a time."""

    @property
    def starts(self) -> Integers:
        """Position of each block's first product, and the number of products: (m + 1,)."""
        ...

    def draw(self, block: int, desk: Desk) -> Draws:
        """Return the coefficients of one block's products, repeated inputs not yet merged."""
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


def quantiles(
    below: Callable[[Vector], Vector], above: Callable[[Vector], Vector]
) -> npt.NDArray[np.float32]:
    """Return the table from which `ogas.kernels.numbers.quantile` draws, (2, cells + 1).

    ``below`` maps probabilities p up to 1/2 to the quantiles of p, ``above`` to those of 1 - p. The
    bounds of cells are whole multiples of 2⁻³³. Rounding to float32 hides the last bits, in which
    libraries of mathematical functions differ.
    """
    bounds = np.ldexp(1 + np.arange(CELLS) / CELLS, np.arange(OCTAVES)[:, None]).ravel()
    p = np.ldexp(np.append(bounds, 2.0**OCTAVES), -OCTAVES - 1)
    return np.array([below(p), above(p)], dtype=np.float32)


def lognormal(sigma: float) -> npt.NDArray[np.float32]:
    """Return the quantiles of lognormal(0, sigma): right to 7e-5 of each for sigma 1.5."""
    return quantiles(lambda p: np.exp(sigma * ndtri(p)), lambda p: np.exp(-sigma * ndtri(p)))


def alias_table(weights: Vector) -> npt.NDArray[np.uint64]:
    """Return the table from which `ogas.kernels.numbers.pick` draws in proportion to weights."""
    table = np.empty(len(weights), dtype=np.uint64)
    fill_alias(weights.copy(), table)
    return table


def as_block(draws: Draws, first: int, last: int, products: int, desk: Desk) -> Block:
    """Merge repeated inputs and split them into the block's own and what it orders.

    The block owns the products ``first .. last - 1`` of so many in the table, and lies on the desk.
    The draws are used up: their suppliers become rows. Entries are float32 numbers: the table *is*
    those numbers.
    """
    size, ends = last - first, draws.starts[1:]
    marks = desk.array("marks", -(-products // 64), np.uint64)
    marks.fill(0)
    ext = desk.array("ext", mark(draws.inner, ends, draws.suppliers, marks), np.int64)
    before = desk.array("before", len(marks), np.uint32)
    rank(marks, before, ext)
    number(draws.inner, ends, marks, before, draws.suppliers)
    own = _part(draws, "own", size, desk)
    return Block(np.arange(first, last), own, ext, _part(draws, "orders", len(ext), desk))


def _part(draws: Draws, name: str, rows: int, desk: Desk) -> Rows:
    """Return what a block takes from itself, or orders, as rows; repeated draws merged."""
    begins, ends = draws.starts[:-1], draws.inner
    if name == "orders":
        begins, ends = draws.inner, draws.starts[1:]
    bounds = np.zeros(rows + 1, dtype=np.int64)
    count(begins, ends, draws.suppliers, bounds[1:])
    np.cumsum(bounds, out=bounds)
    size, entries = len(begins), int(bounds[-1])
    shift = min(max(0, (rows - 1).bit_length() - PILES), 16)
    free = bounds[: -1 : 1 << shift].copy()
    places = desk.array("places", entries, np.uint16)
    piled = desk.array("piled", entries, np.uint64)
    weights = draws.weights.view(np.uint32)
    pile(begins, ends, draws.suppliers, weights, np.uint64(shift), free, places, piled)
    work = (
        np.empty(1 << shift, dtype=np.int64),
        np.empty(np.diff(free, prepend=0).max(initial=0), dtype=np.uint64),
    )
    indptr = desk.array(f"{name}/indptr", rows + 1, np.int64)
    columns = desk.array(f"{name}/columns", entries, index_type(size))
    values = desk.array(f"{name}/values", entries, np.float32)
    given = (bounds, np.uint64(shift), places, piled, draws.adds)
    entries = merge(*given, *work, indptr, columns, values)
    return Rows((rows, size), indptr, columns[:entries], values[:entries])


def column_totals(block: Block) -> Vector:
    """Return the sum of each column of a block, own and ordered inputs together."""
    totals = np.zeros(len(block.products))
    for part in (block.own, block.orders):
        add_content(part.indptr, part.indices, part.data, np.zeros(0), False, totals)
    return totals
