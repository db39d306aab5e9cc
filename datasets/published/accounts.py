"""An input-output account as it is published: one sheet with everything on it.

                        products          final use         output
    products            flows Z           Y                 x
    imported products   flows             Y            (of national tables)
    primary inputs      totals per user   (not kept)
    totals              (not kept)

A page on a layout says what each column and each row is; this page reads the sheet row by row and
sorts it. Final use is summed over categories and regions, x = row sum of Z + final use.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ogas.datasets.columns import labels
from ogas.datasets.found import Found, per_unit, reading
from ogas.datasets.published.doubts import Costs, unpaid
from ogas.datasets.published.imports import Uses, combined
from ogas.datasets.published.labelled import Grid, Label, Row, named
from ogas.datasets.published.layout import Kind, Layout
from ogas.datasets.published.sparse import Axis, Entries, in_order, order_of
from ogas.datasets.published.wanted import TOTAL, Picked, Wanted
from ogas.engine.errors import InvalidInputError, WrongUsageError
from ogas.engine.header import Header
from ogas.engine.symmetric import IMPORTS
from ogas.engine.table import Integers, Vector, coefficients_from


@dataclass(frozen=True, eq=False)
class Account:
    """The flows of an account, sorted.

    Attributes
    ----------
    products : list of (region, sector), n long
    flows : (n, n) CSR, money per year; rows supply, columns use
    demand : (n,) float64 or None
        None where no column is a part of it: then it is what the outputs leave.
    output : (n,) float64 or None
        As published.
    factors : mapping of name to (n,) float64
        Totals by using product.
    paid : (n,) float64
        All primary inputs together, those that are not kept included.
    places : list of str
        Where the column of each product stands, for messages.
    messages : tuple of str
    """

    products: list[tuple[str, str]]
    flows: csr_array
    demand: Vector | None
    output: Vector | None
    factors: Mapping[str, Vector]
    paid: Vector
    places: list[str]
    messages: tuple[str, ...]

    def without(self, dropped: Integers, why: str) -> "Account":
        """Return the account without some products that neither make nor use anything."""
        kept = np.setdiff1d(np.arange(len(self.products)), dropped)
        return Account(
            [self.products[product] for product in kept],
            self.flows[kept][:, kept],
            None if self.demand is None else self.demand[kept],
            None if self.output is None else self.output[kept],
            {name: total[kept] for name, total in self.factors.items()},
            self.paid[kept],
            [self.places[product] for product in kept],
            (*self.messages, why),
        )

    def with_message(self, said: str) -> "Account":
        """Return the account, and one more message before the others."""
        return replace(self, messages=(said, *self.messages))

    def is_empty(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return which products neither make nor use anything, nor are wanted."""
        flows = np.abs(self.flows)
        vectors = (self.demand, self.output, self.paid)
        used = flows.sum(axis=0) + flows.sum(axis=1)
        used += sum(abs(vector) for vector in vectors if vector is not None)
        empty: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.asarray(used) == 0
        return empty

    def found(self, unit: str, meta: Mapping[str, Any]) -> Found:
        """Return the coefficients, and what is odd about them."""
        header = Header(
            ids=ids_of(self.products),
            demand=self.demand,
            output=self.output,
            factors=self.factors,
            units=unit,
            factor_units={name: unit for name in self.factors if unit},
            meta=meta,
        )
        levels = levels_of(self.products)
        found = per_unit(Found(coefficients_from(self.flows), header, self.messages, levels))
        if not unit or not self.paid.any():  # inputs are not money, and do not add up to output
            return found
        costs = np.asarray(self.flows.sum(axis=0)) + self.paid
        said = unpaid(found.header, Costs(costs, self.factors, self.places))
        return replace(found, messages=found.messages + said)


def ids_of(products: list[tuple[str, str]]) -> np.ndarray[Any, Any]:
    """Return ids like ``AUS|c1``; the sector alone where there is one region only."""
    if len({region for region, _ in products}) == 1:
        return labels([sector for _, sector in products])
    return labels(["|".join(product) for product in products])


def levels_of(products: list[tuple[str, str]]) -> dict[str, np.ndarray[Any, Any]]:
    """Return region and sector, by which a table can be cut into blocks."""
    regions, sectors = zip(*products, strict=True)
    return {"region": np.array(regions), "sector": np.array(sectors)}


def read_account(grid: Grid, layout: Layout, wanted: Wanted) -> Account:
    """Read and sort an account.

    Raises
    ------
    InvalidInputError
        If rows and columns do not name the same products, or the account is the wrong way round.
    """
    columns = _places(grid, layout)
    if not columns[Kind.PRODUCT].size:
        raise InvalidInputError(
            f"none of its {len(grid.columns):,} columns is a product, the first is "
            f"{named(grid.columns[0])!r}",
            advice="is this the form that was named with --format?",
        )
    sheet = _Sheet(columns, Picked(wanted))
    for row in grid.rows():
        with reading(Path(row.place)):
            sheet.take(row, layout)
    places = [grid.place(k) for k in columns[Kind.PRODUCT].tolist()]
    products = []
    for k, place in zip(columns[Kind.PRODUCT].tolist(), places, strict=True):
        with reading(Path(place)):
            products.append(layout.product(grid.columns[k]))
    uses, output, said = _uses(sheet, Axis(products, places), wanted)
    said = (*said, *_said(columns, sheet))
    if layout.valuation is not None:
        said = (*said, layout.valuation.told(sheet.factors, sheet.picked.seen))
    return Account(
        products,
        uses.flows,
        uses.final if columns[Kind.DEMAND].size else None,
        output if columns[Kind.OUTPUT].size else sheet.output_row,
        sheet.factors,
        sheet.paid,
        places,
        (*grid.messages(), *said, *sheet.picked.messages()),
    )


def _uses(sheet: "_Sheet", columns: Axis, wanted: Wanted) -> tuple[Uses, Vector, tuple[str, ...]]:
    """Return what the table is made of, its outputs, and what to tell of imports."""
    domestic, output = sheet.made.found(columns)
    if not sheet.imported.labels:
        if wanted.imports is not None:
            raise WrongUsageError(
                "it does not tell imports from domestic products", advice="leave --imports away"
            )
        return domestic, output, ()
    with reading(Path("imports")):
        imported, _ = sheet.imported.found(columns)
    uses, said = combined(domestic, imported, wanted.imports)
    if wanted.imports != TOTAL:
        sheet.pay(IMPORTS, imported.inputs)
    return uses, output, (said,)


class _Made:
    """The rows of products read so far."""

    def __init__(self, columns: Mapping[Kind, Integers]) -> None:
        self._columns = columns
        self.labels: list[Label] = []
        self._places: list[str] = []
        self._flows = Entries()
        self._final: list[float] = []
        self._output: list[float] = []

    def add(self, label: Label, row: Row) -> None:
        """Append a row."""
        self.labels.append(label)
        self._places.append(row.place)
        self._flows.add(row.values[self._columns[Kind.PRODUCT]])
        self._final.append(float(row.values[self._columns[Kind.DEMAND]].sum()))
        self._output.append(float(row.values[self._columns[Kind.OUTPUT]].sum()))

    def found(self, columns: Axis) -> tuple[Uses, Vector]:
        """Return the uses and the outputs in the order of the columns."""
        order = order_of(columns, Axis(self.labels, self._places))
        flows = in_order(self._flows.matrix(len(order)), order)
        return Uses(flows, np.array(self._final)[order]), np.array(self._output)[order]


class _Sheet:
    """What the rows read so far hold."""

    def __init__(self, columns: Mapping[Kind, Integers], picked: Picked) -> None:
        self.columns, self.picked = columns, picked
        self.factors: dict[str, Vector] = {}
        self.made, self.imported = _Made(columns), _Made(columns)
        self.output_row: Vector | None = None
        self.totals: list[str] = []
        self.inputs: dict[Label, str] = {}
        self.paid = np.zeros(self.columns[Kind.PRODUCT].size)
        self.added: set[str] = set()

    def take(self, row: Row, layout: Layout) -> None:
        """Put one row where it belongs."""
        inputs = row.values[self.columns[Kind.PRODUCT]]
        match layout.row(row.label):
            case Kind.PRODUCT:
                self.made.add(layout.product(row.label), row)
            case Kind.IMPORT:
                self.imported.add(layout.product(row.label), row)
            case Kind.FACTOR:
                self._add_input(row, layout.factor(row.label), inputs)
            case Kind.OUTPUT:
                self.output_row = inputs
            case Kind.TOTAL:
                self.totals.append(named(row.label))
            case Kind.DEMAND:
                raise _transposed("a row is a part of final demand", row.label)

    def _add_input(self, row: Row, name: str, amounts: Vector) -> None:
        if row.label in self.inputs:
            raise InvalidInputError(
                f"the row {named(row.label)!r} is there twice",
                where=f"{self.inputs[row.label]} and {row.place}",
                advice="rename or merge the rows",
            )
        self.inputs[row.label] = row.place
        self.pay(name, amounts)

    def pay(self, name: str, amounts: Vector) -> None:
        """Add a primary input; those of one name add up."""
        self.paid = self.paid + amounts
        if name in self.factors:
            self.added.add(name)
            self.factors[name] = self.factors[name] + amounts
        elif name not in self.picked.seen and self.picked.takes(name):
            self.factors[name] = amounts


def _places(grid: Grid, layout: Layout) -> dict[Kind, Integers]:
    kinds = []
    for k, label in enumerate(grid.columns):
        with reading(Path(grid.place(k))):
            kinds.append(layout.column(label))
            if kinds[-1] is Kind.FACTOR:
                raise _transposed("a column is a primary input", label)
    found = {
        kind: np.array([k for k, this in enumerate(kinds) if this is kind], dtype=np.int64)
        for kind in Kind
    }
    if found[Kind.OUTPUT].size > 1:
        names = ", ".join(repr(named(grid.columns[k])) for k in found[Kind.OUTPUT].tolist())
        raise InvalidInputError(f"several columns hold gross output: {names}", advice="keep one")
    return found


def _transposed(what: str, label: Label) -> InvalidInputError:
    return InvalidInputError(
        f"{what} ({named(label)}): the table is the wrong way round",
        advice="transpose it: suppliers in rows, users in columns",
    )


def _said(columns: Mapping[Kind, Integers], sheet: _Sheet) -> tuple[str, ...]:
    parts = columns[Kind.DEMAND].size
    messages = [
        f"final demand is the sum of {parts:,} columns"
        if parts
        else "no final demand in it: taken to be what the outputs leave"
    ]
    if sheet.added:
        messages.append(f"added up, as several rows have it: {', '.join(sorted(sheet.added))}")
    if sheet.totals:
        messages.append(f"rows of totals left out: {', '.join(sheet.totals)}")
    return tuple(messages)
