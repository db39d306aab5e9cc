"""Balancing: the matrix nearest to an old one that has given row and column totals.

    RAS     A ≥ 0                z_ij = r_i a_ij s_j
    GRAS    A = P − N, signed    z_ij = r_i p_ij s_j − n_ij / (r_i s_j)

with r, s > 0 such that Σ_j z_ij = u_i and Σ_i z_ij = v_j. Of all matrices with these totals and
with the signs and zeros of A, it is the one that says least beyond them:

    minimise  Σ |a_ij| (y_ij ln y_ij − y_ij + 1),   y_ij = z_ij / a_ij

One pass solves the row equations for r, then the column equations for s. Each is a quadratic,
r² p − u r − n = 0 with p = Σ p_ij s_j and n = Σ n_ij / s_j. Where nothing is negative, r = u / p:
this is RAS. A pass reads A twice; nothing but P and N, sparse, is held.

References
----------
RAS: Stone (1961); Miller and Blair (2009), Input-Output Analysis, sect. 7.4. GRAS: Junius and
Oosterhaven (2003), Economic Systems Research 15, 87-96, without the factor e in their target and
their equations, as corrected by Lenzen, Wood and Gallego (2007), Economic Systems Research 19,
461-465. Rows without positive entries: Temurshoev, Miller and Bouwmeester (2013), Economic Systems
Research 25, 361-367.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, diags_array

from ogas.engine.errors import InvalidInputError, WrongUsageError
from ogas.engine.table import Integers, Labels, Vector

UNBALANCED = 0.1  # of the tolerance, by which row and column totals may differ in sum
LARGEST = 1e100  # multipliers beyond this grow for ever: there is no such matrix


@dataclass(frozen=True, eq=False)
class Totals:
    """What the rows and columns of a matrix should add up to.

    Attributes
    ----------
    rows : (m,) float64
    columns : (n,) float64
    row_labels, column_labels : (m,) and (n,) labels, for messages
    """

    rows: Vector
    columns: Vector
    row_labels: Labels
    column_labels: Labels


@dataclass(frozen=True)
class Tolerance:
    """How near to its totals a matrix has to come.

    Attributes
    ----------
    gap : float
        Of every row, relative to the absolute value of its entries.
    max_passes : int
    """

    gap: float = 1e-9
    max_passes: int = 2000


USUAL = Tolerance()


@dataclass(frozen=True, eq=False)
class Balanced:
    """A balanced matrix, or how near to one the passes came.

    Attributes
    ----------
    matrix : (m, n) csr_array
        Signs and zeros as in the old matrix; columns add up to their totals, to rounding.
    row_multipliers, column_multipliers : (m,) and (n,) float64
        r and s; 0 for a line that has to vanish.
    passes : int
    gap : float
        The largest ``|Σ_j z_ij − u_i| / Σ_j |z_ij|`` of a row.
    worst : int
        The row that has it.
    is_balanced : bool
        The gap is within the tolerance.
    """

    matrix: csr_array
    row_multipliers: Vector
    column_multipliers: Vector
    passes: int
    gap: float
    worst: int
    is_balanced: bool


def ras(matrix: csr_array, totals: Totals, tolerance: Tolerance = USUAL) -> Balanced:
    """Scale the rows and columns of a nonnegative matrix to given totals, nonnegative too.

    This is `gras` where nothing has a sign; it returns and raises the same.

    Raises
    ------
    WrongUsageError
        If the matrix has negative entries.

    Examples
    --------
    >>> totals = Totals(np.array([3.0, 5.0]), np.array([4.0, 4.0]), *2 * [np.array(["a", "b"])])
    >>> found = ras(csr_array(np.array([[1.0, 0.0], [1.0, 1.0]])), totals)
    >>> found.matrix.toarray().round(6).tolist()
    [[3.0, 0.0], [1.0, 4.0]]
    """
    if (matrix.data < 0).any():
        raise WrongUsageError(
            f"{np.count_nonzero(matrix.data < 0):,} entries are negative, which RAS cannot scale",
            advice="balance with gras",
        )
    return gras(matrix, totals, tolerance)


def gras(matrix: csr_array, totals: Totals, tolerance: Tolerance = USUAL) -> Balanced:
    """Balance a matrix whose entries and totals may have any sign; see the law of this page.

    Parameters
    ----------
    matrix : (m, n) CSR
    totals : Totals
        Of equal sum.
    tolerance : Tolerance

    Returns
    -------
    Balanced
        Look at ``is_balanced``: where too many entries are zero, no such matrix may exist.

    Raises
    ------
    InvalidInputError
        If the totals do not add up to the same, or a row or column cannot have its total: with its
        label.

    Examples
    --------
    >>> totals = Totals(np.array([1.0, 2.0]), np.array([0.0, 3.0]), *2 * [np.array(["a", "b"])])
    >>> found = gras(csr_array(np.array([[-1.0, 2.0], [1.0, 1.0]])), totals)
    >>> found.matrix.toarray().round(4).tolist(), found.is_balanced
    ([[-1.0, 2.0], [1.0, 1.0]], True)
    """
    _check_sums(totals, tolerance.gap)
    kept = _without_vanishing_lines(csr_array(matrix, dtype=np.float64, copy=True), totals)
    halves = _Halves.of(kept)
    _check_lines("row", totals.rows, totals.row_labels, halves.row_sums())
    _check_lines("column", totals.columns, totals.column_labels, halves.column_sums())
    r, s = np.ones(kept.shape[0]), np.ones(kept.shape[1])
    found, gap, worst, passes = (r, s), np.inf, 0, 0
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        plus, minus = halves.across(s)
        while passes < tolerance.max_passes and gap > tolerance.gap:
            passes += 1
            r = _root(totals.rows, plus, minus)
            s = _root(totals.columns, *halves.down(r))
            plus, minus = halves.across(s)
            if not max(r.max(), s.max(), _inverse(r).max(), _inverse(s).max()) < LARGEST:
                break
            gaps = _gaps(totals.rows, r * plus, _inverse(r) * minus)
            found, worst = (r, s), int(np.argmax(gaps))
            gap = float(gaps[worst])
    return Balanced(halves.scaled(*found), *found, passes, gap, worst, gap <= tolerance.gap)


@dataclass(frozen=True, eq=False)
class _Halves:
    """A matrix as P − N, both without negative entries."""

    plus: csr_array
    minus: csr_array

    @staticmethod
    def of(matrix: csr_array) -> "_Halves":
        return _Halves(
            _part(matrix, np.maximum(matrix.data, 0)), _part(matrix, -np.minimum(matrix.data, 0))
        )

    def across(self, s: Vector) -> tuple[Vector, Vector]:
        """Return Σ_j p_ij s_j and Σ_j n_ij / s_j."""
        return self.plus @ s, self.minus @ _inverse(s)

    def down(self, r: Vector) -> tuple[Vector, Vector]:
        """Return Σ_i p_ij r_i and Σ_i n_ij / r_i."""
        return self.plus.T @ r, self.minus.T @ _inverse(r)

    def row_sums(self) -> tuple[Vector, Vector]:
        return self.across(np.ones(self.plus.shape[1]))

    def column_sums(self) -> tuple[Vector, Vector]:
        return self.down(np.ones(self.plus.shape[0]))

    def scaled(self, r: Vector, s: Vector) -> csr_array:
        up = diags_array(r) @ self.plus @ diags_array(s)
        down = diags_array(_inverse(r)) @ self.minus @ diags_array(_inverse(s))
        return csr_array(up - down)


def _part(matrix: csr_array, data: Vector) -> csr_array:
    part = csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape, copy=True)
    part.eliminate_zeros()
    return part


def _inverse(multipliers: Vector) -> Vector:
    """Return 1 / r; a line that vanishes has nothing left to be divided."""
    return np.divide(1.0, multipliers, out=np.zeros(len(multipliers)), where=multipliers != 0)


def _root(total: Vector, plus: Vector, minus: Vector) -> Vector:
    """Return the r ≥ 0 with r p − n / r = u; subtraction loses no figures."""
    wide = np.sqrt(total**2 + 4 * plus * minus)
    above, below = total + wide, wide - total
    up = np.divide(above, 2 * plus, out=np.zeros(len(total)), where=plus > 0)
    return np.where(total >= 0, up, np.divide(2 * minus, below, out=up.copy(), where=below > 0))


def _gaps(total: Vector, plus: Vector, minus: Vector) -> Vector:
    size = plus + minus
    return np.divide(np.abs(plus - minus - total), size, out=np.zeros(len(total)), where=size > 0)


def _check_sums(totals: Totals, tolerance: float) -> None:
    for kind, given in (("row", totals.rows), ("column", totals.columns)):
        if not np.isfinite(given).all():
            raise InvalidInputError(f"a {kind} total is not a finite number")
    rows, columns = float(totals.rows.sum()), float(totals.columns.sum())
    size = (np.abs(totals.rows).sum() + np.abs(totals.columns).sum()) / 2
    if abs(rows - columns) > UNBALANCED * tolerance * size:
        raise InvalidInputError(
            f"the row totals add up to {rows:.12g}, the column totals to {columns:.12g}: they "
            f"differ by {rows - columns:.3g}",
            advice="correct or scale one side; no matrix has both",
        )


def _without_vanishing_lines(matrix: csr_array, totals: Totals) -> csr_array:
    """Drop the entries of lines that have one sign and add up to 0: all of them have to be 0."""
    matrix.eliminate_zeros()
    while True:
        halves = _Halves.of(matrix)
        row_of = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        gone = _vanishes(totals.rows, *halves.row_sums())[row_of]
        gone |= _vanishes(totals.columns, *halves.column_sums())[matrix.indices]
        if not gone.any():
            return matrix
        matrix.data[gone] = 0.0
        matrix.eliminate_zeros()


def _vanishes(total: Vector, plus: Vector, minus: Vector) -> Any:
    return (total == 0) & ((plus == 0) != (minus == 0))


def _check_lines(kind: str, total: Vector, labels: Labels, sums: tuple[Vector, Vector]) -> None:
    """Refuse a positive total without positive entries, and a negative one without negative."""
    plus, minus = sums
    impossible: Integers = np.flatnonzero(
        ((total > 0) & (plus == 0)) | ((total < 0) & (minus == 0))
    )
    if impossible.size == 0:
        return
    line = int(impossible[0])
    sign = "positive" if total[line] > 0 else "negative"
    empty = plus[line] == 0 and minus[line] == 0
    what = "it has no entries" if empty else f"it has no {sign} entries"
    more = f" ({impossible.size:,} {kind}s are like this)" if impossible.size > 1 else ""
    raise InvalidInputError(
        f"its total should be {total[line]:g}, but {what}{more}",
        where=f"{kind} {labels[line]!s}",
        advice="give it entries, or the total 0",
    )
