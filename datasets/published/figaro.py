"""Eurostat's FIGARO tables, industry by industry or product by product: CSV, million euro.

    the matrix                                   flat
    rowLabels,AR_A01,...,ZA_U,AR_P3_S13,...      icioiRow,icioiCol,refArea,rowIi,counterpartArea,
    AR_A01,4.9,...,0.1,0.2,...                        colIi,obsValue
    ...                                          AR_A01,AR_A01,AR,A01,AR,A01,4.9
    W2_D21X31,0.5,...                            W2_D1,AR_A01,W2,D1,AR,A01,3.1

Final use is ``P3_S13 P3_S14 P3_S15 P51G P5M`` of every country. Rows of the area ``W2`` are primary
inputs: ``D1`` compensation of employees, ``D29X39`` other taxes less subsidies on production,
``B2A3G`` gross operating surplus, ``D21X31`` taxes less subsidies on products, ``OP_RES`` and
``OP_NRES`` purchases abroad and by foreigners. The rest of the world is ``FIGW1``. Supply and use
tables (``rowPi`` with ``colIi``) are rectangular and are not read here.

Source: Eurostat, FIGARO tables, explanatory notes of the CSV files, editions 2023 to 2026.
"""

import re
from pathlib import Path

from ogas.datasets.found import Found, reading
from ogas.datasets.published.accounts import read_account
from ogas.datasets.published.archive import only_text
from ogas.datasets.published.figaro_flat import VALUE, FlatGrid
from ogas.datasets.published.labelled import Edges, Grid, Label, TextGrid
from ogas.datasets.published.layout import Kind, Layout, Valuation
from ogas.datasets.published.wanted import Wanted
from ogas.engine.errors import InvalidInputError

DEMAND = re.compile(r"P3_S\d+|P3|P5[A-Z0-9]+|P[567]")
INPUTS, MATRIX = "W2", "rowLabels"
UNIT = "million euro"
VALUATION = Valuation("basic prices", re.compile("D21X31"))


def is_figaro(head: list[str]) -> bool:
    """Return whether these are the column labels of such a table."""
    return bool(head) and (head[0] == MATRIX or {"refArea", "counterpartArea", VALUE} <= set(head))


def read_figaro(source: Path, wanted: Wanted) -> Found:
    """Read a year of the tables, a CSV in either form or a zip of one.

    Raises
    ------
    InvalidInputError
        Naming the row and the column.
    """
    layout = Layout(_kind, _kind, _product, lambda label: _product(label)[1], VALUATION)
    with reading(source), only_text(source) as stream:
        is_flat = VALUE.encode() in stream.readline()
        stream.seek(0)
        grid: Grid = FlatGrid(stream) if is_flat else TextGrid(stream, Edges())
        account = read_account(grid, layout, wanted)
        years = re.findall(r"(?:19|20)\d\d", source.stem)
        meta = {"title": f"FIGARO {' '.join(years)}".strip(), "source": source.name}
        return account.found(UNIT, meta)


def _kind(label: Label) -> Kind:
    area, code = _product(label)
    if area == INPUTS:
        return Kind.FACTOR
    return Kind.DEMAND if DEMAND.fullmatch(code) else Kind.PRODUCT


def _product(label: Label) -> tuple[str, str]:
    area, _, code = label[0].strip().partition("_")
    if not code:
        raise InvalidInputError(
            f"{label[0]!r} is no area_code",
            advice="name rows and columns as Eurostat does: AT_A01, AT_P3_S14, W2_D1",
        )
    return area, code.removeprefix("CPA_")
