"""The law of `ccm`: the economy of the published timing table.

After Cottrell, Cockshott and Michaelson (2009), "Is Economic Planning Hypercomputational?", Int. J.
Unconventional Computing 5, 223-236. Their table grows the mean number of inputs like √n:

    n           1,000   10,000   40,000   160,000   320,000
    inputs         30      100      200       400       600

and leaves distribution and stopping rule open. Stated here, so that a replication can be repeated:

- every coefficient is present independently with probability M/n, where M = √n unless asked for;
- present coefficients are uniform on (0, 1), then each column is scaled to 0.5: "half of a
  product's value is direct labour". The radius is therefore 0.5 (or what `radius` asks for);
- one unit of every product is demanded; labour is 1 - column total.

There are no branches: blocks are runs of at most 65,536 products, for storage alone. Presence is
drawn as a Poisson number of uniform suppliers with mean -n ln(1 - M/n): with repeated draws merged,
that is the same law.
"""

from dataclasses import dataclass, field

import numpy as np

from ogas.datasets.draws import Desk, Draws, Purpose, even_starts, quantiles, stream
from ogas.engine.table import Integers, Vector
from ogas.kernels.drawing import choose_anywhere, weigh

PRODUCTS = 10_000
TOTAL = 0.5
UNIFORM = quantiles(lambda p: p, lambda p: 1.0 - p)


@dataclass(frozen=True, eq=False)
class Uniform:
    """One economy of the law, ready to be drawn block by block.

    Attributes
    ----------
    products, blocks, seed : int
    inputs : float
        Mean nonzeros per product, M < n.
    total : float
        Total of every column, and so the radius.
    """

    products: int
    blocks: int
    inputs: float
    total: float
    seed: int
    starts: Integers = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", even_starts(self.products, self.blocks))

    @property
    def expected(self) -> tuple[float, float]:
        """How many entries are drawn, and how many of them for inputs from other blocks."""
        entries = self.products * self.inputs
        return entries, entries * (1.0 - 1.0 / self.blocks)

    def draw(self, block: int, desk: Desk) -> Draws:
        """Return the coefficients of one block's products, repeated inputs not yet merged."""
        rng = stream(self.seed, Purpose.RECIPES, block)
        first, last = map(int, self.starts[block : block + 2])
        size = last - first
        counts = rng.poisson(-self.products * np.log1p(-self.inputs / self.products), size)
        starts, inner = np.append(0, np.cumsum(counts)), np.empty(size, dtype=np.int64)
        places, sizes = rng.integers(0, 2**64, 2, dtype=np.uint64)
        suppliers = desk.array("suppliers", int(starts[-1]), np.uint32)
        weights = desk.array("weights", int(starts[-1]), np.float32)
        none, first, own, n = np.array([0, first, size, self.products], dtype=np.uint64)
        choose_anywhere(places, starts, none, first, own, n, suppliers, inner)
        totals = np.full(size, self.total)
        weigh(sizes, starts, none, inner, suppliers, UNIFORM, 1.0, totals, weights)
        return Draws(starts, inner, suppliers, weights)

    def demand(self, block: int) -> Vector:
        """Return one unit of every product of the block."""
        return np.ones(int(self.starts[block + 1] - self.starts[block]))
