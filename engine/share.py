"""The blocks of one process, and the steps that the coordinator has them take.

All blocks of an economy are one share, or many on as many workers. A step is taken by all shares at
once; what their blocks need from each other travels between them while they take it, so that a
block never knows where another one is:

    reach_out   blocks order what they need          orders go up to the blocks that make it
                (values: look up what inputs are worth, which came down before)
    settle      blocks follow the correction, add up what is ordered from them, and sweep;
                then they reach out for the next pass, or for the certificate

So a pass is one step: told once, answered once.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ogas.engine.account import Account, Columns, Correction, Matrix
from ogas.engine.balance import Demand
from ogas.engine.certificate import Certificate, Common, Evidence, Mask
from ogas.engine.layout import Layout
from ogas.engine.mail import Holding, Post, Routes, link
from ogas.engine.sectors import Facts, Sector
from ogas.engine.station import Economy, Scale, Seen, Station
from ogas.engine.streams import Stream
from ogas.engine.table import Integers, Vector
from ogas.engine.weights import Weights, carried, delivered, following, given

R = TypeVar("R")

# Coefficients. Threads that have less to do wait for each other's Python instead: two threads take
# 1.7 times as long as one for 0.4 million, as long for 2 million, and two thirds for 7 million.
WORTH_A_THREAD = 1_000_000

OWN, ORDERS = ("own",), ("orders",)


@dataclass(frozen=True)
class Terms:
    """What a run tells all blocks when it begins.

    Attributes
    ----------
    columns : Columns
    scale : Scale
    dtype : str
        Of plan and witness: float32 or float64.
    messages : str
        Of what blocks order.
    is_carried : bool
        Whether prices have to be carried; else the blocks know them.
    """

    columns: Columns
    scale: Scale
    dtype: str
    messages: str
    is_carried: bool


@dataclass(frozen=True, eq=False)
class Beginning:
    """What a run tells one block when it begins; all in the order of its products.

    Attributes
    ----------
    demands : sequence of Demand
    state : (b, K + 1) float64 or None
        Outputs and witness; None to keep those it has.
    price, source : (b,) float64
        Where carried prices begin, and what they grow from; no source is one over turnover.
    """

    demands: Sequence[Demand]
    state: Matrix | None
    price: Vector = field(default_factory=lambda: np.zeros(0))
    source: Vector = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class Turn:
    """How blocks are to settle.

    Attributes
    ----------
    inner : int
        Sweeps of their own part.
    is_sorted_first, is_sorted : bool
        Whether they put their products in a new order before and afterwards.
    anew : bool
        Whether prices that grow from one over turnover begin again.
    with_account : bool
        Whether they account for what they order next.
    """

    inner: int = 1
    is_sorted_first: bool = False
    is_sorted: bool = False
    anew: bool = False
    with_account: bool = True


@dataclass(eq=False)
class Share:
    """Some blocks of an economy, ready to be swept.

    Attributes
    ----------
    numbers : tuple of int
        Of its blocks, ascending.
    sectors : tuple of Sector
    routes : Routes
    is_transposed : bool
        For values.
    post : Post
        How it reaches the other shares.
    threads : int
        How many blocks may be at work at a time, if there is enough to do.
    stations : tuple of Station
        The blocks at work, once a run has begun.
    kept : mapping of block to (b, K + 1) float64
        States from before the run.
    seconds : list of float
        What the steps of every block have taken so far.
    is_due : bool
        Whether orders were sent that have not been taken in.
    """

    numbers: tuple[int, ...]
    sectors: tuple[Sector, ...]
    routes: Routes
    is_transposed: bool
    post: Post
    threads: int = 1
    stations: tuple[Station, ...] = ()
    kept: Mapping[int, Matrix] = field(default_factory=dict)
    is_due: bool = False

    def __post_init__(self) -> None:
        self.seconds = [0.0] * len(self.numbers)
        self.stream = Stream([(one.frame, one.parts) for one in self.sectors], self.threads)

    @staticmethod
    def of(
        sectors: Sequence[Sector],
        layout: Layout,
        holding: Holding,
        post: Post,
        *,
        is_transposed: bool,
    ) -> "Share":
        """Tie blocks to those of the other shares, which do the same at the same time."""
        routes = link(sectors, layout, holding, post)
        numbers = tuple(holding.numbers.tolist())
        return Share(numbers, tuple(sectors), routes, is_transposed, post, holding.threads)

    def take(self, step: str, arguments: Sequence[Any], each: Sequence[Any] | None) -> Any:
        """Take a step by its name; the answer has one entry for every block."""
        if step not in STEPS:
            raise ValueError(f"{step!r} is not a step")
        more = () if each is None else (each,)
        return getattr(self, step)(*arguments, *more)

    # ---- beginning ------------------------------------------------------------------------------

    def describe(self) -> list[Facts]:
        """Say what has to be known of all blocks together."""
        return [sector.facts for sector in self.sectors]

    def begin(self, terms: Terms, each: Sequence[Beginning]) -> list[int]:
        """Begin a run; return the bytes that blocks read in a pass."""
        columns, routes = terms.columns, self.routes
        spans = _spans(self.sectors)
        size = spans[-1].stop if spans else 0
        known = routes.places if self.is_transposed else size
        state = np.zeros((known, columns.width), dtype=terms.dtype)
        kept = self.memory() if any(one.state is None for one in each) else {}
        for number, span, beginning in zip(self.numbers, spans, each, strict=True):
            known = kept[number] if beginning.state is None else beginning.state
            state[span, : columns.plain] = known
        self.economy = Economy(
            state,
            given=np.zeros((size, columns.width)),
            messages=np.zeros((routes.rows, columns.width), dtype=terms.messages),
        )
        self.is_due = False
        self.stations = tuple(
            Station(
                number=number,
                sector=sector,
                mail=mail,
                span=span,
                columns=columns,
                economy=self.economy,
                demands=beginning.demands,
                scale=terms.scale,
                weights=weights,
                stream=self.stream,
            )
            for number, sector, mail, span, beginning, weights in zip(
                *(self.numbers, self.sectors, routes.mails, spans, each),
                self._weights(terms, each),
                strict=True,
            )
        )
        return [station.bytes_read for station in self.stations]

    def memory(self) -> Mapping[int, Matrix]:
        """Return outputs and witness of every block that has some; (b, K + 1) each."""
        if not self.stations:
            return self.kept
        return {
            station.number: station.state[:, : station.columns.plain].astype(np.float64)
            for station in self.stations
        }

    # ---- a pass --------------------------------------------------------------------------------

    def reach_out(self, with_account: bool) -> list[Account | None]:
        """Have every block say what it needs, and account for it if asked to."""
        if self.is_transposed:
            self._down(self.economy.state)
        accounts = self._each(
            lambda station: station.reach_out(with_account=with_account),
            () if self.is_transposed else ORDERS,
        )
        if not self.is_transposed:
            self._send_up(self.economy.messages)
            self.is_due = True
        return accounts

    def settle(self, correction: Correction, turn: Turn) -> list[tuple[Seen, Account | None]]:
        """Have every block follow the correction, sweep, and reach out again.

        What they saw is told with the accounts of what they need next.
        """
        self._arrive()
        seen = self._each(
            lambda station: station.settle(
                correction, turn.inner, is_sorted_first=turn.is_sorted_first
            ),
            self._both,
        )
        if turn.is_sorted:
            self._each(Station.sort)
        if any(station.weights.is_carried for station in self.stations):
            self._carry(anew=turn.anew)
        return list(zip(seen, self.reach_out(turn.with_account), strict=True))

    def widen(self, leeway: float) -> list[None]:
        """Hold plan and witness in float64."""
        self.economy = replace(self.economy, state=self.economy.state.astype(np.float64))
        for station in self.stations:
            station.hold(self.economy, replace(station.scale, leeway=leeway))
        return [None] * len(self.stations)

    # ---- the certificate ------------------------------------------------------------------------

    def count(self) -> list[None]:
        """Have every block count the terms of its sums; their number bounds how they round."""
        chains = np.zeros(self.routes.rows, np.uint16)
        if not self.is_transposed:
            self._arrive()
            self._each(lambda station: station.count_orders(chains))
            self._send_up(chains)
            self._receive_up(chains)
        reads = ORDERS if self.is_transposed else ()
        self._each(lambda station: station.count_products(chains), reads)
        return [None] * len(self.stations)

    def prove(self, correction: Correction, delta: float) -> list[list[Evidence]]:
        """Return what the sums of every block prove of every plan."""
        self._arrive()
        return self._each(lambda station: station.prove(correction, delta), self._both)

    def bound(
        self, known: Sequence[Common], each: Sequence[Sequence[Mask]]
    ) -> list[list[Certificate]]:
        """Return the certificates of every block, for every plan; ``each`` are its zeros."""
        zeros = dict(zip(self.numbers, each, strict=True))
        return self._each(lambda station: station.bound(known, zeros[station.number]))

    def users(self, positions: Integers) -> list[npt.NDArray[np.int64]]:
        """Return every block's part of some rows of the balance's matrix; see `Sector`."""
        return self._each(lambda station: station.users(positions), OWN + ORDERS)

    # ---- what they consist of -------------------------------------------------------------------

    def _each(self, step: Callable[[Station], R], reads: Sequence[str] = ()) -> list[R]:
        """Have every block take a step, for which it visits these parts in this order."""

        def timed(place: int) -> R:
            start = time.perf_counter()
            try:
                return step(self.stations[place])
            finally:
                self.seconds[place] += time.perf_counter() - start

        places = range(len(self.stations))
        coefficients = sum(sector.nonzeros for sector in self.sectors)
        threads = min(self.threads, len(places), coefficients // WORTH_A_THREAD)
        with self.stream.reading([file for sector in self.sectors for file in sector.files(reads)]):
            if threads <= 1:
                return [timed(place) for place in places]
            with ThreadPoolExecutor(threads) as pool:
                return list(pool.map(timed, places))

    @property
    def _both(self) -> Sequence[str]:
        """The parts that are read to add up all uses; orders came before, for quantities."""
        return ORDERS + OWN if self.is_transposed else OWN

    def _weights(self, terms: Terms, each: Sequence[Beginning]) -> list[Weights]:
        is_reversed = self.is_transposed
        if not terms.is_carried:
            return [given(sector, is_reversed=is_reversed) for sector in self.sectors]
        prices = self._known([beginning.price for beginning in each])
        return [
            carried(
                *(sector, beginning.price, prices[mail.ext], beginning.source),
                is_reversed=is_reversed,
            )
            for sector, mail, beginning in zip(self.sectors, self.routes.mails, each, strict=True)
        ]

    def _carry(self, *, anew: bool) -> None:
        """Move carried prices one pass on."""
        weights = [station.weights for station in self.stations]
        outside = [part.outside[:, -1] for part in weights]
        if self.is_transposed:
            outside = self._delivered(outside)
        prices = [
            following(station.weights, added, station.turnover, anew=anew)
            for station, added in zip(self.stations, outside, strict=True)
        ]
        everywhere = np.zeros(0) if self.is_transposed else self._known(prices)
        for station, price in zip(self.stations, prices, strict=True):
            part, ext = station.weights, station.mail.ext
            part.used, part.now = part.now, price
            if self.is_transposed:
                part.ext_used = np.ascontiguousarray(part.outside[: len(ext)].T)
            else:
                part.ext_used, part.ext_now = part.ext_now[None], everywhere[ext]

    def _delivered(self, outside: Sequence[Vector]) -> list[Vector]:
        """Send numbers up that stand in the rows of outboxes; return what arrives, added up."""
        messages = np.zeros((self.routes.rows, 1))
        own = np.concatenate(outside)
        messages[: len(own), 0] = own
        self._send_up(messages)
        self._receive_up(messages)
        return [
            delivered(mail, messages, len(sector))
            for mail, sector in zip(self.routes.mails, self.sectors, strict=True)
        ]

    def _known(self, own: Sequence[Vector]) -> Vector:
        """Return numbers of the share's products, and of those that others sent down."""
        size = sum(map(len, own))
        numbers = np.zeros(self.routes.places)
        numbers[:size] = np.concatenate(own)
        self._down(numbers)
        return numbers

    def _arrive(self) -> None:
        """Take in the orders that were sent last, unless they are there."""
        if self.is_due:
            self._receive_up(self.economy.messages)
            self.is_due = False

    def _send_up(self, messages: npt.NDArray[Any]) -> None:
        self.post.send({to: np.take(messages, rows, axis=0) for to, rows in self.routes.up.items()})

    def _receive_up(self, messages: npt.NDArray[Any]) -> None:
        for sender, parcel in self.post.receive(list(self.routes.arrivals)).items():
            messages[self.routes.arrivals[sender]] = parcel

    def _down(self, numbers: npt.NDArray[Any]) -> None:
        self.post.send({to: np.take(numbers, at, axis=0) for to, at in self.routes.down.items()})
        for sender, parcel in self.post.receive(list(self.routes.ghosts)).items():
            numbers[self.routes.ghosts[sender]] = parcel


LOADED = frozenset(["describe", "begin", "users"])
PASS = frozenset(["reach_out", "settle", "widen"])
CERTIFICATE = frozenset(["count", "prove", "bound"])
STEPS = LOADED | PASS | CERTIFICATE


def _spans(sectors: Sequence[Sector]) -> list[slice]:
    ends = np.cumsum([len(sector) for sector in sectors]).tolist()
    return [slice(end - len(sector), end) for sector, end in zip(sectors, ends, strict=True)]
