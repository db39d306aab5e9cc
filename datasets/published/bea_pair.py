"""Which two workbooks of the US Bureau of Economic Analysis (BEA) belong together, and which year.

make and use    IOMake_Before_Redefinitions_1997-2021_Summary, IOUse_Before_..._PRO_...
supply and use  Supply_Tables_1997-2022_Summary, Use_Tables_Supply-Use_Framework_... (Use_SUT_...)
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ogas.datasets.found import reading
from ogas.datasets.published.bea_sheet import Part, Sheet, Side, read_sheet
from ogas.datasets.published.wanted import Wanted
from ogas.datasets.published.workbook import sheets
from ogas.engine.errors import InvalidInputError

SUFFIXES = (".xlsx", ".xlsm", ".xlsb")
YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
PURCHASERS = "_pur_"


@dataclass(frozen=True)
class Framework:
    """How BEA calls two workbooks that belong together, and what tells pairs apart."""

    make: re.Pattern[str]
    use: re.Pattern[str]
    kinds: tuple[str, ...]

    def kind(self, file: Path) -> list[str]:
        """Return what the name of a workbook says of its edition and its level of detail."""
        return [kind for kind in self.kinds if kind in file.name.lower()]


MAKE_USE = Framework(
    re.compile("IO_?Make", re.IGNORECASE),
    re.compile("IO_?Use", re.IGNORECASE),
    ("before", "after", "summary", "detail", "sector"),
)
SUPPLY_USE = Framework(
    re.compile(r"Supply_(Tables_)?\d", re.IGNORECASE),
    re.compile("Use_(Tables_Supply-Use|SUT)_Framework", re.IGNORECASE),
    ("_sum", "_det", "_sec"),
)
FRAMEWORKS = (MAKE_USE, SUPPLY_USE)


@dataclass(frozen=True)
class Pair:
    """A make, or supply, and a use workbook that belong together."""

    make: Path
    use: Path
    framework: Framework

    @property
    def is_make(self) -> bool:
        """Whether industries go down, as in a make table; else it is a supply table."""
        return self.framework is MAKE_USE

    @property
    def made(self) -> str:
        """What the first table is called."""
        return "make" if self.is_make else "supply"


def workbooks(source: Path, form: re.Pattern[str]) -> list[Path]:
    """Return the workbooks in a folder that are called so; of a file itself, if it is."""
    files = sorted(source.iterdir()) if source.is_dir() else [source]
    return [file for file in files if file.suffix.lower() in SUFFIXES and form.match(file.name)]


def pair_of(source: Path) -> Pair:
    """Return the make and the use workbook that the source means.

    Of a folder, all pairs of one kind are candidates; of a file, those that it is part of.

    Raises
    ------
    InvalidInputError
        If there is no such pair, or more than one.
    """
    if not source.exists():
        raise FileNotFoundError(source)
    folder = source if source.is_dir() else source.parent
    pairs = [
        Pair(make, use, form)
        for form in FRAMEWORKS
        for make in workbooks(folder, form.make)
        for use in workbooks(folder, form.use)
        if form.kind(make) == form.kind(use)
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
    forms = [form for both in FRAMEWORKS for form in (both.make, both.use)]
    names = ", ".join(file.name for form in forms for file in workbooks(folder, form)) or "none"
    raise InvalidInputError(
        f"a make and a use workbook are needed that belong together; there are: {names}",
        advice="put both beside each other, called IOMake_..., IOUse_..._PRO_... as BEA does, both "
        "before or both after redefinitions, of one level of detail, use in producers' prices; or "
        "Supply_Tables_... and Use_..._Framework_...",
    )


def year_of(source: Path, pair: Pair, wanted: Wanted) -> tuple[str, str]:
    """Return the year that is read, and why: that asked for, or in the name, else the newest.

    Raises
    ------
    WrongUsageError, InvalidInputError
        If it is not in both workbooks.
    """
    there = []
    for file in (pair.make, pair.use):
        with reading(file), sheets(file) as book:
            there.append({name.strip() for name in book if YEAR.fullmatch(name.strip())})
    both = sorted(there[0] & there[1])
    named = YEAR.findall(source.name) if wanted.year is None else []
    if not both or (len(named) == 1 and named[0] not in both):
        raise InvalidInputError(
            f"there is no sheet {named[0] if both else 'of a year'} in both workbooks; "
            f"{pair.made} has {_listed(there[0])}, use has {_listed(there[1])}",
            where=str(source),
            advice="get both of the same years, or ask for one with --year",
        )
    if len(named) == 1:
        return named[0], f"year {named[0]}, as {source.name} says, of {_listed(set(both))}"
    return wanted.year_of(both)


def _listed(years: set[str]) -> str:
    return ", ".join(sorted(years)) or "none"


@contextmanager
def reading_sheet(file: Path, year: str) -> Iterator[None]:
    """Give every error the workbook and the sheet."""
    with reading(file), reading(Path(f"sheet {year}")):
        yield


def sheet_of(file: Path, year: str, down: Side, across: Side) -> Sheet:
    """Read the sheet of a year; see `read_sheet`."""
    with reading(file), sheets(file) as book, reading(Path(f"sheet {year}")):
        name = next(name for name in book if name.strip() == year)
        return read_sheet(book[name], down, across)


def order_of(first: Sheet, second: Sheet, kind: str, *, down: bool) -> list[int]:
    """Return where the products or industries of the use table stand in the make or supply table.

    ``down`` says whether they are rows of the latter.

    Raises
    ------
    InvalidInputError
        If a line of one of them is not in the other.
    """
    make = first.of(Part.OWN, down=down)
    use = second.of(Part.OWN, down=kind == "commodity")
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
        "industries down and commodities across, supply commodities down and industries across",
    )
