"""Small economies drawn to be hard for a certificate, and what may have been computed for them.

An `Economy` is a balance with an output and a witness that may be good, crude or nonsense. Three
kinds: nothing negative; negative demand (imports); negative coefficients too (by-products).
"""

from dataclasses import dataclass
from fractions import Fraction

import exact
import numpy as np
import problems

from ogas.engine.balance import Balance, Demand, quantities
from ogas.engine.partition import from_labels
from ogas.engine.table import Table, coefficients_from

KINDS = ("nonnegative", "imports", "signed")
DELTAS = (0.0, 2.0**-24, 1e-3)


@dataclass(frozen=True, eq=False)
class Economy:
    """A balance with any output and witness for it, and the block of every product."""

    balance: Balance
    output: np.ndarray
    witness: np.ndarray
    blocks: np.ndarray

    @property
    def matrix(self):
        return exact.fractions(self.balance.coefficients.toarray())

    def by_blocks(self, figures, demands=()):
        """The same balance by blocks."""
        table = Table(self.balance.coefficients, np.arange(len(self.balance)), blocks=self.blocks)
        return problems.by_blocks(
            table,
            demands=demands or self.balance.demands,
            figures=figures,
            delta=self.balance.delta,
        )

    def members(self, rng, count):
        """Yield exact economies ``A', f'`` within the intervals: the given one, corners, others."""
        A, demand = self.matrix, self.balance.demand
        delta, n = Fraction(self.balance.delta), len(A)
        ends = np.array([exact.fractions(demand.lower), exact.fractions(demand.upper)])
        yield A, exact.fractions(demand.nominal)
        if not delta and demand.is_exact:
            return
        for number in range(count):
            if number < 4:  # all coefficients at one end, all demand at one end
                signs = np.full((n, n), 1 - 2 * (number % 2))
                share = np.full(n, number // 2)
            elif number % 2:  # a random corner
                signs, share = rng.choice([-1, 1], (n, n)), rng.integers(0, 2, n)
            else:  # inside
                signs, share = rng.uniform(-1, 1, (n, n)), rng.random(n)
            factor = [[1 + delta * Fraction(float(sign)) for sign in row] for row in signs]
            moved = [
                [a * b for a, b in zip(*rows, strict=True)] for rows in zip(A, factor, strict=True)
            ]
            share = exact.fractions(share.astype(float))
            yield moved, [lo + s * (hi - lo) for lo, hi, s in zip(*ends, share, strict=True)]


def draw(rng, kind="nonnegative", delta=0.0):
    """Draw an economy of 2 to 12 products, radius up to .9999, units of 10^-8 to 10^8."""
    n = int(rng.integers(2, 13))
    A = rng.lognormal(0.0, 2.0, (n, n)) * (rng.random((n, n)) < rng.uniform(0.2, 1.0))
    radius = rng.choice([0.1, 0.5, 0.9, 0.99, 0.999, 0.9999]) * rng.uniform(0.9, 1.0)
    A *= radius / max(np.abs(np.linalg.eigvals(A)).max(), 1e-3)
    f = rng.lognormal(0.0, 3.0, n) * (rng.random(n) < 0.8)
    if kind != "nonnegative":
        f *= rng.choice([-1, 1], n)
    if kind == "signed":
        A *= rng.choice([-1, 1], (n, n), p=[0.2, 0.8])
    if rng.random() < 0.7:
        scale = 10.0 ** rng.uniform(-8, 8, n)
        A, f = A * scale[:, None] / scale, f * scale
    return of(A, _demand(rng, f), delta, rng)


def of(A, demand, delta, rng):
    """Give a table an output between exact and hopeless, and a witness likewise."""
    n = len(A)
    table = Table(coefficients_from(A), np.arange(n))
    balance = quantities(table, demand, delta=delta)
    inverse = np.linalg.inv(np.eye(n) - np.abs(A))
    x = np.linalg.solve(np.eye(n) - A, demand.nominal)
    x *= 1 + 10.0 ** -rng.uniform(0, 17) * rng.uniform(-1, 1, n)
    turnover = np.abs(demand.nominal) + np.abs(A) @ np.abs(x)
    wanted = np.maximum(turnover, 1e-9 * turnover.max() + 1e-200)
    if rng.random() < 0.4:
        wanted = wanted * 10.0 ** rng.uniform(-4, 4, n)
    if rng.random() < 0.1:
        x = rng.normal(size=n) * turnover
    if rng.random() < 0.1:
        x[:] = 0.0
    blocks = from_labels(rng.integers(0, rng.integers(1, n + 1), n))
    return Economy(balance, x, np.abs(inverse @ wanted), blocks)


def _demand(rng, f):
    if rng.random() < 0.5:
        return Demand.exact(f)
    below, above = 1e-3 * rng.random((2, len(f))) * np.abs(f)
    return Demand(f, f - below, f + above)
