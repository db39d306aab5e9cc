"""Structural path analysis: through which chains of products a demand uses a factor.

    v . y = sum over chains of  l_k a_kj ... a_cb a_ba y_a        demand a, its input b, ... , k

A chain that ends at k with q units of k contributes ``l_k q`` itself; everything that goes on from
it is worth ``v_k q`` in all. So chains are opened with the largest worth first, and as soon as no
unopened chain is worth as much as the N-th largest contribution found, the N largest are known for
certain, without a limit on their length. What is listed and what is not add up to v . y.

With negative coefficients or demands, worth is bounded by that of their absolute values.

Sources: Defourny and Thorbecke (1984), Economic Journal 94, 111-136; Treloar (1997); Lenzen (2007),
Structural path analysis of ecosystem networks, Ecological Modelling 200, 334-342.
"""

import heapq
from dataclasses import dataclass, field, replace

import numpy as np

from ogas.engine.analyses.altered import altered, has_negatives
from ogas.engine.analyses.inverse import Inverse
from ogas.engine.analyses.result import Result
from ogas.engine.analyses.units import factor_unit
from ogas.engine.balance import factor_of
from ogas.engine.editing import Recipe, entries_of
from ogas.engine.errors import WrongUsageError
from ogas.engine.interval import Interval
from ogas.engine.source import Source
from ogas.engine.table import Integers, Vector
from ogas.kernels.reference import EPSILON

MOST_OPENED = 1_000_000  # chains, after which the search gives up
MOST_BLOCKS = 64  # whose recipes are kept at hand
ROUNDED = 1.0 + 2.0**-40  # more than the amounts along a chain of 4,000 products lose

Chain = tuple[int, ...]


@dataclass(eq=False)
class Recipes:
    """The recipe of every product, looked up block by block; the latest blocks are kept."""

    source: Source
    held: dict[int, tuple[Integers, Integers, Integers, Vector]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        labels = self.source.header.blocks
        self.blocks = np.zeros(len(self.source), np.int64) if labels is None else labels

    def of(self, product: int) -> Recipe:
        """Return what a unit of a product takes."""
        users, starts, rows, data = self._block(int(self.blocks[product]))
        place = int(np.searchsorted(users, product))
        some = slice(starts[place], starts[place + 1])
        return Recipe(rows[some], data[some])

    def _block(self, number: int) -> tuple[Integers, Integers, Integers, Vector]:
        """Return a block by columns: its products, where each begins, inputs and amounts."""
        if number not in self.held:
            block = self.source.block(number)
            entries = entries_of(block)
            order = np.argsort(entries.users, kind="stable")
            ends = np.append(entries.users[order], np.iinfo(np.int64).max)
            starts = np.searchsorted(ends, np.append(block.products, ends[-1]))
            while len(self.held) >= MOST_BLOCKS:
                self.held.pop(next(iter(self.held)))
            self.held[number] = block.products, starts, entries.rows[order], entries.data[order]
        return self.held[number]


@dataclass(eq=False)
class Search:
    """Chains found and chains still to be opened, the largest first.

    Attributes
    ----------
    direct : (n,) float64
        l.
    worth : (n,) float64
        At least what a unit of every product uses in all, signs left out.
    count : int
        Chains that are wanted.
    """

    direct: Vector
    worth: Vector
    count: int

    def __post_init__(self) -> None:
        self.found: list[tuple[float, float, Chain]] = []  # size, contribution, chain
        self.waiting: list[tuple[float, float, Chain]] = []  # minus worth, quantity, chain
        self.opened = 0
        self.is_complete = False

    def offer(self, chains: list[tuple[Chain, float]]) -> None:
        """Take chains that end with so many units of their last product."""
        for chain, quantity in chains:
            worth = abs(quantity) * self.worth[chain[-1]]
            if worth > self.least:
                heapq.heappush(self.waiting, (-worth, quantity, chain))

    @property
    def least(self) -> float:
        """The smallest contribution that is listed, once enough are."""
        return self.found[0][0] if len(self.found) == self.count else 0.0

    def run(self, recipes: Recipes) -> None:
        """Open chains until none that is left can contribute as much as those that are listed."""
        while self.waiting and -self.waiting[0][0] > self.least:
            if self.opened == MOST_OPENED:
                return
            _, quantity, chain = heapq.heappop(self.waiting)
            self.opened += 1
            self._list(chain, float(self.direct[chain[-1]] * quantity))
            recipe = recipes.of(chain[-1])
            # Those that cannot matter are not even made into chains.
            needed = recipe.amounts * quantity
            some = np.flatnonzero(np.abs(needed) * self.worth[recipe.inputs] > self.least)
            self.offer([((*chain, int(recipe.inputs[k])), float(needed[k])) for k in some.tolist()])
        self.is_complete = True

    def _list(self, chain: Chain, contribution: float) -> None:
        entry = (abs(contribution), contribution, chain)
        if contribution == 0.0:
            return
        if len(self.found) < self.count:
            heapq.heappush(self.found, entry)
        else:
            heapq.heappushpop(self.found, entry)


def paths(inverse: Inverse, factor: str, demand: Vector, count: int = 100) -> Result:
    """Return the largest chains through which a demand uses a factor.

    Parameters
    ----------
    inverse : Inverse
    factor : str
    demand : (n,) float64
        y: the table's, or a unit of one product.
    count : int

    Returns
    -------
    Result
        A row for every chain, ids joined by ``<`` from the demanded product to the one that uses
        the factor; ``contribution`` and ``share``, ``stage`` 0 for a direct use. Totals: ``whole``
        = v . y, ``listed``, ``rest`` and ``coverage``. A note says whether these are provably the
        largest.
    """
    if count < 1:
        raise WrongUsageError("at least one path has to be asked for")
    direct = factor_of(inverse.header, factor)
    contents = inverse.contents({factor: direct})[factor]
    search = Search(direct, _worth(inverse, contents, direct), count)
    search.offer([((int(k),), float(demand[k])) for k in np.flatnonzero(demand)])
    search.run(Recipes(inverse.source))
    found = sorted(search.found, key=lambda one: (-one[0], one[2]))
    sizes = Interval.exactly([contribution for _, contribution, _ in found])
    stages = np.array([len(chain) - 1 for _, _, chain in found], dtype=np.float64)
    # One rounding, and one coefficient, for every stage.
    doubt = np.expm1((stages + 2.0) * (EPSILON + 1.0001 * inverse.delta))
    contributions = Interval(sizes.middle, doubt * np.abs(sizes.middle))
    whole, listed = contents.weighted(demand), contributions.total()
    ids = inverse.header.ids
    names = np.array([" < ".join(str(ids[k]) for k in chain) for _, _, chain in found], np.str_)
    totals = {
        "whole": whole,
        "listed": listed,
        "rest": whole.minus(listed),
        "coverage": listed.over(whole),
    }
    certainly = "these are provably the largest" if search.is_complete else "larger ones may exist"
    return Result(
        what="paths",
        equation="l_k a_kj ... a_ba y_a",
        ids=names,
        columns={
            "contribution": contributions,
            "share": contributions.over(whole),
            "stage": Interval.exactly(stages),
        },
        over="path",
        totals=totals,
        notes=(f"{search.opened:,} chains were opened; {certainly}",),
        units=dict.fromkeys(
            ("contribution", "whole", "listed", "rest"), factor_unit(inverse.header, factor)
        ),
    )


def _worth(inverse: Inverse, contents: Interval, direct: Vector) -> Vector:
    """Return at least what a unit of every product uses in all, signs left out."""
    if not has_negatives(inverse.source) and not (direct < 0).any():
        return contents.upper * ROUNDED
    absolute = altered(inverse.source, lambda entries: np.abs(entries.data))
    return replace(inverse, source=absolute).contents({"": np.abs(direct)})[""].upper * ROUNDED
