"""The Perron vector: the activity at which a circle of products uses up the same multiple of each.

For a nonnegative irreducible B and any y > 0 (Collatz and Wielandt)

    min (B y)_i / y_i  <=  spectral radius  <=  max (B y)_i / y_i

and both sides meet at the Perron vector. It comes from ARPACK, since power steps alone cannot tell
radius 1 + 1e-10 from 1; and from the **balanced** matrix ``Y^-1 B Y``, whose rows and columns have
equal sums, so that neither tonnes nor grams decide what ARPACK can see. The bounds are proven
afterwards with whatever vector came out, rounding included.

Sources: Collatz (1942); Osborne (1960), J. ACM 7, 338-345, for balancing; Lehoucq, Sorensen and
Yang (1998), ARPACK Users' Guide.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, eigs

from ogas.engine.table import Vector
from ogas.kernels.reference import EPSILON

SMALL = 64  # up to this many products the dense eigenvalues are quicker
BALANCING = 30
SMOOTHING = 12


@dataclass(frozen=True, eq=False)
class Perron:
    """A positive vector close to the Perron vector, and the radius bounds it proves.

    Attributes
    ----------
    vector : (n,) float64, positive
    lower, upper : float
        Proven bounds of the spectral radius.
    products : int
        Multiplications with the matrix that it took.
    """

    vector: Vector
    lower: float
    upper: float
    products: int


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # then the bounds prove nothing
def perron(matrix: csr_array) -> Perron:
    """Return the Perron vector of a nonnegative irreducible matrix.

    Examples
    --------
    >>> found = perron(csr_array(np.array([[0.0, 2.0], [0.5, 0.0]])))
    >>> round(found.lower, 9), round(found.upper, 9)
    (1.0, 1.0)
    >>> (found.vector / found.vector[1]).round(9).tolist()
    [2.0, 1.0]
    """
    n = matrix.shape[0]
    scale = _balancing(matrix) if n > 1 else np.ones(1)
    balanced = csr_array(diags_array(1.0 / scale) @ matrix @ diags_array(scale))
    vector, count = _dense(balanced) if n <= SMALL else _arpack(balanced)
    for _ in range(SMOOTHING):
        image = balanced @ vector
        vector = image + np.max(image / vector) * vector  # the shift makes cyclic matrices converge
        vector /= np.max(vector)
    lower, upper = proven_ratios(matrix, scale * vector)
    count += 2 * BALANCING + SMOOTHING + 1
    return Perron(scale * vector, float(np.min(lower)), float(np.max(upper)), count)


def proven_ratios(matrix: csr_array, vector: Vector) -> tuple[Vector, Vector]:
    """Return bounds of ``(B y)_i / y_i`` for every row, entries of any sign, rounding included."""
    image, gross = matrix @ vector, abs(matrix) @ vector
    terms = np.diff(matrix.indptr) + 4.0
    error = 2.0 * terms * EPSILON * gross / vector + 1e-290
    return image / vector - error, image / vector + error


def _balancing(matrix: csr_array) -> Vector:
    """Return y such that row i and column i of ``Y^-1 B Y`` have nearly equal sums."""
    scale = np.ones(matrix.shape[0])
    transposed = csr_array(matrix.T)
    for _ in range(BALANCING):
        rows = (matrix @ scale) / scale
        columns = (transposed @ (1.0 / scale)) * scale
        # What overflows (units hundreds of orders apart) is left as it is.
        scale *= np.nan_to_num(np.clip(rows / columns, 1e-100, 1e100), nan=1.0) ** 0.25
        scale /= np.exp(np.mean(np.log(scale)))
    return scale


def _dense(matrix: csr_array) -> tuple[Vector, int]:
    radii, vectors = np.linalg.eig(matrix.toarray())
    return _positive(vectors[:, np.argmax(radii.real)]), 1


def _arpack(matrix: csr_array) -> tuple[Vector, int]:
    """Return the eigenvector of the largest real part (the radius), and the products made."""
    count = 0

    def multiply(vector: Vector) -> Vector:
        nonlocal count
        count += 1
        return np.asarray(matrix @ vector.ravel())

    n = matrix.shape[0]
    operator = LinearOperator(matrix.shape, matvec=multiply, dtype=np.float64)
    try:
        vectors = eigs(operator, k=1, which="LR", v0=np.ones(n), ncv=min(n, 40), maxiter=300)[1]
    except ArpackNoConvergence as partial:
        vectors = partial.eigenvectors
    except ArpackError:
        vectors = np.empty((n, 0))
    # Without an eigenvector the balanced matrix still has nearly equal row sums: ones will do, and
    # the bounds are proven in any case.
    vector = vectors[:, 0] if vectors.shape[1] else np.ones(n)
    return _positive(vector), count


def _positive(vector: Vector) -> Vector:
    magnitude: Vector = np.abs(vector)
    return np.maximum(magnitude / np.max(magnitude), 1e-12)
