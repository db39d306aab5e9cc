"""Supply side: the same flows read from the suppliers, without any other solver.

With gross output x, B = x^-1 A x holds what share of product i goes to each user, and

    G = (I - B)^-1 = x^-1 L x           Ghosh's inverse
    row sums     G 1 = (L x) / x        upstreamness; forward linkages
    supply       x' = x' B + v',  x = x . L'(v / x)      v primary inputs, in money

so that both are solves with L. Where nothing is made of a product, no share can be formed: there
the row sum is 1, what a product without users has.

Sources: Ghosh (1958), Economica 25, 58-64; Miller and Blair (2022), Input-Output Analysis, 3rd ed.,
ch. 12.1.
"""

import numpy as np

from ogas.engine.analyses.altered import input_costs
from ogas.engine.analyses.inverse import Inverse, money_of
from ogas.engine.analyses.result import Result
from ogas.engine.analyses.units import money_unit
from ogas.engine.balance import Demand
from ogas.engine.errors import InvalidInputError
from ogas.engine.interval import Interval
from ogas.engine.table import Vector


def gross_output(inverse: Inverse, output: Vector | None = None) -> Interval:
    """Return the output of every product that flows are formed with.

    The one that is given; else the published one; else the plan for the table's demand.

    Raises
    ------
    InvalidInputError
        If it is negative somewhere: shares of it mean nothing.
    """
    known = inverse.header.output if output is None else output
    found = inverse.planned() if known is None else Interval.exactly(known)
    if (found.middle < 0).any():
        worst = int(np.argmin(found.middle))
        raise InvalidInputError(
            f"the output is negative ({found.middle[worst]:g}): flows have no shares of it",
            where=f"product {inverse.header.label(worst)}",
            advice="use a table with domestic flows only, or a demand that imports do not exceed",
        )
    return found


def upstreamness(inverse: Inverse, output: Interval) -> Interval:
    """Return ``(L x) / x``, the row sums of Ghosh's inverse; 1 where nothing is made."""
    wanted = Demand(output.middle, output.lower, output.upper)
    if not output.radius.any():
        wanted = Demand.exact(output.middle)
    rows = inverse.outputs({"": wanted})[""].over(output)
    made = output.middle > 0
    return Interval(np.where(made, rows.middle, 1.0), np.where(made, rows.radius, 0.0))


def ghosh(inverse: Inverse, change: Vector | None = None, output: Vector | None = None) -> Result:
    """Return the supply-driven model of Ghosh.

    Parameters
    ----------
    inverse : Inverse
    change : (n,) float64, optional
        What is added to primary inputs, money per year. Read it as a change of prices, not of
        quantities (Dietzenbacher 1997, Journal of Regional Science 37, 629-651).
    output : (n,) float64, optional
        See `gross_output`.

    Returns
    -------
    Result
        ``supply multiplier`` (row sums of G), ``primary input`` v and ``output`` x in money; with a
        change also ``change``, that of output.
    """
    header, made = inverse.header, gross_output(inverse, output)
    prices = money_of(header)
    worth = made.times(prices)
    cost = input_costs(inverse.source, prices)
    columns: dict[str, Interval] = {
        "supply multiplier": upstreamness(inverse, made),
        "output": worth,
        "primary input": made.times(Interval.exactly(prices).minus(cost)),
    }
    totals = {"output": worth.total(), "primary input": columns["primary input"].total()}
    if change is not None:
        # Bounds hold for s . x, which is the change but for the last bit of each number.
        flows = made.middle
        shares = np.divide(change, flows, out=np.zeros_like(flows), where=flows > 0)
        columns["change"] = inverse.contents({"": shares})[""].times(flows)
        totals["change"] = columns["change"].total()
    return Result(
        what="ghosh",
        equation="x' = x' B + v', B = x^-1 A x",
        ids=header.ids,
        names=header.names,
        columns=columns,
        totals=totals,
        sort="supply multiplier",
        units=dict.fromkeys(("output", "primary input", "change"), money_unit(header)),
    )
