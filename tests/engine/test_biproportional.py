"""RAS and GRAS: textbook examples, the form of the answer, and that no answer says less."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.sparse import csr_array, random_array

from ogas.engine.biproportional import Tolerance, Totals, gras, ras
from ogas.engine.errors import InvalidInputError, WrongUsageError


def totals(rows, columns):
    rows, columns = np.array(rows, float), np.array(columns, float)
    return Totals(
        rows,
        columns,
        np.array([f"r{k}" for k in range(len(rows))]),
        np.array([f"c{k}" for k in range(len(columns))]),
    )


def balanced(matrix, rows, columns, gap=1e-9, max_passes=2000):
    goal = totals(rows, columns)
    return gras(csr_array(np.array(matrix, float)), goal, Tolerance(gap, max_passes))


def scaled_by_hand(Z, rows, columns, times=4000):
    """RAS as it is taught: the rows, then the columns, again and again."""
    Z = np.array(Z, float)
    for _ in range(times):
        Z = Z * (np.array(rows) / Z.sum(axis=1))[:, None]
        Z = Z * (np.array(columns) / Z.sum(axis=0))
    return Z


@st.composite
def problems(draw, signed=False):
    """A matrix, and the margins of a rescaled one, so that there is an answer."""
    m, n = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    A = rng.lognormal(0, 1, (m, n)) * (rng.random((m, n)) < 0.8)
    if signed:
        A *= np.where(rng.random((m, n)) < 0.25, -1, 1)
    r, s = rng.lognormal(0, 0.5, (m, 1)), rng.lognormal(0, 0.5, n)
    Z = np.where(A >= 0, r * A * s, A / (r * s))
    return A, Z


@given(problem=problems())
def test_a_rescaled_matrix_is_found_again_from_its_margins(problem):
    A, Z = problem
    found = ras(csr_array(A), totals(Z.sum(axis=1), Z.sum(axis=0)))
    assert found.is_balanced
    assert np.abs(found.matrix.toarray() - Z).max() <= 1e-6 * Z.max(initial=1)


@given(problem=problems(signed=True))
def test_so_is_one_with_negative_entries(problem):
    A, Z = problem
    found = gras(csr_array(A), totals(Z.sum(axis=1), Z.sum(axis=0)))
    assert found.is_balanced
    assert np.abs(found.matrix.toarray() - Z).max() <= 1e-5 * np.abs(Z).max(initial=1)


@given(problem=problems(signed=True))
def test_the_answer_is_biproportional_and_has_the_totals(problem):
    A, Z = problem
    given_totals = totals(Z.sum(axis=1), Z.sum(axis=0))
    found = gras(csr_array(A), given_totals)
    assert found.is_balanced
    r, s = found.row_multipliers[:, None], found.column_multipliers
    B = found.matrix.toarray()
    with np.errstate(divide="ignore", invalid="ignore"):
        form = np.where(A > 0, r * A * s, np.where(A < 0, A / (r * s), 0))
    assert np.abs(B - form).max() <= 1e-12 * np.abs(form).max(initial=1)
    size = np.abs(B)
    assert (np.abs(B.sum(axis=1) - given_totals.rows) <= 2e-9 * size.sum(axis=1)).all()
    assert (np.abs(B.sum(axis=0) - given_totals.columns) <= 1e-12 * size.sum(axis=0)).all()


def test_the_example_of_miller_and_blair():
    """Section 7.4.2 (2009): A(0), x(1), and the row and column sums of the flows of year 1.

    The answer is computed by the loop of the textbook, and by its coefficients of year 1.
    """
    A0 = np.array([[0.120, 0.100, 0.049], [0.210, 0.247, 0.265], [0.026, 0.249, 0.145]])
    x, Z1 = np.array([421, 284, 283]), np.array([[98, 72, 75], [65, 8, 63], [88, 27, 44]])
    u, v = Z1.sum(axis=1), Z1.sum(axis=0)
    assert (u.tolist(), v.tolist()) == ([245, 136, 159], [251, 107, 182])
    found = ras(csr_array(A0 * x), totals(u, v), Tolerance(1e-13))
    assert np.abs(found.matrix.toarray() - scaled_by_hand(A0 * x, u, v)).max() < 1e-9


def test_an_example_with_negative_entries_from_the_literature():
    """After Junius and Oosterhaven (2003); the answer as another program prints it (9 decimals)."""
    A = [[7, 3, 5, -3], [2, 9, 8, 0], [-2, 0, 2, 0]]
    expected = [
        [8.424340881, 3.375237362, 5.200422021, -2.000000263],
        [3.000997078, 12.624763744, 10.374239178, 0],
        [-2.425339135, 0, 1.425339135, 0],
    ]
    found = balanced(A, [15, 26, -1], [9, 16, 17, -2], gap=1e-13)
    assert found.is_balanced
    assert np.abs(found.matrix.toarray() - expected).max() < 2e-6


@pytest.mark.parametrize("sign", [1, -1])
def test_no_matrix_with_these_totals_says_less(sign):
    """Against a general optimiser of Σ |a| (y ln y − y + 1) under the totals."""
    A = np.array([[5.0, 2, 1], [3, sign * 2, 4], [1, 6, 2]])
    rows, columns = np.array([9.0, 9, 8]), np.array([12.0, 8, 6])
    kept = A.ravel()
    sums = np.vstack([np.kron(np.eye(3), np.ones(3)), np.kron(np.ones(3), np.eye(3))[:-1]])

    def information(y):
        return (np.abs(kept) * (y * np.log(y) - y + 1)).sum()

    best = minimize(
        information,
        np.ones(9),
        bounds=[(1e-6, None)] * 9,
        constraints={"type": "eq", "fun": lambda y: sums @ (kept * y) - [*rows, *columns[:-1]]},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert best.success
    found = balanced(A, rows, columns, gap=1e-12).matrix.toarray().ravel()
    assert np.abs(found - kept * best.x).max() < 1e-4
    assert information(found / kept) <= information(best.x) + 1e-9


def test_a_matrix_that_has_its_totals_already_stays():
    A = np.array([[7.0, 3, 5, -3], [2, 9, 8, 1], [-2, 0, 2, 1]])
    found = balanced(A, A.sum(axis=1), A.sum(axis=0))
    assert np.abs(found.matrix.toarray() - A).max() < 1e-8


def test_units_do_not_matter():
    A, rows, columns = [[7, 3, -1], [2, 9, 8]], [12, 15], [10, 12, 5]
    one = balanced(A, rows, columns, gap=1e-12).matrix.toarray()
    other = balanced(
        np.array(A) * 1e9, np.array(rows) * 1e9, np.array(columns) * 1e9, gap=1e-12
    ).matrix.toarray()
    assert np.abs(other / 1e9 - one).max() < 1e-9


def test_lines_without_positive_entries_have_their_root_too():
    found = balanced([[-1, -2], [4, 5]], [-6, 12], [2, 4], gap=1e-12)
    assert found.is_balanced
    assert np.abs(found.matrix.toarray().sum(axis=1) - [-6, 12]).max() < 1e-10


def test_a_total_of_zero_empties_a_line_and_only_that():
    found = balanced([[1, 2, 0], [3, 4, 5], [0, -1, 0]], [3, 7, 0], [0, 4, 6])
    assert found.is_balanced
    B = found.matrix.toarray()
    assert B[:, 0].tolist() == [0, 0, 0]
    assert B[2].tolist() == [0, 0, 0]
    assert np.abs(B.sum(axis=1) - [3, 7, 0]).max() < 1e-8


@pytest.mark.parametrize(
    ("matrix", "rows", "columns", "pattern"),
    [
        ([[1, 2], [0, 0]], [3, 1], [2, 2], "row r1: its total should be 1, but it has no entries"),
        ([[1, 0], [2, 0]], [2, 2], [3, 1], "column c1: its total should be 1, but it has no entr"),
        ([[1, 2], [-1, -2]], [3, 1], [2, 2], "row r1: .* but it has no positive entries"),
        ([[1, 2], [1, 2]], [5, -1], [2, 2], "row r1: its total should be -1.* no negative entries"),
        ([[1, 2], [1, 2]], [5, 1], [2, 2], "add up to 6, the column totals to 4: they differ by 2"),
        ([[1, 2], [1, 2]], [np.nan, 1], [2, 2], "a row total is not a finite number"),
        ([[1, 0], [1, 2]], [3, 2], [0, 5], "row r0: its total should be 3, but it has no entries"),
        ([[0, 0], [0, 0]], [1, 2], [1, 2], r"row r0: .*\(2 rows are like this\)"),
    ],
)
def test_impossible_totals_are_refused_with_row_or_column(matrix, rows, columns, pattern):
    with pytest.raises(InvalidInputError, match=pattern):
        balanced(matrix, rows, columns)


def test_ras_refuses_negative_entries():
    with pytest.raises(WrongUsageError, match=r"1 entries are negative.*gras"):
        ras(csr_array(np.array([[1.0, -1], [1, 1]])), totals([1, 1], [1, 1]))


def test_where_zeros_leave_no_way_the_worst_row_is_told():
    """Row 0 can only take from column 0, which holds 1: it cannot have 5."""
    found = balanced([[1, 0, 0], [1, 1, 1], [0, 1, 1]], [5, 1, 1], [1, 3, 3], max_passes=500)
    assert not found.is_balanced
    assert found.worst == 0
    assert found.gap > 0.1
    assert np.isfinite(found.matrix.data).all()


def test_a_large_matrix_stays_sparse():
    rng = np.random.default_rng(20261122)
    A = csr_array(random_array((4000, 3000), density=0.002, rng=rng))
    Z = csr_array(A * rng.lognormal(0, 0.3, (1, 3000)))
    goal = totals(np.asarray(Z.sum(axis=1)), np.asarray(Z.sum(axis=0)))
    found = ras(A, goal)
    assert found.is_balanced
    assert found.matrix.nnz == A.nnz
