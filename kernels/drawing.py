"""Drawing the recipes of one block: which inputs every product takes, and how much of each.

The draws of product u stand at ``starts[u] .. starts[u + 1]``: those for products of the block
itself first, as positions in the block, up to ``inner[u]``; then those for others, as positions in
the table. Repeated draws are not merged here (`ogas.kernels.sorting`). The first ``reserved``
places of every product (0 or 1) are left to the caller.

Draw k of a block is made of number k of a few streams (`ogas.kernels.numbers`), and so depends on
no other draw.
"""

import numpy as np

from ogas.kernels.jit import kernel
from ogas.kernels.numbers import HALF, pick, quantile, spread, word

ONE = np.uint64(1)


@kernel(["UniTuple(uint64, 3)(uint64, uint64[::1], uint64, uint64)"])
def kinds(key, limits, first, last):
    """Return how many of the draws ``first .. last - 1`` lie below each of three limits (· 2³²)."""
    a = b = c = np.uint64(0)
    for k in range(first, last):
        kind = word(key, k) >> HALF
        a += np.uint64(kind < limits[0])
        b += np.uint64(kind < limits[1])
        c += np.uint64(kind < limits[2])
    return a, b, c


@kernel(["uint64(int64[::1], uint64, uint64, uint64, uint64)"])
def upstream(bounds, key, k, supplier, user):
    """Redraw a supplier below the position of its user, in the block it comes from."""
    blocks, products = np.uint64(len(bounds) - 1), np.uint64(bounds[-1])
    first = np.uint64(bounds[((supplier + ONE) * blocks - ONE) // products])
    if supplier - first < user:
        return supplier
    return first + (spread(word(key, k), user) >> HALF)


@kernel(
    [
        "void(uint64[::1], int64[::1], uint64, uint64[::1], uint64[::1], uint64[::1], uint32[::1], "
        "int64[::1], uint64[::1], uint64, boolean, uint32[::1], int64[::1])"
    ]
)
def choose(
    keys,
    starts,
    reserved,
    limits,
    own,
    popular,
    hubs,
    bounds,
    island,
    block,
    acyclic,
    suppliers,
    inner,
):
    """Choose the suppliers of a block's products by the law of `sectors`.

    ``keys`` (3,) are the streams of kinds, of places, and of places drawn again. A draw is of a
    kind by its number in 2⁻³²: below ``limits[0]`` from the own block and always upstream, below
    ``limits[1]`` from the own block, below ``limits[2]`` a hub, else from anywhere on the island.
    ``own`` and ``popular`` are tables of `ogas.kernels.numbers` over the block and over ``hubs``.
    ``island`` is its first good, how many goods it has, and how many of the products of a block are
    no goods. ``bounds`` says where blocks begin, for sizes that differ by at most one.

    Draws are exchangeable, so they are counted by kind first and made kind by kind: no branch is
    left to guess. Writes 4 bytes a draw; two gathers from ``own`` in three draws of four.
    """
    first, size = np.uint64(bounds[block]), np.uint64(len(starts) - 1)
    blocks, products = np.uint64(len(bounds) - 1), np.uint64(bounds[-1])
    low, goods, homes = island[0], island[1], island[2]
    for u in range(size):
        start, end = np.uint64(starts[u]) + reserved, np.uint64(starts[u + ONE])
        forced, free, hub = kinds(keys[0], limits, start, end)
        for k in range(start, start + free):
            suppliers[k] = pick(own, word(keys[1], k))
        if u > np.uint64(0):
            for k in range(start, start + forced):
                again = spread(word(keys[2], k), u) >> HALF
                suppliers[k] = again if np.uint64(suppliers[k]) >= u else suppliers[k]
        front, back = start + free, end
        for k in range(start + free, end):
            drawn = word(keys[1], k)
            if k < start + hub:
                supplier = np.uint64(hubs[pick(popular, drawn)])
            else:
                supplier = low + (spread(drawn, goods) >> HALF)
                if homes:
                    supplier += ((supplier + ONE) * blocks - ONE) // (products - blocks)
            if acyclic:
                supplier = upstream(bounds, keys[2], k, supplier, u)
            if supplier - first < size:
                suppliers[front] = supplier - first
                front += ONE
            else:
                back -= ONE
                suppliers[back] = supplier
        inner[u] = front


@kernel(["void(uint64, int64[::1], uint64, uint64, uint64, uint64, uint32[::1], int64[::1])"])
def choose_anywhere(key, starts, reserved, first, size, products, suppliers, inner):
    """Choose the suppliers of a block's products evenly from the first ``products`` of the table.

    The block has ``size`` products from position ``first`` on. Writes 4 bytes a draw.
    """
    for u in range(np.uint64(len(inner))):
        front, back = np.uint64(starts[u]) + reserved, np.uint64(starts[u + ONE])
        for k in range(front, back):
            supplier = spread(word(key, k), products) >> HALF
            if supplier - first < size:
                suppliers[front] = supplier - first
                front += ONE
            else:
                back -= ONE
                suppliers[back] = supplier
        inner[u] = front


@kernel(
    [
        "void(uint64, int64[::1], uint64, uint64, uint64, float64[::1], uint32[::1], uint32[::1], "
        "int64[::1])"
    ]
)
def choose_below(key, starts, reserved, first, size, rates, guide, suppliers, inner):
    """Choose suppliers at or below the position of their user in the table.

    ``rates`` (n + 1,) adds up, from 0, how often each product is drawn. ``guide`` divides their
    range evenly, and says in or near which product each division begins. The block has ``size``
    products from position ``first`` on. Writes 4 bytes a draw.
    """
    scale = len(guide) / rates[len(rates) - 1]
    for u in range(np.uint64(len(inner))):
        top = first + u + ONE
        front, back = np.uint64(starts[u]) + reserved, np.uint64(starts[u + ONE])
        for k in range(front, back):
            drawn = np.float64(np.int64(word(key, k) >> np.uint64(11))) * 2.0**-53 * rates[top]
            supplier = np.uint64(guide[min(np.int64(drawn * scale), len(guide) - 1)])
            while rates[supplier] > drawn:
                supplier -= ONE
            while supplier + ONE < top and rates[supplier + ONE] <= drawn:
                supplier += ONE
            if supplier - first < size:
                suppliers[front] = supplier - first
                front += ONE
            else:
                back -= ONE
                suppliers[back] = supplier
        inner[u] = front


@kernel(
    [
        "void(uint64, int64[::1], uint64, int64[::1], uint32[::1], float32[:, ::1], float64, "
        "float64[::1], float32[::1])"
    ]
)
def weigh(key, starts, reserved, inner, suppliers, sizes, self_use, totals, weights):
    """Weigh the draws of every product by the quantiles ``sizes``, and scale them to its total.

    What a product takes of itself counts ``self_use`` times before. A product without draws has no
    total; with no ``totals`` at all, sizes stay as drawn. Reads 8 bytes a draw and writes 4.
    """
    for u in range(np.uint64(len(inner))):
        start, end = np.uint64(starts[u]) + reserved, np.uint64(starts[u + ONE])
        for k in range(start, end):
            weights[k] = quantile(sizes, word(key, k))
        for k in range(start, np.uint64(inner[u])):
            if np.uint64(suppliers[k]) == u:
                weights[k] *= self_use
        if len(totals) == 0:
            continue
        total = 0.0
        for k in range(start, end):
            total += weights[k]
        factor = totals[u] / total
        for k in range(start, end):
            weights[k] *= factor
