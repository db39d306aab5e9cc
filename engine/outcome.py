"""Why the passes stopped, and what each of them was."""

import math
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """Why the passes stopped, and what the planner can do about it."""

    CERTIFIED = "the certificate proves the requested figures for every product"
    PRECISION_NOT_REACHED = (
        "the requested figures were not reached; what was reached is stored: "
        "ask for fewer figures, or declare a smaller uncertainty"
    )
    NOT_PRODUCTIVE = (
        "the products named use up at least as much of themselves as they make: "
        "no plan can meet a demand for them; check their recipes"
    )

    @property
    def word(self) -> str:
        """The outcome as JSON and stored plans say it."""
        return self.name.lower()


@dataclass(frozen=True)
class Pass:
    """One step of the computation that reads A.

    Attributes
    ----------
    kind : str
        ``start`` (what a method reads before it can begin), ``sweep``, ``certificate``, ``audit``.
    reads : int
        How often all of A was read: 1, or more for an audit.
    seconds : float
    spread : float
        Imbalance relative to turnover that the sweep met (half the distance of its extremes).
    half_width : float
        For a certificate, the relative half-width it proved; infinite if it proved nothing.
    note : str
        What was out of the ordinary.
    forecast : float
        The relative half-width that a certificate would have proved then; a heuristic, and infinite
        before the first sweep.
    """

    kind: str
    reads: int
    seconds: float
    spread: float
    half_width: float
    note: str = ""
    forecast: float = math.inf


@dataclass(frozen=True)
class History:
    """All passes in the order they were made."""

    records: tuple[Pass, ...] = ()

    @property
    def passes(self) -> int:
        """Reads of all of A so far, whatever they were for."""
        return sum(record.reads for record in self.records)

    def count(self, kind: str) -> int:
        """Return the reads of one kind."""
        return sum(record.reads for record in self.records if record.kind == kind)

    def seconds(self, kind: str | None = None) -> float:
        """Return the wall-clock seconds spent on passes of one kind, or of all."""
        return sum(record.seconds for record in self.records if kind in (None, record.kind))
