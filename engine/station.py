"""A block at work: its vectors, and the steps that the coordinator tells all blocks to take.

Two steps make a pass over A; `ogas.engine.share` takes the second of one with the first of the
next. In `reach_out`, a block says what it needs from others, or looks up what their products are
worth, and accounts for it. In `settle`, it follows the correction that the coordinator found in all
accounts, adds up what others need from it, and sweeps its own part.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ogas.engine import chains
from ogas.engine.account import Account, Columns, Correction, Matrix, State
from ogas.engine.balance import Demand
from ogas.engine.certificate import (
    Certificate,
    Common,
    Evidence,
    Extremes,
    Findings,
    Mask,
    bounded,
)
from ogas.engine.layout import MOST_PRODUCTS
from ogas.engine.mail import Mail
from ogas.engine.parts import Held, Orders, Own, Values
from ogas.engine.sectors import Sector
from ogas.engine.streams import Stream
from ogas.engine.table import Integers, Vector
from ogas.engine.weights import Weights
from ogas.kernels import boundary, certify, columns, dense, orders, pair

MOSTLY = 0.6  # of the places: 6 bytes an entry by CSR, 4 a place without
EIGHT = np.tile(np.arange(8, dtype=np.uint16), MOST_PRODUCTS // 8)
FIRST = np.zeros(MOST_PRODUCTS, dtype=np.uint16)
NOTHING, NO_COLUMNS = np.zeros(0), np.zeros((0, 0))
# Threads do not inherit what the loop ignores; numbers that overflow are noticed by their sums.
IGNORED = np.errstate(over="ignore", invalid="ignore", divide="ignore")
SUBNORMAL = 2.0**-149  # the least float32 above 0
TRACE = 1e8  # floors of turnover; real turnover is 1e22 and more


@dataclass(frozen=True, eq=False)
class Economy:
    """The vectors of all blocks of a share; a block's own are slices of them.

    Attributes
    ----------
    state : (s or places, c)
        For values with what came down from other shares, see `ogas.engine.mail`.
    given : (s, c) float64
        What the other blocks order.
    messages : (rows, c)
    """

    state: State
    given: Matrix
    messages: State


Seen = tuple[float, float, float, bool]


@dataclass(frozen=True)
class Scale:
    """How turnover counts.

    Attributes
    ----------
    rate : (K,) float64
        Makes the turnovers of several plans comparable for the witness they share; 0 for a plan of
        which nothing is wanted.
    floor : float
        Stands in for the turnover of products that have none.
    leeway : float
        What the witness must have left of what it needs, relatively.
    """

    rate: Vector
    floor: float
    leeway: float


@dataclass(eq=False)
class Station:
    """A block with its vectors.

    Attributes
    ----------
    number : int
    sector : Sector
    mail : Mail
    span : slice
        Its part of the state.
    columns : Columns
    economy : Economy
    demands : sequence of Demand
        For its products.
    scale : Scale
    weights : Weights
    stream : Stream
        Through which it gets its parts of A.
    """

    number: int
    sector: Sector
    mail: Mail
    span: slice
    columns: Columns
    economy: Economy
    demands: Sequence[Demand]
    scale: Scale
    weights: Weights
    stream: Stream

    def __post_init__(self) -> None:
        self.hold(self.economy, self.scale)
        self.demand = self.demands[0].nominal[:, None]
        if len(self.demands) > 1:
            self.demand = np.stack([demand.nominal for demand in self.demands], axis=1)
        self.given = self.economy.given[self.span]
        self.messages = self.economy.messages[self.mail.outbox]
        self.order = np.arange(len(self.sector), dtype=np.int32)
        # An entry in its place costs no index and no gather: cheaper, where most places have one.
        self.is_dense = self.is_pair and self.sector.frame.density > MOSTLY
        parts = self.sector.parts
        self.dense = parts.own.dense() if self.is_dense and isinstance(parts, Held) else None
        self.turnover = self._turnover()
        self.state[:, self.columns.needs] = self.state[:, self.columns.drift]
        self.clear()

    @property
    def is_pair(self) -> bool:
        """Whether one plan and its witness are all there is, for which there are faster kernels."""
        columns = self.columns
        return columns.plans == 1 and not columns.is_mixed and not self.weights.is_carried

    @property
    def bytes_read(self) -> int:
        """Bytes of the matrix, with pointers and padding, that a pass reads."""
        frame = self.sector.frame
        size = len(self.sector) ** 2 * np.dtype(frame.numbers).itemsize
        return (size if self.is_dense else frame.own_bytes) + frame.order_bytes

    # ---- the two steps of a pass ----------------------------------------------------------------

    @IGNORED
    def reach_out(self, *, with_account: bool) -> Account | None:
        """Fill the outbox, and account for it if asked to; reads ``orders`` for quantities."""
        if self.weights.is_reversed:
            self.messages[: len(self.mail.ext)] = self.economy.state[self.mail.ext]
        elif self.is_pair:
            with self._orders() as part:
                orders.orders_pair(*part.arrays, self.state, self.messages)
        else:
            self._order()
        return self._account() if with_account else None

    @IGNORED
    def settle(self, correction: Correction, inner: int, *, is_sorted_first: bool = False) -> Seen:
        """Follow a correction, and set right the balances of the block's products in turn.

        Reads ``own`` ``inner`` times, and ``orders`` for values. Returns the least and largest
        imbalance relative to turnover, the largest ``w / t``, and whether all is finite.
        """
        self._correct(correction)
        self._collect(correction)
        if is_sorted_first:
            self.sort()
        with self._own() as own:
            found = self._sweep(own, is_read=self.weights.is_carried)
            for _ in range(inner - 1):  # these see less: nothing came from outside meanwhile
                self._sweep(own, is_read=False)
        if self.is_pair:
            self.turnover = self._turnover()
        self.clear()
        return *found, bool(np.isfinite(np.sum(self.state)))

    @IGNORED
    def sums(self, correction: Correction) -> Matrix:
        """Return A times the state as it is: the block's own part, and what others order."""
        self._collect(correction)
        out = np.empty((len(self.sector), self.columns.width))
        with self._own() as own:
            if not isinstance(own, Own):
                dense.sums_dense(own, self.state, out)
            elif self.is_pair:
                pair.sums_pair(*own.arrays, self.state, out)
            else:
                columns.sums_columns(*own.arrays, self.columns.plain, self.state, out)
        return out + self.given

    # ---- the certificate ------------------------------------------------------------------------

    def count_orders(self, ordered: chains.Counts) -> None:
        """Fill the outbox with the chains behind its orders."""
        ordered[self.mail.outbox] = chains.behind_orders(self.sector.frame)

    def count_products(self, ordered: chains.Counts) -> None:
        """Find the chains behind the sums of the products, once those of all orders are there."""
        size = len(self.sector)
        if self.weights.is_reversed:  # what a product takes from others is one sum
            with self._orders() as part:
                outside = part.column_lengths(size).astype(np.float64)
        else:
            outside = chains.behind_messages(self.mail, ordered, size)
        self.chains = chains.behind_products(self.sector.frame, outside)

    def users(self, positions: Integers) -> npt.NDArray[np.int64]:
        """Return the block's part of some rows of the balance's matrix; see `Sector`."""
        sector = self.sector
        with self.stream.own(sector.frame, sector.parts) as own:
            inside = sector.users_inside(own, positions)
        with self._orders() as part:
            return np.concatenate([inside, sector.users_outside(part, positions)], axis=1)

    @IGNORED
    def prove(self, correction: Correction, delta: float) -> list[Evidence]:
        """Add up A times the state, and show what that proves of every plan; reads ``own``."""
        products, sums = self.sector.products, self.sums(correction)
        self.found = [
            self._found(plan, sums, demand, delta) for plan, demand in enumerate(self.demands)
        ]
        return [
            Evidence(Extremes.of(found, products), products[found.idle]) for found in self.found
        ]

    @IGNORED
    def bound(self, known: Sequence[Common], zeros: Sequence[Mask]) -> list[Certificate]:
        """Return certificates of the block's products, for every plan.

        ``known`` is what all blocks have shown; ``zeros`` are the block's structural zeros.
        """
        found, self.found = self.found, []
        return [bounded(*each) for each in zip(found, known, zeros, strict=True)]

    # ---- what they consist of -------------------------------------------------------------------

    def _account(self) -> Account:
        weights, needs = self.weights, self.columns.needs
        across = np.zeros((len(self.mail.partners), self.columns.width))
        boundary.tally(self.mail.owners, weights.ext_used[0], self.messages, across)
        if len(weights.ext_used) > 1:
            of_magnitudes = np.zeros_like(across)
            boundary.tally(self.mail.owners, weights.ext_used[1], self.messages, of_magnitudes)
            across[:, self.columns.plain :] = of_magnitudes[:, self.columns.plain :]
        state = self.state.astype(np.float64, copy=False)
        within = _worth(weights.content[:, 0], state)
        if weights.content.shape[1] > 1:
            within[needs] = _worth(weights.content[:, 1], state)[needs]
        wanted = np.append(
            _worth(weights.used, self.demand), _worth(weights.used, self.turnover[:, None])
        )
        return Account(self.mail.partners, across, within, _worth(weights.used, state), wanted)

    def _found(self, plan: int, sums: Matrix, demand: Demand, delta: float) -> Findings:
        """Return what the sums say of one plan."""
        columns = self.columns
        output, witness = (
            self.state[:, column].astype(np.float64, order="C") for column in (plan, columns.needs)
        )
        found = Findings.blank(output, witness, demand)
        found.gross[:] = sums[:, columns.gross(plan)]
        used, needed = sums[:, plan].copy(), sums[:, columns.needs].copy()
        certify.prove_sums(
            *(used, found.gross, needed, self.chains, output, witness),
            *(demand.lower, demand.upper),
            *(delta, self._underflow, found.r_lower, found.r_upper, found.slack, found.reach),
        )
        return found

    @property
    def _underflow(self) -> float:
        """What messages may have lost that are too small for their type."""
        return SUBNORMAL if self.economy.messages.dtype == np.float32 else 0.0

    def _correct(self, correction: Correction) -> None:
        """Move the plans along the witness, and scale the witness."""
        mine = slice(self.number, self.number + 1)
        factor, shift = correction.factor[mine], correction.shift[mine]
        owners = FIRST[: len(self.sector)]
        boundary.follow(owners, factor, shift, self.columns.drift, self.state)
        self.mend()

    def _collect(self, correction: Correction) -> None:
        """Add up what crosses the boundary, after the correction of those it comes from."""
        mail, drift = self.mail, self.columns.drift
        if not self.weights.is_reversed:
            boundary.collect(
                *(mail.rows, mail.local, mail.sources, mail.bounds, self.economy.messages),
                *(correction.factor, correction.shift, drift, self.given),
            )
            return
        worth = self.messages[: len(mail.ext)]
        factor, shift = correction.factor[mail.partners], correction.shift[mail.partners]
        boundary.follow(mail.owners, factor, shift, drift, worth)
        self._mirror(worth)
        self._use()

    def _order(self) -> None:
        """Add up what the block orders; where prices are carried, they come down in the same read.

        Reads ``orders`` once.
        """
        weights, prices, costs = self.weights, NO_COLUMNS, NO_COLUMNS
        if weights.is_carried:
            prices, costs = np.zeros((len(self.messages), 1)), np.zeros((len(self.sector), 1))
            prices[: len(weights.ext_now), 0] = weights.ext_now
            weights.outside = costs
        with self._orders() as part:
            columns.cross(
                *(*part.arrays, self.columns.plain, self.state, self.messages),
                *(0, prices, costs),
            )

    def _use(self) -> None:
        """Add up what inputs from others are worth to the block; carried amounts go up.

        Reads ``orders`` once.
        """
        weights, amounts, sums = self.weights, NO_COLUMNS, NO_COLUMNS
        kinds = weights.content.shape[1]  # of entries and, where some are negative, of magnitudes
        if weights.is_carried:
            amounts = np.repeat(weights.now[:, None], kinds, axis=1)
            weights.outside = sums = np.zeros((len(self.messages), kinds))
        self.given[:] = 0.0
        with self._orders() as part:
            columns.cross(
                *(*part.arrays, kinds - 1, amounts, sums),
                *(self.columns.plain, self.messages, self.given),
            )

    def _sweep(self, own: Own | Values, *, is_read: bool) -> tuple[float, float, float]:
        """Sweep once; ``is_read`` if carried prices are to be multiplied by ``own`` on the way."""
        scale, weights = self.scale, self.weights
        found: tuple[float, float, float]
        if not isinstance(own, Own):
            found = dense.sweep_dense(
                *(own, self.order, self.sector.diagonal, self.demand[:, 0], self.given),
                *(self.state, scale.floor, scale.leeway),
            )
            return found
        if self.is_pair:
            found = pair.sweep_pair(
                *own.arrays,
                *(self.order, self.sector.diagonal, self.demand[:, 0], self.given),
                *(self.state, scale.floor, scale.leeway),
            )
            return found
        if is_read:
            weights.content = np.zeros_like(weights.content)
        found = columns.sweep_columns(
            *own.arrays,
            *(self.order, self.sector.diagonal, self.demand, self.given, self.columns.plain),
            *(self.state, scale.rate, scale.floor, scale.leeway),
            *(weights.now if is_read else NOTHING, weights.content, self.turnover),
        )
        return found

    @contextmanager
    def _own(self) -> Iterator[Own | Values]:
        """Visit the own part; as a matrix with every entry in its place, if that is cheaper."""
        if self.dense is not None:
            yield self.dense
            return
        with self.stream.own(self.sector.frame, self.sector.parts) as own:
            yield own.dense() if self.is_dense else own

    def _orders(self) -> AbstractContextManager[Orders]:
        """Visit the orders."""
        return self.stream.orders(self.sector.frame, self.sector.parts)

    # ---- housekeeping ---------------------------------------------------------------------------

    def hold(self, economy: Economy, scale: Scale) -> None:
        """Take the state from here, and turnover to count like this."""
        self.economy, self.scale = economy, scale
        self.state = economy.state[self.span]

    def mend(self) -> None:
        """Make the columns of the state agree with each other."""
        self._mirror(self.state)
        outputs = self.state[:, : self.columns.plans]
        if self.columns.is_mixed:  # where some plan has nothing, none moves: zeros stay zeros
            idle = (outputs == 0) & (self.demand == 0) & (self.scale.rate > 0)
            self.state[idle.any(axis=1), self.columns.drift] = 0.0
        else:
            outputs[self.turnover < TRACE * self.scale.floor] = 0.0

    def clear(self) -> None:
        """Set to zero what is nothing beside the least that is wanted."""
        outputs = self.state[:, : self.columns.plans]
        if self.columns.is_mixed or self.columns.plans > 1:  # else mending does as much
            outputs[np.abs(outputs) * self.scale.rate < TRACE * self.scale.floor] = 0.0
        self.mend()

    def sort(self) -> None:
        """Put products in an order in which those needed come before those that need them.

        For quantities by upstreamness within the block (what other blocks need of the witness is
        the same in any order); for values by the share of a product that its block uses up, as the
        carried amounts have it, raw materials first. Both are heuristics; on the synthetic
        economies they save one to six passes over plain ``w / t``.
        """
        if self.weights.is_reversed:
            key = -self.weights.content[:, -1] / self.weights.now
        else:
            needs = self.columns.needs
            key = (self.state[:, needs] - self.given[:, needs]) / self.turnover
        self.order = np.argsort(key, kind="stable").astype(np.int32)

    def _mirror(self, state: State) -> None:
        columns = self.columns
        if not columns.is_mixed:  # no output can be negative; corrections may overshoot
            np.maximum(state[:, : columns.plans], 0.0, out=state[:, : columns.plans])
        else:
            state[:, columns.drift] = state[:, columns.needs]
            state[:, columns.gross(0) :] = np.abs(state[:, : columns.plans])

    def _turnover(self) -> Vector:
        """Return demand and uses of the plan that the witness is needed for most, never zero."""
        f, x = self.demand, self.state[:, : self.columns.plans].astype(np.float64)
        turnovers = (np.abs(f) + np.abs(x - f)) * self.scale.rate
        largest: Vector = np.maximum(turnovers.max(axis=1), self.scale.floor)
        return largest


def _worth(price: Vector, numbers: Matrix) -> Vector:
    """Return ``price @ numbers``, with the same bits everywhere; no prices are prices of 1.

    BLAS would have threads of its own, which fight with those that sweep, and sums that depend on
    the machine. Eight sums side by side do not wait for each other.
    """
    out = np.zeros((8, numbers.shape[1]))
    lanes = EIGHT[: len(numbers)]
    boundary.tally(lanes, np.ascontiguousarray(price), np.ascontiguousarray(numbers), out)
    worth: Vector = out.sum(axis=0)
    return worth
