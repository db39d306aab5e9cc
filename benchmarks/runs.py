"""Whole runs on a million products, from the disk to the certified plan, beside SciPy's.

The economies S1 and S2 with 100 inputs per product are drawn into a temporary folder, which goes
once they are in memory (the disk's cache is warm when they are loaded). Then in turns: memory reads
a long array; orders and tables find plans with 3 proven figures, on one thread and on all, for one
demand, and for 16; SciPy repeats ``x <- A x + f`` until x is as close to the truth. The truth is
our plan to 10 figures, so SciPy is told when to stop, which outside of a benchmark nobody can.

SciPy's product is its CSR one: float64 entries, 32-bit indices, one thread. A run counts from the
blocks in memory to the certificate. Of what is repeated the best round counts; of the cycles of a
run the median is told too.
"""

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from ogas.benchmarks.kernels import seconds
from ogas.datasets import gallery
from ogas.datasets.recipes import Parameters
from ogas.datasets.store import open_store
from ogas.engine.account import Correction
from ogas.engine.balance import Demand, demand_of
from ogas.engine.block import assemble
from ogas.engine.choose import sector_balance
from ogas.engine.cycle import Cycle, OrdersAndTables, SectorBalance
from ogas.engine.exchange import SerialExchange, available_cores
from ogas.engine.iterate import Precision, solve
from ogas.engine.outcome import Outcome
from ogas.engine.share import Share
from ogas.engine.station import Station
from ogas.engine.table import Vector
from ogas.kernels import boundary, stream

SEED = 81_203
CASES = ("S1", "S2")
FIGURES, HALF_WIDTH = 3, 5e-4
SCENARIOS, SPREAD = 16, 0.3
PIECES, MOST_SWEEPS = 20, 1000


@dataclass(frozen=True)
class Scale:
    """Products and inputs of the economies, numbers that memory reads, rounds."""

    products: int = 1_000_000
    inputs: float = 100
    stream: int = 80_000_000
    rounds: int = 1


QUICK = Scale(20_000, 50, 200_000, 1)


@dataclass(frozen=True, eq=False)
class Economy:
    """An economy in memory.

    Attributes
    ----------
    loading : float
        Seconds from the store to the blocks.
    problem : SectorBalance
        For its own demand.
    scenarios : tuple of Demand
    peer : CSR
        The matrix as SciPy multiplies with it.
    truth : (n,) float64
        Output to ten figures.
    """

    loading: float
    problem: SectorBalance
    scenarios: tuple[Demand, ...]
    peer: csr_array
    truth: Vector


@dataclass(frozen=True)
class Run:
    """A plan with its certificate: seconds of all of it, of every cycle, and passes."""

    seconds: float
    cycles: tuple[float, ...]
    passes: int


@dataclass(frozen=True)
class Threads:
    """What so many threads did in a round.

    Attributes
    ----------
    reading, exchange : float
        Seconds in which memory reads a number, and in which a number crosses between blocks.
    plan, alone, together : Run
        For the demand of the table; for one scenario; for all of them.
    """

    reading: float
    exchange: float
    plan: Run
    alone: Run
    together: Run


@dataclass(frozen=True)
class Result:
    """All that was measured of one economy; of every round, in order.

    Attributes
    ----------
    case : str
    products, nonzeros, words : int
        ``words`` are the numbers that cross between blocks in a cycle.
    bytes_per_nonzero : float
        In memory.
    loading : float
        Seconds.
    one, all : tuple of Threads
    peer : tuple of tuple of float
        Seconds of SciPy's sweeps.
    """

    case: str
    products: int
    nonzeros: int
    words: int
    bytes_per_nonzero: float
    loading: float
    one: tuple[Threads, ...]
    all: tuple[Threads, ...]
    peer: tuple[tuple[float, ...], ...]


def results(scale: Scale, cases: tuple[str, ...] = CASES) -> Iterator[Result]:
    """Measure every economy, one in memory at a time."""
    pieces = list(np.ones((PIECES, scale.stream // PIECES)))
    for case in cases:
        yield _result(case, economy(case, scale), pieces, scale.rounds)


def economy(case: str, scale: Scale) -> Economy:
    """Draw an economy, store it, load it, and plan it to ten figures."""
    sizes = Parameters(products=scale.products, inputs=scale.inputs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / case
        gallery.write(f"sectors:{case}", path, sizes)
        start = time.perf_counter()
        source = open_store(path).source()
        demand = demand_of(source.header)
        problem = sector_balance(source, [demand], is_transposed=False, figures=FIGURES)
        loading = time.perf_counter() - start
        A = assemble(source.blocks(), len(source))
    peer = csr_array((A.data, A.indices, A.indptr.astype(np.int32)), shape=A.shape)
    exact = solve(replace(problem, half=False), OrdersAndTables(), Precision(figures=10))
    draw = np.random.default_rng(SEED)
    scenarios = tuple(
        Demand.exact(demand.nominal * draw.lognormal(0.0, SPREAD, len(source)))
        for _ in range(SCENARIOS)
    )
    return Economy(loading, problem, scenarios, peer, exact.certificates[0].output)


def _result(case: str, drawn: Economy, pieces: list[Vector], rounds: int) -> Result:
    one, every, peer = [], [], []
    for _ in range(rounds):
        one.append(_threads(drawn, pieces, 1))
        every.append(_threads(drawn, pieces, available_cores()))
        peer.append(tuple(_peer_sweeps(drawn)))
    problem = drawn.problem
    return Result(
        *(case, len(problem), problem.nonzeros),
        words=2 * sum(block.ext for block in problem.facts),
        bytes_per_nonzero=OrdersAndTables().start(problem).traffic.bytes_per_nonzero,
        loading=drawn.loading,
        one=tuple(one),
        all=tuple(every),
        peer=tuple(peer),
    )


def _threads(drawn: Economy, pieces: list[Vector], threads: int) -> Threads:
    share = _share(drawn.problem)
    share.threads = threads
    return Threads(
        reading=reading(pieces, threads),
        exchange=_exchange(drawn.problem, share),
        plan=_run(drawn.problem),
        alone=_run(replace(drawn.problem, demands=drawn.scenarios[:1])),
        together=_run(replace(drawn.problem, demands=drawn.scenarios)),
    )


def reading(pieces: list[Vector], threads: int) -> float:
    """Return the seconds in which memory brings a number to so many threads."""
    with ThreadPoolExecutor(threads) as pool:
        calls = [partial(stream.read, piece) for piece in pieces]
        spent = min(seconds(calls, pool.map) for _ in range(3))
    return spent / sum(piece.size for piece in pieces)


def _run(problem: SectorBalance) -> Run:
    start = time.perf_counter()
    found = solve(problem, OrdersAndTables(), Precision(figures=FIGURES))
    spent = time.perf_counter() - start
    if found.outcome is not Outcome.CERTIFIED:
        raise RuntimeError(f"a measured run ended otherwise: {found.outcome.word}")
    cycles = [record.seconds for record in found.history.records if record.kind == "sweep"]
    return Run(spent, tuple(cycles), found.history.passes)


def _share(problem: SectorBalance) -> Share:
    if not isinstance(problem.exchange, SerialExchange):
        raise TypeError("what is measured here is one process")
    return problem.exchange.share


def _exchange(problem: SectorBalance, share: Share) -> float:
    """Return the seconds in which a number is accounted for and added up where it goes."""
    cycle = Cycle(problem, OrdersAndTables())
    cycle.sweep()
    nothing, drift = Correction.none(len(share.stations), cycle.columns), cycle.columns.drift

    def cross(station: Station) -> None:
        mail, messages = station.mail, station.economy.messages
        value = np.empty((len(mail.partners), messages.shape[1]))
        boundary.tally(mail.owners, np.ones(len(mail.ext)), station.messages, value)
        boundary.collect(
            *(mail.rows, mail.local, mail.sources, mail.bounds, messages),
            *(nothing.factor, nothing.shift, drift, station.given),
        )

    start = time.perf_counter()
    with ThreadPoolExecutor(share.threads) as pool:
        list(pool.map(cross, share.stations))
    spent = time.perf_counter() - start
    return spent / (cycle.columns.width * sum(block.ext for block in problem.facts))


def _peer_sweeps(drawn: Economy) -> Iterator[float]:
    """Yield the seconds of SciPy's sweeps until the true error is as small as we prove it."""
    f = drawn.problem.demands[0].nominal
    x, scale = f, np.where(drawn.truth > 0, drawn.truth, 1.0)
    for _ in range(MOST_SWEEPS):
        start = time.perf_counter()
        x = drawn.peer @ x + f
        yield time.perf_counter() - start
        if float(np.max(np.abs(x - drawn.truth) / scale)) <= HALF_WIDTH:
            return
    raise RuntimeError("SciPy does not come close to our plan")
