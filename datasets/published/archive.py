"""A folder, or a zip of one: files by name. Nothing is ever unpacked to the disk."""

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from ogas.datasets.arrays import first_line
from ogas.engine.errors import DamagedError, InvalidInputError, PlanError

DEPTH = ("*", "*/*", "*/*/*")  # a table, its extensions, and one folder around both


@dataclass(frozen=True)
class Archive:
    """Files of a folder or a zip.

    Attributes
    ----------
    path : Path
    names : tuple of str
        Names with slashes, relative to the folder or the root of the zip, in order.
    """

    path: Path
    names: tuple[str, ...]

    @classmethod
    def of(cls, path: Path) -> "Archive":
        """Look at what a folder or a zip holds."""
        if path.is_dir():
            files = (file for pattern in DEPTH for file in path.glob(pattern) if file.is_file())
            return cls(path, tuple(sorted(file.relative_to(path).as_posix() for file in files)))
        with zipfile.ZipFile(path) as archive:
            names = (info.filename for info in archive.infolist() if not info.is_dir())
            return cls(path, tuple(sorted(names)))

    def folders(self) -> list[str]:
        """Return the folders that hold files; the root is the empty text."""
        return sorted({parent_of(name) for name in self.names})

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open one file; every error of reading it names it.

        Raises
        ------
        InvalidInputError
            If there is no such file.
        DamagedError
            If it cannot be read.
        """
        if name not in self.names:
            raise InvalidInputError("this file is missing", where=name)
        try:
            if self.path.is_dir():
                with (self.path / name).open("rb") as stream:
                    yield stream
            else:
                with zipfile.ZipFile(self.path) as archive, archive.open(name) as member:
                    yield member  # type: ignore[misc]  # it reads like one
        except PlanError as error:
            place = f"{name}, {error.where}" if error.where else name
            raise type(error)(error.message, where=place, advice=error.advice) from error
        except (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise DamagedError(
                f"cannot be read ({first_line(error)})", where=name, advice="get the file again"
            ) from error

    def json(self, name: str) -> dict[str, Any]:
        """Return what a file with one JSON object says."""
        with self.open(name) as stream:
            try:
                said = json.loads(stream.read().decode("utf-8-sig"))
            except ValueError as error:
                raise InvalidInputError(f"it is not JSON ({error})") from error
            if not isinstance(said, dict):
                raise InvalidInputError("it is not one JSON object")
            return said


def parent_of(name: str) -> str:
    """Return the folder of a file; the root is the empty text."""
    folder = str(PurePosixPath(name).parent)
    return "" if folder == "." else folder


def inside(folder: str, name: str) -> str:
    """Return the name of a file in a folder."""
    return f"{folder}/{name}" if folder else name


@contextmanager
def only_text(source: Path) -> Iterator[BinaryIO]:
    """Open a text file, or the only one in a zip; it can be wound back.

    Raises
    ------
    InvalidInputError
        If the zip holds several.
    """
    if not zipfile.is_zipfile(source):
        with source.open("rb") as stream:
            yield stream
        return
    archive = Archive.of(source)
    texts = [name for name in archive.names if name.lower().endswith((".csv", ".txt"))]
    if len(texts) != 1:
        some = ", ".join(texts[:5]) + (" ..." if len(texts) > 5 else "")
        raise InvalidInputError(
            f"there are {len(texts)} tables in it{': ' if some else ''}{some}",
            advice="unpack it, and name the file of one year",
        )
    with archive.open(texts[0]) as stream:
        yield stream
