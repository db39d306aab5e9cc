"""What crosses the boundaries of blocks: adding up what is ordered, and what it is worth.

A pair of plan and witness goes number by number, which is faster than in lanes of eight; the bits
are the same.
"""

import numpy as np

from ogas.kernels.across import add_corrected, add_scaled, correct
from ogas.kernels.arrays import overlap
from ogas.kernels.jit import kernel

X, W = np.uint64(0), np.uint64(1)  # the columns of a pair


@kernel(
    [
        f"void({rows}[::1], uint16[::1], int64[::1], int64[::1], {messages}[:, ::1], "
        "float64[:, ::1], float64[:, ::1], uint64, float64[:, ::1])"
        for rows in ("uint32", "int64")
        for messages in ("float32", "float64")
    ]
)
def collect(rows, local, sources, bounds, messages, factor, shift, drift, out):
    """Add up what the other blocks order of a block's products.

        out[i, c] = sum over J of factor[J, c] o_J[i, c] + shift[J, c] o_J[i, drift]

    The message rows ``bounds[s] .. bounds[s + 1]`` come from block ``sources[s]``; message ``rows
    [k]`` is for product ``local[k]``. ``factor`` and ``shift`` (blocks, c) are the correction of
    the block that ordered: orders are linear, so they follow it without being computed again.
    Blocks add in the order of their numbers, wherever they run. Reads 6 bytes and c numbers per
    message (10 where there are 2^32 of them). ``out`` must share no memory with ``messages``,
    ``factor`` or ``shift``: raises ValueError.
    """
    if overlap(out, messages) or overlap(out, factor) or overlap(out, shift):
        raise ValueError("out shares memory with what is read")
    is_pair = out.shape[1] == 2 and drift == W
    out[:] = 0.0
    for s in range(np.uint64(len(sources))):
        block = np.uint64(sources[s])
        scale_x, shift_x = factor[block, X], shift[block, X]
        scale_w, shift_w = factor[block, drift], shift[block, drift]
        for k in range(np.uint64(bounds[s]), np.uint64(bounds[s + np.uint64(1)])):
            row, i = np.uint64(rows[k]), np.uint64(local[k])
            if is_pair:
                x, w = np.float64(messages[row, X]), np.float64(messages[row, W])
                out[i, X] += scale_x * x + shift_x * w
                out[i, W] += scale_w * w + shift_w * w
            else:
                add_corrected(factor, shift, messages, out, block, row, i, drift)


@kernel(
    [
        f"void(uint16[::1], float64[:, ::1], float64[:, ::1], uint64, {state}[:, ::1])"
        for state in ("float32", "float64")
    ]
)
def follow(owners, factor, shift, drift, state):
    """Correct each row of a state by the rule of its owner, in place.

        state[i, c] <- factor[owner, c] state[i, c] + shift[owner, c] state[i, drift]

    Reads and writes every number once. ``state`` must share no memory with ``factor`` or ``shift``:
    raises ValueError.
    """
    if overlap(state, factor) or overlap(state, shift):
        raise ValueError("state shares memory with what is read")
    is_pair = state.shape[1] == 2 and drift == W
    for k in range(np.uint64(len(owners))):
        owner = np.uint64(owners[k])
        if is_pair:
            x, w = np.float64(state[k, X]), np.float64(state[k, W])
            state[k, X] = factor[owner, X] * x + shift[owner, X] * w
            state[k, W] = factor[owner, W] * w + shift[owner, W] * w
        else:
            correct(factor, shift, state, state, owner, k, k, drift)


@kernel(
    [
        f"void(uint16[::1], float64[::1], {numbers}[:, ::1], float64[:, ::1])"
        for numbers in ("float32", "float64")
    ]
)
def tally(owners, price, numbers, out):
    """Write ``out[owner, c] = sum of price_k numbers[k, c]`` over the rows k of each owner.

    What a block takes from each other block in value: a column of the sector table. No prices are
    prices of 1. ``numbers`` may have more rows than there are owners (padding). Reads 2 or 10 bytes
    and c numbers per row.
    ``out`` must not share memory with ``price`` or ``numbers``: raises ValueError.
    """
    if overlap(out, price) or overlap(out, numbers):
        raise ValueError("out shares memory with what is read")
    width = np.uint64(out.shape[1])
    is_narrow, is_priced = width < 8, len(price) > 0
    out[:] = 0.0
    for k in range(np.uint64(len(owners))):
        owner, worth = np.uint64(owners[k]), price[k] if is_priced else 1.0
        if is_narrow:  # a sum that was masked when written is slow to read again
            for c in range(width):
                out[owner, c] += worth * numbers[k, c]
        else:
            add_scaled(out, numbers, owner, k, worth)


@kernel(
    [f"void({rows}[::1], uint16[::1], uint16[::1], float64[::1])" for rows in ("uint32", "int64")]
)
def longest(rows, local, lengths, out):
    """Write the longest chain of additions behind the sums that `collect` makes.

    A message behind which are ``lengths[row]`` additions, and one for each message of a product.
    """
    count = np.zeros(len(out))
    out[:] = 0.0
    for k in range(np.uint64(len(rows))):
        i = np.uint64(local[k])
        count[i] += 1.0
        out[i] = max(out[i], np.float64(lengths[np.uint64(rows[k])]))
    out += count
