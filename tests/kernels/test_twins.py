"""The twins themselves, on cases small enough to be worked by hand."""

import numpy as np
import pytest

from ogas.kernels import reference

# [[.5, 0, .25],     x = (4, 8, 16)      A x = (2 + 4, 0, -8 + 2) = (6, 0, -6)
#  [ 0, 0,   0],     w = (1, 2, 4)     |A| w = (.5 + 1, 0, 2 + .5) = (1.5, 0, 2.5)
#  [-2, .25, 0]]     f = (1, -3, 0)
INDPTR = np.array([0, 2, 2, 4])
INDICES = np.array([0, 2, 0, 1])
DATA = np.array([0.5, 0.25, -2.0, 0.25])
DIAGONAL = np.array([0.5, 0.0, 0.0])
X, W, F = np.array([4.0, 8.0, 16.0]), np.array([1.0, 2.0, 4.0]), np.array([1.0, -3.0, 0.0])
MATRIX = (INDPTR, INDICES, DATA)


def test_a_product_and_a_residual_worked_by_hand():
    out = np.empty(3)
    reference.product(*MATRIX, X, out)
    assert out.tolist() == [6, 0, -6]
    reference.residual(*MATRIX, X, F, out)
    assert out.tolist() == [1 + 6 - 4, -3 + 0 - 8, 0 - 6 - 16]


def test_a_jacobi_sweep_worked_by_hand():
    x, w, turnover = np.empty((3, 3))
    extremes = reference.jacobi(*MATRIX, DIAGONAL, F, 2.0, 0.0, X, W, x, w, turnover)
    # imbalances (3, -11, -22) over turnovers (|1| + 2 + 4, |-3|, 8 + 2); |a_ij x_j| add up
    assert turnover.tolist() == [7, 3, 10]
    assert extremes == (-11 / 3, 3 / 7)
    assert x.tolist() == [4 + 3 / 0.5, -3, -6]
    assert w.tolist() == [1 + (7 + 1.5 - 1) / 0.5, 3 + 0, 10 + 2.5]


def test_a_gauss_seidel_sweep_uses_what_the_rows_before_have_become():
    x, w, turnover = X.copy(), W.copy(), np.empty(3)
    order = np.array([1, 0, 2])
    reference.gauss_seidel(*MATRIX, DIAGONAL, F, 2.0, 0.0, order, x, w, turnover)
    # x_1 = -3; x_0 = 4 + (1 + 6 - 4)/.5 = 10; x_2 = -20 - .75
    assert x.tolist() == [10, -3, -20.75]
    # w_1 = 3; w_0 = 1 + (7 + 1.5 - 1)/.5 = 16; t_2 = 20.75, w_2 = 20.75 + 32 + .75
    assert turnover.tolist() == [7, 3, 20.75]
    assert w.tolist() == [16, 3, 53.5]


def test_what_has_no_turnover_is_measured_by_the_floor():
    x, w, turnover = np.empty((3, 3))
    zeros = np.zeros(3)
    extremes = reference.jacobi(*MATRIX, DIAGONAL, zeros, 2.0, 0.0, zeros, W, x, w, turnover)
    assert extremes == (0.0, 0.0)
    assert w.tolist() == [1 + (2 + 1.5 - 1) / 0.5, 2, 4.5]


def test_what_is_much_needed_has_a_surplus_in_proportion():
    x, w, turnover = np.empty((3, 3))
    zeros = np.zeros(3)
    reference.jacobi(*MATRIX, DIAGONAL, zeros, 0.125, 0.5, zeros, W, x, w, turnover)
    # needed (1.5, 0, 2.5); half of it is above the floor, where anything is needed
    assert w.tolist() == [1 + (0.75 + 1.5 - 1) / 0.5, 0.125, 1.25 + 2.5]


def test_a_certificate_pass_encloses_what_is_worked_by_hand():
    gross, r_lower, r_upper, slack, reach = np.empty((5, 3))
    reference.certificate_pass(
        *(*MATRIX, X, W, F - 0.5, F + 0.25, 0.125), gross, r_lower, r_upper, slack, reach
    )
    # |A||x| = (6, 0, 10); an eighth of it either way; f from f - .5 to f + .25
    assert gross.tolist() == [6, 0, 10]
    assert (r_lower < [3 - 0.5 - 0.75, -11 - 0.5, -22 - 0.5 - 1.25]).all()
    assert (r_upper > [3 + 0.25 + 0.75, -11 + 0.25, -22 + 0.25 + 1.25]).all()
    assert r_lower == pytest.approx([1.75, -11.5, -23.75], rel=1e-14)
    assert r_upper == pytest.approx([4.0, -10.75, -20.5], rel=1e-14)
    # |A| w = (1.5, 0, 2.5), an eighth more: w - (1.6875, 0, 2.8125)
    assert (slack < [1 - 1.6875, 2, 4 - 2.8125]).all()
    assert slack == pytest.approx([-0.6875, 2, 1.1875], rel=1e-14)
    assert (reach > [1.6875, 0, 2.8125]).all()
    assert reach == pytest.approx([1.6875, 0, 2.8125], rel=1e-14, abs=1e-280)


def test_rows_are_added_up_in_chunks_of_128():
    # After the 1, each of 127 half places is rounded away in the first chunk; the next 100 are a
    # chunk of their own and add up to 50 places before they meet the first.
    half = 2.0**-53
    terms = np.concatenate([[1.0], np.full(127, half), np.full(100, half)])
    indptr, indices = np.array([0] + [228] * 228), np.arange(228)
    ones, zeros, outputs = np.ones(228), np.zeros(228), np.empty((5, 228))
    reference.certificate_pass(indptr, indices, terms, ones, ones, zeros, zeros, 0.0, *outputs)
    assert outputs[0][0] == 1.0 + 100 * half
