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
from typing import Any

import numpy as np

from ogas.engine.balance import Demand
from ogas.engine.certificate import MOST_FIGURES, Certificate, half_width_for
from ogas.engine.errors import WitnessError, WrongUsageError
from ogas.engine.method import Anderson, Iteration, Method, Sight, Traffic
from ogas.engine.outcome import History, Outcome, Pass
from ogas.engine.productivity import Productivity


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
    outcome : Outcome
    demands : tuple of Demand
    certificates : tuple of Certificate
        Bounds and the published output for every demand; empty if nothing could be proved.
    history : History
    productivity : Productivity or None
        The audit, if one was made.
    traffic : Traffic
    """

    outcome: Outcome
    demands: tuple[Demand, ...]
    certificates: tuple[Certificate, ...]
    history: History
    productivity: Productivity | None
    traffic: Traffic

    @property
    def certificate(self) -> Certificate | None:
        """The certificate of the first demand, usually the only one; None if there is none."""
        return self.certificates[0] if self.certificates else None

    @property
    def relative_half_width(self) -> float:
        """What is proven for the worst product of all demands; infinite if nothing is."""
        return _half_width(self.certificates)

    @property
    def attainable(self) -> float:
        """What rounding and the declared uncertainty permit for the worst product."""
        return max((found.attainable for found in self.certificates), default=math.inf)


def _half_width(certificates: tuple[Certificate, ...]) -> float:
    return max((found.relative_half_width for found in certificates), default=math.inf)


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

    def after(self, sight: Sight) -> "Forecast":
        """Take note of a sweep."""
        known = replace(self, spreads=(), depths=()) if sight.is_anew else self
        return replace(
            self, spreads=(*known.spreads, sight.spread), depths=(*known.depths, sight.depth)
        )

    @property
    def uncorrected(self) -> float:
        """The half-width forecast from the sweeps alone."""
        if not self.spreads:
            return math.inf
        latest, earlier = self.spreads[-1], self.spreads[-3:][0]
        rate = max(math.sqrt(latest / earlier), 0.1) if 0.0 < latest < earlier else 1.0
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
    problem: Any,
    method: Method | None = None,
    precision: Precision | None = None,
    *,
    observe: Callable[[History, Forecast], None] | None = None,
) -> Solution:
    """Compute the output that meets a balance, to a proven number of figures for every product.

    Parameters
    ----------
    problem : Balance or SectorBalance
        ``x = A x + f``: of the whole table (`ogas.engine.balance`), or by blocks
        (`ogas.engine.sectors`).
    method : Method, optional
        One that takes this kind of problem. Default `Anderson`.
    precision : Precision, optional
        Default three figures.
    observe : callable, optional
        Called after every pass with the history and the forecast, for a progress bar.

    Returns
    -------
    Solution
        ``CERTIFIED`` only if the certificates say so. A run that fails says why and keeps what it
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
    start = time.perf_counter()
    run = _Run((method or Anderson()).start(problem), precision or Precision(), observe)
    run.prepare(start)
    while (outcome := run.verdict()) is None:
        run.sweep()
        if run.should_certify():
            run.certify()
        if run.should_audit():
            run.audit()
    return Solution(
        outcome, problem.demands, run.best, run.history, run.productivity, run.iteration.traffic
    )


@dataclass(eq=False)
class _Run:
    """One run of the loop: where it stands and what it has proved."""

    iteration: Iteration
    precision: Precision
    observe: Callable[[History, Forecast], None] | None

    def __post_init__(self) -> None:
        self.sight = Sight(-math.inf, math.inf, 1.0)
        self.history = History()
        self.forecast = Forecast()
        self.best: tuple[Certificate, ...] = ()
        self.refusals = 0
        self.productivity: Productivity | None = None

    def prepare(self, start: float) -> None:
        """Take note of what the method read before its first sweep; audit what cannot be right."""
        if self.iteration.reads_before:
            self._record("start", start, reads=self.iteration.reads_before)
        if self.iteration.feeds_on_itself:
            self.audit()

    def verdict(self) -> Outcome | None:
        """Return why to stop, or None to go on."""
        if self.productivity is not None and self.productivity.is_unproductive:
            return Outcome.NOT_PRODUCTIVE
        if self.best:
            if _half_width(self.best) <= self.precision.half_width:
                return Outcome.CERTIFIED
            if max(found.attainable for found in self.best) >= self.precision.half_width:
                return Outcome.PRECISION_NOT_REACHED
        return Outcome.PRECISION_NOT_REACHED if self._is_exhausted() else None

    def sweep(self) -> None:
        """Make one sweep and take note of it."""
        start = time.perf_counter()
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            self.sight = self.iteration.sweep()
            self.forecast = self.forecast.after(self.sight)
        self._record("sweep", start, reads=self.sight.reads, note=self.sight.note)

    def should_certify(self) -> bool:
        """Whether a certificate is likely to succeed, or is the last thing left to do."""
        if not self.sight.is_finite:
            return False
        unknown = not self.best and self.productivity is None
        is_last = self._is_exhausted() or (unknown and self._has_stalled())
        unavoidable = max((found.attainable for found in self.best), default=0.0)
        return is_last or self.forecast.half_width <= self.precision.half_width - unavoidable

    def certify(self) -> None:
        """Spend one pass on a certificate and keep it if it is the best so far."""
        start, proved = time.perf_counter(), math.inf
        try:
            found = self.iteration.certify()
        except WitnessError:
            self.refusals += 1
        else:
            proved = _half_width(found)
            if proved <= _half_width(self.best):
                self.best = found
        self.forecast = self.forecast.missed(proved)
        self._record("certificate", start, half_width=proved)

    def should_audit(self) -> bool:
        """Whether it is time to doubt that the economy is productive."""
        if self.best or self.productivity is not None:
            return False
        return self.refusals >= 3 or self._has_stalled() or not self.sight.is_finite

    def audit(self) -> None:
        """Find out whether the economy is productive."""
        start = time.perf_counter()
        self.productivity = self.iteration.audit()
        self._record("audit", start, reads=self.productivity.passes)

    def _record(
        self,
        kind: str,
        start: float,
        *,
        half_width: float = math.inf,
        reads: int = 1,
        note: str = "",
    ) -> None:
        spent = time.perf_counter() - start
        forecast = self.forecast.half_width
        record = Pass(kind, reads, spent, self.sight.spread, half_width, note, forecast)
        self.history = History((*self.history.records, record))
        if self.observe is not None:
            self.observe(self.history, self.forecast)

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
        if least * (1.0 + self.iteration.delta) >= 1.0:
            return True  # no witness has slack at such a radius, whatever the signs of A
        # At radius .99 mixed sweeps may stay flat for 60 and then converge within 40; plain ones
        # stall for good. What is proven productive is worth the wait.
        proven = self.productivity is not None and self.productivity.is_productive
        patience = self.precision.patience * (5 if proven and not self.best else 1)
        doubted = bool(self.best) or self.productivity is not None
        return doubted and (not self.sight.is_finite or self.forecast.is_flat(patience))
