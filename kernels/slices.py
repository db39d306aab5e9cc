"""Sorts the rows of a CSR matrix by length and lays them out in slices; see `ogas.kernels.orders`.

One pass: 6 bytes are read and 6 written per nonzero with float32 values, and 10 with float64; rows
are read out of order. Columns get other numbers, and values another type, on the way.
"""

from bisect import bisect_left
from typing import Any

import numpy as np
import numpy.typing as npt

from ogas.kernels.jit import kernel

Array = npt.NDArray[Any]

#: Rows in a slice.
SLICE = 16
#: The most entries a row may have in a slice; in longer ones the filling up would weigh.
LONGEST = 256


TYPES = [
    (columns, values, entries)
    for columns in ("uint16", "int32")
    for values, entries in (
        ("float32", "float32"),
        ("float64", "float32"),
        ("float64", "float64"),
    )
]
IDENTITY = np.arange(2**16, dtype=np.uint16)


@kernel(
    [
        f"void(int64[::1], {columns}[::1], {values}[::1], int64[::1], int64[::1], int64[::1], "
        f"uint16[::1], uint16[::1], {entries}[::1])"
        for columns, values, entries in TYPES
    ]
)
def copy_rows(indptr, columns, values, rows, starts, strides, place, places, entries):
    """Copy row ``rows[k]`` to ``starts[k]``, ``starts[k] + strides[k]``, and so on.

    Column j is ``place[j]`` there.
    """
    for k in range(np.uint64(len(rows))):
        to, stride, row = np.uint64(starts[k]), np.uint64(strides[k]), np.uint64(rows[k])
        for source in range(np.uint64(indptr[row]), np.uint64(indptr[row + np.uint64(1)])):
            places[to], entries[to] = place[columns[source]], values[source]
            to += stride


@kernel(
    [
        f"void(int64[::1], {columns}[::1], {values}[::1], uint32[::1], int64[::1], "
        f"uint16[::1], uint16[::1], {entries}[::1])"
        for columns, values, entries in TYPES
    ]
)
def fill_slices(indptr, columns, values, rows, slice_ptr, place, places, entries):
    """Write 16 rows at a time, entry by entry; what is not there is 0.

    Rows are read out of order: 16 of them at a time wait for memory together.
    """
    at, left = np.zeros(SLICE, np.uint64), np.zeros(SLICE, np.int64)
    for s in range(np.uint64(len(slice_ptr) - 1)):
        to, end = np.uint64(slice_ptr[s]), np.uint64(slice_ptr[s + np.uint64(1)])
        for lane in range(np.uint64(SLICE)):
            k = s * np.uint64(SLICE) + lane
            at[lane], left[lane] = 0, 0
            if k < len(rows):
                row = np.uint64(rows[k])
                at[lane] = indptr[row]
                left[lane] = indptr[row + np.uint64(1)] - indptr[row]
        while to < end:
            for lane in range(np.uint64(SLICE)):
                if left[lane] > 0:
                    source = at[lane]
                    places[to], entries[to] = place[columns[source]], values[source]
                    at[lane] = source + np.uint64(1)
                    left[lane] -= 1
                else:
                    places[to], entries[to] = 0, 0
                to += np.uint64(1)


@kernel(["void(int64[::1], uint32[::1])"])
def sort_rows(indptr, rows):
    """Write the numbers of the rows, the longest first.

    Rows of the same length keep their order. Reads 24 bytes and writes 4 per row.
    """
    count, longest = np.uint64(len(indptr) - 1), np.int64(0)
    for i in range(count):
        longest = max(longest, indptr[i + np.uint64(1)] - indptr[i])
    free = np.zeros(longest + 2, np.int64)
    for i in range(count):
        free[indptr[i + np.uint64(1)] - indptr[i]] += 1
    before = np.int64(0)
    for length in range(longest, -1, -1):
        free[length], before = before, before + free[length]
    for i in range(count):
        length = indptr[i + np.uint64(1)] - indptr[i]
        rows[free[length]] = i
        free[length] += 1


def by_length(indptr: Array) -> Array:
    """Return the numbers of the rows, the longest first; (e,) uint32."""
    rows = np.empty(len(indptr) - 1, np.uint32)
    sort_rows(indptr, rows)
    return rows


def lay_out(indptr: Array, rows: Array) -> tuple[Array, Array]:
    """Return ``hub_ptr, slice_ptr`` for rows in the order of `by_length`."""

    def lengths(some: Array) -> Array:
        first = some.astype(np.int64)
        found: Array = indptr[first + 1] - indptr[first]
        return found

    hubs = bisect_left(rows, -LONGEST, key=lambda row: indptr[row] - indptr[int(row) + 1])
    hub_ptr = np.concatenate([[0], np.cumsum(lengths(rows[:hubs]))]).astype(np.int64)
    steps = lengths(rows[hubs::SLICE])  # the first row of a slice is its longest
    slice_ptr = hub_ptr[-1] + np.concatenate([[0], np.cumsum(SLICE * steps)]).astype(np.int64)
    return hub_ptr, slice_ptr


def fill(
    source: tuple[Array, Array, Array],
    rows: Array,
    layout: tuple[Array, Array],
    place: Array,
    out: tuple[Array, Array],
) -> None:
    """Write the entries of sorted rows where the layout has them.

    Parameters
    ----------
    source : indptr, columns, values
    rows : (e,) uint32
        In the order of `by_length`.
    layout : hub_ptr, slice_ptr
    place : (b,) uint16
        The new number of every column.
    out : columns, values
    """
    hub_ptr, slice_ptr = layout
    hubs = len(hub_ptr) - 1
    ones = np.ones(hubs, np.int64)
    copy_rows(*source, rows[:hubs].astype(np.int64), hub_ptr[:-1], ones, place, *out)
    fill_slices(*source, rows[hubs:], slice_ptr, place, *out)


def slice_rows(indptr: Array, columns: Array, values: Array) -> tuple[Array, ...]:
    """Return ``rows, hub_ptr, slice_ptr, columns, values`` of the sorted matrix.

    Parameters
    ----------
    indptr, columns, values : (e+1,) int64, (nnz,) uint16 or int32, (nnz,) float32 or float64
        Rows of any length, in any order.

    Returns
    -------
    rows : (e,) uint32
        The row of the given matrix at each position; rows of the same length keep their order.
        Positions from e up to the end of the last slice hold nothing.
    """
    rows = by_length(indptr)
    layout = lay_out(indptr, rows)
    entries = int(layout[1][-1])
    out = np.empty(entries, np.uint16), np.empty(entries, values.dtype)
    fill((indptr, columns, values), rows, layout, IDENTITY, out)
    return rows, *layout, *out
