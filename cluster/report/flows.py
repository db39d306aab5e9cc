"""What flows between products in a year, in value, put together while every block is read once.

    Z[g, h] = Σ p_i A[i, j] x_j     over products i of group g and j of group h

``p_i x_i`` is what the output of a product is worth, so that Z 1 + F = X: what groups supply to
each other and to final demand is what they make. What is held at a time is one block and some
millions of flows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ogas.engine.block import Block
from ogas.engine.rows import Rows
from ogas.engine.table import Integers, Vector

AT_A_TIME = 2_000_000  # flows
MOST_LINKS = 8  # that are kept of a product, on either side


def summed(labels: Integers, amounts: Vector, count: int) -> Vector:
    """Return what amounts add up to in every group, (count,)."""
    sums: Vector = np.bincount(labels, amounts, count).astype(np.float64, copy=False)
    return sums


@dataclass(frozen=True, eq=False)
class Flows:
    """An input-output table between groups, in value.

    Attributes
    ----------
    supplies : (m, m) float64
        What group g supplies to group h.
    output, demand : (m,) float64
        What all products of a group are worth, and what goes to final demand; negative where more
        of it is imported than final users take.
    """

    supplies: Vector
    output: Vector
    demand: Vector

    def __len__(self) -> int:
        return len(self.output)

    def merged(self, labels: Integers, count: int) -> "Flows":
        """Return the table between groups of these groups."""
        pairs = (labels[:, None] * count + labels).ravel()
        supplies = summed(pairs, self.supplies.ravel(), count * count)
        return Flows(
            supplies.reshape(count, count),
            summed(labels, self.output, count),
            summed(labels, self.demand, count),
        )


@dataclass(frozen=True, eq=False)
class Largest:
    """The largest flows of some products, `MOST_LINKS` of each.

    Attributes
    ----------
    owner, other : (k,) int64
        The number of the product among those that are asked for; where the other one stands in the
        table.
    value : (k,) float64
    """

    owner: Integers
    other: Integers
    value: Vector

    def beside(self, owner: Integers, other: Integers, value: Vector) -> "Largest":
        """Take note of more; owners below 0 were not asked for."""
        asked = np.flatnonzero((owner >= 0) & (value != 0))
        if self.owner.size:  # most flows are smaller than what is kept already
            floor = self._floor(int(owner.max(initial=0)) + 1)
            asked = asked[np.abs(value[asked]) >= floor[owner[asked]]]
        if not asked.size:
            return self
        owner = np.concatenate([self.owner, owner[asked]])
        other = np.concatenate([self.other, other[asked]])
        value = np.concatenate([self.value, value[asked]])
        order = np.lexsort((other, -np.abs(value), owner))
        owner = owner[order]
        rank = np.arange(len(owner)) - np.searchsorted(owner, owner, side="left")
        kept = rank < MOST_LINKS
        return Largest(owner[kept], other[order][kept], value[order][kept])

    def _floor(self, count: int) -> Vector:
        """Return the least flow kept of every product; 0 where there is room for more."""
        kept = np.bincount(self.owner, minlength=count)
        last = np.cumsum(kept) - 1
        full = kept == MOST_LINKS
        floor = np.zeros(len(kept))
        floor[full] = np.abs(self.value[last[full]])
        return floor

    def of(self, owner: int) -> list[tuple[int, float]]:
        """Return the other ends and values of one product, the largest first."""
        first, last = np.searchsorted(self.owner, [owner, owner + 1]).tolist()
        return list(
            zip(self.other[first:last].tolist(), self.value[first:last].tolist(), strict=True)
        )


NONE = Largest(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


@dataclass(frozen=True, eq=False)
class Measured:
    """How much there is of every product.

    Attributes
    ----------
    output, price : (n,) float64
    demand : (n,) float64
    """

    output: Vector
    price: Vector
    demand: Vector


def read_once(
    blocks: Iterable[Block], measure: Measured, labels: Integers, asked: Integers
) -> tuple[Flows, Largest, Largest]:
    """Return the flows between groups, and the largest inputs and uses of some products.

    Parameters
    ----------
    blocks : iterable of Block
    measure : Measured
    labels : (n,) int64
        The group of every product.
    asked : (k,) int64
        Products whose own flows are wanted.
    """
    n, m = len(labels), int(labels.max()) + 1
    place = np.full(n, -1)
    place[asked] = np.arange(len(asked))
    supplies = np.zeros(m * m)
    inputs = uses = NONE
    for block in blocks:
        for suppliers, users, value in _flows(block, measure):
            supplies += summed(labels[suppliers] * m + labels[users], value, m * m)
            inputs = inputs.beside(place[users], suppliers, value)
            uses = uses.beside(place[suppliers], users, value)
    worth, wanted = measure.price * measure.output, measure.price * measure.demand
    flows = Flows(supplies.reshape(m, m), summed(labels, worth, m), summed(labels, wanted, m))
    return flows, inputs, uses


def _flows(block: Block, measure: Measured) -> Iterator[tuple[Integers, Integers, Vector]]:
    """Yield suppliers, users and values of a block's flows, some millions at a time."""
    for names, part in ((block.products, block.own), (block.ext, block.orders)):
        for first, last in _slices(part):
            start, end = part.indptr[first], part.indptr[last]
            suppliers = np.repeat(names[first:last], np.diff(part.indptr[first : last + 1]))
            users = block.products[part.indices[start:end]]
            amounts = part.data[start:end] * measure.output[users]
            yield suppliers, users, amounts * measure.price[suppliers]


def _slices(part: Rows) -> Iterator[tuple[int, int]]:
    """Yield first and last rows of some millions of entries."""
    rows = len(part.indptr) - 1
    first = 0
    while first < rows:
        most = part.indptr[first] + AT_A_TIME
        last = max(int(np.searchsorted(part.indptr, most, side="right")) - 1, first + 1)
        yield first, last
        first = last
