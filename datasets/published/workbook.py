"""Sheets of workbooks, read row by row: .xlsx by openpyxl, binary .xlsb by python-calamine.

Both packages are extras. openpyxl holds a row at a time, python-calamine the sheet.
"""

import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from ogas.engine.errors import InvalidInputError, WrongUsageError

Cells = tuple[Any, ...]
BINARY, OTHERS = ".xlsb", (".xlsx", ".xlsm")
WORKBOOKS = (*OTHERS, BINARY)


@contextmanager
def sheets(file: Path) -> Iterator[dict[str, Iterator[Cells]]]:
    """Open a workbook: the rows of each sheet by its name; formulas as the values they had.

    Raises
    ------
    WrongUsageError
        If the package that reads it is not installed.
    InvalidInputError
        If it is a workbook of another kind.
    """
    suffix = file.suffix.lower()
    if suffix == BINARY:
        book = _package("python_calamine").CalamineWorkbook.from_path(file)
        yield {name: _rows(book.get_sheet_by_name(name)) for name in book.sheet_names}
    elif suffix in OTHERS:
        openpyxl = _package("openpyxl")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on styles and extensions, of which nothing is read
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            rows = {sheet.title: _cells(sheet) for sheet in book.worksheets}
            try:
                yield dict(rows)
            finally:
                for begun in rows.values():
                    begun.close()  # a sheet that is left half read holds the file open
                book.close()
    else:
        raise InvalidInputError(
            f"workbooks of the kind {suffix!r} are not read", advice="save it as .xlsx"
        )


def _cells(sheet: Any) -> Generator[Cells, None, None]:
    yield from sheet.iter_rows(values_only=True)


def _rows(sheet: Any) -> Iterator[Cells]:
    """Yield the rows of a sheet, from its first cell on; empty cells are empty texts."""
    yield from map(tuple, sheet.to_python(skip_empty_area=False))


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise WrongUsageError(
            f"such a workbook needs the package {name.replace('_', '-')}",
            advice="pip install 'ogas-engine[excel]'",
        ) from error


def text_of(cell: object) -> str:
    """Return the text of a cell; codes like 22 may have been stored as numbers."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell).strip()


def column_name(place: int) -> str:
    """Return what a spreadsheet calls a column.

    Examples
    --------
    >>> column_name(0), column_name(26), column_name(702)
    ('A', 'AA', 'AAA')
    """
    name = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        name = chr(ord("A") + letter) + name
    return name
