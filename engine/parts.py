"""The two parts of a block's columns in the form in which they are swept.

    J's part of A          in memory                         bytes per nonzero
    own = A[J, J]          CSR, 16-bit columns               6 with float32 entries, 10 with float64
    orders = A[ext, J]     rows sorted by length, in slices  the same

Row k of a block's orders belongs to the product ``ext[k]`` of another block: what J orders goes up
to it, what it is worth comes down from it. For values ``own`` is transposed, and ``orders`` is read
the other way.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ogas.engine.rows import Rows
from ogas.engine.table import Integers
from ogas.kernels import loading, slices

LANES = 16
Values = npt.NDArray[np.float32] | npt.NDArray[np.float64]


class Empty(Protocol):
    """Where arrays come from: memory that is new (`numpy.empty`), or used again."""

    def __call__(self, shape: int, dtype: Any, /) -> npt.NDArray[Any]:
        """Return an array of so many numbers, whatever they are."""
        ...


@dataclass(frozen=True, eq=False)
class Own:
    """A square CSR matrix with 16-bit columns; entry ``values[k]`` of row i: product i's user."""

    indptr: Integers
    columns: npt.NDArray[np.uint16]
    values: Values

    @property
    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """``indptr, columns, values``, as kernels take them."""
        return self.indptr, self.columns, self.values

    def dense(self) -> npt.NDArray[np.float32] | npt.NDArray[np.float64]:
        """Return the matrix with every entry in its place."""
        size = len(self.indptr) - 1
        matrix = np.zeros((size, size), self.values.dtype)
        matrix[np.repeat(np.arange(size), np.diff(self.indptr)), self.columns] = self.values
        return matrix


@dataclass(frozen=True, eq=False)
class Orders:
    """The rows of what a block takes from others: the longest as CSR, the rest in slices of 16."""

    hub_ptr: Integers
    slice_ptr: Integers
    columns: npt.NDArray[np.uint16]
    values: Values

    @property
    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """``hub_ptr, slice_ptr, columns, values``, as kernels take them."""
        return self.hub_ptr, self.slice_ptr, self.columns, self.values

    def column_lengths(self, columns: int) -> Integers:
        """Return the entries of every column."""
        return np.bincount(self.columns[self.values != 0], minlength=columns)

    @property
    def entry_rows(self) -> Integers:
        """The row of every entry, padding included."""
        hubs = len(self.hub_ptr) - 1
        in_hubs = np.repeat(np.arange(hubs), np.diff(self.hub_ptr))
        steps = np.diff(self.slice_ptr) // LANES
        first = np.repeat(hubs + LANES * np.arange(len(steps)), steps)
        return np.concatenate([in_hubs, (first[:, None] + np.arange(LANES)).ravel()])


@dataclass(frozen=True, eq=False)
class Frame:
    """How long all rows of a block's parts are; known even where entries are not in memory.

    Attributes
    ----------
    own_ptr : (b + 1,) int64
    hub_ptr, slice_ptr : (h + 1,), (s + 1,) int64
    place : (b,) uint16
        Where each of the stored columns is swept.
    numbers : "float32" or "float64"
        In which entries are held.
    is_transposed : bool
    """

    own_ptr: Integers
    hub_ptr: Integers
    slice_ptr: Integers
    place: npt.NDArray[np.uint16]
    numbers: str
    is_transposed: bool

    @property
    def order_rows(self) -> int:
        """Rows of the orders, with the padding to whole slices."""
        return len(self.hub_ptr) - 1 + LANES * (len(self.slice_ptr) - 1)

    @property
    def density(self) -> float:
        """The share of places of the own part with an entry."""
        return int(self.own_ptr[-1]) / max((len(self.own_ptr) - 1) ** 2, 1)

    @property
    def own_bytes(self) -> int:
        """What the own part takes in memory, its pointers included."""
        return self.own_ptr.nbytes + self._entries(self.own_ptr)

    @property
    def order_bytes(self) -> int:
        """What the orders take in memory, with pointers and padding."""
        return self.hub_ptr.nbytes + self.slice_ptr.nbytes + self._entries(self.slice_ptr)

    def own(self, part: Rows, empty: Empty = np.empty) -> Own:
        """Bring the own part into form."""
        part = _as_wide_as(transposed(part) if self.is_transposed else part, self.numbers)
        columns, values = self._out(self.own_ptr, empty)
        rows = np.empty(len(self.place), np.int64)
        rows[self.place] = np.arange(len(rows))
        slices.copy_rows(
            *(part.indptr, part.indices, part.data),
            *(rows, self.own_ptr[:-1], np.ones_like(rows), self.place, columns, values),
        )
        return Own(self.own_ptr, columns, values)

    def orders(
        self,
        part: Rows,
        empty: Empty = np.empty,
        *,
        rows: npt.NDArray[np.uint32] | None = None,
    ) -> Orders:
        """Bring the orders into form; ``rows`` is their order, if it is known."""
        part = _as_wide_as(part, self.numbers)
        layout, out = (self.hub_ptr, self.slice_ptr), self._out(self.slice_ptr, empty)
        source = part.indptr, part.indices, part.data
        sorted_rows = slices.by_length(part.indptr) if rows is None else rows
        slices.fill(source, sorted_rows, layout, self.place, out)
        return Orders(*layout, *out)

    def _out(
        self, pointers: Integers, empty: Empty
    ) -> tuple[npt.NDArray[np.uint16], npt.NDArray[Any]]:
        return empty(int(pointers[-1]), np.uint16), empty(int(pointers[-1]), self.numbers)

    def _entries(self, pointers: Integers) -> int:
        return int(pointers[-1]) * (2 + np.dtype(self.numbers).itemsize)


@dataclass(frozen=True, eq=False)
class Held:
    """The parts of a block that stays in memory."""

    own: Own
    orders: Orders


def transposed(part: Rows) -> Rows:
    """Return the transpose, its columns in order."""
    height, width = part.shape
    indptr = np.zeros(width + 1, dtype=np.int64)
    np.cumsum(np.bincount(part.indices, minlength=width), out=indptr[1:])
    indices, data = np.empty_like(part.indices), np.empty_like(part.data)
    loading.transpose(part.indptr, part.indices, part.data, indptr[:-1].copy(), indices, data)
    return Rows((width, height), indptr, indices, data)


def _as_wide_as(part: Rows, numbers: str) -> Rows:
    """Return the matrix with values that are no narrower than those wanted."""
    wide = np.result_type(part.data.dtype, numbers)
    return replace(part, data=part.data.astype(wide, copy=False))
