"""The layout of pymrio, which EXIOBASE 3 is published in too: a folder, or a zip of it.

    IOT_2022_pxp/                   (any name, or the root of the zip)
      file_parameters.json          which tables, and how many headings and labels each has
      metadata.json                 name, description, version
      A.txt  Z.txt                  (region, sector) × (region, sector); one of them is enough
      Y.txt                         (region, sector) × (region, category): final demand
      x.txt  unit.txt               (region, sector) × one column
      satellite/                    an extension, with a file_parameters.json of its own
        F.txt  S.txt  unit.txt      stressor × (region, sector): totals, or per unit of output

    region         AU    AU                     {"systemtype": "IOSystem", "files": {"A":
    sector         wheat steel                     {"name": "A.txt", "nr_index_col": "2",
    region sector                                   "nr_header": "2"}, ...}}
    AU     wheat   0.1   0.2

Tables are text with tabs, or Parquet. Pickled ones are refused: reading a pickle runs whatever code
is in it. Without ``file_parameters.json`` the names and shapes above are taken for granted. A is
read where it is there, else Z / x. Final demand is summed over categories and regions. What can be
computed (L, M, D_cba ...) is left alone.

Sources: pymrio 0.7 (Stadler 2021, Journal of Open Research Software 9:8); EXIOBASE 3.8 (Stadler et
al. 2018, Journal of Industrial Ecology 22:502).
"""

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ogas.datasets.found import Found, per_unit, reading
from ogas.datasets.published.accounts import ids_of, levels_of
from ogas.datasets.published.archive import Archive, inside
from ogas.datasets.published.pymrio_factors import Stressors
from ogas.datasets.published.pymrio_parts import (
    Part,
    Product,
    extensions,
    only_system,
    product_of,
    systems,
)
from ogas.datasets.published.sparse import Axis, Entries, in_order, order_of
from ogas.datasets.published.wanted import Wanted
from ogas.engine.errors import InvalidInputError
from ogas.engine.header import Header
from ogas.engine.table import Vector, coefficients_from

METADATA = "metadata.json"
OURS = "ogas"  # the entry of the metadata that says what a table of ours said
EXIOBASE = "exio"  # how its titles begin
BASIC = "flows are at basic prices, as EXIOBASE has them"
UNSAID = "at which prices its flows are, these files do not say"
TITLES = {"name": "title", "description": "source", "system": "system", "version": "version"}


def is_pymrio(source: Path) -> bool:
    """Return whether a folder or a zip holds a system in this layout."""
    return (source.is_dir() or zipfile.is_zipfile(source)) and bool(systems(Archive.of(source)))


def read_pymrio(source: Path, wanted: Wanted) -> Found:
    """Read a system and its extensions.

    Raises
    ------
    InvalidInputError
        Naming the file, the row and the column.
    WrongUsageError
        If a factor is wanted that is not there.
    """
    with reading(source):
        system = only_system(Archive.of(source))
        products, found = _system(system)
        stressors = Stressors(products, found.header, wanted)
        for name, part in extensions(system):
            stressors.read(name, part)
        header = replace(
            found.header,
            factors=stressors.amounts,
            factor_units=stressors.units,
            meta=_meta(system),
        )
        found = replace(found, header=header)
        messages = (*found.messages, *stressors.messages(), *_prices(header.meta))
        return replace(found, messages=messages)


def _system(system: Part) -> tuple[list[Product], Found]:
    """Read A, or Z with x, and what belongs to the products."""
    core = next((name for name in ("A", "Z") if name in system.files), None)
    if core is None:
        raise InvalidInputError(
            f"neither A nor Z is there, only {', '.join(system.files) or 'nothing'}",
            advice="save the system again, with A or with Z and Y",
        )
    columns, matrix, messages = _square(system, core)
    products = [product_of(label) for label in columns.labels]
    demand, output = (_sums(system, name, columns) for name in ("Y", "x"))
    if demand is None and (core == "A" or output is None):
        messages += ("no final demand (Y): plans will need --demand",)
    units = _units(system, products)
    if not isinstance(units, str):
        messages += (f"products are in several units: {', '.join(sorted(set(units.tolist())))}",)
    header = Header(ids=ids_of(products), demand=demand, output=output, units=units)
    found = Found(coefficients_from(matrix), header, messages, levels_of(products))
    return products, per_unit(found) if core == "Z" else found


def _square(system: Part, name: str) -> tuple[Axis, csr_array, tuple[str, ...]]:
    entries, labels, places = Entries(), [], []
    with system.grid(name) as grid:
        products = [product_of(label) for label in grid.columns]
        columns = Axis(products, [grid.place(k) for k in range(len(products))])
        for row in grid.rows():
            labels.append(product_of(row.label))
            places.append(row.place)
            entries.add(row.values)
        order = order_of(columns, Axis(labels, places))
        messages = tuple(f"{name}: {line}" for line in grid.messages())
    return columns, in_order(entries.matrix(len(products)), order), messages


def _sums(system: Part, name: str, columns: Axis) -> Vector | None:
    """Return the row sums of a table, if it is there: categories and regions together."""
    if name not in system.files:
        return None
    with system.grid(name) as grid:
        rows = [(product_of(row.label), row.place, row.values.sum()) for row in grid.rows()]
        labels, places, totals = zip(*rows, strict=True) if rows else ((), (), ())
        order = order_of(columns, Axis(labels, places))
        return np.array(totals, dtype=np.float64)[order]


def _units(system: Part, products: list[Product]) -> Any:
    if "unit" not in system.files:
        return ""
    with system.grid("unit") as grid:
        said = {product_of(label): cells[0] for label, cells, _ in grid.texts()}
    units = [said.get(product, "") for product in products]
    return units[0] if len(set(units)) == 1 else np.array(units, dtype=np.str_)


def _prices(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """Say at which prices the flows are; of a table that we wrote there is nothing to say."""
    if "title" not in meta or "system" not in meta:
        return ()
    return (BASIC if str(meta["title"]).lower().startswith(EXIOBASE) else UNSAID,)


def _meta(system: Part) -> dict[str, Any]:
    name = inside(system.folder, METADATA)
    if name not in system.archive.names:
        return {}
    said = system.archive.json(name)
    if isinstance(said.get(OURS), dict):
        return dict(said[OURS])
    return {ours: str(said[theirs]) for theirs, ours in TITLES.items() if said.get(theirs)}
