"""Sweeps: every product's balance set right once, for the plan x and the witness w together.

    x_i <- x_i + (f_i + sum_j a_ij x_j - x_i) / (1 - a_ii)
    t_i  = |f_i| + sum_j |a_ij x_j|                              (turnover)
    n_i  = sum_j |a_ij| w_j
    w_i <- w_i + (max(t_i, floor, leeway n_i) + n_i - w_i) / (1 - |a_ii|)

Both columns share one read of A: the witness costs a gather, not a pass. The diagonal is divided
out, or products that use much of themselves would stall the sweep. Both sweeps return the least and
the largest imbalance found on the way, ``(f + A x - x)_i / max(t_i, floor)``, which is what the
sweep saw and not the residual of what it left behind.

Bytes per sweep: 12 per nonzero with int32 indices (plus the gathers of x and w), about 70 per row.
"""

import numpy as np

from ogas.kernels.csr import share_memory
from ogas.kernels.jit import csr_kernel


@csr_kernel(
    "Tuple((float64, float64, float64, float64))",
    "float64, float64, float64, float64, float64[::1], float64[::1], uint64",
)
def balanced(indptr, indices, data, diagonal, f, floor, leeway, x, w, i):
    """Return relative imbalance, new x, new w and turnover of row i."""
    used, turnover, needed = 0.0, abs(f), 0.0
    for k in range(np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])):
        flow = data[k] * x[indices[k]]
        used += flow
        turnover += abs(flow)
        needed += abs(data[k]) * w[indices[k]]
    scale = max(turnover, floor)
    imbalance = f + used - x[i]
    new_x = x[i] + imbalance / (1.0 - diagonal)
    surplus = max(scale, leeway * needed)
    new_w = w[i] + (surplus + needed - w[i]) / (1.0 - abs(diagonal))
    return imbalance / scale, new_x, new_w, turnover


@csr_kernel(
    "Tuple((float64, float64))",
    "float64[::1], float64[::1], float64, float64, float64[::1], float64[::1], "
    "float64[::1], float64[::1], float64[::1]",
)
def jacobi(indptr, indices, data, diagonal, f, floor, leeway, x, w, x_out, w_out, turnover):
    """Sweep from ``x, w`` into ``x_out, w_out``; every row sees the old values only.

    ``x_out`` and ``w_out`` must not share memory with ``x`` and ``w``: raises ValueError.
    """
    if share_memory(x_out, x) or share_memory(w_out, w):
        raise ValueError("an output shares memory with an input")
    if share_memory(x_out, w) or share_memory(w_out, x):
        raise ValueError("an output shares memory with an input")
    least, largest = 0.0, 0.0
    for i in range(np.uint64(len(indptr) - 1)):
        ratio, x_out[i], w_out[i], turnover[i] = balanced(
            indptr, indices, data, diagonal[i], f[i], floor, leeway, x, w, i
        )
        least, largest = min(least, ratio), max(largest, ratio)
    return least, largest


@csr_kernel(
    "Tuple((float64, float64))",
    "float64[::1], float64[::1], float64, float64, "
    "int64[::1], float64[::1], float64[::1], float64[::1]",
)
def gauss_seidel(indptr, indices, data, diagonal, f, floor, leeway, order, x, w, turnover):
    """Sweep in place, in the given order; every row sees what the rows before it have become."""
    least, largest = 0.0, 0.0
    for step in range(np.uint64(len(order))):
        i = np.uint64(order[step])
        ratio, x[i], w[i], turnover[i] = balanced(
            indptr, indices, data, diagonal[i], f[i], floor, leeway, x, w, i
        )
        least, largest = min(least, ratio), max(largest, ratio)
    return least, largest
