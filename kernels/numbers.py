"""Random numbers without a state: number k of a stream is a function of its key and k.

    word(key, k) = mix(key + k γ)        64 bits; γ is the golden ratio, mix the finaliser of
                                         SplitMix64 (Steele, Lea and Flood 2014, OOPSLA, 453-472)

so that anybody may draw any of them, in any order. Places, choices and sizes are made of them by
whole numbers, exact products and float64 sums alone: the same bits on every machine.
"""

import numpy as np

from ogas.kernels.jit import kernel

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST_MIX, SECOND_MIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
HALF = np.uint64(32)
LOW = np.uint64(2**32 - 1)
LOW_31 = np.uint64(2**31 - 1)

#: A quantile table has 64 cells for every halving of the probability, from 1/2 down to 2⁻³³.
OCTAVES, CELLS = 32, 64
CELL_BITS = np.uint64(52 - 6)
FIRST_CELL = np.uint64(0x3FF << 6)  # of the float64 number 1
WITHIN = np.uint64(2**46 - 1)


@kernel(["uint64(uint64, uint64)"])
def word(key, k):
    """Return number ``k`` of the stream ``key``."""
    z = key + k * GOLDEN
    z = (z ^ (z >> np.uint64(30))) * FIRST_MIX
    z = (z ^ (z >> np.uint64(27))) * SECOND_MIX
    return z ^ (z >> np.uint64(31))


@kernel(["uint64(uint64, uint64)"])
def spread(drawn, count):
    """Return ``count · drawn / 2³²`` for ``count < 2³²``.

    The upper half is uniform in ``0 .. count - 1``, to ``count / 2⁶⁴``; the lower half is how far
    between that place and the next.
    """
    return (drawn >> HALF) * count + (((drawn & LOW) * count) >> HALF)


@kernel(["uint64(uint64[::1], uint64)"])
def pick(table, drawn):
    """Return a place, as likely as the weights that `fill_alias` made the table of."""
    at = spread(drawn, np.uint64(len(table)))
    place = at >> HALF
    entry = table[place]
    return place if (at & LOW) < (entry >> HALF) else entry & LOW


@kernel(["float64(float32[:, ::1], uint64)"])
def quantile(table, drawn):
    """Return a number of the distribution whose quantiles are in the table.

    Bit 31 of ``drawn`` chooses the half; the lower 31 bits, b, are the probability from below or
    from above, ``p = (2 b + 1) 2⁻³³ < 1/2``. The bits of ``2 b + 1`` as a float64 name the cell and
    the place in it; between the ends of a cell, quantiles are straight.
    """
    odd = np.float64(np.int64(((drawn & LOW_31) << np.uint64(1)) | np.uint64(1)))
    bits = odd.view(np.uint64)
    cell = (bits >> CELL_BITS) - FIRST_CELL
    within = np.float64(np.int64(bits & WITHIN)) * 2.0**-46
    half = (drawn >> np.uint64(31)) & np.uint64(1)
    low, high = np.float64(table[half, cell]), np.float64(table[half, cell + np.uint64(1)])
    return low + within * (high - low)


@kernel(["int64(float64[::1], int64, boolean)"])
def next_place(weights, start, heavy):
    """Return the first place from ``start`` on that is heavy, or light; the length if none is."""
    while start < len(weights) and (weights[start] >= 1.0) != heavy:
        start += 1
    return start


@kernel(["void(float64[::1], uint64[::1])"])
def fill_alias(weights, table):
    """Write the table from which `pick` draws places in proportion to ``weights``, overwritten.

    Every place keeps a share of its own cell, in units of 2⁻³² in the upper half of its entry, and
    leaves the rest to another place, in the lower half. Walker (1977), ACM TOMS 3, 253-256; filled
    from the light and the heavy places in their order, with no lists of either.
    """
    n = len(weights)
    total = 0.0
    for i in range(n):
        total += weights[i]
    for i in range(n):
        weights[i] *= n / total
        table[i] = (LOW << HALF) | np.uint64(i)
    heavy = next_place(weights, 0, True)
    light = scanned = next_place(weights, 0, False)
    while light < n and heavy < n:
        table[light] = (np.uint64(weights[light] * 2.0**32) << HALF) | np.uint64(heavy)
        weights[heavy] -= 1.0 - weights[light]
        emptied = heavy
        if weights[emptied] < 1.0:
            heavy = next_place(weights, emptied + 1, True)
        if weights[emptied] < 1.0 and emptied < scanned:
            light = emptied
        else:
            light = scanned = next_place(weights, scanned + 1, False)
