"""The Leontief inverse L = (I - A)^-1: what it does to vectors, by certified solves.

    L f      outputs for a demand                x = A x + f
    L' l     contents of a factor in a unit      v = A' v + l
    L e_j    column j: what a unit of j needs of every product
    L' e_i   row i: what of i a unit of every product needs

Every classical result is made of these. Whatever is solved comes with bounds, and its cost is kept
in a ledger. The inverse itself is formed where so many of its columns or rows are wanted of a small
table that it takes less time than their solves: enclosed as a whole, and as well as asked for.

Source: Miller and Blair (2022), Input-Output Analysis, 3rd ed., ch. 2.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ogas.engine.analyses.whole import whole_inverse
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

# A solve, 16 at a time and to 6 figures, takes some 70 ns for every coefficient and 50 times that
# for every product (the world's table of 2005, process data of 1,584 products); forming the inverse
# takes .3 ns for n^3.
SOLVING, PRODUCT = 200.0, 50
LARGEST = 4_096  # products, of which forming takes 25 s and .8 GB
SIX = Precision(6)
Right = Demand | Vector


@dataclass(frozen=True)
class Work:
    """What one batch of solves took: passes over A, and whether all of it was certified.

    ``read`` columns or rows were not solved for, but read off the whole inverse.
    """

    columns: int
    passes: int
    is_certified: bool
    read: int = 0


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
    largest : int
        Products up to which the inverse may be formed, where this is quicker; 0 for never.
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
    largest: int = LARGEST
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
        """Yield L e_j for some products j, as many at a time as share each reading of A."""
        return self._units(products, self.outputs, lambda whole, product: whole[:, product])

    def rows(self, products: Sequence[int]) -> Iterator[tuple[int, Interval]]:
        """Yield L' e_i for some products i."""
        return self._units(products, self.contents, lambda whole, product: whole[product])

    @property
    def notes(self) -> tuple[str, ...]:
        """Which way rows and columns were found, where not every one was solved for."""
        read = sum(work.read for work in self.ledger)
        if not read:
            return ()
        return (f"{read:,} rows or columns are of the whole inverse, formed once and enclosed",)

    def _units(
        self,
        products: Sequence[int],
        solve: Callable[[dict[str, Vector]], dict[str, Interval]],
        part: Callable[[Interval, int], Interval],
    ) -> Iterator[tuple[int, Interval]]:
        """Read what the whole inverse tells well enough, if it is formed at all; solve the rest."""
        left = list(products)
        if self._is_worth_forming(len(products)) and (whole := self._whole()) is not None:
            left, enough = [], self.precision.figures
            for product in products:
                one = part(whole, product)
                if one.figures.min() >= enough:
                    yield product, one
                else:
                    left.append(product)
            self.ledger.append(Work(0, 0, True, len(products) - len(left)))
        for first in range(0, len(left), MOST_COLUMNS):
            some = left[first : first + MOST_COLUMNS]
            solved = solve({str(product): unit(len(self), product) for product in some})
            for product in some:
                yield product, solved[str(product)]

    def _is_worth_forming(self, products: int) -> bool:
        n = len(self)
        solving = SOLVING * (products - 2) * (self.source.nonzeros + PRODUCT * n)
        return not self.delta and n <= self.largest and solving > float(n) ** 3

    def _whole(self) -> Interval | None:
        """Return the whole inverse, if there are bounds of it."""
        # At the values of values every product is worth more than its inputs by far more than a
        # rounding; and these two solves prove that the economy is productive.
        hasty = replace(self, precision=Precision(1), tell=lambda columns: None, ledger=[])
        prices = np.ones(len(self))
        for _ in range(2):
            prices = np.abs(hasty.contents({"": prices})[""].middle)
            prices[prices == 0] = 1.0
        self.ledger.append(Work(2, 1 + sum(work.passes for work in hasty.ledger), True))
        try:
            return whole_inverse(self.source.table().coefficients, prices)
        except NotProvenError:
            return None

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
