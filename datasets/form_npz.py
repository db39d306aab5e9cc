"""The exchange form: one ``.npz`` that is read without pickle.

    A_data A_indices A_indptr A_shape    CSR, A[i, j] = input of i per unit output of j
    labels                               n unique strings, or integers
    f  x  l  unit  price  blocks  meta   optional: demand, output, labour per unit, ...

``meta`` is a JSON string; its ``factors`` names further arrays that are amounts per unit. Written
beyond the contract: the array ``names``, and ``factor_units`` in ``meta``. Further arrays of n
texts or integers, and such lists in ``meta``, are levels by which to cut the table into blocks.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ogas.datasets.arrays import Array
from ogas.datasets.found import Found, numbered_blocks, reading
from ogas.engine.errors import InvalidInputError, WrongUsageError
from ogas.engine.header import Header
from ogas.engine.table import Table, Vector, coefficients_from

MATRIX = ("A_data", "A_indices", "A_indptr", "A_shape")
VECTORS = {"f": "demand", "x": "output", "price": "price", "rank": "rank"}
NAMED = (*MATRIX, *VECTORS, "l", "labels", "names", "unit", "blocks", "meta")


def read_npz(file: Path) -> Found:
    """Read a table in the exchange form; arrays that are ignored are listed in a message."""
    with reading(file):
        # Opened here, because NumPy does not close a damaged archive.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            _check_names(set(archive.files))
            meta = meta_of(archive)
            factors = [str(name) for name in meta.pop("factors", [])]
            used = {*NAMED, *factors}
            arrays = {name: array_of(archive, name) for name in archive.files if name in used}
            ignored = [name for name in archive.files if name not in used]
            levels = _levels(archive, ignored, meta, arrays["A_shape"])
        matrix, value_type = _matrix(arrays)
        header, messages = _header(arrays, factors, meta, value_type)
        if ignored:
            messages = (f"ignored arrays: {', '.join(ignored)}", *messages)
        return Found(matrix, header, messages, levels)


def _check_names(names: set[str]) -> None:
    missing = [name for name in (*MATRIX, "labels") if name not in names]
    if missing:
        raise InvalidInputError(
            f"not in the exchange form: {', '.join(missing)} missing",
            advice="the form needs A_data, A_indices, A_indptr, A_shape and labels",
        )


def array_of(archive: Mapping[str, Array], name: str) -> Array:
    """Return an array of an archive; what holds Python objects is refused."""
    try:
        return archive[name]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise InvalidInputError(
            f"the array {name} holds Python objects, which may run code when read",
            advice="save it as numbers or text",
        ) from error


def _levels(
    archive: Mapping[str, Array], ignored: list[str], meta: Mapping[str, Any], shape: Array
) -> dict[str, Array]:
    """Return what has a text or an integer for every product."""
    candidates: dict[str, Array] = {}
    for name in (*meta, *ignored):
        with suppress(ValueError):  # of Python objects, or no array at all: nobody asked for them
            candidates[name] = archive[name] if name in ignored else np.array(meta[name])
    wanted = tuple(shape.ravel()[:1].tolist())
    return {
        name: array
        for name, array in candidates.items()
        if array.shape == wanted and array.dtype.kind in "Uiu"
    }


def meta_of(archive: Mapping[str, Array]) -> dict[str, Any]:
    """Return the JSON object `meta` of an archive; empty if there is none."""
    if "meta" not in archive:
        return {}
    try:
        meta = json.loads(str(array_of(archive, "meta")), parse_constant=_no_constant)
    except ValueError as error:
        raise InvalidInputError(f"meta is not JSON ({error})") from error
    if not isinstance(meta, dict):
        raise InvalidInputError("meta is not a JSON object", advice='write {"source": ...}')
    if not isinstance(meta.get("factors", []), list):
        raise InvalidInputError("factors in meta is not a list of names")
    if not isinstance(meta.get("factor_units", {}), dict):
        raise InvalidInputError("factor_units in meta is not a mapping of names to units")
    return meta


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _matrix(arrays: Mapping[str, Array]) -> tuple[csr_array, str]:
    """Return the matrix, and float32 as its value type if that is what the file holds."""
    matrix = csr_of(arrays, "A")
    if matrix.shape[0] != matrix.shape[1]:
        rows, columns = matrix.shape
        raise InvalidInputError(f"the table is not square: {rows:,} rows, {columns:,} columns")
    exact = matrix.dtype == np.float32 and matrix.has_canonical_format
    return coefficients_from(matrix), "float32" if exact else "float64"


def csr_of(arrays: Mapping[str, Array], name: str) -> csr_array:
    """Return the matrix of ``name_data, name_indices, name_indptr, name_shape``, as it stands."""
    parts = [f"{name}_{part}" for part in ("data", "indices", "indptr", "shape")]
    if missing := [part for part in parts if part not in arrays]:
        raise InvalidInputError(f"of the matrix {name}, {', '.join(missing)} is missing")
    data, indices, indptr, shape = (arrays[part] for part in parts)
    if data.dtype.kind not in "fiu" or any(a.dtype.kind not in "iu" for a in (indices, indptr)):
        raise InvalidInputError(f"{name} is not made of numbers: {name}_data is {data.dtype}")
    if shape.shape != (2,) or shape.dtype.kind not in "iu":
        raise InvalidInputError(f"{name}_shape is not two integers")
    try:
        rows, columns = indptr.astype(np.int64), indices.astype(np.int64)
        matrix = csr_array((data, columns, rows), shape=tuple(shape.tolist()))
        matrix.check_format(full_check=True)
    except ValueError as error:
        raise InvalidInputError(
            f"{name}_data, {name}_indices and {name}_indptr do not make up a matrix ({error})"
        ) from error
    return matrix


def _header(
    arrays: Mapping[str, Array], factors: list[str], meta: dict[str, Any], value_type: str
) -> tuple[Header, tuple[str, ...]]:
    n = int(arrays["A_shape"][0])
    blocks: Array | None = None
    messages: tuple[str, ...] = ()
    if "blocks" in arrays:
        blocks, messages = numbered_blocks(_integers("blocks", arrays["blocks"]))
    fields = {field: _vector(arrays, name) for name, field in VECTORS.items() if name in arrays}
    amounts = _factor_arrays(arrays, factors)
    header = Header(
        ids=_labels(arrays["labels"]),
        factors={factor: _vector(arrays, name) for factor, name in amounts.items()},
        names=arrays["names"] if _is_text(arrays.get("names"), n) else None,
        units=_unit(arrays.get("unit"), n),
        factor_units=meta.pop("factor_units", {}),
        blocks=blocks,
        value_type=value_type,
        meta=meta,
        **fields,
    )
    return header, messages


def _factor_arrays(arrays: Mapping[str, Array], factors: list[str]) -> dict[str, str]:
    """Return which array holds each factor; `l` is labour, listed in meta or not."""
    if "l" in arrays and "labour" in factors:
        raise InvalidInputError("both l and labour are there; which one is labour?")
    unlisted = {"labour": "l"} if "l" in arrays and "l" not in factors else {}
    return unlisted | {"labour" if name == "l" else name: name for name in factors}


def _is_text(array: Array | None, n: int) -> bool:
    return array is not None and array.dtype.kind == "U" and array.shape == (n,)


def _labels(labels: Array) -> Array:
    return labels if labels.dtype.kind == "U" else _integers("labels", labels)


def _integers(name: str, array: Array) -> Array:
    if array.dtype.kind not in "iu":
        raise InvalidInputError(f"{name} is {array.dtype}, expected integers")
    return array.astype(np.int64)


def _vector(arrays: Mapping[str, Array], name: str) -> Vector:
    if name not in arrays:
        raise InvalidInputError(f"meta names the factor {name}, but there is no such array")
    if arrays[name].dtype.kind not in "fiu":
        raise InvalidInputError(f"{name} is {arrays[name].dtype}, expected numbers")
    return arrays[name].astype(np.float64)


def _unit(unit: Array | None, n: int) -> Any:
    if unit is None:
        return ""
    if unit.dtype.kind != "U":
        raise InvalidInputError(f"unit is {unit.dtype}, expected text")
    return str(unit.item()) if unit.ndim == 0 or unit.shape == (1,) != (n,) else unit


def write_npz(table: Table, file: Path) -> tuple[str, ...]:
    """Write everything a table holds; nothing is left out.

    Raises
    ------
    WrongUsageError
        If a factor has the name of another array of the form.
    """
    A = table.coefficients
    arrays: dict[str, Any] = {
        "A_data": A.data.astype(table.value_type),
        "A_indices": A.indices,
        "A_indptr": A.indptr,
        "A_shape": np.array(A.shape, dtype=np.int64),
        "labels": table.ids,
        "unit": np.array(table.units),
    }
    optional = {"names": table.names, "blocks": table.blocks}
    optional |= {name: getattr(table, field) for name, field in VECTORS.items()}
    arrays |= {name: array for name, array in optional.items() if array is not None}
    for name, amounts in table.factors.items():
        if name in (*NAMED, "", "file", "allow_pickle"):
            raise WrongUsageError(f"the factor {name!r} cannot be written under this name")
        arrays["l" if name == "labour" else name] = amounts
    meta = dict(table.meta) | {
        "factors": ["l" if name == "labour" else name for name in table.factors],
        "factor_units": dict(table.factor_units),
    }
    with file.open("wb") as stream:
        np.savez_compressed(stream, meta=np.array(json.dumps(meta)), **arrays)
    return ()
