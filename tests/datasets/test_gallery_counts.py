"""The cases are as hard as published: radius, nonzeros, and passes of plain Jacobi."""

import numpy as np
import pytest

from ogas.datasets.answers import answer
from ogas.datasets.cases import CASES, power_for
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters

# Counts belong to an economy: over seeds S3 and S4 vary by a quarter. This seed draws four that are
# like the published ones.
SEED = 10
RADIUS = {"S1": 0.65, "S2": 0.94, "S3": 0.91, "S4": 0.96}
PASSES = {"S1": (21, 38, 59), "S2": (120, 232, 382), "S3": (79, 147, 238), "S4": (178, 346, 571)}
TARGETS = (1e-3, 1e-6, 1e-10)


def radius(table, passes=300):
    """Power iteration; near enough for two decimals."""
    vector = np.ones(len(table))
    for _ in range(passes):
        vector = abs(table.coefficients) @ vector
        largest = vector.max()
        vector /= largest
    return largest


def jacobi_passes(table):
    """Passes of x ← f + A x from 0 until the worst relative error meets each target."""
    true = answer(table)
    made = true > 0
    output, errors = np.zeros(len(table)), []
    while not errors or errors[-1] > TARGETS[-1]:
        output = table.demand + table.coefficients @ output
        errors.append(np.max(np.abs(output - true)[made] / true[made]))
    return np.array([1 + np.argmax(np.array(errors) <= target) for target in TARGETS])


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return request.param, generate(f"sectors:{request.param}", Parameters(seed=SEED))


def test_the_radius_is_the_published_one(case):
    name, table = case
    assert radius(table) == pytest.approx(RADIUS[name], abs=0.02)


def test_jacobi_takes_the_published_passes(case):
    name, table = case
    published = np.array(PASSES[name])
    assert (np.abs(jacobi_passes(table) - published) <= 0.05 * published + 2).all()


def test_about_84_percent_of_the_draws_are_distinct(case):
    _, table = case
    assert table.nonzeros / len(table) == pytest.approx(0.84 * 50, rel=0.06)


def test_all_values_are_one_in_the_units_of_the_law(case):
    _, table = case
    assert answer(table, "values") == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("wanted", [0.8, 0.95, 0.99, 1.2])
def test_the_radius_that_is_asked_for_is_drawn(name, wanted):
    table = generate(f"sectors:{name}", Parameters(products=8_000, radius=wanted, seed=SEED))
    assert radius(table) == pytest.approx(wanted, abs=0.025)


@pytest.mark.parametrize("name", CASES)
def test_the_case_itself_needs_no_power(name):
    case = CASES[name]
    assert power_for(RADIUS[name], case.own, case.ranges(case.blocks)) == pytest.approx(1, abs=0.2)


def test_inputs_are_mean_nonzeros_per_product():
    table = generate("sectors", Parameters(inputs=25, seed=SEED))
    assert table.nonzeros / len(table) == pytest.approx(25, rel=0.1)


def test_ccm_has_root_n_inputs_and_columns_that_add_up_to_a_half():
    table = generate("ccm", Parameters(products=4_000, seed=SEED))
    assert table.nonzeros / len(table) == pytest.approx(4_000**0.5, rel=0.01)
    assert table.coefficients.sum(axis=0) == pytest.approx(0.5, rel=1e-6)
    assert radius(table) == pytest.approx(0.5, rel=1e-6)


def test_demand_and_hubs_are_as_the_law_says():
    table = generate("sectors", Parameters(seed=SEED))
    assert np.mean(table.demand > 0) == pytest.approx(0.3, abs=0.02)
    users = np.sort(np.diff(table.coefficients.indptr))[::-1]
    assert users[0] > 0.5 * len(table) > 20 * np.median(users)
