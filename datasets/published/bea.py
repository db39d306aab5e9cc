"""Make or supply, and use tables of the US Bureau of Economic Analysis (BEA), million US$.

    IOMake_Before_Redefinitions_1997-2021_Summary.xlsx      industries × commodities: V = Sᵀ
    IOUse_Before_Redefinitions_PRO_1997-2021_Summary.xlsx   commodities × industries, final uses: U
                                                            primary inputs × industries: w
    (also _After_, _Detail, _Sector; a sheet for each year, see `ogas.datasets.published.bea_sheet`)

    Supply_Tables_1997-2022_Summary.xlsx                    commodities × industries, imports: S
    Use_Tables_Supply-Use_Framework_1997-2022_Summary.xlsx  in purchasers' prices: U, w
    (also Supply_2017_DET, Use_SUT_Framework_2017_DET; `ogas.datasets.published.bea_prices`)

The source is a folder with one such pair, or one workbook of it with its partner beside it. Both
must be of one kind: before or after redefinitions, summary or detail; use in producers' prices. The
year is the one asked for by ``--year``, or in the name of the source, if that has exactly one; else
the newest in both.

From there on it is a supply-use pair (`ogas.datasets.form_supply_use`), of which ``--model`` makes
a table. Demand is q − U e, which is the sum of the final uses F, imports (``F05000``; ``MCIF`` and
``MADJ`` of a supply table) negative, but for rounding (2017, detail: at most 26 million US$); it is
told where they differ. Compensation of employees (``V00100``, ``V001``), taxes and surplus are
factors.

Source: Horowitz and Planting (2009), Concepts and Methods of the U.S. Input-Output Accounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from ogas.datasets.columns import labels
from ogas.datasets.form_supply_use import Accounts, compared, one_table
from ogas.datasets.found import Found, reading
from ogas.datasets.published.bea_pair import (
    FRAMEWORKS,
    Pair,
    order_of,
    pair_of,
    reading_sheet,
    sheet_of,
    workbooks,
    year_of,
)
from ogas.datasets.published.bea_prices import SAID, TAX, Amounts, bridge_of
from ogas.datasets.published.bea_sheet import Line, Part, Sheet, Side
from ogas.datasets.published.wanted import Picked, Wanted
from ogas.engine.errors import InvalidInputError
from ogas.engine.supply_use import SupplyUse
from ogas.engine.table import Vector

UNIT = "million US$"
LABOUR = ("V00100", "V001")
PRODUCERS = (
    ", at producers' prices: trade and transport margins are products of their own; imports are "
    "among the inputs and negative final uses"
)
SPECIAL = ("S00401", "S00402", "S00300", "S00900", "Used", "Other")  # scrap; imports

COMMODITIES = Side("commodities", "commodit", (Part.OWN, Part.TOTAL))
INDUSTRIES = Side("industries", "industr", (Part.OWN, Part.TOTAL))
MAKERS = Side("industries", "industr", (Part.OWN, Part.PRICE, Part.TOTAL))
SOURCES = Side("commodities", "commodit", (Part.OWN, Part.INPUT, Part.TOTAL))
USERS = Side("industries", "industr", (Part.OWN, Part.FINAL, Part.TOTAL))


@dataclass(frozen=True, eq=False)
class Money:
    """The amounts of both tables at one price, products and industries as in the use table.

    Attributes
    ----------
    supply, use : (p, i) float64
    final : (p,) float64
        Final uses less imports.
    inputs : sequence of row and (i,) float64
    said : tuple of str
        What was done to come to one price.
    """

    supply: Amounts
    use: Amounts
    final: Vector
    inputs: Sequence[tuple[Line, Vector]]
    said: tuple[str, ...] = ()


def is_bea(source: Path) -> bool:
    """Whether a workbook, or one in a folder, is called as BEA calls its tables."""
    return any(workbooks(source, form) for both in FRAMEWORKS for form in (both.make, both.use))


def read_bea(source: Path, wanted: Wanted) -> Found:
    """Read a year of the tables, and make one table of it by ``wanted.model``.

    Raises
    ------
    WrongUsageError
        If no model is named, or a package is missing.
    InvalidInputError
        If a workbook is missing, or says something impossible; naming sheet, row and column.
    """
    return one_table(read_workbooks(source, wanted), wanted.model, source)


def read_workbooks(source: Path, wanted: Wanted) -> Accounts:
    """Read a year of the two workbooks: as they stand, or else at basic prices.

    Raises
    ------
    InvalidInputError
        See `read_bea`.
    """
    with reading(source):
        pair = pair_of(source)
    year, said = year_of(source, pair, wanted)
    make, use = _sheets(pair, year)
    money = _money(pair, year, make, use)
    products, industries = use.of(Part.OWN, down=True), use.of(Part.OWN, down=False)
    picked = Picked(wanted)
    with reading(source):
        tables = SupplyUse(
            csr_array(money.supply),
            csr_array(money.use),
            labels([line.code for line in products]),
            labels([line.code for line in industries]),
            {
                line.code: amounts
                for line, amounts in money.inputs
                if picked.takes(line.code, line.name)
            },
        )
        told = (said, *_told(pair, products, use), *money.said)
        messages = (*told, *picked.messages(), *compared(money.final, tables))
    names = np.array([line.name for line in products])
    title = f"BEA {pair.made} and use tables {year}"
    meta = {"title": title, "source": f"{pair.make.name}, {pair.use.name}", "year": int(year)}
    return Accounts(tables, names, UNIT, meta, messages)


def _sheets(pair: Pair, year: str) -> tuple[Sheet, Sheet]:
    """Read and check the two sheets of a year."""
    sides = (INDUSTRIES, COMMODITIES) if pair.is_make else (COMMODITIES, MAKERS)
    make, use = sheet_of(pair.make, year, *sides), sheet_of(pair.use, year, SOURCES, USERS)
    with reading_sheet(pair.use, year):
        _check_complete(use)
    with reading_sheet(pair.make, year):
        _orders(pair, make, use)
    for file, sheet in ((pair.make, make), (pair.use, use)):
        with reading_sheet(file, year):
            sheet.check_outputs()
    return make, use


def _orders(pair: Pair, make: Sheet, use: Sheet) -> tuple[list[int], list[int]]:
    """Return where the industries and the products of the use table stand in the other."""
    return (
        order_of(make, use, "industry", down=pair.is_make),
        order_of(make, use, "commodity", down=not pair.is_make),
    )


def _money(pair: Pair, year: str, make: Sheet, use: Sheet) -> Money:
    industries, products = _orders(pair, make, use)
    supply = make.part(Part.OWN, Part.OWN)
    uses, final = use.part(Part.OWN, Part.OWN), use.part(Part.OWN, Part.FINAL).sum(axis=1)
    added = use.part(Part.INPUT, Part.OWN)
    inputs = list(zip(use.of(Part.INPUT, down=True), added, strict=True))
    if pair.is_make:
        return Money(supply.T[np.ix_(products, industries)], uses, final, inputs)
    with reading_sheet(pair.make, year):
        bridge = bridge_of(make, products)
    with reading_sheet(pair.use, year):
        bridge.check(uses.sum(axis=1) + final, use.of(Part.OWN, down=True))
    return Money(
        supply[np.ix_(products, industries)],
        bridge.basic(uses),
        bridge.basic(final[:, None])[:, 0] - bridge.imports,
        [*inputs, (TAX, bridge.taxed(uses))],
        (SAID,),
    )


def _check_complete(use: Sheet) -> None:
    if not use.of(Part.FINAL, down=False):
        raise InvalidInputError(
            "no column is a final use",
            where="the headings",
            advice="keep the columns F01000 (or F010) and following, with their codes",
        )
    if not any(line.code in LABOUR for line in use.of(Part.INPUT, down=True)):
        raise InvalidInputError(
            f"no row {LABOUR[0]} (or {LABOUR[1]}), compensation of employees",
            where="column A",
            advice="keep the rows of value added, with their codes",
        )


def _told(pair: Pair, products: Sequence[Line], use: Sheet) -> tuple[str, ...]:
    """Say what was read, what was left out and what is special."""
    inputs = ", ".join(f"{line.code} {line.name}" for line in use.of(Part.INPUT, down=True))
    final = len(use.of(Part.FINAL, down=False))
    messages = [
        f"{pair.made}: {pair.make.name}; use: {pair.use.name}"
        + (PRODUCERS if pair.is_make else ""),
        f"demand is the sum of {final} final uses, taken as output less use; primary inputs: "
        f"{inputs}",
    ]
    totals = [*use.of(Part.TOTAL, down=True), *use.of(Part.TOTAL, down=False)]
    if totals:
        listed = ", ".join(line.code or line.name for line in totals)
        messages.append(f"totals left out of the use table: {listed}")
    special = [f"{line.code} {line.name}" for line in products if line.code in SPECIAL]
    if special:
        messages.append(
            f"kept as products, as published: {', '.join(special)}; scrap and used goods count as "
            "by-products of who sells them (the requirements tables of BEA take scrap out first), "
            "noncomparable imports as what nobody here makes"
        )
    return tuple(messages)
