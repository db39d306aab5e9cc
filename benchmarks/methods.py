"""How many passes each method needs on the synthetic economies S1-S4 of 20,000 products.

Every method from nothing, outputs and values, beside the Jacobi sweeps that SciPy needs to be as
close without a proof. Then orders and tables in every way it is used: with the order of products
known or found by the run, with blocks that METIS has to find, in mixed units, with negative
entries, imports, households, and warm. What the design promised stands beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ogas.benchmarks import design
from ogas.benchmarks.design import CASES, promised
from ogas.benchmarks.passes import (
    FIGURES,
    KINDS,
    Count,
    by_blocks,
    counted,
    problem_of,
    reads_of_own,
    solution,
    whole,
)
from ogas.benchmarks.truth import jacobi_sweeps
from ogas.datasets import gallery
from ogas.engine.balance import Start
from ogas.engine.blocking import auto
from ogas.engine.choose import METHODS
from ogas.engine.cycle import OrdersAndTables, SectorBalance
from ogas.engine.method import turnover_floor
from ogas.engine.table import Table, Vector

PLAIN = ("jacobi", "gauss-seidel", "anderson", "block-jacobi")
CYCLE = "orders-and-tables"


@dataclass(frozen=True)
class Way:
    """A way to use orders and tables.

    Attributes
    ----------
    name : str
    variant : str
        Of the gallery.
    withheld : tuple of str
        ``rank`` of the table, ``labour`` of the problem.
    kind : "quantities" or "values"
    """

    name: str
    variant: str = ""
    withheld: tuple[str, ...] = ()
    kind: str = "quantities"


WAYS = (
    Way(design.KNOWN),
    Way(design.FOUND, withheld=("rank",)),
    Way(design.HIDDEN, "hidden"),
    Way(design.MIXED, "units=mixed"),
    Way(design.MIXED_UNPRICED, "units=mixed", ("labour",)),
    Way(design.MIXED_NOTHING, "units=mixed", ("labour", "rank")),
    Way(design.SIGNED, "signed"),
    Way(design.IMPORTS, "imports"),
    Way(design.BOTH, "signed,imports"),
    Way(design.HOUSEHOLDS, "households"),
    Way(design.VALUES_KNOWN, kind="values"),
    Way(design.VALUES_FOUND, withheld=("rank",), kind="values"),
)
ROWS = len(KINDS) * (1 + len(PLAIN)) + len(WAYS) + 2  # of every case


def synthetic(
    cases: tuple[str, ...] = CASES, figures: tuple[int, ...] = FIGURES
) -> Iterator[Count]:
    """Yield the passes of every method and every way on the cases of `sectors`."""
    for case in cases:
        table = gallery.generate(f"sectors:{case}")
        for kind in KINDS:
            yield from plain(case, table, kind, figures)
        for way in WAYS:
            words = f"sectors:{case}" + (f",{way.variant}" if way.variant else "")
            given = gallery.generate(words) if way.variant else table
            yield in_way(case, given, way, figures)
        problem = by_blocks(table, "quantities")
        yield twice(case, problem(10), figures)
        yield warm(case, problem(10), figures)


def plain(case: str, table: Table, kind: str, figures: tuple[int, ...]) -> Iterator[Count]:
    """Yield the sweeps of SciPy and the passes of every method but orders and tables."""
    sweeps = jacobi_sweeps(whole(table, kind)(0), figures)
    yield Count(case, kind, "SciPy, no proof", sweeps)
    for name in PLAIN:
        method = METHODS[name]
        found = counted((case, kind, name), problem_of(table, kind, method), method, figures)
        yield replace(found, design=promised(name, case) if kind == "quantities" else "")


def in_way(case: str, table: Table, way: Way, figures: tuple[int, ...]) -> Count:
    """Count the passes of orders and tables used in some way."""
    if table.blocks is None:
        table = replace(table, blocks=auto(table).blocks)
    if "rank" in way.withheld:
        table = replace(table, rank=None)
    problem = by_blocks(table, way.kind)

    def known(wanted: int) -> SectorBalance:
        found = problem(wanted)
        return replace(found, labour=None, is_priced=False) if "labour" in way.withheld else found

    name = f"{CYCLE}, {way.name}"
    found = counted((case, way.kind, name), known, METHODS[CYCLE], figures)
    return replace(found, design=promised(way.name, case))


def twice(case: str, problem: SectorBalance, figures: tuple[int, ...]) -> Count:
    """Count reads and exchanges if own parts are swept twice for every exchange."""
    method = OrdersAndTables(inner=2)
    runs = [solution(problem, method, wanted) for wanted in figures]
    return Count(
        *(case, "quantities", f"{CYCLE}, {design.TWICE}"),
        passes=tuple(reads_of_own(run, problem, method.inner) for run in runs),
        exchanges=tuple(0 if run is None else run.traffic.exchanges for run in runs),
        design=promised(design.TWICE, case),
    )


def warm(case: str, problem: SectorBalance, figures: tuple[int, ...]) -> Count:
    """Count the passes of x alone: from the demand, with a witness that has converged."""
    start = Start(_first(problem), converged_witness(problem))
    names = (case, "quantities", f"{CYCLE}, {design.WARM}")
    found = counted(names, lambda _: replace(problem, start=start), METHODS[CYCLE], figures)
    return replace(found, design=promised(design.WARM, case))


def converged_witness(problem: SectorBalance) -> Vector:
    """Return ``(I - |A|)^-1 t`` to ten figures."""
    found = solution(problem, METHODS[CYCLE], 10)
    assert found is not None
    (proved,) = found.certificates
    witness: Vector = np.maximum(
        Start.after(found.certificates).witness, turnover_floor(proved.turnover)
    )
    return witness


def _first(problem: SectorBalance) -> Vector:
    return np.maximum(np.stack([demand.nominal for demand in problem.demands], axis=1), 0.0)
