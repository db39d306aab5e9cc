"""The Leontief inverse of a small table, every entry of it, enclosed.

LAPACK gives some R near (I - A)^-1. Whatever R is, with the residual D = I - (I - A) R

    L = R (I - D)^-1 = R + R D + R D^2 + ...         if the powers of |D| vanish, and then

    |L - R|  <=  |R| |D| / (1 - k)                   entry by entry, where |R| |D| <= k |R|, k < 1

since |R| |D|^m <= k^m |R|; and as no column of R is empty, the powers of |D| do vanish and I - A is
regular. So an entry is known to about 300 roundings times the rounds of production behind it, the
smallest as well as the largest; and where no chain of products leads from j to i, L_ij is exactly
0, as R_ij and all that could be added to it.

Rounding is part of the bounds, as in `ogas.kernels.certify`: A R is summed in chunks, by chains of
at most k additions, and the computed D is off by at most e (|R| + |A| |R| + I) with e = (k+4) eps /
(1 - (k+4) eps), twice Wilkinson's bound, whatever the order in which BLAS adds, with or without
fused operations. Nothing underflows, or nothing is claimed.

R is best where no figures are lost by subtraction: with prices at which every column of A costs
less than its product is worth, no pivots are exchanged, and all but the diagonal is sums.

Takes 6 n^3 operations, 8 n^3 with negative entries, and `BYTES` n^2 bytes.

Sources: Rump (2010), Verification methods, Acta Numerica 19, 287-449, sect. 10; Ogita, Rump and
Oishi (2005) for bounds from one product; Higham (2002), Accuracy and Stability, ch. 3, 8.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dgetrf, dgetri
from scipy.sparse import csr_array

from ogas.engine.blas import one_thread
from ogas.engine.errors import NotProvenError
from ogas.engine.interval import Interval
from ogas.engine.table import Vector
from ogas.kernels.reference import EPSILON

CHUNK = 256  # products whose contributions BLAS adds up; also the columns bounded at a time
LEAST, MOST = 1e-90, 1e90  # of numbers between them, not even products of three over- or underflow
CONTRACTING = 0.5  # the largest k; beyond, R is no inverse to speak of
SPREAD = 1.0 + 8.0 * EPSILON  # what the few operations after a sum may lose
BYTES = 48  # per entry: A, R, their sizes, bounds, and what is bounded at a time

Matrix = npt.NDArray[np.float64]


def whole_inverse(coefficients: csr_array, prices: Vector | None = None) -> Interval:
    """Enclose every entry of ``L = (I - A)^-1``, rounding included.

    Parameters
    ----------
    coefficients : (n, n) CSR
        A, with entries of any sign: units of product i per unit of product j.
    prices : (n,) float64, positive, optional
        Any. With some in which every column of |A| costs less than its product, bounds are
        narrowest. 1 if not given.

    Returns
    -------
    Interval
        (n, n), ``L[i, j]`` in units of i per unit of j. 0 without a doubt where no demand for j
        reaches i. That the economy is productive is not said by it.

    Raises
    ------
    NotProvenError
        If I - A is singular or nearly so, or numbers lie more than a hundred orders apart.

    References
    ----------
    Rump (2010), Acta Numerica 19, sect. 10.

    Examples
    --------
    >>> A = csr_array(np.array([[0.0, 0.5], [0.5, 0.0]]))
    >>> L = whole_inverse(A)
    >>> (L.lower <= [[4 / 3, 2 / 3], [2 / 3, 4 / 3]]).all(), L.figures.min() >= 13
    (np.True_, np.True_)
    """
    matrix = _dense(coefficients)
    with one_thread(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        inverse = _inverted(matrix, np.ones(len(matrix)) if prices is None else prices)
        return _Approximation.of(matrix, inverse).enclosed()


@dataclass(frozen=True, eq=False)
class _Approximation:
    """A as a dense matrix, and R, whatever it is worth; and their sizes.

    Attributes
    ----------
    matrix, inverse : (n, n) float64
    gross, sizes : (n, n) float64
        |A| and |R|; the same objects where nothing is negative.
    """

    matrix: Matrix
    inverse: Matrix
    gross: Matrix
    sizes: Matrix

    @staticmethod
    def of(matrix: Matrix, inverse: Matrix) -> "_Approximation":
        if (matrix >= 0).all() and (inverse >= 0).all():
            return _Approximation(matrix, inverse, matrix, inverse)
        return _Approximation(matrix, inverse, np.abs(matrix), np.abs(inverse))

    def enclosed(self) -> Interval:
        """Return R and how far from it the inverse may be."""
        sizes, radius = self.sizes, np.empty_like(self.sizes)
        largest = 0.0
        for first in range(0, len(sizes), CHUNK):
            some = slice(first, first + CHUNK)
            away, size = sizes @ self._residual(some), sizes[:, some]
            ratio = np.where(away == 0, 0.0, np.inf)
            np.divide(away, size, out=ratio, where=size > 0)
            largest = float(np.maximum(largest, ratio.max()))  # NaN stays
            radius[:, some] = away
        lost = (1.0 + _lost(len(sizes))) * SPREAD
        contraction = largest * lost
        if not contraction <= CONTRACTING:
            raise _unproven("I - A is singular, or nearly so")
        radius *= lost * SPREAD / (1.0 - contraction)
        return Interval(self.inverse, radius)

    def _residual(self, some: slice) -> Matrix:
        """Return a bound of some columns of ``|I - (I - A) R|``."""
        off, size = _product(self.matrix, self.inverse[:, some]), self.sizes[:, some]
        gross = size + (off if self.gross is self.matrix else _product(self.gross, size))
        off -= self.inverse[:, some]
        own = np.arange(len(off))[some]
        for one in (off, gross):
            one[own, own - some.start] += 1.0
        chain = min(len(off), CHUNK) - (-len(off) // CHUNK)
        return np.asarray((np.abs(off) + _lost(chain) * gross) * SPREAD)


def _product(matrix: Matrix, columns: Matrix) -> Matrix:
    """Return A B, added up in chunks: 1,435 terms lose what 262 do."""
    found = np.zeros(columns.shape)
    for first in range(0, len(matrix), CHUNK):
        part = slice(first, first + CHUNK)
        found += matrix[:, part] @ columns[part]
    return found


def _inverted(matrix: Matrix, prices: Vector) -> Matrix:
    """Return an approximation of (I - A)^-1 that is neither infinite nor vanishing."""
    system = np.divide(matrix, -prices, out=np.empty(matrix.shape, order="F"))
    system *= prices[:, None]
    np.fill_diagonal(system, 1.0 - matrix.diagonal())
    factored, pivots, singular = dgetrf(system, overwrite_a=True)
    if singular:
        raise _unproven("I - A is singular")
    inverse: Matrix = dgetri(factored, pivots, lwork=64 * len(matrix), overwrite_lu=True)[0]
    inverse *= prices
    inverse /= prices[:, None]
    sizes = np.abs(inverse)
    empty = not sizes.any(axis=0).all()
    if empty or not LEAST <= sizes.min(where=sizes > 0, initial=MOST) <= sizes.max() <= MOST:
        raise _unproven("entries of the inverse lie too far apart")
    return inverse


def _dense(coefficients: csr_array) -> Matrix:
    """Return A as a dense matrix, if its entries may be multiplied."""
    sizes = np.abs(coefficients.data[coefficients.data != 0])
    if sizes.size and not LEAST <= sizes.min() <= sizes.max() <= MOST:
        raise _unproven("coefficients lie too far apart")
    return np.asarray(coefficients.toarray(), dtype=np.float64)


def _lost(additions: int) -> float:
    """Return what a sum of so many terms may lose, relative to that of their sizes."""
    rounding = (additions + 4.0) * EPSILON
    return (1.0 + 4.0 * EPSILON) * rounding / (1.0 - rounding)


def _unproven(what: str) -> NotProvenError:
    return NotProvenError(what, advice="solve for the columns that are wanted")
