"""Named columns, from CSV or Parquet, with the row of whatever is wrong with them.

CSV is read with every cell as text; a row with too few or too many cells is refused. Parquet needs
the extra package pyarrow.
"""

import csv
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ogas.datasets.text import Lines, advice_on, plain_number
from ogas.engine.errors import InvalidInputError, WrongUsageError
from ogas.engine.table import Integers, Labels, Vector

NAMED = 5


@dataclass(frozen=True, eq=False)
class Columns:
    """The cells of a file by column name; text in CSV, whatever it is in Parquet.

    Attributes
    ----------
    cells : mapping of str to sequence
        Sequences of equal length.
    first_row : int
        What a reader of the file would call the first row of cells; a CSV header is row 1.
    """

    cells: Mapping[str, Sequence[Any]]
    first_row: int

    def __len__(self) -> int:
        return len(next(iter(self.cells.values()), ()))

    def row(self, position: int) -> str:
        """Return the name of a row, for messages."""
        return f"row {position + self.first_row}"

    def need(self, *names: str) -> None:
        """Raise `InvalidInputError` unless all these columns are there."""
        missing = [name for name in names if name not in self.cells]
        if missing:
            raise InvalidInputError(
                f"no column {', '.join(missing)}; there are: {', '.join(self.cells)}",
                where=self.row(-1) if self.first_row > 1 else "",
                advice=f"name the columns {', '.join(names)}",
            )

    def numbers(self, name: str) -> Vector:
        """Return a column of finite numbers, or raise with the first row that is not one."""
        cells = self.cells[name]
        try:
            values = np.array(cells, dtype=np.float64)
        except (TypeError, ValueError):
            values = np.array([_number(cell) for cell in cells])
        if cells and isinstance(cells[0], str) and "_" in "".join(cells):
            values = np.array([_number(cell) for cell in cells])
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            cell = str(cells[bad[0]])
            raise InvalidInputError(
                f"{name} is {cell!r}, not a finite number",
                where=self.row(int(bad[0])),
                advice=advice_on(cell),
            )
        return values

    def texts(self, name: str) -> list[str]:
        """Return a column as text; nothing is the empty text."""
        return ["" if cell is None else str(cell) for cell in self.cells[name]]


def _number(cell: Any) -> float:
    if isinstance(cell, str):  # NumPy reads 1_000 as a number; nobody else does
        value = plain_number(cell)
        return float("nan") if value is None else value
    try:
        return float(cell)
    except (TypeError, ValueError):
        return float("nan")


def labels(texts: Sequence[str]) -> Labels:
    """Return ids: int64 if every text is an integer as a computer writes it, else strings.

    Examples
    --------
    >>> labels(["7", "12"]).dtype.name, labels(["07", "12"]).dtype.kind
    ('int64', 'U')
    """
    try:
        numbers = np.array([int(text) for text in texts], dtype=np.int64)
    except (ValueError, OverflowError):
        return np.array(texts, dtype=np.str_)
    same = all(str(number) == text for number, text in zip(numbers.tolist(), texts, strict=True))
    return numbers if same else np.array(texts, dtype=np.str_)


def positions(ids: Labels) -> dict[str, int]:
    """Return the position of every product by the text of its id."""
    return {str(name): place for place, name in enumerate(ids.tolist())}


def places(columns: Columns, name: str, known: Mapping[str, int]) -> list[int]:
    """Return the positions of the products named in a column.

    Raises
    ------
    InvalidInputError
        Naming the first row with an unknown product.
    """
    texts = columns.texts(name)
    try:
        return [known[text] for text in texts]
    except KeyError:
        row = next(row for row, text in enumerate(texts) if text not in known)
        raise InvalidInputError(
            f"there is no product {texts[row]!r} ({name})",
            where=columns.row(row),
            advice="correct the id, or add the product to the table",
        ) from None


def need_all(ids: Labels, rows: Integers, advice: str) -> None:
    """Raise `InvalidInputError`, naming some, unless every product stands in a row."""
    missing = np.setdiff1d(np.arange(len(ids)), rows)
    if missing.size:
        some = ", ".join(str(ids[product]) for product in missing[:NAMED])
        more = f" and {missing.size - NAMED:,} more" if missing.size > NAMED else ""
        raise InvalidInputError(
            f"{missing.size:,} of {len(ids):,} products are not there: {some}{more}",
            advice=advice,
        )


def read_columns(file: Path) -> Columns:
    """Read a CSV file with a header, or a Parquet file (by its suffix)."""
    if file.suffix == ".parquet":
        parquet = pyarrow_parquet()
        with file.open("rb") as stream:
            read = parquet.read_table(stream)
        return Columns({name: read[name].to_pylist() for name in read.column_names}, 1)
    header, rows = read_rows(file)
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    return Columns(dict(zip(header, cells, strict=True)), 2)


def read_rows(file: Path) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a CSV file; each row has as many cells as the header."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            rows = [row for row in csv.reader(stream, strict=True) if row]
    except UnicodeDecodeError:
        with file.open("rb") as bad:  # line by line takes longer, and says where
            deque(Lines(bad, is_ours=True), maxlen=0)
        raise
    return checked(rows)


def checked(rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows below it.

    Raises
    ------
    InvalidInputError
        If there is no header, a column is there twice, or a row has more cells or fewer.
    """
    if not rows:
        raise InvalidInputError("the file is empty", advice="its first row names the columns")
    header = [name.strip() for name in rows[0]]  # spaces after a comma are no part of a name
    if len(header) == 1 and set(header[0]) & {";", "\t"}:
        raise InvalidInputError(
            "cells are separated by semicolons or tabs",
            where="row 1",
            advice="save it with commas between cells, and points in numbers",
        )
    again = next((name for name in header if header.count(name) > 1), None)
    if again is not None:
        places = [k for k, name in enumerate(header, start=1) if name == again]
        raise InvalidInputError(
            f"two columns are called {again!r}",
            where=f"row 1, columns {places[0]} and {places[1]}",
            advice="rename or merge them",
        )
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise InvalidInputError(
                f"{len(row)} cells, but the header has {len(header)}",
                where=f"row {number}",
                advice="complete the row; quote text that contains commas, and write numbers "
                "without thousands separators",
            )
    return header, rows[1:]


def write_columns(file: Path, columns: Mapping[str, Sequence[Any]], suffix: str) -> None:
    """Write columns of equal length as CSV or, if ``suffix`` says so, Parquet."""
    if suffix == ".parquet":
        parquet = pyarrow_parquet()
        import pyarrow

        parquet.write_table(pyarrow.table(dict(columns)), file)
    else:
        write_rows(file, list(columns), zip(*columns.values(), strict=True))


def write_rows(file: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV file; floats with as many digits as bring them back exactly."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)


def pyarrow_parquet() -> ModuleType:
    """Return ``pyarrow.parquet``, or say how to get it."""
    try:
        return import_module("pyarrow.parquet")
    except ImportError as error:
        raise WrongUsageError(
            "Parquet files need the package pyarrow",
            advice="pip install 'ogas-engine[parquet]', or use CSV",
        ) from error
