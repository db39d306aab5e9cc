"""Exact rational arithmetic on small economies: the oracle that no rounding can bend.

Every float is a dyadic rational, so a table is a matrix of `Fraction` and its plan has one. A
common denominator turns I - A into integers, which Bareiss elimination keeps integers.
"""

from fractions import Fraction
from math import lcm

import numpy as np

from ogas.engine.outcome import Outcome


def fractions(array):
    """The exact values of a vector or matrix of floats, as (nested) lists."""
    if isinstance(array, np.ndarray):
        array = array.tolist()
    return [fractions(row) if isinstance(row, list) else Fraction(row) for row in array]


def plan(A, f):
    """Solve ``x = A x + f``; None if I - A is singular.

    >>> plan(fractions([[0.0, 0.5], [0.5, 0.0]]), fractions([1.0, 0.0]))
    [Fraction(4, 3), Fraction(2, 3)]
    """
    n = len(f)
    rows = [[(i == j) - A[i][j] for j in range(n)] + [f[i]] for i in range(n)]
    for i, row in enumerate(rows):
        common = lcm(*(entry.denominator for entry in row))
        rows[i] = [int(entry * common) for entry in row]
    previous = 1
    for k in range(n):
        pivot = next((i for i in range(k, n) if rows[i][k]), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        for i in range(k + 1, n):
            rows[i][k:] = [
                (rows[k][k] * below - rows[i][k] * above) // previous
                for below, above in zip(rows[i][k:], rows[k][k:], strict=True)
            ]
        previous = rows[k][k]
    x = [Fraction(0)] * n
    for i in reversed(range(n)):
        rest = sum((rows[i][j] * x[j] for j in range(i + 1, n)), Fraction(0))
        x[i] = (rows[i][n] - rest) / rows[i][i]
    return x


def product(A, x):
    """``A @ x``."""
    return [sum((a * b for a, b in zip(row, x, strict=True)), Fraction(0)) for row in A]


def magnitudes(A):
    """``|A|``."""
    return [[abs(entry) for entry in row] for row in A]


def whole(floats):
    """Integers in proportion to floats, and the power of two that they were multiplied by."""
    ratios = [number.as_integer_ratio() for number in np.asarray(floats, float).tolist()]
    power = max(denominator for _, denominator in ratios)
    return [numerator * (power // denominator) for numerator, denominator in ratios], power


def loop_proves_itself(table, loop):
    """Whether ``A y >= y`` holds exactly for the activity y >= 0, y != 0 of a loop."""
    part = table.coefficients[loop.products][:, loop.products]
    activity, _ = whole(loop.activity)
    entries, power = whole(part.data)
    used = [0] * len(activity)
    for i, (first, last) in enumerate(zip(part.indptr[:-1], part.indptr[1:], strict=True)):
        for k in range(int(first), int(last)):
            used[i] += entries[k] * activity[part.indices[k]]
    enough = all(use >= power * made for use, made in zip(used, activity, strict=True))
    return enough and min(activity) >= 0 and max(activity) > 0


def check_run(solution, A, f, figures):
    """What a run says of a productive economy is true: bounds, figures and outcome."""
    exactly, certificate = plan(A, f), solution.certificate
    assert solution.outcome is not Outcome.NOT_PRODUCTIVE
    if certificate is None:
        assert solution.outcome is Outcome.PRECISION_NOT_REACHED
        return
    lower, upper = fractions(certificate.lower), fractions(certificate.upper)
    for least, x, most in zip(lower, exactly, upper, strict=True):
        assert least <= x <= most
    reached = certificate.digits_certified >= figures
    assert reached == (solution.outcome is Outcome.CERTIFIED)
