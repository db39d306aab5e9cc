"""The files of a Brightway datapackage: groups of vectors, which together are sparse matrices.

Entries of one group at the same place add up; a later group replaces what an earlier one has there.
The package may say otherwise of both (``sum_intra_duplicates``, ``sum_inter_duplicates``). Read
without pickle.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from ogas.datasets.arrays import Array
from ogas.datasets.published.archive import Archive
from ogas.engine.errors import InvalidInputError
from ogas.engine.table import Integers, Vector

PACKAGE = "datapackage.json"
KNOWN = ("indices", "data", "flip", "rescale", "reference")


@dataclass(frozen=True, eq=False)
class Entries:
    """A sparse matrix by ids: every place once.

    Attributes
    ----------
    rows, columns : (k,) int64
    values : (k,) float64
    marked : (k,) bool
        Reference products, where the package says so.
    """

    rows: Integers
    columns: Integers
    values: Vector
    marked: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Package:
    """What ``datapackage.json`` says; vectors are read when they are asked for."""

    archive: Archive
    said: dict[str, Any]
    left_out: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, archive: Archive) -> "Package":
        """Open a datapackage."""
        said = archive.json(PACKAGE)
        if not isinstance(said.get("resources"), list):
            raise InvalidInputError("it lists no resources", where=PACKAGE)
        return cls(archive, said)

    def meta(self) -> dict[str, Any]:
        """Return what the package is called, and by whose leave it is used."""
        licences = [str(entry.get("name", "")) for entry in self.said.get("licenses") or []]
        found = {"title": str(self.said.get("name", "")), "licence": ", ".join(licences)}
        return {name: text for name, text in found.items() if text}

    def messages(self) -> tuple[str, ...]:
        """Return what was left out so far."""
        return tuple(dict.fromkeys(self.left_out))

    def groups(self, matrix: str) -> Iterator[tuple[str, Entries]]:
        """Yield the groups of vectors of a matrix, in the order of the package."""
        found: dict[str, dict[str, str]] = {}
        for resource in self.said["resources"]:
            if resource.get("matrix") != matrix:
                continue
            name = str(resource.get("group") or resource.get("name"))
            if resource.get("category", "vector") != "vector" or "path" not in resource:
                self.left_out.append(f"{name} left out: only vectors with a file are read")
                continue
            kind = str(resource.get("kind"))
            if kind in KNOWN:
                found.setdefault(name, {})[kind] = str(resource["path"])
            else:
                self.left_out.append(f"{name}: {kind} left out")
        for name, files in found.items():
            yield name, self._group(name, files)

    def entries(self, matrix: str) -> Entries | None:
        """Return a matrix, all groups together; None if it is not there."""
        groups = [entries for _, entries in self.groups(matrix)]
        if not groups:
            return None
        together = Entries(
            *(
                np.concatenate([getattr(group, name) for group in groups])
                for name in ("rows", "columns", "values", "marked")
            )
        )
        return _once(together, add=bool(self.said.get("sum_inter_duplicates", False)))

    def _group(self, name: str, files: dict[str, str]) -> Entries:
        if not {"indices", "data"} <= set(files):
            raise InvalidInputError(
                f"the group {name} has {', '.join(files)}, but needs indices and data",
                where=PACKAGE,
                advice="export the datapackage again",
            )
        indices = self._array(files["indices"])
        values = self._array(files["data"]).astype(np.float64)
        others = {kind: self._array(files[kind]) for kind in KNOWN[2:] if kind in files}
        if indices.dtype.names is None or set(indices.dtype.names) != {"row", "col"}:
            raise InvalidInputError("it has no row and col", where=files["indices"])
        for kind, array in {"data": values, **others}.items():
            if array.shape != indices.shape:
                raise InvalidInputError(
                    f"{array.shape} entries, but indices has {indices.shape}", where=files[kind]
                )
        values = values * others.get("rescale", 1.0)
        if not np.isfinite(values).all():
            place = int(np.flatnonzero(~np.isfinite(values))[0])
            raise InvalidInputError(
                f"{values[place]} is not a finite number", where=f"{files['data']}, entry {place}"
            )
        flips = others.get("flip", np.zeros(values.shape, dtype=bool)).astype(bool)
        entries = Entries(
            indices["row"].astype(np.int64),
            indices["col"].astype(np.int64),
            np.where(flips, -values, values),
            others.get("reference", np.zeros(values.shape, dtype=bool)).astype(bool),
        )
        return _once(entries, add=bool(self.said.get("sum_intra_duplicates", True)))

    def _array(self, file: str) -> Array:
        with self.archive.open(file) as stream:
            if not file.endswith(".npy"):
                raise InvalidInputError(
                    "only .npy is read", advice="export the datapackage as NumPy, not as Parquet"
                )
            content = BytesIO(stream.read())
            try:
                return np.asarray(np.load(content, allow_pickle=False))
            except ValueError as error:
                if "pickle" not in str(error):
                    raise
                raise InvalidInputError(
                    "it holds Python objects, which may run code when read",
                    advice="save it as numbers",
                ) from error


def _once(entries: Entries, *, add: bool) -> Entries:
    """Return every place once: added up, or as it was last."""
    places = np.stack([entries.rows, entries.columns], axis=1)
    _, first, number = np.unique(places, axis=0, return_index=True, return_inverse=True)
    number = number.ravel()
    if first.size == number.size:
        return entries
    last = np.empty(first.size, dtype=np.int64)
    last[number] = np.arange(number.size)
    values = entries.values[last]
    if add:
        values = np.bincount(number, entries.values).astype(np.float64)
    marked = np.zeros(first.size, dtype=bool)
    np.logical_or.at(marked, number, entries.marked)
    return Entries(entries.rows[first], entries.columns[first], values, marked)
