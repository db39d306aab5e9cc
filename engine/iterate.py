"""The one loop: it alone counts, stops, keeps the history, and decides what was achieved.

Sweeps are cheap to judge but prove nothing; a certificate proves, but costs a pass. So the loop
*forecasts* from the sweeps what a certificate would say, and spends one when the forecast is good
enough. Only the certificate's own verdict ends a run successfully. A run that makes no headway is
audited: is the economy productive at all?
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ogas.engine.balance import Balance
from ogas.engine.certificate import MOST_FIGURES, Certificate, certify, half_width_for
from ogas.engine.errors import WitnessError, WrongUsageError
from ogas.engine.method import Anderson, Method, State, begin
from ogas.engine.outcome import History, Outcome, Pass
from ogas.engine.productivity import Productivity, audit


@dataclass(frozen=True)
class Precision:
    """When to stop.

    Parameters
    ----------
    figures : int
        Significant figures to prove for every product, 1 to 15.
    max_passes : int
        Sweeps and certificates after which the run gives up.
    patience : int
        Sweeps without headway after which it gives up or asks for an audit.
    """

    figures: int = 3
    max_passes: int = 2000
    patience: int = 20

    def __post_init__(self) -> None:
        if not 1 <= self.figures <= MOST_FIGURES:
            raise WrongUsageError(f"figures go from 1 to {MOST_FIGURES}, not {self.figures}")

    @property
    def half_width(self) -> float:
        """The relative half-width asked for."""
        return half_width_for(self.figures)


@dataclass(frozen=True, eq=False)
class Solution:
    """What was computed, how well it is known, and at what cost.

    Attributes
    ----------
    balance : Balance
    outcome : Outcome
    certificate : Certificate or None
        Bounds and the published output; None if nothing could be proved.
    state : State
        The last sweep, converged or not.
    history : History
    productivity : Productivity or None
        The audit, if one was made.
    """

    balance: Balance
    outcome: Outcome
    certificate: Certificate | None
    state: State
    history: History
    productivity: Productivity | None


@dataclass(frozen=True)
class Forecast:
    """A heuristic: the half-width that a certificate would prove now.

    The imbalance a sweep met, times the rate at which sweeps shrink it, times the worst product's
    ``U - 1``. On 48 published tables this is within a factor of ten of what the certificate then
    says; each miss corrects the forecasts that follow.
    """

    spreads: tuple[float, ...] = ()
    depths: tuple[float, ...] = ()
    correction: float = 1.0

    def after(self, state: State) -> "Forecast":
        """Take note of a sweep."""
        return replace(
            self, spreads=(*self.spreads, state.spread), depths=(*self.depths, state.depth)
        )

    @property
    def uncorrected(self) -> float:
        """The half-width forecast from the sweeps alone."""
        if not self.spreads:
            return math.inf
        latest, earlier = self.spreads[-1], self.spreads[-3:][0]
        rate = math.sqrt(latest / earlier) if 0.0 < latest < earlier else 1.0
        return latest * rate * max(self.depths[-1] - 1.0, 0.05)

    @property
    def half_width(self) -> float:
        """The half-width forecast, corrected by what earlier certificates said."""
        return self.correction * self.uncorrected

    def missed(self, proved: float) -> "Forecast":
        """Learn from a certificate that fell short; by a factor 4 at most, 1.2 at least."""
        factor = min(max(proved / max(self.half_width, 1e-300), 1.2), 4.0)
        return replace(self, correction=self.correction * factor)

    def is_flat(self, patience: int) -> bool:
        """Whether the imbalance has not fallen for this many sweeps, and is not zero."""
        if len(self.spreads) <= patience or self.spreads[-1] == 0.0:
            return False
        return not min(self.spreads[-patience:]) < 0.98 * min(self.spreads[:-patience])

    def deepens(self, patience: int) -> bool:
        """Whether upstreamness grows in step with the sweeps, as it does for ever at radius 1."""
        half = len(self.depths) // 2
        return half >= patience and self.depths[-1] > 1.9 * self.depths[half - 1]


def solve(
    balance: Balance,
    method: Method | None = None,
    precision: Precision | None = None,
    *,
    observe: Callable[[History, Forecast], None] | None = None,
) -> Solution:
    """Compute the output that meets a balance, to a proven number of figures for every product.

    Parameters
    ----------
    balance : Balance
        ``x = A x + f`` (`ogas.engine.balance`).
    method : Method, optional
        Default `Anderson`.
    precision : Precision, optional
        Default three figures.
    observe : callable, optional
        Called after every pass with the history and the forecast, for a progress bar.

    Returns
    -------
    Solution
        ``CERTIFIED`` only if the certificate says so. A run that fails says why and keeps what it
        has.

    Examples
    --------
    >>> from ogas.engine.balance import quantities
    >>> from ogas.engine.table import Table, coefficients_from
    >>> A = coefficients_from(np.array([[0.0, 0.5], [0.5, 0.0]]))
    >>> table = Table(A, np.array(["a", "b"]), demand=np.array([1.0, 0.0]))
    >>> solution = solve(quantities(table), precision=Precision(figures=6))
    >>> solution.outcome.word, solution.certificate.output.round(5).tolist()
    ('certified', [1.33333, 0.66667])
    """
    run = _Run(balance, method or Anderson(), precision or Precision(), observe)
    if (balance.diagonal >= 1.0).any():
        run.audit()
    while (outcome := run.verdict()) is None:
        run.sweep()
        if run.should_certify():
            run.certify()
        if run.should_audit():
            run.audit()
    return Solution(balance, outcome, run.best, run.state, run.history, run.productivity)


@dataclass(eq=False)
class _Run:
    """One run of the loop: where it stands and what it has proved."""

    balance: Balance
    method: Method
    precision: Precision
    observe: Callable[[History, Forecast], None] | None

    def __post_init__(self) -> None:
        self.state = begin(self.balance)
        self.history = History()
        self.forecast = Forecast()
        self.best: Certificate | None = None
        self.refusals = 0
        self.productivity: Productivity | None = None

    def verdict(self) -> Outcome | None:
        """Return why to stop, or None to go on."""
        if self.productivity is not None and self.productivity.is_unproductive:
            return Outcome.NOT_PRODUCTIVE
        if self.best is not None:
            if self.best.relative_half_width <= self.precision.half_width:
                return Outcome.CERTIFIED
            if self.best.attainable >= self.precision.half_width:
                return Outcome.PRECISION_NOT_REACHED
        return Outcome.PRECISION_NOT_REACHED if self._is_exhausted() else None

    def sweep(self) -> None:
        """Make one sweep and take note of it."""
        start = time.perf_counter()
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            self.state = self.method.step(self.balance, self.state)
            self.forecast = self.forecast.after(self.state)
        self._record("sweep", start, half_width=math.inf)

    def should_certify(self) -> bool:
        """Whether a certificate is likely to succeed, or is the last thing left to do."""
        if not self._is_finite():
            return False
        unknown = self.best is None and self.productivity is None
        is_last = self._is_exhausted() or (unknown and self._has_stalled())
        unavoidable = 0.0 if self.best is None else self.best.attainable
        return is_last or self.forecast.half_width <= self.precision.half_width - unavoidable

    def certify(self) -> None:
        """Spend one pass on a certificate and keep it if it is the best so far."""
        start, proved = time.perf_counter(), math.inf
        try:
            found = certify(self.balance, self.state.output, self.state.witness)
        except WitnessError:
            self.refusals += 1
        else:
            proved = found.relative_half_width
            if self.best is None or proved <= self.best.relative_half_width:
                self.best = found
        self.forecast = self.forecast.missed(proved)
        self._record("certificate", start, half_width=proved)

    def should_audit(self) -> bool:
        """Whether it is time to doubt that the economy is productive."""
        if self.best is not None or self.productivity is not None:
            return False
        return self.refusals >= 3 or self._has_stalled() or not self._is_finite()

    def audit(self) -> None:
        """Find out whether the economy is productive."""
        start = time.perf_counter()
        self.productivity = audit(self.balance.coefficients)
        self._record("audit", start, reads=self.productivity.passes, half_width=math.inf)

    def _record(self, kind: str, start: float, *, half_width: float, reads: int = 1) -> None:
        spent = time.perf_counter() - start
        record = Pass(kind, reads, spent, self.state.spread, half_width)
        self.history = History((*self.history.records, record))
        if self.observe is not None:
            self.observe(self.history, self.forecast)

    def _is_finite(self) -> bool:
        return math.isfinite(float(np.sum(self.state.output) + np.sum(self.state.witness)))

    def _has_stalled(self) -> bool:
        patience = self.precision.patience
        return self.forecast.is_flat(patience) or self.forecast.deepens(patience)

    def _is_exhausted(self) -> bool:
        """Whether no further sweep is worth making."""
        if not self.history.records:
            return False
        if self.history.count("sweep") + self.history.count("certificate") >= (
            self.precision.max_passes
        ):
            return True
        least = 0.0 if self.productivity is None else self.productivity.radius_lower
        if least * (1.0 + self.balance.delta) >= 1.0:
            return True  # no witness has slack at such a radius, whatever the signs of A
        # At radius .99 mixed sweeps may stay flat for 60 and then converge within 40; plain ones
        # stall for good. What is proven productive is worth the wait.
        proven = self.productivity is not None and self.productivity.is_productive
        patience = self.precision.patience * (5 if proven and self.best is None else 1)
        doubted = self.best is not None or self.productivity is not None
        return doubted and (not self._is_finite() or self.forecast.is_flat(patience))
