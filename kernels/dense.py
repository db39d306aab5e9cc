"""Sweeps and sums over an own part that is dense: a matrix (b, b), every entry in its place.

Worth it where more than about half of the entries are there: nothing is gathered, and an entry is 4
bytes with float32 values and 8 with float64. Lanes, updates and what is returned are those of
`ogas.kernels.pair`; zeros are multiplied and added like other entries.
"""

import numpy as np

from ogas.kernels.arrays import overlap
from ogas.kernels.balances import settled, witnessed
from ogas.kernels.jit import kernel
from ogas.kernels.lanes import dense_row_of_pair, in_all_precisions


@kernel(
    in_all_precisions(
        "UniTuple(float64, 3)({values}[:, ::1], int32[::1], float64[::1], float64[::1], "
        "float64[:, ::1], {vector}[:, ::1], float64, float64)"
    )
)
def sweep_dense(matrix, order, diagonal, demand, given, pair, floor, leeway):
    """Sweep plan and witness in place, in the given order; see `ogas.kernels.pair.sweep_pair`.

    Reads 4 or 8 bytes per entry and 44 per row (52 with a float64 pair), writes 8 or 16. ``pair``
    must not share memory with the other vectors: raises ValueError.
    """
    if overlap(pair, given) or overlap(pair, demand) or overlap(pair, diagonal):
        raise ValueError("pair shares memory with what is read")
    least, largest, depth, broken, broken_depth = 0.0, 0.0, 1.0, 0.0, 0.0
    x, w = np.uint64(0), np.uint64(1)
    for step in range(np.uint64(len(order))):
        i = np.uint64(order[step])
        used, needed = dense_row_of_pair(matrix, pair, i)
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


@kernel(in_all_precisions("void({values}[:, ::1], {vector}[:, ::1], float64[:, ::1])"))
def sums_dense(matrix, pair, out):
    """Write ``out = matrix @ pair``, (b, 2).

    Reads 4 or 8 bytes per entry, writes 16 per row. ``out`` must not share memory with ``pair``:
    raises ValueError.
    """
    if overlap(out, pair):
        raise ValueError("out shares memory with what is read")
    for i in range(np.uint64(len(matrix))):
        used, needed = dense_row_of_pair(matrix, pair, i)
        out[i, np.uint64(0)], out[i, np.uint64(1)] = used, needed
