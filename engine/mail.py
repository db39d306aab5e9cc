"""Who sends what to whom: the routes of everything that crosses the boundaries of blocks.

Each block has one outbox, with a row for every product it takes from others. Going up, a row is an
order, and goes to the block that makes the product; coming down, it is filled with what the product
is worth. The routes are found once, when a table is loaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ogas.engine.table import Integers


@dataclass(frozen=True, eq=False)
class Mail:
    """The routes of one block.

    Attributes
    ----------
    outbox : slice
        Its rows among those of all blocks, padding included.
    ext : (e,) int64
        The slot of the product that each row of the outbox is about.
    partners : (k,) int64
        The blocks that make these products.
    owners : (e,) int32
        For each row, the place of its maker among the partners.
    rows : (r,) int64
        The rows, of all outboxes, with orders for this block.
    local : (r,) int32
        Which of the block's products each of them is for.
    sources : (s,) int64
        The blocks that sent them, ascending; ``sources[i]`` those from ``bounds[i]`` to
        ``bounds[i + 1]``.
    bounds : (s + 1,) int64
    """

    outbox: slice
    ext: Integers
    partners: Integers
    owners: npt.NDArray[np.int32]
    rows: Integers
    local: npt.NDArray[np.int32]
    sources: Integers
    bounds: Integers


def routes(
    ext: Sequence[Integers], heights: Sequence[int], bounds: Integers, owners: npt.NDArray[np.int32]
) -> tuple[Mail, ...]:
    """Return the mail of every block.

    Parameters
    ----------
    ext : slots of the products that each block takes from others
    heights : rows of each outbox, padding included
    bounds : (m + 1,) the slots of the blocks
    owners : (n,) the block of every slot
    """
    m = len(ext)
    starts = np.concatenate([[0], np.cumsum(heights)]).astype(np.int64)
    slots = np.concatenate(ext)
    makers = owners[slots]
    rows = np.concatenate(
        [start + np.arange(len(part)) for start, part in zip(starts[:-1], ext, strict=True)]
    ).astype(np.int64)
    # Narrow keys are sorted by counting, several times faster.
    order = np.argsort(makers.astype(np.uint16) if m <= 2**16 else makers, kind="stable")
    rows, slots = rows[order], slots[order]
    ends = np.concatenate([[0], np.cumsum(np.bincount(makers, minlength=m))])
    found = []
    for number, part in enumerate(ext):
        mine = rows[ends[number] : ends[number + 1]]
        edges = np.searchsorted(mine, starts)
        sources = np.flatnonzero(np.diff(edges))
        partners, places = _distinct(owners[part], m)
        found.append(
            Mail(
                outbox=slice(int(starts[number]), int(starts[number + 1])),
                ext=part,
                partners=partners,
                owners=places,
                rows=np.ascontiguousarray(mine),
                local=(slots[ends[number] : ends[number + 1]] - bounds[number]).astype(np.int32),
                sources=sources.astype(np.int64),
                bounds=np.append(edges[sources], len(mine)).astype(np.int64),
            )
        )
    return tuple(found)


def _distinct(numbers: npt.NDArray[np.int32], count: int) -> tuple[Integers, npt.NDArray[np.int32]]:
    """Return the distinct numbers, all below ``count``, and the place of each among them."""
    present = np.bincount(numbers, minlength=count) > 0
    return np.flatnonzero(present), (np.cumsum(present) - 1).astype(np.int32)[numbers]
