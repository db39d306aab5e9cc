"""Aggregation: sums stay, the balance stays, and what has no common unit is not added up."""

from dataclasses import replace

import numpy as np
import problems
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.engine.aggregation import Concordance, Weights, aggregated
from ogas.engine.block import Cut
from ogas.engine.errors import InvalidInputError
from ogas.engine.header import Header
from ogas.engine.table import Table, coefficients_from


def small(table, concordance, weights):
    return aggregated(Header.of(table), Cut(table), concordance, weights)


def shared(draws, n, m):
    """A concordance in which about a third of the products belong to several aggregates."""
    C = np.zeros((n, m))
    C[np.arange(n), draws.integers(0, m, n)] = 1
    several = draws.random(n) < 0.3
    C[several] += draws.random((several.sum(), m)) * (draws.random((several.sum(), m)) < 0.5)
    return Concordance(np.arange(m), csr_array(C / C.sum(axis=1, keepdims=True)))


@st.composite
def cases(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 12))
    A = rng.random((n, n)) * (rng.random((n, n)) < 0.5) * np.where(rng.random((n, n)) < 0.1, -1, 1)
    x = rng.lognormal(0, 2, n)
    f = x - A @ x
    labels = rng.integers(0, draw(st.integers(1, 4)), n)
    blocks = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    factors = {"labour": rng.random(n), "co2": rng.random(n)}
    table = Table(
        coefficients_from(A),
        np.arange(n),
        demand=f,
        factors=factors,
        blocks=blocks if draw(st.booleans()) else None,
        price=rng.random(n),
    )
    return table, x, shared(rng, n, draw(st.integers(1, 5)))


def close(found, expected, figures=1e-12):
    scale = np.abs(expected).max(initial=1e-300)
    assert np.abs(found - expected).max(initial=0.0) <= figures * scale


@given(case=cases())
def test_the_aggregates_are_the_dense_formula_whatever_the_blocks(case):
    table, x, concordance = case
    C, A = concordance.shares.toarray(), table.coefficients.toarray()
    members = C.T @ x > 0
    found = small(table, concordance, Weights(x, table.demand))
    close(found.output, C.T @ x)
    close(found.demand, C.T @ table.demand)
    close(found.coefficients.toarray() * (C.T @ x), C.T @ (A * x) @ C)
    for name, amounts in table.factors.items():
        close(found.factors[name] * found.output, C.T @ (amounts * x))
    close(found.price[members], (C.T @ (table.price * x))[members] / (C.T @ x)[members])


@given(case=cases())
def test_the_balance_of_the_aggregates_is_exact_and_totals_stay(case):
    table, x, concordance = case
    found = small(table, concordance, Weights(x, table.demand))
    turnover = (np.abs(table.coefficients.toarray()) @ x).sum() + np.abs(table.demand).sum()
    gap = found.output - found.coefficients @ found.output - found.demand
    assert np.abs(gap).max() <= 1e-13 * turnover
    close(found.output.sum(), x.sum())
    close(found.demand.sum(), table.demand.sum(), 1e-12 * turnover / abs(table.demand.sum()))
    for name, amounts in table.factors.items():
        close(found.factors[name] @ found.output, amounts @ x)


@given(case=cases())
def test_in_money_prices_are_one_and_values_stay(case):
    table, x, concordance = case
    table = replace(table, units=np.array(["kg", "m"] * len(table))[: len(table)])
    found = small(table, concordance, Weights(x, table.demand, table.price))
    assert found.units == "money"
    close(found.output.sum(), table.price @ x)
    assert np.isin(np.round(found.price, 12), [0, 1]).all()
    gap = found.output - found.coefficients @ found.output - found.demand
    turnover = table.price @ (np.abs(table.coefficients) @ x + np.abs(table.demand))
    assert np.abs(gap).max() <= 1e-13 * turnover


def test_aggregated_one_by_one_a_table_stays_as_it_is():
    table = generate("sectors:S2", Parameters(products=200, seed=20261122))
    x = np.linalg.solve(np.eye(200) - table.coefficients.toarray(), table.demand)
    found = small(table, Concordance.by(table.ids), Weights(x, table.demand))
    close(found.coefficients.toarray(), table.coefficients.toarray(), 1e-15)
    close(found.output, x, 0)


def test_aggregation_in_two_steps_is_aggregation_in_one():
    table = problems.solvable("sectors:S1")
    n = len(table)
    x = np.linalg.solve(np.eye(n) - table.coefficients.toarray(), table.demand)
    fine, coarse = np.arange(n) // 10, np.arange(n) // 60
    one = small(table, Concordance.by(coarse), Weights(x, table.demand))
    between = small(table, Concordance.by(fine), Weights(x, table.demand))
    two = small(between, Concordance.by(between.ids // 6), Weights(between.output, between.demand))
    close(two.coefficients.toarray(), one.coefficients.toarray(), 1e-13)
    close(two.demand, one.demand, 1e-13)


def test_an_aggregate_without_output_has_an_empty_recipe():
    table = problems.table_of([[0.1, 0.2], [0.3, 0.4]])
    found = small(table, Concordance.by(np.array(["a", "b"])), Weights(np.array([0.0, 3]), None))
    assert found.coefficients.toarray().tolist() == [
        [0, pytest.approx(0.2)],
        [0, pytest.approx(0.4)],
    ]
    assert found.factors["labour"].tolist() == [0, 1]
    assert found.demand is None


@pytest.mark.parametrize(
    ("output", "pattern"),
    [
        ([1, -2], r"aggregate all: its output.* negative \(-1\)"),
        ([2, -2], "aggregate all: the outputs of its products cancel to 0"),
    ],
)
def test_outputs_that_cancel_are_refused(output, pattern):
    table = problems.table_of([[0.1, 0.2], [0.3, 0.1]])
    weights = Weights(np.array(output, float), None)
    with pytest.raises(InvalidInputError, match=pattern):
        small(table, Concordance.by(np.array(["all", "all"])), weights)


def test_tons_and_pieces_are_not_added_up():
    table = replace(
        problems.table_of(np.eye(4) / 2),
        ids=np.array(["coal", "ore", "cars", "iron"]),
        units=np.array(["t", "t", "pieces", "t"]),
    )
    weights = Weights(np.ones(4), None)
    apart = small(table, Concordance.by(np.array([1, 1, 0, 1])), weights)
    assert apart.units.tolist() == ["pieces", "t"]
    with pytest.raises(
        InvalidInputError, match=r"aggregate 0: product .* is measured in .*--money"
    ):
        small(table, Concordance.by(np.array([1, 1, 0, 0])), weights)
