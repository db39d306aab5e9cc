"""The certificate: a bound for every product that can be checked without trusting the solver.

With any ``w > 0`` whose slack ``v = w - |A| w`` is positive, and ``r = f + A x - x``, the true
output x* lies in

    x - a_minus w  <=  x*  <=  x + a_plus w
    a_plus = max(0, max r/v),  a_minus = max(0, max -r/v)

and the economy is productive: the spectral radius of |A| is at most ``1 - min v/w < 1``. (If A has
negative entries, both factors are ``max |r|/v``.) Proof: ``a v - r >= 0``; apply the nonnegative
inverse of ``I - |A|`` and ``(I - |A|)^-1 v = w``. Since A w is known anyway, one more sweep of both
bounds costs nothing: ``x + r + a_plus |A| w`` is an upper bound too, and the smaller one counts.

What is published is the middle y of the bounds, which is x after that free sweep: no product can be
further from the truth than its half-width h. And h itself is the witness that proves it anew: the
sweep leaves ``f + A y - y = A s`` with ``|s| <= a v``, and the slack of ``h = a |A| w`` is ``a |A|
v``, so that y and h have a certificate no wider than the one they came from. (With the w that x
had, y's own can be ten times wider where imports cancel most of a product's uses.) A trace of w
keeps the published witness positive and above the rounding.

Precision is relative to **turnover** ``t = |f| + |A| |x|``, which equals x where nothing is
negative and stays positive where imports or credits cancel x to zero. The best w is a crude
solution of ``(I - |A|) w = t``; then ``U = w / t`` is upstreamness, and ``U - 1`` the condition
number of each product.

Sources: Neumaier (1990), Interval Methods for Systems of Equations, ch. 3; Ogita, Rump and Oishi
(2005); Antras, Chor, Fally and Hillberry (2012) for upstreamness.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ogas.engine.balance import Balance, Demand
from ogas.engine.errors import WitnessError
from ogas.engine.table import Integers, Vector
from ogas.kernels import certify as kernels
from ogas.kernels.reference import EPSILON, down, up

MOST_FIGURES = 15  # what float64 can hold

# How much of w the published witness keeps, in units of what rounding and the declared uncertainty
# cost. In 1,088 plans of published and synthetic tables, .01 to .25 left every recomputed bound
# narrower than the published one; with 1 some were 11 % wider, with 4, 73 %.
TRACE = 0.1
LEAST_TRACE = 1e-18  # far below any figure, far above underflow
Mask = npt.NDArray[np.bool_]
_VECTORS = ("lower", "output", "upper", "turnover", "witness", "upstreamness")
_NUMBERS = ("relative_half_width", "radius_bound", "residual", "attainable")  # each a largest


@dataclass(frozen=True, eq=False)
class Certificate:
    """Bounds for every product, and what they are worth.

    Attributes
    ----------
    lower, output, upper : (n,) float64
        ``lower <= x* <= upper`` for every economy within the declared uncertainty, and ``output``
        in the middle. Where ``upper`` is nonnegative everywhere it is a plan that provably covers
        all uses and the demand: ``(I - A) upper >= f``.
    turnover : (n,) float64
        What precision is relative to.
    witness : (n,) float64, positive
        Proves these bounds for this output: ``certify(balance, output, witness)`` is as narrow.
    upstreamness : (n,) float64
        ``U = w / t``, mean number of production rounds to final use; 0 for structural zeros.
    structural_zeros : (n,) bool
        Products that no demand reaches: exactly 0.
    relative_half_width : float
        The largest ``(upper - lower) / 2 / turnover``.
    radius_bound : float
        Proven upper bound of the spectral radius of |A|.
    residual : float
        Largest ``|r| / turnover``. Informative; not a measure of precision.
    attainable : float
        Relative half-width that rounding and the declared uncertainty would leave if the balance
        were met exactly; further sweeps cannot help below it.
    """

    lower: Vector
    output: Vector
    upper: Vector
    turnover: Vector
    witness: Vector
    upstreamness: Vector
    structural_zeros: Mask
    relative_half_width: float
    radius_bound: float
    residual: float
    attainable: float

    @cached_property
    def relative_half_widths(self) -> Vector:
        """``(upper - lower) / 2 / turnover`` of every product; 0 for structural zeros."""
        return relative_half_widths(self.lower, self.upper, self.turnover)

    @cached_property
    def figures(self) -> Integers:
        """Figures of every product: s if its relative half-width is at most ``5 * 10**-(s+1)``."""
        return figures_of(self.relative_half_widths)

    def checked(self) -> "Certificate":
        """Return itself, if it proves anything.

        Raises
        ------
        WitnessError
            If some bound overflowed.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            is_finite = bool(np.isfinite(self.upper - self.lower).all())
        if not is_finite:
            raise WitnessError(
                "the bounds overflow", advice="check the units of the largest entries"
            )
        return self

    @property
    def worst_product(self) -> int:
        """Position of the product that is known least well."""
        return int(np.argmax(self.relative_half_widths))

    @property
    def digits_certified(self) -> int:
        """Figures of the worst product."""
        return int(figures_of(np.array([self.relative_half_width]))[0])

    @property
    def negative_products(self) -> Integers:
        """Positions of products whose output is negative: net imports beyond domestic use."""
        return np.flatnonzero(self.output < 0)


@dataclass(frozen=True, eq=False)
class Gathering:
    """The certificate of all products, put together from those of blocks.

    Attributes
    ----------
    vectors : mapping of name to (n,) array
        In the table's order.
    """

    vectors: Mapping[str, npt.NDArray[Any]]

    @staticmethod
    def of(products: int) -> "Gathering":
        """Return one for so many products."""
        vectors = {name: np.empty(products) for name in _VECTORS}
        return Gathering({**vectors, "structural_zeros": np.empty(products, dtype=bool)})

    def place(self, products: Integers, part: Certificate) -> dict[str, float]:
        """Put a block's certificate where its products are; return its numbers."""
        for name, vector in self.vectors.items():
            vector[products] = getattr(part, name)
        return {name: getattr(part, name) for name in _NUMBERS}

    def certificate(self, numbers: Sequence[Mapping[str, float]]) -> Certificate:
        """Return the certificate when all blocks have their place, and gave these numbers."""
        found: dict[str, Any] = dict(self.vectors)
        found |= {name: float(np.max([part[name] for part in numbers])) for name in _NUMBERS}
        return Certificate(**found).checked()


def half_width_for(figures: int) -> float:
    """Return the relative half-width that ``figures`` significant figures stand for.

    >>> [half_width_for(s) for s in (3, 6, 10)]
    [0.0005, 5e-07, 5e-11]
    """
    return float(f"5e-{figures + 1}")


def relative_half_widths(lower: Vector, upper: Vector, turnover: Vector) -> Vector:
    """Return ``(upper - lower) / 2 / turnover``: 0 for what is known exactly, structural zeros too.

    Infinite for a product without turnover of which nothing is known yet.
    """
    half = 0.5 * (upper - lower)
    ratio = np.where(half > 0, np.inf, 0.0)
    with np.errstate(over="ignore"):  # beyond all numbers is infinitely wide
        return np.divide(half, turnover, out=ratio, where=turnover > 0)


_THRESHOLDS = np.array([half_width_for(s) for s in range(MOST_FIGURES, 0, -1)])


def figures_of(relative_half_widths: Vector) -> Integers:
    """Return ``floor(log10(0.5 / half-width))``, between 0 and 15.

    >>> figures_of(np.array([0.0, 5e-11, 6e-4, 5e-4, np.inf])).tolist()
    [15, 10, 2, 3, 0]
    """
    return MOST_FIGURES - np.searchsorted(_THRESHOLDS, relative_half_widths, side="left")


@np.errstate(over="ignore", invalid="ignore")  # what overflows proves nothing, and is refused
def certify(
    balance: Balance,
    output: Vector,
    witness: Vector,
    *,
    certificate_pass: Callable[..., None] = kernels.certificate_pass,
) -> Certificate:
    """Bound the error of an output for every product, without knowing the true one.

    One pass over A. Rounding, the uncertainty of the coefficients and of the demand are included.

    Parameters
    ----------
    balance : Balance
    output : (n,) float64, the units of each product
        Any output, converged or not.
    witness : (n,) float64, positive, the units of ``output``
        A crude solution of ``(I - |A|) w = turnover`` gives the sharpest bounds.
    certificate_pass : callable
        The kernel, or its twin in `ogas.kernels.reference` for a second opinion.

    Raises
    ------
    WitnessError
        If the witness or its slack is not positive somewhere, or something overflows; nothing can
        then be promised.

    Examples
    --------
    >>> from ogas.engine.balance import quantities
    >>> from ogas.engine.table import Table, coefficients_from
    >>> A = coefficients_from(np.array([[0.0, 0.5], [0.5, 0.0]]))
    >>> table = Table(A, np.array(["a", "b"]), demand=np.array([1.0, 0.0]))
    >>> certificate = certify(quantities(table), np.array([4 / 3, 2 / 3]), np.array([2.0, 2.0]))
    >>> certificate.digits_certified, round(certificate.radius_bound, 12)
    (14, 0.5)
    """
    A, demand = balance.coefficients, balance.demand
    found = Findings.blank(output, witness, demand)
    certificate_pass(
        *(A.indptr, A.indices, A.data, output, witness, demand.lower, demand.upper, balance.delta),
        *(found.gross, found.r_lower, found.r_upper, found.slack, found.reach),
    )
    extremes = Extremes.of(found)
    extremes.check(len(output))
    zero = structural_zeros(found.idle, lambda rows: A[rows])
    common = Common(extremes, balance.is_signed, demand.is_nonnegative)
    return bounded(found, common, zero).checked()


@dataclass(frozen=True, eq=False)
class Findings:
    """What one pass over A found out about an output and a witness; each (n,) float64.

    Attributes
    ----------
    output, witness : x and w
    demand : Demand
    gross : ``|A| |x|``
    r_lower, r_upper : proven bounds of ``f + A x - x``
    slack : proven lower bound of ``w - |A| w``
    reach : proven upper bound of ``|A| w``
    """

    output: Vector
    witness: Vector
    demand: Demand
    gross: Vector
    r_lower: Vector
    r_upper: Vector
    slack: Vector
    reach: Vector

    @staticmethod
    def blank(output: Vector, witness: Vector, demand: Demand) -> "Findings":
        """Return findings for a kernel to fill in."""
        return Findings(output, witness, demand, *(np.empty_like(output) for _ in range(5)))

    @property
    def turnover(self) -> Vector:
        """``t = |f| + |A| |x|``."""
        turnover: Vector = np.abs(self.demand.nominal) + self.gross
        return turnover

    @property
    def unavoidable(self) -> Vector:
        """Half the distance of the bounds of r: rounding and declared uncertainties."""
        return 0.5 * (self.r_upper - self.r_lower)

    @property
    def idle(self) -> Mask:
        """Products without turnover or demand: those that no demand may reach."""
        wanted = (self.demand.lower != 0) | (self.demand.upper != 0)
        idle: Mask = (self.turnover == 0) & ~wanted
        return idle


@dataclass(frozen=True)
class Extremes:
    """What has to be known of all products before any of them is bounded.

    Attributes
    ----------
    above, below : float
        ``max r_upper / v`` and ``max -r_lower / v``, rounded up: a_plus and a_minus, or negative.
    rounding : float
        What of them cannot be avoided.
    bad, first_bad : int
        How many products have no slack, and the position of the first.
    """

    above: float
    below: float
    rounding: float
    bad: int = 0
    first_bad: int = 0

    @staticmethod
    def of(found: Findings, positions: Integers | None = None) -> "Extremes":
        """Return those of some products; ``positions`` are theirs in the table, or 0, 1, 2 ..."""
        slack, witness = found.slack, found.witness
        # A negative w has positive slack where |a_ii| > 1: the slack alone proves nothing.
        bad = np.flatnonzero(~((slack > 0) & (witness > 0)))
        first = -1 if not bad.size else int((bad if positions is None else positions[bad]).min())
        return Extremes(
            above=_most(up(found.r_upper / slack)),
            below=_most(up(-found.r_lower / slack)),
            rounding=_most(found.unavoidable / slack),
            bad=bad.size,
            first_bad=first,
        )

    @staticmethod
    def joined(parts: Sequence["Extremes"]) -> "Extremes":
        """Return those of all products; one NaN spoils them all, on purpose."""
        return Extremes(
            above=float(np.max([part.above for part in parts])),
            below=float(np.max([part.below for part in parts])),
            rounding=float(np.max([part.rounding for part in parts])),
            bad=sum(part.bad for part in parts),
            first_bad=min((part.first_bad for part in parts if part.bad), default=-1),
        )

    def check(self, products: int) -> None:
        """Refuse a witness that proves nothing.

        Raises
        ------
        WitnessError
            If it or its slack is not positive somewhere.
        """
        if self.bad:
            raise WitnessError(
                f"the witness or its slack is not positive at {self.bad:,} of {products:,} "
                "products",
                where=f"product number {self.first_bad}",
            )


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a block shows of one plan.

    Attributes
    ----------
    extremes : Extremes
    idle : (z,) int64
        Positions, in the table's order, of products that no demand may reach.
    """

    extremes: Extremes
    idle: Integers


@dataclass(frozen=True)
class Common:
    """What is known of all products before any of them is bounded.

    Attributes
    ----------
    extremes : Extremes
    is_signed : bool
        Whether any coefficient is negative.
    is_nonnegative : bool
        Whether no demand may be.
    """

    extremes: Extremes
    is_signed: bool
    is_nonnegative: bool

    @property
    def factors(self) -> tuple[float, float]:
        """a_plus and a_minus."""
        above, below = self.extremes.above, self.extremes.below
        # One NaN spoils every bound, here on purpose: Python's max(0.0, nan) would be 0.0.
        if self.is_signed:
            above = below = float(np.maximum(above, below))
        return float(np.maximum(above, 0.0)), float(np.maximum(below, 0.0))


@np.errstate(over="ignore", invalid="ignore")
def bounded(found: Findings, common: Common, zero: Mask) -> Certificate:
    """Return what is proven about some products, of which ``zero`` are structural zeros."""
    lower, upper = _bounds(found, common.factors)
    if not common.is_signed and common.is_nonnegative:
        lower = np.maximum(lower, 0.0)
    upper[zero] = lower[zero] = 0.0
    half = 0.5 * (upper - lower)
    turnover, witness, rounding = found.turnover, found.witness, common.extremes.rounding
    scale = np.where(turnover > 0, turnover, 1.0)
    residual = np.maximum(np.abs(found.r_lower), np.abs(found.r_upper))
    return Certificate(
        lower=lower,
        output=np.clip(lower + half, lower, upper),
        upper=upper,
        turnover=turnover,
        witness=half + (TRACE * rounding + LEAST_TRACE) * witness,
        upstreamness=np.where(turnover > 0, witness / scale, 0.0),
        structural_zeros=zero,
        relative_half_width=_most(relative_half_widths(lower, upper, turnover)),
        radius_bound=_most(up(1.0 - down(found.slack / witness))),
        residual=_most(residual / scale),
        attainable=_most((found.unavoidable + rounding * found.reach) / scale),
    )


def _most(numbers: Vector) -> float:
    """Return the largest; NaN if any is, and -inf of none, as a block without products has."""
    return float(np.max(numbers, initial=-np.inf))


def _bounds(found: Findings, factors: tuple[float, float]) -> tuple[Vector, Vector]:
    """Return lower and upper bounds, after the free sweep, rounded outwards."""
    (output, witness), (a_plus, a_minus) = (found.output, found.witness), factors
    spread = 1.0 + 2.0 * EPSILON
    upper = np.minimum(
        up(output + a_plus * witness * spread),
        up(up(output + found.r_upper) + up(up(a_plus * found.reach))),
    )
    lower = np.maximum(
        down(output - a_minus * witness * spread),
        down(down(output + found.r_lower) - up(up(a_minus * found.reach))),
    )
    return lower, upper


def structural_zeros(zero: Mask, users: Callable[[Integers], csr_array]) -> Mask:
    """Return the products that no demand reaches, through any chain of users.

    Only idle products can be; of these, those with a user that is not among them are struck out, in
    place, until none is left to strike. ``users(rows)`` returns rows of A: those of the candidates
    are read, not all of A.
    """
    rows = np.flatnonzero(zero)
    if not rows.size:
        return zero
    candidates = users(rows)
    while rows.size:
        used = np.add.reduceat(
            np.append(~zero[candidates.indices], False), candidates.indptr[:-1], dtype=np.int64
        )
        used[np.diff(candidates.indptr) == 0] = 0
        struck = rows[(used > 0) & zero[rows]]
        if not struck.size:
            break
        zero[struck] = False
    return zero
