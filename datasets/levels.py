"""Levels: what a table can be cut by, and the file that says the block of every product.

    --blocks by:region     a level: labels of the products, from the source or from their ids
    --blocks file.csv      id,block

Levels come from the source (further columns of a product list, further arrays of the exchange form)
or from ids that join two codes, as in the tables of the world:

    AUS|c1  AUS|c2 ... USA|c1 ...       country: AUS, USA ...    sector: c1, c2 ...
    prefixN                             the first N characters of the ids, for codes like 1111A0
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ogas.datasets.arrays import Array
from ogas.datasets.columns import Columns, need_all, places, positions, read_columns
from ogas.datasets.found import reading
from ogas.engine.errors import InvalidInputError, WrongUsageError
from ogas.engine.table import Labels

SEPARATORS = "|:_"
FULL = 0.5  # share of the pairs of codes that are there, at least, if ids join codes


def level(name: str, ids: Labels, given: Mapping[str, Array]) -> Array:
    """Return the labels of a level, one for each product; what the source gives comes first.

    Examples
    --------
    >>> ids = np.array(["AUS|c1", "AUS|c2", "USA|c1", "USA|c2"])
    >>> level("country", ids, {}).tolist()
    ['AUS', 'AUS', 'USA', 'USA']
    >>> level("prefix1", ids, {}).tolist()
    ['A', 'A', 'U', 'U']

    Raises
    ------
    WrongUsageError
        If there is no such level; the message lists those that exist.
    """
    known = {**codes_in(ids), **given}
    if name in known:
        return known[name]
    length = re.fullmatch(r"prefix([1-9]\d{0,2})", name)
    if length:
        return ids.astype(np.str_).astype(f"U{length.group(1)}")
    raise WrongUsageError(
        f"there is no level {name!r} in this table",
        advice=f"there are: {', '.join([*known, 'prefixN (first N characters of the ids)'])}",
    )


def codes_in(ids: Labels) -> dict[str, Array]:
    """Return country and sector, if every id joins two codes that both recur.

    To tell codes from names with a bar in them, at least half of all pairs must be there.
    """
    if ids.dtype.kind != "U":
        return {}
    texts = ids.astype(np.str_)
    for separator in SEPARATORS:
        parts = np.char.partition(texts, separator)
        if not (parts[:, 2] != "").all():
            continue
        country, sector = parts[:, 0], parts[:, 2]
        pairs = np.unique(country).size * np.unique(sector).size
        smaller = min(np.unique(country).size, np.unique(sector).size)
        if smaller > 1 and len(ids) >= FULL * pairs:
            return {"country": country, "sector": sector}
    return {}


def read_blocks(file: Path, ids: Labels) -> Array:
    """Return the block code of every product from a file with the columns ``id`` and ``block``.

    Raises
    ------
    InvalidInputError
        Naming file, row and product: unknown, there twice, without a code, or not there at all.
    """
    with reading(file):
        columns = read_columns(file)
        columns.need("id", "block")
        rows = np.array(places(columns, "id", positions(ids)), dtype=np.int64)
        codes = columns.texts("block")
        _check_rows(columns, rows, ids, codes)
        found = np.empty(len(ids), dtype=object)
        found[rows] = codes
    try:
        return found.astype(np.int64)
    except (ValueError, OverflowError):
        return found.astype(np.str_)


def _check_rows(columns: Columns, rows: Array, ids: Labels, codes: list[str]) -> None:
    known, times = np.unique(rows, return_counts=True)
    if (times > 1).any():
        product = known[np.argmax(times > 1)]
        before, again = np.flatnonzero(rows == product)[:2].tolist()
        raise InvalidInputError(
            f"product {ids[product]!s} is there twice, first in {columns.row(before)}",
            where=columns.row(again),
            advice="name every product once",
        )
    blank = next((row for row, code in enumerate(codes) if not code.strip()), None)
    if blank is not None:
        raise InvalidInputError(
            f"product {ids[rows[blank]]!s} has no block",
            where=columns.row(blank),
            advice="write a number or a name",
        )
    need_all(ids, known, "give every product of the table a block")
