"""One block on disk: an immutable Zarr group that other sparse readers understand too.

    blocks/<digest>/
        own/     indptr  indices  data      A[products, products]
        orders/  indptr  indices  data      A[ext, products]
        products, ext                       positions in the table's order, int64

Both sub-groups carry the attributes of AnnData's ``csr_matrix`` and a binsparse descriptor. Row
pointers are 64-bit. Column indices count within the block: 16-bit up to 65,536 products, the width
in which they are swept. ``data`` has the value type of the table.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from ogas.datasets.arrays import (
    Array,
    Chunks,
    check_digest,
    chunks_of,
    damage_named,
    group_reads,
    place,
)
from ogas.engine.block import Block
from ogas.engine.errors import DamagedError, InvalidInputError
from ogas.engine.parts import Empty
from ogas.engine.rows import Rows
from ogas.kernels.loading import add_content, is_sound

MOST_16_BIT = 2**16  # columns that a 16-bit index can name


@dataclass(frozen=True)
class BlockEntry:
    """What a manifest knows of a block without opening it.

    Attributes
    ----------
    digest : str
        The name of its group, of its arrays (`ogas.datasets.arrays`).
    products, ext : int
        How many products it makes, and takes from other blocks.
    own, orders : int
        Stored entries of the two parts.
    value_type : "float64" or "float32"
    is_plain : bool
        Whether no entry is negative and every column adds up to less than one; False if nobody
        looked.
    """

    digest: str
    products: int
    ext: int
    own: int
    orders: int
    value_type: str
    is_plain: bool = False

    @property
    def nonzeros(self) -> int:
        """Entries of both parts together."""
        return self.own + self.orders

    def json(self) -> dict[str, Any]:
        """Return the entry as JSON types; without what an entry need not say."""
        found = asdict(self)
        return found if self.is_plain else {k: v for k, v in found.items() if k != "is_plain"}

    def expected(self) -> dict[str, tuple[int, str]]:
        """Return the length and type of every array of the group."""
        index = index_type(self.products)
        sizes = {"products": (self.products, "int64"), "ext": (self.ext, "int64")}
        for part, rows, entries in self._parts():
            sizes[f"{part}/indptr"] = (rows + 1, "int64")
            sizes[f"{part}/indices"] = (entries, index)
            sizes[f"{part}/data"] = (entries, self.value_type)
        return sizes

    def _parts(self) -> tuple[tuple[str, int, int], ...]:
        return ("own", self.products, self.own), ("orders", self.ext, self.orders)


def index_type(products: int) -> str:
    """Return the type of the column indices of a block of so many products."""
    return "uint16" if products <= MOST_16_BIT else "int32"


def write_block(path: Path, block: Block, value_type: str = "float64") -> BlockEntry:
    """Write one block into the table directory ``path`` and return its entry.

    The block belongs to no version until its entry is published. Processes may write blocks of the
    same table at the same time; a block that is already there is not written again.

    Raises
    ------
    InvalidInputError
        If an entry is not finite, or is not a float32 number although the table says so.
    """
    arrays: dict[str, Array] = {"products": block.products, "ext": block.ext}
    for part, matrix in (("own", block.own), ("orders", block.orders)):
        arrays[f"{part}/indptr"] = matrix.indptr.astype(np.int64, copy=False)
        arrays[f"{part}/indices"] = matrix.indices.astype(
            index_type(len(block.products)), copy=False
        )
        arrays[f"{part}/data"] = _stored(matrix, value_type)
    attributes = {
        "own": _sparse_attributes(block.own, value_type),
        "orders": _sparse_attributes(block.orders, value_type),
    }
    digest = place(path / "blocks", arrays, attributes)
    sizes = len(block.products), len(block.ext), int(block.own.nnz), int(block.orders.nnz)
    return BlockEntry(digest, *sizes, value_type, _is_plain(arrays))


def _is_plain(arrays: Mapping[str, Array]) -> bool:
    """Whether no entry is negative and every column adds up to less than one."""
    totals, is_signed = np.zeros(len(arrays["products"])), False
    for part in ("own", "orders"):
        matrix = [arrays[f"{part}/{name}"] for name in ("indptr", "indices", "data")]
        is_signed |= bool(add_content(*matrix, np.zeros(0), False, totals)[2])
    return not is_signed and bool((totals < 1.0).all())


def _stored(matrix: Rows, value_type: str) -> Array:
    values: Array = matrix.data.astype(value_type, copy=False)
    if not np.isfinite(values).all():
        raise InvalidInputError(
            f"a block has coefficients that are not finite {value_type} numbers",
            advice="correct or remove them",
        )
    if values.dtype != matrix.data.dtype and (values != matrix.data).any():
        raise InvalidInputError(
            "the table says float32, but a block has coefficients that are not float32 numbers",
            advice="round the coefficients to float32 first, or store the table as float64",
        )
    return values


def _sparse_attributes(matrix: Rows, value_type: str) -> dict[str, Any]:
    return {
        "encoding-type": "csr_matrix",
        "encoding-version": "0.1.0",
        "shape": [int(length) for length in matrix.shape],
        "binsparse": {
            "version": "0.1",
            "format": "CSR",
            "shape": [int(length) for length in matrix.shape],
            "number_of_stored_values": int(matrix.nnz),
            "data_types": {
                "pointers_to_1": "int64",
                "indices_1": index_type(matrix.shape[1]),
                "values": value_type,
            },
        },
    }


@dataclass(frozen=True, eq=False)
class StoredBlock:
    """A block of the table directory ``path``, to be read and proved to be the one of the entry.

    Raises
    ------
    DamagedError
        While it is read, if any of its files is missing, truncated or altered.
    """

    path: Path
    entry: BlockEntry

    @property
    def nbytes(self) -> int:
        """What its arrays take as they are stored."""
        return stored_bytes(self.entry)

    @property
    def folder(self) -> Path:
        """Its group."""
        return self.path / "blocks" / self.entry.digest

    def reads(self, empty: Empty) -> tuple[Callable[[], Block], list[Callable[[], None]]]:
        """Return what proves it, and before that what fills its arrays."""
        arrays, reads = group_reads(self.folder, self.entry.expected(), empty)
        return partial(self._proved, arrays), reads

    def _proved(self, arrays: dict[str, Array]) -> Block:
        width = self.entry.products
        with damage_named(self.folder):
            check_digest(arrays, self.entry.digest)
            return Block(
                products=arrays["products"],
                own=_matrix(arrays, "own", (width, width)),
                ext=arrays["ext"],
                orders=_matrix(arrays, "orders", (self.entry.ext, width)),
            )


@dataclass(frozen=True, eq=False)
class StoredPart:
    """A part of a stored block, to be read again: ``own`` or ``orders``.

    It was read and proved before; this reads its bytes and nothing else.
    """

    folder: Path
    shape: tuple[int, int]
    sizes: dict[str, tuple[int, str]]

    @property
    def nbytes(self) -> int:
        """What its arrays take as they are stored."""
        return _nbytes(self.sizes)

    def reads(self, empty: Empty) -> tuple[Callable[[], Rows], list[Callable[[], None]]]:
        """Return what makes the part, and before that what fills it."""
        arrays = {name: empty(*size) for name, size in self.sizes.items()}
        reads = [read for name, array in arrays.items() for read in self._chunks[name].reads(array)]
        return partial(Rows, self.shape, *arrays.values()), reads

    @cached_property
    def _chunks(self) -> dict[str, Chunks]:
        return chunks_of(self.folder, list(self.sizes))


def _nbytes(sizes: Mapping[str, tuple[int, str]]) -> int:
    return sum(length * np.dtype(kind).itemsize for length, kind in sizes.values())


def stored_bytes(entry: BlockEntry) -> int:
    """Return what the arrays of a block take as they are stored."""
    return _nbytes(entry.expected())


def part_bytes(entry: BlockEntry) -> tuple[int, int]:
    """Return what the own part and the orders of a block take as they are stored."""
    own, orders = stored_parts(Path(), entry)
    return own.nbytes, orders.nbytes


def stored_parts(path: Path, entry: BlockEntry) -> tuple[StoredPart, StoredPart]:
    """Return the own part and the orders of a block of the table directory ``path``."""
    folder, expected = path / "blocks" / entry.digest, entry.expected()
    own, orders = (
        StoredPart(
            folder / part,
            (rows, entry.products),
            {name: expected[f"{part}/{name}"] for name in ("indptr", "indices", "data")},
        )
        for part, rows in (("own", entry.products), ("orders", entry.ext))
    )
    return own, orders


def _matrix(arrays: dict[str, Array], part: str, shape: tuple[int, int]) -> Rows:
    """Return a part as it is stored, if its columns are in order."""
    indptr, indices, data = (arrays[f"{part}/{name}"] for name in ("indptr", "indices", "data"))
    if not is_sound(indptr, indices, shape[1]):
        raise DamagedError(f"the columns of {part} are not in order")
    return Rows(shape, indptr, indices, data)
