"""Cost-push prices: what a dearer input does to all prices, if every cost is passed on.

    p = A' p + v      costs of a unit: inputs, and primary inputs v in money
    dp = L' dv        a factor costs d more per unit:   dp = d L' l
    dp = L' e_k t     product k costs d more, whatever its own costs: t = d / L_kk, so that dp_k = d

Quantities stay as they are; nobody substitutes. In a money table every price is 1 and changes are
relative ones.

Sources: Leontief (1986), Input-Output Economics, ch. 2; Miller and Blair (2022), Input-Output
Analysis, 3rd ed., ch. 2.6 (prices) and 13.2 (some prices given).
"""

import numpy as np

from ogas.engine.analyses.inverse import Inverse, money_of
from ogas.engine.analyses.result import Result
from ogas.engine.analyses.units import product_unit
from ogas.engine.balance import factor_of
from ogas.engine.header import Header
from ogas.engine.interval import Interval


def factor_price(inverse: Inverse, factor: str, change: float) -> Result:
    """Return what becomes of prices when a unit of a factor costs ``change`` more.

    Parameters
    ----------
    inverse : Inverse
    factor : str
    change : float
        Money per unit of the factor. Where the factor itself is an amount of money (compensation
        per dollar), 0.1 means ten percent.
    """
    content = inverse.contents({factor: factor_of(inverse.header, factor)})[factor]
    return _result(inverse.header, content.times(change))


def product_price(inverse: Inverse, product: int, change: float) -> Result:
    """Return what becomes of prices when a product costs ``change`` (relatively) more.

    Its own price is given, as that of an import; its users pass it on.
    """
    header = inverse.header
    price = float(money_of(header)[product])
    row = next(inverse.rows([product]))[1]
    return _result(header, row.over(row[product]).times(change * price))


def _result(header: Header, moved: Interval) -> Result:
    """Return changes in money, relative to prices, and that of the basket of final demand."""
    prices = money_of(header)
    columns = {"change": moved, "relative": moved.over(prices)}
    totals = {}
    if header.demand is not None and (bought := np.maximum(header.demand, 0.0)).any():
        cost = Interval.exactly(bought).weighted(prices)
        totals["final demand"] = moved.weighted(bought).over(cost)
    return Result(
        what="prices",
        equation="dp = A' dp + dv",
        ids=header.ids,
        names=header.names,
        columns=columns,
        totals=totals,
        sort="relative",
        units={} if product_unit(header) else {"change": "money per unit"},
    )
