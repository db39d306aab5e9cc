"""From draws by column to rows as they are stored: repeated draws merged, rows without gaps.

Draws come column by column (`ogas.kernels.drawing`), so whatever keeps their order within a row
leaves its columns ascending, and draws of the same input next to each other. Nothing is compared:

    mark      a bit for every product that is taken from other blocks
    rank      their positions, ascending: `ext`; the place there is the row
    number    rows instead of products
    count     how many draws every row has
    pile      draws of neighbouring rows together: few piles, each written from front to back
    merge     the draws of a pile to their rows, and repeated ones into one, in the cache

Dealt to their rows in one step, draws would touch a cold line of memory each. A *part* is either
what a block takes from itself or what it takes from others; ``begins`` and ``ends`` (b,) say where
the draws of each product lie.
"""

import numpy as np

from ogas.kernels.arrays import prefetch
from ogas.kernels.jit import kernel

ONE = np.uint64(1)
WORD, IN_WORD = np.uint64(6), np.uint64(63)
USER, WEIGHT = np.uint64(32), np.uint64(2**32 - 1)
ODD, PAIRS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
PLACES_AHEAD, PILED_AHEAD = np.uint64(32), np.uint64(16)
NIBBLES, BYTES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)


@kernel(["uint64(uint64)"])
def bits_in(word):
    """Return how many bits of a word are set."""
    word -= (word >> ONE) & ODD
    word = (word & PAIRS) + ((word >> np.uint64(2)) & PAIRS)
    word = (word + (word >> np.uint64(4))) & NIBBLES
    return (word * BYTES) >> np.uint64(56)


@kernel(["int64(int64[::1], int64[::1], uint32[::1], uint64[::1])"])
def mark(begins, ends, suppliers, marks):
    """Set the bit of every product that is taken from another block; return how many they are.

    ``marks`` has one bit for every product of the table, none of them set.
    """
    for u in range(np.uint64(len(begins))):
        for k in range(np.uint64(begins[u]), np.uint64(ends[u])):
            supplier = np.uint64(suppliers[k])
            marks[supplier >> WORD] |= ONE << (supplier & IN_WORD)
    count = np.uint64(0)
    for w in range(np.uint64(len(marks))):
        count += bits_in(marks[w])
    return count


@kernel(["void(uint64[::1], uint32[::1], int64[::1])"])
def rank(marks, before, ext):
    """Write the positions of all bits, ascending, and how many lie ``before`` each word."""
    found = np.uint64(0)
    for w in range(np.uint64(len(marks))):
        before[w] = found
        left = marks[w]
        while left:
            rest = left & (left - ONE)
            ext[found] = (w << WORD) + bits_in((left ^ rest) - ONE)
            found += ONE
            left = rest


@kernel(["void(int64[::1], int64[::1], uint64[::1], uint32[::1], uint32[::1])"])
def number(begins, ends, marks, before, suppliers):
    """Replace products of other blocks by their rows."""
    for u in range(np.uint64(len(begins))):
        for k in range(np.uint64(begins[u]), np.uint64(ends[u])):
            supplier = np.uint64(suppliers[k])
            w = supplier >> WORD
            lower = marks[w] & ((ONE << (supplier & IN_WORD)) - ONE)
            suppliers[k] = np.uint64(before[w]) + bits_in(lower)


@kernel(["void(int64[::1], int64[::1], uint32[::1], int64[::1])"])
def count(begins, ends, rows, counts):
    """Add to ``counts`` (rows,) how many draws every row has."""
    for u in range(np.uint64(len(begins))):
        for k in range(np.uint64(begins[u]), np.uint64(ends[u])):
            counts[np.uint64(rows[k])] += 1


@kernel(
    [
        "void(int64[::1], int64[::1], uint32[::1], uint32[::1], uint64, int64[::1], uint16[::1], "
        "uint64[::1])"
    ]
)
def pile(begins, ends, rows, weights, shift, free, places, piled):
    """Put the draws of each ``2^shift`` rows together; ``shift`` is at most 16.

    A draw becomes its row among those (``places``), and, in ``piled``, its user in the upper and
    the bits of its weight in the lower half. ``free`` is where each pile has its next place, and is
    moved on. Reads 8 bytes a draw and writes 10.
    """
    mask = (ONE << shift) - ONE
    for u in range(np.uint64(len(begins))):
        for k in range(np.uint64(begins[u]), np.uint64(ends[u])):
            row = np.uint64(rows[k])
            place = free[row >> shift]
            free[row >> shift] = place + 1
            prefetch(places, np.uint64(place) + PLACES_AHEAD)
            prefetch(piled, np.uint64(place) + PILED_AHEAD)
            places[np.uint64(place)] = row & mask
            piled[np.uint64(place)] = (u << USER) | np.uint64(weights[k])


@kernel(
    [
        f"int64(int64[::1], uint64, uint16[::1], uint64[::1], boolean, int64[::1], uint64[::1], "
        f"int64[::1], {columns}[::1], float32[::1])"
        for columns in ("uint16", "int32")
    ]
)
def merge(bounds, shift, places, piled, adds, free, dealt, indptr, columns, values):
    """Write the rows of a part from its piles, without zeros; return how many entries they have.

    ``bounds`` (rows + 1,) says between which draws each row lies. Repeated draws add up, in the
    order in which they were drawn; if not ``adds``, the first counts. ``free`` (2^shift,) and
    ``dealt``, as long as the largest pile, are for work. Reads 10 bytes a draw, writes 6 or 8 an
    entry.
    """
    rows, most = np.uint64(len(bounds) - 1), ONE << shift
    out = np.uint64(0)
    indptr[0] = 0
    for first in range(np.uint64(0), rows, most):
        last, start = min(first + most, rows), bounds[first]
        for row in range(first, last):
            free[row - first] = bounds[row] - start
        for k in range(np.uint64(start), np.uint64(bounds[last])):
            place = np.uint64(places[k])
            dealt[np.uint64(free[place])] = piled[k]
            free[place] += 1
        at = np.uint64(0)
        for row in range(first, last):
            begin, end = out, np.uint64(free[row - first])
            while at < end:
                column = dealt[at] >> USER
                value = np.uint32(dealt[at] & WEIGHT).view(np.float32)
                at += ONE
                if out > begin and np.uint64(columns[out - ONE]) == column:
                    if adds:
                        values[out - ONE] += value
                elif value != 0.0:
                    columns[out], values[out] = column, value
                    out += ONE
            indptr[row + ONE] = out
    return out
