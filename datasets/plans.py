"""Plans on disk: xarray Datasets in Zarr, one directory each, replaced in one step.

    PLAN/                 dimension `product` in the table's order, after it was told apart by
                          `scenario` (several demands) or `factor` (prices in several factors)
        product           the ids (and name, unit: where products have their own)
        scenario | factor the names, where there are several
        output | value    the middle of the bounds (quantities | values)
        lower, upper      proven bounds
        figures           certified significant figures, at most 15
        demand | direct   what was asked for (and demand_lower, demand_upper where given for any)
        turnover, witness, upstreamness
        attributes        the table and its digest, delta, method, precision, seconds, versions;
                          trace: what was known after every pass

Anyone reads it with ``xarray.open_zarr(PLAN)``. Every variable's digest stands in the attribute
``digests``, and that of all units and attributes under ``""``: what is missing or altered cannot
pass for the plan.
"""

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from blake3 import blake3

from ogas.datasets.arrays import CHUNK_BYTES, Array, damage_named, digest_of
from ogas.datasets.atomic import atomic_directory
from ogas.engine.balance import Demand
from ogas.engine.errors import DamagedError, WrongUsageError
from ogas.engine.plan import Column, Plan

if TYPE_CHECKING:  # xarray takes half a second to import; only reading and writing need it
    import xarray as xr

FORMAT = 2  # 1 had other digests

#: What `ogas show` and `ogas verify` need to know of a plan besides its variables.
NEEDED = (
    *("table", "table_version", "table_digest", "demand_from", "outcome", "products"),
    *("method", "passes", "digits_requested", "digits_certified"),
)

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
BOUNDS = ("demand_lower", "demand_upper")
PRICED = {"output": "value", "demand": "direct"}
DIMENSIONS = {"quantities": "scenario", "values": "factor"}
COLUMN_NAMES = {"scenario": "demand that was to be met", "factor": "primary input"}
PRICED_NAMES = {
    "output": "value: factor embodied in one unit",
    "lower": "proven lower bound of the value",
    "upper": "proven upper bound of the value",
    "demand": "direct use of the factor per unit",
    "turnover": "direct use and inputs in absolute terms; what precision is relative to",
}

#: How to open a plan: in memory, without interpretation of units and fill values.
AS_THEY_ARE: dict[str, Any] = {
    "chunks": None,
    "mask_and_scale": False,
    "decode_times": False,
    "decode_timedelta": False,
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
    check_place(path)
    path = path.resolve()  # a link stays a link: what it names is replaced
    dataset = _dataset(plan)
    rows = max(1, CHUNK_BYTES // 8)
    encoding = {
        str(name): {
            "chunks": (*(1,) * (variable.ndim - 1), min(rows, max(1, variable.shape[-1]))),
            "_FillValue": None,  # every number is a number
        }
        for name, variable in dataset.variables.items()
        if "product" in variable.dims
    }
    with atomic_directory(path) as folder, warnings.catch_warnings():
        # Zarr warns that its form of consolidated metadata may change; a plan is small without.
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        dataset.to_zarr(folder, mode="w", zarr_format=3, consolidated=True, encoding=encoding)


def check_place(path: Path) -> None:
    """Refuse a place where no plan may be written; ask before the work is done.

    Raises
    ------
    WrongUsageError
        If something that is not a plan stands there, or the place may not be written to.
    """
    if path.exists() and not _is_plan(path):
        raise WrongUsageError(
            "something that is not a plan stands here",
            where=str(path),
            advice="choose another place with -o PLAN",
        )
    folder = path.resolve().parent
    while not folder.exists():
        folder = folder.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise WrongUsageError(
            "cannot write here" if folder.is_dir() else "this is a file, not a folder",
            where=str(folder),
            advice="choose another place with -o PLAN",
        )


def read_plan(path: Path) -> Plan:
    """Read a plan and prove that it is what was written.

    Raises
    ------
    WrongUsageError
        If there is no plan here.
    DamagedError
        If anything is missing, altered, or of a newer format.
    """
    # Where zarr.json is gone or garbage, what lies beside it tells a damaged plan from no plan.
    if not (_is_plan(path) or (path / "witness" / "zarr.json").is_file()):
        raise WrongUsageError(
            "there is no plan here",
            where=str(path),
            advice="name a plan; `ogas plan TABLE` makes one",
        )
    import xarray as xr

    with _damage_of_plan(path):
        dataset = xr.open_zarr(path, consolidated=True, **AS_THEY_ARE).load()
    _check_format(path, dataset)
    with _damage_of_plan(path):
        _check_digests(dataset)
        return _plan(dataset)


@contextmanager
def _damage_of_plan(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while reading a plan into a `DamagedError` that names it."""
    try:
        with damage_named(path):
            yield
    except DamagedError as error:
        raise DamagedError(error.message, where=error.where, advice="plan it again") from error


def _is_plan(path: Path) -> bool:
    metadata = path / "zarr.json"
    if not metadata.is_file():
        return False
    text = metadata.read_bytes()
    return b'"ogas_plan"' in text or b'"digests"' in text  # damage may have hit one of them


def _names(kind: str) -> dict[str, str]:
    """Return what each field of a column is called in a plan of this kind."""
    own = PRICED if kind == "values" else {}
    return {field: own.get(field, field) for field in VARIABLES}


def _dataset(plan: Plan) -> "xr.Dataset":
    import xarray as xr

    several = len(plan.columns) > 1
    dims = (DIMENSIONS[plan.kind], "product") if several else ("product",)
    bounded = any(not column.demand.is_exact for column in plan.columns)
    variables: dict[str, Any] = {}
    for field, name in _names(plan.kind).items():
        if bounded or field not in BOUNDS:
            arrays = [_field(column, field) for column in plan.columns]
            stacked = np.stack(arrays) if several else arrays[0]
            variables[name] = (dims, stacked, _attributes(plan, field))
    dataset = xr.Dataset(variables, coords=_coordinates(plan))
    dataset.attrs = {
        "ogas_plan": FORMAT,
        "kind": plan.kind,
        f"{DIMENSIONS[plan.kind]}s": [column.name for column in plan.columns if column.name],
        "delta": plan.delta,
        **plan.facts,
    }
    dataset.attrs["digests"] = _digests(dataset)
    return dataset


def _coordinates(plan: Plan) -> dict[str, Any]:
    """Return the labels of products and factors; names and units where products have their own."""
    found: dict[str, Any] = {"product": ("product", _labels(plan.ids), {"long_name": "id"})}
    if plan.names is not None:
        found["name"] = ("product", _labels(plan.names), {"long_name": "name of the product"})
    own = DIMENSIONS[plan.kind]
    if len(plan.columns) > 1:
        names = np.array([column.name for column in plan.columns], dtype=object)
        found[own] = (own, names, {"long_name": COLUMN_NAMES[own]})
    units = np.array([column.units for column in plan.columns], dtype=object)
    if not _is_unit_shared(plan):
        found["unit"] = ((own, "product")[: units.ndim], units, {"long_name": "unit"})
    elif units.ndim > 1:
        found["unit"] = ("product", units[0], {"long_name": "unit"})
    return found


def _is_unit_shared(plan: Plan) -> bool:
    """Whether columns are in the same units: scenarios are, prices in several factors are not."""
    return plan.kind == "quantities" or len(plan.columns) == 1


def _field(column: Column, field: str) -> Array:
    demand = column.demand
    asked = {"demand": demand.nominal, "demand_lower": demand.lower, "demand_upper": demand.upper}
    array: Array = asked[field] if field in asked else getattr(column, field)
    return array.astype(np.int8) if field == "figures" else array


def _attributes(plan: Plan, field: str) -> dict[str, str]:
    priced = PRICED_NAMES if plan.kind == "values" else {}
    return {"long_name": priced.get(field, VARIABLES[field]), "units": _units(plan, field)}


def _units(plan: Plan, field: str) -> str:
    if field in ("figures", "upstreamness"):
        return "1"
    shared = plan.columns[0].units
    if _is_unit_shared(plan) and isinstance(shared, str):
        return shared or "unit"
    return "see the coordinate unit"


def _labels(ids: Array) -> Array:
    """Return ids as Zarr stores them: int64, or strings of variable length."""
    return ids.astype(object) if ids.dtype.kind == "U" else ids


def _plain(array: Array) -> Array:
    """Return text as NumPy's fixed-width strings, which is what digests are defined for."""
    return np.array(array.tolist(), dtype=np.str_) if array.dtype.kind in "OT" else array


def _digest(values: Array) -> str:
    plain = _plain(values)
    return digest_of({"values": plain.ravel() if plain.dtype.kind == "U" else plain})


def _digests(dataset: "xr.Dataset") -> dict[str, str]:
    """Return the digest of every variable, and under ``""`` that of everything said about them."""
    digests = {str(name): _digest(v.values) for name, v in dataset.variables.items()}
    words = {str(name): [v.dims, v.attrs] for name, v in dataset.variables.items()}
    words[""] = [[], {key: value for key, value in dataset.attrs.items() if key != "digests"}]
    text = json.dumps(words, sort_keys=True, allow_nan=False)
    return digests | {"": blake3(text.encode()).hexdigest()}


def _check_format(path: Path, dataset: "xr.Dataset") -> None:
    found = dataset.attrs.get("ogas_plan")
    if isinstance(found, int) and found != FORMAT:
        raise DamagedError(
            f"this plan is of format {found}, and this program reads {FORMAT}",
            where=str(path),
            advice="upgrade ogas" if found > FORMAT else "compute it again",
        )


def _check_digests(dataset: "xr.Dataset") -> None:
    told, found = dataset.attrs["digests"], _digests(dataset)
    if set(told) != set(found):
        raise DamagedError(f"variables differ: {', '.join(sorted(set(told) ^ set(found)))}")
    for name, digest in found.items():
        if digest != told[name]:
            what = f"variable {name} has" if name else "units or attributes have"
            raise DamagedError(f"{what} another digest")


def _plan(dataset: "xr.Dataset") -> Plan:
    attributes = dict(dataset.attrs)
    if missing := [name for name in NEEDED if name not in attributes]:
        raise DamagedError(f"attributes are missing: {', '.join(missing)}")
    kind = attributes.pop("kind")
    names = attributes.pop(f"{DIMENSIONS[kind]}s", None) or [""]
    known = ("ogas_plan", "digests", "factors")  # older plans of quantities list factors too
    return Plan(
        kind=kind,
        ids=_plain(dataset["product"].values),
        names=_plain(dataset["name"].values) if "name" in dataset else None,
        columns=tuple(
            _column(dataset.isel({DIMENSIONS[kind]: k}) if len(names) > 1 else dataset, kind, name)
            for k, name in enumerate(names)
        ),
        delta=attributes.pop("delta"),
        facts={key: value for key, value in attributes.items() if key not in known},
    )


def _column(part: "xr.Dataset", kind: str, column_name: str) -> Column:
    arrays = {
        field: part[name].values for field, name in _names(kind).items() if name in part.variables
    }
    nominal = arrays.pop("demand")
    bounds = [arrays.pop(bound, nominal) for bound in BOUNDS]
    is_exact = all(np.array_equal(bound, nominal) for bound in bounds)
    demand = Demand.exact(nominal) if is_exact else Demand(nominal, *bounds)
    units: Any = part["output" if kind == "quantities" else "value"].attrs["units"]
    if "unit" in part.variables:
        own = part["unit"].values
        units = _plain(own) if own.ndim else str(own)
    arrays["figures"] = arrays["figures"].astype(np.int64)
    return Column(name=column_name, units=units, demand=demand, **arrays)
