"""What a plan is worth that knows only some of the entries, and little of the others.

Let K be the entries that were kept and ``E = A - K >= 0`` the others. All that is known of E is a
scale ``s > 0``, say last year's output, and for every product how much of it the others would take
at that scale: three words per product, however many entries there are, and wherever they stand.

    least <= E s <= most

Hence in a box of plans, ``low s <= x <= high s``, what the others take is bounded too:

    min(low least, low most)  <=  E x  <=  max(high least, high most)                         (1)

because ``E (x - low s) >= 0`` and ``E (high s - x) >= 0``. So they are a demand that is known to an
interval, and the certificate of K alone, for the demand f + (1), bounds every
``T(x) = (I - K)^-1 (f + E x)`` with x in the box. If these bounds lie *inside* the box, T maps the
box into its interior. Then (Brouwer) it has a fixed point, ``x = K x + E x + f``, and it has no
other: about the fixed point, the linear map ``(I - K)^-1 E`` takes a bounded neighbourhood of zero
into its interior, so its radius is below 1 and I - A is not singular. **The bounds therefore hold
the plan of every economy K + E that is within the remainder**; where K >= 0, they are productive.

The box is guessed and a little widened; that it holds is checked, with all rounding, by the
certificate of `ogas.engine.certificate`. There is no other one here.

Sources: Moore (1977), SIAM J. Numer. Anal. 14, 611-615, for the test; Rump (1983), Solving
Algebraic Problems with High Accuracy, for the interior and for widening; Neumaier (1990), Interval
Methods for Systems of Equations, ch. 4.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ogas.engine.balance import Demand, Start, quantities
from ogas.engine.certificate import Certificate, certify
from ogas.engine.errors import WitnessError, WrongUsageError
from ogas.engine.iterate import Precision, solve
from ogas.engine.table import Table, Vector, coefficients_from
from ogas.kernels.reference import down, up

FIGURES = 8  # of the guesses; nothing depends on them but how soon the box holds
TRACE = 1e-4  # of an ordinary witness in that of the bounds: slack where nothing was dropped
WIDENED = 1e-3  # by how much of itself the box is wider than guessed, and then four times as much
TRIES = 8
ROUNDING = 1e-12  # more than what a sum of 10**5 terms can lose, or two of them together

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Remainder:
    """All that is known of the entries E that were not kept; each (n,) float64.

    Attributes
    ----------
    scale : positive, units of each product per year
        s, amounts of the users.
    least, most : nonnegative
        ``least <= E s <= most``.

    Raises
    ------
    WrongUsageError
        If the scale is not positive, or the bounds are not bounds of what E >= 0 can take.
    """

    scale: Vector
    least: Vector
    most: Vector

    def __post_init__(self) -> None:
        if not (self.scale > 0).all():
            worst = int(np.argmin(self.scale))
            raise WrongUsageError(
                f"the scale of product number {worst} is {self.scale[worst]:g}, not positive",
                advice="give a scale to every product: what is made of it at least",
            )
        if not ((self.least >= 0) & (self.least <= self.most)).all():
            raise WrongUsageError("what was dropped must be bounded by 0 <= least <= most")

    def demand(self, wanted: Demand, low: float, high: float) -> Demand:
        """Return the demand with what is dropped, ``f + E x`` for ``low s <= x <= high s``."""
        ends = (self.least, self.most)
        lower = np.minimum(*(_product(low, end, down) for end in ends))
        upper = np.maximum(*(_product(high, end, up) for end in ends))
        lower = np.where(lower == 0, wanted.lower, down(wanted.lower + lower))
        upper = np.where(upper == 0, wanted.upper, up(wanted.upper + upper))
        return Demand(np.clip(0.5 * (lower + upper), lower, upper), lower, upper)


def _product(factor: float, amounts: Vector, rounded: Callable[[Vector], Vector]) -> Vector:
    """Return ``factor * amounts`` on the safe side; of nothing, nothing."""
    product: Vector = np.where(amounts == 0, 0.0, rounded(factor * amounts))
    return product


def split(table: Table, keep: Mask) -> tuple[Table, csr_array]:
    """Return a table of the entries to be kept, by their place in ``A.data``, and the others."""
    A = table.coefficients
    kept, dropped = (
        coefficients_from(
            csr_array((np.where(chosen, A.data, 0.0), A.indices, A.indptr), shape=A.shape)
        )
        for chosen in (keep, ~keep)
    )
    return replace(table, coefficients=kept), dropped


def remainder_of(dropped: csr_array, scale: Vector, *, is_total: bool) -> Remainder:
    """Return what is said of dropped entries: their totals at a scale, or only that they are less.

    Examples
    --------
    >>> dropped = csr_array(np.array([[0.0, 0.25], [0.0, 0.0]]))
    >>> found = remainder_of(dropped, np.array([10.0, 4.0]), is_total=False)
    >>> found.least.tolist(), found.most.round(9).tolist()
    ([0.0, 0.0], [1.0, 0.0])
    """
    if (dropped.data < 0).any():
        raise WrongUsageError("a negative entry cannot be dropped", advice="keep it")
    total: Vector = dropped @ scale
    return Remainder(scale, (1.0 - ROUNDING) * is_total * total, (1.0 + ROUNDING) * total)


def covered(kept: Table, remainder: Remainder, wanted: Demand) -> Certificate:
    """Bound the plan of every economy whose kept entries are these and whose others are within.

    Six to twenty solutions of the table of kept entries; see the head of this page.

    Parameters
    ----------
    kept : Table
        With the coefficients K; its own demand does not count.
    remainder : Remainder
    wanted : Demand

    Raises
    ------
    WitnessError
        If nothing can be said: what was dropped may be more than the economy can carry.
    """
    plan = _solved(kept, wanted.nominal)
    witness = Start.after([plan]).witness + plan.witness
    low, high = _box(kept, remainder, plan.output)
    margin = WIDENED * (high - low) + 1e-6 * abs(high)
    for _ in range(TRIES):
        low, high, margin = low - margin, high + margin, 4.0 * margin
        found = _bounds(kept, remainder.demand(wanted, low, high), witness)
        is_above = found.lower > up(low * remainder.scale)
        if (is_above & (found.upper < down(high * remainder.scale))).all():
            return found
    raise WitnessError("the bounds of what was dropped do not close", advice="keep more entries")


def _box(kept: Table, remainder: Remainder, output: Vector) -> tuple[float, float]:
    """Return the box that just holds: ``x + high d <= high s`` and ``x + low d >= low s``.

    x is the plan of K alone and d what is needed in all for what was dropped, at the scale.
    """
    least, most = (_solved(kept, end).output for end in (remainder.least, remainder.most))
    room = remainder.scale - most
    if not (room > 0).all():
        raise WitnessError(
            "what was dropped may take more of a product than is made of it",
            where=f"product number {int(np.argmin(room / remainder.scale))}",
            advice="keep more entries",
        )
    low, high = np.min(output / (remainder.scale - least)), np.max(output / room)
    return float(low if low >= 0 else np.min(output / room)), float(high)


def _bounds(kept: Table, demand: Demand, witness: Vector) -> Certificate:
    """Return the certificate for an interval demand, with the witness that suits its width."""
    output = _solved(kept, demand.nominal).output
    half = np.maximum(_solved(kept, 0.5 * (demand.upper - demand.lower)).output, 0.0)
    trace = TRACE * float(np.max(half / witness)) or 1.0
    return certify(quantities(kept, demand), output, half + trace * witness)


def _solved(table: Table, demand: Vector) -> Certificate:
    found = solve(quantities(table, Demand.exact(demand)), precision=Precision(figures=FIGURES))
    if found.certificate is None:
        raise WitnessError("the kept entries have no plan", advice="look at the table itself")
    return found.certificate
