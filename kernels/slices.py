"""Sorts the rows of a CSR matrix by length and lays them out in slices; see `ogas.kernels.orders`.

One pass: 12 bytes are read and written per nonzero with float32 values, and 20 with float64; rows
are read out of order.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from ogas.kernels.jit import kernel

Array = npt.NDArray[Any]

#: Rows in a slice.
SLICE = 16
#: The most entries a row may have in a slice; in longer ones the filling up would weigh.
LONGEST = 256


@kernel(
    [
        f"void(int64[::1], uint16[::1], {values}[::1], int64[::1], int64[::1], int64[::1], "
        f"uint16[::1], {values}[::1])"
        for values in ("float32", "float64")
    ]
)
def copy_rows(indptr, columns, values, rows, starts, strides, places, entries):
    """Copy row ``rows[k]`` to ``starts[k]``, ``starts[k] + strides[k]``, and so on."""
    for k in range(np.uint64(len(rows))):
        place, stride, row = np.uint64(starts[k]), np.uint64(strides[k]), np.uint64(rows[k])
        for source in range(np.uint64(indptr[row]), np.uint64(indptr[row + np.uint64(1)])):
            places[place], entries[place] = columns[source], values[source]
            place += stride


def slice_rows(
    indptr: Array, columns: Array, values: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """Return ``rows, hub_ptr, slice_ptr, columns, values`` of the sorted matrix.

    Parameters
    ----------
    indptr, columns, values : (e+1,) int64, (nnz,) uint16, (nnz,) float32 or float64
        Rows of any length, in any order.

    Returns
    -------
    rows : (e,) int64
        The row of the given matrix at each position; rows of the same length keep their order.
        Positions from e up to the end of the last slice hold nothing.
    """
    lengths = np.diff(indptr)
    rows = np.argsort(-lengths, kind="stable")
    lengths = lengths[rows]
    hubs = int(np.count_nonzero(lengths > LONGEST))
    hub_ptr = np.concatenate([[0], np.cumsum(lengths[:hubs])]).astype(np.int64)
    steps = lengths[hubs::SLICE]  # the first row of a slice is its longest
    slice_ptr = hub_ptr[-1] + np.concatenate([[0], np.cumsum(SLICE * steps)]).astype(np.int64)
    position = np.arange(len(rows) - hubs)
    starts = np.concatenate([hub_ptr[:-1], slice_ptr[position // SLICE] + position % SLICE])
    strides = np.where(np.arange(len(rows)) < hubs, 1, SLICE)
    places = np.zeros(slice_ptr[-1], columns.dtype)
    entries = np.zeros(slice_ptr[-1], values.dtype)
    copy_rows(indptr, columns, values, rows, starts, strides, places, entries)
    return rows, hub_ptr, slice_ptr, places, entries
