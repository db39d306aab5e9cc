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

from ogas.datasets.draws import Desk, Draws, Purpose, alias_table, even_starts, lognormal, stream
from ogas.engine.table import Integers, Vector
from ogas.kernels.drawing import choose, weigh

HUBS = 200
UPSTREAM = 0.8
SELF_USE = 0.1
SIZES = lognormal(1.5)


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

    def draw(self, block: int, desk: Desk) -> Draws:
        """Return the coefficients of one block's products, repeated inputs not yet merged."""
        rng = stream(self.seed, Purpose.RECIPES, block)
        size = int(self.starts[block + 1] - self.starts[block])
        starts, totals = self._sizes(block, size, rng)
        keys = rng.integers(0, 2**64, 4, dtype=np.uint64)
        homes = np.uint64(self.households)
        suppliers = desk.array("suppliers", int(starts[-1]), np.uint32)
        weights = desk.array("weights", int(starts[-1]), np.float32)
        inner = np.empty(size, dtype=np.int64)
        low, goods = self._island(block)
        hubs = self._hubs(low, goods)
        choose(
            keys[:3],
            starts,
            homes,
            self._limits(),
            alias_table(own_shares(size - self.households, rng)),
            alias_table(1.0 / np.arange(1, len(hubs) + 1)),
            hubs,
            self.starts,
            np.array([low, goods, homes], dtype=np.uint64),
            np.uint64(block),
            self.acyclic,
            suppliers,
            inner,
        )
        weigh(keys[3], starts, homes, inner, suppliers, SIZES, SELF_USE, totals, weights)
        if self.households:
            self._pay_wages(starts, totals, suppliers, weights)
        return Draws(starts, inner, suppliers, weights)

    def _sizes(self, block: int, size: int, rng: np.random.Generator) -> tuple[Integers, Vector]:
        """Draw how many inputs each product takes, summed up, and the total they are scaled to.

        Where there are households, there is one place more for the labour of each product.
        """
        counts = np.rint(rng.lognormal(np.log(self.draws) - 0.32, 0.8, size))
        counts = counts.clip(3, 20 * self.draws).astype(np.int64)
        low, high = self.totals[block]
        totals = rng.uniform(low, high, size) ** self.power
        if self.households:
            counts[-1], totals[-1] = 20 * self.draws, self.spent
        if self.acyclic:
            counts[0] = 0
        starts = np.zeros(size + 1, dtype=np.int64)
        np.cumsum(counts + self.households, out=starts[1:])
        return starts, totals

    def _limits(self) -> npt.NDArray[np.uint64]:
        """Return below which numbers a draw is forced upstream, from the own block, a hub."""
        forced = 1.0 if self.acyclic else UPSTREAM
        shares = np.array([forced * self.own, self.own, self.own + self.hub])
        return np.rint(shares * 2.0**32).astype(np.uint64)

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

    def _island(self, block: int) -> tuple[int, int]:
        """Return the first good of a block's island, households not counted, and how many."""
        shores = even_starts(len(self.totals), self.islands)
        island = int(np.searchsorted(shores, block, side="right")) - 1
        blocks = shores[island : island + 2]
        low, high = self.starts[blocks] - self.households * blocks
        return int(low), int(high - low)

    def _hubs(self, low: int, goods: int) -> npt.NDArray[np.uint32]:
        """Return an island's hub products, most used first; every block draws the same ones."""
        rng = stream(self.seed, Purpose.HUBS, low)
        found = low + rng.choice(goods, min(HUBS, -(-goods // 10)), replace=False)
        if self.households:  # one place further for every household before
            firsts = self.starts[:-1] - np.arange(len(self.totals))
            found += np.searchsorted(firsts, found, side="right") - 1
        return found.astype(np.uint32)

    def _pay_wages(
        self,
        starts: Integers,
        totals: Vector,
        suppliers: npt.NDArray[np.uint32],
        weights: npt.NDArray[np.float32],
    ) -> None:
        """Let each good use the block's household for its share of value added."""
        wages = self.spent * np.maximum(1.0 - totals, 0.0)
        wages[-1] = 0.0
        suppliers[starts[:-1]], weights[starts[:-1]] = len(totals) - 1, wages


def own_shares(size: int, rng: np.random.Generator) -> Vector:
    """Return how often each of ``size`` goods is drawn in its block: half evenly, half by rank."""
    by_rank = 1.0 / np.arange(1, size + 1)
    shares = np.empty(size)
    shares[rng.permutation(size)] = by_rank / np.cumsum(by_rank)[-1]
    return shares + 1.0 / size
