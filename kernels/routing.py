"""Finding the routes between blocks: where the rows of outboxes come from and go to.

Each reads its rows once, and gathers; nothing is sorted but by counting.
"""

import numpy as np

from ogas.kernels.jit import kernel


@kernel(["void(uint32[::1], int64[::1], int32[::1], uint32[::1], uint16[::1], int64[::1])"])
def address(ext, slots, owners, found, makers, counts):
    """Find the slot of every product in ``ext``, the block that makes it, and how many each makes.

    ``slots`` is by position, ``owners`` by slot; ``counts`` (m,) is added to.
    """
    for k in range(np.uint64(len(ext))):
        slot = np.uint64(slots[np.uint64(ext[k])])
        maker = np.uint64(owners[slot])
        found[k], makers[k] = slot, maker
        counts[maker] += 1


@kernel(
    [
        f"void(uint32[::1], uint16[::1], int64[::1], {places}[::1], uint16[::1], uint16[::1])"
        for places in ("uint32", "int64")
    ]
)
def move(slots, makers, shifts, places, numbers, owners):
    """Write ``places = slots + shifts[maker]`` and ``owners = numbers[maker]``."""
    for k in range(np.uint64(len(slots))):
        maker = np.uint64(makers[k])
        places[k] = np.int64(slots[k]) + shifts[maker]
        owners[k] = numbers[maker]


@kernel(
    [
        f"void(uint32[::1], int64, int32[::1], int64[::1], int64[::1], {rows}[::1], uint16[::1])"
        for rows in ("uint32", "int64")
    ]
)
def deal(slots, first, owners, bounds, free, rows, local):
    """Deal the rows of one outbox out to the blocks that make what they are about.

    Row k of the outbox is message ``first + k``. Block J has its next place at ``free[J]``, which
    is moved on; a negative one means that it is elsewhere. ``bounds[J]`` is its first slot.
    """
    for k in range(np.uint64(len(slots))):
        slot = np.uint64(slots[k])
        maker = np.uint64(owners[slot])
        place = free[maker]
        if place >= 0:
            rows[np.uint64(place)] = first + np.int64(k)
            local[np.uint64(place)] = np.int64(slots[k]) - bounds[maker]
            free[maker] = place + 1
