"""Row or column totals from a file: CSV or Parquet ``id, total[, output]``, every product once."""

from pathlib import Path

import numpy as np

from ogas.datasets.columns import Columns, need_all, places, positions, read_columns
from ogas.datasets.found import reading
from ogas.engine.errors import InvalidInputError
from ogas.engine.table import Integers, Labels, Vector


def read_totals(file: Path, ids: Labels) -> tuple[Vector, Vector | None]:
    """Return the totals and, where the file has them, new outputs, in the table's order.

    Raises
    ------
    InvalidInputError
        If a product is unknown, listed twice or not at all, a number is not finite, or an output
        is negative; with the row.
    DamagedError
        If the file cannot be read.
    """
    with reading(file):
        columns = read_columns(file)
        columns.need("id", "total")
        products = np.array(places(columns, "id", positions(ids)), dtype=np.int64)
        _check_once(columns, products, ids)
        total = np.zeros(len(ids))
        total[products] = columns.numbers("total")
        if "output" not in columns.cells:
            return total, None
        given = columns.numbers("output")
        if (given < 0).any():
            raise InvalidInputError(
                f"output is negative ({given.min():g})", where=columns.row(int(np.argmin(given)))
            )
        output = np.zeros(len(ids))
        output[products] = given
        return total, output


def _check_once(columns: Columns, products: Integers, ids: Labels) -> None:
    _, first = np.unique(products, return_index=True)
    if first.size < products.size:
        again = int(np.setdiff1d(np.arange(products.size), first)[0])
        raise InvalidInputError(
            f"the product {columns.texts('id')[again]!r} is listed twice",
            where=columns.row(again),
            advice="keep one row for each product",
        )
    need_all(ids, products, "give every product its total; 0 where nothing flows")
