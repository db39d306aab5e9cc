"""Intervals hold whatever is computed from numbers within them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ogas.engine.interval import Interval

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-6)
VECTORS = arrays.arrays(np.float64, 4, elements=NUMBERS)
RADII = arrays.arrays(np.float64, 4, elements=st.floats(0, 10))
OPERATIONS = {
    "plus": lambda a, b: a + b,
    "minus": lambda a, b: a - b,
    "times": lambda a, b: a * b,
    "over": lambda a, b: a / b,
}


def encloses(found, truth):
    return all(
        Fraction(low) <= exact <= Fraction(high)
        for low, exact, high in zip(
            found.lower.ravel().tolist(), truth, found.upper.ravel().tolist(), strict=True
        )
        if np.isfinite(low) and np.isfinite(high)
    )


@pytest.mark.parametrize("name", OPERATIONS)
@given(a=VECTORS, b=VECTORS, ra=RADII, rb=RADII, at=st.tuples(*[st.sampled_from((-1, 0, 1))] * 2))
def test_an_operation_encloses_the_exact_result_for_numbers_within_the_bounds(
    name, a, b, ra, rb, at
):
    found = getattr(Interval(a, ra), name)(Interval(b, rb))
    ones = [Fraction(m) + at[0] * Fraction(r) for m, r in zip(a.tolist(), ra.tolist(), strict=True)]
    others = [
        Fraction(m) + at[1] * Fraction(r) for m, r in zip(b.tolist(), rb.tolist(), strict=True)
    ]
    known = [k for k, one in enumerate(others) if one != 0 or name != "over"]
    truth = [OPERATIONS[name](ones[k], others[k]) for k in known]
    assert encloses(found[np.array(known, dtype=np.int64)], truth)


@given(a=VECTORS, ra=RADII, w=VECTORS)
def test_a_weighted_sum_encloses_the_exact_one(a, ra, w):
    found = Interval(a, ra).weighted(w)
    ends = [
        sum(
            (Fraction(m) + s * Fraction(r)) * Fraction(k)
            for m, r, k in zip(a.tolist(), ra.tolist(), w.tolist(), strict=True)
        )
        for s in (-1, 0, 1)
    ]
    assert Fraction(float(found.lower)) <= min(ends)
    assert max(ends) <= Fraction(float(found.upper))


def test_nothing_is_known_of_a_quotient_by_what_may_be_zero():
    found = Interval.exactly([1.0, 1.0]).over(Interval(np.array([0.5, 2.0]), np.array([1.0, 1.0])))
    assert np.isinf(found.radius[0])
    assert found.figures[0] == 0
    assert found.lower[1] <= 1 / 3 < 1.0 <= found.upper[1]


def test_exact_numbers_have_all_figures_and_no_width():
    found = Interval.exactly([0.0, 0.1])
    assert found.figures.tolist() == [15, 15]
    assert (found.lower == found.upper).all()
