"""A table handed over to other software, with the truth to hold all answers against.

Run as ``python -m ogas.benchmarks.claims.handover TABLE PLAN FOLDER``. It writes to the folder

    data.npy indices.npy indptr.npy    A as CSR (A[i, j] = input of i per unit output of j)
    demand.npy                         f
    truth.npy turnover.npy             x, certified to `FIGURES` figures, and what errors relate to

and prints what a plan cost to so many figures, pass by pass, and how far the plan that was measured
is from the truth. For tables of at most `DENSE` products the truth is an LU solution refined in
extended precision, which owes nothing to our kernels.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ogas.benchmarks.truth import dense_solution
from ogas.cluster.progress import expected
from ogas.datasets.plans import read_plan
from ogas.datasets.store import open_store
from ogas.engine.balance import quantities
from ogas.engine.block import assemble
from ogas.engine.errors import PlanError
from ogas.engine.iterate import Forecast, Precision
from ogas.engine.outcome import History, Outcome
from ogas.engine.plan import Request, draw_up
from ogas.engine.table import Vector

FIGURES = 10
DENSE = 1_500
ARRAYS = ("data", "indices", "indptr")


def hand_over(table: Path, plan: Path, folder: Path) -> dict[str, Any]:
    """Write matrix and truth; return convergence, and the true error of a plan.

    Returns
    -------
    dict
        ``convergence``: list of {pass, kind, half_width}, forecast after a sweep, proven by a
        certificate. ``true_error``: largest distance of ``plan`` from the truth, relative to
        turnover; ``truth``: whose that is.
    """
    source = open_store(table).source()
    matrix = assemble(source.blocks(), len(source))
    for name in ARRAYS:
        np.save(folder / f"{name}.npy", _narrow(getattr(matrix, name), source.header.value_type))
    del matrix
    curve: list[dict[str, Any]] = []

    def note(history: History, forecast: Forecast) -> None:
        kind, figures = history.records[-1].kind, expected(history, forecast)
        if kind in ("sweep", "certificate"):
            curve.append({"pass": history.passes, "kind": kind, "half_width": 0.5 * 10**-figures})

    found = draw_up(source, Request("quantities", None, Precision(FIGURES)), observe=note)[""]
    if found.outcome is not Outcome.CERTIFIED or found.certificate is None:
        raise RuntimeError(f"{FIGURES} figures were not reached: {found.outcome.word}")
    truth, whose = found.certificate.output, f"our plan, certified to {FIGURES} figures"
    if len(source) <= DENSE:
        truth = dense_solution(quantities(open_store(table).load()))
        whose = "NumPy's LU of the dense matrix, refined in extended precision"
    ours = read_plan(plan).columns[0]
    np.save(folder / "demand.npy", ours.demand.nominal)
    np.save(folder / "truth.npy", truth)
    np.save(folder / "turnover.npy", ours.turnover)
    error = relative_error(ours.output, truth, ours.turnover)
    return {"convergence": curve, "true_error": error, "truth": whose}


def relative_error(output: Vector, truth: Vector, turnover: Vector) -> float:
    """Return the largest error of any product relative to its turnover; infinite if not finite.

    Examples
    --------
    >>> one = np.ones(3)
    >>> float(round(relative_error(one, np.array([1.0, 1.0, 1.25]), 2 * one), 3))
    0.125
    """
    error = np.abs(np.asarray(output, dtype=np.float64) - truth)
    relative = np.divide(error, turnover, out=error, where=turnover > 0)
    largest = float(relative.max())
    return largest if np.isfinite(largest) else float("inf")


def _narrow(array: Any, value_type: str) -> Any:
    """Return values as they are stored; SciPy's 32-bit indices where they fit."""
    if array.dtype == np.float64:
        return array.astype(value_type)
    return array if array[-1:].max(initial=0) > np.iinfo(np.int32).max else array.astype(np.int32)


if __name__ == "__main__":
    try:
        print(json.dumps(hand_over(*map(Path, sys.argv[1:]))))
    except (PlanError, RuntimeError) as error:
        sys.exit(str(error))
