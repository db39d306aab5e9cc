"""Plans on disk: xarray Datasets in Zarr, one directory each, replaced in one step.

    PLAN/                 dimension `product` in the table's order; `factor` if in several factors
        product           the ids (and name, unit: where products have their own)
        output | value    the middle of the bounds (quantities | values)
        lower, upper      proven bounds
        figures           certified significant figures, at most 15
        demand | direct   what was asked for (and demand_lower, demand_upper where given)
        turnover, witness, upstreamness
        attributes        the table and its digest, delta, method, precision, seconds, versions

Anyone reads it with ``xarray.open_zarr(PLAN)``. Every variable's SHA-256 stands in the attribute
``digests``: a chunk that is missing or altered cannot pass for numbers.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ogas.datasets.arrays import CHUNK_BYTES, Array, damage_named, digest_of
from ogas.datasets.atomic import atomic_directory
from ogas.engine.balance import Demand
from ogas.engine.errors import DamagedError, WrongUsageError
from ogas.engine.plan import Column, Plan

if TYPE_CHECKING:  # xarray takes half a second to import; only reading and writing need it
    import xarray as xr

FORMAT = 1

#: The field of a `Column`, and its long name. `output` and `demand` of prices have their own words.
VARIABLES = {
    "output": "gross output",
    "lower": "proven lower bound of gross output",
    "upper": "proven upper bound of gross output: a plan that covers all uses, where nonnegative",
    "figures": "certified significant figures",
    "demand": "final demand",
    "demand_lower": "least final demand",
    "demand_upper": "largest final demand",
    "turnover": "demand and uses in absolute terms; what precision is relative to",
    "witness": "w with w - |A| w > 0; proves the bounds",
    "upstreamness": "mean number of production rounds to final use; 0 where no demand reaches",
}
PRICED = {"output": "value", "demand": "direct"}
PRICED_NAMES = {
    "output": "value: factor embodied in one unit",
    "lower": "proven lower bound of the value",
    "upper": "proven upper bound of the value",
    "demand": "direct use of the factor per unit",
    "turnover": "direct use and inputs in absolute terms; what precision is relative to",
}


def write_plan(path: Path, plan: Plan) -> None:
    """Store a plan at ``path`` in one step; an older plan there is replaced, anything else is not.

    Raises
    ------
    WrongUsageError
        If something that is not a plan stands there, or the place may not be written to.
    DamagedError
        If the disk is full; nothing is left behind.
    """
    if path.exists() and not _is_plan(path):
        raise WrongUsageError(
            "something that is not a plan stands here", where=str(path), advice="choose -o PLAN"
        )
    dataset = _dataset(plan)
    rows = max(1, CHUNK_BYTES // 8)
    encoding = {
        str(name): {"chunks": (*(1,) * (variable.ndim - 1), min(rows, max(1, variable.shape[-1])))}
        for name, variable in dataset.variables.items()
        if "product" in variable.dims
    }
    with atomic_directory(path) as folder, warnings.catch_warnings():
        # Zarr warns that its form of consolidated metadata may change; a plan is small without.
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        dataset.to_zarr(folder, mode="w", zarr_format=3, consolidated=True, encoding=encoding)


def read_plan(path: Path) -> Plan:
    """Read a plan and prove that it is what was written.

    Raises
    ------
    WrongUsageError
        If there is no plan here.
    DamagedError
        If anything is missing, altered, or of a newer format.
    """
    if not path.is_dir() or not (path / "zarr.json").exists():
        raise WrongUsageError("there is no plan here", where=str(path), advice="ogas plan TABLE")
    import xarray as xr

    with damage_named(path):
        dataset = xr.open_zarr(path, chunks=None, mask_and_scale=False).load()
    _check_format(path, dataset)
    with damage_named(path):
        _check_digests(dataset)
        return _plan(dataset)


def _is_plan(path: Path) -> bool:
    metadata = path / "zarr.json"
    return metadata.is_file() and '"ogas_plan"' in metadata.read_text(encoding="utf-8")


def _names(kind: str) -> dict[str, str]:
    """Return what each field of a column is called in a plan of this kind."""
    own = PRICED if kind == "values" else {}
    return {field: own.get(field, field) for field in VARIABLES}


def _dataset(plan: Plan) -> "xr.Dataset":
    import xarray as xr

    several = len(plan.columns) > 1
    dims = ("factor", "product") if several else ("product",)
    variables: dict[str, Any] = {}
    for field, name in _names(plan.kind).items():
        arrays = [array for column in plan.columns if (array := _field(column, field)) is not None]
        if arrays:
            stacked = np.stack(arrays) if several else arrays[0]
            variables[name] = (dims, stacked, _attributes(plan, field))
    dataset = xr.Dataset(variables, coords=_coordinates(plan))
    digests = {str(name): _digest(variable) for name, variable in dataset.variables.items()}
    dataset.attrs = {
        "ogas_plan": FORMAT,
        "kind": plan.kind,
        "factors": [column.name for column in plan.columns if column.name],
        "delta": plan.delta,
        **plan.facts,
        "digests": digests,
    }
    return dataset


def _coordinates(plan: Plan) -> dict[str, Any]:
    """Return the labels of products and factors; names and units where products have their own."""
    found: dict[str, Any] = {"product": ("product", _labels(plan.ids), {"long_name": "id"})}
    if plan.names is not None:
        found["name"] = ("product", _labels(plan.names), {"long_name": "name of the product"})
    units = np.array([column.units for column in plan.columns], dtype=object)
    dims = ("factor", "product")[: units.ndim]
    if len(plan.columns) > 1:
        names = np.array([column.name for column in plan.columns], dtype=object)
        found["factor"] = ("factor", names, {"long_name": "primary input"})
        found["unit"] = (dims, units, {"long_name": "unit"})
    elif units.ndim > 1:
        found["unit"] = (dims[1:], units[0], {"long_name": "unit"})
    return found


def _field(column: Column, field: str) -> Array | None:
    """Return the array of a field; bounds of the demand only where they were given."""
    if field.startswith("demand"):
        if field != "demand" and column.demand.is_exact:
            return None
        return {
            "demand": column.demand.nominal,
            "demand_lower": column.demand.lower,
            "demand_upper": column.demand.upper,
        }[field]
    array: Array = getattr(column, field)
    return array.astype(np.int8) if field == "figures" else array


def _attributes(plan: Plan, field: str) -> dict[str, str]:
    priced = PRICED_NAMES if plan.kind == "values" else {}
    return {"long_name": priced.get(field, VARIABLES[field]), "units": _units(plan, field)}


def _units(plan: Plan, field: str) -> str:
    if field in ("figures", "upstreamness"):
        return "1"
    shared = plan.columns[0].units
    if len(plan.columns) == 1 and isinstance(shared, str):
        return shared or "unit"
    return "see the coordinate unit"


def _labels(ids: Array) -> Array:
    """Return ids as Zarr stores them: int64, or strings of variable length."""
    return ids.astype(object) if ids.dtype.kind == "U" else ids


def _plain(array: Array) -> Array:
    """Return text as NumPy's fixed-width strings, which is what digests are defined for."""
    return np.array(array.tolist(), dtype=np.str_) if array.dtype.kind in "OT" else array


def _digest(variable: "xr.Variable") -> str:
    return digest_of({"values": _plain(variable.values)})


def _check_format(path: Path, dataset: "xr.Dataset") -> None:
    found = dataset.attrs.get("ogas_plan")
    if found is None:
        raise WrongUsageError("this is a Zarr directory, but not a plan", where=str(path))
    if found != FORMAT:
        raise DamagedError(
            f"this plan is of format {found}, and this program reads format {FORMAT}",
            where=str(path),
            advice="upgrade ogas",
        )


def _check_digests(dataset: "xr.Dataset") -> None:
    digests = dataset.attrs["digests"]
    found = {str(name): variable for name, variable in dataset.variables.items()}
    if set(digests) != set(found):
        raise DamagedError(f"variables differ: {', '.join(sorted(set(digests) ^ set(found)))}")
    for name, variable in found.items():
        if _digest(variable) != digests[name]:
            raise DamagedError(f"variable {name} has another digest")


def _plan(dataset: "xr.Dataset") -> Plan:
    attributes = dict(dataset.attrs)
    kind = attributes.pop("kind")
    names = attributes.pop("factors") or [""]
    known = ("ogas_plan", "digests")
    return Plan(
        kind=kind,
        ids=_plain(dataset["product"].values),
        names=_plain(dataset["name"].values) if "name" in dataset else None,
        columns=tuple(_column(dataset, kind, name, len(names) > 1) for name in names),
        delta=attributes.pop("delta"),
        facts={key: value for key, value in attributes.items() if key not in known},
    )


def _column(dataset: "xr.Dataset", kind: str, factor: str, several: bool) -> Column:
    part = dataset.sel(factor=factor) if several else dataset
    arrays = {
        field: part[name].values for field, name in _names(kind).items() if name in part.variables
    }
    nominal = arrays.pop("demand")
    lower, upper = arrays.pop("demand_lower", nominal), arrays.pop("demand_upper", nominal)
    units: Any = part["output" if kind == "quantities" else "value"].attrs["units"]
    if "unit" in part.variables:
        own = part["unit"].values
        units = _plain(own) if own.ndim else str(own)
    arrays["figures"] = arrays["figures"].astype(np.int64)
    return Column(name=factor, units=units, demand=Demand(nominal, lower, upper), **arrays)
