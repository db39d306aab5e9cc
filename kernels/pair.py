"""Sweeps and sums over the sparse own part of a block, for plan and witness in one pass.

A block holds b <= 65,536 products; its own part is a CSR matrix with local columns of 16 bits:

    indptr (b+1,) int64     columns (nnz,) uint16     values (nnz,) float32 or float64
    pair (b, 2), column 0 the plan x, column 1 the witness w > 0; or x (b,) alone

Sums are in float64 and in fixed lanes (`ogas.kernels.lanes`): the same bits on every machine.
The matrix is 6 bytes a nonzero with float32 values and 10 with float64. The pair of float32 is
fetched whole, so that the witness costs arithmetic and no bytes of the matrix.

Rows are taken in the order given and lie where they lie; what a row wants is asked for some rows
before. A shuffled order takes twice the time of the natural one, because memory brings pieces of
the neighbours along, whatever is asked for; in runs of sixteen neighbours it takes a fifth longer.

What the sweeps return tells of NaN: where an imbalance is not finite, least and largest are NaN;
where a witness is not, depth is NaN.
"""

import numpy as np

from ogas.kernels.arrays import overlap, prefetch
from ogas.kernels.balances import settled, witnessed
from ogas.kernels.jit import kernel
from ogas.kernels.lanes import AHEAD, in_all_precisions, row_of_one, row_of_pair

MATRIX = "int64[::1], uint16[::1], {values}[::1]"

#: How many rows before its turn a row is asked for. More would push out the vectors.
ROWS_AHEAD = 8


@kernel(
    in_all_precisions(
        f"UniTuple(float64, 3)({MATRIX}, int32[::1], float64[::1], float64[::1], "
        "float64[:, ::1], {vector}[:, ::1], float64, float64)"
    )
)
def sweep_pair(indptr, columns, values, order, diagonal, demand, given, pair, floor, leeway):
    """Sweep plan and witness in place, in the given order; see `ogas.kernels.balances`.

    Every row sees what the rows before it have become. ``order`` (m,) int32 names rows;
    ``diagonal`` and ``demand`` are (b,), ``given`` (b, 2) is what other blocks order, for x and for
    w. Returns least and largest relative imbalance found, from 0, and the largest ``w / turnover``
    left behind, from 1. Reads 6 or 10 bytes per nonzero and 52 per row (60 with a float64 pair),
    writes 8 or 16. ``pair`` must not share memory with the other vectors: raises ValueError.
    """
    if overlap(pair, given) or overlap(pair, demand) or overlap(pair, diagonal):
        raise ValueError("pair shares memory with what is read")
    least, largest, depth, broken, broken_depth = 0.0, 0.0, 1.0, 0.0, 0.0
    x, w = np.uint64(0), np.uint64(1)
    last = np.uint64(len(order) - 1)
    for step in range(np.uint64(len(order))):
        later = np.uint64(order[min(step + np.uint64(2 * ROWS_AHEAD), last)])
        prefetch(indptr, later)
        soon = np.uint64(order[min(step + np.uint64(ROWS_AHEAD), last)])
        prefetch(demand, soon)
        prefetch(diagonal, soon)
        prefetch(given, np.uint64(2) * soon)
        i = np.uint64(order[step])
        first, end = np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])
        used, needed = row_of_pair(values, columns, pair, first, end, np.uint64(indptr[soon]))
        used += demand[i] + given[i, x]
        needed += given[i, w]
        output, turnover, ratio = settled(used, demand[i], diagonal[i], floor, pair[i, x])
        witness = witnessed(needed, turnover, diagonal[i], leeway, pair[i, w])
        pair[i, x], pair[i, w] = output, witness
        share = witness / turnover
        least, largest, depth = min(least, ratio), max(largest, ratio), max(depth, share)
        broken += ratio - ratio
        broken_depth += share - share
    return least + broken, largest + broken, depth + broken_depth


@kernel(
    in_all_precisions(
        f"UniTuple(float64, 2)({MATRIX}, int32[::1], float64[::1], float64[::1], "
        "float64[::1], {vector}[::1], float64)"
    )
)
def sweep_one(indptr, columns, values, order, diagonal, demand, given, x, floor):
    """Sweep the plan alone: the same x, least and largest as `sweep_pair`, to the last bit.

    ``given`` is (b,). Reads 6 or 10 bytes per nonzero and 40 per row (44 with a float64 x),
    writes 4 or 8. ``x`` must not share memory with the other vectors: raises ValueError.
    """
    if overlap(x, given) or overlap(x, demand) or overlap(x, diagonal):
        raise ValueError("x shares memory with what is read")
    least, largest, broken = 0.0, 0.0, 0.0
    last = np.uint64(len(order) - 1)
    for step in range(np.uint64(len(order))):
        later = np.uint64(order[min(step + np.uint64(2 * ROWS_AHEAD), last)])
        prefetch(indptr, later)
        soon = np.uint64(order[min(step + np.uint64(ROWS_AHEAD), last)])
        prefetch(demand, soon)
        prefetch(diagonal, soon)
        prefetch(given, soon)
        i = np.uint64(order[step])
        first, end = np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])
        (used,) = row_of_one(values, columns, x, first, end, np.uint64(indptr[soon]))
        used += demand[i] + given[i]
        output, _, ratio = settled(used, demand[i], diagonal[i], floor, x[i])
        x[i] = output
        least, largest = min(least, ratio), max(largest, ratio)
        broken += ratio - ratio
    return least + broken, largest + broken


@kernel(in_all_precisions(f"void({MATRIX}, {{vector}}[:, ::1], float64[:, ::1])"))
def sums_pair(indptr, columns, values, pair, out):
    """Write ``out = A @ pair``, (b, 2).

    Reads 6 or 10 bytes per nonzero and 8 per row, writes 16 per row. ``out`` must not share memory
    with ``pair``: raises ValueError.
    """
    if overlap(out, pair):
        raise ValueError("out shares memory with what is read")
    for i in range(np.uint64(len(indptr) - 1)):
        first, end = np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])
        used, needed = row_of_pair(values, columns, pair, first, end, first + np.uint64(AHEAD))
        out[i, np.uint64(0)], out[i, np.uint64(1)] = used, needed
