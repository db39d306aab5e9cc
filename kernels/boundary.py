"""What crosses the boundaries of blocks: adding up what is ordered, and what it is worth."""

import numpy as np

from ogas.kernels.arrays import overlap
from ogas.kernels.jit import kernel


@kernel(
    [
        "void(int64[::1], int32[::1], int64[::1], int64[::1], float64[:, ::1], float64[:, ::1], "
        "float64[:, ::1], uint64, float64[:, ::1])"
    ]
)
def collect(rows, local, sources, bounds, messages, factor, shift, drift, out):
    """Add up what the other blocks order of a block's products.

        out[i, c] = sum over J of factor[J, c] o_J[i, c] + shift[J, c] o_J[i, drift]

    The message rows ``bounds[s] .. bounds[s + 1]`` come from block ``sources[s]``; message ``rows
    [k]`` is for product ``local[k]``. ``factor`` and ``shift`` (blocks, c) are the correction of
    the block that ordered: orders are linear, so they follow it without being computed again.
    Blocks add in the order of their numbers, wherever they run. Reads 12 bytes and c numbers per
    message. ``out`` must share no memory with ``messages``, ``factor`` or ``shift``: raises
    ValueError.
    """
    if overlap(out, messages) or overlap(out, factor) or overlap(out, shift):
        raise ValueError("out shares memory with what is read")
    width = np.uint64(out.shape[1])
    out[:] = 0.0
    for s in range(np.uint64(len(sources))):
        block = np.uint64(sources[s])
        for k in range(np.uint64(bounds[s]), np.uint64(bounds[s + np.uint64(1)])):
            row, i = np.uint64(rows[k]), np.uint64(local[k])
            along = messages[row, drift]
            for c in range(width):
                out[i, c] += factor[block, c] * messages[row, c] + shift[block, c] * along


@kernel(["void(int32[::1], float64[::1], float64[:, ::1], float64[:, ::1])"])
def tally(owners, price, numbers, out):
    """Write ``out[owner, c] = sum of price_k numbers[k, c]`` over the rows k of each owner.

    What a block takes from each other block in value: a column of the sector table. ``numbers`` may
    have more rows than there are owners (padding). Reads 12 bytes and c numbers per row.
    ``out`` must not share memory with ``price`` or ``numbers``: raises ValueError.
    """
    if overlap(out, price) or overlap(out, numbers):
        raise ValueError("out shares memory with what is read")
    width = np.uint64(out.shape[1])
    out[:] = 0.0
    for k in range(np.uint64(len(owners))):
        owner = np.uint64(owners[k])
        for c in range(width):
            out[owner, c] += price[k] * numbers[k, c]


@kernel(["void(int64[::1], int32[::1], float64[::1], float64[::1])"])
def longest(rows, local, lengths, out):
    """Write the longest chain of additions behind the sums that `collect` makes.

    A message behind which are ``lengths[row]`` additions, and one for each message of a product.
    """
    count = np.zeros(len(out))
    out[:] = 0.0
    for k in range(np.uint64(len(rows))):
        i = np.uint64(local[k])
        count[i] += 1.0
        out[i] = max(out[i], lengths[np.uint64(rows[k])])
    out += count
