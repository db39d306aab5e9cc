"""The plan: what the economy should make of every product, or what a unit of it is worth.

A plan answers one request: quantities for one demand, or values in some factors. Each column of it
is a solved balance with its bounds; what ties quantities and values together is the total,

    l · x = v · f        the labour that makes the whole output is the labour value of final demand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ogas.engine.balance import Balance, Demand, factor_of, quantities, values
from ogas.engine.certificate import Certificate, certify, relative_half_widths
from ogas.engine.errors import WrongUsageError
from ogas.engine.iterate import Forecast, Precision, Solution, solve
from ogas.engine.method import Method
from ogas.engine.outcome import History, Outcome
from ogas.engine.table import Integers, Labels, Table, Vector
from ogas.kernels import reference

Kind = Literal["quantities", "values"]
Observer = Callable[[History, Forecast], None]


@dataclass(frozen=True, eq=False)
class Request:
    """What is asked of a table.

    Attributes
    ----------
    kind : "quantities" or "values"
    method : Method
    precision : Precision
    demand : Demand or None
        Replaces the table's own; quantities only.
    factors : tuple of str
        Values in these factors; all of the table's if empty.
    delta : float
        Declared relative uncertainty of the coefficients.
    """

    kind: Kind
    method: Method
    precision: Precision
    demand: Demand | None = None
    factors: tuple[str, ...] = ()
    delta: float = 0.0

    def balances(self, table: Table) -> dict[str, Balance]:
        """Return the balances to solve, by the name of the factor (quantities: ``""``).

        Raises
        ------
        WrongUsageError
            If the table lacks the demand or the factor.
        """
        if self.kind == "quantities":
            return {"": quantities(table, self.demand, delta=self.delta)}
        names = self.factors or tuple(table.factors)
        if not names:
            raise WrongUsageError(
                "the table has no factor to price in",
                advice="import it with labour per unit, or another primary input",
            )
        return _priced(table, names, self.delta)


@dataclass(frozen=True, eq=False)
class Column:
    """One solved balance of a plan; arrays are (n,) float64 in the table's order.

    Attributes
    ----------
    name : str
        The factor; empty for quantities.
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


def draw_up(
    table: Table, request: Request, *, observe: Observer | None = None
) -> dict[str, Solution]:
    """Solve every balance of a request, in turn; stops at the first that is not productive.

    Returns
    -------
    dict of factor name to Solution
        Quantities have the one name ``""``.
    """
    solutions: dict[str, Solution] = {}
    for name, balance in request.balances(table).items():
        solutions[name] = solve(balance, request.method, request.precision, observe=observe)
        if solutions[name].outcome is Outcome.NOT_PRODUCTIVE:
            break
    return solutions


def column(table: Table, name: str, balance: Balance, proved: Certificate) -> Column:
    """Return the column of a plan that a certificate proves."""
    return Column(
        name=name,
        units=_units(table, name),
        demand=balance.demand,
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
    if plan.kind == "quantities":
        balances = {"": quantities(table, plan.columns[0].demand, delta=plan.delta)}
    else:
        balances = _priced(table, tuple(column.name for column in plan.columns), plan.delta)
    twin = reference.certificate_pass
    return tuple(
        certify(balances[column.name], column.output, column.witness, certificate_pass=twin)
        for column in plan.columns
    )


def _priced(table: Table, names: tuple[str, ...], delta: float) -> dict[str, Balance]:
    """Return the balances of values in some factors, which share one transposed table."""
    first = values(table, names[0], delta=delta)
    return {name: replace(first, demand=Demand.exact(factor_of(table, name))) for name in names}


def _units(table: Table, factor: str) -> str | npt.NDArray[np.str_]:
    if not factor:
        return table.units
    head = table.factor_units.get(factor) or factor
    if isinstance(table.units, str):
        return f"{head} per {table.units or 'unit'}"
    return np.array([f"{head} per {unit or 'unit'}" for unit in table.units.tolist()])
