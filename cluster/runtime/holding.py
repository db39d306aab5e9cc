"""What a worker holds for a job: its blocks, ready to be swept, from one epoch to the next.

    Assignment  ──load──▶  Held: sectors read from the table, tied to those of the other workers
    step by name ──take──▶  answers of its blocks

Nothing here knows Dask: the messages go through a post that is handed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ogas.cluster.jobs.checkpoint import write_part
from ogas.datasets.store import Store, open_store
from ogas.engine.choose import layout_of, usable
from ogas.engine.errors import DamagedError, PlanError
from ogas.engine.layout import Layout
from ogas.engine.mail import Holding, Post
from ogas.engine.sectors import Facts, Form, Reading, Sector, arrange
from ogas.engine.share import Share
from ogas.engine.streams import Streamed
from ogas.engine.table import Integers


@dataclass(frozen=True)
class Shape:
    """Which table a job is about, and the form its blocks are held in.

    Attributes
    ----------
    path : str
    version : int
    digest : str
    is_transposed, narrow : bool
        See `ogas.engine.sectors.Form`.
    load : int
        How often the job has loaded a table: states of one run are of no use to another.
    """

    path: str
    version: int
    digest: str
    is_transposed: bool
    narrow: bool
    load: int = 1

    def open(self) -> Store:
        """Open the table.

        Raises
        ------
        DamagedError
            If it is another one than the coordinator's.
        """
        store = open_store(Path(self.path), self.version)
        if store.digest != self.digest:
            raise DamagedError(
                f"version {self.version} of this table is another one here than for the "
                "coordinator",
                where=self.path,
                advice="keep the table where all workers see the same files",
            )
        return store


@dataclass(frozen=True)
class Assignment:
    """Who holds which blocks in an epoch.

    Attributes
    ----------
    job : str
    epoch : int
    shape : Shape
    owners : tuple of str
        The address of every stored block's worker.
    streamed : tuple of int
        Stored blocks that are read again for every pass.
    """

    job: str
    epoch: int
    shape: Shape
    owners: tuple[str, ...]
    streamed: tuple[int, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The workers, in the order of the numbers of their shares."""
        return tuple(sorted(set(self.owners)))


@dataclass(frozen=True)
class Loaded:
    """What a worker says of a stored block once it holds it.

    Attributes
    ----------
    facts : tuple of Facts
        Of its pieces.
    is_kept : bool
        Whether it still has a state from an earlier epoch.
    """

    facts: tuple[Facts, ...]
    is_kept: bool


@dataclass(eq=False)
class Held:
    """The blocks of one worker in one epoch.

    Attributes
    ----------
    assignment : Assignment
    stored : tuple of int
        Their numbers in the table.
    layout : Layout
    share : Share
    """

    assignment: Assignment
    stored: tuple[int, ...]
    layout: Layout
    share: Share

    @staticmethod
    def load(
        assignment: Assignment, post: Post, earlier: "Held | None", me: tuple[str, int]
    ) -> "Held":
        """Read the blocks that are not held yet, and tie all to those of the other workers.

        Every worker of an epoch does so at the same time; ``me`` are the address of this one and
        how many blocks it works on at a time.
        """
        address, threads = me
        shape = assignment.shape
        if earlier is not None and earlier.assignment.shape != shape:
            earlier = None
        store = shape.open()
        labels, rank, price = (store.vector(name) for name in ("blocks", "rank", "price"))
        products = store.manifest.content.products
        layout = layout_of(products, labels, rank, is_transposed=shape.is_transposed)
        stored = tuple(k for k, owner in enumerate(assignment.owners) if owner == address)
        known = {} if earlier is None else earlier.sectors()
        streamed = frozenset(assignment.streamed)
        missing = [
            k
            for k in stored
            if not _is_at_hand(known.get(layout.pieces(k)[0]), is_streamed=k in streamed)
        ]
        form = Form(shape.is_transposed, shape.narrow, usable(price))
        pieces = [piece for k in missing for piece in layout.pieces(k)]
        reading = Reading(store.whole, store.files, streamed)
        read = arrange(reading, missing, layout, form, threads)
        known |= zip(pieces, read, strict=True)
        place = assignment.addresses.index(address)
        holding = Holding(_shares(assignment)[layout.stored], place, threads)
        sectors = [known[number] for number in holding.numbers.tolist()]
        share = Share.of(sectors, layout, holding, post, is_transposed=shape.is_transposed)
        if earlier is not None:
            share.kept = earlier.share.memory()
        return Held(assignment, stored, layout, share)

    def sectors(self) -> dict[int, Sector]:
        """Return the blocks by number."""
        return dict(zip(self.share.numbers, self.share.sectors, strict=True))

    def describe(self) -> list[Loaded]:
        """Say what is held, by stored block."""
        kept = self.share.kept
        return [
            Loaded(tuple(facts), all(number in kept for number in self.layout.pieces(stored)))
            for stored, facts in zip(
                self.stored, self._by_stored(self.share.describe()), strict=True
            )
        ]

    def take(self, step: str, arguments: Sequence[Any], each: Sequence[Any] | None) -> list[Any]:
        """Take a step; return the answers of the pieces of every stored block."""
        if step == "keep":
            return self.keep(*arguments)
        return self._by_stored(self.share.take(step, arguments, each))

    def keep(self, folder: str) -> list[dict[int, str] | str]:
        """Write the state of every block into a checkpoint; return digests, or what went wrong."""
        memory = self.share.memory()

        def write(number: int) -> dict[int, str] | str:
            try:
                return {number: write_part(Path(folder), number, {"state": memory[number]})}
            except (PlanError, OSError) as error:
                return str(error)

        return self._by_stored([write(number) for number in self.share.numbers])

    def seconds(self) -> list[tuple[int, float]]:
        """Return what the steps of every stored block have taken in this epoch."""
        taken = self._by_stored(self.share.seconds)
        return [(number, sum(parts)) for number, parts in zip(self.stored, taken, strict=True)]

    def _by_stored(self, answers: Sequence[Any]) -> list[Any]:
        rest = iter(answers)
        return [[next(rest) for _ in self.layout.pieces(number)] for number in self.stored]


def _is_at_hand(sector: Sector | None, *, is_streamed: bool) -> bool:
    """Whether a block was loaded before, and in the way that is wanted now."""
    return sector is not None and isinstance(sector.parts, Streamed) == is_streamed


def _shares(assignment: Assignment) -> Integers:
    """Return the share of every stored block."""
    place = {address: share for share, address in enumerate(assignment.addresses)}
    return np.array([place[owner] for owner in assignment.owners], dtype=np.int64)
