"""How many additions stand one after the other behind each sum: what rounding can have cost."""

import numpy as np
import numpy.typing as npt

from ogas.engine.mail import Mail
from ogas.engine.parts import LANES, Frame
from ogas.engine.table import Integers, Vector
from ogas.kernels import boundary
from ogas.kernels.across import CHUNK

Counts = npt.NDArray[np.uint16]
"""The longest chain behind each row of what blocks order: 4,132 where all of a block's products
take from one, see `MOST_PRODUCTS`."""


def behind_orders(frame: Frame) -> Counts:
    """Return the longest chain behind each row of what a block orders, padding included."""
    slices = _chain(np.diff(frame.slice_ptr) // LANES).astype(np.uint16)
    hubs = _chain(np.diff(frame.hub_ptr)).astype(np.uint16)
    return np.concatenate([hubs, np.repeat(slices, LANES)])


def behind_products(frame: Frame, outside: Vector) -> Vector:
    """Return the longest chain behind the sums of each product of a block.

    Its own row, the sums from outside, of which it may have so many terms, and the sum of all.
    """
    inside: Vector = _chain(np.diff(frame.own_ptr))
    return inside + outside + 2.0


def behind_messages(mail: Mail, ordered: Counts, size: int) -> Vector:
    """Return the longest chain behind what is ordered of each product, message by message."""
    outside = np.empty(size)
    boundary.longest(mail.rows, mail.local, ordered, outside)
    return outside


def _chain(lengths: Integers) -> Vector:
    """Return the most additions in a chain in sums of so many terms, by any kernel.

    Lanes add ``length / 16`` terms each; plain sums run in chunks, then over the chunks.
    """
    chain: Vector = np.minimum(lengths, CHUNK) + np.ceil(lengths / LANES) + 4.0
    return chain
