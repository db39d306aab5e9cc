"""How a run fails: with its reason and proof, within a bounded number of passes."""

from dataclasses import replace

import exact
import numpy as np
import problems
import pytest

from ogas.datasets import textbook
from ogas.datasets.answers import answer
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.engine.balance import Demand, quantities, values
from ogas.engine.errors import WrongUsageError
from ogas.engine.iterate import Precision, solve
from ogas.engine.outcome import Outcome
from ogas.engine.table import coefficients_from

BOUNDED = 600  # reads of A, audit included; the audit of a 20,000-product component takes 230


@pytest.fixture(params=problems.METHOD_NAMES)
def method(request):
    return request.param


@pytest.mark.parametrize("name", problems.UNPRODUCTIVE)
@pytest.mark.parametrize("kind", problems.KINDS)
def test_an_unproductive_economy_ends_with_a_loop_that_proves_it(name, kind, method):
    if "20,000" in name and method != "anderson":
        pytest.skip("the audit that decides does not depend on the method")
    table = problems.UNPRODUCTIVE[name]()
    solution = problems.solved(table, kind, method)
    assert solution.outcome is Outcome.NOT_PRODUCTIVE
    assert solution.certificate is None
    assert solution.history.passes < BOUNDED
    loop = solution.productivity.loop
    assert loop.radius >= 1.0
    if len(table) <= 4000:  # larger ones are checked in the tests of the audit
        proved = table
        if method in problems.WHOLE:  # those in blocks name a loop of the table itself, for both
            proved = problems.table_of(problems.balance_of(table, kind).coefficients)
        assert exact.loop_proves_itself(proved, loop)


@pytest.mark.parametrize("kind", problems.KINDS)
def test_an_unproductive_loop_is_found_even_where_nothing_is_wanted(kind, method):
    matrix = problems.UNPRODUCTIVE["three hidden products"]().coefficients
    nothing = np.zeros(matrix.shape[0])
    solution = problems.solved(problems.table_of(matrix, nothing, nothing), kind, method)
    assert solution.outcome is Outcome.NOT_PRODUCTIVE
    assert solution.productivity.loop.products.size == 3


@pytest.mark.parametrize("name", problems.UNDECIDED)
@pytest.mark.parametrize("kind", problems.KINDS)
def test_a_signed_table_that_cannot_be_decided_is_not_called_unproductive(name, kind, method):
    solution = problems.solved(problems.UNDECIDED[name](), kind, method)
    assert solution.outcome is Outcome.PRECISION_NOT_REACHED
    assert solution.certificate is None
    assert solution.history.passes < BOUNDED


@pytest.mark.parametrize("gap", [1e-4, 1e-6, 1e-10, 1e-13])
@pytest.mark.parametrize("products", [4, 300, 2000])
@pytest.mark.parametrize("kind", problems.KINDS)
def test_a_hair_below_radius_one_is_planned_truly_or_not_at_all(gap, products, kind, method):
    table = textbook.nearly_critical(gap, products, problems.SEED)
    most = 600 if method == "anderson" else 200  # plain sweeps need 1 / gap
    solution = problems.solved(table, kind, method, most=most)
    assert solution.outcome is not Outcome.NOT_PRODUCTIVE
    assert solution.history.passes <= most + BOUNDED
    if solution.outcome is Outcome.CERTIFIED:
        assert solution.certificate.digits_certified >= 3
    if solution.certificate is not None:
        check_total_of_the_critical(table, kind, solution.certificate)


def check_total_of_the_critical(table, kind, certificate):
    """Outputs add up to n / gap and every value is 1, by construction and exactly."""
    if kind == "values":
        assert (certificate.lower <= 1).all()
        assert (certificate.upper >= 1).all()
        return
    least, most = (sum(exact.fractions(end)) for end in (certificate.lower, certificate.upper))
    assert least <= len(table) / exact.Fraction(table.meta["gap"]) <= most


def test_mixed_sweeps_reach_a_radius_of_one_less_a_ten_thousandth():
    table = textbook.nearly_critical(1e-4, 300, problems.SEED)
    for kind in problems.KINDS:
        assert problems.solved(table, kind).outcome is Outcome.CERTIFIED


@pytest.mark.parametrize("kind", problems.KINDS)
@pytest.mark.parametrize("recipe", ["sectors:S1", "sectors:S1,signed", "ccm"])
def test_fifteen_figures_are_refused_soon_where_rounding_forbids_them(recipe, kind, method):
    table = problems.solvable(recipe)
    solution = problems.solved(table, kind, method, figures=15)
    assert solution.outcome is Outcome.PRECISION_NOT_REACHED
    assert solution.certificate.attainable > 5e-16
    assert solution.certificate.digits_certified >= 12
    assert solution.history.passes < 200
    problems.check_enclosed(answer(table, kind), solution.certificate)


@pytest.mark.parametrize("kind", problems.KINDS)
@pytest.mark.parametrize("recipe", ["sectors:S1", "sectors:S2", "sectors:S1,signed"])
def test_six_figures_are_refused_soon_where_the_recipes_are_known_to_three(recipe, kind, method):
    table = problems.solvable(recipe)
    solution = problems.solved(table, kind, method, figures=6, delta=5e-4)
    assert solution.outcome is Outcome.PRECISION_NOT_REACHED
    assert 5e-4 / 2 < solution.certificate.attainable <= solution.certificate.relative_half_width
    problems.check_enclosed(answer(table, kind), solution.certificate)
    moved = perturbed(table, 5e-4)
    problems.check_enclosed(answer(moved, kind), solution.certificate)
    exactly_known = problems.solved(table, kind, method, figures=6)
    assert solution.history.passes <= exactly_known.history.passes + 2


def perturbed(table, delta):
    draw = np.random.default_rng(problems.SEED + 5)
    matrix = table.coefficients.copy()
    matrix.data = matrix.data * (1 + delta * draw.choice([-1, 1], matrix.nnz) * (1 - 1e-12))
    return problems.table_of(matrix, table.demand, next(iter(table.factors.values())))


def test_an_uncertain_demand_limits_the_figures_too():
    table = problems.solvable("sectors:S1")
    f = table.demand
    demand = Demand(f, 0.999 * f, 1.001 * f)
    solution = solve(quantities(table, demand), precision=Precision(figures=4))
    assert solution.outcome is Outcome.PRECISION_NOT_REACHED
    for factor in (0.999, 1.0, 1.001):
        problems.check_enclosed(factor * answer(table), solution.certificate)


def test_a_delta_that_closes_the_slack_certifies_nothing_and_blames_nobody():
    table = problems.solvable("sectors:S4")  # radius .9654
    solution = problems.solved(table, delta=0.05)
    assert solution.outcome is Outcome.PRECISION_NOT_REACHED
    assert solution.certificate is None
    assert solution.history.passes < BOUNDED


@pytest.mark.parametrize("most", [1, 2, 7, 15])
@pytest.mark.parametrize("recipe", ["sectors:S2", "sectors:S4,households"])
def test_the_passes_asked_for_are_not_exceeded_but_by_one_certificate(recipe, most, method):
    solution = problems.solved(problems.solvable(recipe), "quantities", method, 12, most=most)
    assert solution.outcome is Outcome.PRECISION_NOT_REACHED
    history = solution.history
    assert history.count("sweep") + history.count("certificate") <= most + 1
    if solution.certificate is not None:
        problems.check_enclosed(answer(problems.solvable(recipe)), solution.certificate)


@pytest.mark.parametrize("factor", [1e40, 1e100, 1e150, 1e300])
@pytest.mark.parametrize("kind", problems.KINDS)
def test_numbers_that_overflow_end_a_run_and_never_escape(factor, kind, method):
    solution = problems.solved(problems.units_error(factor), kind, method)
    assert solution.outcome in (Outcome.NOT_PRODUCTIVE, Outcome.PRECISION_NOT_REACHED)
    assert solution.certificate is None
    assert solution.history.passes < BOUNDED
    bounds = solution.productivity.radius_lower, solution.productivity.radius_upper
    assert np.isfinite(bounds).all()
    assert bounds[0] <= bounds[1]


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_demands_near_the_ends_of_float64_are_planned_or_refused(size, method):
    table = generate("sectors:S1", Parameters(products=60, seed=problems.SEED))
    scaled = problems.table_of(table.coefficients, table.demand * size)
    solution = problems.solved(scaled, method=method)
    if solution.certificate is not None:
        problems.check_enclosed(answer(table) * size, solution.certificate)
    if 1e-200 < size < 1e200:
        assert solution.outcome is Outcome.CERTIFIED


@pytest.mark.parametrize("figures", [0, 16, -1])
def test_figures_that_float64_cannot_hold_are_wrong_usage(figures):
    with pytest.raises(WrongUsageError, match="1 to 15"):
        Precision(figures=figures)


@pytest.mark.parametrize("delta", [-0.1, 1.0, 2.0, float("nan")])
def test_a_delta_outside_its_range_is_wrong_usage(delta):
    with pytest.raises(WrongUsageError, match="relative uncertainty"):
        quantities(problems.solvable("two_sectors"), delta=delta)


def test_a_factor_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(WrongUsageError, match="'energy'; it has: labour"):
        values(problems.solvable("two_sectors"), "energy")


def test_a_table_without_demand_says_how_to_give_one():
    table = problems.Table(problems.solvable("two_sectors").coefficients, np.arange(2))
    with pytest.raises(WrongUsageError, match="--demand"):
        quantities(table)


@pytest.mark.parametrize("spread", [20, 100])
@pytest.mark.parametrize("kind", problems.KINDS)
@pytest.mark.parametrize("recipe", ["sectors:S1", "sectors:S1,signed,imports"])
def test_units_forty_orders_apart_are_planned_truly_or_not_at_all(recipe, kind, spread, method):
    table = generate(recipe, Parameters(products=60, seed=problems.SEED))
    # Powers of two round nothing: the answer is known in any units.
    powers = np.random.default_rng(problems.SEED + 7).uniform(-spread, spread, 60)
    scale = 2.0 ** np.rint(powers / np.log10(2))
    apart = replace(
        table,
        coefficients=coefficients_from(scale[:, None] * table.coefficients.toarray() / scale),
        demand=table.demand * scale,
        factors={name: amounts / scale for name, amounts in table.factors.items()},
        value_type="float64",
    )
    solution = problems.solved(apart, kind, method)
    assert solution.outcome is not Outcome.NOT_PRODUCTIVE
    scale = scale if kind == "quantities" else 1.0 / scale
    if solution.certificate is not None:
        problems.check_enclosed(answer(table, kind) * scale, solution.certificate)
