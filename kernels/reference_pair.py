"""The kernels over one block again, slow and obvious: their specification.

Same arguments, same results to the last bit, no Numba: `ogas.kernels.pair`, `orders`, `slices`,
`dense` and `stream`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

LANES, SLICE, LONGEST = 16, 16, 256

Array = npt.NDArray[Any]


def sweep_pair(
    indptr: Array,
    columns: Array,
    values: Array,
    order: Array,
    diagonal: Array,
    demand: Array,
    given: Array,
    pair: Array,
    floor: float,
    leeway: float,
) -> tuple[float, float, float]:
    """Sweep plan and witness of a sparse block in place."""
    _refuse_overlap(pair, given, demand, diagonal)
    row = _sparse_row(indptr, columns, values)
    return _sweep(row, order, diagonal, demand, given, pair, floor, leeway)


def sweep_one(
    indptr: Array,
    columns: Array,
    values: Array,
    order: Array,
    diagonal: Array,
    demand: Array,
    given: Array,
    x: Array,
    floor: float,
) -> tuple[float, float]:
    """Sweep the plan of a sparse block alone, in place."""
    _refuse_overlap(x, given, demand, diagonal)
    pair = np.stack([x, np.ones_like(x)], axis=1)
    given = np.stack([given, np.zeros_like(given)], axis=1)
    row = _sparse_row(indptr, columns, values)
    least, largest, _ = _sweep(row, order, diagonal, demand, given, pair, floor, 0.0)
    x[:] = pair[:, 0]
    return least, largest


def sweep_dense(
    matrix: Array,
    order: Array,
    diagonal: Array,
    demand: Array,
    given: Array,
    pair: Array,
    floor: float,
    leeway: float,
) -> tuple[float, float, float]:
    """Sweep plan and witness of a dense block in place."""
    _refuse_overlap(pair, given, demand, diagonal)
    row = _dense_row(matrix)
    return _sweep(row, order, diagonal, demand, given, pair, floor, leeway)


def sums_pair(indptr: Array, columns: Array, values: Array, pair: Array, out: Array) -> None:
    """Write ``out = A @ pair``."""
    _refuse_overlap(out, pair)
    row = _sparse_row(indptr, columns, values)
    for i in range(len(indptr) - 1):
        out[i] = row(i, pair)


def sums_dense(matrix: Array, pair: Array, out: Array) -> None:
    """Write ``out = matrix @ pair``."""
    _refuse_overlap(out, pair)
    row = _dense_row(matrix)
    for i in range(len(matrix)):
        out[i] = row(i, pair)


def orders_pair(
    hub_ptr: Array, slice_ptr: Array, columns: Array, values: Array, pair: Array, out: Array
) -> None:
    """Write ``out = E @ pair`` for hubs and slices."""
    _refuse_overlap(out, pair)
    hubs = len(hub_ptr) - 1
    hub = _sparse_row(hub_ptr, columns, values)
    for k in range(hubs):
        out[k] = hub(k, pair)
    for k in range(len(slice_ptr) - 1):
        span = slice(slice_ptr[k], slice_ptr[k + 1])
        terms = _terms(values[span], columns[span], pair).reshape(-1, SLICE, pair.shape[1])
        sums = np.zeros(terms.shape[1:])
        for step in terms:
            sums = sums + step
        out[hubs + SLICE * k : hubs + SLICE * (k + 1)] = sums


def orders_one(
    hub_ptr: Array, slice_ptr: Array, columns: Array, values: Array, x: Array, out: Array
) -> None:
    """Write ``out = E @ x`` for hubs and slices."""
    _refuse_overlap(out, x)
    orders_pair(hub_ptr, slice_ptr, columns, values, x[:, None], out[:, None])


def slice_rows(
    indptr: Array, columns: Array, values: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """Return the rows sorted by length, the longest first, and laid out as hubs and slices."""
    lengths = np.diff(indptr).tolist()
    rows = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    hubs = sum(length > LONGEST for length in lengths)
    hub_ptr, slice_ptr = [0], []
    places: list[Any] = []
    entries: list[Any] = []
    for i in rows[:hubs]:
        places += columns[indptr[i] : indptr[i + 1]].tolist()
        entries += values[indptr[i] : indptr[i + 1]].tolist()
        hub_ptr.append(len(places))
    slice_ptr.append(len(places))
    for first in range(hubs, len(rows), SLICE):
        members = rows[first : first + SLICE]
        for step in range(lengths[members[0]]):
            for lane in range(SLICE):
                there = lane < len(members) and step < lengths[members[lane]]
                places.append(columns[indptr[members[lane]] + step] if there else 0)
                entries.append(values[indptr[members[lane]] + step] if there else 0.0)
        slice_ptr.append(len(places))
    columns, values = np.array(places, columns.dtype), np.array(entries, values.dtype)
    return (
        np.array(rows, np.uint32),
        np.array(hub_ptr, np.int64),
        np.array(slice_ptr, np.int64),
        columns,
        values,
    )


def read(numbers: Array) -> float:
    """Return the sum of a vector, in the lanes of a row."""
    return float(lane_sums(numbers[:, None])[0])


def triad(a: Array, b: Array, scale: float, out: Array) -> None:
    """Write ``out = a + scale b``."""
    out[:] = a + scale * b


def lane_sums(terms: Array) -> Array:
    """Add up each column of (n, c) float64 in sixteen lanes, then the lanes in pairs."""
    steps = np.zeros((-(-len(terms) // LANES), LANES, terms.shape[1]))
    steps.reshape(-1, terms.shape[1])[: len(terms)] = terms
    lanes = np.zeros(steps.shape[1:])
    for step in steps:
        lanes = lanes + step
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = lanes[:half] + lanes[half:]
    sums: Array = lanes[0]
    return sums


Row = Callable[[int, Array], Array]


def _sparse_row(indptr: Array, columns: Array, values: Array) -> Row:
    def sums(i: int, pair: Array) -> Array:
        span = slice(indptr[i], indptr[i + 1])
        return lane_sums(_terms(values[span], columns[span], pair))

    return sums


def _dense_row(matrix: Array) -> Row:
    def sums(i: int, pair: Array) -> Array:
        return lane_sums(_terms(matrix[i], np.arange(len(pair)), pair))

    return sums


def _terms(values: Array, columns: Array, pair: Array) -> Array:
    terms: Array = values.astype(np.float64)[:, None] * pair[columns].astype(np.float64)
    return terms


def _sweep(
    row: Row,
    order: Array,
    diagonal: Array,
    demand: Array,
    given: Array,
    pair: Array,
    floor: float,
    leeway: float,
) -> tuple[float, float, float]:
    """Set the balance of every row right in turn; see `ogas.kernels.balances`."""
    ratios, shares = [0.0], [1.0]
    with np.errstate(all="ignore"):
        for i in order:
            (used, needed), (x, w) = row(i, pair), pair[i].astype(np.float64)
            needed = needed + given[i, 1]
            imbalance = demand[i] + given[i, 0] + used - x
            output = x + imbalance / (1.0 - diagonal[i])
            size = abs(demand[i]) + abs(output - demand[i])
            turnover = np.maximum(size, floor)  # NaN stays
            surplus = np.maximum(turnover, leeway * needed)
            witness = w + (surplus + needed - w) / (1.0 - diagonal[i])
            pair[i] = output, witness
            ratios.append(imbalance / turnover)
            shares.append(witness / turnover)
    broken, broken_depth = (
        0.0 if np.isfinite(found).all() else np.nan for found in (ratios, shares)
    )
    return min(ratios) + broken, max(ratios) + broken, max(shares) + broken_depth


def _refuse_overlap(written: Array, *others: Array) -> None:
    if any(np.may_share_memory(written, other) for other in others):
        raise ValueError("what is written shares memory with what is read")
