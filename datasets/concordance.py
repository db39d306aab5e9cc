"""A concordance from a file: to which aggregates the products of a table belong.

    from,to[,share]      CSV or Parquet; a share that is left out is 1

A product may stand in several rows, its shares then add up to 1. Every product of the table has to
be there, and no other.
"""

from pathlib import Path

import numpy as np
from scipy.sparse import coo_array, csr_array

from ogas.datasets.columns import Columns, labels, need_all, places, positions, read_columns
from ogas.datasets.found import reading
from ogas.engine.aggregation import Concordance
from ogas.engine.errors import InvalidInputError
from ogas.engine.table import Integers, Labels, Vector

SLACK = 5e-6  # by which shares that are written with six decimals may miss 1


def read_concordance(file: Path, ids: Labels) -> Concordance:
    """Read a concordance for the products ``ids``; aggregates in order of appearance.

    Raises
    ------
    InvalidInputError
        Naming file, row and product: one that is unknown, that is there twice with the same
        aggregate, whose share is not between 0 and 1, whose shares do not add up to 1, or that is
        not there at all.
    DamagedError
        If the file cannot be read.
    """
    with reading(file):
        columns = read_columns(file)
        columns.need("from", "to")
        rows = np.array(places(columns, "from", positions(ids)), dtype=np.int64)
        names = columns.texts("to")
        known = {name: place for place, name in enumerate(dict.fromkeys(names))}
        aggregates = np.array([known[name] for name in names], dtype=np.int64)
        has_shares = "share" in columns.cells
        shares = columns.numbers("share") if has_shares else np.ones(len(rows))
        _check_rows(columns, rows, aggregates, shares)
        matrix = coo_array((shares, (rows, aggregates)), shape=(len(ids), len(known)))
        totals = np.asarray(matrix.sum(axis=1))
        _check_totals(columns, rows, totals, ids)
        exact = csr_array(coo_array((shares / totals[rows], (rows, aggregates)), matrix.shape))
        exact.eliminate_zeros()
        return Concordance(labels(list(known)), exact)


def _check_rows(columns: Columns, rows: Integers, aggregates: Integers, shares: Vector) -> None:
    def product(row: int) -> str:
        return repr(columns.texts("from")[row])

    wrong = np.flatnonzero((shares < 0) | (shares > 1))
    if wrong.size:
        row = int(wrong[0])
        raise InvalidInputError(
            f"the share of product {product(row)} is {shares[row]:g}",
            where=columns.row(row),
            advice="a share is between 0 and 1",
        )
    blank = next((row for row, name in enumerate(columns.texts("to")) if not name.strip()), None)
    if blank is not None:
        raise InvalidInputError(
            f"product {product(blank)} has no aggregate", where=columns.row(blank)
        )
    pairs = np.column_stack([rows, aggregates])
    _, first = np.unique(pairs, axis=0, return_index=True)
    again = np.setdiff1d(np.arange(len(rows)), first)
    if again.size:
        row = int(again[0])
        raise InvalidInputError(
            f"product {product(row)} is there twice with {columns.texts('to')[row]!r}",
            where=columns.row(row),
            advice="keep one row for each pair",
        )


def _check_totals(columns: Columns, rows: Integers, totals: Vector, ids: Labels) -> None:
    need_all(ids, rows, "give every product of the table an aggregate")
    wrong = np.flatnonzero(np.abs(totals - 1) > SLACK)
    if wrong.size:
        product = int(wrong[0])
        raise InvalidInputError(
            f"the shares of product {ids[product]!s} add up to {totals[product]:.10g}, not to 1",
            where=columns.row(int(np.flatnonzero(rows == product)[0])),
            advice="correct its shares",
        )
