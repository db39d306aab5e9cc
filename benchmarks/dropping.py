"""Which entries of a table to drop, so that what is left still proves the figures of every product.

An order of entries is a score for each; dropped are the smallest. The order that counts is that of
``a_ij x_j p_i``, flows at a price. The half-widths that dropped flows r leave are ``h = K h + r /
2``, so if precision of product i is dear by lam_i, ignorance of the uses of i costs ``p = Kᵀ p +
lam``: the values of the table, with lam as the factor. lam is raised where a half-width is too wide
and lowered where it need not be so narrow, until every product just reaches its figures:
multiplicative weights, for the packing problem "most entries dropped".

The same prices prove how many entries any choice needs, if all that is known of the dropped is
``0 <= E s <= r`` with r of the table itself. The plans x* of A and x_K of K are then both possible:

    2 h t >= x* - x_K = (I - A)^-1 E x_K >= (I - A)^-1 E y,      x_K >= y = x* - 2 h t

where h is the half-width that the figures allow and t turnover. Hence for any ``lam >= 0`` and
``p = Aᵀ p + lam`` the dropped entries cost ``sum p_i a_ij y_j <= 2 h lam · t``, and so there are at
most ``2 h lam · t + sum max(0, 1 - p_i a_ij y_j)`` of them. (With t of the whole table and without
directed rounding: a millionth is given away for both.)

Source: Plotkin, Shmoys and Tardos (1995), Mathematics of Operations Research 20, 257-301.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from ogas.benchmarks.remainder import Mask, covered, remainder_of, split
from ogas.engine.balance import Balance, Demand, balance_of, demand_of, quantities
from ogas.engine.certificate import Certificate, half_width_for
from ogas.engine.errors import WitnessError
from ogas.engine.iterate import Precision, solve
from ogas.engine.table import Integers, Table, Vector

CHANGE = 0.1  # of the demand for every product at most, where totals are known
SEED = 61309257
ROUNDS = 60  # of raising and lowering weights: 1 % from the least at three figures, 8 % at one
MOST_RAISED = 20.0  # by how much a half-width counts as too wide or too narrow, at most


class Known(Enum):
    """What is known of dropped entries, for every product and at the published outputs."""

    BOUND = "a bound of their sum"
    TOTAL = "their sum"


class Way(Enum):
    """Which entries are kept."""

    SAID = "coefficients of at least 10^-figures"
    COEFFICIENT = "the largest coefficients"
    SHARE = "the largest shares of turnover"
    PRICED = "the largest flows, priced by precision"


@dataclass(frozen=True, eq=False)
class Choice:
    """Entries that are kept, by their place in ``A.data``.

    Attributes
    ----------
    way : Way
    keep : (nnz,) bool
    at_least : int
        Entries that any choice has to keep for these figures; 0 if that was not found out.
    """

    way: Way
    keep: Mask
    at_least: int = 0


@dataclass(frozen=True, eq=False)
class Case:
    """A table, what is to be planned, and what is known of entries that are dropped.

    Attributes
    ----------
    table : Table
    known : Known
    demand : Demand
    scale, turnover : (n,) float64
        The outputs for the table's own demand, and what precision is relative to.
    flows : (nnz,) float64
        ``a_ij s_j``.
    rows : (nnz,) int64
        i of every entry.
    """

    table: Table
    known: Known
    demand: Demand
    scale: Vector
    turnover: Vector
    flows: Vector
    rows: Integers

    @staticmethod
    def of(table: Table, known: Known) -> "Case":
        """Return the case of a table with a demand, whose outputs are planned to ten figures.

        Where totals are known, what is planned is a demand that is a little different: for the
        table's own, the totals would give the plan away.
        """
        A, demand, n = table.coefficients, demand_of(table), len(table)
        plan = _certificate(quantities(table), 10)
        if known is Known.TOTAL:
            change = CHANGE * np.random.default_rng(SEED).uniform(-1.0, 1.0, n)
            demand = Demand.exact(demand.nominal * (1.0 + change))
        flows, rows = A.data * plan.output[A.indices], np.repeat(np.arange(n), np.diff(A.indptr))
        return Case(table, known, demand, plan.output, plan.turnover, flows, rows)

    def proof(self, keep: Mask) -> Certificate:
        """Bound the plan by the kept entries and what is known of the others.

        Raises
        ------
        WitnessError
            If that is not enough to bound anything.
        """
        kept, dropped = split(self.table, keep)
        is_total = self.known is Known.TOTAL
        return covered(kept, remainder_of(dropped, self.scale, is_total=is_total), self.demand)

    def half_widths(self, keep: Mask) -> Vector:
        """Return the relative half-widths of all products; infinite if nothing can be proven."""
        try:
            return self.proof(keep).relative_half_widths
        except WitnessError:
            return np.full(len(self.table), np.inf)

    def fewest(self, scores: Vector, figures: int) -> Mask:
        """Return the fewest entries of the largest scores that prove the figures, by bisection.

        Negative entries are kept as well. All entries, if not even they prove the figures.
        """
        order, wanted = np.argsort(-scores, kind="stable"), half_width_for(figures)
        few, many = -1, len(order)
        while many - few > 1:
            middle = (few + many) // 2
            enough = self.half_widths(self._first(order, middle)).max() <= wanted
            few, many = (few, middle) if enough else (middle, many)
        return self._first(order, many)

    def _first(self, order: Integers, count: int) -> Mask:
        keep: Mask = self.table.coefficients.data < 0
        keep[order[:count]] = True
        return keep


def choices(case: Case, figures: int) -> Iterator[Choice]:
    """Yield the entries that are kept for so many figures, in every way."""
    a = case.table.coefficients.data
    yield Choice(Way.SAID, (a >= 10.0**-figures) | (a < 0))
    yield Choice(Way.COEFFICIENT, case.fewest(a, figures))
    by_share = case.fewest(case.flows / case.turnover[case.rows], figures)
    yield Choice(Way.SHARE, by_share)
    weights = weights_of(case, by_share, figures)
    scores = case.flows * _prices(case.table, weights).output[case.rows]
    needed = at_least(case, weights, figures) if case.known is Known.BOUND else 0
    yield Choice(Way.PRICED, case.fewest(scores, figures), needed)


def weights_of(case: Case, start: Mask, figures: int) -> Vector:
    """Return lam, how dear precision of each product is in entries, from a choice that proves it.

    The first prices keep all of that choice and more. A heuristic; `at_least` tells how good.
    """
    a, wanted = case.table.coefficients.data, half_width_for(figures)
    shares = case.flows / case.turnover[case.rows]
    weights: Vector = 1.0 / (np.min(shares[start & (a > 0)], initial=1.0) * case.turnover)
    for number in range(ROUNDS):
        prices = _prices(case.table, weights).output
        keep = (case.flows * prices[case.rows] >= 1.0) | (a < 0)
        excess = np.clip(case.half_widths(keep) / wanted, 1.0 / MOST_RAISED, MOST_RAISED)
        weights = weights * excess ** (0.5 / math.sqrt(1.0 + number / 10.0))
    return weights


def at_least(case: Case, weights: Vector, figures: int) -> int:
    """Return how many entries any choice has to keep: the head of this page, for any weights."""
    A, width = case.table.coefficients, 2.0 * half_width_for(figures)
    plan = case.scale - width * case.turnover
    prices = _prices(case.table, weights).output
    costs = (prices[case.rows] * A.data * plan[A.indices])[A.data > 0]
    most = width * float(weights @ case.turnover) + float(np.maximum(1.0 - costs, 0.0).sum())
    return max(math.ceil(case.table.nonzeros - (1.0 + 1e-6) * most), 0)


def _prices(table: Table, weights: Vector) -> Certificate:
    return _certificate(balance_of(table, Demand.exact(weights), is_transposed=True), 8)


def _certificate(balance: Balance, figures: int) -> Certificate:
    found = solve(balance, precision=Precision(figures=figures)).certificate
    if found is None:
        raise WitnessError("the table has no plan", advice="see what `ogas plan` says of it")
    return found
