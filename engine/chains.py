"""How many additions stand one after the other behind each sum: what rounding can have cost."""

import numpy as np

from ogas.engine.sectors import LANES, Sectors
from ogas.engine.table import Integers, Vector
from ogas.kernels import boundary
from ogas.kernels.columns import CHUNK


def longest_chains(sectors: Sectors) -> Vector:
    """Return the longest chain behind the sums of every product's row, (n,) in the table's order.

    A product's own row, the rows that other blocks sum for it (or, for values, its column of their
    orders), and the sum of all these.
    """
    heights = np.concatenate([block.orders.row_lengths for block in sectors.blocks])
    lengths = _chain(heights)
    terms = np.empty(len(sectors))
    for number, (block, mail) in enumerate(zip(sectors.blocks, sectors.mails, strict=True)):
        outside = np.empty(len(block))
        if sectors.is_transposed:
            outside[:] = block.orders.column_lengths(len(block))
        else:
            boundary.longest(mail.rows, mail.local, lengths, outside)
        terms[sectors.span(number)] = _chain(np.diff(block.own.indptr)) + outside + 2.0
    return terms[sectors.slots]


def _chain(lengths: Integers) -> Vector:
    """Return the most additions in a chain in sums of so many terms, by any kernel.

    Lanes add ``length / 16`` terms each; plain sums run in chunks of 128, then over the chunks.
    """
    chain: Vector = np.minimum(lengths, CHUNK) + np.ceil(lengths / LANES) + 4.0
    return chain
