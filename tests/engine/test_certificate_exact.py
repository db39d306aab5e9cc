"""The certificate against exact rational arithmetic: not one violation is allowed."""

from decimal import Decimal
from fractions import Fraction

import economies
import exact
import numpy as np
import pytest
import strategies
from hypothesis import given

from ogas.engine.balance import Demand
from ogas.engine.certificate import certify
from ogas.engine.errors import WitnessError
from ogas.kernels import reference

SEED = 573901
DRAWS = 40


def check_enclosure(economy, certificate, rng, members=6):
    """The plan of every economy within the intervals lies within the bounds; returns how many."""
    lower, upper = exact.fractions(certificate.lower), exact.fractions(certificate.upper)
    checked = 0
    for A, f in economy.members(rng, members):
        plan = exact.plan(A, f)
        assert plan is not None, "a certified economy has one plan"
        for least, x, most in zip(lower, plan, upper, strict=True):
            assert least <= x <= most
            checked += 1
        # The upper plan covers all uses and the demand, exactly.
        used = exact.product(A, upper)
        for made, use, wanted in zip(upper, used, f, strict=True):
            assert made - use >= wanted
    return checked


def check_radius(economy, certificate):
    """The radius bound covers Collatz's bound for w, which no radius exceeds."""
    witness = exact.fractions(economy.witness)
    needed = exact.product(exact.magnitudes(economy.matrix), witness)
    steepest = max(need / w for need, w in zip(needed, witness, strict=True))
    assert steepest * (1 + Fraction(economy.balance.delta)) <= Fraction(certificate.radius_bound)


def check_zeros(economy, certificate):
    """What is called a structural zero is one: no demand reaches it through any chain of users."""
    A, demand = economy.matrix, economy.balance.demand
    reached = [bool(low or high) for low, high in zip(demand.lower, demand.upper, strict=True)]
    for _ in reached:
        reached = [
            wanted or any(A[i][j] and reached[j] for j in range(len(A)))
            for i, wanted in enumerate(reached)
        ]
    zeros = certificate.structural_zeros
    assert not (zeros & reached).any()
    for bound in (certificate.lower, certificate.output, certificate.upper):
        assert (bound[zeros] == 0).all()
    if not economy.output[~np.array(reached)].any():  # nothing was made of what nobody wants
        assert (zeros == ~np.array(reached)).all()


def check_numbers(economy, certificate):
    """Figures, half-widths and turnover, computed again in another arithmetic."""
    lower, output, upper = certificate.lower, certificate.output, certificate.upper
    assert (lower <= output).all()
    assert (output <= upper).all()
    for values in (lower, upper, certificate.turnover):
        assert np.isfinite(values).all()
    A, x = exact.magnitudes(economy.matrix), exact.fractions(np.abs(economy.output))
    demand = exact.fractions(np.abs(economy.balance.demand.nominal))
    turnover = [d + used for d, used in zip(demand, exact.product(A, x), strict=True)]
    for i, t in enumerate(turnover):
        assert abs(Fraction(certificate.turnover[i]) - t) <= t / 10**13 + Fraction(1e-300)
        if certificate.structural_zeros[i]:
            assert certificate.figures[i] == 15
            assert certificate.relative_half_widths[i] == 0
        elif certificate.turnover[i] > 0:
            width = certificate.relative_half_widths[i]
            half = (Fraction(upper[i]) - Fraction(lower[i])) / 2
            assert certificate.figures[i] == figures_by_decimals(width)
            if np.isfinite(width):  # over a denormal turnover it may overflow
                known = Fraction(width) * Fraction(certificate.turnover[i])
                assert known >= half * (1 - Fraction(1e-12)) - Fraction(5e-324)
        else:
            assert certificate.figures[i] == 0


def figures_by_decimals(width):
    """``floor(log10(0.5 / width))`` between 0 and 15, in decimal arithmetic."""
    if not np.isfinite(width):
        return 0
    # 5e-11 as a float is a little above or below: the shortest decimal that names it is meant.
    ratio = Decimal("0.5") / Decimal(repr(float(width)))
    return int(min(max(ratio.adjusted(), 0), 15))


def check(economy, rng, certificate_pass=None, members=6):
    """Certify and check everything; returns how many plans were within their bounds."""
    options = {} if certificate_pass is None else {"certificate_pass": certificate_pass}
    certificate = certify(economy.balance, economy.output, economy.witness, **options)
    check_radius(economy, certificate)
    check_zeros(economy, certificate)
    check_numbers(economy, certificate)
    return check_enclosure(economy, certificate, rng, members)


@pytest.mark.parametrize("delta", economies.DELTAS, ids=["exact", "float32", "three digits"])
@pytest.mark.parametrize("kind", economies.KINDS)
def test_every_economy_within_the_intervals_has_its_plan_within_the_bounds(kind, delta):
    checked = certified = 0
    for draw in range(DRAWS):
        rng = np.random.default_rng([SEED, draw])
        economy = economies.draw(rng, kind, delta)
        try:
            checked += check(economy, rng)
        except WitnessError:
            # Right where (1 + delta) radius >= 1; with exact entries every draw has a witness.
            assert delta
            continue
        certified += 1
    assert certified > DRAWS // 4
    assert checked > DRAWS


@pytest.mark.parametrize("kind", economies.KINDS)
def test_the_second_opinion_of_the_twin_is_a_proof_too(kind):
    for draw in range(10):
        rng = np.random.default_rng([SEED + 1, draw])
        assert check(economies.draw(rng, kind), rng, reference.certificate_pass) > 0


@pytest.mark.parametrize("gap", [1e-6, 1e-10, 1e-13, 2.0**-50, 2.0**-53])
@pytest.mark.parametrize("kind", economies.KINDS)
def test_a_slack_that_nearly_vanishes_proves_something_true_or_nothing(kind, gap):
    for draw in range(10):
        rng = np.random.default_rng([SEED + 2, draw])
        n = int(rng.integers(1, 7))
        A = rng.random((n, n))
        A *= (1 - gap) / np.abs(np.linalg.eigvals(A)).max()
        if kind == "signed":
            A *= rng.choice([-1, 1], (n, n))
        f = rng.random(n) * (1 if kind == "nonnegative" else rng.choice([-1, 1], n))
        economy = economies.of(A, Demand.exact(f), 0.0, rng)
        try:
            check(economy, rng)
        except WitnessError:
            assert gap < 1e-9


@pytest.mark.parametrize("own", [1 - 1e-12, 1 - 2.0**-52, 1 - 2.0**-53])
def test_a_product_that_uses_nearly_all_of_itself_is_bounded_or_refused(own):
    rng = np.random.default_rng(SEED + 3)
    economy = economies.of(np.array([[own, 0.0], [0.5, 0.25]]), Demand.exact(np.ones(2)), 0.0, rng)
    if own < 1 - 1e-15:
        assert check(economy, rng) == 2
    else:
        with pytest.raises(WitnessError):
            check(economy, rng)


@given(strategies.wild_economies())
def test_the_wildest_numbers_are_enclosed_or_refused(economy):
    rng = np.random.default_rng(SEED + 4)
    for certificate_pass in (None, reference.certificate_pass):
        try:
            check(economy, rng, certificate_pass, members=3)
        except WitnessError:
            continue


@pytest.mark.parametrize("kind", economies.KINDS)
@pytest.mark.parametrize("delta", economies.DELTAS)
def test_an_economy_beyond_the_critical_radius_is_never_certified(kind, delta):
    for draw in range(30):
        rng = np.random.default_rng([SEED + 5, draw])
        n = int(rng.integers(1, 8))
        A = rng.lognormal(0.0, 1.0, (n, n))
        A *= rng.uniform(1.0, 1.5) / (1 + delta) / np.abs(np.linalg.eigvals(A)).max() * (1 + 1e-12)
        if kind == "signed":
            A *= rng.choice([-1, 1], (n, n))
        economy = economies.of(A, Demand.exact(rng.normal(size=n)), delta, rng)
        with pytest.raises(WitnessError):
            certify(economy.balance, economy.output, economy.witness)
        signless = np.abs(np.linalg.eig(np.abs(A))[1][:, 0])
        with pytest.raises(WitnessError):
            certify(economy.balance, economy.output, signless)
