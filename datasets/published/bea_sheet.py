"""One sheet of a make, supply or use workbook of the US Bureau of Economic Analysis (BEA).

    summary                                            detail
         A       B                       C      D           A     B                      C
    6            Commodities/Industries  111CA  ...    5                                 Oilseed ...
    7    IOCode  Name                    Farms  ...    6    Code  Commodity Description  1111A0
    8    111CA   Farms                   43876  ...    7    1111A0  Oilseed farming      8332

The row that begins with ``IOCode`` or ``Code``, and the one above it, hold codes and names. A line
is what its code says: ``F01000`` or ``F010`` a final use, ``V00100`` or ``V001`` a primary input,
``MCIF`` imports, ``T008`` a total; the summary leaves the code of totals away. An empty cell
and ``...`` are 0, as BEA writes it. Rows of text below are notes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice

import numpy as np
import numpy.typing as npt

from ogas.datasets.published.workbook import Cells, column_name, text_of
from ogas.datasets.text import number_in
from ogas.engine.errors import InvalidInputError
from ogas.engine.table import Vector

LABELS = 2  # code and name
DEEPEST = 20  # rows in which the headings end
CORNERS = ("iocode", "code")
NOTHING = ("", "...", "…", "---")
CODE = re.compile(r"\w{2,8}")
FOOTNOTE = re.compile(r"\s*(/\d+/|\[\d+\])\s*$")
ROUNDED = 0.5  # of the last figure of every number that is added up


class Part(Enum):
    """What a row or a column of a make or use table holds."""

    OWN = "a commodity or industry"
    FINAL = "a final use"
    INPUT = "a primary input"
    PRICE = "an import, margin or tax"
    TOTAL = "a total"


PARTS = {
    Part.FINAL: re.compile(r"F\d\w{2,4}"),
    Part.INPUT: re.compile(r"V\d{3,5}|T00O(TOP|SUB)"),
    Part.PRICE: re.compile(r"MCIF|MADJ|TRADE|TRANS|MDTY|TOP|SUB", re.IGNORECASE),
    Part.TOTAL: re.compile(r"T\d\w*|VABAS|VAPRO"),
}
LESS = ("T00OSUB",)  # published as what is taken off
SUMS = re.compile(r"(total|sum of)\b.*", re.IGNORECASE)
OUTPUTS = re.compile(r"total (industry|commodity) output.*", re.IGNORECASE)


@dataclass(frozen=True)
class Side:
    """What goes down or across in a table: how headings call it, and what there may be of it."""

    noun: str
    stem: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Line:
    """A row or a column: code, name, what it holds, and where it stands."""

    code: str
    name: str
    part: Part
    place: str


@dataclass(frozen=True, eq=False)
class Sheet:
    """The numbers of a sheet, with its rows and columns.

    Attributes
    ----------
    rows, columns : sequence of Line
    values : (rows, columns) float64
    """

    rows: Sequence[Line]
    columns: Sequence[Line]
    values: npt.NDArray[np.float64]

    def part(self, rows: Part, columns: Part) -> npt.NDArray[np.float64]:
        """Return the numbers of the rows and columns of these kinds."""
        return self.values[np.ix_(_places(self.rows, rows), _places(self.columns, columns))]

    def of(self, part: Part, *, down: bool) -> list[Line]:
        """Return the rows, or the columns, of one kind."""
        return [line for line in (self.rows if down else self.columns) if line.part is part]

    def check_outputs(self) -> None:
        """Compare published outputs with what adds up to them.

        Raises
        ------
        InvalidInputError
            If one differs by more than rounding can do: something is missing, or there twice.
        """
        _check_outputs(self.rows, self.columns, self.values)
        _check_outputs(self.columns, self.rows, self.values.T)


def read_sheet(rows: Iterator[Cells], down: Side, across: Side) -> Sheet:
    """Read a sheet whose rows are ``down`` and whose columns are ``across``.

    Raises
    ------
    InvalidInputError
        If headings are missing or twice there, the sheet is the wrong way round, or a cell holds no
        number; naming row and column.
    """
    numbered = enumerate(rows, start=1)
    headings = _headings(numbered, down, across)
    lines: list[Line] = []
    values: list[Vector] = []
    for number, cells in numbered:
        code, name = (text_of(cell) for cell in (*cells, None, None)[:LABELS])
        full = [k for k, cell in enumerate(cells) if k >= LABELS and text_of(cell) not in NOTHING]
        if not full and not (code and name) and not SUMS.fullmatch(name):
            continue
        stray = next((k for k in full if k not in headings), None)
        if stray is not None:
            raise InvalidInputError(
                "a number stands under no heading",
                where=f"cell {column_name(stray)}{number}",
                advice="give the column its code back, or remove it",
            )
        lines.append(_line(code, name, f"row {number}", down))
        sign = -1.0 if code in LESS else 1.0
        values.append(sign * _numbers(cells, headings, number))
    _check_once(lines)
    if not any(line.part is Part.OWN for line in lines):
        raise InvalidInputError(f"it has no rows of {down.noun}", advice="get the workbook again")
    return Sheet(lines, list(headings.values()), np.array(values))


def _headings(rows: Iterator[tuple[int, Cells]], down: Side, across: Side) -> dict[int, Line]:
    """Return the columns by their place; reads the rows up to the last heading."""
    number, above, cells = _head(rows)
    corner = f"{text_of((*above, None, None)[1])} {text_of((*cells, None)[1])}".strip().lower()
    if corner.startswith(across.stem):
        raise _wrong_way(f"its heading says {corner!r}", f"cell B{number}", down, across)
    codes, names = sorted((above, cells), key=_codes, reverse=True)
    found = {}
    for k in range(LABELS, max(len(codes), len(names))):
        code, name = (text_of(row[k]) if k < len(row) else "" for row in (codes, names))
        if code or name:
            found[k] = _line(code, name, f"column {column_name(k)}", across)
    _check_once(list(found.values()))
    if not any(line.part is Part.OWN for line in found.values()):
        raise InvalidInputError(
            f"no column is one of the {across.noun}",
            where=f"row {number}",
            advice="keep the codes and names above the numbers",
        )
    return found


def _head(rows: Iterator[tuple[int, Cells]]) -> tuple[int, Cells, Cells]:
    """Return the row that begins with a corner, its number, and the row above."""
    above: Cells = ()
    for number, cells in islice(rows, DEEPEST):
        if text_of(next(iter(cells), None)).lower() in CORNERS:
            return number, above, cells
        above = cells
    raise InvalidInputError(
        f"none of the first {DEEPEST} rows begins with IOCode or Code",
        where="column A",
        advice="is this a make or use table as BEA publishes it? keep its headings",
    )


def _codes(cells: Cells) -> int:
    """Count the cells that look like codes: with a digit, in capitals, without spaces."""
    texts = map(text_of, cells[LABELS:])
    return sum(bool(CODE.fullmatch(t)) and bool(re.search(r"\d", t)) for t in texts)


def _line(code: str, name: str, place: str, side: Side) -> Line:
    if not code and not SUMS.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} has no code" if name else "numbers without code and name",
            where=place,
            advice="keep the codes as BEA publishes them",
        )
    named = (part for part, form in PARTS.items() if form.fullmatch(code))
    part = next(named, Part.OWN) if code else Part.TOTAL
    if part not in side.parts:
        raise InvalidInputError(
            f"{code} ({name}) is {part.value}, among the {side.noun}",
            where=place,
            advice="is the sheet transposed, or is this another table? make has industries down "
            "and commodities across, supply and use commodities down and industries across",
        )
    return Line(code, FOOTNOTE.sub("", name), part, place)


def _numbers(cells: Cells, headings: dict[int, Line], number: int) -> Vector:
    values = np.zeros(len(headings))
    for at, (k, line) in enumerate(headings.items()):
        cell = cells[k] if k < len(cells) else None
        if isinstance(cell, int | float) and np.isfinite(cell):
            values[at] = cell
        elif text_of(cell) not in NOTHING:
            place = f"cell {column_name(k)}{number} ({line.code or line.name})"
            values[at] = number_in(str(cell), place)
    return values


def _check_once(lines: Sequence[Line]) -> None:
    seen: dict[str, str] = {}
    for line in lines:
        if line.code in seen:
            raise InvalidInputError(
                f"the code {line.code} is there twice",
                where=f"{seen[line.code]} and {line.place}",
                advice="keep one of the two",
            )
        if line.code:
            seen[line.code] = line.place


def _check_outputs(lines: Sequence[Line], others: Sequence[Line], values: np.ndarray) -> None:
    parts = np.array([line.part not in (Part.TOTAL, Part.PRICE) for line in lines])
    owns = _places(others, Part.OWN)
    for total in _places(lines, Part.TOTAL):
        if not OUTPUTS.fullmatch(lines[total].name):
            continue
        sums = values[parts][:, owns].sum(axis=0)
        apart = np.abs(values[total, owns] - sums)
        worst = int(np.argmax(apart))
        if apart[worst] > ROUNDED * (1 + parts.sum()):
            raise InvalidInputError(
                f"{lines[total].name} is {values[total, owns[worst]]:.10g}, but what adds up to it "
                f"is {sums[worst]:.10g}",
                where=f"{lines[total].place}, {others[owns[worst]].place}",
                advice="is a row or column missing, or a number changed? get the workbook again",
            )


def _places(lines: Sequence[Line], part: Part) -> list[int]:
    return [k for k, line in enumerate(lines) if line.part is part]


def _wrong_way(what: str, where: str, down: Side, across: Side) -> InvalidInputError:
    return InvalidInputError(
        f"{what}: the sheet is the wrong way round",
        where=where,
        advice=f"transpose it: {down.noun} go down and {across.noun} across",
    )
