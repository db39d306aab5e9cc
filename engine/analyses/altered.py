"""Tables with other coefficients in the same places, block by block, and sums over coefficients."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ogas.engine.block import Block, part_of
from ogas.engine.editing import Entries, entries_of
from ogas.engine.interval import Interval
from ogas.engine.source import InMemory, Source
from ogas.engine.table import Integers, Vector
from ogas.kernels.reference import EPSILON


def altered(source: Source, change: Callable[[Entries], Vector]) -> Source:
    """Return a table whose coefficients are what ``change`` makes of them; zeros vanish.

    Nothing is computed before a block is read.
    """

    def block(number: int) -> Block:
        old = source.block(number)
        entries = entries_of(old)
        data = change(entries)
        kept = data != 0
        users = np.searchsorted(old.products, entries.users[kept])
        return part_of(old.products, entries.rows[kept], users, data[kept])

    header = replace(source.header, value_type="float64")  # float32 may not hold them
    return replace(source, header=header, whole=lambda number: InMemory(block(number)), files=None)


def without(source: Source, products: Integers) -> Source:
    """Return a table in which some products neither use anything nor are used."""
    gone = np.zeros(len(source), dtype=bool)
    gone[products] = True
    return altered(
        source, lambda entries: np.where(gone[entries.rows] | gone[entries.users], 0, entries.data)
    )


def scaled(source: Source, factor: float) -> Source:
    """Return a table with every coefficient times a number; each is rounded once."""
    return altered(source, lambda entries: factor * entries.data)


def has_negatives(source: Source) -> bool:
    """Whether any coefficient is negative."""
    return any(
        bool((part.data < 0).any())
        for block in source.blocks()
        for part in (block.own, block.orders)
    )


def input_costs(source: Source, prices: Vector) -> Interval:
    """Return ``A' p``: what the inputs of a unit of every product cost. One read of A."""
    known = Interval.exactly(prices)
    return _summed(source, known, lambda entries: (entries.users, entries.rows))


def uses(source: Source, output: Interval) -> Interval:
    """Return ``A x``: what all products use of every product. One read of A."""
    return _summed(source, output, lambda entries: (entries.rows, entries.users))


def _summed(
    source: Source, given: Interval, ends: Callable[[Entries], tuple[Integers, Integers]]
) -> Interval:
    """Add up every coefficient times a number, with what the number's bounds and rounding allow.

    ``ends`` returns to which product each coefficient is added, and whose number it takes.
    """
    n = len(source)
    sums, sizes, spread, counts = np.zeros((4, n))
    for block in source.blocks():
        entries = entries_of(block)
        to, of = ends(entries)
        terms = entries.data * given.middle[of]
        sums += np.bincount(to, weights=terms, minlength=n)
        sizes += np.bincount(to, weights=np.abs(terms), minlength=n)
        spread += np.bincount(to, weights=np.abs(entries.data) * given.radius[of], minlength=n)
        counts += np.bincount(to, minlength=n)
    # One rounding for every product, one for every sum, and one for every block.
    rounding = EPSILON * (counts + len(source.sizes) + 2.0)
    return Interval(sums, spread * (1.0 + rounding) + rounding * sizes)
