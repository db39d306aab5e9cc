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
from itertools import islice
from pathlib import Path

from ogas.datasets.found import Found, reading
from ogas.datasets.published.accounts import read_account
from ogas.datasets.published.labelled import Label
from ogas.datasets.published.layout import Kind, Layout, Valuation
from ogas.datasets.published.sheet_grid import SheetGrid, headings_of
from ogas.datasets.published.wanted import Wanted
from ogas.datasets.published.workbook import Cells, sheets, text_of
from ogas.engine.errors import InvalidInputError

LABELS = HEADINGS = 4
CODE, NAME, COUNTRY = 0, 1, 2
DEEPEST = 20  # rows in which the headings end
WORLD = "TOT"
DEMAND = {"CONS_h", "CONS_np", "CONS_g", "GFCF", "INVEN", "GGFC", "EXP"}
OUTPUT = re.compile(r"GO|(total )?output.*", re.IGNORECASE)
TOTAL = re.compile(r"II_fob|total intermediate.*", re.IGNORECASE)
UNIT = "million US$"
VALUATION = Valuation("basic prices", re.compile("TXSP|IntTTM"))
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
            rows = enumerate(book[sheet], start=1)
            headings = headings_of(found_headings(rows), LABELS)
            layout = Layout(column_kind, row_kind, _product, factor_of, VALUATION)
            account = read_account(SheetGrid(headings, LABELS, rows), layout, wanted)
        year = re.search(r"(?:19|20)\d\d", f"{sheet} {source.stem}")
        meta = {"title": f"WIOD {year.group() if year else ''}".strip(), "source": source.name}
        return account.found(UNIT, meta)


def found_headings(rows: Iterator[tuple[int, Cells]]) -> list[Cells]:
    """Return the four headings, the last of which counts the columns; reads the rows up to it.

    Raises
    ------
    InvalidInputError
        If there is no such row.
    """
    recent: list[Cells] = []
    for _, cells in islice(rows, DEEPEST):
        recent = [*recent[1 - HEADINGS :], cells]
        if len(recent) == HEADINGS and {"c1", "c2"} <= {text_of(cell) for cell in cells}:
            return recent
    raise InvalidInputError(
        f"none of the first {DEEPEST} rows counts the columns c1, c2, c3 ...",
        where=f"rows 1 to {DEEPEST}",
        advice="is this a table of WIOD, as published? national ones are --format niot, and a "
        "labelled square is --format square",
    )


def column_kind(label: Label) -> Kind:
    """Return what a column is; release 2013 has no codes above final demand."""
    if label[COUNTRY] == WORLD or OUTPUT.fullmatch(label[CODE] or label[NAME]):
        return Kind.OUTPUT
    return Kind.DEMAND if label[CODE] in {*DEMAND, ""} else Kind.PRODUCT


def row_kind(label: Label) -> Kind:
    """Return what a row is: by its country, and below the products by its code or name."""
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


def factor_of(label: Label) -> str:
    """Return the code of a primary input; release 2013 has names alone."""
    return label[CODE] or NAMES.get(label[NAME].lower(), label[NAME])
