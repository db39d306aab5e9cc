"""Hypothesis strategies: economies as wild as float64 allows, and matrices of known structure."""

import economies
import numpy as np
from hypothesis import strategies as st

from ogas.engine.balance import Demand, quantities
from ogas.engine.table import Table, coefficients_from

DENORMAL, HUGE = 5e-324, 1.7e308
NASTY = [0.0, DENORMAL, 1e-310, 2.3e-308, 1e-290, 1e-100, 1e-8, 0.5, 1 - 2**-53, 1.0, 1e8, 1e100]


def sized(magnitudes):
    """Numbers of either sign and of these magnitudes."""
    return st.builds(lambda size, sign: size * sign, magnitudes, st.sampled_from([1.0, -1.0]))


def magnitudes(largest=HUGE):
    """Nonnegative numbers: ordinary ones, denormals, zeros, and close to overflow."""
    nasty = st.sampled_from([number for number in [*NASTY, HUGE] if number <= largest])
    return st.one_of(nasty, st.floats(0.0, min(largest, 10.0)), st.floats(0.0, largest))


@st.composite
def wild_economies(draw):
    """An economy of up to four products with any output and any witness, good or hopeless."""
    n = draw(st.integers(1, 4))

    def vector(elements):
        return np.array(draw(st.lists(elements, min_size=n, max_size=n)))

    signed = draw(st.booleans())
    entries = st.floats(0.0, 0.5) | magnitudes(1e8)
    A = np.array([vector(sized(entries) if signed else entries) for _ in range(n)])
    if draw(st.booleans()):  # else the radius is rarely below 1
        A = A / (1.001 * max(np.abs(A).sum(axis=1).max(), 1.0))
    f = vector(sized(magnitudes()) if draw(st.booleans()) else magnitudes())
    below, above = draw(st.tuples(*2 * [st.sampled_from([0.0, 1e-12, 0.5])]))
    f = np.clip(f, -1e308, 1e308)
    demand = Demand(f, f - below * np.abs(f), f + above * np.abs(f))
    delta = draw(st.sampled_from([*economies.DELTAS, 0.3]))
    balance = quantities(Table(coefficients_from(A), np.arange(n)), demand, delta=delta)
    witness = vector(magnitudes()) + 0.0
    if draw(st.booleans()):
        witness = np.linalg.lstsq(np.eye(n) - np.abs(A), np.minimum(witness, 1e100) + 1e-30)[0]
    output = vector(sized(magnitudes()))
    return economies.Economy(balance, output, witness, np.zeros(n, np.int64))


@st.composite
def nonnegative_matrices(draw, most=8):
    """Matrices of all structures: reducible, periodic, empty rows; scaled by up to 10^8."""
    n = draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    A = rng.lognormal(0.0, 1.5, (n, n)) * (rng.random((n, n)) < draw(st.floats(0.0, 1.0)))
    shape = draw(st.sampled_from(["any", "cyclic", "triangular", "blocks"]))
    if shape == "cyclic":
        A = np.roll(np.diag(rng.lognormal(0.0, 1.5, n)), 1, axis=0)
    elif shape == "triangular":
        A = np.triu(A)
    elif shape == "blocks":
        A *= np.arange(n)[:, None] % 2 == np.arange(n) % 2
    if draw(st.booleans()):
        scale = 10.0 ** rng.uniform(-8, 8, n)
        A = A * scale[:, None] / scale
    return A
