"""A labelled table that pandas wrote as Parquet, read some rows at a time.

pandas keeps the row labels as columns and says which in the metadata of the file; a column under
several headings is called by the text of a tuple, ``('AUS', 'wheat')``.
"""

import ast
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np

from ogas.datasets.columns import pyarrow_parquet
from ogas.datasets.published.labelled import Edges, Label, Row, Takes, Zeros, every, named
from ogas.engine.errors import InvalidInputError

ROWS = 64  # at a time: 64 rows of 10,000 columns are 5 MB


class ParquetGrid:
    """A labelled table in a Parquet file."""

    def __init__(self, stream: BinaryIO, edges: Edges) -> None:
        # The footer is at the end: a member of an archive cannot be read from there, bytes can.
        self._file = pyarrow_parquet().ParquetFile(BytesIO(stream.read()))
        self._index = _index_columns(self._file.schema_arrow.metadata or {}, edges.labels)
        self._names = [name for name in self._file.schema_arrow.names if name not in self._index]
        self._columns = [_label(name, edges.headings) for name in self._names]
        self._zeros = Zeros()

    @property
    def columns(self) -> list[Label]:
        """The labels of the columns of numbers."""
        return self._columns

    def place(self, column: int) -> str:
        """Return where a column stands."""
        return f"column {named(self._columns[column])}"

    def texts(self) -> Iterator[tuple[Label, list[str], int]]:
        """Yield label, cells and row number of every row, as text."""
        for number, label, cells in self._raw():
            yield label, ["" if cell is None else str(cell) for cell in cells], number

    def rows(self, takes: Takes = every) -> Iterator[Row]:
        """Yield the rows whose label ``takes`` accepts."""
        number = 0
        for batch in self._file.iter_batches(batch_size=ROWS):
            labels = _labels(batch, self._index)
            columns = [batch.column(name).to_numpy(zero_copy_only=False) for name in self._names]
            try:
                values = np.column_stack(columns).astype(np.float64)
            except (TypeError, ValueError) as error:
                raise InvalidInputError(
                    f"it holds something that is no number ({error})",
                    where=f"rows {number + 1} to {number + len(labels)}",
                    advice="write numbers, 0 where there is none",
                ) from error
            for label, row in zip(labels, values, strict=True):
                number += 1
                if takes(label):
                    yield Row(label, self._whole(row, number), f"row {number}")

    def messages(self) -> tuple[str, ...]:
        """Return what was decided while reading."""
        return self._zeros.messages()

    def _raw(self) -> Iterator[tuple[int, Label, list[Any]]]:
        number = 0
        for batch in self._file.iter_batches(batch_size=ROWS):
            labels = _labels(batch, self._index)
            columns = [batch.column(name).to_pylist() for name in self._names]
            for label, *cells in zip(labels, *columns, strict=True):
                number += 1
                yield number, label, cells

    def _whole(self, row: Any, number: int) -> Any:
        """Return the row with 0 where nothing is known (Parquet reads that as NaN)."""
        for k in np.flatnonzero(~np.isfinite(row)).tolist():
            place = f"row {number}, column {named(self._columns[k])}"
            if not np.isnan(row[k]):
                raise InvalidInputError(f"{row[k]} is not a finite number", where=place)
            row[k] = self._zeros.at(place)
        return row


def _index_columns(metadata: dict[bytes, bytes], labels: int) -> list[str]:
    said = json.loads(metadata.get(b"pandas", b"{}"))
    found = [name for name in said.get("index_columns", []) if isinstance(name, str)]
    if len(found) < labels:
        raise InvalidInputError(
            "its rows have no labels",
            advice="write it with pandas, with regions and sectors as the index",
        )
    return found


def _label(name: str, headings: int) -> Label:
    if headings == 1:
        return (name,)
    try:
        parts = ast.literal_eval(name)
    except (SyntaxError, ValueError):
        parts = None
    if not isinstance(parts, tuple) or len(parts) != headings:
        raise InvalidInputError(
            f"the column {name!r} does not have {headings} headings",
            advice="write it with pandas, with regions and sectors as columns",
        )
    return tuple(str(part) for part in parts)


def _labels(batch: Any, index: list[str]) -> list[Label]:
    columns = [[str(text) for text in batch.column(name).to_pylist()] for name in index]
    return list(zip(*columns, strict=True))
