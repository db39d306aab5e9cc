"""A demand from a file: CSV ``id, demand[, lower, upper]``, which replaces the table's own.

Products that are not listed are not wanted: their demand is 0, and so are its bounds.
"""

from pathlib import Path

import numpy as np

from ogas.datasets.columns import places, positions, read_columns
from ogas.datasets.found import reading
from ogas.engine.errors import DamagedError, InvalidInputError
from ogas.engine.header import Header
from ogas.engine.table import Vector


def read_demand(file: Path | str, table: Header) -> tuple[Vector, Vector | None, Vector | None]:
    """Return demand and, where the file has them, lower and upper bounds, in the table's order.

    Raises
    ------
    InvalidInputError
        If a product is unknown or listed twice, a number is not finite, or the bounds do not
        enclose the demand; with the row.
    DamagedError
        If the file cannot be read.
    """
    file = Path(file)
    if file.is_dir():
        raise DamagedError(
            "this is a folder, not a file", where=str(file), advice="name a CSV file id,demand"
        )
    with reading(file):
        columns = read_columns(file)
        columns.need("id", "demand")
        products = np.array(places(columns, "id", positions(table.ids)), dtype=np.int64)
        _once(products, columns.texts("id"), columns.first_row)
        given = {
            name: columns.numbers(name)
            for name in ("demand", "lower", "upper")
            if name in columns.cells
        }
        for low, high in (("lower", "demand"), ("demand", "upper")):
            if low in given and high in given and (given[low] > given[high]).any():
                row = int(np.flatnonzero(given[low] > given[high])[0])
                raise InvalidInputError(
                    f"{low} {given[low][row]:g} is above {high} {given[high][row]:g}",
                    where=columns.row(row),
                    advice="lower <= demand <= upper must hold",
                )
    spread = {name: np.zeros(len(table)) for name in given}
    for name, values in given.items():
        spread[name][products] = values
    return spread["demand"], spread.get("lower"), spread.get("upper")


def _once(products: np.ndarray[tuple[int], np.dtype[np.int64]], ids: list[str], row: int) -> None:
    unique, first = np.unique(products, return_index=True)
    if unique.size < products.size:
        again = int(np.setdiff1d(np.arange(products.size), first)[0])
        raise InvalidInputError(
            f"the product {ids[again]!r} is listed twice",
            where=f"row {again + row}",
            advice="keep one row for each product",
        )
