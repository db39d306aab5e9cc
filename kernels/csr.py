"""Products and residuals over the rows of a CSR matrix.

Loop bounds are unsigned: with signed ones Numba emits a test for negative indices at every access,
which costs a third of the speed.
"""

import numpy as np

from ogas.kernels.jit import csr_kernel, kernel


@kernel(["boolean(float64[::1], float64[::1])"])
def share_memory(a, b):
    """Whether two vectors overlap anywhere."""
    first, second = a.ctypes.data, b.ctypes.data
    return first < second + np.uint64(b.nbytes) and second < first + np.uint64(a.nbytes)


@csr_kernel("void", "float64[::1], float64[::1]")
def product(indptr, indices, data, x, out):
    """Write ``out = A @ x``.

    Reads 12 bytes per nonzero with int32 indices (plus the gathers of x) and 8 per row, writes 8
    per row. ``out`` must not share memory with ``x``: raises ValueError.
    """
    if share_memory(out, x):
        raise ValueError("out shares memory with x")
    for i in range(np.uint64(len(indptr) - 1)):
        total = 0.0
        for k in range(np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])):
            total += data[k] * x[indices[k]]
        out[i] = total


@csr_kernel("void", "float64[::1], float64[::1], float64[::1]")
def residual(indptr, indices, data, x, f, out):
    """Write ``out = f + A @ x - x``.

    Reads 12 bytes per nonzero with int32 indices (plus the gathers of x) and 24 per row, writes 8
    per row. ``out`` must not share memory with ``x``: raises ValueError.
    """
    if share_memory(out, x):
        raise ValueError("out shares memory with x")
    for i in range(np.uint64(len(indptr) - 1)):
        total = 0.0
        for k in range(np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])):
            total += data[k] * x[indices[k]]
        out[i] = f[i] + total - x[i]
