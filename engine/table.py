"""The table: what every product is made from, what is wanted, and what it is measured in.

    A[i, j] = amount of product i used up per unit of product j
    f[i]    = final demand for product i                    (``demand``)
    l[j]    = direct use of a primary input per unit of j   (one of ``factors``: labour, CO2 ...)

       users j →
    s  ┌─────────────┐ ┌───┐
    u  │             │ │   │
    p  │      A      │ │ f │     balance of product i:   x_i = sum_j A[i, j] x_j + f_i
    p  │             │ │   │     value of product j:     v_j = sum_i A[i, j] v_i + l_j
    l  └─────────────┘ └───┘
    y  ┌─────────────┐
    i  │  l (factor) │
       └─────────────┘

A `Table` is checked once, here, when it is made; nothing behind this door checks again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, csr_matrix, sparray

from ogas.engine.errors import InvalidInputError

Vector = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Labels = npt.NDArray[np.str_] | npt.NDArray[np.int64]

MOST_PRODUCTS = 2**31 - 1  # column indices are 32-bit, row pointers 64-bit


@dataclass(frozen=True, eq=False)
class Table:
    """An input-output table, checked at the door.

    Attributes
    ----------
    coefficients : (n, n) CSR of float64, int64 ``indptr``, int32 ``indices``
        ``A[i, j]``: units of product i per unit of product j. Canonical (sorted, no duplicates, no
        stored zeros); make it with `coefficients_from`. Entries may be negative (by-products).
    ids : (n,) unique strings or int64
        What a product is called in files and messages.
    demand : (n,) float64 or None
        Final demand f, units of each product per year; negative entries are net imports.
    factors : mapping of name to (n,) float64
        Primary inputs per unit of output, one entry per factor.
    names : (n,) strings or None
        A readable name, where the id is only a code.
    units : str or (n,) strings
        The unit of each product, one string if they share it.
    factor_units : mapping of factor name to str
    output : (n,) float64 or None
        Published gross output, kept for reference; never used as an answer.
    price : (n,) float64 or None
        Money per unit.
    blocks : (n,) int64 or None
        The block each product belongs to, ``0 .. m-1``.
    rank : (n,) float64 or None
        The place of every product between final goods (least) and raw materials: the order in
        which blocks are swept.
    value_type : "float64" or "float32"
        How the entries are stored; with "float32" the table *is* those numbers, widened exactly.
    meta : mapping
        Source, licence, year and whatever else is known; JSON types only.

    Raises
    ------
    InvalidInputError
        Naming the product and the entry, if a length, a value or a label is impossible.
    """

    coefficients: csr_array
    ids: Labels
    demand: Vector | None = None
    factors: Mapping[str, Vector] = field(default_factory=dict)
    names: npt.NDArray[np.str_] | None = None
    units: str | npt.NDArray[np.str_] = ""
    factor_units: Mapping[str, str] = field(default_factory=dict)
    output: Vector | None = None
    price: Vector | None = None
    blocks: Integers | None = None
    rank: Vector | None = None
    value_type: str = "float64"
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_coefficients()
        self._check_labels()
        vectors = {"demand": self.demand, "output": self.output, "price": self.price}
        vectors |= {"rank": self.rank}
        for name, vector in (vectors | dict(self.factors)).items():
            if vector is not None:
                self._check_vector(name, vector)
        if self.output is not None and (self.output < 0).any():
            worst = int(np.argmin(self.output))
            raise InvalidInputError(
                f"gross output is negative ({self.output[worst]:g})",
                where=f"product {self.ids[worst]!s}",
                advice="a product cannot be made a negative number of times; correct its output",
            )
        if self.value_type not in ("float64", "float32"):
            raise InvalidInputError(f"entries are float64 or float32, not {self.value_type!r}")

    def __len__(self) -> int:
        return int(self.coefficients.shape[0])

    @property
    def nonzeros(self) -> int:
        """Stored entries of A."""
        return int(self.coefficients.nnz)

    def _check_coefficients(self) -> None:
        rows, columns = self.coefficients.shape
        if rows != columns:
            raise InvalidInputError(
                f"the table is not square: {rows:,} rows and {columns:,} columns",
                advice="supply and use become one table with `ogas import --model`",
            )
        if rows == 0:
            raise InvalidInputError("the table has no products")
        bad = np.flatnonzero(~np.isfinite(self.coefficients.data))
        if bad.size:
            row = int(np.searchsorted(self.coefficients.indptr, bad[0], side="right")) - 1
            column = int(self.coefficients.indices[bad[0]])
            raise InvalidInputError(
                f"{bad.size:,} coefficients are not finite numbers, the first is "
                f"{self.coefficients.data[bad[0]]}",
                where=f"input {self._name(row)} of product {self._name(column)}",
                advice="correct or remove the entry",
            )

    def _check_labels(self) -> None:
        n = len(self)
        lengths = {"ids": self.ids, "names": self.names, "blocks": self.blocks}
        if not isinstance(self.units, str):
            lengths["units"] = self.units
        for name, labels in lengths.items():
            if labels is not None and labels.shape != (n,):
                raise InvalidInputError(f"{name} has shape {labels.shape}, expected ({n},)")
        unique, counts = np.unique(self.ids, return_counts=True)
        if unique.size != n:
            again = unique[np.argmax(counts)]
            raise InvalidInputError(
                f"product ids must be unique: {again!s} occurs {counts.max()} times",
                advice="rename or merge the products",
            )

    def _check_vector(self, name: str, vector: Vector) -> None:
        if vector.shape != (len(self),):
            raise InvalidInputError(f"{name} has shape {vector.shape}, expected ({len(self)},)")
        bad = np.flatnonzero(~np.isfinite(vector))
        if bad.size:
            raise InvalidInputError(
                f"{name} of {bad.size:,} products is not a finite number",
                where=f"product {self._name(int(bad[0]))}",
                advice="write 0 where there is none",
            )

    def _name(self, product: int) -> str:
        return str(self.ids[product]) if product < len(self.ids) else f"number {product}"


def coefficients_from(matrix: sparray | npt.NDArray[np.float64]) -> csr_array:
    """Return A in the canonical form a `Table` holds; ``matrix`` stays as it is.

    Duplicate entries add up, stored zeros vanish, columns are sorted within each row; ``indptr``
    is int64, ``indices`` int32.

    Raises
    ------
    InvalidInputError
        If there are more products than 32-bit column indices can name.
    """
    # Of a CSR matrix SciPy would share the arrays; everything else is converted anyway.
    shared = isinstance(matrix, csr_array | csr_matrix)
    result = csr_array(matrix, dtype=np.float64, copy=shared)
    if max(result.shape) > MOST_PRODUCTS:
        raise InvalidInputError(f"{result.shape[0]:,} products: at most {MOST_PRODUCTS:,} fit")
    # SciPy's cleaning wants one index type; a matrix that came through here before has two.
    result.indices = result.indices.astype(result.indptr.dtype, copy=False)
    result.sum_duplicates()
    result.eliminate_zeros()
    result.sort_indices()
    result.indptr = result.indptr.astype(np.int64, copy=False)
    result.indices = result.indices.astype(np.int32, copy=False)
    return result
