"""What is odd about a table that was read, in whatever form: totals among its rows, gaps.

a total        row i of A is the sum of all others:    2 A[i, j] = sum_k A[k, j]  for every j
               so is a factor:   l[j] = sum_k A[k, j], or that and all factors above it
wrong way      x is no row sum of Z + f, but a column sum is:   Z = A x̂
a gap          x is neither
an idle one    x = 0: kept in its place, made of nothing, so that every year has the same products

"Every j" is nearly every column that is not empty, and "is" allows for rounding. Every reader's
table comes here, and nowhere else are such things looked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ogas.datasets.found import Found
from ogas.engine.errors import InvalidInputError
from ogas.engine.header import Header
from ogas.engine.table import Integers, Vector

FEWEST = 4  # products; in smaller tables one row may well be as large as the others together
NEARLY = 0.95  # of the columns that are not empty
ROUNDED = 1e-6  # how far a total may be from the sum of what was published
COARSE = 1e-3  # the same where two independent numbers would have to agree in every column
ENTRIES = 2**20  # looked at together
GAP = 0.01  # of turnover; below it, gaps are rounding
NAMED = 5


@dataclass(frozen=True, eq=False)
class Costs:
    """What products cost in money: all inputs together, and the primary inputs by name.

    Attributes
    ----------
    all : (n,) float64
        Inputs and primary inputs of each product.
    inputs : mapping of name to (n,) float64
        Totals of primary inputs, part of ``all``.
    places : sequence of n str
        Where the column of each product stands.
    """

    all: Vector
    inputs: Mapping[str, Vector]
    places: Sequence[str]


def doubts(found: Found) -> tuple[str, ...]:
    """Return what is odd, one line each.

    Raises
    ------
    InvalidInputError
        If a total is among the products or factors, or the table is the wrong way round.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is no number to doubt
        _check_totals(found)
        _check_factors(found)
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


def _check_factors(found: Found) -> None:
    """Refuse a factor that is the sum of the rows above it.

    A subtotal of factors, as value added may be, is none: it says what no other row says. Columns
    of one input are no evidence: there a factor of the same size is as likely as a sum.
    """
    output = found.header.output
    scale = np.ones(len(found.header)) if output is None else output
    scale = np.where(_entries(found.matrix) > 1, scale, 0.0)
    running = inputs = np.asarray(found.matrix.sum(axis=0)) * scale
    for name, amounts in found.header.factors.items():
        for sums, what in ((inputs, "all products"), (running, "all rows above it")):
            if _is_sum(amounts * scale, sums):
                raise InvalidInputError(
                    f"the row {name!r} is the sum of {what}: it is a total, not a factor",
                    where=f"factor {name}",
                    advice="remove the row; where it is the gross output, make it a column "
                    "`output`",
                )
        running = running + amounts * scale


def _is_sum(amounts: Vector, sums: Vector) -> bool:
    """Whether nearly every amount is this sum, more often than coincidence has it."""
    fits = (np.abs(amounts - sums) <= COARSE * np.abs(sums)) & (sums != 0)
    used, different = np.count_nonzero(sums), np.unique(amounts[fits]).size
    return bool(different >= FEWEST - 1 and np.count_nonzero(fits) >= max(NEARLY * used, FEWEST))


def _entries(matrix: csr_array) -> Integers:
    """Count the entries of every column."""
    counts: Integers = np.bincount(matrix.indices, minlength=matrix.shape[1])
    return counts


def is_total(rows: npt.NDArray[np.float64], place: int) -> bool:
    """Whether a row is the sum of all others, or of those above it; columns, of the transpose."""
    others, above = rows.sum(axis=0) - rows[place], rows[:place].sum(axis=0)
    return _is_sum(rows[place], others) or _is_sum(rows[place], above)


def _totals(found: Found) -> tuple[Integers, Integers]:
    """Return which rows and which columns are totals; columns only where outputs are known.

    An entry fits if it is half of its column (row) sum, and two others or more make up the rest. A
    row is a total if an entry of it fits in nearly every column that is not empty.
    """
    A, n = found.matrix, len(found.header)
    outputs = np.zeros(n) if found.header.output is None else found.header.output
    down, along = np.asarray(A.sum(axis=0)), A @ outputs
    # Two equal entries are each half of their sum, whatever they are.
    down = np.where(_entries(A) > 2, down, 0.0)
    along = np.where(np.diff(A.indptr) > 2, along, 0.0)
    fits_row, fits_column = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    starts = np.unique(np.searchsorted(A.indptr, np.arange(0, A.nnz, ENTRIES), "right") - 1)
    for first, last in pairwise([*starts.tolist(), n]):
        block = slice(A.indptr[first], A.indptr[last])
        rows = np.repeat(np.arange(first, last), np.diff(A.indptr[first : last + 1]))
        columns, values = A.indices[block], A.data[block]
        fits_row += np.bincount(rows[_is_half(values, down[columns])], minlength=n)
        flows = values * outputs[columns]
        fits_column += np.bincount(columns[_is_half(flows, along[rows])], minlength=n)
    used, using = NEARLY * np.count_nonzero(down), NEARLY * np.count_nonzero(along)
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
        f"products, most for {found.header.ids[worst]!s} ({gap[worst]:.2g} of its turnover): is a "
        "part of final demand missing (exports, inventories), or are imports counted in?",
    )


def unpaid(header: Header, costs: Costs) -> tuple[str, ...]:
    """Say where inputs and primary inputs do not make up the output, in money, and likely why."""
    output = header.output
    if output is None:
        return ()
    gap = _short(costs.all, output)
    worst = int(np.argmax(gap))
    if gap[worst] <= GAP:
        return ()
    return (
        f"inputs and primary inputs differ from output by more than {GAP:.0%} for "
        f"{(gap > GAP).sum():,} products, most for {header.ids[worst]!s} ({costs.places[worst]}): "
        f"they are {costs.all[worst]:.6g}, its output {output[worst]:.6g}; {_cause(costs, output)}",
    )


def _cause(costs: Costs, output: Vector) -> str:
    """Return what would close the gaps: one row too many, else what is usual."""
    for name, amounts in costs.inputs.items():
        if (_short(costs.all - amounts, output) <= GAP).all():
            return (
                f"without {name!r} they agree: is it part of another row, or are inputs at "
                "purchasers' prices already?"
            )
    if (costs.all <= output * (1 + GAP)).all():
        return "inputs are too small throughout: is a row missing (imports, taxes, value added)?"
    return "is a row there twice, as part of another, or are prices mixed (basic, purchasers')?"


def _short(costs: Vector, output: Vector) -> Vector:
    return _relative(costs - output, np.maximum(abs(costs), output))


def _relative(gap: Vector, turnover: Vector) -> Vector:
    known = turnover > 0
    return np.divide(abs(gap), turnover, out=np.where(gap == 0, 0.0, np.inf), where=known)


def _idle(found: Found) -> tuple[str, ...]:
    """Say which products are not made at all."""
    x = found.header.output
    if x is None or (x != 0).all():
        return ()
    idle = np.flatnonzero(x == 0)
    some = ", ".join(str(found.header.ids[product]) for product in idle[:NAMED])
    more = f" and {idle.size - NAMED:,} more" if idle.size > NAMED else ""
    noun = "product has" if idle.size == 1 else "products have"
    return (f"{idle.size:,} {noun} no output, kept and made of nothing: {some}{more}",)
