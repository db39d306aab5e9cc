"""The table between blocks: when it may be followed, and that it never makes a wrong plan."""

from dataclasses import replace

import numpy as np
import problems
import pytest
from scipy.sparse import csc_array

from ogas.datasets.answers import answer
from ogas.engine import sector_table
from ogas.engine.account import Columns
from ogas.engine.outcome import Outcome
from ogas.engine.sector_table import LEAST, MOST, SectorTable, corrections

SEED = 90210377
COLUMNS = Columns(plans=1, is_mixed=False)


def table_of(flows, worth, surplus, imbalance):
    """A table of nothing negative."""
    flows, worth = csc_array(np.array(flows, float)), np.array(worth, float)
    right = np.array(imbalance, float)[:, None]
    return SectorTable(flows, flows, worth, worth, right, np.array(surplus, float))


def test_a_table_of_two_blocks_moves_each_as_worked_by_hand():
    # (1 - S) [1, 1] = [1/2, 1/2], so imbalances of 1/2 want one witness more of each.
    found = corrections(table_of([[0, 0.5], [0.5, 0]], [1, 1], [1, 0.5], [0.5, 0.5]), COLUMNS)
    assert found.note == ""
    assert found.shift[:, 0] == pytest.approx([1, 1])
    assert found.factor[:, 1] == pytest.approx([5 / 3, 4 / 3])
    assert (found.factor[:, 0] == 1).all()
    assert not found.shift[:, 1].any()


def test_a_witness_is_scaled_within_limits():
    found = corrections(table_of([[0, 0], [0, 0]], [1, 1], [1e-5, 1e5], [0, 0]), COLUMNS)
    assert found.factor[:, 1].tolist() == [LEAST, MOST]


@pytest.mark.parametrize(
    ("flows", "worth", "surplus"),
    [
        ([[0, 2], [2, 0]], [1, 1], [1, 1]),  # radius 2
        ([[0, 1], [1, 0]], [1, 1], [1, 1]),  # radius 1: exactly singular
        ([[0.5, -0.1], [0.1, 0.5]], [1, 1], [1, 1]),  # what is taken cannot be negative
        ([[0.5, 0.1], [0.1, 0.5]], [1, 1], [1, 0]),  # no surplus, no proof
        ([[0.5, 0.1], [0.1, 0.5]], [1, 1], [1, np.nan]),
        ([[0.5, np.nan], [0.1, 0.5]], [1, 1], [1, 1]),
        ([[0.5, np.inf], [0.1, 0.5]], [1, 1], [1, 1]),
        ([[0.5, 0.1], [0.1, 0.5]], [np.nan, 1], [1, 1]),
    ],
)
@pytest.mark.parametrize("dense", [sector_table.DENSE, 1])
def test_what_is_no_m_matrix_is_not_followed_and_that_is_recorded(
    flows, worth, surplus, dense, monkeypatch
):
    monkeypatch.setattr(sector_table, "DENSE", dense)
    found = corrections(table_of(flows, worth, surplus, [1, 1]), COLUMNS)
    assert "skipped" in found.note
    assert (found.factor == 1).all()
    assert not found.shift.any()


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_an_imbalance_that_is_no_number_is_not_followed(wrong):
    found = corrections(table_of([[0, 0.5], [0.5, 0]], [1, 1], [1, 1], [wrong, 0]), COLUMNS)
    assert "skipped" in found.note
    assert not found.shift.any()


def test_dense_and_sparse_solutions_agree(monkeypatch):
    draw = np.random.default_rng(SEED)
    flows = draw.random((50, 50)) * (draw.random((50, 50)) < 0.2) / 10
    table = table_of(flows, draw.random(50) + 1, draw.random(50), draw.normal(size=50))
    dense = corrections(table, COLUMNS)
    monkeypatch.setattr(sector_table, "DENSE", 1)
    sparse = corrections(table, COLUMNS)
    assert sparse.shift == pytest.approx(dense.shift, rel=1e-10)
    assert sparse.factor == pytest.approx(dense.factor, rel=1e-10)


@pytest.mark.parametrize("name", ["sectors:S1", "sectors:S4", "sectors:S1,signed"])
@pytest.mark.parametrize("power", [1, 4])
def test_false_prices_cost_passes_and_make_no_wrong_plan(name, power):
    table = problems.solvable(name)
    wrong = 10.0 ** np.random.default_rng(SEED + power).uniform(-power, power, len(table))
    problem = problems.by_blocks(replace(table, price=wrong), figures=3)
    assert not problem.is_priced  # they are noticed, so that no one has to trust the table
    problem = replace(problem, is_priced=True)
    solution = problems.planned(problem, 3)
    assert all(record.note == "" or "skipped" in record.note for record in solution.history.records)
    assert any("skipped" in record.note for record in solution.history.records)
    assert solution.outcome is not Outcome.NOT_PRODUCTIVE
    if power == 1:
        assert solution.outcome is Outcome.CERTIFIED
    for certificate in solution.certificates:
        problems.check_enclosed(answer(table), certificate)


@pytest.mark.parametrize("nonsense", [1e-300, 1e300, -1.0, np.nan, np.inf])
def test_prices_that_are_not_those_of_the_accounts_make_no_wrong_plan(nonsense):
    table = problems.solvable("sectors:S1")
    price = np.ones(len(table))
    price[::7] = nonsense
    problem = problems.by_blocks(table)
    share = problem.exchange.share
    share.sectors = tuple(
        replace(block, price=price[block.products], ext_price=price[block.ext])
        for block in share.sectors
    )
    problem = replace(problem, is_priced=True)
    solution = problems.planned(problem, 6)
    assert solution.outcome in (Outcome.CERTIFIED, Outcome.PRECISION_NOT_REACHED)
    for certificate in solution.certificates:
        problems.check_enclosed(answer(table), certificate)
