"""Footprints: how much of a factor each product uses, embodies, and is answerable for.

    direct        l_j            used per unit of j
    intensity     v = A' v + l   used for a unit of j in all stages
    producer      l_i x_i        used where it is used
    consumer      v_j f_j        embodied in final demand;   l . x = v . f

and by producing group g and column c of final demand

    D[g, c] = sum over i in g of l_i (L y_c)_i       sum over g = v . y_c

Sources: Leontief (1970), Review of Economics and Statistics 52, 262-271; Miller and Blair (2022),
Input-Output Analysis, 3rd ed., ch. 10; Peters (2008), Ecological Economics 65, 13-23.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ogas.engine.analyses.inverse import Inverse
from ogas.engine.analyses.result import Result, Words
from ogas.engine.analyses.units import content_unit, factor_unit
from ogas.engine.balance import Demand, demand_of, factor_of
from ogas.engine.errors import WrongUsageError
from ogas.engine.interval import Interval
from ogas.engine.table import Integers, Labels, Vector


def footprints(inverse: Inverse, factors: Sequence[str] = ()) -> Result:
    """Return the footprint of every product in some factors (all of the table's if none is named).

    Returns
    -------
    Result
        For every factor F ``F direct`` and ``F`` (per unit), ``F producer`` and ``F consumer`` (per
        year), which have the same total.

    Raises
    ------
    WrongUsageError
        If there is no factor.
    """
    header = inverse.header
    direct = {name: factor_of(header, name) for name in factors or header.factors}
    if not direct:
        raise WrongUsageError(
            "the table has no factor to follow", advice="import it with labour, energy, CO2 ..."
        )
    demand = demand_of(header)
    intensities, made = inverse.contents(direct), inverse.planned()
    columns: dict[str, Interval | Words] = {}
    totals: dict[str, Interval] = {}
    units: dict[str, str] = {}
    for name, used in direct.items():
        whole = {
            f"{name} producer": made.times(used),
            f"{name} consumer": intensities[name].times(demand.nominal),
        }
        columns |= {f"{name} direct": Interval.exactly(used), name: intensities[name]} | whole
        totals |= {each: one.total() for each, one in whole.items()}
        units |= dict.fromkeys((f"{name} direct", name), content_unit(header, name))
        units |= dict.fromkeys(whole, factor_unit(header, name))
    return Result(
        what="footprints",
        equation="v = A' v + l, x = A x + f",
        ids=header.ids,
        names=header.names,
        columns=columns,
        totals=totals,
        sort=f"{next(iter(direct), '')} consumer",
        units=units,
    )


def traced(
    inverse: Inverse, factor: str, demands: Mapping[str, Vector | Demand], labels: Labels
) -> Result:
    """Return how much of a factor each group of producers uses for each column of final demand.

    Parameters
    ----------
    inverse : Inverse
    factor : str
    demands : mapping of name to (n,) float64 or Demand
        Columns of final demand: of regions, of households and government ...
    labels : (n,) labels
        The group of every product.

    Returns
    -------
    Result
        A row for every group, a column for every demand, and their totals.
    """
    used = factor_of(inverse.header, factor)
    groups, places = groups_of(labels)
    members = [np.flatnonzero(places == number) for number in range(len(groups))]
    columns: dict[str, Interval | Words] = {}
    totals = {}
    for name, made in inverse.outputs(demands).items():
        there = made.times(used)
        columns[name] = Interval.stacked([there[some].total() for some in members])
        totals[name] = there.total()
    law = "D[g, c] = sum of l_i (L y_c)_i over i in g"
    return Result(
        *("footprints", law, groups, columns),
        over="group",
        totals=totals,
        sort=next(iter(columns), ""),
        units=dict.fromkeys(columns, factor_unit(inverse.header, factor)),
    )


def groups_of(labels: Labels) -> tuple[Labels, Integers]:
    """Return all groups, and to which of them every product belongs."""
    groups, places = np.unique(labels, return_inverse=True)
    return np.array(groups.tolist()), places.astype(np.int64)


def demand_by(header_demand: Vector, labels: Labels) -> dict[str, Vector]:
    """Return final demand split by the group of the product: one column for each group.

    >>> demand_by(np.array([1.0, 2.0, 3.0]), np.array(["a", "b", "a"]))["a"].tolist()
    [1.0, 0.0, 3.0]
    """
    return {
        str(group): np.where(labels == group, header_demand, 0.0) for group in np.unique(labels)
    }
