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
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from ogas.engine.balance import Demand, Start
from ogas.engine.certificate import Certificate, Findings, conclude
from ogas.engine.exchange import Exchange, SerialExchange
from ogas.engine.method import Sight, Traffic
from ogas.engine.productivity import Productivity
from ogas.engine.sector_table import add_up, corrections
from ogas.engine.sectors import LANES, Sector, Sectors
from ogas.engine.station import Columns, Correction, Mail, Matrix, State, Station, Weights
from ogas.engine.table import Integers, Vector
from ogas.kernels import boundary, certify
from ogas.kernels.columns import CHUNK

R = TypeVar("R")


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
    price : (n,) float64 or None
        In which blocks are aggregated; None if prices have to be carried.
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
    price: Vector | None = None
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
        return Cycle(problem, self)


FLOAT32 = 2.0**-24  # how far rounding to float32 moves a number, relatively


@dataclass(eq=False)
class Cycle:
    """Orders and tables at work on one problem."""

    problem: SectorBalance
    method: OrdersAndTables

    reads_before = 0

    def __post_init__(self) -> None:
        problem, sectors = self.problem, self.problem.sectors
        self.columns = Columns(
            len(problem.demands),
            sectors.is_signed or any(not demand.is_nonnegative for demand in problem.demands),
        )
        self.demand = np.stack([d.nominal[sectors.products] for d in problem.demands], axis=1)
        self.state, self.rate, self.floor = self._begin()
        if self._can_be_half():
            self.state = self.state.astype(np.float32)
        n, width = self.state.shape
        heights = [block.orders.rows for block in sectors.blocks]
        self.outboxes = np.concatenate([[0], np.cumsum(heights)]).astype(np.int64)
        self.messages = np.zeros((self.outboxes[-1], width))
        self.given = np.zeros((n, width))
        self.ext = [sectors.slots[block.ext] for block in sectors.blocks]
        self.mails = _mails(sectors, self.ext, self.outboxes)
        leeway = 2.0 * problem.delta + (1e-12 if self.state.dtype == np.float64 else 8 * FLOAT32)
        self.stations = tuple(
            self._station(number, leeway) for number in range(len(sectors.blocks))
        )
        self.sweeps = self.exchanges = 0
        self.terms: Vector | None = None

    # ---- what the loop asks ---------------------------------------------------------------------

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
        words = sum(len(ext) for ext in self.ext) * (self.columns.plain + self.columns.is_mixed)
        if self.stations[0].weights.is_carried:
            words += sum(len(ext) for ext in self.ext)
        return Traffic(self.exchanges, 8 * words * self.exchanges, sectors.bytes_per_nonzero)

    def sweep(self) -> Sight:
        """Read A once and better the plan."""
        note = self._exchange(self._correction)
        seen = self._ask(lambda station: station.sweep(self.method.inner))
        if not self.problem.has_rank and self.sweeps < self.method.ordering_sweeps:
            self._ask(Station.sort)
        if self.stations[0].weights.is_carried:
            self._carry()
        self.sweeps += 1
        least, largest, depth = np.array(seen).T
        is_finite = math.isfinite(float(np.sum(self.state)))
        return Sight(least.min(), largest.max(), depth.max(), is_finite, note)

    def certify(self) -> tuple[Certificate, ...]:
        """Read A once and bound the error of every plan."""
        self._ask(Station.clear)
        self._exchange(lambda: Correction.none(len(self.stations), self.columns))
        sums = np.concatenate(self._ask(Station.sums))[self.problem.sectors.slots]
        state = self.state[self.problem.sectors.slots].astype(np.float64)
        return tuple(self._certified(plan, state, sums) for plan in range(self.columns.plans))

    def audit(self) -> Productivity:
        """Find out whether the economy is productive."""
        return self.problem.audited()

    # ---- the steps ------------------------------------------------------------------------------

    def _exchange(self, correction: Callable[[], Correction]) -> str:
        """Let blocks take from each other what they need, with a correction on the way."""
        self.exchanges += 1
        if self.problem.sectors.is_transposed:
            self._ask(lambda s: s.look_up(self.state, self.ext[s.number]))
            found = correction()
            self._ask(lambda s: s.correct(found))
            owners = self.problem.sectors.owners
            self._ask(lambda s: s.cost_inputs(found, owners[self.ext[s.number]]))
        else:
            self._ask(Station.place_orders)
            found = correction()
            self._ask(lambda s: s.correct(found))
            self._ask(lambda s: s.fill_orders(self.messages, found))
        return found.note

    def _correction(self) -> Correction:
        """Solve the sector table, if it is to be and prices are there."""
        blocks = len(self.stations)
        if not self.method.with_tables or (self.stations[0].weights.is_carried and not self.sweeps):
            return Correction.none(blocks, self.columns)
        accounts = self._ask(Station.account)
        is_transposed = self.problem.sectors.is_transposed
        table = add_up(accounts, self.columns, is_transposed=is_transposed)
        return corrections(table, self.columns)

    @property
    def _renewals(self) -> int:
        """How often prices begin anew from one over turnover, which the first sweeps still find."""
        return 0 if self.problem.sectors.is_transposed else 2

    def _carry(self) -> None:
        """Move carried prices one round on."""
        sectors = self.problem.sectors
        outside = [station.weights.outside for station in self.stations]
        if sectors.is_transposed:
            messages, one = np.concatenate(outside)[:, None], np.ones((len(self.stations), 1))
            added = np.zeros((len(sectors), 1))
            for number, mail in enumerate(self.mails):
                boundary.collect(
                    *(mail.rows, mail.local, mail.sources, mail.bounds, messages),
                    *(one, 0.0 * one, 0, added[sectors.span(number)]),
                )
            outside = np.split(added[:, 0], sectors.bounds[1:-1])
        following = [
            self._following(station, part)
            for station, part in zip(self.stations, outside, strict=True)
        ]
        everywhere = np.concatenate(following)
        for station, own in zip(self.stations, following, strict=True):
            weights, ext = station.weights, self.ext[station.number]
            weights.used, weights.now = weights.now, own
            if sectors.is_transposed:
                weights.ext_used = weights.outside[: len(ext)]
            else:
                weights.ext_used, weights.ext_now = weights.ext_now, everywhere[ext]

    def _following(self, station: Station, outside: Vector) -> Vector:
        weights = station.weights
        source = weights.source if weights.source.size else 1.0 / station.turnover
        if not weights.source.size and self.sweeps < self._renewals:
            return source
        return _floored(weights.content[:, -1] + outside + source)

    def _ask(self, step: Callable[[Station], R]) -> list[R]:
        return self.method.exchange.ask(self.stations, step)

    # ---- setting up -----------------------------------------------------------------------------

    def _begin(self) -> tuple[State, Vector, float]:
        """Return the first state, the rates of the plans, and the floor of turnover."""
        problem, columns = self.problem, self.columns
        wanted = np.abs(self.demand)
        rate = np.ones(columns.plans)
        if columns.plans > 1:
            counts = np.maximum(np.count_nonzero(wanted, axis=0), 1)
            rate = counts / np.maximum(wanted.sum(axis=0), 1e-300)
        rated = wanted * rate
        # Far below any turnover, so that products without turnover do not widen the others' bounds.
        floor = 1e-30 * float(np.min(rated[rated > 0], initial=np.inf))
        floor = floor if 0 < floor < np.inf else 1e-30
        state = np.empty((len(problem), columns.width))
        if problem.start is None:
            state[:, : columns.plans] = np.maximum(self.demand, 0.0)
            state[:, columns.drift] = np.maximum(rated.max(axis=1), floor)
        else:
            products = problem.sectors.products
            state[:, : columns.plans] = problem.start.outputs[products]
            state[:, columns.drift] = np.maximum(problem.start.witness[products], floor)
        return state, rate, floor

    def _can_be_half(self) -> bool:
        """Whether the kernels for one plan and its witness serve, with numbers float32 can hold."""
        if not self.problem.half or self.columns.width > 2 or self.problem.price is None:
            return False
        limits = np.finfo(np.float32)
        return bool(self.floor > 1e3 * limits.tiny and np.max(self.state) < 1e-10 * limits.max)

    def _station(self, number: int, leeway: float) -> Station:
        problem, sector = self.problem, self.problem.sectors.blocks[number]
        span = problem.sectors.span(number)
        owners = problem.sectors.owners[self.ext[number]]
        partners, places = np.unique(owners, return_inverse=True)
        return Station(
            number=number,
            sector=sector,
            columns=self.columns,
            demand=self.demand[span],
            rate=self.rate,
            floor=self.floor,
            leeway=leeway,
            state=self.state[span],
            given=self.given[span],
            messages=self.messages[self.outboxes[number] : self.outboxes[number + 1]],
            order=np.arange(len(sector), dtype=np.int32),
            mail=self.mails[number],
            owners=places.astype(np.int32),
            partners=partners.astype(np.int64),
            weights=self._weights(sector, span),
        )

    def _weights(self, sector: Sector, span: slice) -> Weights:
        """Return the prices that a block begins with."""
        problem, price = self.problem, self.problem.price
        source = np.zeros(0)
        if price is not None:
            own, ext = price[sector.products], price[sector.ext]
        else:
            known = problem.labour
            if known is None:
                wanted = np.max(np.abs(self.demand) * self.rate, axis=1)
                known = np.empty(len(problem))
                known[problem.sectors.products] = np.divide(
                    1.0, wanted, out=np.zeros(len(problem)), where=wanted > 0
                )
            else:
                source = known[sector.products]
            own, ext = _floored(known)[sector.products], _floored(known)[sector.ext]
        content = sector.own_content if price is not None else np.zeros_like(sector.own_content)
        return Weights(
            used=own,
            content=content,
            ext_used=ext,
            now=own,
            ext_now=ext,
            outside=np.zeros(0),
            source=source,
            is_carried=price is None,
            is_reversed=problem.sectors.is_transposed,
        )

    # ---- the certificate ------------------------------------------------------------------------

    def _certified(self, plan: int, state: State, sums: Matrix) -> Certificate:
        """Return what sums over all of A, in the table's order, prove about one plan."""
        problem, columns = self.problem, self.columns
        demand = problem.demands[plan]
        output, witness = state[:, plan].copy(), state[:, columns.needs].copy()
        s, gross, needed = (
            np.ascontiguousarray(sums[:, column])
            for column in (plan, columns.gross(plan), columns.needs)
        )
        r_lower, r_upper, slack, reach = (np.empty_like(output) for _ in range(4))
        certify.prove_sums(
            *(s, gross, needed, self._terms(), output, witness, demand.lower, demand.upper),
            *(problem.delta, r_lower, r_upper, slack, reach),
        )
        return conclude(
            Findings(gross, r_lower, r_upper, slack, reach),
            (output, witness),
            demand,
            is_signed=problem.sectors.is_signed,
            users=problem.sectors.rows,
        )

    def _terms(self) -> Vector:
        """Return the longest chain of additions behind each product's sums."""
        if self.terms is None:
            sectors = self.problem.sectors
            chains = [_chain(np.diff(block.own.indptr)) for block in sectors.blocks]
            if sectors.is_transposed:
                outside = [block.orders.column_lengths(len(block)) for block in sectors.blocks]
            else:
                rows = np.concatenate([block.orders.row_lengths for block in sectors.blocks])
                longest = _chain(rows)
                outside = [
                    np.bincount(mail.local, minlength=len(block))
                    + _largest(longest[mail.rows], mail.local, len(block))
                    for mail, block in zip(self.mails, sectors.blocks, strict=True)
                ]
            terms = np.concatenate(chains) + np.concatenate(outside) + 2.0
            self.terms = terms[sectors.slots]
        return self.terms


def _chain(lengths: Integers) -> Vector:
    """Return the most additions one after the other in sums of so many terms, by any kernel.

    Lanes add ``length / 16`` terms each; plain sums run in chunks of 128, then over the chunks.
    """
    return np.minimum(lengths, CHUNK) + np.ceil(lengths / LANES) + 4.0


def _largest(numbers: Vector, places: Integers, size: int) -> Vector:
    """Return the largest number at each place, 0 where there is none."""
    found = np.zeros(size)
    np.maximum.at(found, places, numbers)
    return found


def _floored(prices: Vector) -> Vector:
    """Return prices with the least positive one in place of those that are not positive."""
    least = float(np.min(prices[prices > 0], initial=np.inf))
    return np.where(prices > 0, prices, least if np.isfinite(least) else 1.0)


def _mails(sectors: Sectors, ext: list[Integers], outboxes: Integers) -> list[Mail]:
    """Return which messages are for each block, in the order of the blocks that send them."""
    rows = np.concatenate(
        [start + np.arange(len(part)) for start, part in zip(outboxes[:-1], ext, strict=True)]
    ).astype(np.int64)
    slots = np.concatenate(ext)
    senders = np.repeat(np.arange(len(ext)), [len(part) for part in ext])
    owners = sectors.owners[slots]
    order = np.argsort(owners, kind="stable")
    ends = np.searchsorted(owners[order], np.arange(len(ext) + 1))
    mails = []
    for number in range(len(ext)):
        mine = order[ends[number] : ends[number + 1]]
        sources, starts = np.unique(senders[mine], return_index=True)
        mails.append(
            Mail(
                rows=rows[mine],
                local=(slots[mine] - sectors.bounds[number]).astype(np.int32),
                sources=sources.astype(np.int64),
                bounds=np.append(starts, len(mine)).astype(np.int64),
            )
        )
    return mails
