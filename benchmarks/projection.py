"""What a round would cost on 64 and on 1,000 workers: a model, and the numbers it is made of.

    round(W) = sweep(nonzeros / W)                                   measured, one worker
             + a W         the coordinator tells W workers twice     measured, CPU of its process
             + b           a worker is told and answers, twice       measured, CPU of its process
             + c d         it sends and receives d parcels           measured, the same
             + B / rate    its parcels on the network                assumed rate
             + the machine of the coordinator                        simulated at that size
             + the sector table of m blocks                          measured at that size

Costs a, b and c are fitted to processor time, not wall-clock time: on this machine workers share
few cores, on a cluster they do not. d = W - 1 is the worst case, in which every worker's blocks
trade with every other's; blocks that are near-independent have few partners.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ogas.benchmarks.coordination import coordination
from ogas.benchmarks.scaling import Rounds
from ogas.engine.account import Account, Columns
from ogas.engine.sector_table import add_up, corrections
from ogas.engine.table import Integers

RATE = 1.25e9  # bytes per second: a network of 10 Gbit/s
PARTNERS = 32  # of a worker whose blocks are near-independent
SIZES = (64, 1_000)
SEED = 90210457


@dataclass(frozen=True)
class Costs:
    """The fitted costs, in seconds of processor time; see the head of this page.

    Attributes
    ----------
    fixed : float
        Of the coordinator, for any number of workers.
    per_worker : float
        a
    per_step : float
        b
    per_parcel : float
        c
    """

    fixed: float
    per_worker: float
    per_step: float
    per_parcel: float


@dataclass(frozen=True)
class Projected:
    """A round on so many workers, in seconds."""

    workers: int
    partners: int
    sweep: float
    coordinator: float
    messages: float
    network: float
    machine: float
    table: float

    @property
    def overhead(self) -> float:
        """All but the sweep."""
        return self.coordinator + self.messages + self.network + self.machine + self.table


def fitted(sweep: float, measured: Sequence[Rounds]) -> Costs:
    """Fit the costs; ``sweep`` is the processor time of one round without any worker."""
    counts = np.array([point.workers for point in measured], dtype=np.float64)
    beyond = np.array([point.other - sweep / point.workers for point in measured])
    own = np.array([point.coordinator - point.other for point in measured])
    per_parcel, per_step = np.polyfit(counts - 1.0, beyond, 1)
    per_worker, fixed = np.polyfit(counts, own, 1)
    return Costs(*(max(float(x), 0.0) for x in (fixed, per_worker, per_step, per_parcel)))


def projected(costs: Costs, workers: int, partners: int, sweep: float, sent: float) -> Projected:
    """Return a round on so many workers; ``sweep`` seconds and ``sent`` bytes are each worker's."""
    return Projected(
        workers=workers,
        partners=partners,
        sweep=sweep,
        coordinator=costs.fixed + costs.per_worker * workers,
        messages=costs.per_step + costs.per_parcel * partners,
        network=sent / RATE,
        machine=2.0 * coordination(workers, rounds=10)["seconds_per_round"],
        table=table_seconds(workers, partners),
    )


def table_seconds(blocks: int, partners: int) -> float:
    """Measure adding up and solving the sector table of so many blocks, each with its partners."""
    draw = np.random.default_rng(SEED)
    columns = Columns(1, is_mixed=False)
    accounts = [_account(number, blocks, partners, draw) for number in range(blocks)]
    start = time.perf_counter()
    corrections(add_up(accounts, columns, is_transposed=False), columns)
    return time.perf_counter() - start


def _account(number: int, blocks: int, partners: int, draw: np.random.Generator) -> Account:
    """Return the account of a block that spends a third on itself and a third on others."""
    others: Integers = (number + 1 + np.arange(min(partners, blocks - 1))) % blocks
    others = np.sort(others)
    across = draw.random((len(others), 2))
    ones = np.ones(2)
    across /= 3.0 * np.maximum(across.sum(axis=0), 1e-300)
    return Account(others.astype(np.int64), across, ones / 3.0, ones, ones)
