"""The table store: a directory in which every version of a table stays readable.

    TABLE/
        CURRENT          which version is the current one; the only file ever replaced
        versions/        one manifest per version
        blocks/          recipes, one immutable Zarr group per block, named by its content
        vectors/         demand, factors, labels ...: the same, one group each
        lock             held while publishing; readers need no lock

Publishing writes what is not there yet, then the manifest, then the pointer, each forced to the
disk before the next. A night that changes five recipes writes one block and one manifest; a kill at
any moment leaves the old version current.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ogas.datasets.arrays import Array, fetch, kind_of, place
from ogas.datasets.manifest import (
    ArrayEntry,
    Content,
    Manifest,
    Pointer,
    check_meta,
    read_manifest,
    read_pointer,
    write_manifest,
    write_pointer,
)
from ogas.datasets.publishing import publishing
from ogas.datasets.stored_block import (
    BlockEntry,
    StoredBlock,
    StoredPart,
    stored_parts,
    write_block,
)
from ogas.datasets.unfinished import standing
from ogas.engine.block import Block, Cut, assemble
from ogas.engine.errors import DamagedError, InvalidInputError, WrongUsageError
from ogas.engine.header import Header
from ogas.engine.source import Source
from ogas.engine.streams import read_now
from ogas.engine.table import Table

# Building one CSR from several blocks takes 27 bytes a nonzero more than the result, measured; from
# one block, 8.
ASSEMBLY_BYTES = 32


@dataclass(frozen=True)
class Store:
    """One version of a stored table; make it with `open_store`.

    It stays at its version whatever is published meanwhile.

    Attributes
    ----------
    path : Path
        The table directory.
    manifest : Manifest
        Sizes, digests, units and meta data; no array has been read.
    plan : str or None
        The plan that belongs to the current version; None if this is an older one.
    """

    path: Path
    manifest: Manifest
    plan: str | None = None

    @property
    def version(self) -> int:
        """The number of this version."""
        return self.manifest.number

    @property
    def digest(self) -> str:
        """The digest of the table; the same wherever the same table is stored."""
        return self.manifest.content.digest

    @property
    def loaded_bytes(self) -> int:
        """Memory that the loaded table takes: 12 bytes a nonzero, and its vectors."""
        content = self.manifest.content
        vectors = (*content.arrays.values(), *content.factors.values())
        return (
            12 * content.nonzeros
            + 8 * (content.products + 1)
            + sum(entry.bytes for entry in vectors)
        )

    @property
    def loading_bytes(self) -> int:
        """Most memory that `load` takes while it works; more than what remains afterwards."""
        content = self.manifest.content
        one = len(content.blocks) == 1
        return self.loaded_bytes + (12 if one else ASSEMBLY_BYTES) * content.nonzeros

    def versions(self) -> list[Manifest]:
        """Return the manifests of all versions, the oldest first."""
        return [read_manifest(self.path, name) for name in _names(self.path)]

    def load(self, version: int | None = None) -> Table:
        """Read the whole table (of another version, if its number is given) and prove it.

        Raises
        ------
        DamagedError
            If anything it is made of is missing, truncated or altered.
        """
        if version not in (None, self.version):
            return open_store(self.path, version).load()
        header = self.header()
        if header.blocks is None:
            return header.with_coefficients(self.block(0).own.csr())
        return header.with_coefficients(assemble(self.blocks(), len(header.ids)))

    def whole(self, number: int) -> StoredBlock:
        """Return what is stored of a block, to be read and proved."""
        return StoredBlock(self.path, self.manifest.content.blocks[number])

    def block(self, number: int) -> Block:
        """Read one block."""
        return read_now(self.whole(number))

    def files(self, number: int) -> tuple[StoredPart, StoredPart]:
        """Return the own part and the orders of a block, to be read again."""
        return stored_parts(self.path, self.manifest.content.blocks[number])

    def blocks(self) -> Iterator[Block]:
        """Read the blocks one after the other."""
        for entry in self.manifest.content.blocks:
            yield read_now(StoredBlock(self.path, entry))

    def source(self) -> Source:
        """Return what is said of the products, and how to read their recipes block by block."""
        entries = self.manifest.content.blocks
        sizes = tuple(entry.products for entry in entries)
        nonzeros = self.manifest.content.nonzeros
        return Source(self.header(), nonzeros, sizes, self.whole, self.files)

    def header(self) -> Header:
        """Read everything but the coefficients."""
        content = self.manifest.content
        found: dict[str, Any] = {
            name: self._vector(name, entry) for name, entry in content.arrays.items()
        }
        return Header(
            factors={
                name: self._vector("factor", entry) for name, entry in content.factors.items()
            },
            factor_units=content.factor_units,
            value_type=content.value_type,
            meta=content.meta,
            **({"units": content.unit} | found),
        )

    def vector(self, name: str) -> Array | None:
        """Read one of the vectors or labels of a `Header`; None if the table has none."""
        entry = self.manifest.content.arrays.get(name)
        return None if entry is None else self._vector(name, entry)

    def _vector(self, name: str, entry: ArrayEntry) -> Array:
        folder = self.path / "vectors" / entry.digest
        expected = {name: (self.manifest.content.products, entry.kind)}
        return fetch(folder, expected, entry.digest)[name]


def open_store(path: Path | str, version: int | None = None) -> Store:
    """Open a table directory at its current version, or at an older one.

    Reads two small files. Needs no lock and no permission to write.

    Raises
    ------
    WrongUsageError
        If there is no table here, or one that is not finished, or no such version.
    DamagedError
        If the pointer or the manifest is missing, altered, or of a newer format.
    """
    path = Path(path)
    work = None if (path / "CURRENT").exists() else standing(path)
    if work is not None:
        raise WrongUsageError(
            f"this table is not finished: {work[0]}",
            where=str(path),
            advice=f"repeat `{work[1]}`, which goes on from there, or delete the folder",
        )
    if not path.is_dir() or not (_names(path) or (path / "CURRENT").exists()):
        raise WrongUsageError(
            "there is no table here",
            where=str(path),
            advice="name a table directory; `ogas import` and `ogas generate` make one",
        )
    current = read_pointer(path)
    if version is None:
        return Store(path, read_manifest(path, current.version), current.plan)
    for name in _names(path):
        if _number(name) == version:
            plan = current.plan if name == current.version else None
            return Store(path, read_manifest(path, name), plan)
    raise WrongUsageError(
        f"there is no version {version}", where=str(path), advice="`ogas versions` lists them"
    )


def publish(path: Path | str, table: Table, note: str = "") -> Manifest:
    """Make ``table`` the current version of the store at ``path``, which is created if need be.

    Blocks and vectors that are already there are not written again. A table equal to the current
    one makes no new version. Either everything is published or nothing.

    Returns
    -------
    Manifest
        Of the version that is now current.

    Raises
    ------
    LockedError
        If another run is publishing here.
    DamagedError
        If the disk is full.
    WrongUsageError
        If ``path`` holds something else, or may not be written to.
    """
    path = Path(path)
    check_meta(table.meta)
    with publishing(path):
        entries = [write_block(path, block, table.value_type) for block in Cut(table)]
        return commit(path, entries, Header.of(table), note)


def publish_entries(
    path: Path | str, entries: Sequence[BlockEntry], header: Header, note: str = ""
) -> Manifest:
    """Publish blocks that `write_block` has written, one entry per block in order; see `publish`.

    Raises
    ------
    InvalidInputError
        If the entries do not make up the products, or their value type is not the header's.
    """
    path = Path(path)
    check_meta(header.meta)
    header.check()
    _check_entries(path, entries, header)
    with publishing(path):
        return commit(path, entries, header, note)


def _check_entries(path: Path, entries: Sequence[BlockEntry], header: Header) -> None:
    n = len(header.ids)
    sizes = np.array([n]) if header.blocks is None else np.bincount(header.blocks)
    if [entry.products for entry in entries] != sizes.tolist():
        raise InvalidInputError(
            f"{len(entries):,} blocks of {sum(entry.products for entry in entries):,} products do "
            f"not make up the {sizes.size:,} blocks of {n:,} products that the header says"
        )
    for number, entry in enumerate(entries):
        if entry.value_type != header.value_type:
            raise InvalidInputError(
                f"block {number} holds {entry.value_type}, the header says {header.value_type}"
            )
        if not (path / "blocks" / entry.digest).is_dir():
            raise DamagedError(
                f"block {number} is not there", where=str(path), advice="write it again"
            )


def commit(path: Path, entries: Sequence[BlockEntry], header: Header, note: str = "") -> Manifest:
    """Write the vectors, the manifest, the pointer; the last step is the one that counts.

    The lock is held, and `write_block` has written the blocks, one entry for each in order.
    """
    manifest = drawn_up(path, entries, header, note)
    pointer = read_pointer(path) if (path / "CURRENT").exists() else None
    if pointer is None:
        write_manifest(path, manifest)
        write_pointer(path, Pointer(manifest.name))
    elif pointer.version != manifest.name:
        write_manifest(path, manifest)
        write_pointer(path, pointer.followed_by(manifest.name))
    return manifest


def drawn_up(
    path: Path,
    entries: Sequence[BlockEntry],
    header: Header,
    note: str = "",
    origins: Sequence[Mapping[str, Any]] = (),
) -> Manifest:
    """Write the vectors of a version and return its manifest, which is not written yet.

    What equals the current version, or the newest one, is no other version.
    """
    shared = header.units if isinstance(header.units, str) else ""
    content = Content(
        products=len(header.ids),
        value_type=header.value_type,
        blocks=tuple(entries),
        arrays={name: _vector_entry(path, name, array) for name, array in header.arrays().items()},
        factors={name: _vector_entry(path, "factor", v) for name, v in header.factors.items()},
        unit=shared,
        factor_units=dict(header.factor_units),
        meta=dict(header.meta),
    )
    names = _names(path)
    known = [read_pointer(path).version] if (path / "CURRENT").exists() else []
    for name in (*known, *names[-1:]):
        found = read_manifest(path, name)
        if found.content.digest == content.digest:
            return found
    last = max(map(_number, names), default=0)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Manifest(last + 1, created, note, content, tuple(origins))


def _vector_entry(path: Path, name: str, array: Array) -> ArrayEntry:
    if array.dtype.kind in "UTO":  # as wide as the longest string, so that equal texts are equal
        array = np.array(array.tolist(), dtype=np.str_)
    digest = place(path / "vectors", {name: array}, {})
    return ArrayEntry(digest, kind_of(array), int(array.nbytes))


def _names(path: Path) -> list[str]:
    """Return the names of the versions in a table directory, the oldest first."""
    names = [file.stem for file in (path / "versions").glob("[0-9]*-*.json")]
    return sorted(names, key=_number)


def _number(name: str) -> int:
    return int(name.split("-")[0])
