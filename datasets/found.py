"""What was found in a file: the common ground of all forms, before it becomes a table.

Every reader returns a `Found`: a matrix as it stood in the file, the header, and messages for
whoever asked. Whether the matrix holds coefficients or flows is decided afterwards, in one place:

    flows:   A = Z x̂⁻¹,   every factor likewise;   x = `output`, else row sums of Z + `demand`
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from ogas.datasets.arrays import Array, first_line
from ogas.engine.errors import DamagedError, InvalidInputError, PlanError
from ogas.engine.header import Header
from ogas.engine.table import Integers, Vector


@dataclass(frozen=True, eq=False)
class Found:
    """The contents of a file.

    Attributes
    ----------
    matrix : (n, n) CSR, canonical
        Coefficients or flows, rows supply, columns use.
    header : Header
    messages : tuple of str
        What was ignored or decided; one line each.
    levels : mapping of name to (n,) array
        Texts or integers that say of every product where it belongs: its region, its branch. A
        table can be cut into blocks by them; they are not kept.
    """

    matrix: csr_array
    header: Header
    messages: tuple[str, ...] = ()
    levels: Mapping[str, Array] = field(default_factory=dict)


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Give every error a file, and every failure of a parser the name of damage.

    Raises
    ------
    DamagedError
        If the file cannot be opened or a parser gives up on it.
    """
    try:
        yield
    except PlanError as error:
        place = f"{file}, {error.where}" if error.where else str(file)
        raise type(error)(error.message, where=place, advice=error.advice) from error
    except MemoryError:
        raise
    except FileNotFoundError as error:
        raise InvalidInputError("there is no such file", where=str(file)) from error
    except Exception as error:  # zip, zlib, NumPy, Arrow, CSV, Unicode: each fails in its own way
        raise DamagedError(
            f"cannot be read; it is truncated, altered or not in this form ({first_line(error)})",
            where=str(file),
            advice="get the file again, or name its form with --format",
        ) from error


def per_unit(found: Found) -> Found:
    """Return coefficients from flows; see the law of this page.

    Raises
    ------
    InvalidInputError
        If neither output nor demand is known, or a product that makes nothing uses something.
    """
    found.header.with_coefficients(found.matrix)  # the door of Table: flows must be sound too
    output = _output(found)
    data = _divided(found.matrix.data, output[found.matrix.indices], found, found.matrix.indices)
    everyone = np.arange(len(output))
    factors = {
        name: _divided(total, output, found, everyone)
        for name, total in found.header.factors.items()
    }
    demand = found.header.demand
    if demand is None:
        demand = output - found.matrix.sum(axis=1)
    header = replace(
        found.header, output=output, demand=demand, factors=factors, value_type="float64"
    )
    matrix = csr_array((data, found.matrix.indices, found.matrix.indptr), found.matrix.shape)
    return replace(found, matrix=matrix, header=header)


def _output(found: Found) -> Vector:
    if found.header.output is not None:
        return found.header.output
    if found.header.demand is None:
        raise InvalidInputError(
            "flows become coefficients by the output of the using product, but neither output nor "
            "demand is known",
            advice="add a column `output`, or `demand` (then output = row sum + demand)",
        )
    output: Vector = np.asarray(found.matrix.sum(axis=1)) + found.header.demand
    if (output < 0).any():
        worst = int(np.argmin(output))
        raise InvalidInputError(
            f"its gross output, row sum + demand, is negative ({output[worst]:g})",
            where=f"product {found.header.ids[worst]!s}",
            advice="correct its flows or its demand, or give `output`",
        )
    return output


def _divided(total: Vector, output: Vector, found: Found, products: Integers) -> Vector:
    """Divide totals by outputs; nothing by nothing is nothing."""
    impossible = np.flatnonzero((output == 0) & (total != 0))
    if impossible.size:
        product = found.header.ids[products[impossible[0]]]
        raise InvalidInputError(
            "its output is 0 but it uses inputs",
            where=f"product {product!s}",
            advice="give its output, or remove its column",
        )
    with np.errstate(over="ignore"):  # what overflows is found at the door of Table
        return np.divide(total, output, out=np.zeros(len(total)), where=output != 0)


def numbered_blocks(codes: Integers) -> tuple[Integers, tuple[str, ...]]:
    """Return block numbers ``0 .. m-1`` for any integer codes, and a message if they changed."""
    if codes.size == 0 or (codes.min() >= 0 and codes.max() < codes.size):
        return codes.astype(np.int64), ()
    known, numbers = np.unique(codes, return_inverse=True)
    return numbers.astype(np.int64), (f"{known.size} block codes numbered in ascending order",)
