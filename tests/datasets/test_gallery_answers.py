"""Textbook problems have the answers in their docstrings; answers are answers."""

import numpy as np
import pytest

from ogas.datasets import answers, textbook
from ogas.datasets.answers import answer
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.engine.errors import InvalidInputError, WrongUsageError
from ogas.engine.table import Table, coefficients_from

SEED = 3307
WORKED = [
    textbook.two_sectors,
    textbook.three_sectors,
    textbook.by_product,
    textbook.nobody_wants,
]


@pytest.mark.parametrize("problem", WORKED)
@pytest.mark.parametrize("what", ["quantities", "values"])
@pytest.mark.parametrize("dense", [True, False])
def test_answers_are_those_worked_by_hand(problem, what, dense, monkeypatch):
    monkeypatch.setattr(answers, "MOST_DENSE", 3_000 if dense else 0)
    table = problem()
    known = table.meta.get(what)
    figures = 3e-7 if problem is textbook.three_sectors else 1e-15
    if known is not None:
        assert answer(table, what) == pytest.approx(known, rel=figures)


@pytest.mark.parametrize("problem", WORKED)
def test_labour_spent_equals_the_value_of_demand(problem):
    table = problem()
    spent = table.factors["labour"] @ answer(table)
    assert spent == pytest.approx(answer(table, "values") @ table.demand, rel=1e-14)


def test_what_nobody_wants_is_exactly_zero():
    assert (answer(textbook.nobody_wants())[2:] == 0).all()


@pytest.mark.parametrize("recipe", ["sectors:S2", "sectors:S3,units=mixed", "ccm"])
@pytest.mark.parametrize("products", [1_000, 4_000])
def test_answers_satisfy_the_balance_to_rounding(recipe, products):
    table = generate(recipe, Parameters(products=products, seed=SEED))
    output, value = answer(table), answer(table, "values")
    balance = table.demand + table.coefficients @ output - output
    assert (np.abs(balance) <= 1e-13 * output).all()
    balance = table.factors["labour"] + table.coefficients.T @ value - value
    assert (np.abs(balance) <= 1e-13 * value).all()


@pytest.mark.parametrize("products", [4, 900])
def test_near_the_critical_radius_total_output_is_demand_over_the_gap(products):
    table = textbook.nearly_critical(1e-10, products, seed=SEED)
    gap = table.meta["gap"]
    assert gap == pytest.approx(1e-10, rel=1e-5)
    assert answer(table).sum() == pytest.approx(products / gap, rel=1e-8)
    assert answer(table, "values") == pytest.approx(1, rel=1e-8)


@pytest.mark.parametrize("gap", [1e-10, -1e-10])
def test_every_column_of_the_critical_economy_adds_up_to_one_minus_the_gap_exactly(gap):
    table = textbook.nearly_critical(gap, 20_000, seed=SEED)
    columns = table.coefficients.tocsc()
    # Every entry is a multiple of 2⁻⁵³: as integers they add up without rounding.
    whole = (columns.data * 2.0**53).astype(np.int64)
    sums = np.add.reduceat(whole, columns.indptr[:-1])
    assert (sums == 2**53 - round(table.meta["gap"] * 2**53)).all()


def test_a_radius_a_hair_above_one_is_not_productive():
    with pytest.raises(InvalidInputError, match="not productive"):
        answer(textbook.nearly_critical(-1e-10, 300, seed=SEED))


@pytest.mark.parametrize("products", [600, 4_000])
def test_three_hidden_products_make_the_economy_unproductive(products):
    table = textbook.hidden_loop(products, seed=SEED)
    loop = table.meta["loop"]
    corner = table.coefficients[loop][:, loop].toarray()
    assert np.abs(np.linalg.eigvals(corner)).max() >= 1.1
    with pytest.raises(InvalidInputError, match="not productive"):
        answer(table)


def test_a_coefficient_in_the_wrong_unit_gives_a_huge_radius():
    table = textbook.wrong_unit(seed=SEED)
    i, j = table.meta["entry"]
    both = table.coefficients[i, j] * table.coefficients[j, i]
    assert both**0.5 == pytest.approx(table.meta["radius_at_least"])
    assert table.meta["radius_at_least"] > 30
    with pytest.raises(InvalidInputError, match="not productive"):
        answer(table)


def test_a_series_that_neither_vanishes_nor_grows_everywhere_is_given_up(monkeypatch):
    monkeypatch.setattr(answers, "MOST_TERMS", 50)
    table = generate("sectors:S4", Parameters(products=4_000, seed=SEED))
    with pytest.raises(InvalidInputError, match="does not converge"):
        answer(table)


def test_a_singular_table_is_refused():
    halves = coefficients_from(np.full((2, 2), 0.5))
    table = Table(halves, np.arange(2), np.ones(2))
    with pytest.raises(InvalidInputError, match="singular"):
        answer(table)


@pytest.mark.parametrize(
    ("what", "factor", "said"),
    [
        ("prices", None, "ask for quantities or values"),
        ("values", "energy", "it has: labour"),
    ],
)
def test_a_question_without_an_answer_says_what_can_be_asked(what, factor, said):
    with pytest.raises(WrongUsageError, match=said):
        answer(textbook.two_sectors(), what, factor)


def test_a_table_without_demand_has_no_quantities():
    table = Table(textbook.two_sectors().coefficients, np.arange(2))
    with pytest.raises(WrongUsageError, match="no demand"):
        answer(table)
