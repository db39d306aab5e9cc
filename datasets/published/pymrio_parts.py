"""What is in a folder or zip in pymrio's layout: one system, its extensions, and their tables."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath

from ogas.datasets.published.archive import Archive, inside, parent_of
from ogas.datasets.published.labelled import Edges, Label, TextGrid
from ogas.datasets.published.labelled_parquet import ParquetGrid
from ogas.engine.errors import InvalidInputError

DECLARED = "file_parameters.json"
SYSTEM, EXTENSION = "IOSystem", "Extension"
USUAL = {
    SYSTEM: {
        **{name: Edges(headings=2, labels=2) for name in ("A", "Z", "Y")},
        **{name: Edges(headings=1, labels=2) for name in ("x", "unit")},
    },
    EXTENSION: {
        **{name: Edges(headings=2, labels=1) for name in ("F", "S")},
        "unit": Edges(headings=1, labels=1),
    },
}
TEXTS, PARQUETS = (".txt", ".tsv", ".csv"), (".parquet", ".par", ".parq")
PICKLES = (".pickle", ".pkl")

Product = tuple[str, str]


@dataclass(frozen=True)
class Part:
    """A system or an extension: a folder, and the tables in it by name."""

    archive: Archive
    folder: str
    files: Mapping[str, tuple[str, Edges]]

    @contextmanager
    def grid(self, name: str) -> Iterator[TextGrid | ParquetGrid]:
        """Open one table.

        Raises
        ------
        InvalidInputError
            If it is pickled, or of a kind that nobody knows.
        """
        file, edges = self.files[name]
        suffix = PurePosixPath(file).suffix.lower()
        if suffix in PICKLES:
            raise InvalidInputError(
                "it is a pickle, which runs code when it is read",
                where=inside(self.folder, file),
                advice="where you trust it, load it with pymrio and save it as txt or parquet: "
                "save_all(path, table_format='parquet')",
            )
        if suffix not in TEXTS + PARQUETS:
            raise InvalidInputError(
                f"nobody knows tables of the kind {suffix!r}",
                where=inside(self.folder, file),
                advice="save it as txt or parquet",
            )
        with self.archive.open(inside(self.folder, file)) as stream:
            yield ParquetGrid(stream, edges) if suffix in PARQUETS else TextGrid(stream, edges)


def product_of(label: Label) -> Product:
    """Return region and sector; a single label is the sector of the region ``all``."""
    region, *sector = label
    return (region, " ".join(sector)) if sector else ("all", region)


def systems(archive: Archive) -> list[str]:
    """Return the folders that hold an input-output system."""
    return [folder for folder in archive.folders() if _is_part(archive, folder, SYSTEM)]


def only_system(archive: Archive) -> Part:
    """Return the one system there is.

    Raises
    ------
    InvalidInputError
        If there is none, or more than one.
    """
    found = systems(archive)
    if len(found) == 1:
        return _part(archive, found[0], SYSTEM)
    if not found:
        raise InvalidInputError(
            f"there is no input-output system in it: no {DECLARED}, and no A or Z beside a Y",
            advice="name the folder that holds A.txt or Z.txt",
        )
    raise InvalidInputError(
        f"there are {len(found)} systems in it: {', '.join(found)}",
        advice="unpack it, and name the folder of one",
    )


def extensions(system: Part) -> Iterator[tuple[str, Part]]:
    """Yield the name and the tables of every extension of a system."""
    for folder in system.archive.folders():
        is_below = folder and parent_of(folder) == system.folder
        if is_below and _is_part(system.archive, folder, EXTENSION):
            yield PurePosixPath(folder).name, _part(system.archive, folder, EXTENSION)


def _is_part(archive: Archive, folder: str, kind: str) -> bool:
    if inside(folder, DECLARED) in archive.names:
        return bool(archive.json(inside(folder, DECLARED)).get("systemtype") == kind)
    found = set(_usual(archive, folder, kind))
    if kind == EXTENSION:
        return bool(found & {"F", "S"})
    return "Y" in found and bool(found & {"A", "Z"})


def _part(archive: Archive, folder: str, kind: str) -> Part:
    if inside(folder, DECLARED) not in archive.names:
        return Part(archive, folder, _usual(archive, folder, kind))
    said = archive.json(inside(folder, DECLARED)).get("files")
    files: dict[str, tuple[str, Edges]] = {}
    try:
        for name, entry in dict(said or {}).items():
            edges = Edges(headings=int(entry["nr_header"]), labels=int(entry["nr_index_col"]))
            files[str(name)] = (str(entry["name"]), edges)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            "it does not say name, nr_header and nr_index_col of every file",
            where=inside(folder, DECLARED),
            advice="save the system again with pymrio",
        ) from error
    return Part(archive, folder, files)


def _usual(archive: Archive, folder: str, kind: str) -> dict[str, tuple[str, Edges]]:
    """Return the tables that go by their usual names."""
    found = {}
    for full in archive.names:
        file = PurePosixPath(full)
        edges = USUAL[kind].get(file.stem)
        if edges and parent_of(full) == folder and file.suffix.lower() in TEXTS + PARQUETS:
            found[file.stem] = (file.name, edges)
    return found
