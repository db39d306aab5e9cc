"""The equations: every product's uses and its output must agree.

    quantities   x = A x + f       x_i = output of product i, f_i = final demand for it
    values       v = Aᵀ v + l      v_j = factor embodied in one unit of j, l_j = used directly

Both are one `Balance`: the values of a table are the quantities of the table read by columns. All
that follows (sweeps, certificate, productivity) knows only the balance.

Source: Leontief (1986), Input-Output Economics, ch. 2; Miller and Blair (2022), Input-Output
Analysis, ch. 2.
"""

from dataclasses import dataclass

import numpy as np
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

    @property
    def is_exact(self) -> bool:
        """Whether the bounds coincide."""
        return self.lower is self.nominal and self.upper is self.nominal

    @property
    def is_nonnegative(self) -> bool:
        """Whether nothing within the bounds is below zero."""
        return bool((self.lower >= 0).all())


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
    """

    coefficients: csr_array
    demand: Demand
    delta: float
    diagonal: Vector
    is_signed: bool

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
    if demand is None:
        if table.demand is None:
            raise WrongUsageError(
                "the table has no final demand", advice="give one with --demand FILE"
            )
        demand = Demand.exact(table.demand)
    return _balance(table.coefficients, demand, delta)


def values(table: Table, factor: str, *, delta: float = 0.0) -> Balance:
    """Return the balance of values in one factor, ``v = Aᵀ v + l``.

    The transposition reads A once, while the table is being loaded; ``is_exact`` holds for l.

    Raises
    ------
    WrongUsageError
        If the table has no factor of that name.
    """
    demand = Demand.exact(factor_of(table, factor))
    return _balance(coefficients_from(table.coefficients.T), demand, delta)


def factor_of(table: Table, name: str) -> Vector:
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


def _balance(coefficients: csr_array, demand: Demand, delta: float) -> Balance:
    if not 0 <= delta < 1:
        raise WrongUsageError(f"delta is a relative uncertainty in [0, 1), not {delta:g}")
    is_signed = bool((coefficients.data < 0).any())
    return Balance(coefficients, demand, delta, coefficients.diagonal(), is_signed)
