"""What flows between products, by estimates or published figures; and what of it crosses blocks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import nonnegative_matrices

from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.engine.block import Cut
from ogas.engine.boundary import Partitioned, survey, value_share, warnings
from ogas.engine.flows import Measure, links, measured, whole
from ogas.engine.table import Table, coefficients_from

SEED = 20261122


def table_of(matrix, **fields):
    return Table(coefficients_from(matrix), np.arange(len(matrix)), **fields)


# ---- links ---------------------------------------------------------------------------------------


@given(matrix=nonnegative_matrices())
@example(matrix=np.array([[0.0, 1e308], [1e308, 0.0]]))
def test_links_are_the_shares_in_the_bill_and_in_the_sales(matrix):
    n = len(matrix)
    rng = np.random.default_rng(SEED)
    price, output = rng.lognormal(0.0, 2.0, (2, n))
    found = links(coefficients_from(matrix), Measure(output, price)).toarray()
    expected = np.zeros((n, n))
    for i, j in np.argwhere(matrix > 0):
        scaled = matrix / matrix.max()
        bill = sum(price[k] * scaled[k, j] for k in range(n))
        sales = sum(scaled[i, k] * output[k] for k in range(n))
        share = price[i] * scaled[i, j] / bill + scaled[i, j] * output[j] / sales
        if share >= 0.01 and i != j:
            expected[i, j] += share
            expected[j, i] += share
    close = np.isclose(found, expected, rtol=1e-9)
    assert close.all() or np.abs(matrix).max() > 1e300


def test_where_nothing_is_known_inputs_and_users_are_counted():
    matrix = np.array([[0.5, 9.0, 0.0], [0.0, 0.0, 1e-9], [0.0, 7.0, 0.0]])
    found = links(coefficients_from(matrix), Measure(None, None)).toarray()
    assert found.tolist() == [[0, 1, 0], [1, 0, 3.5], [0, 3.5, 0]]


def test_estimates_of_outputs_and_prices_come_close_to_the_solution():
    matrix = generate("sectors:S2", Parameters(products=400, seed=7)).coefficients
    rng = np.random.default_rng(SEED)
    demand, labour = rng.lognormal(0.0, 1.0, (2, 400))
    table = Table(matrix, np.arange(400), demand=demand, factors={"labour": labour})
    found = measured(table, 400, whole(matrix))
    dense = np.eye(400) - matrix.toarray()
    output, price = np.linalg.solve(dense, demand), np.linalg.solve(dense.T, labour)
    assert np.abs(found.output - output).sum() < 0.2 * output.sum()
    assert np.abs(found.price - price).sum() < 0.2 * price.sum()
    in_blocks = replace(table, blocks=np.arange(400) % 7)
    again = measured(table, 400, lambda: Cut(in_blocks))
    assert np.allclose(again.output, found.output, rtol=1e-12)
    assert np.allclose(again.price, found.price, rtol=1e-12)


def test_what_is_published_is_not_estimated():
    output, price = np.array([3.0, 5.0]), np.array([2.0, 7.0])
    table = table_of(np.eye(2) / 2, output=output, price=price, demand=np.ones(2))
    found = measured(table, 2, lambda: pytest.fail("A was read"))
    assert (found.output.tolist(), found.price.tolist()) == ([3, 5], [2, 7])
    alike = measured(table_of(np.eye(2) / 2, units="t"), 2, lambda: pytest.fail("A was read"))
    assert (alike.output.tolist(), alike.price.tolist()) == ([1, 1], [1, 1])
    nothing = measured(table_of(np.eye(2) / 2), 2, lambda: pytest.fail("A was read"))
    assert nothing.output is None
    assert nothing.price is None


def test_an_economy_that_explodes_is_measured_by_nothing():
    table = table_of(np.full((2, 2), 1e200), demand=np.ones(2), factors={"labour": np.ones(2)})
    found = measured(table, 2, whole(table.coefficients))
    assert found.output is None
    assert found.price is None
    assert value_share(replace(table, blocks=np.array([0, 1]))) is None


# ---- what crosses --------------------------------------------------------------------------------


@given(matrix=nonnegative_matrices(), data=st.data())
def test_what_crosses_is_counted_as_by_hand(matrix, data):
    n = len(matrix)
    blocks = np.array(data.draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n)))
    rng = np.random.default_rng(SEED)
    output, price = rng.lognormal(0.0, 2.0, (2, n))
    table = table_of(matrix, blocks=blocks)
    pairs = [(i, j) for i, j in np.argwhere(matrix != 0) if blocks[i] != blocks[j]]
    flows = price[:, None] * matrix * output
    crossing = sum(flows[i, j] for i, j in pairs)
    for blocks_of in (whole(table.coefficients), lambda: Cut(table)):
        found = survey(Measure(output, price), blocks, blocks_of)
        assert found.words == len({(i, blocks[j]) for i, j in pairs})
        assert found.words_row_owned == len({(blocks[i], j) for i, j in pairs})
        assert found.share_of_value == pytest.approx(crossing / max(flows.sum(), 1e-300))
    assert found.words == sum(len(block.ext) for block in Cut(table))


def test_electricity_crosses_once_for_a_block_that_owns_its_columns():
    """The example of the module: one product, used by all five of another block."""
    matrix = np.zeros((6, 6))
    matrix[0, 1:] = 0.1
    found = survey(
        Measure(None, None), np.array([0, 1, 1, 1, 1, 1]), whole(coefficients_from(matrix))
    )
    assert (found.words, found.words_row_owned, found.share_of_value) == (1, 5, None)


@pytest.mark.parametrize(
    ("products", "nonzeros", "external", "share", "words"),
    [
        ([10, 10], [100, 100], [2, 2], 0.2, []),
        ([10, 10], [100, 100], [2, 2], None, []),
        ([10], [100], [0], 0.0, []),
        ([10, 10], [100, 100], [2, 2], 0.61, ["61% of the value of flows cross"]),
        ([10, 10], [20, 20], [9, 9], 0.2, []),
        (
            [10, 10],
            [20, 20],
            [30, 30],
            0.2,
            ["blocks exchange 3 numbers per product", "has 2 inputs"],
        ),
        ([10, 10, 10], [300, 10, 10], [1, 1, 1], 0.2, ["block 0 holds 94%", "--blocks 3"]),
        ([10, 10], [70, 30], [1, 1], 0.2, []),
        ([10, 10], [90, 10], [1, 1], 0.2, ["block 0 holds 90%"]),
        ([70_000, 5], [700_000, 700_000], [1, 1], 0.2, ["1 of 2 blocks", "block 0: 70,000"]),
        ([200_000], [10**6], [0], 0.0, ["1 of 1 blocks", "--blocks 4 or more"]),
    ],
)
def test_warnings_say_why_a_partition_does_not_pay(products, nonzeros, external, share, words):
    found = warnings(Partitioned(*map(np.array, (products, nonzeros, external))), share)
    assert len(found) == bool(words)
    for word in words:
        assert word in found[0]


@pytest.mark.parametrize("recipe", ["sectors:S1", "sectors:S4", "sectors:S2,units=mixed"])
def test_the_estimated_share_of_value_is_close_to_that_of_the_solution(recipe):
    table = generate(recipe, Parameters(products=1200, seed=11))
    dense = np.eye(1200) - table.coefficients.toarray()
    labour = next(iter(table.factors.values()))
    output, price = np.linalg.solve(dense, table.demand), np.linalg.solve(dense.T, labour)
    exact = value_share(replace(table, output=output, price=price))
    assert value_share(table) == pytest.approx(exact, rel=0.1)
