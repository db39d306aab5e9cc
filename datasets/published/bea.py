"""Make and use tables of the US Bureau of Economic Analysis (BEA): two workbooks, million US$.

    IOMake_Before_Redefinitions_1997-2021_Summary.xlsx      industries × commodities: V = Sᵀ
    IOUse_Before_Redefinitions_PRO_1997-2021_Summary.xlsx   commodities × industries, final uses: U
                                                            primary inputs × industries: w
    (also _After_, _Detail, _Sector; a sheet for each year, see `ogas.datasets.published.bea_sheet`)

The source is a folder with one such pair, or one workbook of it with its partner beside it. Both
must be of one kind: before or after redefinitions, summary or detail; use in producers' prices. The
year is the one asked for by ``--year``, or in the name of the source, if that has exactly one; else
the newest in both.

From there on it is a supply-use pair (`ogas.datasets.form_supply_use`), of which ``--model`` makes
a table. Demand is q − U e, which is the sum of the final uses F, imports (``F05000``) negative, but
for rounding (2017, detail: at most 26 million US$); it is told where they differ. Compensation of
employees (``V00100``, ``V001``), taxes and surplus are factors.

Source: Horowitz and Planting (2009), Concepts and Methods of the U.S. Input-Output Accounts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from ogas.datasets.columns import labels
from ogas.datasets.form_supply_use import Accounts, compared, one_table
from ogas.datasets.found import Found, reading
from ogas.datasets.published.bea_sheet import Line, Part, Sheet, Side, read_sheet
from ogas.datasets.published.wanted import Picked, Wanted
from ogas.datasets.published.workbook import sheets
from ogas.engine.errors import InvalidInputError
from ogas.engine.supply_use import SupplyUse

UNIT = "million US$"
MAKE, USE = re.compile("IO_?Make", re.IGNORECASE), re.compile("IO_?Use", re.IGNORECASE)
KINDS = ("before", "after", "summary", "detail", "sector")
PURCHASERS = "_pur_"
SUFFIXES = (".xlsx", ".xlsm", ".xlsb")
YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
LABOUR = ("V00100", "V001")
SPECIAL = ("S00401", "S00402", "S00300", "S00900", "Used", "Other")  # scrap; imports

COMMODITIES = Side("commodities", "commodit", (Part.OWN, Part.TOTAL))
INDUSTRIES = Side("industries", "industr", (Part.OWN, Part.TOTAL))
SOURCES = Side("commodities", "commodit", (Part.OWN, Part.INPUT, Part.TOTAL))
USERS = Side("industries", "industr", (Part.OWN, Part.FINAL, Part.TOTAL))


@dataclass(frozen=True)
class Pair:
    """A make and a use workbook that belong together."""

    make: Path
    use: Path


def is_bea(source: Path) -> bool:
    """Whether a workbook, or one in a folder, is called as BEA calls its make and use tables."""
    return bool(_workbooks(source, MAKE) or _workbooks(source, USE))


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
    """Read a year of the two workbooks as they stand.

    Raises
    ------
    InvalidInputError
        See `read_bea`.
    """
    with reading(source):
        pair = _pair(source)
    year, said = _year(source, pair, wanted)
    make = _sheet(pair.make, year, INDUSTRIES, COMMODITIES)
    use = _sheet(pair.use, year, SOURCES, USERS)
    with reading(pair.use), reading(Path(f"sheet {year}")):
        _check_complete(use)
    products, industries = use.of(Part.OWN, down=True), use.of(Part.OWN, down=False)
    with reading(pair.make), reading(Path(f"sheet {year}")):
        order = (
            _order(make.of(Part.OWN, down=True), industries, "industry"),
            _order(make.of(Part.OWN, down=False), products, "commodity"),
        )
    for file, sheet in ((pair.make, make), (pair.use, use)):
        with reading(file), reading(Path(f"sheet {year}")):
            sheet.check_outputs()
    picked = Picked(wanted)
    taken = use.part(Part.INPUT, Part.OWN)
    inputs = {
        line.code: amounts
        for line, amounts in zip(use.of(Part.INPUT, down=True), taken, strict=True)
        if picked.takes(line.code, line.name)
    }
    with reading(source):
        tables = SupplyUse(
            csr_array(make.part(Part.OWN, Part.OWN)[np.ix_(*order)].T),
            csr_array(use.part(Part.OWN, Part.OWN)),
            labels([line.code for line in products]),
            labels([line.code for line in industries]),
            inputs,
        )
        final = compared(use.part(Part.OWN, Part.FINAL), tables)
        messages = (said, *_told(pair, products, use), *picked.messages(), *final)
    names = np.array([line.name for line in products])
    title = f"BEA make and use tables {year}"
    meta = {"title": title, "source": f"{pair.make.name}, {pair.use.name}", "year": int(year)}
    return Accounts(tables, names, UNIT, meta, messages)


def _workbooks(source: Path, form: re.Pattern[str]) -> list[Path]:
    files = sorted(source.iterdir()) if source.is_dir() else [source]
    return [file for file in files if file.suffix.lower() in SUFFIXES and form.match(file.name)]


def _pair(source: Path) -> Pair:
    """Return the make and the use workbook that the source means.

    Of a folder, all pairs of one kind are candidates; of a file, those that it is part of.
    """
    if not source.exists():
        raise FileNotFoundError(source)
    folder = source if source.is_dir() else source.parent
    makes, uses = _workbooks(folder, MAKE), _workbooks(folder, USE)
    pairs = [
        Pair(make, use)
        for make in makes
        for use in uses
        if _kinds(make) == _kinds(use)
        and PURCHASERS not in use.name.lower()
        and source in (folder, make, use)
    ]
    if len(pairs) == 1:
        return pairs[0]
    if pairs:
        raise InvalidInputError(
            f"{len(pairs)} pairs of a make and a use workbook: "
            + "; ".join(f"{pair.make.name} with {pair.use.name}" for pair in pairs),
            advice="leave one pair in the folder, or name the workbook of one alone",
        )
    names = ", ".join(file.name for file in (*makes, *uses)) or "none"
    raise InvalidInputError(
        f"a make and a use workbook are needed that belong together; there are: {names}",
        advice="put both beside each other, called IOMake_..., IOUse_..._PRO_... as BEA does, both "
        "before or both after redefinitions, of one level of detail, use in producers' prices",
    )


def _kinds(file: Path) -> list[str]:
    return [kind for kind in KINDS if kind in file.name.lower()]


def _year(source: Path, pair: Pair, wanted: Wanted) -> tuple[str, str]:
    """Return the year that is read, and why."""
    there = []
    for file in (pair.make, pair.use):
        with reading(file), sheets(file) as book:
            there.append({name.strip() for name in book if YEAR.fullmatch(name.strip())})
    both = sorted(there[0] & there[1])
    asked = YEAR.findall(source.name)
    is_missing = wanted.year is None and len(asked) == 1 and asked[0] not in both
    if not both or is_missing:
        raise InvalidInputError(
            f"there is no sheet {asked[0] if both else 'of a year'} in both workbooks; make has "
            f"{_listed(there[0])}, use has {_listed(there[1])}",
            where=str(source),
            advice="get both of the same years, or ask for one with --year",
        )
    if wanted.year is None and len(asked) == 1:
        return asked[0], f"year {asked[0]}, as {source.name} says, of {_listed(set(both))}"
    return wanted.year_of(both)


def _listed(years: set[str]) -> str:
    return ", ".join(sorted(years)) or "none"


def _sheet(file: Path, year: str, down: Side, across: Side) -> Sheet:
    with reading(file), sheets(file) as book, reading(Path(f"sheet {year}")):
        name = next(name for name in book if name.strip() == year)
        return read_sheet(book[name], down, across)


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


def _order(make: Sequence[Line], use: Sequence[Line], kind: str) -> list[int]:
    """Return where the lines of the use table stand in the make table.

    Raises
    ------
    InvalidInputError
        If a line of one of them is not in the other.
    """
    place = {line.code: k for k, line in enumerate(make)}
    known = {line.code for line in use}
    unknown = next((line for line in make if line.code not in known), None)
    missing = next((line for line in use if line.code not in place), None)
    if unknown is None and missing is None:
        return [place[line.code] for line in use]
    said = []
    if unknown is not None:
        said.append(f"{unknown.code} ({unknown.name}) is no {kind} of the use table")
    if missing is not None:
        said.append(f"it lacks the {kind} {missing.code} ({missing.name}), use {missing.place}")
    raise InvalidInputError(
        "; ".join(said),
        where="" if unknown is None else unknown.place,
        advice="is the sheet transposed, a heading renamed, or are these two editions? make has "
        "industries down and commodities across",
    )


def _told(pair: Pair, products: Sequence[Line], use: Sheet) -> tuple[str, ...]:
    """Say what was read, what was left out and what is special."""
    inputs = ", ".join(f"{line.code} {line.name}" for line in use.of(Part.INPUT, down=True))
    final = len(use.of(Part.FINAL, down=False))
    messages = [
        f"make: {pair.make.name}; use: {pair.use.name}, at producers' prices: trade and transport "
        "margins are products of their own; imports are among the inputs and negative final uses",
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
