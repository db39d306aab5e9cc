"""From a stored table to a stored plan, and the account of what that took."""

import os
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ogas.cluster.answer import json_ready
from ogas.cluster.progress import watched
from ogas.datasets.catalog import BUNDLED, locate
from ogas.datasets.demand import read_demand
from ogas.datasets.plans import check_place, read_plan, write_plan
from ogas.datasets.store import Store, open_store
from ogas.engine.balance import Demand
from ogas.engine.certificate import figures_of
from ogas.engine.choose import chosen
from ogas.engine.errors import DamagedError, DoesNotFitError, WrongUsageError
from ogas.engine.header import Header
from ogas.engine.iterate import Solution
from ogas.engine.method import Method
from ogas.engine.outcome import Outcome
from ogas.engine.plan import Plan, Request, column, draw_up, histories, total, worst_outcome
from ogas.engine.productivity import Loop
from ogas.engine.source import Source
from ogas.engine.table import Table

# Vectors of n numbers that a run holds at its peak: the plan's columns, bounds, and Anderson's
# memory of two columns.
VECTORS = 40
INTERPRETER_BYTES = 300 * 10**6  # Python and its libraries
MOST_NAMED = 20


@dataclass
class Clock:
    """Wall-clock seconds spent in each stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Add the time the body takes to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[stage] = self.seconds.get(stage, 0.0) + spent


@dataclass(frozen=True, eq=False)
class Account:
    """A finished run: what was asked, what came out, what it took.

    Attributes
    ----------
    header : Header
    solutions : mapping of factor name to Solution
    plan : Plan or None
        None if nothing could be proved.
    facts : mapping
        The JSON object of ``plan`` and ``price``.
    """

    header: Header
    solutions: Mapping[str, Solution]
    plan: Plan | None
    facts: Mapping[str, Any]

    @property
    def outcome(self) -> Outcome:
        """What can be said of all columns together."""
        return worst_outcome(self.solutions)

    @property
    def attainable_digits(self) -> int:
        """Figures that rounding and the declared uncertainty allow, whatever the sweeps do."""
        widths = [s.certificate.attainable for s in self.solutions.values() if s.certificate]
        return int(figures_of(np.array(widths)).min())

    @property
    def loop(self) -> Loop | None:
        """The loop that makes the economy unproductive, if one was found."""
        audits = [solution.productivity for solution in self.solutions.values()]
        return next((found.loop for found in audits if found is not None and found.loop), None)


@dataclass(frozen=True)
class Files:
    """What a request takes from files.

    Attributes
    ----------
    demands : sequence of Path
        Each replaces the table's demand; several are scenarios, called as their files.
    warm : Path or None
        An earlier plan of the same products, to begin with.
    """

    demands: Sequence[Path] = ()
    warm: Path | None = None


def carry_out(
    name: str,
    request: Request,
    target: Path,
    *,
    files: Files = Files(),
    memory: int | None = None,
) -> Account:
    """Load a table, solve what is asked of it, and store the plan at ``target``.

    Parameters
    ----------
    name : str
        A table directory or the name of a bundled table.
    request : Request
    target : Path
        Where the plan goes; replaced in one step.
    files : Files, optional
    memory : int, optional
        Bytes that may be used.

    Raises
    ------
    PlanError
        Of the kind that fits: nothing is stored then.
    """
    clock = Clock()
    check_place(target)
    with clock.timing("total"):
        with watched(request.kind, request.precision.figures) as observe:
            with clock.timing("load"):
                store = open_store(locate(name))
                _check_memory(store, request, memory)
                source = store.source()
                header = source.header
                request = _completed(request, header, files)
                method, why = _method(request, source)
                request = replace(request, method=method)
            with clock.timing("solve"):
                solutions = draw_up(source, request, observe=observe)
        facts = _facts(store, header, request, solutions)
        facts |= {"method_because": why, "warm": None if files.warm is None else str(files.warm)}
        facts |= _origin(name, store, files.demands)
        facts["seconds"] = _seconds(clock, solutions)
        plan = _plan(header, request, solutions, json_ready(facts))
        with clock.timing("write"):
            if plan is not None:
                write_plan(target, plan)
    facts["seconds"] = _seconds(clock, solutions)  # the plan on disk lacks what came after it
    facts["peak_memory_bytes"] = _peak_memory()
    facts["plan"] = None if plan is None else str(target)
    account = Account(header, solutions, plan, facts)
    if account.loop is not None:
        named = account.loop.products[:MOST_NAMED]
        facts |= {
            "loop": [str(header.ids[product]) for product in named],
            "loop_size": len(account.loop.products),
            "loop_radius": account.loop.radius,
        }
    return account


def table_of(plan: Plan) -> tuple[Store, Table]:
    """Load the version of the table that a plan was made from.

    Raises
    ------
    DamagedError
        If the table or its version is gone, or has another digest than the plan says.
    """
    try:
        store = open_store(locate(plan.facts["table"]), plan.facts["table_version"])
    except WrongUsageError as error:
        raise DamagedError(
            f"the table that was planned is gone: {error.message}",
            where=error.where,
            advice="put it back where it was, or plan again",
        ) from error
    if store.digest != plan.facts["table_digest"]:
        raise DamagedError(
            f"version {store.version} of this table is not the one that was planned",
            where=str(store.path),
            advice="plan it again",
        )
    return store, store.load()


def _completed(request: Request, header: Header, files: Files) -> Request:
    """Add to a request what stands in files."""
    names = [file.stem for file in files.demands]
    if again := [name for name in names if names.count(name) > 1]:
        raise WrongUsageError(
            f"two scenarios are called {again[0]!r}", advice="rename one of the demand files"
        )
    demands = {}
    for name, file in zip(names, files.demands, strict=True):
        nominal, lower, upper = read_demand(file, header)
        bounds = (nominal if bound is None else bound for bound in (lower, upper))
        demands[name if len(names) > 1 else ""] = Demand(nominal, *bounds)
    start = None if files.warm is None else read_plan(files.warm)
    if start is not None and start.kind != request.kind:
        raise WrongUsageError(
            f"the earlier plan is one of {start.kind}", where=str(files.warm), advice="name another"
        )
    return replace(request, demands=demands, start=start)


def _method(request: Request, source: Source) -> tuple[Method, str]:
    """Return how the request is to be solved, and why."""
    if request.method is None:
        is_revision = request.start is not None
        return chosen(source, request.precision.figures, is_revision=is_revision)
    return request.method, "it was asked for"


def _plan(
    header: Header, request: Request, solutions: Mapping[str, Solution], facts: Mapping[str, Any]
) -> Plan | None:
    """Return the plan, or None where some column has no bounds at all."""
    columns = tuple(
        column(header, name, solution.demands[0], solution.certificate)
        for name, solution in solutions.items()
        if solution.certificate is not None
    )
    if len(columns) < len(solutions):
        return None
    return Plan(request.kind, header.ids, header.names, columns, request.delta, facts)


def _origin(name: str, store: Store, demand_files: Sequence[Path]) -> dict[str, Any]:
    """Return where the plan comes from, so that `table_of` finds it again."""
    is_bundled = store.path.parent == BUNDLED
    return {
        "table": name if is_bundled else str(store.path.resolve()),
        "table_version": store.version,
        "table_digest": store.digest,
        "demand_from": ", ".join(map(str, demand_files)) or "table",
        "versions": {
            package: version(package)
            for package in ("ogas-engine", "numpy", "scipy", "numba", "zarr", "xarray")
        },
    }
