"""Entries that were dropped are covered by their bounds, whatever they were."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import problems
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ogas.benchmarks import density
from ogas.benchmarks.dropping import Case, Known, Way
from ogas.benchmarks.remainder import Remainder, covered, remainder_of, split
from ogas.benchmarks.truth import dense_solution
from ogas.datasets import forms
from ogas.datasets.catalog import locate
from ogas.datasets.store import open_store
from ogas.engine.balance import Demand, quantities
from ogas.engine.certificate import half_width_for
from ogas.engine.errors import WitnessError, WrongUsageError
from ogas.engine.iterate import Precision, solve
from ogas.engine.table import coefficients_from

SEED = 38811906
BEA = "bea2017_detail_hours_before.npz"
BUNDLED = open_store(locate("us-2021")).load()
KNOWN = list(Known)


def holds(certificate, x):
    return bool(((certificate.lower <= x) & (x <= certificate.upper)).all())


def true_plan(table, demand=None):
    return dense_solution(quantities(table, None if demand is None else Demand.exact(demand)))


def within(draw, remainder, n):
    """Entries E >= 0, anywhere, with ``E s`` between least and most; in few or many places."""
    E = draw.random((n, n)) ** draw.choice([1.0, 8.0]) * (draw.random((n, n)) < draw.random())
    E[np.arange(n), draw.integers(0, n, n)] += 1e-3
    place = draw.choice([0.0, 1.0, 0.5], n) if draw.random() < 0.5 else draw.random(n)
    wanted = remainder.least + place * (remainder.most - remainder.least)
    wanted = np.clip(wanted, remainder.least * (1 + 1e-14), remainder.most * (1 - 1e-14))
    return E * (wanted / (E @ remainder.scale))[:, None]


@pytest.fixture(scope="module")
def bea(data_folder):
    return forms.read(data_folder / BEA).table


def test_bounds_are_those_worked_by_hand():
    # x = (1 + x2/2, 1 + x1/4) = (12, 10)/7. The quarter is dropped: at x, at most 3/7 of product 2
    # goes into product 1. Then x2 is between 1 and 10/7, and x1 between 3/2 and 12/7.
    table = problems.table_of([[0, 0.5], [0.25, 0]])
    kept, dropped = split(table, np.array([True, False]))
    remainder = remainder_of(dropped, np.array([12.0, 10.0]) / 7.0, is_total=False)
    found = covered(kept, remainder, Demand.exact(table.demand))
    assert found.lower == pytest.approx([3 / 2, 1], abs=1e-3)
    assert found.upper == pytest.approx([12 / 7, 10 / 7], abs=1e-3)
    assert (found.lower <= [3 / 2, 1]).all()
    assert (found.upper >= [12 / 7, 10 / 7]).all()


@pytest.mark.parametrize("known", KNOWN)
@given(seed=st.integers(0, 2**32 - 1), more=st.sampled_from([0.5, 1.0, 1.7]))
def test_every_economy_within_the_remainder_has_its_plan_within_the_bounds(known, seed, more):
    draw, n = np.random.default_rng(seed), 9
    A = draw.lognormal(0.0, 2.0, (n, n)) * (draw.random((n, n)) < 0.7)
    A *= draw.uniform(0.2, 0.95) / max(np.abs(np.linalg.eigvals(A)).max(), 1e-9)
    table = problems.table_of(coefficients_from(A), demand=draw.lognormal(0.0, 1.0, n))
    scale, wanted = true_plan(table), more * table.demand * draw.uniform(0.9, 1.1, n)
    kept, dropped = split(table, draw.random(table.nonzeros) < draw.random())
    remainder = remainder_of(dropped, scale, is_total=known is Known.TOTAL)
    bounds = covered(kept, remainder, Demand.exact(wanted))
    assert holds(bounds, true_plan(table, wanted))
    for _ in range(5):
        E = within(draw, remainder, n)
        other = replace(table, coefficients=coefficients_from(kept.coefficients + E))
        assert holds(bounds, true_plan(other, wanted))


@pytest.mark.parametrize("table", [problems.solvable("sectors:S1"), BUNDLED], ids=["S1", "us-2021"])
def test_the_plan_of_the_whole_table_lies_within_the_bounds_in_every_way(table):
    found = list(density.kept(table, (2,)))
    assert len(found) == len(KNOWN) * len(Way)
    for row in found:
        assert row.is_true is (None if row.proven == 0 else True)
        if row.way is not Way.SAID:
            assert row.proven == 2
            assert row.half_width <= half_width_for(2)
            assert row.at_least <= row.entries <= table.nonzeros


@pytest.mark.parametrize("known", KNOWN)
def test_without_the_bound_of_the_dropped_the_truth_is_missed(known):
    table = problems.solvable("sectors:S1")
    case = Case.of(table, known)
    keep = case.fewest(case.flows, 1)
    kept, _ = split(table, keep)
    true, nothing = true_plan(table, case.demand.nominal), np.zeros(len(table))
    assert holds(case.proof(keep), true)
    assert not holds(covered(kept, Remainder(case.scale, nothing, nothing), case.demand), true)
    alone = solve(quantities(kept, case.demand), precision=Precision(figures=6))
    assert not holds(alone.certificate, true)


def test_the_bound_follows_a_demand_that_outgrows_its_scale():
    table = problems.solvable("sectors:S1")
    case = Case.of(table, Known.BOUND)
    keep = case.fewest(case.flows, 1)
    kept, dropped = split(table, keep)
    for factor in (0.01, 30.0):
        remainder = remainder_of(dropped, case.scale, is_total=True)
        bounds = covered(kept, remainder, Demand.exact(factor * table.demand))
        assert holds(bounds, factor * true_plan(table))


@pytest.mark.parametrize("box", [(1.0, 1.0), (0.5, 2.0), (2.9, 2.9), (3.0, 3.1)], ids=str)
def test_a_wrong_box_is_widened_or_refused_but_never_believed(monkeypatch, box):
    table = problems.table_of([[0, 0.5], [0.25, 0]])
    kept, dropped = split(table, np.array([True, False]))
    remainder = remainder_of(dropped, np.array([12.0, 10.0]) / 7.0, is_total=True)
    monkeypatch.setattr("ogas.benchmarks.remainder._box", lambda *_: box)
    found = None
    with suppress(WitnessError):
        found = covered(kept, remainder, Demand.exact(3 * table.demand))
    assert found is None or holds(found, np.array([36.0, 30.0]) / 7.0)


def test_what_cannot_be_covered_is_refused():
    table = problems.solvable("by_product")
    ones = np.ones(len(table))
    with pytest.raises(WitnessError, match="more of a product than is made"):
        covered(table, Remainder(ones, 0 * ones, 2 * ones), Demand.exact(ones))
    with pytest.raises(WrongUsageError, match="scale of product number 1 is 0"):
        Remainder(np.array([1.0, 0.0, 1.0]), 0 * ones, ones)
    with pytest.raises(WrongUsageError, match="0 <= least <= most"):
        Remainder(ones, 2 * ones, ones)
    with pytest.raises(WrongUsageError, match="negative entry"):
        remainder_of(coefficients_from(-np.eye(3)), ones, is_total=True)


def test_us_2017_needs_nine_times_the_entries_that_a_threshold_keeps(bea):
    rows = {(row.known, row.way): row for row in density.kept(bea, (2,))}
    for (_, way), row in rows.items():
        proven = (0, None) if way is Way.SAID else (2, True)
        assert (row.proven, row.is_true) == proven
    per_product = {key: row.per_product for key, row in rows.items()}
    assert per_product[Known.BOUND, Way.SAID] == pytest.approx(10.4, abs=0.1)
    for known in KNOWN:
        ways = [per_product[known, way] for way in (Way.PRICED, Way.SHARE, Way.COEFFICIENT)]
        assert ways[0] < 0.9 * ways[1] < 0.8 * ways[2]
    assert per_product[Known.TOTAL, Way.PRICED] < 0.7 * per_product[Known.BOUND, Way.PRICED]
    priced = rows[Known.BOUND, Way.PRICED]
    assert priced.at_least > 9 * rows[Known.BOUND, Way.SAID].entries
    assert 0.97 * priced.entries < priced.at_least <= priced.entries


@pytest.mark.parametrize("known", KNOWN)
def test_other_economies_with_the_kept_entries_of_us_2017_are_within_its_bounds(bea, known):
    case = Case.of(bea, known)
    keep = case.fewest(case.flows / case.turnover[case.rows], 1)
    kept, dropped = split(bea, keep)
    remainder = remainder_of(dropped, case.scale, is_total=known is Known.TOTAL)
    bounds, draw = case.proof(keep), np.random.default_rng(SEED)
    for _ in range(3):
        E = within(draw, remainder, len(bea))
        other = replace(bea, coefficients=coefficients_from(kept.coefficients + E))
        assert holds(bounds, true_plan(other, case.demand.nominal))
