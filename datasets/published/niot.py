"""National tables that tell imports from domestic products: WIOD's NIOT, and others in that form.

    Year  Code    Description  Origin     A01   A02  ...  CONS_h  ...  INVEN  EXP   GO
                  (names)                 Crop  ...
    2000  A01     Crop ...     Domestic   ...                                            Zd, yd, x
    2000  A01     Crop ...     Imports    ...                                            Zm, ym
    2000  II_fob  Total ...    TOT        also TXSP EXP_adj PURR PURNR VA IntTTM GO

That is release 2016: one sheet, ``National IO-tables``, of all years, or the same as CSV; ``Year``
and ``Description`` may be absent, columns ``demand`` and ``output`` are understood. Release 2013
has a sheet for every year, with the headings of the world tables (`ogas.datasets.published.wiod`),
and ``Domestic`` or ``Imports`` where those have the country.

Flows are at basic prices, million US$. Which coefficients are made is said on
`ogas.datasets.published.imports`: of domestic products, unless ``--imports total`` is asked for.
The year is the newest, unless ``--year`` names one; both are told.

Source: Timmer et al. (2015), Review of International Economics 23:575; wiod.org, releases 2013 and
2016, national input-output tables.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from ogas.datasets.found import Found, reading
from ogas.datasets.published import wiod
from ogas.datasets.published.accounts import Account, read_account
from ogas.datasets.published.labelled import Label
from ogas.datasets.published.layout import Kind, Layout
from ogas.datasets.published.sheet_grid import SheetGrid, headings_of
from ogas.datasets.published.wanted import DOMESTIC, Wanted
from ogas.datasets.published.workbook import OTHERS, Cells, sheets, text_of
from ogas.datasets.text import Lines
from ogas.engine.errors import InvalidInputError

YEAR, CODE, NAME, ORIGIN = "year", "code", "description", "origin"
OWN, IMPORTED, NEITHER = ("domestic",), ("imports", "imported"), ("tot", "total", "")
YEARS = re.compile(r"(?:19|20)\d\d")
DEMAND, OUTPUT = "demand", "output"  # as in a square
Numbered = Iterator[tuple[int, Cells]]


@dataclass(frozen=True)
class Head:
    """Where in a row the labels stand, and how many there are."""

    places: dict[str, int]

    @property
    def count(self) -> int:
        """How many columns are labels; numbers follow."""
        return max(self.places.values()) + 1

    def label(self, label: Label) -> Label:
        """Return code, name, origin and number, as the pages on WIOD have it."""
        code, name, origin = (self._text(label, part) for part in (CODE, NAME, ORIGIN))
        return code, name, origin, ""

    def _text(self, label: Label, part: str) -> str:
        return label[self.places[part]] if part in self.places else ""


def is_niot(head: Sequence[str]) -> bool:
    """Return whether these are the headings of such a list."""
    return {CODE, ORIGIN} <= {name.lower() for name in head}


def is_niot_book(source: Path) -> bool:
    """Return whether a sheet of a workbook is such a list, or has such labels."""
    if source.suffix.lower() not in OTHERS:  # both releases are .xlsx
        return False
    with sheets(source) as book:
        return any(_is_national(islice(rows, wiod.DEEPEST)) for rows in book.values())


def read_niot(source: Path, wanted: Wanted) -> Found:
    """Read a year of a national table.

    Raises
    ------
    WrongUsageError
        If the year that was asked for is not there.
    InvalidInputError
        Naming the sheet, the row and the column.
    """
    with reading(source):
        if source.suffix.lower() not in OTHERS:
            with source.open("rb") as stream:
                text = Lines(stream)
                rows = enumerate(map(tuple, csv.reader(text)), start=1)
                year, account = _of_list(rows, wanted)
                messages = text.messages()
        else:
            messages = ()
            with sheets(source) as book:
                year, account = _of_book(book, wanted)
        title = f"national table {source.stem.split('_')[0]} {year}".strip()
        meta = {"title": title, "source": source.name, "imports": wanted.imports or DOMESTIC}
        found = account.found(wiod.UNIT, meta)
    return Found(found.matrix, found.header, messages + found.messages, found.levels)


def _of_book(book: dict[str, Iterator[Cells]], wanted: Wanted) -> tuple[str, Account]:
    """Read the sheet of the year, or the year in the sheet of all."""
    years = {found.group(): name for name in book if (found := YEARS.search(name))}
    if years:
        year, said = wanted.year_of(list(years))
        with reading(Path(f"sheet {years[year]}")):
            return year, _of_sheet(enumerate(book[years[year]], start=1), wanted).with_message(said)
    for name, cells in book.items():
        first = list(islice(cells, wiod.DEEPEST))
        if _is_national(first):
            with reading(Path(f"sheet {name}")):
                return _of_list(enumerate(chain(first, cells), start=1), wanted)
    raise InvalidInputError(
        f"no sheet tells Domestic from Imports; there are {', '.join(book)}",
        advice="keep the headings Year, Code, Description, Origin",
    )


def _is_national(rows: Iterable[Cells]) -> bool:
    """Return whether the first rows have the headings of the list, or the labels of the sheets."""
    for row in rows:
        texts = [text_of(cell).lower() for cell in row[: wiod.LABELS + 1]]
        if is_niot(texts) or texts[wiod.COUNTRY : wiod.COUNTRY + 1] in (["domestic"], ["imports"]):
            return True
    return False


def _of_sheet(rows: Numbered, wanted: Wanted) -> Account:
    """Read a sheet of release 2013."""
    headings = headings_of(wiod.found_headings(rows), wiod.LABELS)
    layout = Layout(wiod.column_kind, _row, _product, wiod.factor_of, wiod.VALUATION)
    return read_account(SheetGrid(headings, wiod.LABELS, rows), layout, wanted)


def _of_list(rows: Numbered, wanted: Wanted) -> tuple[str, Account]:
    """Read a year of the list of all years."""
    head, names = _head(rows)
    said, year = "", ""
    if YEAR in head.places:
        place = head.places[YEAR]
        kept = list(rows)
        year, said = wanted.year_of(_years(kept, place))
        rows = iter([row for row in kept if text_of(_at(row[1], place)) == year])
    headings = headings_of([names], head.count)
    layout = Layout(
        _column,
        lambda label: _row(head.label(label)),
        lambda label: _product(head.label(label) if len(label) > 1 else label),
        lambda label: wiod.factor_of(head.label(label)),
        wiod.VALUATION,
    )
    account = read_account(SheetGrid(headings, head.count, rows), layout, wanted)
    return year, account.with_message(said) if said else account


def _head(rows: Numbered) -> tuple[Head, Cells]:
    for number, cells in islice(rows, wiod.DEEPEST):
        texts = [text_of(cell).lower() for cell in cells]
        if not is_niot(texts):
            continue
        head = Head(
            {name: texts.index(name) for name in (YEAR, CODE, NAME, ORIGIN) if name in texts}
        )
        if head.count > len(head.places):
            stray = next(k for k in range(head.count) if k not in head.places.values())
            raise InvalidInputError(
                f"{text_of(cells[stray])!r} stands among the labels",
                where=f"row {number}, column {stray + 1}",
                advice="put Year, Code, Description and Origin first, then the numbers",
            )
        return head, cells
    raise InvalidInputError(
        "no row has the headings Code and Origin",
        where=f"rows 1 to {wiod.DEEPEST}",
        advice="is this a national table of WIOD? name its form with --format",
    )


def _years(rows: Sequence[tuple[int, Cells]], place: int) -> list[str]:
    found = {}
    for number, cells in rows:
        text = text_of(_at(cells, place))
        if text and not YEARS.fullmatch(text):
            raise InvalidInputError(
                f"{text!r} is no year",
                where=f"row {number}, column {place + 1}",
                advice="write a year like 2014",
            )
        if text:
            found[text] = number
    if not found:
        raise InvalidInputError("no row has a year", where=f"column {place + 1}", advice="add it")
    return list(found)


def _at(cells: Cells, place: int) -> object:
    return cells[place] if place < len(cells) else None


def _column(label: Label) -> Kind:
    if wiod.OUTPUT.fullmatch(label[0]):
        return Kind.OUTPUT
    return Kind.DEMAND if label[0] in {*wiod.DEMAND, DEMAND} else Kind.PRODUCT


def _row(label: Label) -> Kind:
    """Return what a row is, given its code, name and origin."""
    origin = label[wiod.COUNTRY].lower()
    if origin in IMPORTED:
        return Kind.IMPORT
    if origin in OWN:
        return Kind.DEMAND if label[wiod.CODE] in wiod.DEMAND else Kind.PRODUCT
    if origin in NEITHER:
        return wiod.row_kind((*label[: wiod.COUNTRY], wiod.WORLD, ""))
    raise InvalidInputError(
        f"the origin {label[wiod.COUNTRY]!r} is neither Domestic, Imports nor TOT",
        advice="say of every row where it comes from; totals and primary inputs are TOT",
    )


def _product(label: Label) -> tuple[str, str]:
    return "", label[0]
