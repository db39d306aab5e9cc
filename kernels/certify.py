"""The certificate pass: one read of A that bounds, for every product, what any economy within the
declared uncertainty can be out of balance by, rounding included.

For row i with K entries, machine spacing eps = 2**-52 and entries known to a relative delta,

    s = (A x)_i     m = (|A| |x|)_i     q = (|A| w)_i          as computed
    k = min(K, 128) + ceil(K / 128)                            the longest chain of additions
    e = ((k+4) eps + delta (1+4eps)) (1+4eps) / (1 - (k+4) eps)          E = m e (1+4eps) + lost
    r_upper = up(up(up(f_upper + s) - x) + E)       r_lower = dn(dn(dn(f_lower + s) - x) - E)
    slack   = dn(w - (q (1+e) (1+4eps) + lost))     reach   = up(q (1+e) (1+4eps) + lost)
    up(a) = a + |a| 2eps + tiny                     dn(a) = a - |a| 2eps - tiny

so that the exact residual of every A' in [A (1-delta), A (1+delta)] and f' in [f_lower, f_upper]
lies in [r_lower, r_upper], ``w - |A'| w >= slack`` and ``|A'| w <= reach``: directed rounding modes
are not needed. ``tiny`` covers underflow, and so does ``lost``: it is tiny, and k times what each
term may lose that was held in fewer bits on the way. Sums run in chunks of 128 terms, then over the
chunks: what a hub product with 10,000 users loses to rounding is 200 steps, not 10,000. (k+4) eps /
(1 - (k+4) eps) is twice Wilkinson's bound for sums of that depth: Higham (2002), Accuracy and
Stability of Numerical Algorithms, ch. 4.
"""

import numpy as np

from ogas.kernels.jit import csr_kernel, kernel

EPSILON = 2.0**-52
TINY = 1e-290
CHUNK = 128


@kernel(["float64(float64)"])
def up(a):
    """Return a number certainly not below the exact result that was rounded to ``a``."""
    return a + abs(a) * (2.0 * EPSILON) + TINY


@kernel(["float64(float64)"])
def down(a):
    """Return a number certainly not above the exact result that was rounded to ``a``."""
    return a - abs(a) * (2.0 * EPSILON) - TINY


@kernel(
    [
        "UniTuple(float64, 4)(float64, float64, float64, float64, float64, float64, float64, "
        "float64, float64, float64)"
    ]
)
def proven(s, gross, q, terms, x, w, f_lower, f_upper, delta, underflow):
    """Return ``r_lower, r_upper, slack, reach`` of one product, certainly on their side.

    ``s, gross, q`` are ``A x, |A| |x|, |A| w`` as computed, by chains of at most ``terms``
    additions. ``underflow`` is what each term may have lost besides what ``delta`` says.
    """
    rounding = (terms + 4.0) * EPSILON
    spread = 1.0 + 4.0 * EPSILON
    e = (rounding + delta * spread) * spread / (1.0 - rounding)
    lost = TINY + terms * underflow
    error = gross * e * spread + lost
    needed = q * (1.0 + e) * spread + lost
    r_upper = up(up(up(f_upper + s) - x) + error)
    r_lower = down(down(down(f_lower + s) - x) - error)
    return r_lower, r_upper, down(w - needed), up(needed)


@csr_kernel(
    "void",
    "float64[::1], float64[::1], float64[::1], float64[::1], float64, "
    "float64[::1], float64[::1], float64[::1], float64[::1], float64[::1]",
)
def certificate_pass(
    indptr,
    indices,
    data,
    x,
    w,
    f_lower,
    f_upper,
    delta,
    gross,
    r_lower,
    r_upper,
    slack,
    reach,
):
    """Write ``gross = |A| |x|`` and the proven ``r_lower, r_upper, slack, reach`` of every row.

    Reads 12 bytes per nonzero with int32 indices (plus the gathers of x and w) and 40 per row,
    writes 40 per row.
    """
    for i in range(np.uint64(len(indptr) - 1)):
        first, last = np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])
        s, m, q = 0.0, 0.0, 0.0
        chunks = (last - first + np.uint64(CHUNK - 1)) // np.uint64(CHUNK)
        for chunk in range(chunks):
            start = first + np.uint64(chunk) * np.uint64(CHUNK)
            part_s, part_m, part_q = 0.0, 0.0, 0.0
            for k in range(start, min(start + np.uint64(CHUNK), last)):
                flow = data[k] * x[indices[k]]
                part_s += flow
                part_m += abs(flow)
                part_q += abs(data[k]) * w[indices[k]]
            s += part_s
            m += part_m
            q += part_q
        longest = np.float64(min(last - first, np.uint64(CHUNK))) + np.float64(chunks)
        gross[i] = m
        r_lower[i], r_upper[i], slack[i], reach[i] = proven(
            s, m, q, longest, x[i], w[i], f_lower[i], f_upper[i], delta, 0.0
        )


@kernel(
    [
        "void(float64[::1], float64[::1], float64[::1], float64[::1], float64[::1], float64[::1], "
        "float64[::1], float64[::1], float64, float64, "
        "float64[::1], float64[::1], float64[::1], float64[::1])"
    ]
)
def prove_sums(
    s,
    gross,
    q,
    terms,
    x,
    w,
    f_lower,
    f_upper,
    delta,
    underflow,
    r_lower,
    r_upper,
    slack,
    reach,
):
    """Write what `certificate_pass` does, from sums that are already there.

    ``terms`` is the longest chain of additions behind each product's three sums, and ``underflow``
    what each term may have lost where it was too small for its type.
    """
    for i in range(np.uint64(len(x))):
        r_lower[i], r_upper[i], slack[i], reach[i] = proven(
            *(s[i], gross[i], q[i], terms[i], x[i], w[i], f_lower[i], f_upper[i]),
            *(delta, underflow),
        )
