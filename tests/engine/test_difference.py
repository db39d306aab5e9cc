"""What moved from one plan to another: parts add up, within bounds that hold."""

from dataclasses import replace

import numpy as np
import problems
import pytest
from scipy.sparse import csc_array

from ogas.engine.balance import Demand, values
from ogas.engine.difference import Alignment, Economies, attributed
from ogas.engine.interval import Interval
from ogas.engine.iterate import Precision, solve
from ogas.engine.method import Anderson
from ogas.engine.table import Table, coefficients_from

SEED = 918273


def economies(seed, n=40):
    """Two economies that differ in some recipes and demands, as dense matrices and vectors."""
    draw = np.random.default_rng([SEED, seed])
    old = draw.random((n, n)) * (draw.random((n, n)) < 0.2)
    old *= 0.7 / np.maximum(old.sum(axis=0), 1.0)
    new = old.copy()
    for user in draw.choice(n, 5, replace=False):
        new[:, user] *= draw.uniform(0.8, 1.2)
    new[draw.integers(0, n), draw.integers(0, n)] += 0.01
    f0 = draw.lognormal(size=n)
    f1 = f0 * np.where(draw.random(n) < 0.2, draw.uniform(0.5, 1.5, n), 1.0)
    return (old, f0), (new, f1)


def bounds(certificate):
    return Interval.between(certificate.lower, certificate.upper)


def planned(A, f, figures):
    table = Table(coefficients_from(A), np.arange(len(f)), demand=f)
    return problems.planned(
        problems.balance_of(table, "quantities"), figures, "anderson"
    ).certificate


def needed(A, product, figures):
    unit = np.eye(len(A))[product]
    table = Table(coefficients_from(A), np.arange(len(A)), factors={"i": unit})
    balance = replace(values(table, "i"), demand=Demand.exact(unit))
    return solve(balance, Anderson(), Precision(figures)).certificate


@pytest.mark.parametrize("figures", [3, 8])
@pytest.mark.parametrize("seed", range(6))
def test_parts_add_up_to_the_change_and_each_is_within_its_bounds(seed, figures):
    (A0, f0), (A1, f1) = economies(seed)
    L0, L1 = (np.linalg.inv(np.eye(len(f0)) - A) for A in (A0, A1))
    x0, x1 = L0 @ f0, L1 @ f1
    outputs = tuple(bounds(planned(A, f, figures)) for A, f in ((A0, f0), (A1, f1)))
    change = Economies(outputs, f1 - f0, csc_array(A1 - A0))
    for product in (0, 17, 39):
        parts = attributed(change, [bounds(needed(A, product, figures)) for A in (A0, A1)])
        whole, radius = parts.whole
        assert abs(whole - (x1 - x0)[product]) <= radius
        v0, v1, dA, df = L0[product], L1[product], A1 - A0, f1 - f0
        truth = 0.5 * ((v1 @ dA) * x0 + (v0 @ dA) * x1)[parts.recipes]
        assert (np.abs(truth - parts.from_recipes.middle) <= parts.from_recipes.radius).all()
        truth = (0.5 * (v0 + v1) * df)[parts.demands]
        assert (np.abs(truth - parts.from_demands.middle) <= parts.from_demands.radius).all()


def test_where_nothing_changed_there_are_no_parts():
    (A0, f0), _ = economies(1)
    same = bounds(planned(A0, f0, 6))
    change = Economies((same, same), np.zeros(40), csc_array((40, 40)))
    parts = attributed(change, [bounds(needed(A0, 3, 6))] * 2)
    assert (len(parts.demands), len(parts.recipes), parts.whole) == (0, 0, (0.0, 0.0))


def test_the_largest_parts_come_first():
    (A0, f0), (A1, f1) = economies(2)
    outputs = tuple(bounds(planned(A, f, 6)) for A, f in ((A0, f0), (A1, f1)))
    change = Economies(outputs, f1 - f0, csc_array(A1 - A0))
    parts = attributed(change, [bounds(needed(A, 5, 6)) for A in (A0, A1)])
    sizes = [abs(middle) for _, _, middle, _ in parts.largest(7)]
    assert len(sizes) == 7
    assert sizes == sorted(sizes, reverse=True)
    whats = {what for what, *_ in parts.largest(100)}
    assert whats == {"demand", "recipe"}


def test_differences_smaller_than_their_bounds_are_not_certain():
    old = Interval.between(np.array([1.0, 1.0, 0.0]), np.array([1.1, 1.1, 0.0]))
    new = Interval.between(np.array([1.05, 1.2, 0.0]), np.array([1.15, 1.3, 0.0]))
    assert new.minus(old).is_certain.tolist() == [False, True, False]


@pytest.mark.parametrize("seed", range(20))
def test_bounds_are_rounded_outwards(seed):
    draw = np.random.default_rng([SEED, seed])
    lower = draw.normal(size=50) * 10.0 ** draw.integers(-9, 9, 50)
    upper = lower + 10.0 ** draw.integers(-25, 3, 50)
    found = Interval.between(lower, upper)
    assert (found.middle - found.radius <= lower).all()
    assert (found.middle + found.radius >= upper).all()


def test_products_are_aligned_by_their_ids():
    found = Alignment.of(np.array(["a", "b", "c"]), np.array(["c", "d", "a"]))
    assert found.ids.tolist() == ["c", "d", "a", "b"]
    assert (found.old.tolist(), found.new.tolist()) == ([2, 3, 0], [0, 1, 2])
    same = Alignment.of(np.arange(3), np.arange(3))
    assert same.old.tolist() == same.new.tolist() == [0, 1, 2]
    assert len(found) == 4
