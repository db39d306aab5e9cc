"""How many passes each method needs, everything counted: witness, order, certificate.

Two tables. The synthetic economies S1-S4 (20,000 products) with every method, in one unit and in
mixed units, and beside them the Jacobi sweeps that SciPy needs to be as close without a proof. And
every published table of the folder ``OGAS_DATA``, planned and priced by the default method, with
the certified half-width over the true error (against a dense solution in extended precision).

Passes are exact and the same on every machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ogas.benchmarks.truth import dense_solution, jacobi_sweeps
from ogas.datasets import forms, gallery
from ogas.datasets.catalog import locate
from ogas.datasets.store import open_store
from ogas.engine.balance import Balance, Demand, quantities, values
from ogas.engine.errors import PlanError
from ogas.engine.iterate import Precision, solve
from ogas.engine.method import METHODS
from ogas.engine.table import Table, Vector

FIGURES = (3, 6, 10)
CASES = ("S1", "S2", "S3", "S4")


@dataclass(frozen=True)
class Count:
    """Passes of one method on one balance, to each of the figures; 0 where not reached."""

    economy: str
    balance: str
    method: str
    passes: tuple[int, ...]
    overshoot: tuple[float, ...] = ()


def synthetic(cases: tuple[str, ...] = CASES) -> Iterator[Count]:
    """Yield the passes of every method on the cases of `sectors`, in one and in mixed units."""
    for case in cases:
        for variant in ("", ",units=mixed"):
            table = gallery.generate(f"sectors:{case}{variant}")
            for kind, balance in _balances(table):
                if not variant:
                    yield Count(case, kind, "SciPy, no proof", jacobi_sweeps(balance, FIGURES))
                for method in ("jacobi", "gauss-seidel", "anderson"):
                    passes = tuple(_passes(balance, method, figures)[0] for figures in FIGURES)
                    yield Count(f"{case}{variant}", kind, method, passes)


def published(folder: Path | None) -> Iterator[Count]:
    """Yield the passes on `us-2021` and on every square table of a folder, cold, and overshoot."""
    yield from _planned("us-2021 (bundled)", open_store(locate("us-2021")).load())
    for file in sorted(folder.glob("*.npz")) if folder is not None else ():
        try:
            table = forms.read(file).table
        except PlanError:  # a rectangular supply-use pair
            continue
        yield from _planned(file.stem, table)


def overshoots(counts: list[Count]) -> Vector:
    """Return certified half-width over true error, ascending, where the error can be seen."""
    found: Vector = np.array([ratio for count in counts for ratio in count.overshoot])
    return np.sort(found[np.isfinite(found)])


def _planned(name: str, table: Table) -> Iterator[Count]:
    for kind, balance in _balances(table):
        true = dense_solution(balance)
        runs = [_passes(balance, "auto", figures, true) for figures in FIGURES]
        yield Count(
            name, kind, "auto", tuple(run[0] for run in runs), tuple(run[1] for run in runs)
        )


def _balances(table: Table) -> Iterator[tuple[str, Balance]]:
    """Yield the balances of outputs and of values; ones where demand or labour is not given."""
    ones = np.ones(len(table))
    demand = ones if table.demand is None else table.demand
    yield "quantities", quantities(table, Demand.exact(demand))
    factor = next(iter(table.factors.values()), ones)
    priced: Any = Table(table.coefficients, table.ids, factors={"labour": factor})
    yield "values", values(priced, "labour")


def _passes(
    balance: Balance, method: str, figures: int, true: Vector | None = None
) -> tuple[int, float]:
    """Return the passes (0 if not certified), and certified half-width over true error."""
    solution = solve(balance, METHODS[method], Precision(figures=figures))
    certificate = solution.certificate
    if certificate is None or certificate.digits_certified < figures:
        return 0, np.inf
    if true is None:
        return solution.history.passes, np.inf
    scale = np.where(certificate.turnover > 0, certificate.turnover, 1.0)
    error = float(np.max(np.abs(certificate.output - true) / scale))
    ratio = certificate.relative_half_width / error if error > 1e-15 else np.inf
    return solution.history.passes, ratio
