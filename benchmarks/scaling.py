"""What workers cost and gain: seconds per round, bytes between them, on this machine.

A round is one cycle: every worker sweeps its blocks, tells the coordinator, and sends the others
what they need. All runs are jobs like any other, on local clusters of real processes. What a round
costs beyond the sweep is what it takes longer than in one process, whose threads are as many as the
cores that the workers share:

    overhead(W) = round(W workers) - round(one process, 1 thread) / min(W, cores)

Bytes between workers stand beside the fewest that these blocks on these workers permit: one number
for every product that some block of a worker takes from another worker, and column.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from distributed import Client

from ogas.cluster.asking import order_of
from ogas.cluster.jobs.api import asked, result, submit, wait
from ogas.cluster.jobs.job import Job
from ogas.cluster.jobs.lease import read_lease
from ogas.cluster.jobs.specification import Specification
from ogas.cluster.jobs.store import JobStore
from ogas.cluster.memory import Run, burdens_of
from ogas.cluster.planning import ThisProcess, carry_out
from ogas.cluster.runtime.connecting import local_cluster
from ogas.cluster.runtime.schedule import Host, place
from ogas.datasets import gallery
from ogas.datasets.recipes import Parameters
from ogas.datasets.store import Store, open_store
from ogas.engine.exchange import available_cores

PATIENCE = 1800.0  # seconds for a job
PAIR = (1, 2)  # workers whose rounds are compared, in turns
FEW = 1  # figures of a job with few rounds


@dataclass(frozen=True)
class Size:
    """An economy to be measured on.

    Attributes
    ----------
    recipe : str
    products, inputs : int
    method : str
        One that makes many rounds where a round is short.
    digits : int
    radius : float or None
        Of the economy; the nearer to 1, the more rounds. None for the recipe's own.
    """

    recipe: str
    products: int
    inputs: int
    method: str
    digits: int
    radius: float | None = None


@dataclass(frozen=True)
class Scale:
    """How large everything is.

    Attributes
    ----------
    small : Size
        Sweeps of it take next to nothing.
    large : Size
        A pass of it takes half a second and more.
    each : Size
        What every worker has where work grows with the workers.
    workers : tuple of int
    rounds : int
        Runs of each kind. Of the small economy the best counts; others take turns.
    """

    small: Size = Size("sectors:S3", 20_000, 20, "block-jacobi", 10)
    large: Size = Size("sectors:S4", 1_000_000, 600, "orders-and-tables", 3)
    each: Size = Size("sectors:S2", 1_000_000, 30, "orders-and-tables", 6)
    workers: tuple[int, ...] = (1, 2, 4, 8)
    rounds: int = 3


QUICK = Scale(
    small=Size("sectors:S3", 2_000, 8, "block-jacobi", 10),
    large=Size("sectors:S4", 20_000, 20, "orders-and-tables", 3),
    each=Size("sectors:S2", 20_000, 10, "orders-and-tables", 3),
    workers=(1, 2, 3),
    rounds=1,
)


@dataclass(frozen=True)
class Rounds:
    """What rounds took.

    Attributes
    ----------
    economy : str
    workers : int
        Of one thread each; 0 for one process.
    threads : int
        Of all of them together.
    seconds : float
        Per round, in the best run; certificates not counted.
    rounds : int
    sent : float
        Bytes between workers, per exchange.
    least : float
        The fewest possible.
    gain : float
        Median over turns of the seconds of the first that it was measured beside, over its own.
    coordinator, other : float
        Processor seconds per round: of the process that coordinates, and holds blocks too; of each
        of the others, on average.
    """

    economy: str
    workers: int
    threads: int
    seconds: float
    rounds: int
    sent: float = 0.0
    least: float = 0.0
    gain: float = 1.0
    coordinator: float = 0.0
    other: float = 0.0


@contextmanager
def drawn(size: Size) -> Iterator[Path]:
    """Yield the folder of an economy drawn for a while."""
    with tempfile.TemporaryDirectory(prefix="ogas-scaling-") as folder:
        table = Path(folder) / size.recipe.replace(":", "-")
        sizes = Parameters(products=size.products, inputs=size.inputs, radius=size.radius)
        gallery.write(size.recipe, table, sizes)
        yield table


@dataclass(frozen=True)
class Measured:
    """All that was measured, in one process and on ever more workers.

    Attributes
    ----------
    small, large, each : list of Rounds
    """

    small: list[Rounds] = field(default_factory=list)
    large: list[Rounds] = field(default_factory=list)
    each: list[Rounds] = field(default_factory=list)


def measured(
    scale: Scale, progress: Callable[[int, int], None] = lambda done, of: None
) -> Measured:
    """Measure the small economy on all numbers of workers, the others on one and on two."""
    found = Measured()
    double = replace(scale.each, products=2 * scale.each.products)
    sizes = (scale.small, scale.large, scale.each, double)
    turns = scale.rounds
    with ExitStack() as stack:
        small, large, *each = (stack.enter_context(drawn(size)) for size in sizes)
        found.small.append(alone(small, scale.small, turns))
        found.large.extend(_on_threads(large, scale.large, turns))
        for done, workers in enumerate(scale.workers):
            progress(done, len(scale.workers) + 1)
            with local_cluster(workers, 1) as client:
                given = client, small, scale.small, turns
                found.small.append(with_processor_time(on_workers(*given), *given))
        progress(len(scale.workers), len(scale.workers) + 1)
        clients = [stack.enter_context(local_cluster(workers, 1)) for workers in PAIR]
        found.large.extend(_side_by_side(clients, [large, large], scale.large, turns))
        found.each.extend(_side_by_side(clients, each, scale.each, turns))
    return found


def alone(table: Path, size: Size, turns: int) -> Rounds:
    """Measure rounds in this process, on one thread; the best of some runs counts."""
    best = min((_in_process(table, size, 1) for _ in range(turns)), key=seconds_per_round)
    return _rounds(size, best, 0, 1)


def _on_threads(table: Path, size: Size, turns: int) -> list[Rounds]:
    """Measure rounds in this process, on one thread and on all cores, in turns."""
    counts = (1, available_cores())
    found = in_turns([partial(_in_process, table, size, count) for count in counts], turns)
    return [
        replace(_rounds(size, facts, 0, count), seconds=seconds, gain=gain)
        for count, (facts, seconds, gain) in zip(counts, found, strict=True)
    ]


def _side_by_side(
    clients: Sequence[Client], tables: Sequence[Path], size: Size, turns: int
) -> list[Rounds]:
    """Measure rounds on one worker and on two, in turns."""
    runs = [
        partial(carried_out, client, table, size)
        for client, table in zip(clients, tables, strict=True)
    ]
    for run in runs:
        run()  # kernels are loaded, files are read
    found = in_turns(runs, turns)
    return [
        replace(_sent(size, facts, table, workers), seconds=seconds, gain=gain)
        for table, workers, (facts, seconds, gain) in zip(tables, PAIR, found, strict=True)
    ]


def in_turns(
    runs: Sequence[Callable[[], dict[str, Any]]], turns: int
) -> list[tuple[dict[str, Any], float, float]]:
    """Measure runs beside each other: machines are quicker at some times than at others.

    Returns
    -------
    list of (facts, seconds, gain)
        Of every run: what the last said; medians of its seconds per round, and of the first run's
        over its own, turn by turn.
    """
    said = [[run() for run in runs] for _ in range(turns)]
    seconds = np.array([[seconds_per_round(facts) for facts in turn] for turn in said])
    medians = np.median(seconds, axis=0)
    gains = np.median(seconds[:, :1] / seconds, axis=0)
    return list(zip(said[-1], medians.tolist(), gains.tolist(), strict=True))


def _in_process(table: Path, size: Size, threads: int) -> dict[str, Any]:
    return dict(carry_out(order_of(wanted(table, size)), ThisProcess(threads)).facts)


def _rounds(size: Size, facts: dict[str, Any], workers: int, threads: int) -> Rounds:
    return Rounds(
        *(_name(size, facts), workers, threads, seconds_per_round(facts), int(facts["sweeps"]))
    )


def _sent(size: Size, facts: dict[str, Any], table: Path, workers: int) -> Rounds:
    return replace(
        _rounds(size, facts, workers, workers),
        sent=facts["bytes_between_workers"] / facts["exchanges"],
        least=least_bytes(open_store(table), workers, size.digits),
    )


def on_workers(client: Client, table: Path, size: Size, turns: int) -> Rounds:
    """Measure rounds on workers of one thread each; the best of some runs counts."""
    carried_out(client, table, size)  # kernels are loaded, files are read
    found = [carried_out(client, table, size) for _ in range(turns)]
    workers = len(client.scheduler_info(n_workers=-1)["workers"])
    return _sent(size, min(found, key=seconds_per_round), table, workers)


def with_processor_time(
    measured: Rounds, client: Client, table: Path, size: Size, rounds: int
) -> Rounds:
    """Measure the processor time that rounds on workers take, besides."""
    found, spent = _spent(client, table, size, rounds)
    hasty, before = _spent(client, table, replace(size, digits=FEW), rounds)
    sweeps = _sweeps(found) - _sweeps(hasty)
    # Loading and certifying is the same in both, and falls out.
    each = sorted((spent[address] - before[address]) / max(sweeps, 1) for address in spent)
    others = sum(each[:-1]) / max(len(each) - 1, 1)
    # The coordinator works more than any other.
    return replace(measured, coordinator=each[-1], other=others)


def _spent(
    client: Client, table: Path, size: Size, rounds: int
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Return what some jobs say, and the processor seconds that each worker spent on them."""
    before = client.run(_processor_seconds)
    found = [carried_out(client, table, size) for _ in range(rounds)]
    after = client.run(_processor_seconds)
    return found, {address: after[address] - before[address] for address in before}


def _sweeps(found: list[dict[str, Any]]) -> int:
    return sum(int(facts["sweeps"]) for facts in found)


@contextmanager
def some_jobs() -> Iterator[JobStore]:
    """Yield a job store that is removed once all its jobs have ended and nobody writes to it."""
    with tempfile.TemporaryDirectory(prefix="ogas-jobs-") as folder:
        store = JobStore(Path(folder))
        yield store
        for job in store.jobs():
            until(partial(_is_let_go, job))


def _is_let_go(job: Job) -> bool:
    lease = read_lease(job.path)
    return lease is None or lease.expires == 0


def until(look: Callable[[], bool]) -> None:
    """Wait until something is seen; not for ever."""
    deadline = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError("the job did not get so far")
        time.sleep(0.01)


def carried_out(client: Client, table: Path, size: Size) -> dict[str, Any]:
    """Return the JSON object of a job."""
    with some_jobs() as store:
        job = submit(wanted(table, size), store=store, client=client)
        wait(job, patience=PATIENCE)
        facts = result(job)
    if facts["outcome"] != "certified":
        raise RuntimeError(f"a measured job ended otherwise: {json.dumps(facts)}")
    return facts


def seconds_per_round(facts: dict[str, Any]) -> float:
    """Return the mean over all sweeps."""
    return float(facts["seconds"]["solve"]) / int(facts["sweeps"])


def least_bytes(store: Store, workers: int, digits: int) -> float:
    """Return the fewest bytes that must cross between workers in a round, plan and witness."""
    burdens, _ = burdens_of(store.manifest.content, Run(in_blocks=True, figures=digits))
    hosts = [Host(f"{number:04}") for number in range(workers)]
    schedule = place(burdens, hosts, common_bytes=0, earlier=None)
    taken: dict[str, list[np.ndarray]] = {}
    own: dict[str, list[np.ndarray]] = {}
    for number, address in enumerate(schedule.owners):
        block = store.block(number)
        taken.setdefault(address, []).append(block.ext)
        own.setdefault(address, []).append(block.products)
    words = sum(
        len(np.setdiff1d(np.concatenate(ext), np.concatenate(own[address])))
        for address, ext in taken.items()
    )
    return 16.0 * words


def overhead(rounds: Rounds, alone: Rounds) -> float:
    """Return the seconds that a round costs beyond its sweep; see the head of this page."""
    return rounds.seconds - alone.seconds / min(rounds.workers, available_cores())


def wanted(table: Path, size: Size) -> Specification:
    """Return the job that is measured."""
    target = table.parent / "plan.zarr"
    return asked("plan", table, output=target, method=size.method, digits=size.digits)


def _processor_seconds() -> float:
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)


def _name(size: Size, facts: dict[str, Any]) -> str:
    return f"{size.recipe.rpartition(':')[2]}, {facts['nonzeros']:,} coefficients"
