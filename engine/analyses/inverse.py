"""The Leontief inverse L = (I - A)^-1, never formed: what it does to vectors, by certified solves.

    L f      outputs for a demand                x = A x + f
    L' l     contents of a factor in a unit      v = A' v + l
    L e_j    column j: what a unit of j needs of every product
    L' e_i   row i: what of i a unit of every product needs

Every classical result is made of these. Whatever is solved comes with bounds, and its cost is kept
in a ledger.

Source: Miller and Blair (2022), Input-Output Analysis, 3rd ed., ch. 2.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ogas.engine.balance import Demand, demand_of, factor_of
from ogas.engine.choose import METHODS
from ogas.engine.errors import NotProductiveError, NotProvenError, WrongUsageError
from ogas.engine.exchange import HERE, Load
from ogas.engine.header import Header
from ogas.engine.interval import Interval
from ogas.engine.iterate import Precision, Solution
from ogas.engine.method import Method
from ogas.engine.outcome import Outcome
from ogas.engine.plan import MOST_COLUMNS, Kind, Request, draw_up, histories
from ogas.engine.source import Source
from ogas.engine.table import Integers, Vector

MANY = 4  # columns that are quicker solved together than one after another
NAMED = 5  # products of a loop
SIX = Precision(6)
Right = Demand | Vector


@dataclass(frozen=True)
class Work:
    """What one batch of solves took: passes over A, and whether all of it was certified."""

    columns: int
    passes: int
    is_certified: bool


@dataclass(frozen=True, eq=False)
class Inverse:
    """The inverse of one table, to a precision.

    Attributes
    ----------
    source : Source
    precision : Precision
        Of every solve, relative to turnover.
    method : Method or None
        None for the one that suits table and number of columns.
    delta : float
        Declared relative uncertainty of the coefficients.
    load : callable
        Where blocks are held.
    tell : callable
        Called with the number of columns solved so far.
    ledger : list of Work
        Grows with every solve.
    """

    source: Source
    precision: Precision = SIX
    method: Method | None = None
    delta: float = 0.0
    load: Load = HERE
    tell: Callable[[int], None] = lambda columns: None
    ledger: list[Work] = field(default_factory=list)

    @property
    def header(self) -> Header:
        """What the table says besides its coefficients."""
        return self.source.header

    def __len__(self) -> int:
        return len(self.source)

    def outputs(self, demands: Mapping[str, Right]) -> dict[str, Interval]:
        """Return L f for some demands, (n,) each.

        Raises
        ------
        NotProductiveError
            If the economy is not productive.
        NotProvenError
            If no bound could be proven.
        """
        right = {
            name: one if isinstance(one, Demand) else Demand.exact(one)
            for name, one in demands.items()
        }
        return self._solved("quantities", right)

    def contents(self, factors: Mapping[str, Vector]) -> dict[str, Interval]:
        """Return L' l for some factors, (n,) each; raises as `outputs` does."""
        return self._solved("values", {name: Demand.exact(one) for name, one in factors.items()})

    def planned(self) -> Interval:
        """Return the output that meets the table's own demand."""
        return self.outputs({"": demand_of(self.header)})[""]

    def content(self, factor: str) -> Interval:
        """Return what a unit of every product embodies of one of the table's factors."""
        return self.contents({factor: factor_of(self.header, factor)})[factor]

    def columns(self, products: Sequence[int]) -> Iterator[tuple[int, Interval]]:
        """Yield L e_j for some products j, as many at a time as share each read of A."""
        yield from self._units(products, self.outputs)

    def rows(self, products: Sequence[int]) -> Iterator[tuple[int, Interval]]:
        """Yield L' e_i for some products i."""
        yield from self._units(products, self.contents)

    def _units(
        self, products: Sequence[int], solve: Callable[[dict[str, Vector]], dict[str, Interval]]
    ) -> Iterator[tuple[int, Interval]]:
        for first in range(0, len(products), MOST_COLUMNS):
            some = products[first : first + MOST_COLUMNS]
            solved = solve({str(product): unit(len(self), product) for product in some})
            for product in some:
                yield product, solved[str(product)]

    def _solved(self, kind: Kind, right: Mapping[str, Demand]) -> dict[str, Interval]:
        # Nothing is wanted: nothing is made, and there is nothing to solve.
        wanted = {name: one for name, one in right.items() if one.lower.any() or one.upper.any()}
        found = {name: Interval.exactly(np.zeros(len(self))) for name in right}
        if wanted:
            solutions = draw_up(*self._problem(kind, wanted))
            self._check(solutions)
            self._record(solutions)
            for name, one in solutions.items():
                found[name] = Interval.between(*_bounds_of(one))
        return found

    def _problem(self, kind: Kind, right: Mapping[str, Demand]) -> tuple[Source, Request]:
        source, factors = self.source, {}
        if kind == "values":
            factors = {name: one.nominal for name, one in right.items()}
            source = replace(source, header=replace(self.header, factors=factors, factor_units={}))
        method = self.method
        if method is None and len(right) >= MANY:
            method = METHODS["orders-and-tables"]
        request = Request(
            kind=kind,
            method=method,
            precision=self.precision,
            demands=right if kind == "quantities" else {},
            factors=tuple(factors),
            delta=self.delta,
            load=self.load,
        )
        return source, request

    def _check(self, solutions: Mapping[str, Solution]) -> None:
        for one in solutions.values():
            if one.outcome is Outcome.NOT_PRODUCTIVE:
                loop = None if one.productivity is None else one.productivity.loop
                raise NotProductiveError(
                    f"the economy is not productive: {self._named(loop)} at least as much as made",
                    advice="`ogas check TABLE` says more of these recipes",
                )
            if not one.certificates:
                raise NotProvenError(
                    "nothing could be proven",
                    advice="`ogas check TABLE` says whether the economy is productive",
                )

    def _named(self, loop: object) -> str:
        products: Integers = getattr(loop, "products", np.empty(0, np.int64))
        if not products.size:
            return "of some products is used up"
        names = ", ".join(self.header.label(int(product)) for product in products[:NAMED])
        more = f" and {products.size - NAMED:,} more" if products.size > NAMED else ""
        return f"of {names}{more} is used up by one another"

    def _record(self, solutions: Mapping[str, Solution]) -> None:
        passes = sum(history.passes for history in histories(solutions))
        certified = all(one.outcome is Outcome.CERTIFIED for one in solutions.values())
        self.ledger.append(Work(len(solutions), passes, certified))
        self.tell(sum(work.columns for work in self.ledger))


def unit(count: int, product: int) -> Vector:
    """Return one unit of a product."""
    found = np.zeros(count)
    found[product] = 1.0
    return found


def money_of(header: Header) -> Vector:
    """Return what a unit of every product is counted as, where products are added up.

    One, where all are in one unit (money); else the table's prices.

    Raises
    ------
    WrongUsageError
        If products are in different units and have no prices: tonnes and hours do not add up.
    """
    units = header.units
    if isinstance(units, str) or len(set(units.tolist())) == 1:
        return np.ones(len(header))
    if header.price is not None and (header.price > 0).all():
        return header.price
    raise WrongUsageError(
        "products are in different units, which do not add up, and not all have a price",
        advice="import the table with prices, or ask for a factor",
    )


def _bounds_of(solution: Solution) -> tuple[Vector, Vector]:
    proved = solution.certificates[0]
    return proved.lower, proved.upper
