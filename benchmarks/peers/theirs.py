"""What pymrio and MARIO make of the same arrays, by their own functions.

Run as ``PYTHON theirs.py NAME FOLDER``, with whatever Python has the package: nothing of ogas is
imported here, since MARIO pins versions that cannot stand beside others. Reads what `handover`
wrote, writes one ``NAME-RESULT.npy`` for every result, and prints what each took.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

LISTED = 100  # paths
DEPTH = 5
CUT = 1e-4  # of the whole: MARIO keeps and expands paths from here on

Step = tuple[str, Callable[[], Any]]


class Given:
    """The arrays as data frames."""

    def __init__(self, folder: Path) -> None:
        arrays = {
            name: np.load(folder / f"{name}.npy") for name in ("A", "output", "demand", "factors")
        }
        self.labels = [f"s{k}" for k in range(len(arrays["output"]))]
        self.names = [f"factor {k}" for k in range(len(arrays["factors"]))]
        self.A, self.output, self.demand = arrays["A"], arrays["output"], arrays["demand"]
        self.factors = arrays["factors"]
        self.Z = self.A * self.output


def of_pymrio(given: Given) -> Iterator[Step]:
    """Yield what pymrio offers of the classical set."""
    import pymrio

    one = ["region"]
    index = pd.MultiIndex.from_product([one, given.labels], names=["region", "sector"])
    A = pd.DataFrame(given.A, index=index, columns=index)
    Z = pd.DataFrame(given.Z, index=index, columns=index)
    S = pd.DataFrame(given.factors, index=given.names, columns=index)
    x = pd.DataFrame(given.output, index=index, columns=["indout"])
    held: dict[str, Any] = {}

    def inverse() -> None:
        held["L"] = pymrio.calc_L(A)

    yield "inverse", inverse
    yield "multipliers", lambda: np.vstack([held["L"].sum(axis=0), pymrio.calc_M(S, held["L"])])
    yield "ghosh", lambda: pymrio.calc_G(pymrio.calc_B(Z, x)).to_numpy().sum(axis=_sold(Z, x))


def _sold(Z: Any, x: Any) -> int:
    """Return along which axis pymrio's G has to be added up for a product that is supplied.

    Its B is A' in shares of sales: rows are users.
    """
    import pymrio

    B = pymrio.calc_B(Z, x).to_numpy()
    sold = Z.to_numpy().sum(axis=1) / np.maximum(x.to_numpy().ravel(), 1e-300)
    return 1 if np.allclose(B.sum(axis=1), sold) else 0


def of_mario(given: Given) -> Iterator[Step]:
    """Yield what MARIO offers of the classical set."""
    import mario

    sectors = pd.MultiIndex.from_product(
        [["Region"], ["Sector"], given.labels], names=["Region", "Level", "Item"]
    )
    z = pd.DataFrame(given.A, index=sectors, columns=sectors)
    Z = pd.DataFrame(given.Z, index=sectors, columns=sectors)
    v = pd.DataFrame(given.factors, index=pd.Index(given.names, name="Item"), columns=sectors)
    X = pd.DataFrame(given.output, index=sectors, columns=["production"])
    held: dict[str, Any] = {}

    def inverse() -> None:
        held["w"] = mario.calc_w(z)

    yield "inverse", inverse
    yield "multipliers", lambda: np.vstack([held["w"].sum(axis=0), mario.calc_m(v, held["w"])])
    yield "ghosh", lambda: mario.calc_g(mario.calc_b(X, Z)).to_numpy().sum(axis=1)
    made = np.array(given.A @ given.output + given.demand)
    category = pd.MultiIndex.from_tuples(
        [("Region", "Consumption category", "Final demand")], names=["Region", "Level", "Item"]
    )

    def database() -> None:
        paid = pd.Index(["value added"], name="Item")
        nothing = pd.DataFrame(np.zeros((len(given.names), 1)), v.index, category)
        held["db"] = mario.Database(
            table="IOT",
            Z=pd.DataFrame(given.A * made, index=sectors, columns=sectors),
            Y=pd.DataFrame(given.demand, index=sectors, columns=category),
            V=pd.DataFrame((1 - given.A.sum(axis=0))[None] * made, paid, sectors),
            E=v * made,
            EY=nothing,
            units={
                "Sector": pd.DataFrame({"unit": "M"}, index=given.labels),
                "Factor of production": pd.DataFrame({"unit": "M"}, index=paid),
                "Satellite account": pd.DataFrame({"unit": "t"}, index=given.names),
            },
        )

    yield "database", database
    yield "linkages", lambda: _linkages(held["db"], sectors)
    whole = float(np.abs(given.factors[0] * made).sum())
    yield "paths", lambda: _paths(held["db"], given.names[0], CUT * whole)


def _linkages(db: Any, sectors: Any) -> Any:
    found = db.calc_linkages(normalized=False, cut_diag=False, multi_mode=False)
    return found.reindex(sectors)[["Total Backward", "Total Forward"]].to_numpy().T  # it sorts


def _paths(db: Any, indicator: str, least: float) -> Any:
    found = db.calc_spa(indicator, max_depth=DEPTH, cutoff=least, top_n=LISTED)
    column = next(name for name in found.columns if str(name).lower() == "contribution")
    return found[column].to_numpy(dtype=np.float64)


SETS = {"pymrio": of_pymrio, "mario": of_mario}


def taken(name: str, folder: Path) -> dict[str, Any]:
    """Carry out what a package offers; a result that fails is reported as that."""
    found: dict[str, Any] = {}
    for what, step in SETS[name](Given(folder)):
        start = time.perf_counter()
        try:
            result = step()
        except Exception as error:  # whatever it is, it is the result
            found[what] = {"why": f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"}
            continue
        found[what] = {"seconds": time.perf_counter() - start}
        if result is not None:
            np.save(folder / f"{name}-{what}.npy", np.asarray(result, dtype=np.float64))
    return found


if __name__ == "__main__":
    import contextlib

    with contextlib.redirect_stdout(sys.stderr):
        told = taken(sys.argv[1], Path(sys.argv[2]))
    print(json.dumps(told))
