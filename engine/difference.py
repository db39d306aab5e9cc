"""What moved from one plan to another, how surely, and what moved it.

With x = L f and L = (I - A)^-1 for the old (0) and the new (1) economy, and e_i for product i,

    x1 - x0 = 1/2 (L0 + L1) df + 1/2 (L1 dA x0 + L0 dA x1)          exactly
    v = L' e_i:   v = A' v + e_i                                    what of i a unit of each product
                                                                    needs, all told

so the change of one product falls into a part for every demand and every recipe that changed: the
mean of two polar forms, in which either the old or the new economy weighs the changes. Bounds of x
and v become bounds of the parts; their sum is the whole, within these.

Source: Miller and Blair (2009), Input-Output Analysis, ch. 13.1; Dietzenbacher and Los (1998),
Economic Systems Research 10, 307-324.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from ogas.engine.interval import Interval
from ogas.engine.table import Integers, Vector
from ogas.kernels.reference import EPSILON


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where the products of two tables stand among all products of both.

    Attributes
    ----------
    ids : (n,) labels
        Those of the new table, then those that only the old one has.
    old, new : (n0,), (n1,) int64
        The place of every product of each.
    """

    ids: npt.NDArray[np.str_] | Integers
    old: Integers
    new: Integers

    @staticmethod
    def of(
        old: npt.NDArray[np.str_] | Integers, new: npt.NDArray[np.str_] | Integers
    ) -> "Alignment":
        """Find products by their ids."""
        if np.array_equal(old, new):
            everything = np.arange(len(new), dtype=np.int64)
            return Alignment(new, everything, everything)
        place = {str(name): k for k, name in enumerate(new.tolist())}
        gone = [name for name in old.tolist() if str(name) not in place]
        place |= {str(name): len(new) + k for k, name in enumerate(gone)}
        ids = np.array([*new.tolist(), *gone])
        found = np.array([place[str(name)] for name in old.tolist()], dtype=np.int64)
        return Alignment(ids, found, np.arange(len(new), dtype=np.int64))

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class Economies:
    """Two economies, over the same products.

    Attributes
    ----------
    outputs : pair of Interval
        Of the old and the new plan.
    demand : (n,) float64
        What was added to the demand for each product: df.
    recipes : (n, n) csc_array
        What was added to the coefficients: dA.
    """

    outputs: tuple[Interval, Interval]
    demand: Vector
    recipes: csc_array


@dataclass(frozen=True, eq=False)
class Parts:
    """What the change of one product comes from.

    Attributes
    ----------
    demands, recipes : (d,), (r,) int64
        The products whose demand, and whose recipe, changed.
    from_demands, from_recipes : Interval
        The part of each.
    """

    demands: Integers
    recipes: Integers
    from_demands: Interval
    from_recipes: Interval

    @property
    def whole(self) -> tuple[float, float]:
        """The sum of all parts, and how far it may be from the truth."""
        parts = (self.from_demands, self.from_recipes)
        middles = np.concatenate([part.middle for part in parts])
        rounding = EPSILON * len(middles) * float(np.abs(middles).sum())
        return float(middles.sum()), float(sum(part.radius.sum() for part in parts)) + rounding

    def largest(self, count: int) -> list[tuple[str, int, float, float]]:
        """Return the largest parts: of a demand or a recipe, of which product, and its bounds."""
        found = [
            (what, product, middle, radius)
            for what, products, part in (
                ("demand", self.demands, self.from_demands),
                ("recipe", self.recipes, self.from_recipes),
            )
            for product, middle, radius in zip(
                products.tolist(), part.middle.tolist(), part.radius.tolist(), strict=True
            )
        ]
        return sorted(found, key=lambda part: -abs(part[2]))[:count]


def attributed(change: Economies, needs: Sequence[Interval]) -> Parts:
    """Split the change of one product into what changed demands and recipes did.

    Parameters
    ----------
    change : Economies
    needs : pair of Interval
        v of the old and of the new economy: what of this product a unit of each product needs.

    Examples
    --------
    >>> old, new = np.array([[0.0]]), np.array([[0.5]])
    >>> exact = lambda number: Interval(np.array([number]), np.zeros(1))
    >>> change = Economies((exact(1.0), exact(4.0)), np.array([1.0]), csc_array(new - old))
    >>> parts = attributed(change, (exact(1.0), exact(2.0)))
    >>> parts.from_demands.middle.item(), parts.from_recipes.middle.item(), parts.whole[0]
    (1.5, 1.5, 3.0)
    """
    (old_output, new_output), (old_needs, new_needs) = change.outputs, needs
    demands = np.flatnonzero(change.demand)
    recipes = np.flatnonzero(np.diff(change.recipes.indptr))
    df, dA = change.demand[demands], change.recipes[:, recipes]
    middle = 0.5 * (old_needs.middle + new_needs.middle)[demands] * df
    radius = 0.5 * (old_needs.radius + new_needs.radius)[demands] * np.abs(df)
    return Parts(
        demands,
        recipes,
        _widened(middle, radius, 4),
        _mean(
            _taken(new_needs, dA, old_output, recipes), _taken(old_needs, dA, new_output, recipes)
        ),
    )


def _taken(needs: Interval, dA: csc_array, output: Interval, recipes: Integers) -> Interval:
    """Return ``(v' dA)_j x_j`` for every recipe j that changed."""
    worth, spread = needs.middle @ dA, needs.radius @ abs(dA)
    terms = int(np.diff(dA.indptr).max(initial=0)) + 4
    spread = spread + EPSILON * terms * (np.abs(needs.middle) @ abs(dA))
    x, dx = output.middle[recipes], output.radius[recipes]
    return Interval(worth * x, (np.abs(worth) + spread) * dx + spread * np.abs(x))


def _mean(one: Interval, other: Interval) -> Interval:
    middle = 0.5 * (one.middle + other.middle)
    size = np.abs(one.middle) + np.abs(other.middle)
    return Interval(middle, 0.5 * (one.radius + other.radius) + 4.0 * EPSILON * size)


def _widened(middle: Vector, radius: Vector, terms: int) -> Interval:
    return Interval(middle, radius + EPSILON * terms * np.abs(middle))
