"""Counting passes: what a run reads until so many figures are proven, everything counted.

A pass is one read of A, whatever it is for: sweeps, the order of sweeps, the witness, the sector
table, the certificate. With two sweeps to an exchange, own parts are read twice and orders once, so
exchanges and reads are two different counts; everywhere else they are one. Blocks, where METIS has
to find them, are found before the run begins, as they are when a table is imported.

Passes are exact and the same on every machine.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ogas.engine.balance import Demand, balance_of
from ogas.engine.certificate import Certificate
from ogas.engine.choose import FLOAT32_FIGURES, sector_balance
from ogas.engine.cycle import SectorBalance
from ogas.engine.iterate import Precision, Solution
from ogas.engine.method import Method
from ogas.engine.outcome import Outcome
from ogas.engine.plan import solve_widening
from ogas.engine.source import Source
from ogas.engine.table import Table, Vector

FIGURES = (3, 6, 10)
KINDS = ("quantities", "values")

# The problem as it is held in memory to reach so many figures.
Problem = Callable[[int], Any]


@dataclass(frozen=True)
class Count:
    """Reads of A of one method on one balance, to each of the figures; 0 where not reached.

    Attributes
    ----------
    economy, balance, method : str
    passes, exchanges : tuple of int
        ``exchanges`` is empty where it is the same, or where there are no blocks.
    design : str
        What the design promises, or a published count.
    overshoot : tuple of float
        Certified half-width over true error, where the truth is known.
    """

    economy: str
    balance: str
    method: str
    passes: tuple[int, ...]
    exchanges: tuple[int, ...] = ()
    design: str = ""
    overshoot: tuple[float, ...] = ()


def right_side(table: Table, kind: str) -> Demand:
    """Return the demand or the first factor of a table; ones where it is not given."""
    given = table.demand if kind == "quantities" else next(iter(table.factors.values()), None)
    return Demand.exact(np.ones(len(table)) if given is None else given)


def whole(table: Table, kind: str) -> Problem:
    """Return the balance of a table as one matrix."""
    balance = balance_of(table, right_side(table, kind), is_transposed=kind == "values")
    return lambda figures: balance


def by_blocks(table: Table, kind: str) -> Callable[[int], SectorBalance]:
    """Return the balance of a table in blocks, in float32 where its numbers and figures allow it.

    The tables counted here are in float32 as they are, or so small that they are never rounded; so
    the blocks are the same for any figures.
    """
    exact = sector_balance(
        Source.of(table), [right_side(table, kind)], is_transposed=kind == "values", figures=10
    )
    few = replace(exact, half=table.value_type == "float32")
    return lambda figures: few if figures <= FLOAT32_FIGURES else exact


def problem_of(table: Table, kind: str, method: Method) -> Problem:
    """Return the balance of a table as a method takes it."""
    return by_blocks(table, kind) if method.in_blocks else whole(table, kind)


def counted(
    names: tuple[str, str, str], problem: Problem, method: Method, figures: tuple[int, ...]
) -> Count:
    """Run a method to each of the figures; ``names`` are economy, balance and method."""
    passes = [reads(solution(problem(wanted), method, wanted)) for wanted in figures]
    return Count(*names, tuple(passes))


def solution(problem: Any, method: Method, figures: int) -> Solution | None:
    """Return a solution with so many figures, or None if they were not reached.

    Where float32 was not enough the run goes on in float64; the passes of both count.
    """

    def widen(narrow: SectorBalance) -> SectorBalance:
        return replace(narrow, half=False)

    found, _ = solve_widening(problem, method, Precision(figures=figures), widen)
    return found if found.outcome is Outcome.CERTIFIED else None


def reads(found: Solution | None) -> int:
    """Return how often A was read; 0 if in vain."""
    return 0 if found is None else found.history.passes


def reads_of_own(found: Solution | None, problem: SectorBalance, inner: int) -> int:
    """Return how often A was read if own parts were swept ``inner`` times for every exchange."""
    if found is None:
        return 0
    own = sum(block.own_nonzeros for block in problem.facts)
    sweeps = found.history.count("sweep") // inner  # counted as reads, each rounded up
    again = sweeps * (inner - 1) * own / problem.nonzeros
    return math.ceil(reads(found) - sweeps * (inner - 1) + again)


def overshoot(certificate: Certificate, true: Vector) -> float:
    """Return certified half-width over true error; infinite where there is no error to be seen."""
    scale = np.where(certificate.turnover > 0, certificate.turnover, 1.0)
    error = float(np.max(np.abs(certificate.output - true) / scale))
    return certificate.relative_half_width / error if error > 1e-15 else math.inf
