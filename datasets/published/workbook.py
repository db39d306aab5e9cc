"""Sheets of .xlsx workbooks, read row by row; needs the extra package openpyxl."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from ogas.engine.errors import InvalidInputError, WrongUsageError

Cells = tuple[Any, ...]
BINARY = (".xlsb", ".xls")


@contextmanager
def sheets(file: Path) -> Iterator[dict[str, Iterator[Cells]]]:
    """Open a workbook: the rows of each sheet by its name; formulas as the values they had.

    Raises
    ------
    WrongUsageError
        If openpyxl is not installed.
    InvalidInputError
        If it is a binary workbook.
    """
    if file.suffix.lower() in BINARY:
        raise InvalidInputError(
            f"workbooks of the kind {file.suffix} are not read",
            advice="open it in a spreadsheet program and save it as .xlsx",
        )
    try:
        openpyxl = import_module("openpyxl")
    except ImportError as error:
        raise WrongUsageError(
            "workbooks need the package openpyxl", advice="pip install 'ogas-engine[excel]'"
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on styles and extensions, of which nothing is read
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        try:
            yield {sheet.title: sheet.iter_rows(values_only=True) for sheet in book.worksheets}
        finally:
            book.close()


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
