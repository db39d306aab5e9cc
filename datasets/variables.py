"""Arrays with named dimensions in a Zarr group, as xarray has them, without xarray.

Whoever opens such a group with ``xarray.open_zarr`` finds a Dataset. To import xarray takes longer
than to compute a small plan: it brings pandas, and dask.array where Dask is installed.

    GROUP/                the attributes of the Dataset, and the metadata of all variables
        NAME/             a variable: its array, the names of its dimensions, its attributes

A variable named like a dimension labels that dimension. Other labels are named in the attribute
``coordinates`` of every variable that has their dimensions (Climate and Forecast conventions 1.11,
ch. 5); readers take that attribute out again.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ogas.datasets.arrays import CHUNK_BYTES, Array

COORDINATES = "coordinates"


@dataclass(frozen=True, eq=False)
class Variable:
    """An array and what is said about it.

    Attributes
    ----------
    dims : tuple of str
        The name of every axis.
    values : ndarray
        Numbers, or text of fixed width, which is stored with variable length.
    attributes : mapping
        Anything that JSON has.
    """

    dims: tuple[str, ...]
    values: Array
    attributes: Mapping[str, Any] = field(default_factory=dict)


def write_variables(
    folder: Path,
    variables: Mapping[str, Variable],
    labels: Mapping[str, Variable],
    attributes: Mapping[str, Any],
) -> None:
    """Write a new group at ``folder``; ``labels`` are the coordinates of ``variables``."""
    import zarr

    root = zarr.create_group(folder, attributes=dict(attributes))
    for name, label in labels.items():
        _write(root, name, label, {})
    others = {name: label.dims for name, label in labels.items() if label.dims != (name,)}
    for name, variable in variables.items():
        fit = [other for other, dims in others.items() if set(dims) <= set(variable.dims)]
        _write(root, name, variable, {COORDINATES: " ".join(fit)} if fit else {})
    with warnings.catch_warnings():
        # Zarr warns that its form of consolidated metadata may change; arrays open without, too.
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        zarr.consolidate_metadata(root.store)


def _write(root: Any, name: str, variable: Variable, more: Mapping[str, str]) -> None:
    values = variable.values
    is_text, is_real = values.dtype.kind == "U", values.dtype.kind == "f"
    length = min(CHUNK_BYTES // 8, max(1, values.shape[-1]))
    array = root.create_array(
        name,
        shape=values.shape,
        dtype="string" if is_text else values.dtype.newbyteorder("<"),
        chunks=(*(1,) * (values.ndim - 1), length),
        fill_value=np.nan if is_real else None,  # what is lost is no zero
        dimension_names=variable.dims,
        attributes=dict(variable.attributes) | dict(more),
    )
    array[...] = values.astype(np.dtypes.StringDType()) if is_text else values


def read_variables(folder: Path) -> tuple[dict[str, Variable], dict[str, Any]]:
    """Return everything in a group, and its attributes; the consolidated metadata count.

    What is damaged makes Zarr fail in many ways; see `ogas.datasets.arrays.damage_named`.
    """
    import zarr

    root = zarr.open_group(folder, mode="r", zarr_format=3, use_consolidated=True)
    return {name: _read(array) for name, array in root.arrays()}, dict(root.attrs)


def _read(array: Any) -> Variable:
    attributes = {key: said for key, said in array.attrs.items() if key != COORDINATES}
    values = np.asarray(array[...])
    if values.dtype.kind in "OT":
        values = np.array(values.tolist(), dtype=np.str_)
    return Variable(tuple(array.metadata.dimension_names), values, attributes)
