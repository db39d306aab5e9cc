"""Changes: what a day does to a table, as files say it.

CSV or Parquet with one row for each change; files one after the other, rows from the top, and each
row sees what the rows before it did:

    change  of           product  input  value
    set     coefficient  P        S      a        a unit of P takes a of S; nothing any more if 0
    scale   coefficient  P        S      s        ... takes s times as much of S as before
    scale   coefficient  P               s        ... of all its inputs
    set     demand       P               f        final demand for P; ``price`` likewise
    scale   demand       P               s        ... s times as much; without P of every product
    set     LABOUR       P               l        a factor of the table, by its name; ``scale`` too
    add     product      P                        a new one, without recipe or demand, with columns
                                                  ``block``, ``name``, ``unit`` as far as there are
    retire  product      P                        it loses its recipe, and nobody may use it
    move    product      P                        to another ``block``

A retired product keeps its place, so that plans from before can still be compared. Further columns
are ignored, but for ``source``: who says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from blake3 import blake3

from ogas.datasets.columns import Columns, read_columns
from ogas.datasets.found import reading
from ogas.engine.errors import InvalidInputError, PlanError

COEFFICIENT, DEMAND, PRICE, PRODUCT = "coefficient", "demand", "price", "product"
OF_PRODUCTS = ("add", "retire", "move")
VERBS = ("set", "scale", *OF_PRODUCTS)
SUFFIXES = (".csv", ".parquet")
MOST_TOLD = 5  # faults that a message names; the error has all of them


@dataclass(frozen=True, slots=True)
class Change:
    """One row: empty text where it says nothing, NaN where it has no value."""

    verb: str
    of: str
    product: str
    input: str
    value: float
    block: str
    name: str
    unit: str
    where: str


@dataclass(frozen=True)
class Origin:
    """Where changes came from: who sent what, and when.

    Attributes
    ----------
    file : str
        Its name.
    digest : str
        Of its bytes.
    received : str
        When it was last written; UTC, ISO 8601.
    rows : int
    sources : tuple of str
        What its column ``source`` says, each once; empty without one.
    """

    file: str
    digest: str
    received: str
    rows: int
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changes:
    """All changes of some files, in their order."""

    rows: tuple[Change, ...]
    origins: tuple[Origin, ...]


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row, and where it stands."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class ChangesError(InvalidInputError):
    """Changes that cannot be made, with every fault there is; nothing was changed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        more = len(faults) - MOST_TOLD
        told = "; ".join(map(str, faults[:MOST_TOLD])) + (
            f"; and {more:,} more" if more > 0 else ""
        )
        count = "1 fault" if len(faults) == 1 else f"{len(faults):,} faults"
        super().__init__(
            f"{count} in the changes: {told}", advice="correct the rows; nothing was changed"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive a trip between processes."""
        return ChangesError, (self.faults,)


def read_changes(files: Iterable[Path]) -> Changes:
    """Read change files in this order; what rows say is looked at by `ogas.datasets.amending`.

    Raises
    ------
    ChangesError
        If rows are no changes: every fault of every file.
    DamagedError
        If a file cannot be read.
    """
    rows: list[Change] = []
    origins: list[Origin] = []
    faults: list[Fault] = []
    for file in files:
        try:
            with reading(file):
                columns = read_columns(file)
                columns.need("change")
        except InvalidInputError as error:
            faults.append(Fault(error.where or file.name, f"{error.message}; {error.advice}"))
            continue
        origins.append(_origin(file, columns))
        found = [_change(file.name, columns, row) for row in range(len(columns))]
        rows += [one for one in found if isinstance(one, Change)]
        faults += [one for one in found if isinstance(one, Fault)]
    if faults:
        raise ChangesError(faults)
    return Changes(tuple(rows), tuple(origins))


def _origin(file: Path, columns: Columns) -> Origin:
    received = datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat(timespec="seconds")
    sources = dict.fromkeys(columns.texts("source")) if "source" in columns.cells else {}
    digest = blake3(file.read_bytes()).hexdigest()
    told = tuple(source for source in sources if source)
    return Origin(file.name, digest, received, len(columns), told)


def _change(file: str, columns: Columns, row: int) -> Change | Fault:
    """Return one row as a change, or what is wrong with it whatever the table is."""
    where = f"{file} {columns.row(row)}"
    cells: Mapping[str, str] = {
        name: "" if (cell := columns.cells[name][row]) is None else str(cell).strip()
        for name in ("change", "of", "product", "input", "value", "block", "name", "unit")
        if name in columns.cells
    }
    said = {name: cells.get(name, "") for name in ("product", "input", "block", "name", "unit")}
    verb, of, number = cells["change"], cells.get("of", ""), cells.get("value", "")
    if verb not in VERBS:
        return Fault(where, f"{verb!r} is no change; there are: {', '.join(VERBS)}")
    if verb in OF_PRODUCTS:
        of = of or PRODUCT
        if of != PRODUCT:
            return Fault(where, f"one can {verb} a product, not a {of}")
        if number:
            return Fault(where, f"to {verb} a product takes no value")
    elif not of or of == PRODUCT:
        return Fault(where, f"{verb} what? of is coefficient, demand, price or a factor")
    try:
        value = float(number) if number else float("nan")
    except ValueError:
        return Fault(where, f"value is {number!r}, not a number")
    if verb not in OF_PRODUCTS and not abs(value) < float("inf"):
        return Fault(where, f"value is {number!r}, not a finite number")
    if missing := _missing(verb, of, said):
        return Fault(where, f"no {missing}")
    return Change(verb, of, said["product"], said["input"], value, *_labels(said), where)


def _missing(verb: str, of: str, said: Mapping[str, str]) -> str:
    """Return what a row has to say and does not."""
    for_all = verb == "scale" and of != COEFFICIENT
    if not said["product"] and not for_all:
        return "product"
    if verb == "set" and of == COEFFICIENT and not said["input"]:
        return "input"
    return "block" if verb == "move" and not said["block"] else ""


def _labels(said: Mapping[str, str]) -> tuple[str, str, str]:
    return said["block"], said["name"], said["unit"]


def told(error: PlanError) -> list[str]:
    """Return every fault of an error, one line each."""
    return (
        [str(fault) for fault in error.faults] if isinstance(error, ChangesError) else [str(error)]
    )
