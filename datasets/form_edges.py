"""An edge list, CSV or Parquet: ``supplier, user, quantity``, with a product list beside it.

One row per recipe entry: the user takes the quantity from the supplier, per unit of its output (or,
for flows, in total). Rows of the same pair add up.
"""

from pathlib import Path

import numpy as np
from scipy.sparse import coo_array

from ogas.datasets.atomic import atomic_file
from ogas.datasets.columns import labels, places, positions, read_columns, write_columns
from ogas.datasets.found import Found, reading
from ogas.datasets.product_list import left_out, product_columns, read_products, sibling
from ogas.engine.header import Header
from ogas.engine.table import Labels, Table, coefficients_from

EDGES = ("supplier", "user", "quantity")


def read_edges(file: Path, products: Path | None = None) -> Found:
    """Read an edge list and its product list (given, or found beside it).

    Without a product list the products are those of the edges, in order of appearance.
    """
    with reading(file):
        edges = read_columns(file)
        edges.need(*EDGES)
        quantity = edges.numbers("quantity")
    found = sibling(file, products)
    if found is None:
        names = [edges.texts("supplier"), edges.texts("user")]
        seen = dict.fromkeys(text for pair in zip(*names, strict=True) for text in pair)
        header = Header(ids=labels(list(seen)))
        levels: dict[str, Labels] = {}
        messages: tuple[str, ...] = ("no product list: products in order of appearance, no demand",)
    else:
        with reading(found):
            header, levels, messages = read_products(found)
    with reading(file):
        known = positions(header.ids)
        rows, columns = (np.array(places(edges, name, known), np.int64) for name in EDGES[:2])
        n = len(header.ids)
        matrix = coo_array((quantity, (rows, columns)), shape=(n, n))
        return Found(coefficients_from(matrix), header, messages, levels)


def write_edges(table: Table, file: Path, target: Path) -> tuple[str, ...]:
    """Write the edges into ``file`` and the product list beside ``target``, their final name.

    Returns
    -------
    tuple of str
        Where the product list is, and what has no place in this form.
    """
    A = table.coefficients
    ids = table.ids
    suppliers = np.repeat(ids, np.diff(A.indptr))
    edges = (suppliers.tolist(), ids[A.indices].tolist(), A.data.tolist())
    write_columns(file, dict(zip(EDGES, edges, strict=True)), target.suffix)
    return write_products(table, target)


def write_products(table: Table, target: Path) -> tuple[str, ...]:
    """Write the product list, ``STEM.products.csv`` or ``.parquet``, beside ``target``."""
    suffix = ".parquet" if target.suffix == ".parquet" else ".csv"
    beside = target.with_name(f"{target.stem}.products{suffix}")
    with atomic_file(beside) as temporary:
        write_columns(temporary, product_columns(table), suffix)
    return (f"products written to {beside}", *left_out(table))
