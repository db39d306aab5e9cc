"""Answers that owe nothing to our kernels: dense and sparse linear algebra of NumPy and SciPy."""

import numpy as np
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import csr_array

from ogas.engine.balance import Balance
from ogas.engine.table import Vector

MOST_SWEEPS = 3000


def dense_solution(balance: Balance) -> Vector:
    """Return ``(I - A)^-1 f`` by LU, refined with residuals in extended precision."""
    A = balance.coefficients.toarray()
    factors = lu_factor(np.eye(len(balance)) - A)
    wide, f = A.astype(np.longdouble), balance.demand.nominal.astype(np.longdouble)
    x = np.zeros(len(balance), dtype=np.longdouble)
    for _ in range(5):
        x += lu_solve(factors, (f + wide @ x - x).astype(np.float64))
    solution: Vector = x.astype(np.float64)
    return solution


def jacobi_sweeps(balance: Balance, figures: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sweeps ``x <- A x + f`` until every product is within ``10**-figures`` of truth.

    Knows the truth, and so stops at the first good sweep; a real run of it has no way to tell.
    """
    A = csr_array(balance.coefficients)
    true = _limit(A, balance.demand.nominal)
    scale = np.where(true != 0, np.abs(true), 1.0)
    x, found = balance.demand.nominal, [0] * len(figures)
    for sweep in range(1, MOST_SWEEPS):
        x = A @ x + balance.demand.nominal
        error = float(np.max(np.abs(x - true) / scale))
        for place, wanted in enumerate(figures):
            if error <= 10.0**-wanted and not found[place]:
                found[place] = sweep
        if all(found):
            break
    return tuple(found)


def _limit(A: csr_array, f: Vector) -> Vector:
    x = f
    for _ in range(MOST_SWEEPS):
        new: Vector = A @ x + f
        if np.max(np.abs(new - x) / np.where(new != 0, np.abs(new), 1.0)) < 1e-14:
            return new
        x = new
    return x
