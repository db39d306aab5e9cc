"""Labour values and prices of production: the prices at which every line earns the same profit.

    v = A' v + l                        labour values
    p = (1 + r) (A' p + w l)            prices of production, wages advanced
    p = (1 + r)  A' p + w l             wages paid out of the product (Sraffa)
    w = c . p                           the wage buys the basket c, per unit of labour

In units of the wage, p / w = (1 + r) L(r)' l with L(r) = (I - (1 + r) A)^-1: values of a table that
is dearer by the profit. So r is where the basket costs one wage, c . p(r) / w = 1, between a rate
at which it provably costs less and one at which it provably costs more; and prices are bounded by
solving once for all rates in between, with their half-width as the uncertainty of the coefficients.
No eigenvector is computed. (With A + c l' formed, 1 / (1 + r) is its Perron root, and p its left
vector.)

Sources: Sraffa (1960), Production of Commodities by Means of Commodities; Morishima (1973), Marx's
Economics; Ochoa (1984), Labor-value and prices of production, pp. 46-57.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ogas.engine.analyses.altered import scaled
from ogas.engine.analyses.households import Households
from ogas.engine.analyses.inverse import Inverse
from ogas.engine.analyses.result import Result, Words
from ogas.engine.analyses.units import content_unit, product_unit
from ogas.engine.errors import NotProductiveError, NotProvenError, WrongUsageError
from ogas.engine.interval import Interval
from ogas.engine.iterate import Precision
from ogas.engine.table import Vector
from ogas.kernels.reference import EPSILON

MOST_RATES = 60  # that are tried
FIRST = 0.01  # the rate that is tried after 0
FINER = 3  # figures that the rate is known better than prices, which it moves all at once
FINEST = 13  # figures that solves can reach
LEAST = 1e-12  # width that can be told apart
CLOSE = 1e-13


@dataclass(frozen=True, eq=False)
class Wages:
    """How prices in units of the wage depend on the rate of profit.

    Attributes
    ----------
    inverse : Inverse
    households : Households
        Their income is labour, their spending the basket.
    advanced : bool
        Whether profit is earned on wages, too.
    """

    inverse: Inverse
    households: Households
    advanced: bool = True

    def prices(self, least: float, most: float) -> Interval:
        """Return p / w, with bounds that hold for all rates between two.

        Raises
        ------
        NotProductiveError
            If inputs and profit exceed the product at such a rate.
        """
        rates = Interval.between(np.asarray(1.0 + least), np.asarray(1.0 + most))
        middle, inverse = float(rates.middle), self.inverse
        # Every coefficient is rounded once more when it is multiplied.
        doubt = (float(rates.radius) / middle + 2.0 * EPSILON) * (1.0 + 4.0 * EPSILON)
        delta = doubt + inverse.delta * (1.0 + doubt)
        dearer = replace(inverse, source=scaled(inverse.source, middle), delta=delta)
        contents = dearer.contents({"": self.households.income})[""]
        return contents.times(rates) if self.advanced else contents

    def cost(self, rate: float) -> Interval:
        """Return what the basket costs at a rate, in wages."""
        return self.prices(rate, rate).weighted(self.households.spending)


def production_prices(inverse: Inverse, households: Households, *, advanced: bool = True) -> Result:
    """Return labour values, prices of production and the uniform rate of profit.

    Parameters
    ----------
    inverse : Inverse
    households : Households
        Whose income is labour, and who buy the basket for every unit of it.
    advanced : bool
        Whether wages are advanced, so that profit is earned on them.

    Returns
    -------
    Result
        ``value`` (labour), ``price`` (wages), ``price / value`` when all output costs its value;
        totals ``rate of profit``, ``rate of surplus value`` = (1 - c.v) / (c.v), ``deviation``, the
        mean of ``|price / value - 1|`` weighted by value.

    Raises
    ------
    WrongUsageError
        If the basket embodies more labour than its wage, so that no profit can be made.
    NotProvenError
        If no rate could be enclosed.
    """
    values = inverse.contents({"": households.income})[""]
    least, most = _rate(
        Wages(_finer(inverse), households, advanced), 10.0 ** -(inverse.precision.figures + FINER)
    )
    prices = Wages(inverse, households, advanced).prices(least, most)
    header = inverse.header
    made = np.ones(len(header)) if header.output is None else header.output
    if header.output is None and header.demand is not None:
        made = np.maximum(inverse.planned().middle, 0.0)
    level = values.weighted(made).over(prices.weighted(made))
    relative = prices.times(level).over(values)
    columns: dict[str, Interval | Words] = {
        "value": values,
        "price": prices,
        "price / value": relative,
    }
    basket = values.weighted(households.spending)
    surplus = Interval.exactly(1.0).minus(basket).over(basket)
    totals = {
        "rate of profit": Interval.between(np.asarray(least), np.asarray(most)),
        "rate of surplus value": surplus,
        "deviation": _deviation(relative, values, made),
    }
    return Result(
        what="values",
        equation="p = (1 + r) (A' p + w l)" if advanced else "p = (1 + r) A' p + w l",
        ids=header.ids,
        names=header.names,
        columns=columns,
        totals=totals,
        sort="price / value",
        units={
            "value": content_unit(header, households.factor),
            "price": f"wages per {product_unit(header) or 'unit'}",
        },
    )


def _finer(inverse: Inverse) -> Inverse:
    """Return an inverse by which a rate can be found that is as precise as what is asked for."""
    figures = min(inverse.precision.figures + FINER + 1, FINEST)
    return replace(inverse, precision=Precision(figures))


def _rate(wages: Wages, width: float) -> tuple[float, float]:
    """Return rates of profit between which the true one lies."""
    if not float(wages.cost(0.0).upper) < 1.0:
        raise WrongUsageError(
            "the basket of a unit of labour embodies as much labour, or more: no profit is made",
            advice="give a smaller basket with --households FILE (id,demand: per unit of labour)",
        )
    rate = _root(lambda tried: _wage(wages, tried))
    half = max(width, LEAST) * (1.0 + rate)
    for _ in range(12):
        least, most = max(rate - half, 0.0), rate + half
        if wages.cost(least).upper <= 1.0 <= _cost_above(wages, most):
            return least, most
        half *= 4.0
    raise NotProvenError(
        f"a rate of profit near {rate:.6g} could not be enclosed", advice="ask for fewer digits"
    )


def _wage(wages: Wages, rate: float) -> float:
    """Return how many baskets a wage buys; none at rates that no wage permits."""
    try:
        return 1.0 / float(wages.cost(rate).middle)
    except NotProductiveError:
        return 0.0


def _cost_above(wages: Wages, rate: float) -> float:
    """Return the least that the basket costs; without end where no wage permits the rate."""
    try:
        return float(wages.cost(rate).lower)
    except NotProductiveError:
        return np.inf


def _root(wage: Callable[[float], float]) -> float:
    """Return the rate at which a wage buys one basket; it falls, and nearly on a line.

    Regula falsi with Illinois' halving, which keeps an enclosure: the rate at the right end may be
    beyond the largest that the economy permits, where the wage counts as nothing.
    """
    low, high = 0.0, FIRST
    above, below = wage(low) - 1.0, wage(high) - 1.0
    for _ in range(MOST_RATES):
        if below < 0:
            break
        # One step along the line, and a little more, to have the root between both.
        slope = max((above - below) / (high - low), 1e-9)
        low, above, high = high, below, high + 1.1 * below / slope + 1e-6
        below = wage(high) - 1.0
    for _ in range(MOST_RATES):
        rate = high - below * (high - low) / (below - above)
        found = wage(rate) - 1.0
        if found * below < 0:
            low, above = high, below
        else:
            above *= 0.5
        high, below = rate, found
        if abs(high - low) < CLOSE * (1.0 + rate) or abs(found) < CLOSE:
            break
    return high


def _deviation(relative: Interval, values: Interval, made: Vector) -> Interval:
    """Return the mean of ``|price / value - 1|``, weighted by the value of what is made."""
    known = np.isfinite(relative.radius) & (made > 0)
    weights = values[known].times(made[known])
    distance = relative[known].minus(Interval.exactly(np.ones(int(known.sum()))))
    size = Interval(np.abs(distance.middle), distance.radius)
    return size.times(weights).total().over(weights.total())
