"""A sparse matrix by rows, in the types in which it is stored."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ogas.engine.table import Integers


@dataclass(frozen=True, eq=False)
class Rows:
    """CSR arrays; widths are as narrow as those who stored them could make them.

    Attributes
    ----------
    shape : (rows, columns)
    indptr : (rows + 1,) int64
    indices : (nnz,) uint16 or int32
        Columns, ascending within each row.
    data : (nnz,) float32 or float64
    """

    shape: tuple[int, int]
    indptr: Integers
    indices: npt.NDArray[Any]
    data: npt.NDArray[Any]

    @staticmethod
    def of(matrix: csr_array) -> "Rows":
        """Return a canonical CSR matrix; its arrays are shared."""
        rows, columns = matrix.shape
        indptr = matrix.indptr.astype(np.int64, copy=False)
        return Rows((int(rows), int(columns)), indptr, matrix.indices, matrix.data)

    @property
    def nnz(self) -> int:
        """Stored entries."""
        return len(self.data)

    def csr(self) -> csr_array:
        """Return it with float64 values and 32-bit indices, as a `Table` has them."""
        data = self.data.astype(np.float64, copy=False)
        indices = self.indices.astype(np.int32, copy=False)
        matrix = csr_array((data, indices, self.indptr), shape=self.shape)
        matrix.indptr, matrix.indices = self.indptr, indices
        return matrix
