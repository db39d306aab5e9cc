"""A block at work: its vectors, and the steps that the coordinator tells all blocks to take.

The columns of a *state* are K plans and one witness that they share, side by side, so that one read
of A serves all. Where something is negative, magnitudes stand beside them (`Columns`): the witness
works with |A|, and turnover needs |A| |x|.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ogas.engine.sectors import Sector
from ogas.engine.table import Integers, Vector
from ogas.kernels import boundary, columns, orders, pair

State = npt.NDArray[np.float64] | npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
NOTHING, NO_COLUMNS = np.zeros(0), np.zeros((0, 0))
TRACE = 1e8  # floors of turnover; real turnover is 1e22 and more


@dataclass(frozen=True)
class Columns:
    """What stands in which column of a state.

        nothing negative     x_1 .. x_K  w
        negative somewhere   x_1 .. x_K  w  |  w  |x_1| .. |x_K|

    Columns from ``plain`` on are multiplied by magnitudes of entries.
    """

    plans: int
    is_mixed: bool

    @property
    def plain(self) -> int:
        """How many columns are multiplied by the entries themselves."""
        return self.plans + 1

    @property
    def width(self) -> int:
        """How many columns there are."""
        return self.plain * (2 if self.is_mixed else 1)

    @property
    def drift(self) -> int:
        """Whose sums say how the plan moves along the witness: A w."""
        return self.plans

    @property
    def needs(self) -> int:
        """Whose sums say what the witness needs: |A| w."""
        return self.plain if self.is_mixed else self.plans

    def gross(self, plan: int) -> int:
        """Whose sums say the turnover of a plan: |A| |x|."""
        return self.plain + 1 + plan if self.is_mixed else plan


@dataclass(frozen=True, eq=False)
class Mail:
    """Which messages are for a block: rows of the economy's messages, by the block that sent them.

    Message ``rows[k]`` is for the block's product ``local[k]``; block ``sources[s]`` sent those
    from ``bounds[s]`` to ``bounds[s + 1]``.
    """

    rows: Integers
    local: npt.NDArray[np.int32]
    sources: Integers
    bounds: Integers


@dataclass(frozen=True, eq=False)
class Account:
    """A block's part of the sector table, in value: small, and all that leaves it besides messages.

    Attributes
    ----------
    partners : (k,) int64
        The blocks it takes from.
    across : (k, c) float64
        What it takes from each of them, for every column of the state.
    within : (c,) float64
        What it takes from itself.
    held : (c,) float64
        What the state is worth.
    wanted : (K + 1,) float64
        What is wanted of it: final demand for every plan, and turnover for the witness.
    """

    partners: Integers
    across: Matrix
    within: Vector
    held: Vector
    wanted: Vector


@dataclass(frozen=True, eq=False)
class Correction:
    """What the sector table says: ``state[:, c] <- factor[J, c] state[:, c] + shift[J, c] w``."""

    factor: Matrix
    shift: Matrix
    note: str = ""

    @staticmethod
    def none(blocks: int, columns: Columns, note: str = "") -> "Correction":
        """Return the correction that leaves everything as it is."""
        shape = (blocks, columns.width)
        return Correction(np.ones(shape), np.zeros(shape), note)


@dataclass(eq=False)
class Weights:
    """Prices p, in which blocks are aggregated, and what is known of ``p A`` at them.

    Attributes
    ----------
    used : (b,) float64
        Whose ``content`` the last pass read; the table counts in these.
    content : (b, 1 or 2) float64
        ``used @ own``, and the same of magnitudes.
    ext_used : (e,) float64
        The same of what the block takes from others; for values, what its row of the table counts
        these with.
    now, ext_now : (b,), (e,) float64
        Being read in this pass, where prices are carried.
    outside : (b,) float64
        ``now @ orders`` of this pass.
    source : (b,) float64
        What is added to ``p A`` on the way: labour; empty if one over turnover is to be taken.
    is_carried : bool
    is_reversed : bool
        For values: prices are then amounts.
    """

    used: Vector
    content: Matrix
    ext_used: Vector
    now: Vector
    ext_now: Vector
    outside: Vector
    source: Vector
    is_carried: bool
    is_reversed: bool


@dataclass(eq=False)
class Station:
    """A block with its vectors; made by `ogas.engine.cycle`.

    Attributes
    ----------
    number : int
    sector : Sector
    columns : Columns
    demand : (b, K) float64
    rate : (K,) float64
        Makes the turnovers of several plans comparable for the witness they share.
    floor : float
        Stands in for the turnover of products that have none.
    leeway : float
        What the witness must have left of what it needs, relatively.
    state : (b, c)
    given : (b, c) float64
        What the other blocks order.
    messages : (rows of orders, c) float64
        What the block orders from others; for values, what these are worth.
    order : (b,) int32
        In which its products are swept.
    mail : Mail
    owners : (e,) int32
        The number among ``partners`` of the block that makes each product of ``ext``.
    partners : (k,) int64
    weights : Weights
    """

    number: int
    sector: Sector
    columns: Columns
    demand: Matrix
    rate: Vector
    floor: float
    leeway: float
    state: State
    given: Matrix
    messages: Matrix
    order: npt.NDArray[np.int32]
    mail: Mail
    owners: npt.NDArray[np.int32]
    partners: Integers
    weights: Weights

    def __post_init__(self) -> None:
        self.turnover = self._turnover()
        self.state[:, self.columns.needs] = self.state[:, self.columns.drift]
        self.mend()

    @property
    def is_pair(self) -> bool:
        """Whether one plan and its witness are all there is, for which there are faster kernels."""
        columns = self.columns
        return columns.plans == 1 and not columns.is_mixed and not self.weights.is_carried

    # ---- quantities: orders go up ----------------------------------------------------------------

    def place_orders(self) -> None:
        """Say what the state needs from other blocks; reads ``orders``."""
        if self.is_pair:
            orders.orders_pair(*self.sector.orders.arrays, self.state, self.messages)
            return
        self._cross(up=self._wide(), up_out=self.messages)

    def fill_orders(self, messages: Matrix, correction: Correction) -> None:
        """Add up what the other blocks order, after their correction."""
        mail = self.mail
        boundary.collect(
            *(mail.rows, mail.local, mail.sources, mail.bounds, messages),
            *(correction.factor, correction.shift, self.columns.drift, self.given),
        )

    # ---- values: what products are worth goes down -----------------------------------------------

    def look_up(self, state: State, slots: Integers) -> None:
        """Take note of what the products of other blocks are worth."""
        self.messages[: len(slots)] = state[slots]

    def cost_inputs(self, correction: Correction, owners: npt.NDArray[np.int32]) -> None:
        """Add up what inputs from other blocks cost, after their correction; reads ``orders``."""
        worth, drift = self.messages[: len(owners)], self.columns.drift
        worth[:] = (
            correction.factor[owners] * worth
            + correction.shift[owners] * worth[:, drift : drift + 1]
        )
        self._mirror(worth)
        self.given[:] = 0.0
        self._cross(down=self.messages, down_out=self.given)

    def _cross(
        self,
        up: State = NO_COLUMNS,
        up_out: Matrix = NO_COLUMNS,
        down: Matrix = NO_COLUMNS,
        down_out: Matrix = NO_COLUMNS,
    ) -> None:
        """Read ``orders`` once, and carry prices the other way where they are carried."""
        weights, plain = self.weights, self.columns.plain
        rows = self.sector.orders.rows
        if weights.is_carried and up.size:  # quantities: prices come down
            down, down_out = np.zeros((rows, 1)), np.zeros((len(self.sector), 1))
            down[: len(weights.ext_now), 0] = weights.ext_now
        elif weights.is_carried:  # values: quantities go up
            up, up_out = weights.now[:, None].copy(), np.zeros((rows, 1))
        up_plain = plain if up.shape[1] == self.columns.width else 0
        down_plain = plain if down.shape[1] == self.columns.width else 0
        columns.cross(*self.sector.orders.arrays, up_plain, up, up_out, down_plain, down, down_out)
        if weights.is_carried:
            carried = down_out if down.shape[1] == 1 else up_out
            weights.outside = carried[:, 0]

    # ---- both ------------------------------------------------------------------------------------

    def account(self) -> Account:
        """Return the block's part of the sector table; reads no part of A."""
        weights = self.weights
        across = np.zeros((len(self.partners), self.columns.width))
        boundary.tally(self.owners, weights.ext_used, self.messages, across)
        state = self._wide()
        within = weights.content[:, 0] @ state
        within[self.columns.needs] = weights.content[:, -1] @ state[:, self.columns.needs]
        wanted = np.append(weights.used @ self.demand, weights.used @ self.turnover)
        return Account(self.partners, across, within, weights.used @ state, wanted)

    def correct(self, correction: Correction) -> None:
        """Move the plans along the witness, and scale the witness."""
        drift = self.columns.drift
        factor, shift = correction.factor[self.number], correction.shift[self.number]
        along = self.state[:, drift : drift + 1].copy()
        self.state[:] = factor * self.state + shift * along
        self.mend()

    def mend(self) -> None:
        """Make the columns of the state agree with each other."""
        self._mirror(self.state)
        if self.columns.is_mixed:  # plans never move along a witness without turnover: zeros stay 0
            self.state[self.turnover <= self.floor, self.columns.drift] = 0.0

    def clear(self) -> None:
        """Set to zero what is nothing but a trace of the witness of products without turnover."""
        outputs = self.state[:, : self.columns.plans]
        outputs[np.abs(outputs) * self.rate < TRACE * self.floor] = 0.0
        self.mend()

    def _mirror(self, state: State) -> None:
        columns = self.columns
        if not columns.is_mixed:  # no output can be negative; corrections may overshoot
            np.maximum(state[:, : columns.plans], 0.0, out=state[:, : columns.plans])
        else:
            state[:, columns.drift] = state[:, columns.needs]
            state[:, columns.gross(0) :] = np.abs(state[:, : columns.plans])

    def sweep(self, inner: int = 1) -> tuple[float, float, float]:
        """Set right the balances of the block's products in turn; reads ``own`` ``inner`` times.

        Returns the least and largest imbalance relative to turnover, and the largest ``w / t``.
        """
        weights = self.weights
        for again in range(inner):
            if self.is_pair:
                found = pair.sweep_pair(
                    *self.sector.own.arrays,
                    *(self.order, self.sector.diagonal, self.demand[:, 0], self.given),
                    *(self.state, self.floor, self.leeway),
                )
                continue
            is_read = weights.is_carried and again == 0
            if is_read:
                weights.content = np.zeros_like(weights.content)
            found = columns.sweep_columns(
                *self.sector.own.arrays,
                *(self.order, self.sector.diagonal, self.demand, self.given, self.columns.plain),
                *(self.state, self.rate, self.floor, self.leeway),
                *(weights.now if is_read else NOTHING, weights.content, self.turnover),
            )
        if self.is_pair:
            self.turnover = self._turnover()
        self.mend()
        return found

    def _turnover(self) -> Vector:
        """Return demand and uses of the plan that the witness is needed for most, never zero."""
        f, x = self.demand, self.state[:, : self.columns.plans].astype(np.float64)
        turnovers = (np.abs(f) + np.abs(x - f)) * self.rate
        largest: Vector = np.maximum(turnovers.max(axis=1), self.floor)
        return largest

    def sort(self) -> None:
        """Put products in an order in which those needed come before those that need them.

        For quantities by upstreamness within the block (what other blocks need of the witness is
        the same in any order); for values by the share of a product that its block uses up, as the
        carried prices have it, raw materials first. Both are heuristics; on the synthetic
        economies they save one to six passes over plain ``w / t``.
        """
        if self.weights.is_reversed:
            key = -self.weights.content[:, -1] / self.weights.now
        else:
            own = self.state[:, self.columns.needs] - self.given[:, self.columns.needs]
            key = own / self.turnover
        self.order = np.argsort(key, kind="stable").astype(np.int32)

    def sums(self) -> Matrix:
        """Return A times the state, block's own part and what others order; reads ``own``."""
        out = np.empty((len(self.sector), self.columns.width))
        if self.is_pair:
            pair.sums_pair(*self.sector.own.arrays, self.state, out)
        else:
            columns.sums_columns(*self.sector.own.arrays, self.columns.plain, self._wide(), out)
        return out + self.given

    def _wide(self) -> State:
        """Return the state in float64."""
        return self.state.astype(np.float64, copy=False)
