"""Published forms of tables: which there are, and how each becomes a `Table` and back.

    npz       the exchange form, everything a table holds             `ogas.datasets.form_npz`
    npz       supply and use, of which a model makes a table   `ogas.datasets.form_supply_use`
    mtx       Matrix Market, with a product list                      `ogas.datasets.form_mtx`
    edges     supplier, user, quantity in CSV or Parquet, with a list `ogas.datasets.form_edges`
    square    a labelled square CSV                                   `ogas.datasets.form_square`
    pymrio    a folder or zip, as EXIOBASE   `ogas.datasets.published.pymrio`, `...pymrio_writing`

Each of these brings back what it has a place for: writing, then reading, changes no bit of it.
Other published layouts are only read: `ogas.datasets.published.catalogue`.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

from ogas.datasets.arrays import Array
from ogas.datasets.atomic import atomic_file
from ogas.datasets.form_edges import EDGES, read_edges, write_edges
from ogas.datasets.form_mtx import read_mtx, write_mtx
from ogas.datasets.form_npz import read_npz, write_npz
from ogas.datasets.form_square import read_square, write_square
from ogas.datasets.form_supply_use import is_supply_use, read_supply_use
from ogas.datasets.found import Found, per_unit, reading
from ogas.datasets.published.catalogue import OF_IMPORTS, OF_YEARS, PAIRS, PUBLISHED, recognised
from ogas.datasets.published.doubts import doubts
from ogas.datasets.published.pymrio_writing import write_pymrio
from ogas.datasets.published.wanted import IMPORTS, Wanted
from ogas.datasets.text import Lines
from ogas.engine.errors import WrongUsageError
from ogas.engine.table import Table

PAIR = "a supply-use pair"
OURS = ("npz", "mtx", "edges", "square")
FORMATS = (*OURS, *PUBLISHED)
WRITTEN = (*OURS, "pymrio")
READERS: Mapping[str, Callable[[Path, Wanted], Found]] = {
    "npz": lambda source, _: read_npz(source),
    PAIR: lambda source, wanted: read_supply_use(source, wanted),
    "mtx": lambda source, wanted: read_mtx(source, wanted.products),
    "edges": lambda source, wanted: read_edges(source, wanted.products),
    "square": lambda source, _: read_square(source),
    **PUBLISHED,
}
# Which forms take an option; the others say themselves what it would say, or have no use for it.
TAKES: Mapping[str, Sequence[str]] = {
    "kind": OURS,
    "products": ("mtx", "edges"),
    "model": (PAIR, *PAIRS),
    "factor": tuple(PUBLISHED),
    "imports": (PAIR, *OF_IMPORTS),
    "year": OF_YEARS,
}
KINDS = ("coefficients", "flows")
SUFFIXES = {".npz": "npz", ".mtx": "mtx", ".parquet": "edges", ".csv": "edges", ".zip": "pymrio"}


@dataclass(frozen=True, eq=False)
class Imported:
    """A table that was read, and what its reader ignored or decided, one line each.

    ``levels`` are what blocks can be made by; see `ogas.datasets.levels`.
    """

    table: Table
    messages: tuple[str, ...]
    levels: Mapping[str, Array]


class How(TypedDict, total=False):
    """How a source is to be read; everything may be left out."""

    format: str | None
    kind: str
    products: Path | str | None
    model: str | None
    factors: Sequence[str]
    imports: str | None
    year: int | None


def read(source: Path | str, **how: Unpack[How]) -> Imported:
    """Read a table from a file, or from the folder that some published layouts are.

    Parameters
    ----------
    source : path
    format : one of `FORMATS`, optional
        Guessed from the suffix, and for CSV from the header.
    kind : "coefficients" or "flows"
        With flows, all amounts in the file are totals: A = Z / output of the using product.
    products : path, optional
        The product list of an edge list or a Matrix Market file.
    model : one of `ogas.engine.symmetric.MODELS`, optional
        Which table to make of a supply-use pair, which needs one; nothing else does.
    factors : sequence of str
        The factors to read of a published layout, by name or pattern; by default the first few.
    imports : one of `ogas.datasets.published.wanted.IMPORTS`, optional
        Which coefficients to make where imports are told from domestic products: of domestic ones,
        imports a factor (the default), or of both together.
    year : int, optional
        Which year of a layout that holds several; by default the newest.

    Raises
    ------
    InvalidInputError
        If the file says something impossible; with product, file and row.
    DamagedError
        If the file is truncated, altered, or not in the form.
    WrongUsageError
        If the form is unknown, or needs a package that is not installed.
    """
    source, kind = Path(source), how.get("kind", "coefficients")
    if kind not in KINDS:
        raise WrongUsageError(f"kind is {' or '.join(KINDS)}, not {kind!r}")
    if how.get("imports") not in (None, *IMPORTS):
        raise WrongUsageError(f"imports is {' or '.join(IMPORTS)}, not {how.get('imports')!r}")
    listed = how.get("products")
    wanted = Wanted(
        names=tuple(how.get("factors", ())),
        model=how.get("model"),
        imports=how.get("imports"),
        year=how.get("year"),
        products=Path(listed) if listed else None,
    )
    form = how.get("format") or _format_of(source)
    if form not in FORMATS:
        raise _unknown(form, FORMATS)
    if form == "npz" and not listed and is_supply_use(source):
        form = PAIR
    asked = (kind == "flows", listed, wanted.model, wanted.names, wanted.imports, wanted.year)
    _check_taken(form, dict(zip(TAKES, asked, strict=True)), source)
    found = READERS[form](source, wanted)
    with reading(source):
        if kind == "flows":
            found = per_unit(found)
        table = found.header.with_coefficients(found.matrix)
        messages = found.messages + doubts(found) + _cut_short(source)
        return Imported(table, messages, found.levels)


def is_published(folder: Path, form: str | None) -> bool:
    """Return whether a folder is to be read as a published layout, not as a stored table."""
    if form in PUBLISHED:
        return True
    return not (folder / "CURRENT").exists() and recognised(folder) is not None


def _check_taken(form: str, given: Mapping[str, object], source: Path) -> None:
    for option, forms in TAKES.items():
        if given[option] and form not in forms:
            raise WrongUsageError(
                f"--{option} goes with {', '.join(forms)}; this is {form}",
                where=str(source),
                advice=f"leave --{option} away, or name another form with --format",
            )


def _cut_short(source: Path) -> tuple[str, ...]:
    """Return a message if a text stops in the middle of a line: its last number may be cut."""
    if source.suffix not in (".csv", ".mtx"):
        return ()
    with source.open("rb") as stream:
        stream.seek(-1, 2)
        ended = stream.read() in (b"\n", b"\r")
    return () if ended else (f"{source} does not end with a line end: is its last row complete?",)


def _format_of(source: Path) -> str:
    """Guess the form: by the suffix, by what a published layout has, a CSV by its header."""
    if source.suffix in (".npz", ".mtx", ".parquet"):
        return SUFFIXES[source.suffix]
    if source.suffix == ".csv" and _lists_edges(source):
        return "edges"
    published = recognised(source)
    if published is not None:
        return published
    return "square" if source.suffix == ".csv" else _by_suffix(source, FORMATS)


def _lists_edges(source: Path) -> bool:
    with reading(source), source.open("rb") as stream:
        header = [name.strip() for name in next(csv.reader(Lines(stream)), [])]
    return set(EDGES) <= set(header)


def _by_suffix(file: Path, forms: Sequence[str]) -> str:
    if file.suffix not in SUFFIXES:
        raise WrongUsageError(
            f"the suffix {file.suffix!r} names no known form",
            where=str(file),
            advice=f"use {', '.join(SUFFIXES)}, or say --format {'|'.join(forms)}",
        )
    return SUFFIXES[file.suffix]


def _unknown(form: str, forms: Sequence[str]) -> WrongUsageError:
    return WrongUsageError(f"there is no form {form!r}", advice=f"one of: {', '.join(forms)}")


def write(table: Table, file: Path | str, *, format: str | None = None) -> tuple[str, ...]:
    """Write a table to a file, which is replaced in one step; CSV is an edge list unless said.

    For pymrio ``file`` is a folder, or a zip; a folder that is there is written in no other form.

    Returns
    -------
    tuple of str
        What else was written, and what the form has no place for.

    Raises
    ------
    WrongUsageError
        If the form is unknown, or cannot hold this table.
    """
    target = Path(file)
    form = format or ("pymrio" if target.is_dir() else _by_suffix(target, WRITTEN))
    if form not in WRITTEN:
        raise _unknown(form, WRITTEN)
    if form == "pymrio":
        return write_pymrio(table, target)
    with atomic_file(target) as temporary:
        match form:
            case "npz":
                return write_npz(table, temporary)
            case "mtx":
                return write_mtx(table, temporary, target)
            case "edges":
                return write_edges(table, temporary, target)
            case _:
                return write_square(table, temporary)
