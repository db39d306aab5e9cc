"""Named cases of `sectors`: what stands in the gallery's table, and how it stretches.

A case fixes products, blocks, draws, shares and column totals; whatever is asked for replaces the
case's own value:

    inputs M    k = M / 0.84 draws per product (repeated draws merge)
    blocks K    as given. Not given, the **number** of blocks is the case's while n grows, until a
                block would pass 65,536 products (local indices have 16 bits); from there on the
                **size** is kept and the number grows. Small tables have fewer blocks, so that a
                block has 20 products.
    radius R    every column total t becomes t^θ, with one θ for the table (below)

Powers keep totals in (0, 1) for every R < 1, so labour stays positive and the table productive
whatever R is; R > 1 gives θ < 0, totals above 1, no labour and an unproductive economy. θ solves
the mean-field equation of the law. With T_b the mean of t^θ in block b, a product of block b takes
the share `own` of its inputs from b and the rest evenly from all m blocks of its island, so the
radius is the largest root R of

    sum_b  (1 - own)/m · T_b / (R - own · T_b)  =  1

Four recipes are S1 at the size of a published claim, with the inputs it states:

    tns         10⁶ products, 100 inputs     Cockshott and Cottrell (1993), Towards a New Socialism
    nove        1.2·10⁷,      143            Nove (1983): twelve million products in the USSR
    bernes      2·10⁷,        148            said to need a matrix of 20 million by 20 million
    catalogue   10⁸,          16             the catalogue of a large shop

Measured on S1-S4 with 20,000 products, R = .8 to 1.2: the drawn radius is within .014 of R.
"""

from dataclasses import dataclass, replace

import numpy as np

from ogas.datasets.draws import even_starts
from ogas.engine.errors import WrongUsageError
from ogas.engine.table import Vector

LARGEST_BLOCK = 65_536
SMALLEST_BLOCK = 20
DISTINCT = 0.84  # distinct inputs per draw


@dataclass(frozen=True)
class Case:
    """A row of the gallery's table.

    Attributes
    ----------
    products, blocks : int
        n and m where nothing else is asked for.
    draws : float
        k, inputs drawn per product.
    own, hub : float
        Share of the draws that stay in the block, and that go to hubs.
    totals : tuple of (share of the blocks, first centre, last centre, half-width)
        Column totals: the blocks are dealt out in this order; centres are evenly spaced.
    """

    products: int
    blocks: int
    draws: float
    own: float
    hub: float
    totals: tuple[tuple[float, float, float, float], ...]

    def ranges(self, blocks: int) -> Vector:
        """Return lowest and highest column total of each block, (m, 2)."""
        ends = np.rint(np.cumsum([part[0] for part in self.totals]) * blocks).astype(int)
        rows = []
        for (_, first, last, half), begin, end in zip(
            self.totals, np.r_[0, ends[:-1]], ends, strict=True
        ):
            centres = np.linspace(first, last, end - begin)
            rows.append(np.column_stack([centres - half, centres + half]))
        return np.concatenate(rows)


TYPICAL = ((1.0, 0.65, 0.65, 0.25),)
CASES = {
    "S1": Case(20_000, 30, 50, 0.75, 0.15, TYPICAL),
    "S2": Case(20_000, 30, 50, 0.75, 0.15, ((1.0, 0.94, 0.94, 0.04),)),
    "S3": Case(20_000, 30, 50, 0.93, 0.05, ((2 / 3, 0.5, 0.85, 0.03), (1 / 3, 0.88, 0.97, 0.03))),
    "S4": Case(20_000, 30, 50, 0.985, 0.01, ((1.0, 0.85, 0.97, 0.0),)),
}

CLAIMS = {
    name: replace(CASES["S1"], products=products, draws=inputs / DISTINCT)
    for name, products, inputs in [
        ("tns", 1_000_000, 100),
        ("nove", 12_000_000, 143),
        ("bernes", 20_000_000, 148),
        ("catalogue", 100_000_000, 16),
    ]
}


def natural_blocks(products: int, blocks: int) -> int:
    """Return the number of blocks where none is asked for (module docstring)."""
    return max(min(blocks, products // SMALLEST_BLOCK), -(-products // LARGEST_BLOCK), 1)


def power_for(radius: float, own: float, ranges: Vector, islands: int = 1) -> float:
    """Return the power θ of the column totals that gives the mean-field radius R.

    Parameters
    ----------
    radius : float
        R, from 0.01 to 10.
    own : float
        Share of a product's inputs that stay in its block.
    ranges : (m, 2) float64
        Lowest and highest column total of each block.

    Examples
    --------
    >>> round(power_for(0.65, 0.75, np.array([[0.4, 0.9]])), 6)
    1.0
    """
    if not 0.01 <= radius <= 10:
        raise WrongUsageError(f"radius {radius:g} is out of reach", advice="use 0.01 to 10")
    low, high = -1.0, 1.0
    while not _exceeds(radius, low, own, ranges, islands):
        low *= 2
    while _exceeds(radius, high, own, ranges, islands):
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        if _exceeds(radius, middle, own, ranges, islands):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _exceeds(radius: float, power: float, own: float, ranges: Vector, islands: int) -> bool:
    """Whether the mean-field radius of some island is above ``radius``."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    centre, half = ranges.mean(axis=1), np.diff(ranges, axis=1)[:, 0] / 2
    means = (centre[:, None] + half[:, None] * nodes) ** power @ weights / 2
    for island in np.split(means, even_starts(len(means), islands)[1:-1]):
        room = radius - own * island
        if room.min() <= 0 or ((1 - own) * island / room).mean() > 1:
            return True
    return False
