"""A labelled square, CSV or the only sheet of a workbook: the table as economists print it.

               steel   bread   demand   output
    steel       0.1     0.2       3       10
    bread       0.0     0.1       5        8
    labour      2.0     1.0

The header names the products; each of the first n rows is one of them, in any order, supplying
along the row. The columns ``demand`` and ``output`` are optional. Rows after the n products are
factors: per unit, or in total where the file holds flows.
"""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ogas.datasets.columns import Columns, checked, labels, read_rows, write_rows
from ogas.datasets.found import Found, reading
from ogas.datasets.published.doubts import is_total
from ogas.datasets.published.workbook import WORKBOOKS, sheets, text_of
from ogas.datasets.text import number_in, plain_number
from ogas.engine.errors import InvalidInputError, WrongUsageError
from ogas.engine.header import Header
from ogas.engine.table import Table, Vector, coefficients_from

EXTRA = ("demand", "output")
MOST_PRODUCTS = 5000  # beyond, a square of text is not a form any more: 25 million cells


def read_square(file: Path) -> Found:
    """Read a labelled square of coefficients or flows."""
    with reading(file):
        if file.suffix.lower() not in WORKBOOKS:
            return _read(*read_rows(file))
        name, rows = _only_sheet(file)
        with reading(Path(f"sheet {name}")):
            return _read(*checked(rows))


def _only_sheet(file: Path) -> tuple[str, list[list[str]]]:
    """Return the one sheet that is not empty: its name, and its rows up to the last text."""
    with sheets(file) as book:
        full = {name: [[text_of(cell) for cell in row] for row in book[name]] for name in book}
    full = {name: rows for name, rows in full.items() if any(map(any, rows))}
    if len(full) != 1:
        raise InvalidInputError(
            f"{len(full)} sheets are not empty: {', '.join(full)}",
            advice="keep the one that holds the table",
        )
    name, rows = full.popitem()
    width = max(k + 1 for row in rows for k, text in enumerate(row) if text)
    return name, [(row + [""] * width)[:width] for row in rows if any(row)]


def _read(header: list[str], rows: list[list[str]]) -> Found:
    products = [name for name in header[1:] if name not in EXTRA]
    n = len(products)
    order = _order(products, header, rows)
    cells = Columns(dict(zip(header, zip(*rows[:n], strict=True), strict=True)), 2)
    numbers = {name: cells.numbers(name)[order] for name in header[1:]}
    A = np.column_stack([numbers[name] for name in products])
    factors = {row[0].strip(): _factor(header, row, k) for k, row in enumerate(rows[n:], n + 2)}
    vectors: dict[str, Any] = {name: numbers[name] for name in EXTRA if name in numbers}
    found = Header(ids=labels(products), factors=factors, **vectors)
    return Found(coefficients_from(csr_array(A)), found)


def _order(products: list[str], header: list[str], rows: list[list[str]]) -> list[int]:
    """Return in which row each product stands; every column needs one."""
    n, seen = len(products), dict[str, int]()
    for number, row in enumerate(rows, start=2):
        name = row[0].strip()
        if name in seen:
            raise InvalidInputError(
                f"two rows are called {name!r}",
                where=f"rows {seen[name]} and {number}",
                advice="rename or merge them",
            )
        seen[name] = number
        if name in EXTRA:
            raise InvalidInputError(
                f"{name} stands in a row",
                where=f"row {number}",
                advice=f"make it the column `{name}`; where all are this way round, transpose: "
                "suppliers in rows, users in columns",
            )
    if not products or any(seen.get(name, n + 2) > n + 1 for name in products):
        raise _not_square(products, header, rows)
    return [seen[name] - 2 for name in products]


def _not_square(products: list[str], header: list[str], rows: list[list[str]]) -> InvalidInputError:
    """Say which column has no row, which row no column, and whether one of them is a total."""
    n = len(products)
    names = [row[0].strip() for row in rows]
    cells = np.array([[plain_number(cell) or 0.0 for cell in row[1:]] for row in rows])
    missing = next((name for name in products if name not in names[:n]), None)
    odd = next((k for k, name in enumerate(names[:n]) if name not in products), None)
    places, said = [], []
    if odd is not None:
        places.append(f"row {odd + 2}")
        said.append(f"the row {names[odd]!r} has no column{_total(cells, odd)}")
    if missing is not None:
        at = header.index(missing)
        places.append(f"column {at + 1}")
        total = _total(cells.T, at - 1) if rows else ""
        said.append(f"the column {missing!r} has no row among the first {n}{total}")
    return InvalidInputError(
        "the table is not square: " + (", ".join(said) or "it has no columns"),
        where=", ".join(places),
        advice="a part of final demand belongs into the column `demand`, factors below the "
        "products, totals nowhere; every other column needs a row of the same name",
    )


def _total(lines: np.ndarray[Any, Any], place: int) -> str:
    return " and is the sum of others, a total" if is_total(lines, place) else ""


def _factor(header: list[str], row: list[str], number: int) -> Vector:
    pairs = zip(header[1:], row[1:], strict=True)
    cells = [(name, cell) for name, cell in pairs if name not in EXTRA]
    return np.array([number_in(cell, f"row {number}, column {name}") for name, cell in cells])


def write_square(table: Table, file: Path) -> tuple[str, ...]:
    """Write coefficients, demand, output and factors; say what else there was.

    Raises
    ------
    WrongUsageError
        If the square would have more cells than anyone reads.
    """
    n = len(table)
    if n > MOST_PRODUCTS:
        raise WrongUsageError(
            f"{n:,} products are too many for a square",
            advice="write an edge list or an npz",
        )
    ids = [str(name) for name in table.ids.tolist()]
    odd = next((name for name in ids if name in (*EXTRA, "") or name != name.strip()), None)
    if odd is not None:
        raise WrongUsageError(
            f"a square cannot have a product called {odd!r}", advice="write an edge list or an npz"
        )
    twice = next((name for name in table.factors if name in (*EXTRA, *ids)), None)
    if twice is not None:
        raise WrongUsageError(
            f"a square cannot have a factor called {twice!r}, as another row or column is",
            advice="write an npz",
        )
    vectors = {name: v for name in EXTRA if (v := getattr(table, name)) is not None}
    body = np.column_stack([table.coefficients.toarray(), *vectors.values()])
    rows = [[name, *row] for name, row in zip(ids, body.tolist(), strict=True)]
    rows += [
        [name, *amounts.tolist(), *[""] * len(vectors)] for name, amounts in table.factors.items()
    ]
    write_rows(file, ["", *ids, *vectors], rows)
    lost = [
        name
        for name in ("names", "units", "factor_units", "price", "blocks", "rank", "meta")
        if getattr(table, name) is not None and len(getattr(table, name))
    ]
    return (f"not written, this form has no place for them: {', '.join(lost)}",) if lost else ()
