"""Matrix Market: the bare matrix, 1-based; with a product list beside it, a whole table.

    %%MatrixMarket matrix coordinate real general
    % comments
    rows columns entries
    i j a_ij

``real`` and ``integer`` fields are read, in the formats ``coordinate`` and ``array``, ``general``
or ``symmetric``. SciPy's reader is not used: some truncated files bring the whole process down.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array

from ogas.datasets.form_edges import write_products
from ogas.datasets.found import Found, reading
from ogas.datasets.product_list import read_products, sibling
from ogas.engine.errors import DamagedError, InvalidInputError
from ogas.engine.header import Header
from ogas.engine.table import Table, coefficients_from

READABLE = {
    "object": ("matrix",),
    "format": ("coordinate", "array"),
    "field": ("real", "double", "integer"),
    "symmetry": ("general", "symmetric"),
}


def read_mtx(file: Path, products: Path | None = None) -> Found:
    """Read a matrix and its product list, given or beside it; without one, ids are 1 .. n."""
    with reading(file):
        matrix = _matrix(file)
    found = sibling(file, products)
    if found is None:
        ids = np.arange(1, matrix.shape[0] + 1, dtype=np.int64)
        message = "no product list: ids are 1 to n, no demand"
        return Found(coefficients_from(matrix), Header(ids=ids), (message,))
    with reading(found):
        header, levels, messages = read_products(found)
        if len(header.ids) != matrix.shape[0]:
            raise InvalidInputError(
                f"{len(header.ids):,} products, but the matrix {file.name} has {matrix.shape[0]:,}",
                advice="list every product once, in the order of the matrix",
            )
        return Found(coefficients_from(matrix), header, messages, levels)


def _matrix(file: Path) -> coo_array:
    with file.open(encoding="utf-8") as stream:
        layout = _banner(stream.readline())
        size = next((line for line in stream if line.strip() and line[0] != "%"), "")
        # One whole-file parse: 2e6 entries a second, refuses anything that is not a number.
        values = np.array(stream.read().split(), dtype=np.float64)
    sizes = [int(word) for word in size.split()]
    if len(sizes) != (3 if layout["format"] == "coordinate" else 2):
        raise DamagedError("the line with the sizes is missing or incomplete")
    if sizes[0] != sizes[1]:
        raise InvalidInputError(f"the table is not square: {sizes[0]:,} rows, {sizes[1]:,} columns")
    symmetric = layout["symmetry"] == "symmetric"
    if layout["format"] == "coordinate":
        matrix = _coordinates(values, sizes[0], sizes[2])
    else:
        matrix = _dense(values, sizes[0], symmetric)
    return matrix + _mirror(matrix) if symmetric else matrix


def _banner(line: str) -> dict[str, str]:
    words = line.lower().split()
    if len(words) != 5 or words[0] != "%%matrixmarket":
        raise DamagedError("it does not begin with %%MatrixMarket and four words")
    layout = dict(zip(READABLE, words[1:], strict=True))
    for what, allowed in READABLE.items():
        if layout[what] not in allowed:
            raise InvalidInputError(
                f"its {what} is {layout[what]!r}, expected {' or '.join(allowed)}", where="line 1"
            )
    return layout


def _coordinates(values: npt.NDArray[np.float64], n: int, entries: int) -> coo_array:
    if values.size != 3 * entries:
        raise DamagedError(f"{values.size / 3:g} entries, but its sizes say {entries:,}")
    triples = values.reshape(entries, 3)
    places = triples[:, :2] - 1
    if places.size and not ((places >= 0) & (places < n) & (places % 1 == 0)).all():
        bad = int(np.flatnonzero(((places < 0) | (places >= n) | (places % 1 != 0)).any(axis=1))[0])
        raise InvalidInputError(
            f"there is no row or column {triples[bad, :2].tolist()} among {n:,}",
            where=f"entry {bad + 1}",
        )
    rows, columns = places.T.astype(np.int64)
    return coo_array((triples[:, 2], (rows, columns)), shape=(n, n))


def _dense(values: npt.NDArray[np.float64], n: int, symmetric: bool) -> coo_array:
    """Read columns one after the other; of a symmetric matrix, the lower triangle."""
    columns, rows = np.triu_indices(n) if symmetric else np.divmod(np.arange(n * n), n)
    if values.size != rows.size:
        raise DamagedError(f"{values.size:,} entries, but its sizes say {rows.size:,}")
    return coo_array((values, (rows, columns)), shape=(n, n))


def _mirror(matrix: coo_array) -> coo_array:
    """Return the other half of a symmetric matrix of which one triangle is stored."""
    off = matrix.row != matrix.col
    entries = matrix.data[off], (matrix.col[off], matrix.row[off])
    return coo_array(entries, shape=matrix.shape)


def write_mtx(table: Table, file: Path, target: Path) -> tuple[str, ...]:
    """Write the matrix into ``file`` and the product list beside ``target``, its final name."""
    A = table.coefficients
    rows = np.repeat(np.arange(1, len(table) + 1), np.diff(A.indptr)).tolist()
    with file.open("w", encoding="utf-8") as stream:
        stream.write("%%MatrixMarket matrix coordinate real general\n")
        stream.write(f"{len(table)} {len(table)} {table.nonzeros}\n")
        entries = zip(rows, (A.indices + 1).tolist(), A.data.tolist(), strict=True)
        stream.writelines(f"{row} {column} {value!r}\n" for row, column, value in entries)
    return write_products(table, target)
