"""Twins of `ogas.kernels.sorting`: the same in plain Python, for tests."""

from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def mark(begins: Array, ends: Array, suppliers: Array, marks: Array) -> int:
    """Set the bit of every product that is taken from another block; return how many they are."""
    found = set(suppliers[_draws(begins, ends)[1]].tolist())
    for supplier in found:
        marks[supplier // 64] |= np.uint64(1 << supplier % 64)
    return len(found)


def rank(marks: Array, before: Array, ext: Array) -> None:
    """Write the positions of all bits, ascending, and how many lie ``before`` each word."""
    bits = [[64 * w + b for b in range(64) if int(word) >> b & 1] for w, word in enumerate(marks)]
    before[:] = np.cumsum([0, *map(len, bits)])[:-1]
    ext[:] = [bit for word in bits for bit in word]


def number(begins: Array, ends: Array, marks: Array, before: Array, suppliers: Array) -> None:
    """Replace products of other blocks by their rows."""
    found = _draws(begins, ends)[1]
    suppliers[found] = np.unique(suppliers[found], return_inverse=True)[1]


def count(begins: Array, ends: Array, rows: Array, counts: Array) -> None:
    """Add to ``counts`` how many draws every row has."""
    np.add.at(counts, rows[_draws(begins, ends)[1]], 1)


def pile(
    begins: Array,
    ends: Array,
    rows: Array,
    weights: Array,
    shift: int,
    free: Array,
    places: Array,
    piled: Array,
) -> None:
    """Put the draws of each ``2^shift`` rows together."""
    for user, draw in zip(*_draws(begins, ends), strict=True):
        heap, row = divmod(int(rows[draw]), 2 ** int(shift))
        places[free[heap]], piled[free[heap]] = row, user * 2**32 + int(weights[draw])
        free[heap] += 1


def merge(
    bounds: Array,
    shift: int,
    places: Array,
    piled: Array,
    adds: bool,
    free: Array,
    dealt: Array,
    indptr: Array,
    columns: Array,
    values: Array,
) -> int:
    """Write the rows of a part from its piles, without zeros; return how many entries they have."""
    rows: list[list[tuple[int, Any]]] = [[] for _ in bounds[:-1]]
    heaps = np.searchsorted(bounds[:: 2 ** int(shift)], np.arange(len(piled)), side="right") - 1
    for heap, place, draw in zip(heaps, places, piled.tolist(), strict=True):
        weight = np.uint32(draw % 2**32).view(np.float32)
        if weight:
            rows[heap * 2 ** int(shift) + int(place)].append((draw // 2**32, weight))
    entries = 0
    indptr[0] = 0
    for row, draws in enumerate(rows):
        for user, same in groupby(draws, key=lambda draw: draw[0]):
            weights = [weight for _, weight in same]
            columns[entries] = user
            values[entries] = sum(weights[1:], weights[0]) if adds else weights[0]
            entries += 1
        indptr[row + 1] = entries
    return entries


def _draws(begins: Array, ends: Array) -> tuple[list[int], list[int]]:
    """Return the user of every draw, and where the draw stands."""
    spans = [range(begin, end) for begin, end in zip(begins, ends, strict=True)]
    users = [user for user, span in enumerate(spans) for _ in span]
    return users, [draw for span in spans for draw in span]
