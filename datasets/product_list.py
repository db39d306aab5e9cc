"""The product list: what an edge list or a bare matrix does not say about its products.

    id, name, unit, output, demand, price, labour, block

``id`` is required and fixes the order. Further columns that hold a number for every product are
factors; the others are ignored, with a message. Columns of texts or integers are levels, too, by
which the table can be cut into blocks. Block codes may be text. An id column that holds integers
only makes integer ids.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ogas.datasets.columns import Columns, labels, read_columns
from ogas.datasets.found import numbered_blocks
from ogas.engine.errors import InvalidInputError, WrongUsageError
from ogas.engine.header import Header
from ogas.engine.table import Integers, Labels, Table

TEXTS = ("id", "name", "unit", "block")
VECTORS = ("output", "demand", "price")


def sibling(file: Path, given: Path | None) -> Path | None:
    """Return the product list that belongs to ``file``: the one given, or one that lies beside it.

    Looked for, in this order: ``STEM.products.csv``, ``STEM.products.parquet``, ``products.csv``,
    ``products.parquet``.
    """
    if given is not None:
        return given
    for stem in (f"{file.stem}.products", "products"):
        for suffix in (".csv", ".parquet"):
            if (found := file.with_name(stem + suffix)).is_file():
                return found
    return None


def read_products(file: Path) -> tuple[Header, dict[str, Labels], tuple[str, ...]]:
    """Return the header that a product list describes, its levels, and messages."""
    columns = read_columns(file)
    columns.need("id")
    _check_once(columns)
    factors, messages = _factors(columns)
    blocks: Integers | None = None
    if "block" in columns.cells:
        blocks, said = _blocks(columns.texts("block"))
        messages += said
    cells = columns.cells
    vectors: dict[str, Any] = {name: columns.numbers(name) for name in VECTORS if name in cells}
    header = Header(
        ids=labels(columns.texts("id")),
        factors=factors,
        names=np.array(columns.texts("name"), dtype=np.str_) if "name" in cells else None,
        units=_units(columns.texts("unit")) if "unit" in cells else "",
        blocks=blocks,
        **vectors,
    )
    return header, _levels(columns, factors), messages


def _check_once(columns: Columns) -> None:
    seen: dict[str, str] = {}
    for position, name in enumerate(columns.texts("id")):
        row = columns.row(position)
        if name in seen:
            raise InvalidInputError(
                f"the product {name!r} is listed twice",
                where=f"{seen[name]} and {row}",
                advice="keep one row for each product",
            )
        seen[name] = row


def _factors(columns: Columns) -> tuple[dict[str, Any], tuple[str, ...]]:
    factors, messages = {}, []
    for name in columns.cells:
        if name in (*TEXTS, *VECTORS):
            continue
        try:
            factors[name] = columns.numbers(name)
        except InvalidInputError as error:
            if name == "labour":
                raise
            messages.append(f"ignored column {name}: {error.where}: {error.message}")
    return factors, tuple(messages)


def _levels(columns: Columns, factors: Mapping[str, Any]) -> dict[str, Labels]:
    """Return the further columns that are texts or integers."""
    known = (*TEXTS, *VECTORS, "labour")
    found = {name: labels(columns.texts(name)) for name in columns.cells if name not in known}
    return {
        name: codes
        for name, codes in found.items()
        if name not in factors or codes.dtype == np.int64
    }


def _units(texts: Sequence[str]) -> Any:
    return texts[0] if len(set(texts)) == 1 else np.array(texts, dtype=np.str_)


def _blocks(texts: Sequence[str]) -> tuple[Integers, tuple[str, ...]]:
    codes = labels(texts)
    if codes.dtype == np.int64:
        return numbered_blocks(np.asarray(codes, dtype=np.int64))
    known, first, numbers = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    return order[numbers], (f"{known.size} block codes numbered in order of appearance",)


def product_columns(table: Table) -> dict[str, Sequence[Any]]:
    """Return the columns of the product list of a table.

    Raises
    ------
    WrongUsageError
        If a factor has the name of another column.
    """
    columns: dict[str, Any] = {"id": table.ids, "name": table.names}
    if not isinstance(table.units, str) or table.units:
        columns["unit"] = np.broadcast_to(np.asarray(table.units), len(table))
    columns |= {name: getattr(table, name) for name in VECTORS}
    for name, amounts in table.factors.items():
        if name in (*TEXTS, *VECTORS) or name != name.strip():
            raise WrongUsageError(f"the factor {name!r} cannot be the name of a column; rename it")
        columns[name] = amounts
    columns["block"] = table.blocks
    return {name: values.tolist() for name, values in columns.items() if values is not None}


def left_out(table: Table) -> tuple[str, ...]:
    """Return a message on what a product list cannot hold of a table."""
    lost = [name for name in ("meta", "factor_units") if getattr(table, name)]
    lost += ["rank"] if table.rank is not None else []
    lost += ["value type float32"] if table.value_type == "float32" else []
    return (f"not written, this form has no place for them: {', '.join(lost)}",) if lost else ()
