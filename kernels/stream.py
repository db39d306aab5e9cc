"""What memory can do: the plainest reading and writing, against which kernels are measured.

Reference: McCalpin (1995), Memory bandwidth and machine balance (the STREAM benchmark).
"""

import numpy as np

from ogas.kernels.jit import kernel
from ogas.kernels.lanes import sum_of_all


@kernel(["float64(float64[::1])"])
def read(numbers):
    """Return the sum of a vector, in the lanes of a row. Reads 8 bytes per element."""
    return sum_of_all(numbers)


@kernel(["void(float64[::1], float64[::1], float64, float64[::1])"])
def triad(a, b, scale, out):
    """Write ``out = a + scale b``. Reads 16 bytes per element and writes 8."""
    for i in range(np.uint64(len(out))):
        out[i] = a[i] + scale * b[i]
