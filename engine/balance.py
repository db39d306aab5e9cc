"""The equations: every product's uses and its output must agree.

    quantities   x = A x + f       x_i = output of product i, f_i = final demand for it
    values       v = Aᵀ v + l      v_j = factor embodied in one unit of j, l_j = used directly

Both are one `Balance`: the values of a table are the quantities of the table read by columns. All
that follows (sweeps, certificate, productivity) knows only the balance.

Source: Leontief (1986), Input-Output Economics, ch. 2; Miller and Blair (2022), Input-Output
Analysis, ch. 2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ogas.engine.errors import WrongUsageError
from ogas.engine.table import Table, Vector, coefficients_from
from ogas.kernels import csr


@dataclass(frozen=True, eq=False)
class Demand:
    """A right side and what is known about it, ``lower <= nominal <= upper``; each (n,) float64."""

    nominal: Vector
    lower: Vector
    upper: Vector

    @staticmethod
    def exact(nominal: Vector) -> "Demand":
        """Return a right side that is known exactly."""
        return Demand(nominal, nominal, nominal)

    def part(self, products: npt.NDArray[np.int64]) -> "Demand":
        """Return the demand for some products, in their order."""
        if self.is_exact:
            return Demand.exact(self.nominal[products])
        return Demand(self.nominal[products], self.lower[products], self.upper[products])

    @property
    def is_exact(self) -> bool:
        """Whether the bounds coincide."""
        return self.lower is self.nominal and self.upper is self.nominal

    @property
    def is_nonnegative(self) -> bool:
        """Whether nothing within the bounds is below zero."""
        return bool((self.lower >= 0).all())


class Solved(Protocol):
    """What is known of a solved balance: one column of a plan, or its certificate."""

    @property
    def output(self) -> Vector:
        """The plan x."""
        ...

    @property
    def turnover(self) -> Vector:
        """``t = |f| + |A| |x|``."""
        ...

    @property
    def upstreamness(self) -> Vector:
        """``U = w / t``."""
        ...


@dataclass(frozen=True, eq=False)
class Start:
    """An earlier plan, to begin with; in the table's order.

    Attributes
    ----------
    outputs : (n, K) float64
        One column for every demand.
    witness : (n,) float64, positive
        ``upstreamness * turnover``: a crude solution of ``(I - |A|) w = turnover``.
    """

    outputs: npt.NDArray[np.float64]
    witness: Vector

    @staticmethod
    def after(columns: Sequence[Solved]) -> "Start":
        """Begin where these columns ended; the witness is one that suits them all."""
        witnesses = [column.upstreamness * column.turnover for column in columns]
        outputs = np.stack([column.output for column in columns], axis=1)
        return Start(outputs, np.max(witnesses, axis=0))


@dataclass(frozen=True, eq=False)
class Balance:
    """The system ``x = A x + f`` that one plan has to meet.

    Attributes
    ----------
    coefficients : (n, n) CSR
        A for quantities, its transpose for values.
    demand : Demand
        f for quantities, the direct use of one factor for values.
    delta : float
        Declared relative uncertainty of every coefficient; 0 if the table is those numbers.
    diagonal : (n,) float64
        ``A[i, i]``, what a product uses of itself.
    is_signed : bool
        Whether any coefficient is negative.
    start : Start or None
        An earlier plan, if one is known.
    """

    coefficients: csr_array
    demand: Demand
    delta: float
    diagonal: Vector
    is_signed: bool
    start: Start | None = None

    def __len__(self) -> int:
        return int(self.coefficients.shape[0])

    @property
    def leeway(self) -> float:
        """What w must have left of what it needs, relatively, to prove anything.

        Twice what rounding and the declared uncertainty may take away; a product with little or no
        turnover among large needs would otherwise have no slack.
        """
        return 2.0 * self.delta + 1e-12

    @property
    def demands(self) -> tuple[Demand]:
        """The one demand that is to be met."""
        return (self.demand,)


def quantities(table: Table, demand: Demand | None = None, *, delta: float = 0.0) -> Balance:
    """Return the balance of outputs, ``x = A x + f``.

    Parameters
    ----------
    table : Table
    demand : Demand, optional
        Replaces the table's own f. Units of each product per year.
    delta : float
        Relative uncertainty of the coefficients, 0 <= delta < 1.

    Raises
    ------
    WrongUsageError
        If neither the table nor the caller says what is wanted.

    Examples
    --------
    >>> import numpy as np
    >>> from ogas.engine.table import Table, coefficients_from
    >>> table = Table(coefficients_from(np.array([[0.0, 0.5], [0.5, 0.0]])), np.array(["a", "b"]))
    >>> balance = quantities(table, Demand.exact(np.array([1.0, 0.0])))
    >>> residual(balance, np.array([4 / 3, 2 / 3])).round(12).tolist()
    [0.0, 0.0]
    """
    return balance_of(table, demand or demand_of(table), delta=delta)


def values(table: Table, factor: str, *, delta: float = 0.0) -> Balance:
    """Return the balance of values in one factor, ``v = Aᵀ v + l``.

    The transposition reads A once, while the table is being loaded; ``is_exact`` holds for l.

    Raises
    ------
    WrongUsageError
        If the table has no factor of that name.
    """
    demand = Demand.exact(factor_of(table, factor))
    return balance_of(table, demand, is_transposed=True, delta=delta)


def balance_of(
    table: Table, demand: Demand, *, is_transposed: bool = False, delta: float = 0.0
) -> Balance:
    """Return the balance of a table, or of the transposed one, for any right side.

    Raises
    ------
    WrongUsageError
        If delta is not a relative uncertainty.
    """
    check_delta(delta)
    A = coefficients_from(table.coefficients.T) if is_transposed else table.coefficients
    return Balance(A, demand, delta, A.diagonal(), bool((A.data < 0).any()))


def check_delta(delta: float) -> None:
    """Refuse what is not a relative uncertainty."""
    if not 0 <= delta < 1:
        raise WrongUsageError(f"delta is a relative uncertainty in [0, 1), not {delta:g}")


class Described(Protocol):
    """What is said of products, whether or not their recipes are at hand."""

    @property
    def demand(self) -> Vector | None:
        """Final demand."""
        ...

    @property
    def factors(self) -> Mapping[str, Vector]:
        """Primary inputs per unit."""
        ...


def demand_of(table: Described) -> Demand:
    """Return the final demand of a table.

    Raises
    ------
    WrongUsageError
        If it has none.
    """
    if table.demand is None:
        raise WrongUsageError("the table has no final demand", advice="give one with --demand FILE")
    return Demand.exact(table.demand)


def factor_of(table: Described, name: str) -> Vector:
    """Return a factor of a table by its name.

    Raises
    ------
    WrongUsageError
        If the table has none of that name; the message lists those it has.
    """
    if name not in table.factors:
        known = ", ".join(table.factors) or "none"
        raise WrongUsageError(f"the table has no factor {name!r}; it has: {known}")
    return table.factors[name]


def residual(balance: Balance, output: Vector) -> Vector:
    """Return the imbalance ``r = f + A x - x`` of an output; one pass over A."""
    A, out = balance.coefficients, np.empty_like(output)
    csr.residual(A.indptr, A.indices, A.data, output, balance.demand.nominal, out)
    return out
