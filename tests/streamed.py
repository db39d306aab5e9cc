"""Tables in memory that are read as if they were on a disk; reading can be made to fail."""

import threading
from dataclasses import dataclass, field, replace

import numpy as np

from ogas.engine.rows import Rows
from ogas.engine.source import Source


@dataclass(eq=False)
class Disk:
    """What reads the parts of blocks again; ``broken`` may raise before any piece is read."""

    broken: object = lambda number, name: None
    reads: list = field(default_factory=list)
    lock: object = field(default_factory=threading.Lock)

    def source(self, table):
        source = Source.of(table)
        return replace(source, files=lambda number: self.files(source.block(number), number))

    def files(self, block, number):
        return tuple(
            Part(self, part, (number, name))
            for name, part in (("own", block.own), ("orders", block.orders))
        )


@dataclass(eq=False)
class Part:
    """A part of a block, read in pieces of 100 numbers."""

    disk: Disk
    part: Rows
    name: tuple

    @property
    def nbytes(self):
        return sum(array.nbytes for array in self.arrays)

    @property
    def arrays(self):
        return self.part.indptr, self.part.indices, self.part.data

    def reads(self, empty):
        with self.disk.lock:
            self.disk.reads.append(self.name)
        made = [empty(len(array), array.dtype) for array in self.arrays]
        pieces = [
            self.piece(array, out, slice(start, start + 100))
            for array, out in zip(self.arrays, made, strict=True)
            for start in range(0, len(array), 100)
        ]
        return lambda: Rows(self.part.shape, *made), pieces

    def piece(self, array, out, piece):
        def read():
            self.disk.broken(*self.name)
            out[piece] = array[piece]

        out.view(np.uint8)[:] = 255  # whatever was there before is nothing
        return read
