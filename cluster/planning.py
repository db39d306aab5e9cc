"""From a stored table to a stored plan, and the account of what that took."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ogas.cluster.answer import json_ready
from ogas.cluster.facts import facts_of, seconds_of, trace_of
from ogas.cluster.memory import Run, blocks_to_stream, peak_memory
from ogas.datasets.catalog import BUNDLED, locate
from ogas.datasets.demand import read_demand
from ogas.datasets.plans import check_place, read_plan, write_plan
from ogas.datasets.store import Store, open_store
from ogas.engine.balance import Demand
from ogas.engine.certificate import figures_of
from ogas.engine.choose import chosen
from ogas.engine.errors import DamagedError, WrongUsageError
from ogas.engine.exchange import Here, Load, available_cores
from ogas.engine.header import Header
from ogas.engine.iterate import Solution
from ogas.engine.method import Method
from ogas.engine.outcome import Outcome
from ogas.engine.plan import (
    Observer,
    Plan,
    Request,
    check_start,
    column,
    draw_up,
    worst_outcome,
)
from ogas.engine.productivity import Loop
from ogas.engine.source import Source
from ogas.engine.table import Table
from ogas.kernels.jit import make_ready

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

    @property
    def loop_facts(self) -> dict[str, Any]:
        """What JSON says of the loop."""
        if self.loop is None:
            return {}
        named = self.loop.products[:MOST_NAMED]
        return {
            "loop": [str(self.header.ids[product]) for product in named],
            "loop_size": len(self.loop.products),
            "loop_radius": self.loop.radius,
        }


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


class Site(Protocol):
    """Where the blocks of a table are held while a run goes on."""

    def load(self, store: Store, run: Run) -> Load:
        """Return how they are loaded; refuse what does not fit.

        Raises
        ------
        DoesNotFitError
        """
        ...

    def facts(self) -> dict[str, Any]:
        """Return how many workers there were, and what they took."""
        ...

    def publish(self, write: Callable[[], None]) -> None:
        """Have the plan written, if this run may still do so."""
        ...


@dataclass(frozen=True)
class ThisProcess:
    """All blocks here, swept by threads.

    Attributes
    ----------
    threads : int
        0 for as many as there are cores.
    memory : int or None
        Bytes that may be used.
    """

    threads: int = 0
    memory: int | None = None

    def load(self, store: Store, run: Run) -> Load:
        """Return how blocks are loaded; by then the kernels that sweep them are."""
        if run.in_blocks:
            make_ready()
        threads = self.threads or available_cores()
        return Here(threads, blocks_to_stream(store, run, self.memory, threads))

    def facts(self) -> dict[str, Any]:
        """Return what this process took."""
        return {"workers": 1, "peak_memory_bytes": peak_memory()}

    def publish(self, write: Callable[[], None]) -> None:
        """Write the plan."""
        write()


@dataclass(frozen=True)
class Order:
    """What is to be planned, and where the plan goes.

    Attributes
    ----------
    name : str
        A table directory or the name of a bundled table.
    request : Request
    target : Path
        Replaced in one step.
    files : Files
    version : int or None
        Of the table; None for the current one.
    """

    name: str
    request: Request
    target: Path
    files: Files = Files()
    version: int | None = None


def carry_out(order: Order, site: Site, observe: Observer | None = None) -> Account:
    """Load a table, solve what is asked of it, and store the plan.

    Raises
    ------
    PlanError
        Of the kind that fits: nothing is stored then.
    """
    clock, request, files = Clock(), order.request, order.files
    check_place(order.target)
    with clock.timing("total"):
        with clock.timing("load"):
            store = open_store(locate(order.name), order.version)
            source = store.source()
            header = source.header
            method, why = _method(request, source, files)
            load = site.load(store, _run(request, method, header, files))
            request = _completed(replace(request, method=method, load=load), header, files)
        with clock.timing("solve"):
            solutions = draw_up(source, request, observe=observe)
        facts = facts_of(source, request, solutions)
        facts |= {"method_because": why, "warm": None if files.warm is None else str(files.warm)}
        facts |= _origin(order.name, store, files.demands) | site.facts()
        facts["seconds"] = seconds_of(clock.seconds, solutions)
        kept = json_ready(facts | {"trace": trace_of(solutions)})
        plan = plan_of(header, request, solutions, kept)
        with clock.timing("write"):
            if plan is not None:
                found = plan
                site.publish(lambda: write_plan(order.target, found))
    facts["seconds"] = seconds_of(clock.seconds, solutions)  # the stored ones lack what came after
    facts |= site.facts()
    facts["plan"] = None if plan is None else str(order.target)
    account = Account(header, solutions, plan, facts)
    facts |= account.loop_facts
    return account


def store_of(plan: Plan) -> Store:
    """Open the version of the table that a plan was made from.

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
    return store


def table_of(plan: Plan) -> tuple[Store, Table]:
    """Load the version of the table that a plan was made from; see `store_of`."""
    store = store_of(plan)
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
    start = None
    if files.warm is not None:
        start = read_plan(files.warm)
        try:
            check_start(start, request.kind, header)
        except WrongUsageError as error:
            raise WrongUsageError(
                error.message, where=str(files.warm), advice=error.advice
            ) from error
    return replace(request, demands=demands, start=start)


def _method(request: Request, source: Source, files: Files) -> tuple[Method, str]:
    """Return how the request is to be solved, and why."""
    if request.method is not None:
        return request.method, "as asked for"
    return chosen(source, request.precision.figures, is_revision=files.warm is not None)


def _run(request: Request, method: Method, header: Header, files: Files) -> Run:
    """Return what the memory of the run depends on."""
    is_priced = request.kind == "values"
    plans = len(request.factors or header.factors) if is_priced else len(files.demands)
    return Run(
        in_blocks=method.in_blocks,
        figures=request.precision.figures,
        plans=max(plans, 1),
        transpositions=int(is_priced) + int(files.warm is not None),
        is_warm=files.warm is not None,
        is_simple=_is_simple(request, header, files),
    )


def _is_simple(request: Request, header: Header, files: Files) -> bool:
    """Whether the table's own demand is all that is wanted, and nowhere negative."""
    is_other = request.kind == "values" or bool(files.demands) or header.price is not None
    return not is_other and header.demand is not None and bool((header.demand >= 0).all())


def plan_of(
    header: Header, request: Request, solutions: Mapping[str, Solution], facts: Mapping[str, Any]
) -> Plan | None:
    """Return the plan, or None where some column has no bounds at all."""
    columns = tuple(
        column(header, name, solution.demands[0], solution.certificate, request.kind)
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
