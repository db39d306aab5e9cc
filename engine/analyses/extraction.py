"""Hypothetical extraction: what the economy would not make if a product were gone.

With b = L' p, x the plan, and the diagonal L_kk of the inverse, output falls by (in money)

    complete    b_k x_k / L_kk              nobody uses k, k uses nothing, k is not demanded
    backward    (b_k - p_k) x_k / L_kk      k buys its inputs abroad: column k of A vanishes
    forward     b_k (x_k - f_k) / L_kk      its users buy k abroad: row k of A vanishes

Each is what a rank-one change of I - A does to x (Sherman and Morrison): to make x_k zero, t = x_k
/ L_kk units of its demand are taken away, and L e_k t is what goes with them. So all products
together take one solve for each factor, one for x, and n columns of L for the diagonal, or all of
L at once where that takes less. A group of products is extracted by solving without it.

Sources: Strassert (1968); Schultz (1977), Economics of Planning 13, 1-18; Miller and Lahr (2001);
Miller and Blair (2022), Input-Output Analysis, 3rd ed., ch. 12.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ogas.engine.analyses.altered import without
from ogas.engine.analyses.footprints import groups_of
from ogas.engine.analyses.inverse import Inverse, Work, money_of
from ogas.engine.analyses.result import Result, Words
from ogas.engine.analyses.units import factor_unit, money_unit
from ogas.engine.balance import demand_of, factor_of
from ogas.engine.header import Header
from ogas.engine.interval import Interval
from ogas.engine.iterate import Precision
from ogas.engine.table import Integers, Labels, Vector

OUTPUT = "output"
SPARED = 3  # figures of columns that the diagonal has anyway


def extraction(inverse: Inverse, products: Sequence[int], factors: Sequence[str] = ()) -> Result:
    """Return what is lost when each of some products is extracted, all at once.

    Parameters
    ----------
    inverse : Inverse
        Of a table with a demand.
    products : sequence of int
    factors : sequence of str
        Of which the loss is told, too.

    Returns
    -------
    Result
        ``complete``, ``backward``, ``forward``: loss of output, in money, the product's own
        included; ``share`` of all output; and for every factor ``F lost`` by complete extraction.
    """
    header, places = inverse.header, np.array(products, dtype=np.int64)
    weights = _weights(inverse, factors)
    contents = inverse.contents(weights)
    made, wanted, prices = inverse.planned(), demand_of(header).nominal, weights[OUTPUT]
    own = _diagonal(inverse, products)
    taken = made[places].over(own)
    used = made.minus(Interval.exactly(wanted))[places].over(own)
    b, p = contents[OUTPUT][places], Interval.exactly(prices[places])
    total = made.weighted(prices)
    columns: dict[str, Interval | Words] = {
        "complete": b.times(taken),
        "backward": b.minus(p).times(taken),
        "forward": b.times(used),
    }
    columns["share"] = b.times(taken).over(total)
    for name in factors:
        columns[f"{name} lost"] = contents[name][places].times(taken)
    names = None if header.names is None else header.names[places]
    law = "x - x(k) = L e_k x_k / L_kk"
    return Result(
        *("extraction", law, header.ids[places], columns),
        names=names,
        totals={OUTPUT: total},
        sort="complete",
        units=_units(header, factors),
        notes=inverse.notes,
    )


def extraction_of_groups(inverse: Inverse, labels: Labels, factors: Sequence[str] = ()) -> Result:
    """Return what is lost when all products with the same label are extracted together.

    One solve for every group, of the table without it.
    """
    header = inverse.header
    weights = _weights(inverse, factors)
    wanted, made = demand_of(header).nominal, inverse.planned()
    groups, places = groups_of(labels)
    lost: dict[str, list[Interval]] = {name: [] for name in weights}
    for group in range(len(groups)):
        gone = np.flatnonzero(places == group)
        rest = _left(inverse, gone, wanted)
        moved = made.minus(rest)
        for name, weight in weights.items():
            lost[name].append(moved.weighted(weight))
    total = made.weighted(weights[OUTPUT])
    complete = Interval.stacked(lost[OUTPUT])
    columns: dict[str, Interval | Words] = {"complete": complete, "share": complete.over(total)}
    columns |= {f"{name} lost": Interval.stacked(lost[name]) for name in factors}
    return Result(
        *("extraction", "x(K) = A(K) x(K) + f(K)", groups, columns),
        over="group",
        totals={OUTPUT: total},
        sort="complete",
        units=_units(header, factors),
    )


def _units(header: Header, factors: Sequence[str]) -> dict[str, str]:
    money = dict.fromkeys(("complete", "backward", "forward", OUTPUT), money_unit(header))
    return money | {f"{name} lost": factor_unit(header, name) for name in factors}


def _left(inverse: Inverse, gone: Integers, wanted: Vector) -> Interval:
    """Return the output of an economy without some products."""
    demand = wanted.copy()
    demand[gone] = 0.0
    return replace(inverse, source=without(inverse.source, gone)).outputs({"": demand})[""]


def _weights(inverse: Inverse, factors: Sequence[str]) -> Mapping[str, Vector]:
    header = inverse.header
    return {OUTPUT: money_of(header)} | {name: factor_of(header, name) for name in factors}


def _diagonal(inverse: Inverse, products: Sequence[int]) -> Interval:
    """Return L_kk of some products.

    Of its own column, a product is known better than the worst by 3 figures and more (all columns
    of the world's table of 2005), so that fewer need to be asked for; once more where that fails.
    What counts is how well the diagonal is known, not what else stands in its columns.
    """
    figures, ledger = inverse.precision.figures, list[Work]()
    hasty = replace(inverse, precision=Precision(max(figures - SPARED, 1)), ledger=ledger)
    found = {product: one[product] for product, one in hasty.columns(products)}
    missed = [product for product, one in found.items() if int(one.figures) < figures]
    again = replace(inverse, ledger=ledger, largest=0)
    found |= {product: one[product] for product, one in again.columns(missed)}
    diagonal = Interval.stacked([found[product] for product in products])
    certified = bool((diagonal.figures >= figures).all())
    inverse.ledger.extend(replace(work, is_certified=certified) for work in ledger)
    return diagonal
