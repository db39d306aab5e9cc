"""How many additions stand one after the other behind each sum: what rounding can have cost."""

import numpy as np
import numpy.typing as npt

from ogas.engine.mail import Mail
from ogas.engine.sectors import LANES, Orders, Sector
from ogas.engine.table import Integers, Vector
from ogas.kernels import boundary
from ogas.kernels.across import CHUNK


def behind_orders(orders: Orders) -> Vector:
    """Return the longest chain behind each row of what a block orders, padding included."""
    slices = _chain(np.diff(orders.slice_ptr) // LANES)
    return np.concatenate([_chain(np.diff(orders.hub_ptr)), np.repeat(slices, LANES)])


def behind_products(sector: Sector, mail: Mail, ordered: npt.NDArray[np.float32] | None) -> Vector:
    """Return the longest chain behind the sums of each product of a block.

    Its own row, the rows that other blocks sum for it, and the sum of all these. ``ordered`` has
    the chains behind the rows of all blocks' orders; None for values, where a product's column of
    the block's own orders is summed instead.
    """
    outside = np.empty(len(sector))
    if ordered is None:
        outside[:] = sector.orders.column_lengths(len(sector))
    else:
        boundary.longest(mail.rows, mail.local, ordered, outside)
    inside: Vector = _chain(np.diff(sector.own.indptr))
    return inside + outside + 2.0


def _chain(lengths: Integers) -> Vector:
    """Return the most additions in a chain in sums of so many terms, by any kernel.

    Lanes add ``length / 16`` terms each; plain sums run in chunks, then over the chunks.
    """
    chain: Vector = np.minimum(lengths, CHUNK) + np.ceil(lengths / LANES) + 4.0
    return chain
