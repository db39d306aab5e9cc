"""Checkpoints: the vectors of every block, so that a new coordinator goes on where the old one was.

    checkpoints/
        manifest.json                   which slot is complete, the digest of every part, facts
        0/part-3-<digest>.npz           the vectors of block 3
        1/                              the next checkpoint is written here, then the manifest

Two slots take turns, and only the manifest says which one counts; it is replaced in one step when
all parts of the other slot are on the disk. A kill or a full disk at any moment leaves the previous
checkpoint as it was. Parts are named by their content, so the late part of a worker that was given
up never takes the place of one that the manifest names.

Workers write and read parts; the holder of the lease begins and completes.
"""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ogas.cluster.jobs.files import read_record, replace_record
from ogas.cluster.jobs.lease import Lease
from ogas.datasets.atomic import PREFIX, fsync_path, said_plainly
from ogas.engine.errors import DamagedError

Array = npt.NDArray[Any]

ADVICE = "delete the folder checkpoints of this job; it then begins anew"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def write_part(folder: Path, number: int, arrays: Mapping[str, Array]) -> str:
    """Write the vectors of one block; when this returns, they survive a power cut.

    Writes the bytes once and reads them back once for the digest, from memory.

    Parameters
    ----------
    folder : Path
        As `Checkpoints.begin` returned it.
    number : int
        Of the block.
    arrays : mapping of name to array
        Numbers of any shape; names that are Python names, and not ``file``.

    Returns
    -------
    str
        The SHA-256 of the file, for `Checkpoints.complete`.

    Raises
    ------
    DamagedError
        If the disk is full; nothing is left of the part then.
    """
    temporary = folder / f"{PREFIX}part-{number}-{secrets.token_hex(4)}"
    try:
        with said_plainly(folder):
            with temporary.open("wb") as stream:
                np.savez(stream, allow_pickle=False, **arrays)
            fsync_path(temporary)
            with temporary.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            os.replace(temporary, _part(folder, number, digest))
            fsync_path(folder)
    finally:
        with suppress(OSError):
            temporary.unlink()
    return digest


def read_part(folder: Path, number: int, digest: str) -> dict[str, Array]:
    """Read the vectors of one block, proved before they are looked at.

    Raises
    ------
    DamagedError
        If the part is missing, or is not what was written.
    """
    file = _part(folder, number, digest)
    try:
        with file.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
                raise DamagedError(
                    f"the part of block {number} was altered", where=str(file), advice=ADVICE
                )
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise _missing(file, number) from error


@dataclass(frozen=True)
class Checkpoint:
    """The vectors of every block at one moment, complete and on the disk.

    Attributes
    ----------
    slot : int
        0 or 1.
    folder : Path
        Where the parts are.
    digests : mapping of block number to str
    facts : mapping
        What the coordinator wrote down with it; JSON types.
    """

    slot: int
    folder: Path
    digests: Mapping[int, str]
    facts: Mapping[str, Any]

    def read_part(self, number: int) -> dict[str, Array]:
        """Read the vectors of one block; see the function `read_part`."""
        return read_part(self.folder, number, self.digests[number])


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one job.

    Attributes
    ----------
    path : Path
        The job's directory.

    Examples
    --------
    >>> from ogas.cluster.jobs.lease import take
    >>> lease = take(Path("."), "host:1", "", is_dead=lambda owner: False)
    >>> checkpoints = Checkpoints(Path("."))
    >>> slot, folder = checkpoints.begin(lease)
    >>> digest = write_part(folder, 0, {"output": np.array([1.5, 2.5])})
    >>> checkpoints.complete(lease, slot, {0: digest}, {"round": 7})
    >>> found = checkpoints.latest()
    >>> found.facts["round"], found.read_part(0)["output"].tolist()
    (7, [1.5, 2.5])
    """

    path: Path

    def begin(self, lease: Lease) -> tuple[int, Path]:
        """Empty the slot that does not count, and return its number and folder.

        Raises
        ------
        LostLeaseError
            If the lease is lost; the slot may be another coordinator's now, and is left alone.
        DamagedError
            If the manifest is damaged.
        """
        with lease.while_held():
            latest = self.latest()
            slot = 0 if latest is None else 1 - latest.slot
            folder = self._slot(slot)
            with said_plainly(folder):
                if folder.exists():
                    shutil.rmtree(folder)
                folder.mkdir(parents=True)
                fsync_path(folder.parent)
                fsync_path(self.path)
        return slot, folder

    def complete(
        self, lease: Lease, slot: int, digests: Mapping[int, str], facts: Mapping[str, Any]
    ) -> None:
        """Make a slot the checkpoint that counts, once every part of it was written.

        Parameters
        ----------
        lease : Lease
        slot : int
            As `begin` returned it.
        digests : mapping of block number to str
            As `write_part` returned them, for every block.
        facts : mapping
            What a new coordinator has to know: the round, say. JSON types.

        Raises
        ------
        LostLeaseError
            If the lease is lost; the checkpoint before still counts.
        DamagedError
            If a part is missing or the disk is full; the checkpoint before still counts.
        """
        found = {
            "slot": slot,
            "parts": {str(number): digest for number, digest in digests.items()},
            "facts": facts,
        }
        with lease.while_held():
            for number, digest in digests.items():
                file = _part(self._slot(slot), number, digest)
                if not file.exists():
                    raise _missing(file, number)
            replace_record(self._manifest, found)

    def latest(self) -> Checkpoint | None:
        """Return the checkpoint that counts; None before the first.

        Raises
        ------
        DamagedError
            If the manifest is damaged.
        """
        if not self._manifest.exists():
            return None
        found = read_record(self._manifest, advice=ADVICE)
        try:
            slot, facts = found["slot"], dict(found["facts"])
            digests = {int(number): digest for number, digest in found["parts"].items()}
            if slot not in (0, 1) or not all(map(_DIGEST.fullmatch, digests.values())):
                raise ValueError("no such slot or digest")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DamagedError(
                f"altered ({type(error).__name__}: {error})",
                where=str(self._manifest),
                advice=ADVICE,
            ) from error
        return Checkpoint(slot, self._slot(slot), digests, facts)

    @property
    def _manifest(self) -> Path:
        return self.path / "checkpoints" / "manifest.json"

    def _slot(self, slot: int) -> Path:
        return self.path / "checkpoints" / str(slot)


def _part(folder: Path, number: int, digest: str) -> Path:
    return folder / f"part-{number}-{digest[:16]}.npz"


def _missing(file: Path, number: int) -> DamagedError:
    return DamagedError(f"the part of block {number} is missing", where=str(file), advice=ADVICE)
