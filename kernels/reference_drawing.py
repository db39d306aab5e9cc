"""Twins of `ogas.kernels.numbers` and `drawing`: the same with Python's own numbers, for tests."""

from bisect import insort
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def word(key: int, k: int) -> int:
    """Return number ``k`` of the stream ``key``."""
    z = (int(key) + int(k) * 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return z ^ z >> 31


def spread(drawn: int, count: int) -> int:
    """Return ``count · drawn / 2³²``."""
    return int(drawn) * int(count) // 2**32


def pick(table: Array, drawn: int) -> int:
    """Return a place, as likely as the weights that `fill_alias` made the table of."""
    place, beyond = divmod(spread(drawn, len(table)), 2**32)
    share, other = divmod(int(table[place]), 2**32)
    return place if beyond < share else other


def quantile(table: Array, drawn: int) -> float:
    """Return a number of the distribution whose quantiles are in the table."""
    half, lower = divmod(int(drawn) % 2**32, 2**31)
    odd = 2 * lower + 1
    octave = odd.bit_length() - 1
    cell, beyond = divmod((odd - 2**octave) * 64, 2**octave)
    low, high = table[half].astype(np.float64)[[64 * octave + cell, 64 * octave + cell + 1]]
    return float(low + beyond / 2**octave * (high - low))


def fill_alias(weights: Array, table: Array) -> None:
    """Write the table from which `pick` draws places in proportion to ``weights``."""
    total = _total(weights)
    left = [weight * (len(weights) / total) for weight in weights.tolist()]
    table[:] = [(2**32 - 1) * 2**32 + place for place in range(len(left))]
    heavy = [place for place, weight in enumerate(left) if weight >= 1]
    light = [place for place, weight in enumerate(left) if weight < 1]
    while light and heavy:
        place, other = light.pop(0), heavy[0]
        table[place] = int(left[place] * 2**32) * 2**32 + other
        left[other] -= 1 - left[place]
        if left[other] < 1:
            insort(light, heavy.pop(0))
    weights[:] = left


def choose(
    keys: Array,
    starts: Array,
    reserved: int,
    limits: Array,
    own: Array,
    popular: Array,
    hubs: Array,
    bounds: Array,
    island: Array,
    block: int,
    acyclic: bool,
    suppliers: Array,
    inner: Array,
) -> None:
    """Choose the suppliers of a block's products by the law of `sectors`."""
    low, count, homes = island.tolist()
    goods = np.setdiff1d(np.arange(bounds[-1]), bounds[1:] - 1 if homes else [])[low : low + count]
    for u in range(len(inner)):
        draws = range(starts[u] + int(reserved), starts[u + 1])
        drawn = [word(keys[0], k) // 2**32 for k in draws]
        forced, free, hub = (sum(kind < limit for kind in drawn) for limit in limits.tolist())
        found = []
        for number, k in enumerate(draws):
            if number < free:
                place = pick(own, word(keys[1], k))
                if number < forced and place >= u > 0:
                    place = spread(word(keys[2], k), u) // 2**32
                found.append(int(bounds[block]) + place)
                continue
            if number < hub:
                supplier = int(hubs[pick(popular, word(keys[1], k))])
            else:
                supplier = int(goods[spread(word(keys[1], k), len(goods)) // 2**32])
            first = int(bounds[np.searchsorted(bounds, supplier, side="right") - 1])
            if acyclic and supplier - first >= u:
                supplier = first + spread(word(keys[2], k), u) // 2**32
            found.append(supplier)
        inner[u] = _divide(found, bounds[block], len(inner), suppliers[draws.start : draws.stop])
        inner[u] += draws.start


def choose_anywhere(
    key: int,
    starts: Array,
    reserved: int,
    first: int,
    size: int,
    products: int,
    suppliers: Array,
    inner: Array,
) -> None:
    """Choose the suppliers of a block's products evenly from the first ``products``."""
    for u in range(len(inner)):
        draws = range(starts[u] + int(reserved), starts[u + 1])
        found = [spread(word(key, k), products) // 2**32 for k in draws]
        inner[u] = _divide(found, first, int(size), suppliers[draws.start : draws.stop])
        inner[u] += draws.start


def choose_below(
    key: int,
    starts: Array,
    reserved: int,
    first: int,
    size: int,
    rates: Array,
    guide: Array,
    suppliers: Array,
    inner: Array,
) -> None:
    """Choose suppliers at or below the position of their user in the table, without a guide."""
    for u in range(len(inner)):
        draws = range(starts[u] + int(reserved), starts[u + 1])
        upto = rates[: int(first) + u + 2]
        places = [word(key, k) // 2**11 / 2**53 * upto[-1] for k in draws]
        found = [int(np.searchsorted(upto, place, side="right")) - 1 for place in places]
        inner[u] = _divide(found, first, int(size), suppliers[draws.start : draws.stop])
        inner[u] += draws.start


def _divide(found: list[int], first: int, size: int, out: Array) -> int:
    """Write what is from the block itself from the front, the rest from the back."""
    places = [supplier - int(first) for supplier in found]
    inside = [place for place in places if 0 <= place < size]
    others = [place + int(first) for place in places if not 0 <= place < size]
    out[:] = inside + others[::-1]
    return len(inside)


def weigh(
    key: int,
    starts: Array,
    reserved: int,
    inner: Array,
    suppliers: Array,
    sizes: Array,
    self_use: float,
    totals: Array,
    weights: Array,
) -> None:
    """Weigh the draws of every product, and scale them to its total."""
    for u in range(len(inner)):
        for k in range(starts[u] + int(reserved), starts[u + 1]):
            weights[k] = quantile(sizes, word(key, k))
            if k < inner[u] and suppliers[k] == u:
                weights[k] = np.float32(float(weights[k]) * self_use)
        part = weights[starts[u] + int(reserved) : starts[u + 1]]
        if len(part) and len(totals):
            part[:] = part.astype(np.float64) * (totals[u] / _total(part))


def _total(numbers: Array) -> float:
    """Add up one number after the other, in float64."""
    return float(np.cumsum(numbers, dtype=np.float64)[-1])
