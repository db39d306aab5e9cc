"""An economy as it is stored: what is said of its products, and its recipes block by block.

A large table need never exist as one matrix; what can be done block by block, is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ogas.engine.block import Block, Cut, assemble
from ogas.engine.header import Header
from ogas.engine.parts import Empty
from ogas.engine.rows import Rows
from ogas.engine.streams import File, read_now
from ogas.engine.table import Table


@dataclass(frozen=True, eq=False)
class InMemory:
    """A block that is in memory; nothing has to be read."""

    block: Block
    nbytes: int = 0

    def reads(self, empty: Empty) -> tuple[Callable[[], Block], Sequence[Callable[[], None]]]:
        """Return the block."""
        return lambda: self.block, ()


@dataclass(frozen=True, eq=False)
class Source:
    """A table in blocks.

    Attributes
    ----------
    header : Header
    nonzeros : int
    sizes : tuple of int
        Products of each block.
    whole : callable
        Returns what is stored of a block by its number; to be read again, from any thread.
    files : callable or None
        Returns the parts of a block, to be read again whenever they are needed; None for a table
        that is in memory anyway.
    """

    header: Header
    nonzeros: int
    sizes: tuple[int, ...]
    whole: Callable[[int], File[Block]]
    files: Callable[[int], tuple[File[Rows], File[Rows]]] | None = None

    @staticmethod
    def of(table: Table) -> "Source":
        """Return a table in its blocks, or as one."""
        labels = np.zeros(len(table), np.int64) if table.blocks is None else table.blocks
        sizes = tuple(np.bincount(labels).tolist())
        cut = Cut(table)
        return Source(Header.of(table), table.nonzeros, sizes, lambda number: InMemory(cut(number)))

    def __len__(self) -> int:
        return len(self.header)

    def block(self, number: int) -> Block:
        """Read a block."""
        return read_now(self.whole(number))

    def blocks(self) -> Iterator[Block]:
        """Read all blocks, one after the other."""
        return map(self.block, range(len(self.sizes)))

    def table(self) -> Table:
        """Put the blocks together."""
        if len(self.sizes) == 1:
            return self.header.with_coefficients(self.block(0).own.csr())
        return self.header.with_coefficients(assemble(self.blocks(), len(self)))
