"""Plans on disk: Datasets of xarray in Zarr, one directory each, replaced in one step.

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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from blake3 import blake3

from ogas.datasets.arrays import Array, damage_named, digest_of
from ogas.datasets.atomic import atomic_directory
from ogas.datasets.variables import Variable, read_variables, write_variables
from ogas.engine.balance import Demand
from ogas.engine.errors import DamagedError, WrongUsageError
from ogas.engine.plan import Column, Plan

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
    variables, labels, attributes = _variables(plan), _labels(plan), _attributes(plan)
    attributes["digests"] = _digests(variables | labels, attributes)
    with atomic_directory(path) as folder:
        write_variables(folder, variables, labels, attributes)


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
    with _damage_of_plan(path):
        variables, attributes = read_variables(path)
    _check_format(path, attributes)
    with _damage_of_plan(path):
        _check_digests(variables, attributes)
        return _plan(variables, attributes)


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


def _variables(plan: Plan) -> dict[str, Variable]:
    several = len(plan.columns) > 1
    dims = (DIMENSIONS[plan.kind], "product") if several else ("product",)
    bounded = any(not column.demand.is_exact for column in plan.columns)
    variables: dict[str, Variable] = {}
    for field, name in _names(plan.kind).items():
        if bounded or field not in BOUNDS:
            arrays = [_field(column, field) for column in plan.columns]
            stacked = np.stack(arrays) if several else arrays[0]
            variables[name] = Variable(dims, stacked, _described(plan, field))
    return variables


def _attributes(plan: Plan) -> dict[str, Any]:
    return {
        "ogas_plan": FORMAT,
        "kind": plan.kind,
        f"{DIMENSIONS[plan.kind]}s": [column.name for column in plan.columns if column.name],
        "delta": plan.delta,
        **plan.facts,
    }


def _labels(plan: Plan) -> dict[str, Variable]:
    """Return the labels of products and factors; names and units where products have their own."""
    found = {"product": Variable(("product",), plan.ids, {"long_name": "id"})}
    if plan.names is not None:
        found["name"] = Variable(("product",), plan.names, {"long_name": "name of the product"})
    own = DIMENSIONS[plan.kind]
    if len(plan.columns) > 1:
        names = np.array([column.name for column in plan.columns])
        found[own] = Variable((own,), names, {"long_name": COLUMN_NAMES[own]})
    units = np.array([column.units for column in plan.columns])
    if not _is_unit_shared(plan):
        found["unit"] = Variable((own, "product")[: units.ndim], units, {"long_name": "unit"})
    elif units.ndim > 1:
        found["unit"] = Variable(("product",), units[0], {"long_name": "unit"})
    return found


def _is_unit_shared(plan: Plan) -> bool:
    """Whether columns are in the same units: scenarios are, prices in several factors are not."""
    return plan.kind == "quantities" or len(plan.columns) == 1


def _field(column: Column, field: str) -> Array:
    demand = column.demand
    asked = {"demand": demand.nominal, "demand_lower": demand.lower, "demand_upper": demand.upper}
    array: Array = asked[field] if field in asked else getattr(column, field)
    return array.astype(np.int8) if field == "figures" else array


def _described(plan: Plan, field: str) -> dict[str, str]:
    priced = PRICED_NAMES if plan.kind == "values" else {}
    return {"long_name": priced.get(field, VARIABLES[field]), "units": _units(plan, field)}


def _units(plan: Plan, field: str) -> str:
    if field in ("figures", "upstreamness"):
        return "1"
    shared = plan.columns[0].units
    if _is_unit_shared(plan) and isinstance(shared, str):
        return shared or "unit"
    return "see the coordinate unit"


def _digests(variables: Mapping[str, Variable], attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return the digest of every variable, and under ``""`` that of everything said about them."""
    digests = {name: _digest(variable.values) for name, variable in variables.items()}
    words: dict[str, Any] = {name: [v.dims, v.attributes] for name, v in variables.items()}
    words[""] = [[], {key: value for key, value in attributes.items() if key != "digests"}]
    text = json.dumps(words, sort_keys=True, allow_nan=False)
    return digests | {"": blake3(text.encode()).hexdigest()}


def _digest(values: Array) -> str:
    return digest_of({"values": values.ravel() if values.dtype.kind == "U" else values})


def _check_format(path: Path, attributes: Mapping[str, Any]) -> None:
    found = attributes.get("ogas_plan")
    if isinstance(found, int) and found != FORMAT:
        raise DamagedError(
            f"this plan is of format {found}, and this program reads {FORMAT}",
            where=str(path),
            advice="upgrade ogas" if found > FORMAT else "compute it again",
        )


def _check_digests(variables: Mapping[str, Variable], attributes: Mapping[str, Any]) -> None:
    told, found = attributes["digests"], _digests(variables, attributes)
    if set(told) != set(found):
        raise DamagedError(f"variables differ: {', '.join(sorted(set(told) ^ set(found)))}")
    for name, digest in found.items():
        if digest != told[name]:
            what = f"variable {name} has" if name else "units or attributes have"
            raise DamagedError(f"{what} another digest")


def _plan(variables: Mapping[str, Variable], attributes: dict[str, Any]) -> Plan:
    if missing := [name for name in NEEDED if name not in attributes]:
        raise DamagedError(f"attributes are missing: {', '.join(missing)}")
    kind = attributes.pop("kind")
    names = attributes.pop(f"{DIMENSIONS[kind]}s", None) or [""]
    known = ("ogas_plan", "digests", "factors")  # older plans of quantities list factors too
    return Plan(
        kind=kind,
        ids=variables["product"].values,
        names=variables["name"].values if "name" in variables else None,
        columns=tuple(
            _column(_part(variables, DIMENSIONS[kind], k), kind, name)
            for k, name in enumerate(names)
        ),
        delta=attributes.pop("delta"),
        facts={key: value for key, value in attributes.items() if key not in known},
    )


def _part(variables: Mapping[str, Variable], dimension: str, k: int) -> dict[str, Variable]:
    """Return what belongs to column ``k``; where there is one, variables have no such dimension."""
    return {
        name: Variable(v.dims[1:], v.values[k], v.attributes) if v.dims[0] == dimension else v
        for name, v in variables.items()
    }


def _column(part: Mapping[str, Variable], kind: str, column_name: str) -> Column:
    arrays = {field: part[name].values for field, name in _names(kind).items() if name in part}
    nominal = arrays.pop("demand")
    bounds = [arrays.pop(bound, nominal) for bound in BOUNDS]
    is_exact = all(np.array_equal(bound, nominal) for bound in bounds)
    demand = Demand.exact(nominal) if is_exact else Demand(nominal, *bounds)
    units: Any = part["output" if kind == "quantities" else "value"].attributes["units"]
    if "unit" in part:
        own = part["unit"].values
        units = own if own.ndim else str(own)
    arrays["figures"] = arrays["figures"].astype(np.int64)
    return Column(name=column_name, units=units, demand=demand, **arrays)
