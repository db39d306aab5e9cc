"""What `ogas verify` answers: whether a stored plan proves what it claims.

The certificate is recomputed from the stored table, output and witness alone, by the reference twin
of the kernel; no sweep and no compiled loop takes part. It must prove as many figures as the plan
claims, for every product.
"""

from pathlib import Path

import numpy as np

from ogas.cluster import answer
from ogas.cluster.answer import Answer
from ogas.cluster.planning import table_of
from ogas.cluster.summary import below_one, console, counted
from ogas.datasets.plans import read_plan
from ogas.engine.certificate import Certificate, figures_of
from ogas.engine.errors import DamagedError, WitnessError
from ogas.engine.plan import Column, Plan, verify
from ogas.engine.table import Table

# The published witness proves the published bounds anew (`ogas.engine.certificate`), but for the
# order of summation and, with an uncertain table, for the uncertainty of the middle itself: in
# 1,056 plans of published and synthetic tables the recomputed bounds reached at most 1 % of a
# half-width, or 1e-15 of turnover, beyond the stored ones.
ALLOWANCE = 1.05
ROUNDING = 4e-15
AGAIN = "plan it again"


def verified(path: Path) -> Answer:
    """Return what the stored witness proves of a stored plan.

    ``certified`` if that is at least what the plan claims and what was requested,
    ``precision_not_reached`` if it is less, ``damaged`` if plan and table contradict each other.
    """
    try:
        plan = read_plan(path)
        _, table = table_of(plan)
        _check_consistency(table, plan)
    except DamagedError as error:
        return Answer({"outcome": "damaged", **_nothing()}, _quiet, answer.DAMAGED, str(error))
    try:
        certificates = verify(table, plan)
    except WitnessError as error:
        return Answer(
            {"outcome": "precision_not_reached", **_nothing()},
            _quiet,
            answer.NOT_REACHED,
            f"the stored witness proves nothing: {error}",
        )
    return _judged(plan, certificates)


def _judged(plan: Plan, certificates: tuple[Certificate, ...]) -> Answer:
    digits = min(found.digits_certified for found in certificates)
    facts = {
        "digits_certified": digits,
        "relative_half_width": max(found.relative_half_width for found in certificates),
        "radius_bound": max(found.radius_bound for found in certificates),
        "residual": max(found.residual for found in certificates),
    }
    unproved = sum(map(_unproven, plan.columns, certificates))
    if unproved or digits < plan.facts["digits_requested"]:
        complaint = (
            f"{counted(digits, 'figure')} of every product proven, "
            f"{plan.facts['digits_requested']} requested"
        )
        if unproved:
            complaint += f"; {counted(unproved, 'stored bound')} cannot be proven"
        return Answer(
            {"outcome": "precision_not_reached", **facts}, _quiet, answer.NOT_REACHED, complaint
        )

    def show() -> None:
        console().print(
            f"certified: {counted(digits, 'figure')} of every one of "
            f"{counted(len(plan.ids), 'product')} proven from table, output and witness alone\n"
            f"worst product known to ± {100 * facts['relative_half_width']:.2g} % of its turnover, "
            f"spectral radius at most {below_one(facts['radius_bound'])}, "
            f"largest imbalance {facts['residual']:.1e} of turnover"
        )

    return Answer({"outcome": "certified", **facts}, show)


def _unproven(column: Column, found: Certificate) -> int:
    """Return how many stored bounds are narrower than the proven ones, or flatter themselves.

    The proven bounds must lie within the stored ones: a width alone says nothing of where they lie.
    A turnover larger than the true one would make the same width look more precise; that of the
    output that was certified first differs from that of the published one by less than its bounds.
    """
    half = np.minimum(0.5 * (column.upper - column.lower), np.finfo(np.float64).max)
    slack = (ALLOWANCE - 1.0) * half + ROUNDING * found.turnover
    beyond = np.maximum(column.lower - found.lower, found.upper - column.upper) > slack
    flattering = column.turnover > ALLOWANCE * found.turnover + half
    return int(np.count_nonzero(beyond | flattering))


def _check_consistency(table: Table, plan: Plan) -> None:
    """Raise DamagedError if the plan contradicts its table or itself."""
    if not np.array_equal(table.ids, plan.ids):
        raise DamagedError("the plan has other products than its table", advice=AGAIN)
    least = min(int(column.figures.min()) for column in plan.columns)
    if plan.facts["digits_certified"] != least:
        raise DamagedError(
            f"the plan claims {plan.facts['digits_certified']} figures, its products {least}",
            advice=AGAIN,
        )
    for column in plan.columns:
        is_priced = plan.kind == "values"
        direct = table.factors.get(column.name) if is_priced else table.demand
        own = is_priced or plan.facts["demand_from"] == "table"
        if own and (direct is None or not np.array_equal(direct, column.demand.nominal)):
            raise DamagedError(
                f"the {column.name or 'demand'} of the plan is not its table's",
                advice=AGAIN,
            )
        given = column.demand
        if (own and not given.is_exact) or not (
            (given.lower <= given.nominal) & (given.nominal <= given.upper)
        ).all():
            raise DamagedError("the bounds of the demand do not enclose it", advice=AGAIN)
        inside = (column.lower <= column.output) & (column.output <= column.upper)
        figures = figures_of(column.relative_half_widths)
        wrong = np.flatnonzero(~inside | (figures != column.figures))
        if wrong.size:
            raise DamagedError(
                "output, bounds and figures contradict each other",
                where=f"product {plan.ids[wrong[0]]!s}",
                advice=AGAIN,
            )


def _nothing() -> dict[str, object]:
    names = ("relative_half_width", "radius_bound", "residual")
    return {"digits_certified": 0, **dict.fromkeys(names)}


def _quiet() -> None:
    """Print nothing: the complaint on stderr says it."""
