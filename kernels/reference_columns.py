"""The kernels for any number of columns again, slow and obvious: their specification.

Same arguments, same results to the last bit, no Numba: `ogas.kernels.columns` and `boundary`. The
twin of `ogas.kernels.certify.prove_sums` is in `ogas.kernels.reference`.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

CHUNK, SLICE = 32, 16

Array = npt.NDArray[Any]


def add_row(
    columns: Array,
    values: Array,
    state: Array,
    total: Array,
    first: int,
    last: int,
    stride: int,
    plain: int,
) -> None:
    """Write the sums over one row, in chunks of 32 terms, then over the chunks."""
    span = slice(first, last, stride)
    terms = _entries(values[span], plain, state.shape[1]) * state[columns[span]]
    total[:] = 0.0
    for start in range(0, len(terms), CHUNK):
        part = np.zeros(len(total))
        for term in terms[start : start + CHUNK]:
            part += term
        total += part


def add_column(
    columns: Array,
    values: Array,
    worth: Array,
    out: Array,
    first: int,
    last: int,
    stride: int,
    plain: int,
) -> None:
    """Add each entry of one row times ``worth`` to the row of ``out`` that it names."""
    span = slice(first, last, stride)
    for j, entry in zip(columns[span], _entries(values[span], plain, len(worth)), strict=True):
        out[j] += entry * worth


def sums_columns(
    indptr: Array, columns: Array, values: Array, plain: int, state: Array, out: Array
) -> None:
    """Write ``out = [A | |A|] @ state``."""
    _refuse_overlap(out, state)
    for i, (first, last) in enumerate(pairwise(indptr)):
        add_row(columns, values, state, out[i], first, last, 1, plain)


def cross(
    hub_ptr: Array,
    slice_ptr: Array,
    columns: Array,
    values: Array,
    up_plain: int,
    up: Array,
    up_out: Array,
    down_plain: int,
    down: Array,
    down_out: Array,
) -> None:
    """Write ``up_out = E @ up`` and add ``E.T @ down`` to ``down_out``, for hubs and slices."""
    _refuse_overlap(up_out, up, down)
    _refuse_overlap(down_out, up, down, up_out)
    for row, span in enumerate(_spans(hub_ptr, slice_ptr)):
        if up.shape[1]:
            add_row(columns, values, up, up_out[row], *span, up_plain)
        if down.shape[1]:
            add_column(columns, values, down[row], down_out, *span, down_plain)


def sweep_columns(
    indptr: Array,
    columns: Array,
    values: Array,
    order: Array,
    diagonal: Array,
    demand: Array,
    given: Array,
    plain: int,
    state: Array,
    rate: Array,
    floor: float,
    leeway: float,
    weights: Array,
    weighed: Array,
    turnovers: Array,
) -> tuple[float, float, float]:
    """Set right the balances of a block's products in turn, for K plans and one witness."""
    _refuse_overlap(state, given, demand, diagonal)
    _refuse_overlap(weighed, state, weights)
    plans, is_mixed = demand.shape[1], state.shape[1] > plain
    needs, gross = (plain if is_mixed else plans), slice(plain + 1, None)
    total = np.empty(state.shape[1])
    ratios, shares = [0.0], [1.0]
    for i in order:
        span = indptr[i], indptr[i + 1], 1
        add_row(columns, values, state, total, *span, plain)
        f, x = demand[i], state[i, :plans].astype(np.float64)
        imbalance = f + given[i, :plans] + total[:plans] - x
        new = x + imbalance / (1.0 - diagonal[i])
        if is_mixed:
            turnover = np.abs(f) + given[i, gross] + total[gross]
            state[i, gross] = np.abs(new)
        else:
            turnover = np.abs(f) + np.abs(new - f)
        turnover *= rate
        ratios.extend(imbalance * rate / np.maximum(turnover, floor))
        turnovers[i] = max(floor, *turnover)
        needed, w = given[i, needs] + total[needs], float(state[i, needs])
        surplus = max(turnovers[i], leeway * needed)
        w += (surplus + needed - w) / (1.0 - abs(diagonal[i]))
        state[i, :plans] = new
        state[i, [plans, needs]] = w
        shares.append(w / turnovers[i])
        if len(weights):
            worth = np.full(weighed.shape[1], weights[i])
            add_column(columns, values, worth, weighed, *span, 1)
    return min(ratios), max(ratios), max(shares)


def collect(
    rows: Array,
    local: Array,
    sources: Array,
    bounds: Array,
    messages: Array,
    factor: Array,
    shift: Array,
    drift: int,
    out: Array,
) -> None:
    """Add up what the other blocks order, after the correction of the block that ordered."""
    _refuse_overlap(out, messages, factor, shift)
    out[:] = 0.0
    for block, (first, last) in zip(sources, pairwise(bounds), strict=True):
        for row, i in zip(rows[first:last], local[first:last], strict=True):
            out[i] += factor[block] * messages[row] + shift[block] * messages[row, drift]


def follow(owners: Array, factor: Array, shift: Array, drift: int, state: Array) -> None:
    """Correct each row of a state by the rule of its owner, in place."""
    _refuse_overlap(state, factor, shift)
    for k, owner in enumerate(owners):
        row = state[k].astype(np.float64)
        state[k] = factor[owner] * row + shift[owner] * row[drift]


def tally(owners: Array, price: Array, numbers: Array, out: Array) -> None:
    """Write ``out[owner] = sum of price_k numbers[k]`` over the rows k of each owner."""
    _refuse_overlap(out, price, numbers)
    out[:] = 0.0
    for k, owner in enumerate(owners):
        out[owner] += (price[k] if len(price) else 1.0) * numbers[k]


def longest(rows: Array, local: Array, lengths: Array, out: Array) -> None:
    """Write the longest chain of additions behind the sums that `collect` makes."""
    out[:] = 0.0
    for row, i in zip(rows, local, strict=True):
        out[i] = max(out[i], lengths[row])
    out += np.bincount(local, minlength=len(out))


def _entries(values: Array, plain: int, width: int) -> Array:
    """Return what each column is multiplied by, (n, width): the entries or their magnitudes."""
    entries = values.astype(np.float64)[:, None]
    by_column: Array = np.where(np.arange(width) < plain, entries, np.abs(entries))
    return by_column


def _spans(hub_ptr: Array, slice_ptr: Array) -> Iterator[tuple[int, int, int]]:
    """Return first, last and stride of each row: hubs in one piece, the others in slices."""
    for first, last in pairwise(hub_ptr):
        yield first, last, 1
    for first, last in pairwise(slice_ptr):
        for lane in range(SLICE):
            yield first + lane, last, SLICE


def _refuse_overlap(written: Array, *others: Array) -> None:
    if any(np.may_share_memory(written, other) for other in others):
        raise ValueError("what is written shares memory with what is read")
