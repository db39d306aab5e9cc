"""Twins of `ogas.kernels.routing`: the same in plain NumPy, for tests."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def address(
    ext: Array, slots: Array, owners: Array, found: Array, makers: Array, counts: Array
) -> None:
    """Find the slot of every product, the block that makes it, and how many each makes."""
    found[:] = slots[ext]
    makers[:] = owners[found]
    np.add.at(counts, makers, 1)


def move(
    slots: Array, makers: Array, shifts: Array, places: Array, numbers: Array, owners: Array
) -> None:
    """Write ``places = slots + shifts[maker]`` and ``owners = numbers[maker]``."""
    places[:] = slots + shifts[makers]
    owners[:] = numbers[makers]


def deal(
    slots: Array, first: int, owners: Array, bounds: Array, free: Array, rows: Array, local: Array
) -> None:
    """Deal the rows of one outbox out to the blocks that make what they are about."""
    makers = owners[slots]
    for block in np.flatnonzero(free >= 0):
        mine = np.flatnonzero(makers == block)
        places = free[block] + np.arange(len(mine))
        rows[places], local[places] = first + mine, slots[mine] - bounds[block]
        free[block] += len(mine)
