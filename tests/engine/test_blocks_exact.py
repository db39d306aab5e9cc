"""What is proved by blocks, against exact rational arithmetic: not one violation is allowed."""

from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction

import economies
import exact
import numpy as np
import problems
import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st

from ogas.engine.account import Correction
from ogas.engine.balance import Demand
from ogas.engine.iterate import Precision, solve
from ogas.engine.outcome import Outcome
from ogas.engine.partition import from_labels
from ogas.engine.table import Table, coefficients_from

SEED = 5500817
DRAWS = 12


def check(A, demand, certificate):
    """The exact plan lies within the bounds, and zeros are those that no demand reaches."""
    lower, upper = exact.fractions(certificate.lower), exact.fractions(certificate.upper)
    for least, x, most in zip(lower, exact.plan(A, exact.fractions(demand)), upper, strict=True):
        assert least <= x <= most
    reached = [bool(wanted) for wanted in demand]
    for _ in reached:
        reached = [
            wanted or any(A[i][j] and reached[j] for j in range(len(A)))
            for i, wanted in enumerate(reached)
        ]
    assert not (certificate.structural_zeros & reached).any()
    for bound in (certificate.lower, certificate.output, certificate.upper):
        assert not bound[certificate.structural_zeros].any()
    return (certificate.structural_zeros == ~np.array(reached)).all()


def demands_of(rng, economy, count):
    """The economy's demand, none at all, and others like it but smaller, in places other signs."""
    first = economy.balance.demand
    others = [Demand.exact(np.zeros(len(first.nominal)))]
    for _ in range(count - 2):
        kept = rng.random(len(first.nominal)) < 0.7
        others.append(Demand.exact(1e-6 * kept * first.nominal * rng.random(len(kept))))
    return [first, *others][:count]


@pytest.mark.parametrize("plans", [1, 3])
@pytest.mark.parametrize("delta", economies.DELTAS, ids=["exact", "float32", "three digits"])
@pytest.mark.parametrize("kind", economies.KINDS)
def test_every_economy_within_the_intervals_has_its_plan_within_the_bounds(kind, delta, plans):
    certified = zeros = 0
    for draw in range(DRAWS):
        rng = np.random.default_rng([SEED, draw])
        economy = economies.draw(rng, kind, delta)
        figures = int(rng.choice([1, 3, 6]))
        problem = economy.by_blocks(figures, demands_of(rng, economy, plans))
        solution = solve(problem, problems.METHODS["orders-and-tables"], Precision(figures, 300))
        assert solution.outcome is not Outcome.NOT_PRODUCTIVE
        certified += bool(solution.certificates)
        for demand, certificate in zip(problem.demands, solution.certificates, strict=False):
            nominal = replace(economy, balance=replace(economy.balance, demand=demand))
            for A, f in nominal.members(rng, 4):
                zeros += check(A, [float(wanted) for wanted in f], certificate)
    assert certified > DRAWS // 4
    assert zeros > DRAWS // 4


@pytest.mark.parametrize("figures", [1, 3, 5])
@pytest.mark.parametrize("kind", economies.KINDS)
def test_what_is_swept_in_float32_is_true_of_the_float64_that_was_given(kind, figures):
    certified = 0
    for draw in range(DRAWS):
        rng = np.random.default_rng([SEED + 1, draw])
        economy = economies.draw(rng, kind, rng.choice(economies.DELTAS))
        with problems.rounded_to_float32():
            problem = economy.by_blocks(figures)
        assert problem.is_rounded
        solution = problems.planned(problem, figures, most=300)
        certified += bool(solution.certificates)
        for certificate in solution.certificates:
            for A, f in economy.members(rng, 4):
                check(A, [float(wanted) for wanted in f], certificate)
    assert certified > DRAWS // 4


def test_what_messages_in_float32_lose_is_within_what_is_proven_of_the_balances():
    table = problems.cut(problems.solvable("sectors:S1"), "at random")
    with problems.rounded_to_float32():
        cycle = problems.METHODS["orders-and-tables"].start(problems.by_blocks(table, figures=3))
    assert cycle.messages == "float32"
    for _ in range(6):
        cycle.sweep()
    cycle.certify()  # counts what stands behind the sums
    share = cycle.problem.exchange.share
    share.prove(Correction.none(7, cycle.columns), cycle.delta)
    x, w = (
        np.concatenate([getattr(station.found[0], name) for station in share.stations])
        for name in ("output", "witness")
    )
    order = np.argsort(np.concatenate([sector.products for sector in share.sectors]))
    rows = exact.fractions(table.coefficients.toarray())
    for station in share.stations:
        found, f = station.found[0], station.demand[:, 0]
        for k, product in enumerate(station.sector.products):
            used, needed = (
                sum(
                    a * Fraction(float(other))
                    for a, other in zip(rows[product], v[order], strict=True)
                )
                for v in (x, w)
            )
            residual = Fraction(float(f[k])) + used - Fraction(float(found.output[k]))
            assert (
                Fraction(float(found.r_lower[k])) <= residual <= Fraction(float(found.r_upper[k]))
            )
            assert Fraction(float(found.slack[k])) <= Fraction(float(found.witness[k])) - needed
            assert needed <= Fraction(float(found.reach[k]))


@pytest.mark.parametrize("kind", economies.KINDS)
@pytest.mark.parametrize("method", problems.IN_BLOCKS)
def test_values_lie_within_their_bounds_too(kind, method):
    certified = 0
    for draw in range(DRAWS):
        rng = np.random.default_rng([SEED + 2, draw])
        economy = economies.draw(rng, kind)
        table = Table(economy.balance.coefficients, np.arange(len(economy.blocks)))
        table = replace(table, blocks=economy.blocks)
        factor = economy.balance.demand.nominal
        problem = problems.by_blocks(table, "values", [Demand.exact(factor)], figures=6)
        solution = problems.planned(problem, 6, method, most=300)
        certified += solution.outcome is Outcome.CERTIFIED
        transposed = [list(column) for column in zip(*economy.matrix, strict=True)]
        for certificate in solution.certificates:
            check(transposed, factor, certificate)
    assert certified > DRAWS // 4


@given(
    strategies.wild_economies(),
    st.sampled_from(problems.IN_BLOCKS),
    st.sampled_from([1, 3, 6]),
    st.booleans(),
)
def test_the_wildest_numbers_are_planned_truly_or_not_at_all(economy, method, figures, is_narrow):
    n = len(economy.blocks)
    economy = replace(economy, blocks=from_labels(np.arange(n) % 2))
    with problems.rounded_to_float32() if is_narrow else nullcontext():
        problem = economy.by_blocks(figures)
    solution = problems.planned(problem, figures, method, most=60)
    rng = np.random.default_rng(SEED + 3)
    for certificate in solution.certificates:
        for A, f in economy.members(rng, 2):
            assert exact.plan(A, f) is not None
            check(A, [float(wanted) for wanted in f], certificate)
    if solution.outcome is Outcome.NOT_PRODUCTIVE:
        assert exact.loop_proves_itself(
            Table(economy.balance.coefficients, np.arange(n)), solution.productivity.loop
        )


def test_zeros_are_exact_beside_a_loop_of_zeros_and_in_a_block_of_their_own():
    rows = np.zeros((9, 9))
    rows[:3, :3] = [[0.0, 0.4, 0.3], [0.5, 0.1, 0.0], [0.0, 0.0, 0.3]]  # 0 is wanted
    rows[3, 4] = rows[4, 3] = 0.95  # nobody wants these, but they need each other and 0
    rows[0, 3] = 0.5
    rows[5, 5] = 0.875  # nor this, which needs nothing but itself
    rows[6:, 6:] = [[0.0, 0.5, 0.0], [0.0, 0.0, 0.5], [0.5, 0.0, 0.0]]  # nor these
    demand = np.array([8.0, *8 * [0.0]])
    A = exact.fractions(rows)
    for labels in ([0] * 9, [0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 1, 2] * 3, list(range(9))):
        table = problems.table_of(rows.tolist(), demand)
        table = replace(table, blocks=np.array(labels))
        for figures in (3, 10):
            solution = problems.solved(table, "quantities", "orders-and-tables", figures)
            assert solution.outcome is Outcome.CERTIFIED
            assert check(A, demand, solution.certificate)


def test_hubs_that_everyone_uses_and_products_that_use_themselves_are_planned_truly():
    rng = np.random.default_rng(SEED + 4)
    n = 40
    rows = rng.random((n, n)) * (rng.random((n, n)) < 0.1)
    rows[:3] = rng.random((3, n))  # rows far longer than the others
    rows[np.diag_indices(n)] = rng.choice([0.0, 0.5, 0.96], n)
    rows *= rng.choice([1.0, 0.3], n) / (1.05 * rows.sum(axis=0))
    rows = rows.round(3)  # with short fractions the oracle is quick
    demand = rng.integers(0, 9, n).astype(float)
    for labels in (rng.integers(0, 4, n), np.arange(n), np.zeros(n, int)):
        table = Table(coefficients_from(rows), np.arange(n), demand, blocks=from_labels(labels))
        for figures in (3, 6, 10):
            (proved,) = problems.planned(problems.by_blocks(table, figures=figures)).certificates
            check(exact.fractions(rows), demand, proved)
