"""Arrays on disk: how they are cut into chunks, named by their content, and read back with proof.

An array of a store is a Zarr v3 array in one, or a few, chunks of about 4 MiB. Its name is the
BLAKE3 digest of what it holds, so nothing is ever overwritten and reading can be checked:

    digest = blake3( for each array, by name:  name|dtype|shape, newline, little-endian bytes )

Text is held as UTF-8 of variable length and hashed as its lengths followed by its bytes. A chunk
that is missing reads as zeros in Zarr; here it cannot: the digest of zeros is another one. SHA-256
would take a third of the time of loading.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from blake3 import blake3

from ogas.datasets.atomic import fsync_tree, replace_directory, temporary_directory
from ogas.engine.errors import DamagedError, InvalidInputError, PlanError

if TYPE_CHECKING:  # Zarr takes a third of a second to import; only reading and writing need it
    import zarr

Array = npt.NDArray[Any]

CHUNK_BYTES = 4 * 2**20
SAMPLE_BYTES = 2**18
# What the metadata of our arrays say; their first codec, which another may follow.
OURS = {
    "node_type": "array",
    "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
    "storage_transformers": [],
}
PLAIN = {"name": "bytes", "configuration": {"endian": "little"}}
WORTHWHILE_RATIO = 1.3  # below it, decompressing costs more than it saves (floats: 1.07)


def digest_of(arrays: Mapping[str, Array]) -> str:
    """Return the content name of some named arrays; equal for equal contents, on every machine."""
    state = blake3()
    for name in sorted(arrays):
        array = arrays[name]
        if array.dtype.kind == "U":
            lengths, text = _utf8(array)
            state.update(f"{name}|string|{array.shape}\n".encode())
            state.update(lengths.tobytes())
            state.update(text)
        else:
            array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            state.update(f"{name}|{array.dtype.name}|{array.shape}\n".encode())
            state.update(array.view(np.uint8).data if array.size else b"")
    return state.hexdigest()


def _utf8(array: Array) -> tuple[Array, bytes]:
    """Encode strings as one run of UTF-8 and the length of each."""
    try:
        words = [word.encode() for word in array.tolist()]
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"the label {error.object!r} is not valid Unicode text", advice="rename it"
        ) from error
    return np.array([len(word) for word in words], dtype="<i8"), b"".join(words)


def write_group(path: Path, arrays: Mapping[str, Array], attributes: Mapping[str, Any]) -> None:
    """Write a new Zarr group at ``path``; ``"own/indptr"`` goes into the sub-group ``own``.

    ``attributes`` maps the name of a group (``""`` is the root) to its attributes. No integer array
    has a ``_FillValue`` attribute: readers would turn it into floats.
    """
    import zarr

    root = zarr.create_group(path, attributes=attributes.get("", {}))
    for name in sorted({key.rpartition("/")[0] for key in arrays} - {""}):
        root.create_group(name, attributes=attributes.get(name, {}))
    for name, array in arrays.items():
        _write_array(path, root, name, array)


def _write_array(path: Path, root: "zarr.Group", name: str, array: Array) -> None:
    text = array.dtype.kind == "U"
    compressor = None if text else _compressor(array)
    target = root.create_array(
        name,
        shape=array.shape,
        dtype="string" if text else array.dtype.newbyteorder("<"),
        chunks=(chunk_length(len(array), 16 if text else array.itemsize),),
        compressors=compressor,
        # Raw chunk files are read directly when tables are streamed: each must be there.
        config={"write_empty_chunks": True},
    )
    if text:
        target[:] = array.astype(np.dtypes.StringDType())
    elif compressor is None and sys.byteorder == "little":
        _write_chunks(path / name / "c", array, target.chunks[0])
    else:
        target[:] = array


def _write_chunks(folder: Path, array: Array, length: int) -> None:
    """Write the chunk files of an array that is not compressed: they hold its bytes.

    What Zarr does in between takes longer than the disk. Each is as long as the others, as Zarr has
    it: the last one ends in zeros.
    """
    folder.mkdir()
    whole, step = np.ascontiguousarray(array).view(np.uint8).data, length * array.itemsize
    for number, start in enumerate(range(0, len(whole), step)):
        with open(folder / str(number), "wb", buffering=0) as file:
            part = whole[start : start + step]
            file.truncate(step)
            while part:
                part = part[file.write(part) :]


def chunk_length(length: int, itemsize: int) -> int:
    """Return the chunk length nearest to 4 MiB that divides ``length`` with less than 1 % waste."""
    chunks = max(1, round(length * itemsize / CHUNK_BYTES))
    return max(1, -(-length // chunks))


def _compressor(array: Array) -> Any:
    """Return a codec if a sample from the middle shrinks enough to pay for it, else None."""
    from numcodecs.blosc import Blosc  # type: ignore[import-untyped]
    from zarr.codecs import BloscCodec

    start = max(0, (array.nbytes - SAMPLE_BYTES) // 2 // array.itemsize)
    sample = array[start : start + SAMPLE_BYTES // array.itemsize]
    if array.nbytes < 4096:  # one block of a file system: nothing to save
        return None
    packed = Blosc(cname="lz4", clevel=1, shuffle=Blosc.BITSHUFFLE).encode(sample)
    if sample.nbytes < WORTHWHILE_RATIO * len(packed):
        return None
    return BloscCodec(typesize=array.itemsize, cname="lz4", clevel=1, shuffle="bitshuffle")


def read_group(path: Path, expected: Mapping[str, tuple[int, str]]) -> dict[str, Array]:
    """Read the arrays of a group, each of the length and type that ``expected`` says.

    Lengths are compared before anything is read, so that a damaged header cannot ask for more
    memory than the table takes.

    Raises
    ------
    DamagedError
        If anything is missing, unreadable or of another size.
    """
    arrays, reads = group_reads(path, expected, np.empty)
    for read in reads:
        read()
    return arrays


def group_reads(
    path: Path, expected: Mapping[str, tuple[int, str]], empty: Callable[..., Array]
) -> tuple[dict[str, Array], list[Callable[[], None]]]:
    """Return the arrays of a group, and what fills them: one call for every file.

    Text is read at once; see `read_group`.
    """
    with damage_named(path):
        for name in {key.rpartition("/")[0] for key in expected} | {""}:
            if _header(path / name)["node_type"] != "group":
                raise DamagedError(f"{name or path.name} is not a group")
        arrays: dict[str, Array] = {}
        reads: list[Callable[[], None]] = []
        for name, (length, kind) in expected.items():
            found = Chunks.at(path / name)
            if found.shape != (length,) or found.kind != kind or found.step > max(1, length):
                raise DamagedError(
                    f"{name} is {found.kind} of shape {found.shape}, expected {kind} of {length:,}"
                )
            if kind == "string":
                arrays[name] = np.array(found.source[:].tolist(), dtype=np.str_)
                continue
            arrays[name] = empty(length, kind)
            reads += found.reads(arrays[name])
        return arrays, reads


def chunks_of(path: Path, names: Sequence[str]) -> dict[str, "Chunks"]:
    """Return the files of some arrays of a group."""
    with damage_named(path):
        return {name: Chunks.at(path / name) for name in names}


def _header(path: Path) -> dict[str, Any]:
    """Return the metadata of a Zarr group or array, as version 3 of its specification has it."""
    found: dict[str, Any] = json.loads((path / "zarr.json").read_bytes())
    if found["zarr_format"] != 3:
        raise DamagedError("it is of another version of Zarr")
    return found


@dataclass(frozen=True, eq=False)
class Chunks:
    """The files of a stored array of numbers.

    What Zarr does in between takes longer than the disk, a millisecond for every array, so the
    files of arrays that are as we write them are read directly: they hold the bytes as they are, or
    packed by Blosc. Zarr reads all others.

    Attributes
    ----------
    folder : Path
    shape : tuple of int
    kind : str
        The name of its dtype; ``string`` for text.
    step : int
        Numbers in a file; the last may have fewer that count.
    is_packed : bool
    source : zarr.Array or None
        Reads what is not as we write it.
    """

    folder: Path
    shape: tuple[int, ...]
    kind: str
    step: int
    is_packed: bool = False
    source: Any = None

    @staticmethod
    def at(path: Path) -> "Chunks":
        """Return the files of the Zarr array at ``path``."""
        header = _header(path)
        codecs = header["codecs"]
        packing = [codec["name"] for codec in codecs[1:]]
        if (
            sys.byteorder == "little"
            and {name: header.get(name) for name in OURS} == OURS
            and header["chunk_grid"]["name"] == "regular"
            and codecs[0] == PLAIN
            and packing in ([], ["blosc"])
        ):
            (step,) = header["chunk_grid"]["configuration"]["chunk_shape"]
            shape = tuple(header["shape"])
            return Chunks(path / "c", shape, header["data_type"], max(1, int(step)), bool(packing))
        import zarr

        source: Any = zarr.open_array(path, mode="r", zarr_format=3)
        kind = "string" if source.dtype.kind == "T" else str(source.dtype)
        return Chunks(path / "c", source.shape, kind, source.chunks[0], source=source)

    def reads(self, array: Array) -> list[Callable[[], None]]:
        """Return what fills an array, one call for every file; they may run at the same time."""
        starts = range(0, len(array), self.step)
        return [
            partial(self._read, array[start : start + self.step], number)
            for number, start in enumerate(starts)
        ]

    def _read(self, part: Array, number: int) -> None:
        file = self.folder / str(number)
        with damage_named(file):
            if self.source is not None:
                part[:] = self.source[number * self.step : number * self.step + len(part)]
            elif self.is_packed:
                _unpack(file, part, self.step)
            else:
                _fill(file, part)


def _unpack(file: Path, part: Array, step: int) -> None:
    from numcodecs import blosc  # type: ignore[import-untyped]

    packed = file.read_bytes()
    whole = part if len(part) == step else np.empty(step, part.dtype)
    if int.from_bytes(packed[4:8], "little") != whole.nbytes:  # as its header says
        raise DamagedError("it holds another number of bytes")
    blosc.decompress(packed, whole)
    part[:] = whole[: len(part)]


def _fill(file: Path, part: Array) -> None:
    left = part.view(np.uint8).data
    with open(file, "rb", buffering=0) as stream:
        while left:
            read = stream.readinto(left)
            if not read:
                raise DamagedError("it is too short")
            left = left[read:]


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while reading ``path`` into a `DamagedError` that names it.

    A damaged header makes Zarr, its codecs and JSON fail in too many ways to list; all of them
    mean the same to the reader, so all are caught here, and only here.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        reason = error.message if isinstance(error, PlanError) else first_line(error)
        raise DamagedError(
            f"stored bytes are missing or altered ({reason})",
            where=str(path),
            advice="restore this path from a copy, or import the table again over it",
        ) from error


def first_line(error: Exception) -> str:
    """Return what an error of a library says, in one line that is not too long."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:120]


def place(parent: Path, arrays: Mapping[str, Array], attributes: Mapping[str, Any]) -> str:
    """Put a group into ``parent`` under the name of its content; return that name.

    What is already there is read and kept if it is intact, and replaced if it is damaged, so that
    importing a table again repairs its store. Safe to call from many processes at once.
    """
    digest = digest_of(arrays)
    target = parent / digest
    if not _is_intact(target, arrays, digest):
        with temporary_directory(target) as temporary:
            write_group(temporary, arrays, attributes)
            fsync_tree(temporary)
            replace_directory(temporary, target)
    return digest


def _is_intact(path: Path, arrays: Mapping[str, Array], digest: str) -> bool:
    try:
        fetch(path, {name: (len(array), kind_of(array)) for name, array in arrays.items()}, digest)
    except DamagedError:
        return False
    return True


def fetch(path: Path, expected: Mapping[str, tuple[int, str]], digest: str) -> dict[str, Array]:
    """Read a group and prove that its content is the one named ``digest`` (see `read_group`)."""
    arrays = read_group(path, expected)
    with damage_named(path):
        check_digest(arrays, digest)
    return arrays


def check_digest(arrays: Mapping[str, Array], digest: str) -> None:
    """Refuse arrays that are not what their name says.

    Raises
    ------
    DamagedError
    """
    if digest_of(arrays) != digest:
        raise DamagedError("its content has another digest")


def kind_of(array: Array) -> str:
    """Return how an array is typed on disk: a NumPy name, or "string"."""
    return "string" if array.dtype.kind == "U" else array.dtype.name
