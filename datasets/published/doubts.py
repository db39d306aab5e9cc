"""What is odd about a published table: a total among the products, the wrong way round, gaps.

a total        row i of A is the sum of all others:    2 A[i, j] = sum_k A[k, j]  for every j
wrong way      x is no row sum of Z + f, but a column sum is:   Z = A x̂
a gap          x is neither
"""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

from ogas.datasets.found import Found
from ogas.engine.errors import InvalidInputError
from ogas.engine.table import Vector

FEWEST = 4  # products; in smaller tables one row may well be as large as the others together
ROUNDED = 1e-6  # how far a published total may be from the sum of what was published
GAP = 0.01  # of turnover; below it, gaps are rounding


def doubts(found: Found) -> tuple[str, ...]:
    """Return what is odd, one line each.

    Raises
    ------
    InvalidInputError
        If a total is among the products, or the table is the wrong way round.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is no number to doubt
        _check_totals(found)
        return (*_gaps(found), *_idle(found))


def _check_totals(found: Found) -> None:
    if len(found.header) < FEWEST:
        return
    for matrix, what in _directions(found):
        product = _total(matrix)
        if product is not None:
            raise InvalidInputError(
                f"its {what} is the sum of all others: it is a total, not a product",
                where=f"product {found.header.ids[product]!s}",
                advice="remove the row and the column of the total",
            )


def _directions(found: Found) -> Iterator[tuple[csr_array, str]]:
    """Yield what the rows hold; and the columns, where outputs make flows of them."""
    yield found.matrix, "row"
    if found.header.output is not None:
        yield _flows(found, found.header.output).T.tocsr(), "column"


def _total(matrix: csr_array) -> int | None:
    sums = np.asarray(matrix.sum(axis=0))
    used = np.flatnonzero(sums)
    candidates = np.flatnonzero(np.diff(matrix.indptr) >= max(len(used), FEWEST - 1))
    for row in candidates.tolist():
        entries = slice(matrix.indptr[row], matrix.indptr[row + 1])
        gap = 2 * matrix.data[entries] - sums[matrix.indices[entries]]
        if (abs(gap) <= ROUNDED * abs(sums[matrix.indices[entries]])).all():
            return row
    return None


def _flows(found: Found, output: Vector) -> csr_array:
    """Return Z = A x̂."""
    data = found.matrix.data * output[found.matrix.indices]
    return csr_array((data, found.matrix.indices, found.matrix.indptr), found.matrix.shape)


def _gaps(found: Found) -> tuple[str, ...]:
    """Compare output with row sums + demand."""
    x, f = found.header.output, found.header.demand
    if x is None or f is None:
        return ()
    turnover = np.maximum(abs(x), abs(f))
    gap = _relative(found.matrix @ x + f - x, turnover)
    worst = int(np.argmax(gap))
    if gap[worst] <= GAP:
        return ()
    across = _relative(np.asarray(_flows(found, x).sum(axis=0)) + f - x, turnover)
    if across.max() <= GAP and found.matrix.nnz >= len(x) >= FEWEST:
        raise InvalidInputError(
            "output is the sum of columns and demand, not of rows and demand: the table is the "
            "wrong way round",
            where=f"product {found.header.ids[worst]!s}",
            advice="transpose it: suppliers in rows, users in columns",
        )
    return (
        f"output and row sum + demand differ by more than {GAP:.0%} for {(gap > GAP).sum():,} "
        f"products, most for {found.header.ids[worst]!s} ({gap[worst]:.2g} of its turnover)",
    )


def _relative(gap: Vector, turnover: Vector) -> Vector:
    known = turnover > 0
    return np.divide(abs(gap), turnover, out=np.where(gap == 0, 0.0, np.inf), where=known)


def _idle(found: Found) -> tuple[str, ...]:
    """Say which products are not made at all."""
    x = found.header.output
    if x is None or (x != 0).all():
        return ()
    idle = np.flatnonzero(x == 0)
    first = found.header.ids[idle[0]]
    return (
        f"{idle.size:,} products have no output, the first is {first!s}: kept, made of nothing",
    )
