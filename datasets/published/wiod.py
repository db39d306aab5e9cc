"""The World Input-Output Tables of WIOD, releases 2013 and 2016: a workbook a year, million US$.

         A        B             C        D     E        F        ...                    last
    1    Intercountry Input-Output Table
    2    2014
    3    (industry-by-industry)                A01      A02      ...   CONS_h    ...    GO
    4    (millions of US$)                     Crop ... Forestry       Final ...        Total
    5                                          AUS      AUS            AUS              TOT
    6                                          c1       c2             c57              c62
    7    A01      Crop ...      AUS      r1    12924.2  83.4           8365.3           69872.4
    ...
         II_fob   Total ...     TOT      r65   ...
         TXSP     taxes ...     TOT      r66                           also EXP_adj PURR PURNR
         VA       Value added   TOT      r70                           IntTTM
         GO       Output        TOT      r73

Four headings, found by the row that counts ``c1 c2 c3``; four labels. A column is final demand if
no row has its country and code. Rows of the country ``TOT`` are primary inputs, total or output, by
their code (release 2016) or name (release 2013). The workbook is .xlsx (2013) or .xlsb (2016).

Sources: Timmer et al. (2015), Review of International Economics 23:575; wiod.org, release 2016.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ogas.datasets.found import Found, reading
from ogas.datasets.published.accounts import Kind, Layout, read_account
from ogas.datasets.published.labelled import Label, Row, Takes, Zeros, every, named, number_in
from ogas.datasets.published.wanted import Wanted
from ogas.datasets.published.workbook import Cells, column_name, sheets
from ogas.engine.errors import InvalidInputError
from ogas.engine.table import Vector

LABELS = HEADINGS = 4
CODE, NAME, COUNTRY = 0, 1, 2
DEEPEST = 20  # rows in which the headings end
WORLD = "TOT"
DEMAND = {"CONS_h", "CONS_np", "CONS_g", "GFCF", "INVEN", "GGFC"}
OUTPUT = re.compile(r"GO|(total )?output.*", re.IGNORECASE)
TOTAL = re.compile(r"II_fob|total intermediate.*", re.IGNORECASE)
UNIT = "million US$"
# Release 2013 has no codes below and beside the industries.
NAMES = {
    "taxes less subsidies on products": "TXSP",
    "cif/ fob adjustments on exports": "EXP_adj",
    "direct purchases abroad by residents": "PURR",
    "purchases on the domestic territory by non-residents": "PURNR",
    "value added at basic prices": "VA",
    "international transport margins": "IntTTM",
}


def read_wiod(source: Path, wanted: Wanted) -> Found:
    """Read a year of the tables.

    Raises
    ------
    InvalidInputError
        Naming the sheet, the row and the column.
    """
    with reading(source), sheets(source) as book:
        sheet = next(iter(book))
        with reading(Path(f"sheet {sheet}")):
            grid = SheetGrid(book[sheet])
            account = read_account(grid, _layout(), wanted)
        year = re.search(r"(?:19|20)\d\d", f"{sheet} {source.stem}")
        meta = {"title": f"WIOD {year.group() if year else ''}".strip(), "source": source.name}
        return account.found(UNIT, meta)


class SheetGrid:
    """A sheet with four headings and four labels, read row by row."""

    def __init__(self, rows: Iterator[Cells]) -> None:
        self._rows, self._zeros = enumerate(rows, start=1), Zeros()
        head = self._head()
        width = max(k for cells in head for k, cell in enumerate(cells) if _text(cell)) + 1
        texts = [[_text(cell) for cell in cells[LABELS:width]] for cells in head]
        texts = [row + [""] * (width - LABELS - len(row)) for row in texts]
        self._width = width
        self._columns: list[Label] = list(zip(*texts, strict=True))

    @property
    def columns(self) -> list[Label]:
        """Code, name, country and number of every column of numbers."""
        return self._columns

    def rows(self, takes: Takes = every) -> Iterator[Row]:
        """Yield the rows whose label ``takes`` accepts."""
        for number, cells in self._rows:
            label = tuple(_text(cell) for cell in cells[:LABELS])
            if any(label) and takes(label):
                yield Row(label, self._numbers(cells, number), f"row {number}")

    def messages(self) -> tuple[str, ...]:
        """Return what was decided while reading."""
        return self._zeros.messages()

    def _head(self) -> list[Cells]:
        """Return the four headings; the last one counts the columns."""
        recent: list[Cells] = []
        for number, cells in self._rows:
            recent = [*recent[1 - HEADINGS :], cells]
            if len(recent) == HEADINGS and {"c1", "c2"} <= {_text(cell) for cell in cells}:
                return recent
            if number == DEEPEST:
                break
        raise InvalidInputError(
            f"none of the first {DEEPEST} rows counts the columns c1, c2, c3 ...",
            advice="is this a world input-output table of WIOD, as published?",
        )

    def _numbers(self, cells: Cells, number: int) -> Vector:
        values = np.zeros(self._width - LABELS)
        for k, cell in enumerate(cells[LABELS : self._width]):
            if isinstance(cell, int | float) and np.isfinite(cell):
                values[k] = cell
            elif cell is None or not str(cell).strip():
                values[k] = self._zeros.at(self._place(k, number))
            else:
                values[k] = number_in(str(cell), self._place(k, number))
        return values

    def _place(self, k: int, number: int) -> str:
        return f"cell {column_name(k + LABELS)}{number} ({named(self._columns[k][:3])})"


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def _layout() -> Layout:
    return Layout(_column, _row, _product, _factor)


def _column(label: Label) -> Kind:
    if label[COUNTRY] == WORLD or OUTPUT.fullmatch(label[CODE] or label[NAME]):
        return Kind.OUTPUT
    return Kind.DEMAND if label[CODE] in {*DEMAND, ""} else Kind.PRODUCT


def _row(label: Label) -> Kind:
    if label[CODE] in DEMAND:
        return Kind.DEMAND
    if label[COUNTRY] not in (WORLD, ""):
        return Kind.PRODUCT
    words = label[CODE] or label[NAME]
    if OUTPUT.fullmatch(words):
        return Kind.OUTPUT
    return Kind.TOTAL if TOTAL.fullmatch(words) else Kind.FACTOR


def _product(label: Label) -> tuple[str, str]:
    return label[COUNTRY], label[CODE]


def _factor(label: Label) -> str:
    return label[CODE] or NAMES.get(label[NAME].lower(), label[NAME])
