"""What is odd about a published table: a total among the products, the wrong way round, gaps.

a total        row i of A is the sum of all others:    2 A[i, j] = sum_k A[k, j]  for every j
wrong way      x is no row sum of Z + f, but a column sum is:   Z = A x̂
a gap          x is neither
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ogas.datasets.found import Found
from ogas.engine.errors import InvalidInputError
from ogas.engine.table import Integers, Vector

FEWEST = 4  # products; in smaller tables one row may well be as large as the others together
ROUNDED = 1e-6  # how far a published total may be from the sum of what was published
ENTRIES = 2**20  # looked at together
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
    """Refuse a row of A or a column of Z that is the sum of all others."""
    if len(found.header) < FEWEST:
        return
    rows, columns = _totals(found)
    for products, what in ((rows, "row"), (columns, "column")):
        if products.size:
            raise InvalidInputError(
                f"its {what} is the sum of all others: it is a total, not a product",
                where=f"product {found.header.ids[products[0]]!s}",
                advice="remove the row and the column of the total",
            )


def _totals(found: Found) -> tuple[Integers, Integers]:
    """Return which rows and which columns are totals; columns only where outputs are known.

    An entry fits if it is half of its column (row) sum. A row is a total if an entry of it fits in
    every column that is not empty.
    """
    A, n = found.matrix, len(found.header)
    outputs = np.zeros(n) if found.header.output is None else found.header.output
    down, along = np.asarray(A.sum(axis=0)), A @ outputs
    fits_row, fits_column = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    starts = np.unique(np.searchsorted(A.indptr, np.arange(0, A.nnz, ENTRIES), "right") - 1)
    for first, last in pairwise([*starts.tolist(), n]):
        block = slice(A.indptr[first], A.indptr[last])
        rows = np.repeat(np.arange(first, last), np.diff(A.indptr[first : last + 1]))
        columns, values = A.indices[block], A.data[block]
        fits_row += np.bincount(rows[_is_half(values, down[columns])], minlength=n)
        flows = values * outputs[columns]
        fits_column += np.bincount(columns[_is_half(flows, along[rows])], minlength=n)
    used, using = int(np.count_nonzero(down)), int(np.count_nonzero(along))
    return (
        np.flatnonzero(fits_row >= max(used, FEWEST - 1)),
        np.flatnonzero(fits_column >= max(using, FEWEST - 1)),
    )


def _is_half(values: Vector, sums: Vector) -> npt.NDArray[np.bool_]:
    half = np.abs(2 * values - sums) <= ROUNDED * np.abs(sums)
    fits: npt.NDArray[np.bool_] = np.logical_and(half, sums != 0)
    return fits


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
    across = _relative(np.asarray(found.matrix.sum(axis=0)) * x + f - x, turnover)
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


def unpaid(found: Found, costs: Vector) -> tuple[str, ...]:
    """Say where inputs and primary inputs do not make up the output, in money."""
    output = found.header.output
    if output is None:
        return ()
    gap = _relative(costs - output, np.maximum(abs(costs), output))
    worst = int(np.argmax(gap))
    if gap[worst] <= GAP:
        return ()
    return (
        f"inputs and primary inputs differ from output by more than {GAP:.0%} for "
        f"{(gap > GAP).sum():,} products, most for {found.header.ids[worst]!s} "
        f"({gap[worst]:.2g} of it): is a row missing (imports, taxes), or are prices mixed (basic, "
        "purchasers')?",
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
