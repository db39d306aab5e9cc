"""Push: put right the few products that are out of balance and what they use, and nothing else.

With r = f + A x - x kept up to date, a product i whose ``|r_i|`` exceeds its threshold is pushed:

    x_i <- x_i + s,   r_i <- 0        with s = r_i / (1 - a_ii): its own balance is met
    r_j <- r_j + a_ji s               its suppliers j are asked for what that takes

which reads column i of A, the recipe of the product, and nothing else. Products wait their turn in
a queue, first come, first served, each at most once at a time; in which order the first of them
came is up to the caller. Where nothing is negative, the sum of all imbalances, at any prices that
leave every product a value added, shrinks with every push.

Source: Andersen, Chung and Lang (2006), FOCS, 475-486, for graphs.
"""

from ogas.kernels.jit import csr_kernel


@csr_kernel(
    "Tuple((int64, int64, int64))",
    "float64[::1], float64[::1], int64, int64, int64[::1], uint8[::1], float64[::1], float64[::1]",
)
def settle(indptr, indices, data, diagonal, threshold, most, waiting, queue, is_waiting, x, r):
    """Push in place until nobody waits, or one push more would touch over ``most`` entries of A.

    ``indptr, indices, data`` are A by columns: the CSR rows of its transpose. The first ``waiting``
    places of ``queue``, which has n, say who waits; ``is_waiting`` is 1 for them and 0 for all
    others, and is kept so. Returns how many still wait, how many pushes were made, and how many
    entries they touched.

    Per entry touched reads 12 bytes with int32 indices, and 17 more where the indices point to, of
    which it writes 8.
    """
    n = len(queue)
    head, pushes, touched = 0, 0, 0
    while waiting > 0:
        i = queue[head]
        entries = indptr[i + 1] - indptr[i]
        if touched + entries > most:
            break
        head = head + 1 if head + 1 < n else 0
        waiting -= 1
        is_waiting[i] = 0
        step = r[i] / (1.0 - diagonal[i])
        x[i] += step
        r[i] = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            if j == i:
                continue
            r[j] += data[k] * step
            if is_waiting[j] == 0 and abs(r[j]) > threshold[j]:
                is_waiting[j] = 1
                last = head + waiting
                queue[last if last < n else last - n] = j
                waiting += 1
        pushes += 1
        touched += entries
    return waiting, pushes, touched
