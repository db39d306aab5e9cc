"""Every published table, planned and priced: figures, passes, and how much the bounds overstate."""

from dataclasses import replace
from functools import cache

import numpy as np
import problems
import pytest

from ogas.datasets.answers import answer
from ogas.engine.blocking import into
from ogas.engine.outcome import Outcome

FIGURES = (3, 6, 10)
MONEY, KIND = (9, 13, 18), (11, 15, 18)  # passes, certificate included
IN_KIND = ("uslci", "japan")


@cache
def answers_of(path, kind):
    """What SciPy says of the table in float64."""
    return answer(problems.published(path), kind)


@pytest.fixture(scope="module")
def overstated():
    """Certified width over true error of the worst product, by kind, figures and table."""
    return {}


def test_a_published_table_is_planned_and_priced_within_its_passes(published_table, overstated):
    table = problems.published(published_table)
    budget = KIND if published_table.stem.startswith(IN_KIND) else MONEY
    for kind in problems.KINDS:
        answers = answers_of(published_table, kind)
        for figures, most in zip(FIGURES, budget, strict=True):
            solution = problems.solved(table, kind, "anderson", figures)
            assert solution.outcome is Outcome.CERTIFIED
            assert solution.history.passes <= most
            certificate = solution.certificate
            margin = 4e-16 * certificate.turnover
            assert (certificate.lower <= answers + margin).all()
            assert (answers - margin <= certificate.upper).all()
            assert certificate.digits_certified >= figures
            assert (certificate.structural_zeros == (answers == 0)).all()
            scale = np.maximum(certificate.turnover, 1e-300)
            error = float(np.max(np.abs(certificate.output - answers) / scale))
            ratio = certificate.relative_half_width / max(error, 1e-16)
            overstated[kind, figures, published_table.stem] = ratio


@pytest.mark.parametrize("blocks", [1, 4])
def test_a_published_table_is_planned_in_float32_and_bounded_in_float64(published_table, blocks):
    table = problems.published(published_table)
    if blocks > 1:
        table = replace(table, blocks=into(table, min(blocks, len(table))).blocks)
    for kind in problems.KINDS:
        with problems.rounded_to_float32():
            problem = problems.by_blocks(table, kind, figures=3)
        assert problem.is_rounded
        solution = problems.planned(problem, 3)
        assert solution.outcome is Outcome.CERTIFIED
        assert solution.history.passes <= 20
        certificate, answers = solution.certificate, answers_of(published_table, kind)
        assert certificate.digits_certified >= 3
        assert (certificate.lower <= answers).all()
        assert (answers <= certificate.upper).all()
        assert (certificate.structural_zeros == (answers == 0)).all()


def test_bounds_overstate_the_error_less_than_tenfold_in_the_median(published_tables, overstated):
    if len(overstated) < len(published_tables) * 6:
        pytest.skip("only some of the tables were chosen")
    for figures in FIGURES:
        ratios = [ratio for (_, wanted, _), ratio in overstated.items() if wanted == figures]
        assert np.median(ratios) < 10


def test_labour_spent_is_the_value_of_demand_in_every_published_table(published_table):
    table = problems.published(published_table)
    quantity, value = (problems.solved(table, kind).certificate for kind in problems.KINDS)
    labour, demand = table.factors["labour"], table.demand
    spent, worth = labour @ quantity.output, demand @ value.output
    widths = [
        np.abs(weights) @ (certificate.upper - certificate.lower)
        for weights, certificate in ((labour, quantity), (demand, value))
    ]
    assert abs(spent - worth) <= sum(widths) + 1e-12 * abs(spent)
