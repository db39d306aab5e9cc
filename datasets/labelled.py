"""Classical results with labels: xarray in, xarray out, and CSV.

    economy = xr.Dataset({"A": (("input", "product"), ...), "demand": ("product", ...), ...})
    found = analysed(economy, "multipliers")

Every number of a result has its bounds beside it: ``labour``, ``labour lower``, ``labour upper``.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ogas.datasets.atomic import atomic_file
from ogas.datasets.columns import write_rows
from ogas.engine.analyses.inverse import Inverse
from ogas.engine.analyses.menu import MENU, Asked
from ogas.engine.analyses.result import Result
from ogas.engine.errors import InvalidInputError, WrongUsageError
from ogas.engine.interval import Interval
from ogas.engine.iterate import Precision
from ogas.engine.source import Source
from ogas.engine.table import Table, coefficients_from

if TYPE_CHECKING:  # xarray takes half a second to import
    import xarray as xr

COEFFICIENTS = "A"
KNOWN = ("demand", "output", "price", "name", "unit")  # other variables are factors


def analysed(
    economy: "Table | xr.Dataset", what: str, asked: Asked | None = None, *, digits: int = 6
) -> "xr.Dataset":
    """Return a classical result of an economy, with proven bounds.

    Parameters
    ----------
    economy : Table or xarray.Dataset
        See `table_of`.
    what : str
        A name of `ogas.engine.analyses.menu.MENU`.
    asked : Asked, optional
        Factors, products, households ...
    digits : int
        Figures to prove of every solve.

    Returns
    -------
    xarray.Dataset
        A variable for every column of the result, along ``product``, ``group`` or ``path``.

    Examples
    --------
    >>> from ogas.datasets.textbook import two_sectors
    >>> found = analysed(two_sectors(), "multipliers")
    >>> found["labour"].round(6).values.tolist()
    [1.0, 1.0]
    >>> bool((found["labour lower"] <= 1).all() and (found["labour upper"] >= 1).all())
    True
    """
    if what not in MENU:
        raise WrongUsageError(f"no analysis {what!r}", advice=f"there are: {', '.join(MENU)}")
    table = economy if isinstance(economy, Table) else table_of(economy)
    inverse = Inverse(Source.of(table), Precision(digits))
    return dataset_of(MENU[what][1](inverse, asked or Asked()))


def table_of(economy: "xr.Dataset") -> Table:
    """Return the table that a labelled dataset describes.

    ``A`` has the dimensions ``input`` and ``product`` with the same labels, in the same order;
    ``demand``, ``output``, ``price``, ``name`` and ``unit`` are known; every other variable along
    ``product`` is a factor. Units are told by the attribute ``units`` of a factor; that of
    ``demand`` is of all products, where there is no variable ``unit``.

    Raises
    ------
    InvalidInputError
        If A is not there, or its labels differ.
    """
    if COEFFICIENTS not in economy or set(economy[COEFFICIENTS].dims) != {"input", "product"}:
        raise InvalidInputError(
            "there is no variable A with the dimensions input and product",
            advice='make it: xr.Dataset({"A": (("input", "product"), numbers)})',
        )
    A = economy[COEFFICIENTS].transpose("input", "product")
    ids = np.array(A["product"].values.tolist())
    if "input" in A.coords and not np.array_equal(np.array(A["input"].values.tolist()), ids):
        raise InvalidInputError(
            "inputs and products have other labels", advice="reindex one like the other"
        )
    along = {str(name): one for name, one in economy.variables.items() if one.dims == ("product",)}
    units = {name: str(one.attrs["units"]) for name, one in along.items() if "units" in one.attrs}
    found: dict[str, Any] = {
        f"{name}s" if name in ("name", "unit") else name: along[name].values
        for name in KNOWN
        if name in along
    }
    for name in ("names", "units"):
        if name in found:
            found[name] = np.array(found[name].tolist(), dtype=np.str_)
    found.setdefault("units", units.get("demand", ""))
    found["factors"] = {
        name: np.asarray(one.values, dtype=np.float64)
        for name, one in along.items()
        if name not in (*KNOWN, "product")
    }
    found["factor_units"] = {name: units[name] for name in found["factors"] if name in units}
    return Table(coefficients_from(np.asarray(A.values, np.float64)), ids, **found)


def dataset_of(result: Result) -> "xr.Dataset":
    """Return a result as a labelled dataset, with units as attributes.

    What belongs to no row has no dimension.
    """
    import xarray as xr

    variables: dict[str, Any] = {}
    for name, column in result.columns.items():
        unit = {"units": result.units.get(name, "")}
        if isinstance(column, Interval):
            parts = _parts(name, column)
            variables |= {part: (result.over, numbers, unit) for part, numbers in parts.items()}
        else:
            variables[name] = (result.over, column.astype(object))
    for name, one in result.totals.items():
        unit = {"units": result.units.get(name, "")}
        parts = _parts(name, one)
        variables |= {f"total {part}": ((), number, unit) for part, number in parts.items()}
    ids = result.ids.astype(object) if result.ids.dtype.kind == "U" else result.ids
    coordinates: dict[str, Any] = {result.over: ids}
    if result.names is not None:
        coordinates["name"] = (result.over, result.names.astype(object))
    about = {"what": result.what, "equation": result.equation, "notes": "; ".join(result.notes)}
    return xr.Dataset(variables, coordinates, about)


def write_result(file: Path, result: Result) -> None:
    """Write all rows of a result to a CSV file, every number followed by its bounds."""
    names = [""] * len(result) if result.names is None else result.names.tolist()
    columns: dict[str, Any] = {result.over: result.ids.tolist(), "name": names}
    for name, column in result.columns.items():
        if isinstance(column, Interval):
            parts = _parts(name, column)
            columns |= {part: numbers.tolist() for part, numbers in parts.items()}
        else:
            columns[name] = column.tolist()
    with atomic_file(file) as temporary:
        write_rows(temporary, list(columns), zip(*columns.values(), strict=True))


def _parts(name: str, column: Interval) -> dict[str, Any]:
    """Return a number and its bounds by their names."""
    return {name: column.middle, f"{name} lower": column.lower, f"{name} upper": column.upper}
