"""The flows of a five-year plan, as Cockshott's programs read them: a small square of CSV.

    flows.csv                              labtarg.csv, beside it or not
    headings,iron,coal,corn,bread          headings,iron,coal,corn,bread,labour
    iron,0.1,0,0,0                         year1,0.1,3,0,2,3
    coal,2,1,0.04,0.2                      year2,0.1,3,0,2.01,3.01
    corn,0,0,1,1
    bread,0,0,0,0
    labour,0.3,1,2,0.1
    output,10,6,10,1

A column is what was used up to make its output. Final demand is the target of the first year; where
no ``labtarg.csv`` lies beside the flows, what the outputs leave. Capital (``cap.csv``, ``dep.csv``)
has no place in a plan of one year and is not read.

Source: github.com/wc22m/5yearplan, plancode.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ogas.datasets.found import Found, reading
from ogas.datasets.published.accounts import read_account
from ogas.datasets.published.archive import only_text
from ogas.datasets.published.labelled import Edges, Label, TextGrid
from ogas.datasets.published.layout import Kind, Layout
from ogas.datasets.published.sparse import Axis, order_of
from ogas.datasets.published.wanted import Wanted
from ogas.engine.table import Vector

HEADINGS, LABOUR, OUTPUT, TARGETS = "headings", "labour", "output", "labtarg.csv"


def is_five_years(head: list[str]) -> bool:
    """Return whether these are the column labels of such a table."""
    return head[:1] == [HEADINGS] and LABOUR not in head


def read_five_years(source: Path, wanted: Wanted) -> Found:
    """Read the flows, and the targets of the first year beside them.

    Raises
    ------
    InvalidInputError
        Naming the row and the column.
    """
    layout = Layout(lambda label: Kind.PRODUCT, _row, _product, lambda label: label[0])
    with reading(source), only_text(source) as stream:
        found = read_account(TextGrid(stream, Edges()), layout, wanted).found("", {})
        header = replace(found.header, factor_units={LABOUR: "person-years"})
    targets = source.with_name(TARGETS)
    if not targets.is_file():
        return replace(found, header=header)
    with reading(targets):
        year, demand = _first_year(targets, [(str(name),) for name in header.ids.tolist()])
    # The outputs of the past are not those that meet the targets.
    return replace(
        found,
        header=replace(header, demand=demand, output=None),
        messages=(*found.messages[1:], f"final demand is the target {year} of {TARGETS}"),
    )


def _first_year(targets: Path, products: list[Label]) -> tuple[str, Vector]:
    with targets.open("rb") as stream:
        grid = TextGrid(stream, Edges())
        kept = [k for k, label in enumerate(grid.columns) if label != (LABOUR,)]
        found = [grid.columns[k] for k in kept]
        asked = Axis(products, [""] * len(products))
        order = order_of(asked, Axis(found, [grid.place(k) for k in kept]))
        row = next(grid.rows())
    return row.label[0], row.values[np.array(kept)][order]


def _row(label: Label) -> Kind:
    return {LABOUR: Kind.FACTOR, OUTPUT: Kind.OUTPUT}.get(label[0].strip(), Kind.PRODUCT)


def _product(label: Label) -> tuple[str, str]:
    return "all", label[0].strip()
