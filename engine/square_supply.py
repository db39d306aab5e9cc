"""A square supply matrix, and its inverse where it has one.

Two assumptions (`ogas.engine.symmetric`) take products and industries for two descriptions of the
same, and go from one to the other by S⁻¹. It is factored once, P (R S C) Q = L U with R, C powers
of two that make the largest entry of every row and column about 1, and never formed: right sides
are solved for `TOGETHER` at a time, and only what is not zero is kept. How much that will be is
told from as many of them, evenly spaced, before any is kept.

Where S is singular, some products come out of some industries in the same proportions, and nothing
tells their recipes apart. Which ones is read off its null vectors.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array, diags_array, hstack
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.sparse.linalg import LinearOperator, onenormest, splu

from ogas.engine.errors import DoesNotFitError, InvalidInputError, WrongUsageError
from ogas.engine.machine import installed_bytes
from ogas.engine.supply_use import SupplyUse
from ogas.engine.table import Integers, Labels, Vector

Dense = npt.NDArray[np.float64]

TOGETHER = 64  # right sides that are dense at a time
BYTES = 60  # per coefficient that comes out, while all are put together (42 measured)
WORST = 1e10  # condition beyond which fewer than six figures of a coefficient would be left
NAMED = 3  # products and industries in a message
NUDGE = 1e-10  # by which a singular matrix is made regular, to find what is wrong with it
ROUNDS = 4


@dataclass(frozen=True, eq=False)
class Inverse:
    """S⁻¹ as a pair of triangles; make it with `invert`.

    Attributes
    ----------
    triangles : SuperLU
        Of R S C.
    rows, columns : (n,) float64
        R and C.
    condition : float
        Estimate of ‖RSC‖₁ ‖(RSC)⁻¹‖₁: relative errors grow by so much at most, or little more.
    """

    triangles: Any
    rows: Vector
    columns: Vector
    condition: float

    def solve(self, right: csr_array) -> csr_array:
        """Return ``S⁻¹ B`` for a sparse B of n rows."""
        return self._each(right, self.rows, self.columns, "N")

    def solve_transposed(self, right: csr_array) -> csr_array:
        """Return ``S⁻ᵀ B`` for a sparse B of n rows."""
        return self._each(right, self.columns, self.rows, "T")

    def vector(self, right: Vector) -> Vector:
        """Return ``S⁻¹ b``."""
        return np.asarray(self.columns * self.triangles.solve(self.rows * right))

    def vector_transposed(self, right: Vector) -> Vector:
        """Return ``S⁻ᵀ b``."""
        return np.asarray(self.rows * self.triangles.solve(self.columns * right, "T"))

    def _each(self, right: csr_array, first: Vector, last: Vector, which: str) -> csr_array:
        columns = csc_array(right)
        count = columns.shape[1]

        def solved(some: csc_array) -> csc_array:
            dense: Dense = first[:, None] * some.toarray()
            return csc_array(last[:, None] * self.triangles.solve(dense, which))

        sample = columns[:, :: -(-count // TOGETHER)]
        _check_room(solved(sample).nnz * count // sample.shape[1])
        starts = range(0, count, TOGETHER)
        return csr_array(hstack([solved(columns[:, at : at + TOGETHER]) for at in starts]))


def invert(accounts: SupplyUse) -> Inverse:
    """Factor a supply matrix, or say what of it cannot be inverted.

    Parameters
    ----------
    accounts : SupplyUse
        With as many industries as products, in any order.

    Raises
    ------
    WrongUsageError
        If there are more products than industries, or fewer.
    InvalidInputError
        If S is singular, or its condition is worse than `WORST`; with products and industries.

    Examples
    --------
    >>> names = np.array(["a", "b"])
    >>> supply = csr_array([[2.0, 2.0], [1.0, 1.0]])
    >>> invert(SupplyUse(supply, 0.0 * supply, names, names))
    Traceback (most recent call last):
        ...
    ogas.engine.errors.InvalidInputError: the supply matrix is singular: the industries a, b make \
the products a, b in the same proportions; merge them, or choose a model without an inverse
    """
    products, industries = accounts.products, accounts.industries
    if len(products) != len(industries):
        raise WrongUsageError(
            f"this model needs as many industries as products; there are {len(products):,} "
            f"products and {len(industries):,} industries",
            advice="choose industry-technology or fixed-product-sales",
        )
    supply = csr_array(accounts.supply, copy=True)
    supply.eliminate_zeros()
    pairs = maximum_bipartite_matching(supply, perm_type="column")
    if (pairs < 0).any():
        raise _unmatched(supply, products, industries, pairs)
    rows = _power_of_two(abs(supply).max(axis=1).toarray())
    columns = _power_of_two(abs(diags_array(rows) @ supply).max(axis=0).toarray())
    scaled = csc_array(diags_array(rows) @ supply @ diags_array(columns))
    try:
        triangles = splu(scaled)
        condition = _condition(scaled, triangles)
    except RuntimeError:  # SuperLU says so of a pivot of 0
        condition = np.inf
    if not condition <= WORST:
        raise _inseparable(scaled, products, industries, pairs, condition)
    return Inverse(triangles, rows, columns, condition)


def _check_room(entries: int) -> None:
    """Refuse a table of so many coefficients if making it takes more memory than there is."""
    needed, there = BYTES * entries, installed_bytes()
    if needed > there:
        raise DoesNotFitError(
            f"the table would have about {entries:,} coefficients and take {needed:,} bytes to "
            f"make; this machine has {there:,}",
            advice="choose industry-technology or fixed-product-sales, which invert nothing",
        )


def _power_of_two(sizes: Vector) -> Vector:
    """Return the powers of two that bring sizes to [1/2, 1): scaling by them rounds nothing."""
    exponents = np.clip(np.frexp(sizes.ravel())[1], -1000, 1000)  # those of denormals overflow
    return np.asarray(np.ldexp(1.0, -exponents), dtype=np.float64)


def _condition(scaled: csc_array, triangles: Any) -> float:
    inverse = LinearOperator(
        scaled.shape,
        dtype=np.float64,
        matvec=triangles.solve,
        rmatvec=lambda right: triangles.solve(right, "T"),
    )
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        # With one column at a time, the estimate draws no random numbers.
        return float(abs(scaled).sum(axis=0).max() * onenormest(inverse, t=1))


def _unmatched(
    supply: csr_array, products: Labels, industries: Labels, pairs: Integers
) -> InvalidInputError:
    """Say which products have no industry left to make them; see Hall's theorem."""
    idle = np.setdiff1d(np.arange(len(industries)), pairs[pairs >= 0])
    alone = np.flatnonzero(pairs < 0)
    empty = np.flatnonzero(np.diff(supply.indptr) == 0)
    if empty.size:
        what = f"no industry makes {_named('product', products[empty])}"
    elif (nothing := np.setdiff1d(idle, supply.indices)).size:
        what = f"nothing is made by {_named('industry', industries[nothing])}"
    else:
        what = (
            f"no industry of its own is left for {_named('product', products[alone])}, "
            f"no product for {_named('industry', industries[idle])}"
        )
    return _refusal(f"the supply matrix is singular: {what}")


def _inseparable(
    scaled: csc_array, products: Labels, industries: Labels, pairs: Integers, condition: float
) -> InvalidInputError:
    """Say which products come out of which industries in the same proportions.

    Inverse iteration for the smallest singular value, on a matrix that is nudged away from
    singularity along pairs that can all be there at once.
    """
    n = len(products)
    nudge = csc_array((np.full(n, NUDGE), (np.arange(n), pairs)), shape=(n, n))
    triangles = splu(csc_array(scaled + nudge))
    right = 1.0 + np.modf(np.arange(1, n + 1) * np.sqrt(2.0))[0]  # along no null vector by chance
    for _ in range(ROUNDS):
        left = triangles.solve(right, "T")
        right = triangles.solve(left / np.abs(left).max())
        right /= np.abs(right).max()
    some, others = (_largest(vector) for vector in (right, left))
    how = "singular" if not condition < 1 / np.finfo(float).eps else "nearly singular"
    said = "" if how == "singular" else "nearly "
    return _refusal(
        f"the supply matrix is {how}: {_named('industry', industries[some])} make "
        f"{_named('product', products[others])} in {said}the same proportions"
    )


def _largest(vector: Vector) -> Integers:
    sizes = np.abs(vector)
    return np.flatnonzero(sizes >= 0.1 * sizes.max())


def _named(kind: str, labels: Labels) -> str:
    plural = {"product": "products", "industry": "industries"}[kind]
    names = ", ".join(str(label) for label in labels[:NAMED])
    more = f" and {len(labels) - NAMED:,} more" if len(labels) > NAMED else ""
    return f"the {kind if len(labels) == 1 else plural} {names}{more}"


def _refusal(what: str) -> InvalidInputError:
    return InvalidInputError(what, advice="merge them, or choose a model without an inverse")
