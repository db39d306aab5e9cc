"""A table as a pymrio system: A, Y, x, units, and the factors as one extension; text, exact.

    ids like AUS|c1     region AUS, sector c1            other ids     region all, sector = id
    demand              Y, one column: who consumes is not known
    factors             the extension ``factors``, as S

Every number has as many digits as bring it back to the last bit. pymrio computes Z, L and x.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ogas.datasets.atomic import atomic_directory, atomic_file
from ogas.datasets.published.pymrio import METADATA, OURS, TITLES
from ogas.datasets.published.pymrio_parts import DECLARED, EXTENSION, SYSTEM, Product
from ogas.engine.errors import WrongUsageError
from ogas.engine.table import Table, Vector

MOST_PRODUCTS = 20_000  # a square of text: 400 million cells, nearly all of them "0"
FACTORS = "factors"
CATEGORY = "final demand"

Lines = Iterator[str]


def write_pymrio(table: Table, target: Path) -> tuple[str, ...]:
    """Write a folder, or a zip if ``target`` ends with .zip; it is replaced in one step.

    Returns
    -------
    tuple of str
        What this layout has no place for.

    Raises
    ------
    WrongUsageError
        If there are too many products, a label breaks a line, or the folder holds something else.
    """
    _check(table)
    files = list(_files(table))
    if target.suffix.lower() == ".zip":
        with (
            atomic_file(target) as temporary,
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for name, lines in files:
                with archive.open(name, "w", force_zip64=True) as member:
                    member.writelines(line.encode() for line in lines)
    else:
        _check_folder(target)
        with atomic_directory(target) as folder:
            for name, lines in files:
                (folder / name).parent.mkdir(exist_ok=True)
                with (folder / name).open("w", encoding="utf-8", newline="") as stream:
                    stream.writelines(lines)
    return _left_out(table)


def _check(table: Table) -> None:
    if len(table) > MOST_PRODUCTS:
        raise WrongUsageError(
            f"{len(table):,} products are too many for a square of text",
            advice="write an edge list or an npz",
        )
    names = [*map(str, table.ids.tolist()), *table.factors]
    odd = next((name for name in names if not name.strip() or set(name) & set("\n\r")), None)
    if odd is not None:
        raise WrongUsageError(
            f"{odd!r} cannot be a label of this layout", advice="rename it, or write an npz"
        )


def _check_folder(target: Path) -> None:
    """Refuse to replace a folder that holds anything but a system."""
    if not target.exists() or (target / DECLARED).is_file():
        return
    if not target.is_dir() or any(target.iterdir()):
        raise WrongUsageError(
            "this is no folder of a pymrio system, and will not be replaced",
            where=str(target),
            advice="name another folder, or a file that ends with .zip",
        )


def _files(table: Table) -> Iterator[tuple[str, Lines]]:
    products = _products(table)
    core = {"A": (2, 2)}
    yield "A.txt", _matrix(table, products)
    if table.demand is not None:
        core["Y"] = (2, 2)
        head = _headings([("all", CATEGORY)], ("region", "category"), 2)
        names = _row(["region", "sector", ""])
        yield "Y.txt", _chain(head, [names], _column(products, table.demand))
    if table.output is not None:
        core["x"] = (1, 2)
        columns = _row(["region", "sector", "indout"])
        yield "x.txt", _chain([columns], _column(products, table.output))
    if not isinstance(table.units, str) or table.units:
        core["unit"] = (1, 2)
        units = np.broadcast_to(np.asarray(table.units), len(table)).tolist()
        rows = (_row([*product, unit]) for product, unit in zip(products, units, strict=True))
        yield "unit.txt", _chain([_row(["region", "sector", "unit"])], rows)
    yield DECLARED, iter([_declared(SYSTEM, core)])
    yield METADATA, iter([json.dumps(_meta(table), indent=4)])
    if table.factors:
        yield from _extension(table, products)


def _extension(table: Table, products: list[Product]) -> Iterator[tuple[str, Lines]]:
    head = _headings(products, ("region", "sector"), 1)
    names = _row(["stressor", *[""] * len(products)])
    rows = (_numbers([name], amounts) for name, amounts in table.factors.items())
    yield f"{FACTORS}/S.txt", _chain(head, [names], rows)
    core = {"S": (2, 1)}
    if table.factor_units:
        core["unit"] = (1, 1)
        units = (_row([name, table.factor_units.get(name, "")]) for name in table.factors)
        yield f"{FACTORS}/unit.txt", _chain([_row(["stressor", "unit"])], units)
    yield f"{FACTORS}/{DECLARED}", iter([_declared(EXTENSION, core)])


def _products(table: Table) -> list[Product]:
    """Return region and sector, where all ids are made of both and there are several regions."""
    ids = [str(name) for name in table.ids.tolist()]
    parts = [name.partition("|") for name in ids]
    is_joined = all(region.strip() and sector.strip() for region, _, sector in parts)
    if is_joined and len({region for region, _, _ in parts}) > 1:
        return [(region, sector) for region, _, sector in parts]
    return [("all", name) for name in ids]


def _matrix(table: Table, products: list[Product]) -> Lines:
    yield from _headings(products, ("region", "sector"), 2)
    yield _row(["region", "sector", *[""] * len(products)])
    A, n = table.coefficients, len(table)
    for row, product in enumerate(products):
        entries = slice(A.indptr[row], A.indptr[row + 1])
        values = np.zeros(n)
        values[A.indices[entries]] = A.data[entries]
        yield _numbers(product, values)


def _headings(columns: list[Product], names: Product, labels: int) -> list[str]:
    blank = [""] * (labels - 1)
    return [
        _row([name, *blank, *(column[level] for column in columns)])
        for level, name in enumerate(names)
    ]


def _column(products: list[Product], values: Vector) -> Lines:
    return (
        _row([*product, repr(value)])
        for product, value in zip(products, values.tolist(), strict=True)
    )


def _numbers(label: Iterable[str], values: Vector) -> str:
    numbers = ["0" if value == 0 else repr(value) for value in values.tolist()]
    return "\t".join([*map(_quoted, label), *numbers]) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "\t".join(map(_quoted, cells)) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if "\t" in text or '"' in text else text


def _chain(*parts: Iterable[str]) -> Lines:
    for part in parts:
        yield from part


def _declared(kind: str, tables: dict[str, tuple[int, int]]) -> str:
    files = {
        name: {"name": f"{name}.txt", "nr_index_col": str(labels), "nr_header": str(headings)}
        for name, (headings, labels) in tables.items()
    }
    named = {"name": FACTORS} if kind == EXTENSION else {}
    return json.dumps({"files": files, "systemtype": kind, **named}, indent=4)


def _meta(table: Table) -> dict[str, object]:
    """Return what pymrio keeps of a system's origin, and all that the table says beside it."""
    meta = {theirs: str(table.meta.get(ours, "")) for theirs, ours in TITLES.items()}
    return {**meta, "history": [], OURS: dict(table.meta)}


def _left_out(table: Table) -> tuple[str, ...]:
    lost = [
        name for name in ("names", "price", "blocks", "rank") if getattr(table, name) is not None
    ]
    lost += ["value type float32"] if table.value_type == "float32" else []
    return (f"not written, this form has no place for them: {', '.join(lost)}",) if lost else ()
