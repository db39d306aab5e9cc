"""Orders and tables: blocks swept side by side, tied together by what they order from each other.

One pass over A, in which the plan x and the witness w travel together:

    quantities                                       values
    1. every block orders what x and w need          1. every block looks up what inputs are worth
    2. accounts of the orders: the sector table      2. accounts: the sector table
    3. the coordinator solves it: c, s               3. the coordinator solves it: c, s
    4. x += c w, w *= s, in blocks and in orders     4. the same, and in what was looked up
    5. orders are added up where they go             5. inputs from other blocks are added up
    6. every block sweeps its own part               6. every block sweeps its own part

Orders are linear: they follow a correction without being computed again, so that the table costs
nothing but a few numbers per pair of blocks. Without steps 2-4 this is block Jacobi.

The prices p in which blocks are aggregated decide the speed: money, where every recipe costs less
than its product; else they are carried along, ``p <- p A + l``, in the same read, with l labour
where it is known and one over turnover where not. Only prices p whose ``p A`` has been read are
used, so they lag one pass behind.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ogas.engine.account import Account, Columns, Correction, Matrix
from ogas.engine.balance import Demand, Start, check_delta
from ogas.engine.certificate import (
    Certificate,
    Common,
    Evidence,
    Extremes,
    Gathering,
    Mask,
    structural_zeros,
)
from ogas.engine.exchange import BegunAnewError, Exchange
from ogas.engine.layout import Layout
from ogas.engine.method import Sight, Traffic, turnover_floor
from ogas.engine.productivity import Productivity
from ogas.engine.sector_table import add_up, corrections
from ogas.engine.sectors import Facts
from ogas.engine.share import Beginning, Terms, Turn
from ogas.engine.station import Scale
from ogas.engine.table import Integers, Vector
from ogas.engine.weights import floored

R = TypeVar("R")

FLOAT32 = 2.0**-24  # how far rounding to float32 moves a number, relatively

# How often prices that grow from one over turnover begin anew: first sweeps still find turnover.
RENEWALS = 2


@dataclass(frozen=True, eq=False)
class SectorBalance:
    """The balances of one table by blocks: ``x_k = A x_k + f_k``, for K demands at once.

    Attributes
    ----------
    exchange : Exchange
        Through which the blocks are reached, wherever they are.
    layout : Layout
    facts : tuple of Facts
        Of every block.
    demands : tuple of Demand
        In the table's order.
    audited : callable
        The audit of the table.
    is_transposed : bool
        For values.
    delta : float
        Declared relative uncertainty of the coefficients.
    is_rounded : bool
        Whether they are held in float32 though they are not stored so.
    is_priced : bool
        Whether blocks are aggregated in the prices they know; if not, prices have to be carried.
    labour : (n,) float64 or None
        What carried prices grow from; None for one over turnover.
    has_rank : bool
        Whether blocks hold their products in the order in which they are to be swept; if not, the
        run has to find one.
    start : Start or None
        An earlier plan.
    half : bool
        Whether plan and witness may be held in float32 too.
    """

    exchange: Exchange
    layout: Layout
    facts: tuple[Facts, ...]
    demands: tuple[Demand, ...]
    audited: Callable[[], Productivity]
    is_transposed: bool = False
    delta: float = 0.0
    is_rounded: bool = False
    is_priced: bool = False
    labour: Vector | None = None
    has_rank: bool = False
    start: Start | None = None
    half: bool = False

    def __post_init__(self) -> None:
        check_delta(self.delta)

    def __len__(self) -> int:
        return len(self.layout)

    @property
    def is_signed(self) -> bool:
        """Whether any entry is negative."""
        return any(block.is_signed for block in self.facts)

    @property
    def nonzeros(self) -> int:
        """Stored entries of A."""
        return sum(block.nonzeros for block in self.facts)


@dataclass(frozen=True)
class OrdersAndTables:
    """The cycle above.

    Parameters
    ----------
    inner : int
        Sweeps of the own part for every exchange of orders; 0 to choose: `INNER` where most of the
        table is read from the disk for every pass, 1 elsewhere.
    ordering_sweeps : int
        After each of the first sweeps products are put in the order of upstreamness anew, unless
        their order is known.
    with_tables : bool
        Without, this is block Jacobi.
    """

    inner: int = 0
    ordering_sweeps: int = 5
    with_tables: bool = True
    name: str = "orders-and-tables"
    in_blocks: bool = True

    def start(self, problem: SectorBalance) -> "Cycle":
        """Begin with what is known."""
        with np.errstate(over="ignore", invalid="ignore"):  # noticed by the sums of the first sweep
            return Cycle(problem, self)


# Another sweep costs a fifth of reading a block from the disk; a third one saves no more reads.
INNER = 2
LEEWAY = {"float32": 8 * FLOAT32, "float64": 1e-12}  # of the witness, for what rounding moves
# Imbalances this small that do not halve any more, in float32, are mostly its rounding.
WORN_OUT, HEADWAY = 64 * FLOAT32, 0.5


@dataclass(eq=False)
class Cycle:
    """Orders and tables at work on one problem."""

    problem: SectorBalance
    method: OrdersAndTables

    reads_before = 0

    def __post_init__(self) -> None:
        problem = self.problem
        wanted = np.abs(np.stack([demand.nominal for demand in problem.demands], axis=1))
        signs = any(not demand.is_nonnegative for demand in problem.demands)
        rate, floor = _scales(wanted)
        is_mixed = problem.is_signed or signs or _differ(wanted[:, rate > 0] != 0)
        self.columns = Columns(len(problem.demands), is_mixed)
        self.rate, self.floor = rate, floor
        self.dtype = self._narrowest()
        # Values are looked up, not added up: what comes down is as long as it is held.
        is_pair = self.columns.width == 2 and not self._is_carried and not problem.is_transposed
        self.messages = self.dtype if is_pair else "float64"
        self.exchanges = self.bytes_streamed = 0
        self.streamed = sum(block.streamed for block in problem.facts)
        nonzeros = sum(block.nonzeros for block in problem.facts if block.streamed)
        self.inner = self.method.inner or (INNER if 2 * nonzeros > problem.nonzeros else 1)
        self._resume(self._begin)

    @property
    def delta(self) -> float:
        """Relative uncertainty of flows: what is declared, and what rounding to float32 adds.

        Coefficients may be rounded, and what blocks order of each other.
        """
        declared = self.problem.delta
        roundings = self.problem.is_rounded + (self.messages == "float32")
        return declared + roundings * FLOAT32 * (1.0 + 2.0 * declared + FLOAT32)

    @property
    def feeds_on_itself(self) -> bool:
        """Whether some product uses up at least one unit of itself per unit."""
        return any(block.feeds_on_itself for block in self.problem.facts)

    @property
    def traffic(self) -> Traffic:
        """What was moved so far."""
        words = sum(block.ext for block in self.problem.facts)
        columns = self.columns.width + self._is_carried
        moved = np.dtype(self.messages).itemsize * words * columns * self.exchanges
        per_nonzero = self.bytes_read / max(self.problem.nonzeros, 1)
        return Traffic(self.exchanges, moved, per_nonzero, self.bytes_streamed, self.inner)

    def sweep(self) -> Sight:
        """Read A once and better the plan."""
        return self._resume(self._sweep)

    def certify(self) -> tuple[Certificate, ...]:
        """Read A once and bound the error of every plan."""
        return self._resume(self._certify)

    def audit(self) -> Productivity:
        """Find out whether the economy is productive."""
        return self.problem.audited()

    # ---- the steps ------------------------------------------------------------------------------

    def _resume(self, step: Callable[[], R]) -> R:
        """Take a step; where blocks were lost on the way, begin anew from what is left of them."""
        lost: BegunAnewError | None = None
        while True:
            try:
                if lost is not None:
                    self._begin(lost)
                return step()
            except BegunAnewError as error:
                lost = error

    def _begin(self, lost: BegunAnewError | None = None) -> None:
        """Tell all blocks what is wanted, and where to begin."""
        self.sweeps = 0  # since all blocks know of each other
        self.spread = math.inf
        self.accounts: Sequence[Account | None] | None = None  # of what the next pass needs
        self.has_counted = False
        leeway = 2.0 * self.delta + LEEWAY[self.dtype]
        scale = Scale(self.rate, self.floor, leeway)
        terms = Terms(self.columns, scale, self.dtype, self.messages, self._is_carried)
        prices = self._prices()
        each = [
            self._beginning(number, prices, lost) for number in range(self.problem.layout.blocks)
        ]
        self.bytes_read = sum(self._ask("begin", terms, each=each))

    def _sweep(self) -> Sight:
        problem, method = self.problem, self.method
        correction = self._correction(self._reached())
        is_sorted = not problem.has_rank and self.sweeps < method.ordering_sweeps
        turn = Turn(
            inner=self.inner,
            is_sorted_first=is_sorted and not self.sweeps and self._knows_order,
            is_sorted=is_sorted,
            anew=self.sweeps < RENEWALS and not problem.is_transposed,
            with_account=method.with_tables,
        )
        self.exchanges += 1
        self.bytes_streamed += self.streamed
        seen, self.accounts = zip(*self._ask("settle", correction, turn), strict=True)
        is_anew = self.sweeps == 0
        self.sweeps += 1
        least, largest, depth, is_finite = zip(*seen, strict=True)
        extremes = min(least), max(largest), max(depth)
        sight = Sight(*extremes, all(is_finite), correction.note, self.inner, is_anew)
        is_worn_out = HEADWAY * self.spread < sight.spread < WORN_OUT
        self.spread = sight.spread
        if is_worn_out and self.dtype == "float32":
            self.dtype = "float64"
            self._ask("widen", 2.0 * self.delta + LEEWAY["float64"])
            held = "plan and witness are held in float64 from here on"
            return replace(sight, note="; ".join(filter(None, (sight.note, held))))
        return sight

    def _certify(self) -> tuple[Certificate, ...]:
        problem, layout = self.problem, self.problem.layout
        self._reached()
        if not self.has_counted:
            self._ask("count")
            self.has_counted = True
        shown = self._ask("prove", self._nothing(), self.delta)
        self.bytes_streamed += self.streamed
        known = [
            self._known(demand, plan)
            for demand, plan in zip(problem.demands, zip(*shown, strict=True), strict=True)
        ]
        products = [layout.products_of(number) for number in range(layout.blocks)]
        zeros = [[zero[part] for _, zero in known] for part in products]
        found = self._ask("bound", [common for common, _ in known], each=zeros)
        wholes = []
        for parts in zip(*found, strict=True):
            whole = Gathering.of(len(problem))
            placed = zip(products, parts, strict=True)
            wholes.append(whole.certificate([whole.place(*each) for each in placed]))
        return tuple(wholes)

    def _reached(self) -> Sequence[Account | None]:
        """Return the accounts of what blocks need now, once they have reached out for it."""
        if self.accounts is None:
            self.exchanges += 1
            # Carried prices are used once what they come to has been read.
            with_account = self.method.with_tables and not self._is_carried
            self.accounts = self._ask("reach_out", with_account)
        return self.accounts

    @property
    def _knows_order(self) -> bool:
        """Whether the witness of an earlier plan says how far products are from final use."""
        return self.problem.start is not None and not self.problem.is_transposed

    @property
    def _is_carried(self) -> bool:
        return not self.problem.is_priced

    def _ask(self, step: str, *arguments: Any, each: Sequence[Any] | None = None) -> Sequence[Any]:
        return self.problem.exchange.ask(step, *arguments, each=each)

    def _nothing(self) -> Correction:
        return Correction.none(self.problem.layout.blocks, self.columns)

    def _correction(self, accounts: Sequence[Account | None]) -> Correction:
        """Solve the sector table, if blocks have accounted for what they need."""
        given = [account for account in accounts if account is not None]
        if not given:
            return self._nothing()
        table = add_up(given, self.columns, is_transposed=self.problem.is_transposed)
        return corrections(table, self.columns)

    def _known(self, demand: Demand, shown: Sequence[Evidence]) -> tuple[Common, Mask]:
        """Put together what all blocks have shown of one plan, and find its structural zeros."""
        problem = self.problem
        extremes = Extremes.joined([block.extremes for block in shown])
        extremes.check(len(problem))
        zero = np.zeros(len(problem), dtype=bool)
        zero[np.concatenate([block.idle for block in shown])] = True
        common = Common(extremes, problem.is_signed, demand.is_nonnegative)
        return common, structural_zeros(zero, self._users)

    def _users(self, positions: Integers) -> csr_array:
        """Return rows of the balance's matrix: who uses what. Entries are 1."""
        pairs = np.concatenate(self._ask("users", positions), axis=1)
        shape = (len(positions), len(self.problem))
        return csr_array((np.ones(pairs.shape[1]), (pairs[0], pairs[1])), shape=shape)

    # ---- where it begins ------------------------------------------------------------------------

    def _beginning(
        self, number: int, prices: tuple[Vector, Vector], lost: BegunAnewError | None
    ) -> Beginning:
        """Return where a block begins: with nothing or an earlier plan, or what it has left."""
        products = self.problem.layout.products_of(number)
        demands = [demand.part(products) for demand in self.problem.demands]
        price, source = (part[products] if part.size else part for part in prices)
        if lost is not None and number in lost.kept:
            return Beginning(demands, None, price, source)
        state = self._first(products) if lost is None else lost.states.get(number)
        return Beginning(demands, self._first(products) if state is None else state, price, source)

    def _first(self, products: Integers) -> Matrix:
        """Return the demand where that is positive, or an earlier plan, and a witness."""
        start = self.problem.start
        if start is None:
            demand = np.stack([each.nominal[products] for each in self.problem.demands], axis=1)
            outputs = np.maximum(demand, 0.0)
            witness = np.max(np.abs(demand) * self.rate, axis=1)
        else:
            outputs, witness = start.outputs[products], start.witness[products]
        return np.column_stack([outputs, np.maximum(witness, self.floor)])

    def _narrowest(self) -> str:
        """Return the type in which plan and witness may be held."""
        limits = np.finfo(np.float32)
        if not self.problem.half or not self.floor > 1e3 * limits.tiny:
            return "float64"
        largest = float(np.max(self._first(np.arange(len(self.problem)))))
        return "float32" if largest < 1e-10 * float(limits.max) else "float64"

    def _prices(self) -> tuple[Vector, Vector]:
        """Return where carried prices begin, and what they grow from; in the table's order."""
        problem, nothing = self.problem, np.zeros(0)
        if problem.is_priced:
            return nothing, nothing
        if problem.labour is not None:
            return floored(problem.labour), problem.labour
        demand = np.stack([np.abs(each.nominal) for each in problem.demands], axis=1)
        wanted = np.max(demand * self.rate, axis=1)
        first = np.divide(1.0, wanted, out=np.zeros_like(wanted), where=wanted > 0)
        return floored(first), nothing


def _differ(wanted: npt.NDArray[np.bool_]) -> bool:
    """Whether plans may need different products: none then moves along what another needs."""
    return bool((wanted != wanted[:, :1]).any())


def _scales(wanted: Matrix) -> tuple[Vector, float]:
    """Return the rates of the plans, and the floor of turnover, from their demands' magnitudes."""
    counts = (wanted > 0).sum(axis=0)
    rate: Vector = np.minimum(counts, 1.0)
    if len(rate) > 1:
        rate = counts / np.maximum(wanted.sum(axis=0), 1e-300)
    return rate, turnover_floor(wanted * rate)
