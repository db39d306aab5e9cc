"""The law of `sectors`: an economy of branches, hubs and supply chains.

n products stand in m blocks whose sizes differ by at most one; inside a block position 0 is raw and
the last is final. Product j draws its inputs so (k = draws per product):

    number of draws    lognormal(ln k - 0.32, 0.8), clipped to [3, 20 k]           mean k
    each draw          with probability `hub`   one of 200 hub products, by Zipf(1) rank
                       with probability `own`   from the own block: half by Zipf(1) rank over a
                                                random ranking of the block, half uniformly
                       else                     uniformly from the whole economy
    upstream           an own-block draw not below j is redrawn uniformly below it, 4 times in 5
    weights            lognormal(0, 1.5); repeated draws add up; a_jj is multiplied by 0.1
    column total       the column is scaled to a total drawn uniformly from the block's range
    demand             with probability 0.3 (0.3 + 1.4 position/size), lognormal(0, 2)

Repeated draws merge, so about 0.84 k nonzeros per product remain.

    case                   n        m    k   own    hub   column totals                    radius
    S1 typical             20,000   30   50  .75    .15   uniform .4-.9                      .65
    S2 hard                20,000   30   50  .75    .15   uniform .90-.98                    .94
    S3 mixed blocks        20,000   30   50  .93    .05   2/3 of the blocks around .5 to .85,
                                                          1/3 around .88 to .97, each ± .03  .91
    S4 nearly decomposable 20,000   30   50  .985   .01   blocks at .85 to .97               .96

Here the law is silent and this module decides: the first product of a block has nothing below it
and keeps what it drew; there are n/10 hubs where n < 2,000; a block in which nothing is demanded
has one unit of demand for its last product.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ogas.datasets.draws import Draws, Purpose, even_starts, stream
from ogas.engine.table import Integers, Vector

HUBS = 200
UPSTREAM = 0.8
SELF_USE = 0.1


@dataclass(frozen=True, eq=False)
class Sectors:
    """One economy of the law, ready to be drawn block by block.

    Attributes
    ----------
    products, draws, own, hub, seed
        n, k, the two probabilities, and the seed.
    totals : (m, 2) float64
        Range of the column totals of each block.
    power : float
        Every column total is raised to it; 1 leaves the case as it is (`ogas.datasets.cases`).
    acyclic : bool
        Every input lies below its user (`tree`).
    islands : int
        Groups of blocks that do not trade with each other.
    spent : float
        Share of value added paid as wages, and of wages spent, by the household that then is the
        last product of every block (`households`); 0 for an open economy.
    """

    products: int
    draws: float
    own: float
    hub: float
    totals: Vector
    seed: int
    power: float = 1.0
    acyclic: bool = False
    islands: int = 1
    spent: float = 0.0
    starts: Integers = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", even_starts(self.products, len(self.totals)))

    @property
    def households(self) -> int:
        """Households per block: 0 or 1."""
        return int(self.spent > 0)

    @property
    def expected(self) -> tuple[float, float]:
        """How many entries are drawn, and how many of them for inputs from other blocks."""
        entries = self.products * self.draws
        return entries, entries * (1.0 - self.own)

    def draw(self, block: int) -> Draws:
        """Return the coefficients of one block's products, repeated inputs not yet merged."""
        rng = stream(self.seed, Purpose.RECIPES, block)
        first, last = map(int, self.starts[block : block + 2])
        counts, totals = self._sizes(block, last - first, rng)
        users = np.repeat(np.arange(last - first, dtype=np.int32), counts)
        suppliers = self._suppliers(block, users, rng)
        weights = rng.lognormal(0.0, 1.5, len(users))
        weights[suppliers == first + users] *= SELF_USE
        if self.acyclic:
            weights[users == 0] = 0.0
        drawn = Draws(suppliers, users, weights).scaled(totals)
        return self._with_wages(drawn, totals, last - 1) if self.households else drawn

    def _sizes(self, block: int, size: int, rng: np.random.Generator) -> tuple[Integers, Vector]:
        """Draw how many inputs each product takes, and the total they are scaled to."""
        counts = np.rint(rng.lognormal(np.log(self.draws) - 0.32, 0.8, size))
        counts = counts.clip(3, 20 * self.draws).astype(np.int64)
        low, high = self.totals[block]
        totals = rng.uniform(low, high, size) ** self.power
        if self.households:
            counts[-1], totals[-1] = 20 * self.draws, self.spent
        return counts, totals

    def demand(self, block: int) -> Vector:
        """Return the final demand for one block's products; households are not demanded."""
        rng = stream(self.seed, Purpose.DEMAND, block)
        size = int(self.starts[block + 1] - self.starts[block])
        goods = size - self.households
        present = rng.random(goods) < 0.3 * (0.3 + 1.4 * np.arange(goods) / goods)
        demand = np.zeros(size)
        demand[:goods] = rng.lognormal(0.0, 2.0, goods) * present
        if not present.any():
            demand[goods - 1] = 1.0
        return demand

    def _suppliers(
        self, block: int, users: npt.NDArray[np.int32], rng: np.random.Generator
    ) -> Integers:
        """Draw one supplier per draw: hub, own block, or anywhere on the same island."""
        kind = rng.random(len(users), dtype=np.float32)
        low, high = self._island(block)
        suppliers = rng.integers(low, high, len(users))
        to_hub = np.flatnonzero(kind < self.hub)
        hubs = self._hubs(low, high, block)
        suppliers[to_hub] = hubs[zipf(rng, len(hubs), len(to_hub))]
        suppliers = self._positions(suppliers)
        inside = np.flatnonzero((kind >= self.hub) & (kind < self.hub + self.own))
        goods = int(self.starts[block + 1] - self.starts[block]) - self.households
        suppliers[inside] = self.starts[block] + own_inputs(users[inside], goods, rng)
        return self._below(suppliers, users, rng) if self.acyclic else suppliers

    def _island(self, block: int) -> tuple[int, int]:
        """Return the range of goods (numbered without households) on a block's island."""
        shores = even_starts(len(self.totals), self.islands)
        island = int(np.searchsorted(shores, block, side="right")) - 1
        blocks = shores[island : island + 2]
        low, high = self.starts[blocks] - self.households * blocks
        return int(low), int(high)

    def _hubs(self, low: int, high: int, block: int) -> Integers:
        """Return an island's hub products, most used first; every block draws the same ones."""
        rng = stream(self.seed, Purpose.HUBS, low)
        return low + rng.choice(high - low, min(HUBS, -(-(high - low) // 10)), replace=False)

    def _positions(self, goods: Integers) -> Integers:
        """Return where goods stand in the table: one place further for every household before."""
        if not self.households:
            return goods
        firsts = self.starts[:-1] - np.arange(len(self.totals))
        return goods + np.searchsorted(firsts, goods, side="right") - 1

    def _below(
        self, suppliers: Integers, users: npt.NDArray[np.int32], rng: np.random.Generator
    ) -> Integers:
        """Redraw every supplier that is not below its user's position, in the supplier's block."""
        firsts = self.starts[np.searchsorted(self.starts, suppliers, side="right") - 1]
        wrong = np.flatnonzero(suppliers - firsts >= users)
        places = (rng.random(len(wrong)) * users[wrong]).astype(np.int64)
        suppliers[wrong] = firsts[wrong] + places
        return suppliers

    def _with_wages(self, drawn: Draws, totals: Vector, household: int) -> Draws:
        """Add the wage row: each good uses the block's household for its share of value added."""
        goods = np.arange(len(totals) - 1, dtype=np.int32)
        wages = self.spent * np.maximum(1.0 - totals[:-1], 0.0)
        return Draws(
            np.concatenate([drawn.suppliers, np.full(len(goods), household)]),
            np.concatenate([drawn.users, goods]),
            np.concatenate([drawn.weights, wages]),
        )


def own_inputs(users: npt.NDArray[np.int32], size: int, rng: np.random.Generator) -> Integers:
    """Draw positions inside a block of ``size`` goods, mostly upstream of their users."""
    places = rng.integers(0, size, len(users))
    ranking = rng.permutation(size)
    popular = np.flatnonzero(rng.random(len(users), dtype=np.float32) < 0.5)
    places[popular] = ranking[zipf(rng, size, len(popular))]
    forced = rng.random(len(users), dtype=np.float32) < UPSTREAM
    wrong = np.flatnonzero(forced & (places >= users) & (users > 0))
    places[wrong] = (rng.random(len(wrong)) * users[wrong]).astype(np.int64)
    return places


def zipf(rng: np.random.Generator, size: int, count: int) -> Integers:
    """Draw ranks ``0 .. size - 1`` with probability proportional to ``1 / (rank + 1)``."""
    cumulative = np.cumsum(1.0 / np.arange(1, size + 1))
    ranks: Integers = cumulative.searchsorted(rng.random(count) * cumulative[-1], side="right")
    return ranks
