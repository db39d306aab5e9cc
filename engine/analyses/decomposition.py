"""Structural decomposition: what changed between two years, because of what.

With L_a of the recipes of year a, f_b the demand of year b, x_ab = L_a f_b and l_a a factor,

    x_11 - x_00 = [ (x_11 - x_01) + (x_10 - x_00) ] / 2      recipes
                + [ (x_11 - x_10) + (x_01 - x_00) ] / 2      demand

    l_1 x_11 - l_0 x_00
        = [ dl x_11 + dl x_00 ] / 2                          direct use
        + [ l_0 (x_11 - x_01) + l_1 (x_10 - x_00) ] / 2      recipes
        + [ l_0 (x_01 - x_00) + l_1 (x_11 - x_10) ] / 2      demand

exactly: the mean of the two polar forms. Four solves do it for all products, since L_1 dA x_00 =
x_10 - x_00 needs no difference of matrices. (What each single recipe did to one product is told by
`ogas.engine.difference`.)

Sources: Dietzenbacher and Los (1998), Economic Systems Research 10, 307-324; Miller and Blair
(2022), Input-Output Analysis, 3rd ed., ch. 8.
"""

import numpy as np

from ogas.engine.analyses.inverse import Inverse
from ogas.engine.analyses.result import Result, Words
from ogas.engine.analyses.units import factor_unit, product_unit
from ogas.engine.balance import demand_of, factor_of
from ogas.engine.errors import WrongUsageError
from ogas.engine.interval import Interval
from ogas.engine.table import Vector


def decomposition(old: Inverse, new: Inverse, factor: str = "") -> Result:
    """Split the change of every product's output, or of its use of a factor, between two years.

    Parameters
    ----------
    old, new : Inverse
        Of tables over the same products, with demands; at constant prices, if in money.
    factor : str
        Of both tables; without one, output itself is split.

    Returns
    -------
    Result
        ``change`` and its parts ``direct`` (with a factor), ``recipes``, ``demand``; totals too.

    Raises
    ------
    WrongUsageError
        If the tables are of other products.
    """
    if not np.array_equal(old.header.ids, new.header.ids):
        raise WrongUsageError(
            "the two tables are of other products, or have them in another order",
            advice="bring both to the same classification first",
        )
    wanted = {"0": demand_of(old.header), "1": demand_of(new.header)}
    by_old, by_new = old.outputs(wanted), new.outputs(wanted)
    x00, x01, x10, x11 = (by[name] for by in (by_old, by_new) for name in ("0", "1"))
    l0, l1 = _direct(old, factor), _direct(new, factor)
    columns: dict[str, Interval | Words] = {
        "change": x11.times(l1).minus(x00.times(l0)),
    }
    if factor:
        more = Interval.exactly(l1).minus(Interval.exactly(l0))
        columns["direct"] = _mean(x11.times(more), x00.times(more))
    columns["recipes"] = _mean(x11.minus(x01).times(l0), x10.minus(x00).times(l1))
    columns["demand"] = _mean(x01.minus(x00).times(l0), x11.minus(x10).times(l1))
    totals = {name: one.total() for name, one in columns.items() if isinstance(one, Interval)}
    unit = factor_unit(new.header, factor) if factor else product_unit(new.header)
    return Result(
        what="decomposition",
        equation="dx = (L0 + L1) df / 2 + (L1 - L0) (f0 + f1) / 2",
        ids=new.header.ids,
        names=new.header.names,
        columns=columns,
        totals=totals,
        sort="change",
        units=dict.fromkeys(columns, unit),
    )


def _direct(inverse: Inverse, factor: str) -> Vector:
    return factor_of(inverse.header, factor) if factor else np.ones(len(inverse))


def _mean(one: Interval, other: Interval) -> Interval:
    return one.plus(other).times(0.5)
