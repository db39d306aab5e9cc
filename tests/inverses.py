"""Tables with their inverse as a dense matrix: what classical results are held against."""

from dataclasses import dataclass

import numpy as np

from ogas.engine.analyses.inverse import Inverse
from ogas.engine.interval import Interval
from ogas.engine.iterate import Precision
from ogas.engine.source import Source
from ogas.engine.table import Table, coefficients_from

SEED = 770517


@dataclass(frozen=True, eq=False)
class Dense:
    """A table, and everything about it that linear algebra by hand needs."""

    table: Table

    def __post_init__(self):
        n = len(self.table)
        object.__setattr__(self, "A", self.table.coefficients.toarray())
        object.__setattr__(self, "L", np.linalg.inv(np.eye(n) - self.A))

    @property
    def f(self):
        return self.table.demand

    @property
    def x(self):
        return self.L @ self.f

    def inverse(self, figures=12):
        return Inverse(Source.of(self.table), Precision(figures))


def drawn(case, n=40):
    """Draw a table: plain, in blocks, with negative entries, or in physical units with prices."""
    draw = np.random.default_rng([SEED, n])
    A = draw.random((n, n)) * (draw.random((n, n)) < 0.25)
    A *= draw.uniform(0.3, 0.8, n) / np.maximum(A.sum(axis=0), 1.0)
    price, units = None, "million"
    if case == "signed":
        A[3, 5], A[7, 2] = -0.02, -0.01
    if case == "physical":
        price, units = draw.lognormal(size=n), np.array([f"unit {k}" for k in range(n)])
        A *= price / price[:, None]
    return Table(
        coefficients_from(A),
        np.array([f"p{k}" for k in range(n)]),
        demand=draw.lognormal(size=n),
        factors={"labour": 0.2 + draw.random(n), "CO2": draw.random(n)},
        units=units,
        price=price,
        blocks=np.arange(n) * 4 // n if case == "blocks" else None,
    )


CASES = ("plain", "blocks", "signed", "physical")


def two_sectors_of_miller_and_blair():
    """Z = [[150, 500], [200, 100]], x = (1000, 2000): Miller and Blair, Table 2.3."""
    return Table(
        coefficients_from(np.array([[0.15, 0.25], [0.20, 0.05]])),
        np.array(["agriculture", "manufacturing"]),
        demand=np.array([350.0, 1700.0]),
        factors={"income": np.array([0.30, 0.25])},
        units="$ million",
        output=np.array([1000.0, 2000.0]),
    )


def assert_encloses(found, truth, relative=1e-9):
    """The truth lies within the bounds (but for its own rounding), and these are narrow."""
    assert isinstance(found, Interval)
    truth = np.asarray(truth, dtype=np.float64)
    scale = np.maximum(np.abs(truth), np.abs(truth).max(initial=0.0) * 1e-3)
    rounding = 1e-11 * scale
    assert (found.lower <= truth + rounding).all()
    assert (truth - rounding <= found.upper).all()
    assert (np.abs(found.middle - truth) <= relative * scale).all()
