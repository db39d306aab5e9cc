"""Orders: what a block wants of products outside it, the rectangular part E (e external x b).

Its rows are sorted by length, longest first. Rows of more than 256 entries, the hubs, come first,
one after the other; the others lie in slices of 16 rows, side by side:

    hub_ptr (h+1,) int64       hub k is elements hub_ptr[k] .. hub_ptr[k+1]
    slice_ptr (s+1,) int64     slice k starts at slice_ptr[k]; slice_ptr[0] == hub_ptr[h]

        slice k:  row 0 step 0 | row 1 step 0 | ... | row 15 step 0 | row 0 step 1 | ...

    columns (nnz,) uint16, values (nnz,) float32 or float64; a row that ends before its slice is
    filled up with value 0 and column 0

Most of these rows have a handful of entries: one at a time they would cost more than what they
hold. `ogas.kernels.slices` makes this layout. A hub is added up in the lanes of a row, a row of a
slice from its first entry to its last. Where x_0 is not finite, neither are rows filled up.
"""

import numpy as np

from ogas.kernels.arrays import overlap
from ogas.kernels.jit import kernel
from ogas.kernels.lanes import (
    AHEAD,
    PRECISIONS,
    in_all_precisions,
    row_of_one,
    row_of_pair,
    sixteen_rows_of_one,
    sixteen_rows_of_pair,
)

MATRIX = "int64[::1], int64[::1], uint16[::1], {values}[::1]"


@kernel(
    [
        f"void({MATRIX.format(values=values)}, {vector}[:, ::1], {out}[:, ::1])"
        for values, vector, out in (
            *((*precision, "float64") for precision in PRECISIONS),
            ("float32", "float32", "float32"),
            ("float32", "float64", "float32"),
        )
    ]
)
def orders_pair(hub_ptr, slice_ptr, columns, values, pair, out):
    """Write ``out = E @ pair``, (h + 16 s, 2), for the pair (b, 2) of plan and witness.

    Sums are in float64, and rounded if ``out`` is in float32. Reads 6 or 10 bytes per nonzero,
    writes 8 or 16 per row. ``out`` must not share memory with ``pair``: raises ValueError.
    """
    if overlap(out, pair):
        raise ValueError("out shares memory with what is read")
    hubs = np.uint64(len(hub_ptr) - 1)
    for k in range(hubs):
        first, end = np.uint64(hub_ptr[k]), np.uint64(hub_ptr[k + np.uint64(1)])
        x, w = row_of_pair(values, columns, pair, first, end, first + np.uint64(AHEAD))
        out[k, np.uint64(0)], out[k, np.uint64(1)] = x, w
    for k in range(np.uint64(len(slice_ptr) - 1)):
        first, end = np.uint64(slice_ptr[k]), np.uint64(slice_ptr[k + np.uint64(1)])
        sixteen_rows_of_pair(values, columns, pair, out, first, end, hubs + np.uint64(16) * k)


@kernel(in_all_precisions(f"void({MATRIX}, {{vector}}[::1], float64[::1])"))
def orders_one(hub_ptr, slice_ptr, columns, values, x, out):
    """Write ``out = E @ x``, (h + 16 s,), for the plan x (b,) alone.

    Reads 6 or 10 bytes per nonzero, writes 8 per row. ``out`` must not share memory with ``x``:
    raises ValueError.
    """
    if overlap(out, x):
        raise ValueError("out shares memory with what is read")
    hubs = np.uint64(len(hub_ptr) - 1)
    for k in range(hubs):
        first, end = np.uint64(hub_ptr[k]), np.uint64(hub_ptr[k + np.uint64(1)])
        (out[k],) = row_of_one(values, columns, x, first, end, first + np.uint64(AHEAD))
    for k in range(np.uint64(len(slice_ptr) - 1)):
        first, end = np.uint64(slice_ptr[k]), np.uint64(slice_ptr[k + np.uint64(1)])
        sixteen_rows_of_one(values, columns, x, out, first, end, hubs + np.uint64(16) * k)
