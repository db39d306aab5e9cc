"""Bounds of the radius, and the loop that is to blame."""

import exact
import numpy as np
import problems
import pytest
import strategies
from hypothesis import given
from scipy.sparse import csr_array

from ogas.datasets import textbook
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.engine.perron import perron, proven_ratios
from ogas.engine.productivity import audit, components
from ogas.engine.table import coefficients_from

SEED = 8112043


def by_numpy(A):
    """The radius by NumPy, which is good to about n roundings of the balanced matrix."""
    return float(np.abs(np.linalg.eigvals(np.abs(A))).max())


@given(strategies.nonnegative_matrices())
def test_the_bounds_of_an_audit_bracket_the_radius(A):
    found, radius = audit(coefficients_from(A)), by_numpy(A)
    assert found.radius_lower <= radius * (1 + 1e-8) + 1e-12
    assert found.radius_upper >= radius * (1 - 1e-8) - 1e-6 * (radius == 0)
    assert found.radius_lower <= found.radius_upper


@given(strategies.nonnegative_matrices(most=6))
def test_the_bounds_of_an_audit_are_close_where_every_product_needs_every_other(A):
    A = A / max(by_numpy(A), 1e-3) + 0.01
    found = audit(coefficients_from(A))
    assert found.radius_upper - found.radius_lower < 1e-9 * found.radius_upper


@given(strategies.nonnegative_matrices(most=6))
def test_an_audit_decides_and_its_loop_proves_itself_exactly(A):
    table, radius = problems.table_of(coefficients_from(A)), by_numpy(A)
    found = audit(table.coefficients)
    if radius < 1 - 1e-7:
        assert found.is_productive
    if radius > 1 + 1e-7:
        assert found.is_unproductive
        assert not found.is_productive
    if found.loop is not None:
        assert exact.loop_proves_itself(table, found.loop)
        assert 1.0 <= found.loop.radius <= found.radius_upper


@pytest.mark.parametrize("length", [2, 3, 64, 65])
@pytest.mark.parametrize("amount", [0.99, 1.01])
def test_a_ring_has_the_radius_of_its_mean_however_it_is_measured(length, amount):
    # Every eigenvalue of a ring has the same modulus: powers of it never settle.
    draw = np.random.default_rng(SEED)
    scale = 2.0 ** draw.integers(-26, 27, length)
    rows = np.roll(np.diag(np.full(length, amount)), 1, axis=0) * scale[:, None] / scale
    found = audit(coefficients_from(rows))
    assert found.radius_lower == pytest.approx(amount, rel=1e-9)
    assert found.radius_upper == pytest.approx(amount, rel=1e-9)
    assert found.radius_lower <= amount * (1 + 1e-13)
    assert found.radius_upper >= amount * (1 - 1e-13)
    assert found.is_unproductive == (amount > 1)


@pytest.mark.parametrize("own", [0.0, 0.5, 1 - 1e-12, 1.0, 1.25, 1e6, 1e300])
def test_one_product_has_the_radius_of_what_it_takes_of_itself(own):
    found = audit(coefficients_from(np.array([[own]])))
    assert found.radius_lower <= own <= found.radius_upper
    assert found.is_productive == (own < 1)
    assert found.is_unproductive == (own >= 1)
    if own >= 1:
        assert found.loop.products.tolist() == [0]


def test_a_table_without_coefficients_has_radius_zero():
    found = audit(coefficients_from(np.zeros((5, 5))))
    assert (found.radius_lower, found.radius_upper, found.loop) == (0.0, 0.0, None)
    assert found.is_productive


def test_an_acyclic_table_has_radius_zero_whatever_its_units():
    found = audit(coefficients_from(np.triu(np.full((6, 6), 1e9), 1)))
    assert (found.radius_lower, found.radius_upper) == (0.0, 0.0)


def test_single_products_are_components_only_if_they_use_themselves():
    A = np.array([[0.5, 1, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    groups = [sorted(group.tolist()) for group in components(csr_array(A))]
    assert sorted(groups) == [[0], [1, 2]]


@pytest.mark.parametrize("name", problems.UNPRODUCTIVE)
def test_the_loop_of_an_unproductive_table_proves_itself_exactly(name):
    table = problems.UNPRODUCTIVE[name]()
    found = audit(table.coefficients)
    assert found.is_unproductive
    assert found.loop.radius <= found.radius_lower <= found.radius_upper
    assert exact.loop_proves_itself(table, found.loop)


@pytest.mark.parametrize("products", [600, 4000])
def test_the_hidden_loop_is_named_and_nothing_else(products):
    table = textbook.hidden_loop(products, problems.SEED)
    assert sorted(audit(table.coefficients).loop.products.tolist()) == table.meta["loop"]


def test_a_wrong_unit_is_found_at_the_two_products_it_joins():
    table = textbook.wrong_unit(600, problems.SEED)
    loop = audit(table.coefficients).loop
    assert sorted(loop.products.tolist()) == sorted(table.meta["entry"])
    assert loop.radius == pytest.approx(table.meta["radius_at_least"], rel=1e-2)


def test_the_bad_island_is_named_among_four():
    loop = audit(problems.one_bad_island().coefficients).loop
    assert set(loop.products.tolist()) <= set(range(600, 650))


def test_the_loop_that_can_be_proved_is_named_beside_one_that_cannot():
    loop = audit(problems.bad_beside_undecidable().coefficients).loop
    assert sorted(loop.products.tolist()) == [2, 3]


def test_a_loop_that_cannot_be_shortened_names_the_most_important_first():
    table = textbook.nearly_critical(-1e-10, 60, problems.SEED)
    loop = audit(table.coefficients).loop
    part = table.coefficients[loop.products][:, loop.products]
    weight = loop.activity * perron(csr_array(abs(part).T)).vector
    assert (np.diff(weight) <= 1e-9 * weight.max()).all()


@pytest.mark.parametrize("gap", [1e-6, 1e-10, 1e-12])
@pytest.mark.parametrize("products", [2, 60, 70, 2000])
def test_a_hair_on_either_side_of_radius_one_is_told_apart(gap, products):
    below = audit(textbook.nearly_critical(gap, products, problems.SEED).coefficients)
    above = audit(textbook.nearly_critical(-gap, products, problems.SEED).coefficients)
    assert below.is_productive
    assert above.is_unproductive
    assert below.radius_lower <= 1 - gap / 2
    assert above.radius_upper >= 1 + gap / 2


@pytest.mark.parametrize("products", [2, 70])
def test_a_radius_of_exactly_one_is_not_called_productive(products):
    found = audit(textbook.nearly_critical(0.0, products, problems.SEED).coefficients)
    assert not found.is_productive
    assert found.radius_lower <= 1.0 <= found.radius_upper


@pytest.mark.parametrize("name", problems.UNDECIDED)
def test_a_signed_table_is_not_blamed_for_the_radius_of_its_magnitudes(name):
    found = audit(problems.UNDECIDED[name]().coefficients)
    assert not found.is_productive
    assert not found.is_unproductive


def test_signs_are_respected_by_the_proof_but_not_by_the_bounds():
    draw = np.random.default_rng(SEED)
    A = draw.random((5, 5)) * draw.choice([1.0, -1.0], (5, 5), p=[0.9, 0.1])
    found = audit(coefficients_from(A))
    assert found.radius_lower <= by_numpy(A) * (1 + 1e-12)
    assert found.radius_upper >= by_numpy(A) * (1 - 1e-12)


def test_the_audit_counts_a_bounded_number_of_reads():
    table = generate("sectors:S3,units=mixed", Parameters(products=2000, seed=SEED))
    assert 1 < audit(table.coefficients).passes < 1000


@given(strategies.nonnegative_matrices(most=5))
def test_ratios_enclose_the_exact_ones(A):
    y = np.linspace(0.1, 3.0, len(A))
    lower, upper = proven_ratios(coefficients_from(A), y)
    exactly = exact.product(exact.fractions(A), exact.fractions(y))
    for least, use, made, most in zip(lower, exactly, exact.fractions(y), upper, strict=True):
        assert least <= use / made <= most
