"""The plan: what the economy should make of every product, or what a unit of it is worth.

A plan answers one request: quantities for one demand, or values in some factors. Each column of it
is a solved balance with its bounds; what ties quantities and values together is the total,

    l · x = v · f        the labour that makes the whole output is the labour value of final demand.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ogas.engine.balance import Balance, Demand, Start, balance_of, demand_of, factor_of
from ogas.engine.certificate import MOST_FIGURES, Certificate, certify, relative_half_widths
from ogas.engine.choose import chosen, sector_balance
from ogas.engine.cycle import SectorBalance
from ogas.engine.errors import WrongUsageError
from ogas.engine.exchange import HERE, Load
from ogas.engine.header import Header
from ogas.engine.iterate import Forecast, Precision, Solution, solve
from ogas.engine.method import Method
from ogas.engine.outcome import History, Outcome
from ogas.engine.source import Source
from ogas.engine.table import Integers, Labels, Table, Vector
from ogas.kernels import reference

Kind = Literal["quantities", "values"]
Observer = Callable[[History, Forecast], None]

MOST_COLUMNS = 32  # that share each read of A
HALF_PATIENCE = 10  # sweeps without headway before numbers are held in float64


@dataclass(frozen=True, eq=False)
class Request:
    """What is asked of a table.

    Attributes
    ----------
    kind : "quantities" or "values"
    method : Method or None
        None for the one that suits the table.
    precision : Precision
    demands : mapping of name to Demand
        Scenarios that replace the table's own demand; quantities only. A single one has no name.
    factors : tuple of str
        Values in these factors; all of the table's if empty.
    delta : float
        Declared relative uncertainty of the coefficients.
    start : Plan or None
        An earlier plan of the same products, to begin with.
    load : callable
        Loads the blocks of a table, where that is what the method takes: here, or on a cluster.
    """

    kind: Kind
    method: Method | None
    precision: Precision
    demands: Mapping[str, Demand] = field(default_factory=dict)
    factors: tuple[str, ...] = ()
    delta: float = 0.0
    start: "Plan | None" = None
    load: Load = HERE

    def right_sides(self, header: Header) -> dict[str, Demand]:
        """Return what has to be met, by the name of the scenario or factor.

        Raises
        ------
        WrongUsageError
            If the table lacks the demand or the factor.
        """
        if self.kind == "quantities":
            return dict(self.demands) or {"": demand_of(header)}
        names = self.factors or tuple(header.factors)
        if not names:
            raise WrongUsageError(
                "the table has no factor to price in",
                advice="import it with labour per unit, or another primary input",
            )
        return {name: Demand.exact(factor_of(header, name)) for name in names}

    def start_of(self, wanted: Mapping[str, Demand], header: Header) -> Start | None:
        """Return what the earlier plan knows of some columns; see `_started`."""
        return None if self.start is None else _started(self.start, wanted, header)


@dataclass(frozen=True, eq=False)
class Column:
    """One solved balance of a plan; arrays are (n,) float64 in the table's order.

    Attributes
    ----------
    name : str
        The scenario or factor; empty for quantities of a single demand.
    units : str or (n,) strings
        Of output, bounds, demand, turnover and witness.
    demand : Demand
    lower, output, upper, turnover, witness, upstreamness : (n,) float64
    figures : (n,) int64
    """

    name: str
    units: str | npt.NDArray[np.str_]
    demand: Demand
    lower: Vector
    output: Vector
    upper: Vector
    turnover: Vector
    witness: Vector
    upstreamness: Vector
    figures: Integers

    @property
    def relative_half_widths(self) -> Vector:
        """``(upper - lower) / 2 / turnover``; 0 for structural zeros."""
        return relative_half_widths(self.lower, self.upper, self.turnover)

    @property
    def structural_zeros(self) -> npt.NDArray[np.bool_]:
        """Products that no demand reaches."""
        zeros: npt.NDArray[np.bool_] = (self.turnover == 0) & (self.upper == 0) & (self.lower == 0)
        return zeros


@dataclass(frozen=True, eq=False)
class Plan:
    """The economic result, as it is stored and shown.

    Attributes
    ----------
    kind : "quantities" or "values"
    ids : (n,) labels
    names : (n,) strings or None
    columns : tuple of Column
    delta : float
    facts : mapping
        Everything else that was measured or decided, JSON types only: where the table is, its
        version and digest, outcome, method, figures, passes, seconds, versions of packages.
    """

    kind: Kind
    ids: Labels
    names: npt.NDArray[np.str_] | None
    columns: tuple[Column, ...]
    delta: float
    facts: Mapping[str, Any]

    def column(self, name: str = "") -> Column:
        """Return the column of this name; the first one if none is named.

        Raises
        ------
        WrongUsageError
            If there is none; the message lists those that there are.
        """
        found = next((one for one in self.columns if not name or one.name == name), None)
        if found is None:
            there = ", ".join(one.name for one in self.columns)
            raise WrongUsageError(f"a plan has no column {name!r}; it has: {there}")
        return found


def draw_up(
    source: Source, request: Request, *, observe: Observer | None = None
) -> dict[str, Solution]:
    """Solve every balance of a request; stops at the first that is not productive.

    Methods in blocks solve up to 32 columns at once, with the same reads of A; the others one
    after another.

    Returns
    -------
    dict of scenario or factor name to Solution
        Columns that were solved together share their history. A single demand has the name ``""``.
    """
    wanted = request.right_sides(source.header)
    figures, is_revision = request.precision.figures, request.start is not None
    suited, _ = chosen(source, figures, is_revision=is_revision)
    method = request.method or suited
    solutions: dict[str, Solution] = {}
    for names, problem in _problems(source, request, wanted, in_blocks=method.in_blocks):
        solution = _solved(source, request, problem, method, observe)
        found = solution.certificates or (None,) * len(names)
        for name, demand, certificate in zip(names, solution.demands, found, strict=True):
            mine = () if certificate is None else (certificate,)
            solutions[name] = replace(solution, demands=(demand,), certificates=mine)
        if solution.outcome is Outcome.NOT_PRODUCTIVE:
            break
    return solutions


def _solved(
    source: Source,
    request: Request,
    problem: Balance | SectorBalance,
    method: Method,
    observe: Observer | None,
) -> Solution:
    """Solve; once more in float64 where float32 fell short, and from nothing where a start misled.

    An earlier plan misleads where products it made are no longer wanted by anyone but each other:
    what is left of them fades, and never is zero.
    """

    def widen(narrow: SectorBalance) -> SectorBalance:
        wide = sector_balance(
            source,
            narrow.demands,
            is_transposed=request.kind == "values",
            figures=MOST_FIGURES,
            load=request.load,
        )
        return replace(wide, delta=request.delta)

    precision = request.precision
    solution, problem = solve_widening(problem, method, precision, widen, observe=observe)
    if request.start is not None and _fell_short(solution, precision):
        usual = request.method or chosen(source)[0]
        afresh = solve(replace(problem, start=None), usual, precision, observe=observe)
        solution = _continued(solution, afresh)
    return solution


def solve_widening(
    problem: Balance | SectorBalance,
    method: Method,
    precision: Precision,
    widen: Callable[[SectorBalance], SectorBalance],
    *,
    observe: Observer | None = None,
) -> tuple[Solution, Balance | SectorBalance]:
    """Solve, and go on in float64 where plan and witness were held in float32 and that fell short.

    ``widen`` returns the problem with all numbers in float64. Returns the solution, with the
    history of both runs, and the problem that was solved last.
    """
    if not isinstance(problem, SectorBalance) or not problem.half:
        return solve(problem, method, precision, observe=observe), problem
    # Float32 comes to its end all at once.
    hasty = replace(precision, patience=min(HALF_PATIENCE, precision.patience))
    solution = solve(problem, method, hasty, observe=observe)
    if solution.outcome is not Outcome.PRECISION_NOT_REACHED:
        return solution, problem
    proved = solution.certificates
    problem = replace(widen(problem), start=Start.after(proved) if proved else problem.start)
    return _continued(solution, solve(problem, method, precision, observe=observe)), problem


def _fell_short(solution: Solution, precision: Precision) -> bool:
    """Whether figures are missing that another way of computing might reach."""
    missed = solution.outcome is Outcome.PRECISION_NOT_REACHED
    return missed and not precision.half_width <= solution.attainable < math.inf


def _continued(solution: Solution, again: Solution) -> Solution:
    """Return the better of two solutions, with the history of both."""
    history = History(solution.history.records + again.history.records)
    better = again
    if again.outcome is Outcome.PRECISION_NOT_REACHED:
        better = min(again, solution, key=lambda found: found.relative_half_width)
    return replace(better, history=history)


def _problems(
    source: Source, request: Request, wanted: Mapping[str, Demand], *, in_blocks: bool
) -> Iterator[tuple[tuple[str, ...], Balance | SectorBalance]]:
    """Yield problems with the names of their columns."""
    names, header = tuple(wanted), source.header
    is_transposed = request.kind == "values"
    if in_blocks:
        for first in range(0, len(names), MOST_COLUMNS):
            some = {name: wanted[name] for name in names[first : first + MOST_COLUMNS]}
            problem = sector_balance(
                source,
                list(some.values()),
                is_transposed=is_transposed,
                figures=request.precision.figures,
                load=request.load,
            )
            start = request.start_of(some, header)
            yield tuple(some), replace(problem, delta=request.delta, start=start)
        return
    balance = balance_of(
        source.table(), wanted[names[0]], is_transposed=is_transposed, delta=request.delta
    )
    for name in names:
        start = request.start_of({name: wanted[name]}, header)
        yield (name,), replace(balance, demand=wanted[name], start=start)


def _started(plan: "Plan", wanted: Mapping[str, Demand], header: Header) -> Start:
    """Return an earlier plan as a start; where it lacks a column, its first one.

    Outputs move by what demand has: that much they certainly have to, whatever follows from it, and
    to know it costs no read. Products that the plan did not know begin with their demand.

    Raises
    ------
    WrongUsageError
        If it is a plan of other products.
    """
    check_start(plan, plan.kind, header)
    known = {column.name: column for column in plan.columns}
    columns = [known.get(name, plan.columns[0]) for name in wanted]
    start = Start.after(columns)
    outputs, witness = start.outputs, start.witness
    met = np.stack([column.demand.nominal for column in columns], axis=1)
    if not np.array_equal(plan.ids, header.ids):
        order = np.argsort(plan.ids, kind="stable")
        place = order[np.minimum(np.searchsorted(plan.ids[order], header.ids), len(order) - 1)]
        is_new = plan.ids[place] != header.ids
        outputs, witness, met = outputs[place], witness[place], met[place]
        outputs[is_new], witness[is_new], met[is_new] = 0.0, 0.0, 0.0
    moved = outputs + np.stack([demand.nominal for demand in wanted.values()], axis=1) - met
    return Start(np.where(outputs >= 0, np.maximum(moved, 0.0), moved), witness)


def check_start(plan: "Plan", kind: Kind, header: Header) -> None:
    """Refuse an earlier plan of another kind, or of other products; half may be new.

    Raises
    ------
    WrongUsageError
        With the advice to leave it out.
    """
    advice = "leave out --warm, or name a plan of this table"
    if plan.kind != kind:
        raise WrongUsageError(
            f"the earlier plan is one of {plan.kind}, and {kind} are asked for", advice=advice
        )
    same_kind = plan.ids.dtype.kind == header.ids.dtype.kind
    if not same_kind or 2 * np.isin(header.ids, plan.ids).sum() < len(header):
        raise WrongUsageError("the earlier plan is one of other products", advice=advice)


def histories(solutions: Mapping[str, Solution]) -> tuple[History, ...]:
    """Return the histories of the runs that led to some solutions, each of them once."""
    found = {id(solution.history): solution.history for solution in solutions.values()}
    return tuple(found.values())


def column(
    header: Header | Table,
    name: str,
    demand: Demand,
    proved: Certificate,
    kind: Kind = "values",
) -> Column:
    """Return the column of a plan that a certificate proves.

    The kind matters for a scenario that is called like a factor: it is not in the factor's units.
    """
    is_factor = kind == "values" and name in header.factors
    return Column(
        name=name,
        units=_units(header, name if is_factor else ""),
        demand=demand,
        lower=proved.lower,
        output=proved.output,
        upper=proved.upper,
        turnover=proved.turnover,
        witness=proved.witness,
        upstreamness=proved.upstreamness,
        figures=proved.figures,
    )


def worst_outcome(solutions: Mapping[str, Solution]) -> Outcome:
    """Return what can be said of all columns together."""
    found = {solution.outcome for solution in solutions.values()}
    for outcome in (Outcome.NOT_PRODUCTIVE, Outcome.PRECISION_NOT_REACHED):
        if outcome in found:
            return outcome
    return Outcome.CERTIFIED


def total(weights: Vector, lower: Vector, output: Vector, upper: Vector) -> tuple[float, ...]:
    """Return ``weights · output`` and proven bounds of it: value, lower, upper.

    Weights may have any sign; rounding of the sums is included.

    Examples
    --------
    >>> one = np.array([1.0])
    >>> value, least, most = total(2 * one, 3 * one, 3.5 * one, 4 * one)
    >>> value, least < 6 <= 6.1, 7.9 < 8 < most
    (7.0, True, True)
    """
    ends = np.sort([weights * lower, weights * upper], axis=0)
    rounding = (len(weights) + 4) * reference.EPSILON * np.sum(np.abs(ends), axis=1) + 1e-290
    least, most = np.sum(ends, axis=1)
    return float(weights @ output), float(least - rounding[0]), float(most + rounding[1])


def verify(table: Table, plan: Plan) -> tuple[Certificate, ...]:
    """Recompute the certificate of every column from table, output and witness alone.

    Neither the sweeps nor the compiled kernels take part: the pass over A is the reference twin.

    Raises
    ------
    WitnessError
        If the stored witness proves nothing.
    """
    demands = {column.name: column.demand for column in plan.columns}
    if plan.kind == "values":
        header = Header.of(table)
        demands = {name: Demand.exact(factor_of(header, name)) for name in demands}
    first = balance_of(
        table,
        next(iter(demands.values())),
        is_transposed=plan.kind == "values",
        delta=plan.delta,
    )
    twin = reference.certificate_pass
    return tuple(
        certify(
            replace(first, demand=demands[column.name]),
            *(column.output, column.witness),
            certificate_pass=twin,
        )
        for column in plan.columns
    )


def _units(table: Header | Table, factor: str) -> str | npt.NDArray[np.str_]:
    if not factor:
        return table.units
    head = table.factor_units.get(factor) or factor
    if isinstance(table.units, str):
        return f"{head} per {table.units or 'unit'}"
    return np.array([f"{head} per {unit or 'unit'}" for unit in table.units.tolist()])
