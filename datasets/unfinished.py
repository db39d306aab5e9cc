"""Work that is not finished: what a generation has on the disk before there is a table.

    TABLE/unfinished/
        making.json     what is being made
        000017.npz      block 17 is written: its entry, and its share of demand and factor

A block is forced to the disk before its record is, so whatever ends the work, the blocks on record
are whole; that is proven again before they are used. Who makes the same goes on from there; who
makes something else begins anew. Readers look for the pointer of a table, never here.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ogas.datasets.arrays import damage_named
from ogas.datasets.atomic import atomic_file, write_text
from ogas.datasets.manifest import read_manifest
from ogas.datasets.stored_block import BlockEntry, StoredBlock
from ogas.engine.errors import DamagedError
from ogas.engine.streams import read_now
from ogas.engine.table import Vector

UNFINISHED = "unfinished"


@dataclass(frozen=True, eq=False)
class Finished:
    """A block that is written, and its share of the vectors: demand and factor, (b,) each."""

    entry: BlockEntry
    demand: Vector
    factor: Vector


@dataclass(frozen=True)
class Unfinished:
    """The work on one table; its lock is held.

    Attributes
    ----------
    path : Path
        The table directory.
    making : mapping
        All that the blocks depend on, JSON types only, among it ``recipe``, ``options`` (of the
        command) and ``blocks`` (how many).
    """

    path: Path
    making: Mapping[str, Any]

    @property
    def done(self) -> int:
        """How many blocks of this, and nothing else, are on record."""
        return _records(self.path) if _making(self.path) == self.making else 0

    def begin(self) -> None:
        """Go on with what is there, or clear it away if it belongs to something else."""
        if _making(self.path) == self.making:
            return
        self.end()
        used = _used(self.path)
        for folder in (self.path / "blocks").glob("*"):
            if folder.name not in used:
                shutil.rmtree(folder)
        write_text(self.path / UNFINISHED / "making.json", json.dumps(self.making) + "\n")

    def record(self, number: int, block: Finished) -> None:
        """Put on record that a block is written."""
        entry = np.array(json.dumps(asdict(block.entry)))
        with atomic_file(self._file(number)) as temporary, open(temporary, "wb") as file:
            np.savez(file, entry=entry, demand=block.demand, factor=block.factor)

    def recorded(self, number: int) -> Finished | None:
        """Return a block that is on record, proven to be whole; None if it must be made."""
        file = self._file(number)
        try:
            with damage_named(file), open(file, "rb") as source:
                found = np.load(source, allow_pickle=False)
                entry = BlockEntry(**json.loads(str(found["entry"])))
                block = Finished(entry, found["demand"], found["factor"])
            read_now(StoredBlock(self.path, entry))
        except DamagedError:
            return None
        return block

    def end(self) -> None:
        """Forget what is on record: the table exists, or something else is made."""
        shutil.rmtree(self.path / UNFINISHED, ignore_errors=True)

    def _file(self, number: int) -> Path:
        return self.path / UNFINISHED / f"{number:06d}.npz"


def standing(path: Path) -> tuple[str, str] | None:
    """Return how far the work in a directory is and the command that goes on; None if none is."""
    making = _making(path)
    if making is None:
        return None
    command = " ".join(["ogas generate", making["recipe"], str(path), *making["options"]])
    return f"{_records(path):,} of {making['blocks']:,} blocks are drawn", command


def _making(path: Path) -> dict[str, Any] | None:
    file = path / UNFINISHED / "making.json"
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, ValueError):
        return None


def _records(path: Path) -> int:
    return len(list((path / UNFINISHED).glob("*.npz")))


def _used(path: Path) -> set[str]:
    """Return the names of the blocks that some version of the table has."""
    versions = (read_manifest(path, file.stem) for file in (path / "versions").glob("*.json"))
    return {entry.digest for version in versions for entry in version.content.blocks}
