"""A labelled table in a sheet of a workbook, or in any other rows of cells.

    labels ...     headings ...
    labels ...     numbers ...

Whoever knows the layout finds the headings; this page reads the rows below them. An empty cell is
0, and is told; everything else that is no finite number is refused with its cell.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from ogas.datasets.published.labelled import Label, Row, Takes, Zeros, every, named
from ogas.datasets.published.workbook import Cells, column_name, text_of
from ogas.datasets.text import number_in
from ogas.engine.table import Vector


class SheetGrid:
    """Rows of cells, each with ``labels`` labels and a number under every heading."""

    def __init__(self, headings: Sequence[Label], labels: int, rows: Iterator[tuple[int, Cells]]):
        self._columns, self._labels, self._rows = list(headings), labels, rows
        self._zeros = Zeros()

    @property
    def columns(self) -> list[Label]:
        """The labels of the columns of numbers."""
        return self._columns

    def place(self, column: int) -> str:
        """Return where a column stands."""
        return f"column {column_name(column + self._labels)}"

    def rows(self, takes: Takes = every) -> Iterator[Row]:
        """Yield the rows whose label ``takes`` accepts."""
        for number, cells in self._rows:
            label = tuple(map(text_of, cells[: self._labels]))
            if any(label) and takes(label):
                yield Row(label, self._numbers(cells, number), f"row {number}")

    def messages(self) -> tuple[str, ...]:
        """Return what was decided while reading."""
        return self._zeros.messages()

    def _numbers(self, cells: Cells, number: int) -> Vector:
        values = np.zeros(len(self._columns))
        for k in range(len(self._columns)):
            cell = cells[k + self._labels] if k + self._labels < len(cells) else None
            if isinstance(cell, int | float) and np.isfinite(cell):
                values[k] = cell
            elif not text_of(cell):
                values[k] = self._zeros.at(self._cell(k, number))
            else:
                values[k] = number_in(str(cell), self._cell(k, number))
        return values

    def _cell(self, k: int, number: int) -> str:
        name = column_name(k + self._labels)
        return f"cell {name}{number} ({named(self._columns[k][:3])})"


def headings_of(head: Sequence[Cells], labels: int) -> list[Label]:
    """Return the labels of the columns from the rows that head them, up to the last text."""
    texts = [[text_of(cell) for cell in cells[labels:]] for cells in head]
    width = max((k + 1 for row in texts for k, text in enumerate(row) if text), default=0)
    return list(zip(*(row[:width] + [""] * (width - len(row)) for row in texts), strict=True))
