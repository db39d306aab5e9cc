"""One product's balance set right, given the sums over its row; what every sweep of a block does.

With ``used`` = f + what other blocks order + sum_j a_ij x_j, and ``needed`` the like sum of w:

    x_i <- x_i + (used - x_i) / (1 - a_ii)
    t_i  = max(|f_i| + |x_i - f_i|, floor)                       (turnover, of the new x_i)
    w_i <- w_i + (max(t_i, leeway needed) + needed - w_i) / (1 - a_ii)

For a_ij >= 0. Comparisons are written so that NaN passes through them.
"""

from ogas.kernels.jit import kernel


@kernel(["UniTuple(float64, 3)(float64, float64, float64, float64, float64)"])
def settled(used, demand, diagonal, floor, x):
    """Return the new output, its turnover and the imbalance that was found, over turnover."""
    imbalance = used - x
    output = x + imbalance / (1.0 - diagonal)
    turnover = abs(demand) + abs(output - demand)
    if turnover < floor:
        turnover = floor
    return output, turnover, imbalance / turnover


@kernel(["float64(float64, float64, float64, float64, float64)"])
def witnessed(needed, turnover, diagonal, leeway, w):
    """Return the new witness."""
    surplus = leeway * needed
    if surplus < turnover:
        surplus = turnover
    return w + (surplus + needed - w) / (1.0 - diagonal)
