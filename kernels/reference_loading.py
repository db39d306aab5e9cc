"""Twins of `ogas.kernels.loading`: the same in plain Python, for tests."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def is_sound(indptr: Array, indices: Array, width: int) -> bool:
    """Whether row pointers follow each other, and columns ascend in every row below ``width``."""
    pointers = indptr.tolist()
    if pointers[0] != 0 or pointers[-1] != len(indices) or pointers != sorted(pointers):
        return False
    rows = [indices[pointers[i] : pointers[i + 1]].tolist() for i in range(len(pointers) - 1)]
    return all(row == sorted(set(row)) and max(row, default=-1) < width for row in rows)


def add_content(
    indptr: Array, indices: Array, data: Array, price: Array, of_magnitudes: bool, content: Array
) -> tuple[float, float, bool]:
    """Add ``price @ A`` to ``content``, or ``price @ |A|``; return the extremes of magnitudes."""
    for i in range(len(indptr) - 1):
        for k in range(indptr[i], indptr[i + 1]):
            value = float(data[k])
            p = price[i] if len(price) else 1.0
            content[indices[k]] += p * (abs(value) if of_magnitudes else value)
    magnitudes = np.abs(data.astype(np.float64))
    least, largest = magnitudes.min(initial=np.inf), magnitudes.max(initial=0.0)
    return float(least), float(largest), bool((data < 0).any())


def diagonal(indptr: Array, indices: Array, data: Array, out: Array) -> None:
    """Write the diagonal of a square matrix."""
    for i in range(len(indptr) - 1):
        row = slice(indptr[i], indptr[i + 1])
        out[i] = sum(data[row][indices[row] == i].tolist())


def transpose(
    indptr: Array, indices: Array, data: Array, free: Array, columns: Array, values: Array
) -> None:
    """Write the columns of a matrix as rows; ``free`` is where each begins, and is moved on."""
    for i in range(len(indptr) - 1):
        for k in range(indptr[i], indptr[i + 1]):
            place = free[indices[k]]
            columns[place], values[place] = i, data[k]
            free[indices[k]] += 1
