"""Laws that hold for every table and every method, converged or not."""

from dataclasses import replace

import economies
import exact
import numpy as np
import problems
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ogas.datasets import textbook
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.datasets.variants import mixed_units, shuffle
from ogas.engine.balance import Demand, quantities, residual
from ogas.engine.choose import METHODS
from ogas.engine.iterate import Precision, solve
from ogas.engine.method import begin
from ogas.engine.table import Table, coefficients_from

SEED = 7715029


@pytest.fixture(params=problems.METHOD_NAMES)
def method(request):
    return request.param


@st.composite
def drawn(draw, kinds=economies.KINDS):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return economies.draw(rng, draw(st.sampled_from(kinds)))


def close_to(balance, ours, exactly):
    """Whether an imbalance is the exact one to the roundings of a short sum."""
    return all(
        abs(exact.Fraction(mine) - true) <= exact.Fraction(1e-14) * size + exact.Fraction(1e-300)
        for mine, true, size in zip(ours, exactly, balance, strict=True)
    )


@given(drawn(), st.sampled_from(problems.WHOLE), st.integers(0, 12))
def test_demand_is_output_less_what_is_used_plus_the_residual_after_any_sweep(
    economy, method, sweeps
):
    balance, state = economy.balance, begin(economy.balance)
    for _ in range(sweeps):
        state = METHODS[method].step(balance, state)
    A, f, x = (
        economy.matrix,
        exact.fractions(balance.demand.nominal),
        exact.fractions(state.output),
    )
    used = exact.product(A, x)
    exactly = [wanted + use - made for wanted, use, made in zip(f, used, x, strict=True)]
    gross = exact.product(exact.magnitudes(A), [abs(made) for made in x])
    sizes = [abs(w) + g + abs(made) for w, g, made in zip(f, gross, x, strict=True)]
    assert close_to(sizes, residual(balance, state.output), exactly)
    assert (state.witness > 0).all()


@given(drawn(), st.sampled_from(problems.METHOD_NAMES), st.sampled_from([1, 3, 6, 9]))
def test_whatever_a_run_certifies_is_true(economy, method, figures):
    precision = Precision(figures=figures, max_passes=300)
    problem = economy.balance if method in problems.WHOLE else economy.by_blocks(figures)
    solution = solve(problem, METHODS[method], precision)
    demand = exact.fractions(economy.balance.demand.nominal)
    exact.check_run(solution, economy.matrix, demand, figures)


@pytest.mark.parametrize("method", problems.WHOLE)
def test_a_fixed_point_of_a_sweep_meets_the_balance(method):
    table = problems.solvable("by_product")
    balance = quantities(table)
    state = replace(begin(balance), output=np.array([-4.0, 20.0, 6.0]))
    state = replace(state, start=(state.output, state.witness))
    after = METHODS[method].step(balance, state)
    assert after.output.tolist() == [-4.0, 20.0, 6.0]
    assert (after.least, after.largest) == (0.0, 0.0)


@pytest.mark.parametrize("kind", problems.KINDS)
@pytest.mark.parametrize("recipe", ["sectors:S1", "sectors:S3,signed,imports", "ccm"])
@pytest.mark.parametrize("method", problems.WHOLE)
def test_other_units_take_the_same_passes_to_the_same_bounds(recipe, kind, method):
    # Powers of two round nothing, so everything scales to the last bit.
    alike, mixed = (
        generate(name, Parameters(products=240, seed=SEED))
        for name in (recipe, f"{recipe},units=mixed")
    )
    scale = mixed_units(240, SEED)
    scale = scale if kind == "quantities" else 1.0 / scale
    first, second = (problems.solved(table, kind, method, 6) for table in (alike, mixed))
    assert first.history.passes == second.history.passes
    for name in ("lower", "output", "upper", "turnover", "witness"):
        ours, theirs = (getattr(s.certificate, name) for s in (first, second))
        needed = ~first.certificate.structural_zeros  # the others' w is near the floor
        assert theirs[needed] == pytest.approx((ours * scale)[needed], rel=1e-9)
    assert (first.certificate.figures == second.certificate.figures).all()


@pytest.mark.parametrize("kind", problems.KINDS)
@pytest.mark.parametrize("recipe", ["sectors:S2", "sectors:S1,signed", "sectors:S1,tree"])
def test_products_in_another_order_have_the_same_plan(recipe, kind, method):
    parameters = Parameters(products=240, seed=SEED)
    order = shuffle(240, SEED)
    plain, hidden = (
        problems.solved(generate(name, parameters), kind, method, 6).certificate
        for name in (recipe, f"{recipe},hidden")
    )
    assert (hidden.lower <= plain.upper[order]).all()
    assert (plain.lower[order] <= hidden.upper).all()
    assert (hidden.structural_zeros == plain.structural_zeros[order]).all()
    assert hidden.output == pytest.approx(plain.output[order], rel=2e-6)


@pytest.mark.parametrize("recipe", ["sectors:S1", "sectors:S3,signed"])
def test_plans_for_two_demands_add_up_within_their_bounds(recipe, method):
    table = (
        problems.solvable("sectors:S1")
        if recipe == "sectors:S1"
        else generate(recipe, problems.SMALL)
    )
    draw = np.random.default_rng(SEED)
    one, other = draw.lognormal(0, 2, (2, 300))
    certificates = []
    for demand in (one, other, 3 * one - 0.5 * other):
        solution = problems.solved(table, "quantities", method, 6, demand=Demand.exact(demand))
        certificates.append(solution.certificate)
    a, b, both = certificates
    margin = 1e-13 * both.turnover
    assert (both.lower <= 3 * a.upper - 0.5 * b.lower + margin).all()
    assert (both.upper >= 3 * a.lower - 0.5 * b.upper - margin).all()


def test_who_wants_more_gets_a_larger_plan_and_no_plan_is_negative(method):
    table = problems.solvable("sectors:S2")
    draw = np.random.default_rng(SEED)
    less = draw.lognormal(0, 2, 300) * (draw.random(300) < 0.5)
    more = less + draw.lognormal(0, 1, 300)
    least, most = (
        problems.solved(table, "quantities", method, 4, demand=Demand.exact(f)).certificate
        for f in (less, more)
    )
    assert (least.lower <= most.upper).all()
    assert (least.lower >= 0).all()
    assert (least.output >= less).all()


def test_a_run_repeats_itself_to_the_last_bit(method):
    table = problems.solvable("sectors:S3")
    first, second = (problems.solved(table, method=method, figures=6) for _ in range(2))
    assert first.history.passes == second.history.passes
    for name in ("lower", "output", "upper", "witness"):
        one, other = (getattr(s.certificate, name) for s in (first, second))
        assert one.tobytes() == other.tobytes()


def test_a_run_leaves_its_table_as_it_was(method):
    table = textbook.by_product()
    before = [table.coefficients.data.copy(), table.demand.copy(), table.factors["labour"].copy()]
    for kind in problems.KINDS:
        problems.solved(table, kind, method, 10)
    after = [table.coefficients.data, table.demand, table.factors["labour"]]
    assert all((one == other).all() for one, other in zip(before, after, strict=True))


def test_whoever_watches_a_run_hears_of_every_pass():
    heard = []
    balance = quantities(problems.solvable("sectors:S1"))
    solution = solve(balance, observe=lambda history, forecast: heard.append(history.passes))
    assert heard == list(range(1, solution.history.passes + 1))


@given(drawn(kinds=["nonnegative"]))
def test_canonical_coefficients_are_canonical_again(economy):
    once = economy.balance.coefficients
    twice = coefficients_from(once)
    assert twice is not once
    for part in ("indptr", "indices", "data"):
        one, other = getattr(once, part), getattr(twice, part)
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()
    Table(twice, np.arange(len(economy.balance)))
