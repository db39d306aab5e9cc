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
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ogas.engine.account import Account, Columns, Correction, Matrix, State
from ogas.engine.balance import Demand, Start
from ogas.engine.certificate import (
    Certificate,
    Common,
    Evidence,
    Extremes,
    Gathering,
    Mask,
    structural_zeros,
)
from ogas.engine.exchange import Exchange, SerialExchange
from ogas.engine.method import Sight, Traffic, turnover_floor
from ogas.engine.productivity import Productivity
from ogas.engine.sector_table import add_up, corrections
from ogas.engine.sectors import Sectors
from ogas.engine.station import Economy, Scale, Station
from ogas.engine.table import Vector
from ogas.engine.weights import Weights, carried, carry, given

R = TypeVar("R")

# How often prices that grow from one over turnover begin anew: first sweeps still find turnover.
RENEWALS = 2


@dataclass(frozen=True, eq=False)
class SectorBalance:
    """The balances of one table by blocks: ``x_k = A x_k + f_k``, for K demands at once.

    Attributes
    ----------
    sectors : Sectors
    demands : tuple of Demand
        In the table's order.
    delta : float
        Declared relative uncertainty of the coefficients, with what float32 storage adds.
    is_priced : bool
        Whether blocks are aggregated in the prices they know; if not, prices have to be carried.
    labour : (n,) float64 or None
        What carried prices grow from; None for one over turnover.
    has_rank : bool
        Whether blocks hold their products in the order in which they are to be swept; if not, the
        run has to find one.
    start : Start or None
        An earlier plan.
    audited : callable
        The audit of the table.
    half : bool
        Whether plan and witness may be held in float32 too.
    """

    sectors: Sectors
    demands: tuple[Demand, ...]
    audited: Callable[[], Productivity]
    delta: float = 0.0
    is_priced: bool = False
    labour: Vector | None = None
    has_rank: bool = False
    start: Start | None = None
    half: bool = False

    def __len__(self) -> int:
        return len(self.sectors)


@dataclass(frozen=True)
class OrdersAndTables:
    """The cycle above.

    Parameters
    ----------
    inner : int
        Sweeps of the own part for every exchange of orders.
    ordering_sweeps : int
        After each of the first sweeps products are put in the order of upstreamness anew, unless
        their order is known.
    with_tables : bool
        Without, this is block Jacobi.
    exchange : Exchange
    """

    inner: int = 1
    ordering_sweeps: int = 5
    with_tables: bool = True
    exchange: Exchange = field(default_factory=SerialExchange)
    name: str = "orders-and-tables"
    in_blocks: bool = True

    def start(self, problem: SectorBalance) -> "Cycle":
        """Begin with what is known."""
        with np.errstate(over="ignore", invalid="ignore"):  # noticed by the sums of the first sweep
            return Cycle(problem, self)


FLOAT32 = 2.0**-24  # how far rounding to float32 moves a number, relatively
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
        problem, sectors = self.problem, self.problem.sectors
        signs = sectors.is_signed or any(not demand.is_nonnegative for demand in problem.demands)
        demand = np.stack([d.nominal[sectors.products] for d in problem.demands], axis=1)
        rate, floor = _scales(np.abs(demand))
        self.columns = Columns(len(problem.demands), signs or _differ(demand[:, rate > 0] != 0))
        state = self._begin(demand, rate, floor)
        rows = sum(block.orders.rows for block in sectors.blocks)
        width = self.columns.width
        self.economy = Economy(
            state,
            given=np.zeros((len(sectors), width)),
            messages=np.zeros((rows, width)),
            chains=np.zeros(rows),
            owners=sectors.owners,
        )
        scale = Scale(rate, floor, 2.0 * problem.delta + LEEWAY[state.dtype.name])
        self.stations = tuple(
            Station(
                number=number,
                sector=block,
                mail=mail,
                span=sectors.span(number),
                columns=self.columns,
                economy=self.economy,
                demands=[given.part(block.products) for given in problem.demands],
                scale=scale,
                weights=weights,
            )
            for number, (block, mail, weights) in enumerate(
                zip(sectors.blocks, sectors.mails, self._weights(demand, rate), strict=True)
            )
        )
        self.sweeps = self.exchanges = 0
        self.spread = math.inf

    @property
    def delta(self) -> float:
        """Declared relative uncertainty of the coefficients."""
        return self.problem.delta

    @property
    def feeds_on_itself(self) -> bool:
        """Whether some product uses up at least one unit of itself per unit."""
        return any((block.diagonal >= 1.0).any() for block in self.problem.sectors.blocks)

    @property
    def traffic(self) -> Traffic:
        """What was moved so far."""
        sectors = self.problem.sectors
        words = sum(len(mail.ext) for mail in sectors.mails)
        columns = self.columns.width + self._is_carried
        moved = 8 * words * columns * self.exchanges
        read = sum(station.bytes_read for station in self.stations)
        return Traffic(self.exchanges, moved, read / max(sectors.nonzeros, 1))

    def sweep(self) -> Sight:
        """Read A once and better the plan."""
        self.exchanges += 1
        # Carried prices are used once what they come to has been read.
        with_tables = self.method.with_tables and (self.sweeps > 0 or not self._is_carried)
        accounts = self._ask(lambda station: station.reach_out(with_account=with_tables))
        correction = self._correction(accounts) if with_tables else self._nothing()
        seen = self._ask(lambda station: station.settle(correction, self.method.inner))
        if not self.problem.has_rank and self.sweeps < self.method.ordering_sweeps:
            self._ask(Station.sort)
        if self._is_carried:
            weights = [station.weights for station in self.stations]
            turnovers = [station.turnover for station in self.stations]
            anew = self.sweeps < RENEWALS and not self.problem.sectors.is_transposed
            carry(self.problem.sectors, weights, turnovers, anew=anew)
        self.sweeps += 1
        least, largest, depth = zip(*seen, strict=True)
        is_finite = math.isfinite(float(np.sum(self.economy.state)))
        extremes = min(least), max(largest), max(depth)
        sight = Sight(*extremes, is_finite, correction.note, self.method.inner)
        is_worn_out = HEADWAY * self.spread < sight.spread < WORN_OUT
        self.spread = sight.spread
        if is_worn_out and self.economy.state.dtype == np.float32:
            self._widen()
            held = "plan and witness are held in float64 from here on"
            return replace(sight, note="; ".join(filter(None, (sight.note, held))))
        return sight

    def certify(self) -> tuple[Certificate, ...]:
        """Read A once and bound the error of every plan."""
        self.exchanges += 1
        sectors, problem = self.problem.sectors, self.problem
        nothing = self._nothing()
        self._ask(Station.show)
        shown = self._ask(lambda station: station.prove(nothing, self.delta))
        known = [
            self._known(demand, plan)
            for demand, plan in zip(problem.demands, zip(*shown, strict=True), strict=True)
        ]
        wholes = [Gathering.of(len(sectors)) for _ in known]

        def bound(station: Station) -> list[dict[str, float]]:
            parts = zip(wholes, station.bound(known), strict=True)
            return [whole.place(station.sector.products, part) for whole, part in parts]

        numbers = zip(*self._ask(bound), strict=True)
        return tuple(whole.certificate(part) for whole, part in zip(wholes, numbers, strict=True))

    def audit(self) -> Productivity:
        """Find out whether the economy is productive."""
        return self.problem.audited()

    @property
    def _is_carried(self) -> bool:
        return not self.problem.is_priced

    def _ask(self, step: Callable[[Station], R]) -> list[R]:
        return self.method.exchange.ask(self.stations, step)

    def _nothing(self) -> Correction:
        return Correction.none(len(self.stations), self.columns)

    def _correction(self, accounts: Sequence[Account | None]) -> Correction:
        """Solve the sector table."""
        known = [account for account in accounts if account is not None]
        is_transposed = self.problem.sectors.is_transposed
        return corrections(add_up(known, self.columns, is_transposed=is_transposed), self.columns)

    def _widen(self) -> None:
        """Hold plan and witness in float64 where float32 makes no more headway."""
        self.economy = replace(self.economy, state=self.economy.state.astype(np.float64))
        leeway = 2.0 * self.problem.delta + LEEWAY["float64"]
        for station in self.stations:
            station.hold(self.economy, replace(station.scale, leeway=leeway))

    def _known(self, demand: Demand, shown: Sequence[Evidence]) -> tuple[Common, Mask]:
        """Put together what all blocks have shown of one plan, and find its structural zeros."""
        sectors = self.problem.sectors
        extremes = Extremes.joined([block.extremes for block in shown])
        extremes.check(len(sectors))
        zero = np.zeros(len(sectors), dtype=bool)
        zero[np.concatenate([block.idle for block in shown])] = True
        common = Common(extremes, sectors.is_signed, demand.is_nonnegative)
        return common, structural_zeros(zero, sectors.rows)

    def _begin(self, demand: Matrix, rate: Vector, floor: float) -> State:
        """Return the first state: the demand where that is positive, or an earlier plan."""
        problem, columns = self.problem, self.columns
        state = np.empty((len(problem), columns.width))
        if problem.start is None:
            state[:, : columns.plans] = np.maximum(demand, 0.0)
            witness = np.max(np.abs(demand) * rate, axis=1)
        else:
            products = problem.sectors.products
            state[:, : columns.plans] = problem.start.outputs[products]
            witness = problem.start.witness[products]
        state[:, columns.drift] = np.maximum(witness, floor)
        if problem.half:
            limits = np.finfo(np.float32)
            if floor > 1e3 * limits.tiny and float(np.max(state)) < 1e-10 * float(limits.max):
                return state.astype(np.float32)
        return state

    def _weights(self, demand: Matrix, rate: Vector) -> list[Weights]:
        problem, sectors = self.problem, self.problem.sectors
        if problem.is_priced:
            return given(sectors)
        if problem.labour is not None:
            return carried(sectors, problem.labour, is_source=True)
        wanted = np.max(np.abs(demand) * rate, axis=1)
        first = np.zeros(len(problem))
        first[sectors.products[wanted > 0]] = 1.0 / wanted[wanted > 0]
        return carried(sectors, first, is_source=False)


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
