"""Push again, slow and obvious: the specification of `ogas.kernels.push`, to the last bit."""

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Indices = npt.NDArray[Any]


def settle(
    indptr: Indices,
    indices: Indices,
    data: Vector,
    diagonal: Vector,
    threshold: Vector,
    most: int,
    waiting: int,
    queue: Indices,
    is_waiting: Indices,
    x: Vector,
    r: Vector,
) -> tuple[int, int, int]:
    """Push in place until nobody waits, or one push more would touch over ``most`` entries.

    Returns how many still wait, how many pushes were made, and how many entries they touched.
    """
    line = deque(queue[:waiting].tolist())
    pushes = touched = 0
    while line and touched + indptr[line[0] + 1] - indptr[line[0]] <= most:
        i = line.popleft()
        recipe = slice(indptr[i], indptr[i + 1])
        step = r[i] / (1.0 - diagonal[i])
        x[i] += step
        r[i] = 0.0
        for j, entry in zip(indices[recipe], data[recipe], strict=True):
            if j == i:
                continue
            r[j] += entry * step
            if j not in line and abs(r[j]) > threshold[j]:
                line.append(int(j))
        pushes += 1
        touched += int(indptr[i + 1] - indptr[i])
    is_waiting[:] = 0
    is_waiting[list(line)] = 1
    return len(line), pushes, touched
