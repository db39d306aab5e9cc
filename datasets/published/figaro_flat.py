"""The flat form of a FIGARO table: one line for each cell of the account, in any order."""

import csv
from array import array
from collections.abc import Iterator
from operator import itemgetter
from typing import BinaryIO

import numpy as np
from scipy.sparse import coo_array, csr_array

from ogas.datasets.published.labelled import Label, Row, Takes, every
from ogas.datasets.text import Lines, number_in, plain_number
from ogas.engine.errors import InvalidInputError

VALUE = "obsValue"
AREAS = ("refArea", "counterpartArea")
SQUARES = (("rowIi", "colIi"), ("rowPi", "colPi"))


class FlatGrid:
    """The cells, held at 16 bytes each and given out row by row, as if it were the matrix."""

    def __init__(self, stream: BinaryIO) -> None:
        self._text = Lines(stream)
        lines = csv.reader(self._text)
        places = _places(next(lines, []))
        pick, most = itemgetter(*places), max(places)
        suppliers: dict[str, int] = {}
        users: dict[str, int] = {}
        rows, columns, values = array("i"), array("i"), array("d")
        for number, cells in enumerate(lines, start=2):
            if len(cells) <= most:
                raise InvalidInputError(
                    f"{len(cells)} cells, but the header has more",
                    where=f"row {number}",
                    advice="complete the row",
                )
            area, row, counterpart, column, text = pick(cells)
            supplier, user = f"{area}_{row}", f"{counterpart}_{column}"
            rows.append(suppliers.setdefault(supplier, len(suppliers)))
            columns.append(users.setdefault(user, len(users)))
            value = plain_number(text)
            if value is None:
                value = number_in(text, f"row {number}, column {VALUE}")
            values.append(value)
        if not values:
            raise InvalidInputError("the file has no rows", advice="it lists the cells of a table")
        self._suppliers, self._users = suppliers, users
        self._matrix = self._cells(np.array(rows), np.array(columns), np.array(values))

    @property
    def columns(self) -> list[Label]:
        """The labels of the columns, ``area_code``."""
        return [(name,) for name in self._users]

    def place(self, column: int) -> str:
        """Return which column of the matrix this is; in the file there is none."""
        return f"column {self.columns[column][0]}"

    def rows(self, takes: Takes = every) -> Iterator[Row]:
        """Yield the rows whose label ``takes`` accepts."""
        for name, row in self._suppliers.items():
            if takes((name,)):
                values = np.zeros(len(self._users))
                entries = slice(self._matrix.indptr[row], self._matrix.indptr[row + 1])
                values[self._matrix.indices[entries]] = self._matrix.data[entries]
                yield Row((name,), values, f"row {name}")

    def messages(self) -> tuple[str, ...]:
        """Return what was decided while reading."""
        return self._text.messages()

    def _cells(
        self,
        rows: np.ndarray[tuple[int], np.dtype[np.int32]],
        columns: np.ndarray[tuple[int], np.dtype[np.int32]],
        values: np.ndarray[tuple[int], np.dtype[np.float64]],
    ) -> csr_array:
        width = len(self._users)
        cells = np.sort(rows.astype(np.int64) * width + columns)
        again = cells[1:][cells[1:] == cells[:-1]]
        if again.size:
            row, column = divmod(int(again[0]), width)
            lines = np.flatnonzero(rows.astype(np.int64) * width + columns == again[0]) + 2
            raise InvalidInputError(
                f"the cell of {list(self._suppliers)[row]} and {list(self._users)[column]} is "
                "there twice",
                where=f"rows {lines[0]:,} and {lines[1]:,}",
                advice="is this more than one year, or one file behind another?",
            )
        shape = (len(self._suppliers), width)
        return csr_array(coo_array((values, (rows, columns)), shape=shape))


def _places(head: list[str]) -> list[int]:
    """Return where area, row, area, column and value stand in a line."""
    names = [name.strip() for name in head]
    square = next((pair for pair in SQUARES if set(pair) <= set(names)), None)
    if square is None or not {*AREAS, VALUE} <= set(names):
        raise InvalidInputError(
            f"its columns are {', '.join(names) or 'missing'}",
            where="row 1",
            advice="an input-output table has refArea, rowIi, counterpartArea, colIi and obsValue "
            "(rowPi and colPi for products); supply and use tables are no square",
        )
    wanted = (AREAS[0], square[0], AREAS[1], square[1], VALUE)
    return [names.index(name) for name in wanted]
