"""A labelled square CSV: the table as economists print it.

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

from ogas.datasets.columns import Columns, labels, read_rows, write_rows
from ogas.datasets.found import Found, reading
from ogas.engine.errors import InvalidInputError, WrongUsageError
from ogas.engine.header import Header
from ogas.engine.table import Table, Vector, coefficients_from

EXTRA = ("demand", "output")
MOST_PRODUCTS = 5000  # beyond, a square of text is not a form any more: 25 million cells


def read_square(file: Path) -> Found:
    """Read a labelled square of coefficients or flows."""
    with reading(file):
        header, rows = read_rows(file)
        products = [name for name in header[1:] if name not in EXTRA]
        n = len(products)
        order = _order(products, [row[0].strip() for row in rows])
        cells = Columns(dict(zip(header, zip(*rows[:n], strict=True), strict=True)), 2)
        numbers = {name: cells.numbers(name)[order] for name in header[1:]}
        A = np.column_stack([numbers[name] for name in products])
        factors = {row[0].strip(): _factor(header, row, k) for k, row in enumerate(rows[n:], n + 2)}
        vectors: dict[str, Any] = {name: numbers[name] for name in EXTRA if name in numbers}
        found = Header(ids=labels(products), factors=factors, **vectors)
        return Found(coefficients_from(csr_array(A)), found)


def _order(products: list[str], rows: list[str]) -> list[int]:
    """Return in which row each product stands; every column needs one."""
    n = len(products)
    for part in (rows[:n], rows[n:]):
        again = next((name for name in part if part.count(name) > 1), None)
        if again is None:
            continue
        raise InvalidInputError(f"two rows are called {again!r}", advice="rename or merge them")
    place = {name: row for row, name in enumerate(rows[:n])}
    missing = next((name for name in products if name not in place), None)
    if missing is not None or not products:
        raise InvalidInputError(
            f"the table is not square: the column {missing!r} has no row among the first {n}",
            advice="a part of final demand belongs into the column `demand`; every other column "
            "needs a row of the same name",
        )
    return [place[name] for name in products]


def _factor(header: list[str], row: list[str], number: int) -> Vector:
    pairs = zip(header[1:], row[1:], strict=True)
    cells = [cell for name, cell in pairs if name not in EXTRA]
    try:
        return Columns({row[0]: cells}, 1).numbers(row[0])
    except InvalidInputError as error:
        raise InvalidInputError(error.message, where=f"row {number}") from None


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
