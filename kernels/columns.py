"""Sweeps and products with any number of columns side by side: scenarios, signs, price weights.

The general form of what `ogas.kernels.pair` does for one plan and its witness. A *state* is
``(b, c)``: one row per product, its numbers next to each other, so that one read of an entry of A
serves them all. The first `plain` columns are multiplied by the entries themselves, the others by
their magnitudes:

    nothing negative     x_1 .. x_K  w                          plain = K + 1 = c
    negative somewhere   x_1 .. x_K  w  |  w  |x_1| .. |x_K|    plain = K + 1

so that a row's sums are used_k = sum a x_k, sum a w, needed = sum |a| w, gross_k = sum |a x_k|.
A state may be held in float32; sums are in float64.

Rows are summed in chunks of 32 terms, then over the chunks (`ogas.kernels.across`): the same bits
everywhere. Matrices are those of `ogas.kernels.pair`: CSR with 16-bit columns for a block's own
part, slices of 16 rows for what it orders (`ogas.kernels.slices`).
"""

import numpy as np

from ogas.kernels.across import column_of_columns, row_of_columns
from ogas.kernels.arrays import overlap
from ogas.kernels.jit import kernel

LANES = 16

_FORMS = ("float32[::1]", "float64[::1]")
# Entries and state: each in float32, or the entries alone, or neither.
_STATES = (
    ("float32[::1]", "float32[:, ::1]"),
    ("float32[::1]", "float64[:, ::1]"),
    ("float64[::1]", "float64[:, ::1]"),
)
_ROWS = "int64[::1], uint16[::1], {}"
_SLICES = "int64[::1], int64[::1], uint16[::1], {}"


@kernel(
    [
        f"void(uint16[::1], {values}, {state}, float64[::1], uint64, uint64, uint64, uint64)"
        for values, state in _STATES
    ]
)
def add_row(columns, values, state, total, first, last, stride, plain):
    """Write ``total[c] = sum_k a_k state[j_k, c]`` over one row, from column ``plain`` on |a_k|.

    The row lies at ``first``, ``first + stride``, and so on before ``last``. ``total`` is as long
    as a row of ``state``.
    """
    row_of_columns(columns, values, state, total, first, last, stride, plain)


@kernel(
    [
        f"void(uint16[::1], {values}, float64[::1], float64[:, ::1], uint64, uint64, uint64, "
        "uint64)"
        for values in _FORMS
    ]
)
def add_column(columns, values, worth, out, first, last, stride, plain):
    """Add ``a_k worth[c]`` to ``out[j_k, c]`` for all of one row, from column ``plain`` on |a_k|.

    What `add_row` is to a product, this is to a product with the transpose.
    """
    column_of_columns(columns, values, worth, out, first, last, stride, plain)


@kernel([f"void({_ROWS.format(v)}, uint64, {state}, float64[:, ::1])" for v, state in _STATES])
def sums_columns(indptr, columns, values, plain, state, out):
    """Write ``out = [A | |A|] @ state`` for a block's own part; nothing is updated.

    Reads 6 bytes per nonzero with float32 entries (10 with float64), and the gathers of ``state``.
    ``out`` must not share memory with ``state``: raises ValueError.
    """
    if overlap(out, state):
        raise ValueError("out shares memory with what is read")
    for i in range(np.uint64(len(indptr) - 1)):
        first, last = np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])
        add_row(columns, values, state, out[i], first, last, np.uint64(1), plain)


@kernel(
    [
        f"void({_SLICES.format(values)}, uint64, {state}, float64[:, ::1], "
        "uint64, float64[:, ::1], float64[:, ::1])"
        for values, state in _STATES
    ]
)
def cross(hub_ptr, slice_ptr, columns, values, up_plain, up, up_out, down_plain, down, down_out):
    """Write ``up_out = E @ up`` and add ``E.T @ down`` to ``down_out``, in one read of E.

    ``up`` (b, c) and ``down_out`` (b, d) belong to the block's products; ``up_out`` (rows, c) and
    ``down`` (rows, d) to the products it takes from others, padded to whole slices; what ``down``
    holds there must be finite. Either side may have no columns. The columns from ``up_plain`` and
    ``down_plain`` on are multiplied by magnitudes. Reads 6 bytes per nonzero with float32 entries,
    10 with float64. What is written must share no memory with the rest: raises ValueError.
    """
    if overlap(up_out, up) or overlap(up_out, down):
        raise ValueError("up_out shares memory with what is read")
    if overlap(down_out, up) or overlap(down_out, down) or overlap(down_out, up_out):
        raise ValueError("down_out shares memory with what is read or written")
    hubs, lanes = np.uint64(len(hub_ptr) - 1), np.uint64(LANES)
    for row in range(hubs + lanes * np.uint64(len(slice_ptr) - 1)):
        if row < hubs:
            first, last = np.uint64(hub_ptr[row]), np.uint64(hub_ptr[row + np.uint64(1)])
            stride = np.uint64(1)
        else:
            inside = row - hubs
            number = inside // lanes
            first = np.uint64(slice_ptr[number]) + inside % lanes
            last, stride = np.uint64(slice_ptr[number + np.uint64(1)]), lanes
        if up.shape[1] > 0:
            add_row(columns, values, up, up_out[row], first, last, stride, up_plain)
        if down.shape[1] > 0:
            add_column(columns, values, down[row], down_out, first, last, stride, down_plain)


@kernel(
    [
        f"Tuple((float64, float64, float64))({_ROWS.format(values)}, int32[::1], float64[::1], "
        f"float64[:, ::1], float64[:, ::1], uint64, {state}, float64[::1], float64, "
        "float64, float64[::1], float64[:, ::1], float64[::1])"
        for values, state in _STATES
    ]
)
def sweep_columns(
    indptr,
    columns,
    values,
    order,
    diagonal,
    demand,
    given,
    plain,
    state,
    rate,
    floor,
    leeway,
    weights,
    weighed,
    turnovers,
):
    """Set right the balances of a block's products in turn, for K plans and one witness.

        x_k <- x_k + (f_k + given_k + used_k - x_k) / (1 - a_ii)
        t    = max(max over k of rate_k t_k, floor)
        w   <- w + (max(t, leeway needed) + needed - w) / (1 - |a_ii|)

    ``t_k = |f_k| + gross_k`` is the turnover (where nothing is negative ``|f_k| + |x_k - f_k|``,
    after the update); ``rate`` (K,) makes the plans comparable. ``given`` has the columns of
    ``state``: what the other blocks order. Where ``weights`` (b,) is not empty, ``A.T @
    weights`` is added to the first column of ``weighed`` in the same read, ``|A|.T @ weights`` to
    the second if there is one. ``turnovers`` (b,) takes t. Reads 6 bytes per nonzero with float32
    entries (10 with float64), the gathers of ``state``, and 28 + 8 (K + c) per row; writes 8 (1 +
    c) per row. ``state`` must not share memory with ``given``, ``demand`` or ``diagonal``, nor
    ``weighed`` with ``state`` or ``weights``: raises ValueError.

    Returns the least and largest imbalance relative to turnover, and the largest ``w / t``. Says
    nothing about numbers that are not finite: look at the sums of ``state``.
    """
    if overlap(state, given) or overlap(state, demand) or overlap(state, diagonal):
        raise ValueError("state shares memory with what is read")
    if overlap(weighed, state) or overlap(weighed, weights):
        raise ValueError("weighed shares memory with what is read")
    plans, width = np.uint64(demand.shape[1]), np.uint64(state.shape[1])
    is_mixed = width > plain
    total = np.empty(state.shape[1])
    worth = np.empty(weighed.shape[1])
    least, largest, depth = 0.0, 0.0, 1.0
    for step in range(np.uint64(len(order))):
        i = np.uint64(order[step])
        first, last = np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])
        add_row(columns, values, state, total, first, last, np.uint64(1), plain)
        turnover = floor
        for k in range(plans):
            f, x = demand[i, k], np.float64(state[i, k])
            imbalance = f + given[i, k] + total[k] - x
            new = x + imbalance / (1.0 - diagonal[i])
            state[i, k] = new
            if is_mixed:
                gross = plain + np.uint64(1) + k
                t = abs(f) + given[i, gross] + total[gross]
                state[i, gross] = abs(new)
            else:
                t = abs(f) + abs(new - f)
            t *= rate[k]
            ratio = imbalance * rate[k] / max(t, floor)
            least, largest = min(least, ratio), max(largest, ratio)
            turnover = max(turnover, t)
        needs = plain if is_mixed else plans
        needed = given[i, needs] + total[needs]
        w = np.float64(state[i, needs])
        surplus = max(turnover, leeway * needed)
        w += (surplus + needed - w) / (1.0 - abs(diagonal[i]))
        state[i, plans] = w
        state[i, needs] = w
        depth = max(depth, w / turnover)
        turnovers[i] = turnover
        if len(weights) > 0:
            worth[:] = weights[i]
            add_column(columns, values, worth, weighed, first, last, np.uint64(1), np.uint64(1))
    return least, largest, depth
