"""What has to be known of a stored block before it is swept; each reads its CSR arrays once.

Stored blocks have 16-bit or 32-bit columns and float32 or float64 values.
"""

import numpy as np

from ogas.kernels.jit import kernel

TYPES = [(columns, values) for columns in ("uint16", "int32") for values in ("float32", "float64")]
FORMS = [f"int64[::1], {columns}[::1], {values}[::1]" for columns, values in TYPES]


@kernel([f"boolean(int64[::1], {columns}[::1], int64)" for columns in ("uint16", "int32")])
def is_sound(indptr, indices, width):
    """Whether row pointers follow each other, and columns ascend in every row below ``width``."""
    if indptr[0] != 0 or indptr[-1] != len(indices):
        return False
    for i in range(np.uint64(len(indptr) - 1)):
        start, end = indptr[i], indptr[i + np.uint64(1)]
        if end < start or end > len(indices):
            return False
        last = np.int64(-1)
        for k in range(np.uint64(start), np.uint64(end)):
            column = np.int64(indices[k])
            if column <= last:
                return False
            last = column
        if last >= width:
            return False
    return True


@kernel(
    [
        f"Tuple((float64, float64, boolean))({form}, float64[::1], boolean, float64[::1])"
        for form in FORMS
    ]
)
def add_content(indptr, indices, data, price, of_magnitudes, content):
    """Add ``price @ A`` to ``content``, or ``price @ |A|``.

    No prices are prices of 1. Returns the least and the largest magnitude of an entry, and whether
    any is negative. Reads 6 to 12 bytes per nonzero, and gathers and scatters 8.
    """
    is_priced = len(price) > 0
    least, largest, negative = np.inf, 0.0, 0
    for i in range(np.uint64(len(indptr) - 1)):
        p = price[i] if is_priced else 1.0
        for k in range(np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])):
            value = np.float64(data[k])
            magnitude = abs(value)
            if value < 0.0:
                negative += 1
            least, largest = min(least, magnitude), max(largest, magnitude)
            content[indices[k]] += p * (magnitude if of_magnitudes else value)
    return least, largest, negative > 0


@kernel([f"void({form}, float64[::1])" for form in FORMS])
def diagonal(indptr, indices, data, out):
    """Write the diagonal of a square matrix; columns ascend in every row."""
    for i in range(np.uint64(len(indptr) - 1)):
        low, high = np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])
        end = high
        while low < high:
            middle = (low + high) >> np.uint64(1)
            if np.uint64(indices[middle]) < i:
                low = middle + np.uint64(1)
            else:
                high = middle
        out[i] = data[low] if low < end and np.uint64(indices[low]) == i else 0.0


@kernel(
    [
        f"void({form}, int64[::1], {columns}[::1], {values}[::1])"
        for form, (columns, values) in zip(FORMS, TYPES, strict=True)
    ]
)
def transpose(indptr, indices, data, free, columns, values):
    """Write the columns of a matrix as rows; ``free`` is where each begins, and is moved on.

    Reads 6 to 12 bytes per nonzero and writes as many, out of order.
    """
    for i in range(np.uint64(len(indptr) - 1)):
        for k in range(np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])):
            place = np.uint64(free[indices[k]])
            columns[place], values[place] = i, data[k]
            free[indices[k]] += 1
