"""How much of an economy crosses the boundaries of its blocks: what makes a partition good or bad.

By nonzeros it can look hopeless and by value harmless: in the world tables most entries lie outside
a country's own block, most of the flows inside.
"""

import numpy as np

from ogas.engine.balance import quantities, values
from ogas.engine.iterate import Precision, solve
from ogas.engine.table import Table, Vector


def value_share(table: Table) -> float | None:
    """Return the share of flows, ``p_i |A[i, j]| x_j``, whose ends lie in different blocks.

    Output x is the published one, else a plan to one figure, else 1; prices p are 1 where products
    share a known unit, else the published ones, else values in the first factor. None without a
    measure that is common to all products.

    Examples
    --------
    >>> from ogas.engine.table import coefficients_from
    >>> A = coefficients_from(np.array([[0.1, 0.1], [0.2, 0.0]]))
    >>> x = np.array([1.0, 2.0])
    >>> table = Table(A, np.array(["a", "b"]), units="$", blocks=np.array([0, 1]), output=x)
    >>> round(value_share(table), 12)
    0.8
    """
    price = _prices(table)
    if price is None or table.blocks is None:
        return None if price is None else 0.0
    A, x = table.coefficients, _outputs(table)
    rows = np.repeat(np.arange(len(table)), np.diff(A.indptr))
    flows = np.abs(price[rows] * A.data * x[A.indices])
    crossing = table.blocks[rows] != table.blocks[A.indices]
    return float(flows[crossing].sum() / max(flows.sum(), 1e-300))


def _outputs(table: Table) -> Vector:
    if table.output is not None:
        return table.output
    if table.demand is not None:
        proved = solve(quantities(table), precision=Precision(figures=1)).certificate
        if proved is not None:
            return proved.output
    return np.ones(len(table))


def _prices(table: Table) -> Vector | None:
    if table.price is not None:
        return table.price
    if isinstance(table.units, str) and table.units:
        return np.ones(len(table))
    if not table.factors:
        return None
    first = next(iter(table.factors))
    proved = solve(values(table, first), precision=Precision(figures=1)).certificate
    return None if proved is None else proved.output
