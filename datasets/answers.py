"""Answers: an independent solution of a table by plain SciPy, with no kernel and no method of ours.

    quantities   x = A x + f          values   v = Aᵀ v + l

Up to 3,000 products: LU of I - A, refined with residuals in the longest float the machine has.
Above: the series f + A f + A² f + ..., summed until every component's next term vanishes beside
what was added up before it. This is an oracle for tests and demonstrations, not a method: it is
slow where the radius is near 1, and it certifies nothing.
"""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import csr_array

from ogas.engine.errors import InvalidInputError, WrongUsageError
from ogas.engine.table import Table, Vector

MOST_DENSE = 3_000
MOST_TERMS = 20_000  # enough for a radius of .998
VANISHED = 2.0**-60  # of the sum so far; what follows is at most 1/(1 - radius) times as much


def answer(table: Table, what: str = "quantities", factor: str | None = None) -> Vector:
    """Solve a table independently.

    Parameters
    ----------
    table : Table
        With demand, or with the factor that is asked for.
    what : "quantities" or "values"
    factor : str, optional
        Which factor to value in; the first one if not given.

    Returns
    -------
    (n,) float64
        x in the units of each product, or v in units of the factor per unit of product; exactly 0
        where nothing reaches. Correct to a few units in the last place where the radius is not
        near 1; LU with extended floats still gives 9 figures at radius 1 - 1e-10.

    Raises
    ------
    WrongUsageError
        If the table has no demand, or no such factor.
    InvalidInputError
        If I - A is singular or A is not productive, as far as this method can tell.

    Examples
    --------
    >>> from ogas.datasets.textbook import two_sectors
    >>> answer(two_sectors()).round(12).tolist()
    [15.0, 20.0]
    """
    # Built anew, SciPy chooses one index type for pointers and indices; with two it copies at each
    # product.
    held = table.coefficients
    matrix = csr_array((held.data, held.indices, held.indptr), shape=held.shape)
    if what == "values":
        matrix = matrix.T.tocsr()
    given = _right_side(table, what, factor)
    solution = _dense(matrix, given) if len(table) <= MOST_DENSE else _series(matrix, given)
    solution[~_reached(matrix, given)] = 0.0
    return solution


def _right_side(table: Table, what: str, factor: str | None) -> Vector:
    """Return demand, or one factor."""
    if what == "quantities":
        if table.demand is None:
            raise WrongUsageError("the table has no demand")
        return table.demand
    if what != "values":
        raise WrongUsageError(f"{what!r} is unknown", advice="ask for quantities or values")
    name = next(iter(table.factors), "") if factor is None else factor
    if name not in table.factors:
        raise WrongUsageError(
            f"the table has no factor {name!r}", advice=f"it has: {', '.join(table.factors)}"
        )
    return table.factors[name]


def _reached(matrix: csr_array, given: Vector) -> npt.NDArray[np.bool_]:
    """Return which products are needed, directly or not, for anything that is given."""
    pattern = csr_array((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape)
    reached: npt.NDArray[np.bool_] = given != 0
    while True:
        further: npt.NDArray[np.bool_] = reached | (pattern @ reached.astype(float) > 0)
        if (further == reached).all():
            return further
        reached = further


def _dense(matrix: csr_array, given: Vector) -> Vector:
    """Solve by LU, refined until corrections are below rounding relative to turnover."""
    n = len(given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a singular matrix; judged on the next lines
        factors: tuple[Any, Any] = lu_factor(np.eye(n) - matrix.toarray())
    if not np.diagonal(factors[0]).all():
        raise InvalidInputError("I - A is singular: the table is not productive")
    # With A ≥ 0, productive means that one unit of everything can be made.
    if (matrix.data >= 0).all() and not (lu_solve(factors, np.ones(n)) > 0).all():
        raise InvalidInputError("the table is not productive: one unit of everything needs more")
    exact = matrix.astype(np.longdouble)
    solution = np.zeros(n, dtype=np.longdouble)
    for _ in range(20):
        residual = given + exact @ solution - solution
        correction = lu_solve(factors, residual.astype(np.float64))
        solution += correction
        turnover = np.abs(given) + np.abs(exact) @ np.abs(solution)
        if (np.abs(correction) <= 2.0**-55 * turnover).all():
            break
    return solution.astype(np.float64)


def _series(matrix: csr_array, given: Vector) -> Vector:
    """Sum f + A f + A² f + ... until the terms vanish in every component."""
    term, total, size = given, given.copy(), np.abs(given)
    for _ in range(MOST_TERMS):
        before, term = term, matrix @ term
        total += term
        size += np.abs(term)
        if (np.abs(term) <= VANISHED * size).all():
            return total
        if (term >= before).all() and (before >= 0).all() and (matrix.data >= 0).all():
            raise InvalidInputError("the table is not productive: the series grows everywhere")
        if size.max() > 1e290:
            break
    raise InvalidInputError(
        f"the series of {len(given):,} products does not converge",
        where=f"product {int(np.argmax(np.abs(term)))}",
        advice="the table is not productive, or its radius is above .998",
    )
