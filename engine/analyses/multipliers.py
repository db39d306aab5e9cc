"""Multipliers: what a unit of final demand for every product sets in motion.

    output       b = L' p          output of all products, in money (p = 1 in a money table)
    factor       v = L' l          employment, income, energy ... in all stages
    type I       v_j / l_j         per unit of what j itself uses
    closed       v + g v_H         the same when households spend what they earn (`households`)
    type II      closed_j / l_j

Source: Miller and Blair (2022), Input-Output Analysis, 3rd ed., ch. 6.2.
"""

from collections.abc import Sequence

from ogas.engine.analyses.households import Households
from ogas.engine.analyses.inverse import Inverse, money_of
from ogas.engine.analyses.result import Result, Words
from ogas.engine.analyses.units import content_unit
from ogas.engine.balance import factor_of
from ogas.engine.interval import Interval

OUTPUT, INCOME = "output", "\0income"


def multipliers(
    inverse: Inverse, factors: Sequence[str] = (), households: Households | None = None
) -> Result:
    """Return output and factor multipliers of every product, all solved together.

    Parameters
    ----------
    inverse : Inverse
    factors : sequence of str
        Names of the table's factors; all of them if empty.
    households : Households, optional
        Adds the closed multipliers and type II.

    Returns
    -------
    Result
        ``output`` (money per money), and for every factor F ``F direct`` (l), ``F`` (v), ``F type
        I``; with households ``output closed`` (of products only, the truncated multiplier), ``F
        closed`` and ``F type II``.
    """
    header = inverse.header
    direct = {name: factor_of(header, name) for name in factors or header.factors}
    asked = {OUTPUT: money_of(header)} | {f"F {name}": one for name, one in direct.items()}
    if households is not None:
        asked[INCOME] = households.income
    solved = inverse.contents(asked)
    prices = asked[OUTPUT]
    columns: dict[str, Interval | Words] = {OUTPUT: solved[OUTPUT].over(prices)}
    if households is not None:
        closed = households.respent(solved[OUTPUT], solved[INCOME])
        columns["output closed"] = closed.over(prices)
    for name, used in direct.items():
        whole = solved[f"F {name}"]
        columns[f"{name} direct"] = Interval.exactly(used)
        columns[name] = whole
        columns[f"{name} type I"] = whole.over(used)
        if households is not None:
            is_income = name == households.factor
            own = households.own if is_income else 0.0
            closed = households.respent(whole, solved[INCOME], own)
            columns[f"{name} closed"] = closed
            columns[f"{name} type II"] = closed.over(used)
    return Result(
        what="multipliers",
        equation="b = A' b + p, v = A' v + l",
        ids=header.ids,
        names=header.names,
        columns=columns,
        sort=OUTPUT,
        units={
            column: content_unit(header, name)
            for name in direct
            for column in (f"{name} direct", name, f"{name} closed")
        },
    )
