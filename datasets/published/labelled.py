"""A table with labels along its edges, as text, read row by row.

    region             AUS      AUS        headings: one or more rows of column labels
    sector             wheat    steel
    region   sector                        names of the row labels; pandas writes them, we skip them
    AUS      wheat     0.1      0.2        labels, then numbers

Tabs, commas and semicolons separate cells. Only one row is held at a time. An empty cell is 0, and
is told; everything else that is no finite number is refused with its row and column.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import numpy as np

from ogas.datasets.text import Lines, number_in
from ogas.engine.errors import InvalidInputError
from ogas.engine.table import Vector

Label = tuple[str, ...]
Takes = Callable[[Label], bool]


@dataclass(frozen=True)
class Edges:
    """How many rows head a table, and how many columns label its rows."""

    headings: int = 1
    labels: int = 1


@dataclass(frozen=True, eq=False)
class Row:
    """One row of numbers: its label, the numbers, and where it stands, for messages."""

    label: Label
    values: Vector
    place: str


class Grid(Protocol):
    """A labelled table that is read once, from top to bottom."""

    @property
    def columns(self) -> list[Label]:
        """The labels of the columns of numbers."""
        ...

    def place(self, column: int) -> str:
        """Return where a column stands, for messages."""
        ...

    def rows(self, takes: Takes = ...) -> Iterator[Row]:
        """Yield the rows whose label ``takes`` accepts; by default all."""
        ...

    def messages(self) -> tuple[str, ...]:
        """Return what was decided while reading; complete once the rows are read."""
        ...


def every(label: Label) -> bool:
    """Accept any label."""
    return True


def named(label: Label) -> str:
    """Return a label as people read it."""
    return " ".join(filter(None, label))


class TextGrid:
    """A labelled table in a stream of bytes."""

    def __init__(self, stream: BinaryIO, edges: Edges) -> None:
        self._edges = edges
        self._text, self._zeros = Lines(stream), Zeros()
        self._lines = self._numbered()
        self._separator = "\t"
        head = [self._heading(first=k == 0) for k in range(edges.headings)]
        self._columns = _columns(head)

    @property
    def columns(self) -> list[Label]:
        """The labels of the columns of numbers."""
        return self._columns

    def place(self, column: int) -> str:
        """Return where a column stands."""
        return f"column {column + self._edges.labels + 1}"

    def texts(self) -> Iterator[tuple[Label, list[str], int]]:
        """Yield label, cells and row number of every row, as text."""
        split, width = self._edges.labels, self._edges.labels + len(self._columns)
        is_first = True
        for number, text in self._lines:
            cells = self._split(text)
            if is_first and self._edges.headings > 1 and not any(cells[split:]):
                is_first = False
                continue
            is_first = False
            if len(cells) != width:
                raise InvalidInputError(
                    f"{len(cells):,} cells, but the headings have {width:,}",
                    where=f"row {number}",
                    advice="complete the row; quote text that contains the separator, and write "
                    "numbers without thousands separators",
                )
            yield tuple(cells[:split]), cells[split:], number

    def rows(self, takes: Takes = every) -> Iterator[Row]:
        """Yield the rows whose label ``takes`` accepts."""
        for label, cells, number in self.texts():
            if takes(label):
                yield Row(label, self._numbers(cells, number), f"row {number}")

    def messages(self) -> tuple[str, ...]:
        """Return what was decided while reading."""
        return self._text.messages() + self._zeros.messages()

    def _numbered(self) -> Iterator[tuple[int, str]]:
        for number, line in enumerate(self._text, start=1):
            text = line.rstrip("\r\n")
            if text.strip():
                yield number, text

    def _heading(self, *, first: bool) -> list[str]:
        number, text = next(self._lines, (0, ""))
        if number == 0:
            raise InvalidInputError("the file is empty", advice="its first rows name the columns")
        if first:
            self._separator = _separator(text)
        cells = self._split(text)[self._edges.labels :]
        if not cells:
            raise InvalidInputError(
                "it has no columns of numbers",
                where=f"row {number}",
                advice="separate cells by tabs or commas",
            )
        return cells

    def _split(self, text: str) -> list[str]:
        if '"' not in text:
            return text.split(self._separator)
        return next(csv.reader([text], delimiter=self._separator))

    def _numbers(self, cells: list[str], number: int) -> Vector:
        try:
            values = np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            values = self._one_by_one(cells, number)
        if not np.isfinite(values).all() or "_" in "".join(cells):
            self._one_by_one(cells, number)
        return values

    def _one_by_one(self, cells: list[str], number: int) -> Vector:
        values = np.zeros(len(cells))
        for k, cell in enumerate(cells):
            place = f"row {number}, column {named(self._columns[k])}"
            values[k] = self._zeros.at(place) if not cell.strip() else number_in(cell, place)
        return values


class Zeros:
    """Counts the empty cells that were taken as 0, and remembers where the first was."""

    def __init__(self) -> None:
        self._first = ""
        self._count = 0

    def at(self, place: str) -> float:
        """Return 0 for the empty cell at ``place``."""
        self._first = self._first or place
        self._count += 1
        return 0.0

    def messages(self) -> tuple[str, ...]:
        """Return one line, if there was an empty cell at all."""
        if not self._count:
            return ()
        cells = "1 empty cell" if self._count == 1 else f"{self._count:,} empty cells"
        return (f"{cells} taken as 0, the first in {self._first}",)


def _separator(text: str) -> str:
    if "\t" in text:
        return "\t"
    return ";" if text.count(";") > text.count(",") else ","


def _columns(head: list[list[str]]) -> list[Label]:
    width = len(head[0])
    uneven = next((k for k, cells in enumerate(head) if len(cells) != width), None)
    if uneven is not None:
        raise InvalidInputError(
            f"its headings have {width:,} and {len(head[uneven]):,} columns",
            where=f"row {uneven + 1}",
            advice="complete the headings",
        )
    return list(zip(*head, strict=True))
