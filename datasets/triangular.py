"""The laws of `triangular` and `circular`: a published economy that is a triangle, and its circle.

After Samothrakis (2021), "Artificial Intelligence inspired methods for the allocation of common
goods and services", PLOS ONE 16(9) e0257399; program: github.com/ssamot/socialist_planning. There,
of G goods and 200 profiles of consumers,

- every good i goes into D goods j, drawn among ``i <= j < G`` alone (all of them where fewer are
  left): U(0, 0.001) of it per unit. So nothing is circular, and elimination has nothing to do;
- goods of the household go into every profile besides: U(0, 10);
- demanded are the profiles, in shares that add up to 1; the diagonal is 0.1.

Its largest case is the default: 50,000 + 5,000 goods and D = 2,000, hence n = 55,200. `products` is
n and `inputs` is D. Stated here, because it is left open or cannot be had:

- an entry is there with probability ``D / (G - i)``, at most 1 - 10⁻⁶, whatever else is; in
  `circular` with D / G, for all i and j;
- one good in eleven is of the household, the last ones. (Published are the first ones; then no
  other good is ever needed.) Fewer than 600 products have n/3 profiles, fewer than 8,000 D = n/4;
- every good uses 0.1 of itself (published: if drawn). The radius of `triangular` is 0.1;
- in `circular` uses would add up to 1.1 in every row, which no economy can do: the inputs of each
  good are scaled, to 0.9 with the 0.1, or to the `radius` asked for, which they then are;
- labour is 1 - column total, or none where that is negative, as it is of profiles and in the last
  two fifths of the triangle.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ogas.datasets.draws import Desk, Draws, Purpose, even_starts, quantiles, stream
from ogas.engine.table import Integers, Vector
from ogas.kernels.drawing import choose_anywhere, choose_below, weigh

PRODUCTS, USES = 55_200, 2_000
PROFILES, LEAST_SHARE = 200, 3
HOUSEHOLD = 11  # one good in so many
SELF_USE = 0.1
CIRCULAR = 0.9
SURE = 1.0 - 1e-6
USED = quantiles(lambda p: 1e-3 * p, lambda p: 1e-3 * (1.0 - p))
CONSUMED = 10.0
GUIDE = 2**18


@dataclass(frozen=True, eq=False)
class Triangular:
    """One economy of either law, ready to be drawn block by block.

    Attributes
    ----------
    products, blocks, seed : int
    uses : float
        D, in how many other goods a good goes.
    total : float
        Total of the column of every good, in `circular`; 0 for `triangular`.
    starts, rates : derived
        Where blocks begin; how often each good is drawn, added up from 0, (goods + 1,).
    """

    products: int
    blocks: int
    uses: float
    total: float
    seed: int
    starts: Integers = field(init=False)
    rates: Vector = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", even_starts(self.products, self.blocks))
        reach = self.goods if self.total else self.goods - np.arange(self.goods)
        present = np.minimum(self.uses / np.broadcast_to(reach, self.goods), SURE)
        # float32 hides in which last bits libraries of mathematical functions differ.
        rates = -np.log1p(-present).astype(np.float32).astype(np.float64)
        object.__setattr__(self, "rates", np.append(0.0, np.cumsum(rates)))

    @property
    def goods(self) -> int:
        """G; the other products are profiles."""
        return self.products - min(PROFILES, self.products // LEAST_SHARE)

    @property
    def households(self) -> int:
        """How many of the goods, the last ones, are consumed."""
        return -(-self.goods // HOUSEHOLD)

    @property
    def expected(self) -> tuple[float, float]:
        """How many entries are drawn, and how many of them for inputs from other blocks."""
        reach = self.goods if self.total else np.arange(self.goods, 0, -1)
        used = float(np.minimum(np.full(self.goods, self.uses), reach).sum())
        consumed = self.households * (self.products - self.goods)
        entries = self.goods + used + consumed
        return entries, (used + consumed) * (1.0 - 1.0 / self.blocks)

    def draw(self, block: int, desk: Desk) -> Draws:
        """Return the coefficients of one block's products, repeated inputs not yet merged."""
        rng = stream(self.seed, Purpose.RECIPES, block)
        first, last = map(int, self.starts[block : block + 2])
        goods = min(max(self.goods - first, 0), last - first)
        counts = np.full(last - first, self.households)
        upto = self.rates[-1:] if self.total else self.rates[first + 1 : first + goods + 1]
        counts[:goods] = 1 + rng.poisson(upto, goods)
        starts, inner = np.append(0, np.cumsum(counts)), np.empty(last - first, dtype=np.int64)
        suppliers = desk.array("suppliers", int(starts[-1]), np.uint32)
        weights = desk.array("weights", int(starts[-1]), np.float32)
        places, sizes = rng.integers(0, 2**64, 2, dtype=np.uint64)
        one, begin, size, of = np.array([1, first, last - first, self.goods], dtype=np.uint64)
        made = starts[: goods + 1], one
        totals = np.full(goods if self.total else 0, self.total - SELF_USE)
        if self.total:
            choose_anywhere(places, *made, begin, size, of, suppliers, inner[:goods])
        else:
            divisions = np.linspace(0.0, self.rates[-1], GUIDE, endpoint=False)
            guide = (np.searchsorted(self.rates, divisions, side="right") - 1).astype(np.uint32)
            choose_below(places, *made, begin, size, self.rates, guide, suppliers, inner[:goods])
        weigh(sizes, *made, inner[:goods], suppliers, USED, 1.0, totals, weights)
        suppliers[starts[:goods]], weights[starts[:goods]] = np.arange(goods), SELF_USE
        inner[goods:] = starts[goods:-1] + self._consume(
            block, suppliers[starts[goods] :], weights[starts[goods] :], rng
        )
        # A good that is drawn again stays as large as it was; in a circle, columns have a total.
        return Draws(starts, inner, suppliers, weights, adds=self.total > 0)

    def _consume(
        self,
        block: int,
        suppliers: npt.NDArray[np.uint32],
        weights: npt.NDArray[np.float32],
        rng: np.random.Generator,
    ) -> int:
        """Let every profile of a block take all goods of the household; return how many inside."""
        first, last = self.starts[block : block + 2]
        taken = np.arange(self.goods - self.households, self.goods)
        inside = (taken >= first) & (taken < last)
        profiles = len(suppliers) // self.households
        suppliers[:] = np.tile(np.concatenate([taken[inside] - first, taken[~inside]]), profiles)
        weights[:] = CONSUMED * (1.0 - rng.random(len(weights)))
        return int(np.count_nonzero(inside))

    def demand(self, block: int) -> Vector:
        """Return what is demanded of the block's products: shares of the profiles."""
        shares = stream(self.seed, Purpose.DEMAND).random(self.products - self.goods)
        demand = np.zeros(self.products)
        demand[self.goods :] = shares / np.cumsum(shares)[-1]
        return demand[self.starts[block] : self.starts[block + 1]]
