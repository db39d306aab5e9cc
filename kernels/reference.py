"""Every kernel again, slow and obvious: the specification, and a second opinion for ``verify``.

Same arguments, same results, no Numba. Sums run over a row from left to right, as in the kernels,
so that the bits agree.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

EPSILON = 2.0**-52
TINY = 1e-290
CHUNK = 128

Vector = npt.NDArray[np.float64]
Indices = npt.NDArray[Any]


def product(indptr: Indices, indices: Indices, data: Vector, x: Vector, out: Vector) -> None:
    """Write ``out = A @ x``."""
    if np.may_share_memory(out, x):
        raise ValueError("out shares memory with x")
    out[:] = _sums(indptr, data * x[indices])


def residual(
    indptr: Indices, indices: Indices, data: Vector, x: Vector, f: Vector, out: Vector
) -> None:
    """Write ``out = f + A @ x - x``."""
    if np.may_share_memory(out, x):
        raise ValueError("out shares memory with x")
    out[:] = f + _sums(indptr, data * x[indices]) - x


def jacobi(
    indptr: Indices,
    indices: Indices,
    data: Vector,
    diagonal: Vector,
    f: Vector,
    floor: float,
    leeway: float,
    x: Vector,
    w: Vector,
    x_out: Vector,
    w_out: Vector,
    turnover: Vector,
) -> tuple[float, float]:
    """Sweep from ``x, w`` into ``x_out, w_out``; see `ogas.kernels.sweep`."""
    if any(np.may_share_memory(out, given) for out in (x_out, w_out) for given in (x, w)):
        raise ValueError("an output shares memory with an input")
    imbalances = [0.0]
    for i in range(len(indptr) - 1):
        row = slice(indptr[i], indptr[i + 1])
        ratio, x_out[i], w_out[i], turnover[i] = _balanced(
            data[row], indices[row], diagonal[i], f[i], (floor, leeway), x, w, i
        )
        imbalances.append(ratio)
    return min(imbalances), max(imbalances)


def gauss_seidel(
    indptr: Indices,
    indices: Indices,
    data: Vector,
    diagonal: Vector,
    f: Vector,
    floor: float,
    leeway: float,
    order: Indices,
    x: Vector,
    w: Vector,
    turnover: Vector,
) -> tuple[float, float]:
    """Sweep ``x, w`` in place, in the given order; see `ogas.kernels.sweep`."""
    imbalances = [0.0]
    for i in order:
        row = slice(indptr[i], indptr[i + 1])
        ratio, x[i], w[i], turnover[i] = _balanced(
            data[row], indices[row], diagonal[i], f[i], (floor, leeway), x, w, i
        )
        imbalances.append(ratio)
    return min(imbalances), max(imbalances)


def certificate_pass(
    indptr: Indices,
    indices: Indices,
    data: Vector,
    x: Vector,
    w: Vector,
    f_lower: Vector,
    f_upper: Vector,
    delta: float,
    gross: Vector,
    r_lower: Vector,
    r_upper: Vector,
    slack: Vector,
    reach: Vector,
) -> None:
    """Write ``gross = |A| |x|`` and the proven bounds; see `ogas.kernels.certify`."""
    flow = data * x[indices]
    s, m = _chunked_sums(indptr, flow), _chunked_sums(indptr, np.abs(flow))
    q = _chunked_sums(indptr, np.abs(data) * w[indices])
    terms = np.diff(indptr)
    longest = np.minimum(terms, CHUNK) + -(-terms // CHUNK)
    gross[:] = m
    given = s, m, q, longest, x, w, f_lower, f_upper, delta, 0.0
    prove_sums(*given, r_lower, r_upper, slack, reach)


def prove_sums(
    s: Vector,
    gross: Vector,
    q: Vector,
    terms: Vector | Indices,
    x: Vector,
    w: Vector,
    f_lower: Vector,
    f_upper: Vector,
    delta: float,
    underflow: float,
    r_lower: Vector,
    r_upper: Vector,
    slack: Vector,
    reach: Vector,
) -> None:
    """Write the proven bounds from sums that are already there; see `ogas.kernels.certify`."""
    rounding = (terms + 4.0) * EPSILON
    spread = 1.0 + 4.0 * EPSILON
    e = (rounding + delta * spread) * spread / (1.0 - rounding)
    lost = TINY + terms * underflow
    error = gross * e * spread + lost
    needed = q * (1.0 + e) * spread + lost
    r_upper[:] = up(up(up(f_upper + s) - x) + error)
    r_lower[:] = down(down(down(f_lower + s) - x) - error)
    slack[:] = down(w - needed)
    reach[:] = up(needed)


def up(a: Any) -> Any:
    """Return numbers certainly not below the exact results that were rounded to ``a``."""
    return a + np.abs(a) * (2.0 * EPSILON) + TINY


def down(a: Any) -> Any:
    """Return numbers certainly not above the exact results that were rounded to ``a``."""
    return a - np.abs(a) * (2.0 * EPSILON) - TINY


def _sums(indptr: Indices, terms: Vector) -> Vector:
    """Sum the terms of each row, one after the other."""
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    sums = np.bincount(rows, weights=terms, minlength=len(indptr) - 1)
    return sums.astype(np.float64)  # without terms, bincount returns integers


def _chunked_sums(indptr: Indices, terms: Vector) -> Vector:
    """Sum each row in chunks of 128 terms, then the chunks."""
    counts = -(-np.diff(indptr) // CHUNK)
    chunk_pointers = np.concatenate([[0], np.cumsum(counts)])
    within = np.arange(chunk_pointers[-1]) - np.repeat(chunk_pointers[:-1], counts)
    starts = np.repeat(indptr[:-1], counts) + within * CHUNK
    return _sums(chunk_pointers, _sums(np.append(starts, indptr[-1]), terms))


def _balanced(
    entries: Vector,
    columns: Indices,
    diagonal: float,
    f: float,
    least: tuple[float, float],
    x: Vector,
    w: Vector,
    i: int,
) -> tuple[float, float, float, float]:
    """Return relative imbalance, new x, new w and turnover of row i."""
    used, turnover, needed = 0.0, abs(f), 0.0
    for entry, j in zip(entries, columns, strict=True):
        used += entry * x[j]
        turnover += abs(entry * x[j])
        needed += abs(entry) * w[j]
    floor, leeway = least
    scale = max(turnover, floor)
    imbalance = f + used - x[i]
    new_x = x[i] + imbalance / (1.0 - diagonal)
    surplus = max(scale, leeway * needed)
    new_w = w[i] + (surplus + needed - w[i]) / (1.0 - abs(diagonal))
    return imbalance / scale, new_x, new_w, turnover
