"""A supply and a use table in one ``.npz``, read without pickle, and the table made of the two.

    U | U_dom             use, products by industries: of everything, or of domestic products
    S | V                 supply, products by industries, or make, industries by products
    U_imp                 use of imported products, beside U_dom: their total becomes the factor
                          ``imports``; with ``--imports total`` U = U_dom + U_imp instead
    products industries   labels (or: prod, com; ind); ``com_name`` names of the products
    VA, va_rows           primary inputs by industries, in total, and what they are called
    F | f                 final uses as published, by products: compared with q − U e, not taken
    unit, meta            the unit of money; source, licence, year

Matrices are dense, or in CSR as in the exchange form (``U_data, U_indices, U_indptr, U_shape``).
Every further array of numbers, one for each industry, is a primary input.

Which table comes out depends on the model (`ogas.engine.symmetric`), and is asked for: there is no
usual one that could be taken silently.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ogas.datasets.arrays import Array
from ogas.datasets.form_npz import array_of, csr_of, meta_of
from ogas.datasets.found import Found, reading
from ogas.datasets.published.imports import Uses, combined
from ogas.datasets.published.wanted import DOMESTIC, TOTAL, Wanted
from ogas.engine.errors import InvalidInputError, WrongUsageError
from ogas.engine.header import Header
from ogas.engine.supply_use import SupplyUse
from ogas.engine.symmetric import IMPORTS, MODELS, largest_negatives
from ogas.engine.table import Labels, Table, Vector

USE, SUPPLY, IMPORTED = ("U", "U_dom"), ("S", "V"), "U_imp"
PRODUCTS, INDUSTRIES, NAMES = ("products", "prod", "com"), ("industries", "ind"), "com_name"
FINAL = ("F", "f")
CSR = ("_data", "_indices", "_indptr", "_shape")
AGREES = 1e-6  # of the output of a product
NAMED = 5


@dataclass(frozen=True, eq=False)
class Accounts:
    """What stands in the file: the two tables, what goes with them, and what was decided."""

    tables: SupplyUse
    names: npt.NDArray[np.str_] | None
    unit: str
    meta: Mapping[str, Any]
    messages: tuple[str, ...]


def is_supply_use(file: Path) -> bool:
    """Whether an archive holds a supply-use pair, and no table in the exchange form."""
    with reading(file), file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        names = archive.files
    return "A_data" not in names and all(
        any(_is_there(names, name) for name in pair) for pair in (USE, SUPPLY)
    )


def read_supply_use(file: Path, wanted: Wanted) -> Found:
    """Read a supply-use pair and make one table of it.

    Raises
    ------
    WrongUsageError
        If no model is named, or none of this name; or if it needs as many industries as products.
        If imports are asked for that the pair does not tell.
    InvalidInputError
        If the pair says something impossible, or cannot be inverted as the model wants it.
    DamagedError
        If the file cannot be read.
    """
    return one_table(read_accounts(file, wanted.imports), wanted.model, file)


def one_table(accounts: Accounts, model: str | None, source: Path) -> Found:
    """Make one table of a supply-use pair.

    Raises
    ------
    WrongUsageError, InvalidInputError
        See `read_supply_use`.
    """
    tables = accounts.tables
    size = f"{len(tables.products):,} products and {len(tables.industries):,} industries"
    if model is None or model not in MODELS:
        raise WrongUsageError(
            f"this is a supply-use pair of {size}; there are four ways to make one table of it",
            where=str(source),
            advice=f"choose one: --model {'|'.join(MODELS)}",
        )
    with reading(source):
        table = MODELS[model](tables)
    by_product = table.ids is tables.products
    header = replace(
        Header.of(table),
        names=accounts.names if by_product else None,
        units=accounts.unit,
        meta=dict(accounts.meta) | dict(table.meta),
    )
    said = (f"{table.meta['method']}, of {size}", *accounts.messages)
    said = (*said, *_negatives(table), *_unmade(tables, by_product))
    return Found(table.coefficients, header, said)


def read_accounts(file: Path, imports: str | None = None) -> Accounts:
    """Read a supply-use pair as it stands; ``imports`` as for `Wanted`.

    Raises
    ------
    InvalidInputError
        If an array has another shape or type than the form says; see `SupplyUse` for the rest.
    DamagedError
        If the file cannot be read.
    """
    with reading(file):
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            left = {name: array_of(archive, name) for name in archive.files if name != "meta"}
            meta = meta_of(archive)
        use = _taken(left, _one_of(left, USE, "use"))
        is_make = _one_of(left, SUPPLY, "supply") == "V"
        supply = csr_array(_taken(left, "V").T) if is_make else _taken(left, "S")
        products = _labels(left, PRODUCTS, supply.shape[0])
        industries = _labels(left, INDUSTRIES, supply.shape[1])
        names, unit = left.pop(NAMES, None), _unit(left.pop("unit", None))
        inputs = _value_added(left, industries)
        messages: tuple[str, ...] = ()
        if _is_there(left, IMPORTED):
            imported = Uses(_taken(left, IMPORTED), np.zeros(len(products)))
            uses, told = combined(Uses(use, np.zeros(len(products))), imported, imports)
            use, messages = uses.flows, (told,)
            meta = {**meta, "imports": imports or DOMESTIC}
            if imports != TOTAL:
                inputs[IMPORTS] = imported.inputs
        elif imports is not None:
            raise WrongUsageError("there is no U_imp in it", advice="leave --imports away")
        final = [left.pop(name) for name in FINAL if name in left]
        left.pop("fd", None)  # names of the columns of F
        inputs |= _others(left, industries)
        if inputs:
            messages = (*messages, f"primary inputs of the industries: {', '.join(inputs)}")
        if left:
            messages = (f"ignored arrays: {', '.join(left)}", *messages)
        tables = SupplyUse(supply, use, products, industries, inputs)
        for amounts in final:
            messages = (*messages, *compared(amounts, tables))
        return Accounts(tables, names, unit, meta, messages)


def _is_there(names: Any, name: str) -> bool:
    return name in names or name + CSR[0] in names


def _one_of(left: Mapping[str, Array], names: tuple[str, str], what: str) -> str:
    found = [name for name in names if _is_there(left, name)]
    if len(found) != 1:
        there = "both are" if found else "neither is"
        raise InvalidInputError(
            f"the {what} table is {' or '.join(names)}, and {there} there",
            advice="keep one of the two",
        )
    return found[0]


def _taken(left: dict[str, Array], name: str) -> csr_array:
    """Take a matrix out of what is left."""
    if name not in left:
        parts = {name + part: left.pop(name + part) for part in CSR if name + part in left}
        matrix = csr_array(csr_of(parts, name), dtype=np.float64)
        matrix.sum_duplicates()
        return matrix
    array = left.pop(name)
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise InvalidInputError(f"{name} is no matrix of numbers: {array.dtype}, {array.shape}")
    return csr_array(array.astype(np.float64))


def _labels(left: dict[str, Array], names: tuple[str, ...], count: int) -> Labels:
    name = next((name for name in names if name in left), None)
    if name is None:
        return np.arange(count, dtype=np.int64)
    labels = left.pop(name)
    if labels.dtype.kind not in "Uiu" or labels.shape != (count,):
        raise InvalidInputError(
            f"{name} are {labels.dtype} of shape {labels.shape}, expected {count:,} labels"
        )
    return labels if labels.dtype.kind == "U" else labels.astype(np.int64)


def _unit(unit: Array | None) -> str:
    if unit is None:
        return ""
    if unit.dtype.kind != "U" or unit.size != 1:
        raise InvalidInputError("unit is not one text; products are added up, in money")
    return str(unit.item())


def _value_added(left: dict[str, Array], industries: Labels) -> dict[str, Vector]:
    """Return the rows of VA, by their names."""
    if "VA" not in left or "va_rows" not in left:
        return {}
    rows, names = left.pop("VA"), left.pop("va_rows").tolist()
    if rows.shape != (len(names), len(industries)) or rows.dtype.kind not in "fiu":
        raise InvalidInputError(
            f"VA is {rows.dtype} of shape {rows.shape}, expected ({len(names)}, {len(industries)})"
        )
    return dict(zip(map(str, names), rows.astype(np.float64), strict=True))


def _others(left: dict[str, Array], industries: Labels) -> dict[str, Vector]:
    """Take whatever has a number for every industry."""
    names = [
        name
        for name, array in left.items()
        if array.dtype.kind in "fiu" and array.shape == industries.shape
    ]
    return {name: left.pop(name).astype(np.float64) for name in names}


def compared(amounts: Array, tables: SupplyUse) -> tuple[str, ...]:
    """Say how far published final uses are from what the two tables leave."""
    n = len(tables.products)
    if amounts.dtype.kind not in "fiu" or len(amounts) != n:
        return ("final uses are not by product, and ignored",)
    published = amounts.astype(np.float64).reshape(n, -1).sum(axis=1)
    demand = tables.final_demand
    apart = np.abs(published - demand)
    worst = int(np.argmax(apart))
    if apart[worst] <= AGREES * max(tables.product_output[worst], 1.0):
        return ()
    return (
        "demand is output less use; published final uses differ from it, most for product "
        f"{tables.products[worst]!s}: {published[worst]:.6g}, not {demand[worst]:.6g}",
    )


def _negatives(table: Table) -> tuple[str, ...]:
    count, named = largest_negatives(table, NAMED)
    if not count:
        return ()
    listed = "; ".join(f"{supplier} to {user} {flow:.4g}" for supplier, user, flow in named)
    noun = "coefficient is" if count == 1 else "coefficients are"
    return (f"{count:,} {noun} negative, and kept; by flow the largest: {listed}",)


def _unmade(tables: SupplyUse, by_product: bool) -> tuple[str, ...]:
    """Say what became of products that are used and that no industry makes."""
    unmade = np.flatnonzero((tables.product_output == 0) & (np.abs(tables.use).sum(axis=1) > 0))
    if unmade.size == 0:
        return ()
    fate = "their demand is negative" if by_product else f"their use is in the factor {IMPORTS}"
    some = ", ".join(str(tables.products[product]) for product in unmade[:NAMED])
    return (f"used, but made by no industry ({unmade.size:,}): {some}; {fate}",)
