"""Households: what they earn for a unit of every product, and what they buy for a unit of income.

Closing the table by them adds one product, their labour:

    [ A  c ]    c_i  amount of product i bought for a unit of income
    [ h' s ]    h_j  income earned for a unit of product j
                s    income that households pay each other for a unit of income

The larger table need not be solved: with v = L' l and g = L' h of the open one,

    a unit of income embodies      v_H = (c'v + l_H) / (1 - s - c'g)
    a unit of product              L' (l + h v_H) = v + g v_H

which follows from the two rows of the closed equations. It is productive where c'g + s < 1.

Source: Miller and Blair (2022), Input-Output Analysis, 3rd ed., ch. 2.5 and 6.2.
"""

from dataclasses import dataclass

import numpy as np

from ogas.engine.analyses.inverse import money_of
from ogas.engine.balance import factor_of
from ogas.engine.errors import InvalidInputError, NotProductiveError, WrongUsageError
from ogas.engine.header import Header
from ogas.engine.interval import Interval
from ogas.engine.table import Vector


@dataclass(frozen=True, eq=False)
class Households:
    """Income and spending of households.

    Attributes
    ----------
    factor : str
        The factor that is their income.
    income : (n,) float64
        h, units of the factor per unit of product.
    spending : (n,) float64
        c, units of every product per unit of the factor.
    own : float
        s, what they pay each other.
    convention : str
        What is assumed of them, for readers of a result.
    """

    factor: str
    income: Vector
    spending: Vector
    own: float = 0.0
    convention: str = "households buy what was given for a unit of their income"

    def __post_init__(self) -> None:
        for name, vector in (("income", self.income), ("spending", self.spending)):
            if (vector < 0).any():
                worst = int(np.argmin(vector))
                raise InvalidInputError(
                    f"{name} of households is negative ({vector[worst]:g})",
                    where=f"product number {worst}",
                    advice="write what they earn or buy, at least 0",
                )

    @staticmethod
    def of(header: Header, factor: str = "", spending: Vector | None = None) -> "Households":
        """Return the households that a table knows.

        They earn the given factor (the first one of the table by default). Where nothing is said of
        their spending, all of a unit of income is spent, in the proportions of final demand where
        that is positive; a convention, good for money tables only.

        Raises
        ------
        WrongUsageError
            If the table has no factor, or no demand to take the proportions from.
        """
        name = factor or next(iter(header.factors), "")
        income = factor_of(header, name)
        convention = Households.convention
        if spending is None:
            convention = f"a unit of {name} is spent as final demand is, where that is positive"
            wanted = np.maximum(np.zeros(1) if header.demand is None else header.demand, 0.0)
            if not wanted.any():
                raise WrongUsageError(
                    "nothing is known of what households buy",
                    advice="say so with --households FILE (id,demand: bought per unit of income)",
                )
            spending = wanted / float(wanted @ money_of(header))
        return Households(name, income, spending, convention=convention)

    def respent(self, contents: Interval, earned: Interval, direct: float = 0.0) -> Interval:
        """Return what a unit of every product embodies when income is spent again.

        Parameters
        ----------
        contents : (n,) Interval
            v = L' l of a factor.
        earned : (n,) Interval
            g = L' h, the income in a unit of every product.
        direct : float
            l_H, what a unit of income itself counts.

        Raises
        ------
        NotProductiveError
            If households would spend all that they earn, or more: then no multiplier is finite.
        """
        left = (
            Interval.exactly(1.0)
            .minus(earned.weighted(self.spending))
            .minus(Interval.exactly(self.own))
        )
        if not float(left.lower) > 0:
            raise NotProductiveError(
                "the table closed by households is not productive: what they spend embodies "
                f"{1 - float(left.middle):.6g} of their income",
                advice="let them spend less of it, or leave them out",
            )
        spent = contents.weighted(self.spending).plus(Interval.exactly(direct))
        return contents.plus(earned.times(spent.over(left)))
