"""Where every product stands: the numbering of products block by block.

A block's products have neighbouring numbers (*slots*), so that its vectors are slices of the
economy's. The layout follows from labels and ranks alone; nobody needs the recipes of all blocks to
know it.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ogas.engine.errors import WrongUsageError
from ogas.engine.table import Integers, Vector

MOST_BLOCKS = 2**16  # that 16-bit numbers can name
MOST_PRODUCTS = 2**16  # that 16-bit columns can name; stored blocks with more are cut in pieces


@dataclass(frozen=True, eq=False)
class Layout:
    """The slots of all products.

    Attributes
    ----------
    bounds : (m + 1,) int64
        Block J has the slots ``bounds[J] .. bounds[J + 1]``.
    products : (n,) int64
        The position in the table's order of every slot.
    slots : (n,) int64
        The slot of every position.
    owners : (n,) int32
        The block of every slot.
    stored : (m,) int64
        The number of the stored block that each block is, or is a piece of.
    """

    bounds: Integers
    products: Integers
    slots: Integers
    owners: npt.NDArray[np.int32]
    stored: Integers

    @staticmethod
    def of(labels: Integers, rank: Vector | None = None, most: int = MOST_PRODUCTS) -> "Layout":
        """Return the layout of a table.

        Parameters
        ----------
        labels : (n,) int64
            The stored block of every product.
        rank : (n,) float64, optional
            Products of a block are put in this order, the least first; else in the table's.
        most : int
            Products of a block; stored blocks with more are cut.

        Examples
        --------
        >>> found = Layout.of(np.array([0, 1, 0, 0]), np.array([3.0, 0.0, 1.0, 2.0]), most=2)
        >>> found.products.tolist(), found.bounds.tolist(), found.stored.tolist()
        ([2, 0, 3, 1], [0, 2, 3, 4], [0, 0, 1])
        """
        products = np.argsort(labels, kind="stable").astype(np.int64)
        bounds, stored = _cuts(np.bincount(labels), most)
        if len(stored) > MOST_BLOCKS:
            raise WrongUsageError(
                f"{len(stored):,} blocks are more than {MOST_BLOCKS:,}",
                advice="import the table again with larger blocks",
            )
        if rank is not None:
            for start, end in pairwise(bounds):
                part = products[start:end]
                products[start:end] = part[np.argsort(rank[part], kind="stable")]
        slots = np.empty_like(products)
        slots[products] = np.arange(len(products))
        owners = np.repeat(np.arange(len(stored), dtype=np.int32), np.diff(bounds))
        return Layout(bounds, products, slots, owners, stored)

    def __len__(self) -> int:
        return len(self.products)

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return len(self.stored)

    def span(self, number: int) -> slice:
        """Return the slots of one block."""
        return slice(int(self.bounds[number]), int(self.bounds[number + 1]))

    def products_of(self, number: int) -> Integers:
        """Return the positions of one block's products, in the order of their slots."""
        return self.products[self.span(number)]

    def pieces(self, stored: int) -> range:
        """Return the numbers of the blocks that a stored block is cut into; they are neighbours."""
        first, last = np.searchsorted(self.stored, [stored, stored + 1])
        return range(int(first), int(last))


def _cuts(sizes: Integers, most: int) -> tuple[Integers, Integers]:
    """Return the bounds of all blocks, none of more than ``most`` products, and where from."""
    pieces = np.maximum(-(-sizes // most), 1)
    stored = np.repeat(np.arange(len(sizes)), pieces)
    first = np.cumsum(pieces) - pieces
    within = most * (np.arange(len(stored)) - first[stored])
    starts = (np.cumsum(sizes) - sizes)[stored] + within
    return np.append(starts, sizes.sum()).astype(np.int64), stored
