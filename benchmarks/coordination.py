"""What a round costs the coordinator itself, with workers that answer at once and no network.

A round is one step that all workers take: the solver asks, every worker answers for all of its
blocks, the solver gets the answers in the order of blocks. Whatever a round takes beyond this is
the network's and the workers'.
"""

import time
from statistics import median

from ogas.cluster.runtime import events
from ogas.cluster.runtime.coordinator import Coordinator, Needs
from ogas.cluster.runtime.patience import Patience
from ogas.cluster.runtime.schedule import Burden, Host

SIZES = (64, 1000)  # workers
BLOCKS_PER_WORKER, ROUNDS = 16, 50
NONZEROS, BYTES = 10**6, 10**7  # of a block; they matter for placing only


def coordination(
    workers: int, blocks_per_worker: int = BLOCKS_PER_WORKER, rounds: int = ROUNDS
) -> dict[str, float]:
    """Measure the coordinator's own time, per round and for placing and loading blocks once.

    Returns
    -------
    dict
        ``workers``, ``blocks``, ``rounds``; ``seconds_per_round``, the median;
        ``slowest_seconds``, the slowest round; ``placing_seconds``, from the last worker's joining
        to the announcement of the first epoch.

    Examples
    --------
    >>> found = coordination(workers=4, blocks_per_worker=2, rounds=3)
    >>> found["blocks"], 0 < found["seconds_per_round"] <= found["slowest_seconds"]
    (8, True)
    """
    blocks = workers * blocks_per_worker
    needs = Needs((Burden(NONZEROS, BYTES),) * blocks, 0, workers)
    coordinator = Coordinator(needs, Patience(), 0.0)
    for number in range(workers - 1):
        coordinator.handle(events.Joined(Host(f"tcp://worker-{number}:1")), 0.0)
    began = time.perf_counter()
    coordinator.handle(events.Joined(Host(f"tcp://worker-{workers - 1}:1")), 0.0)
    _round(coordinator, events.LOADING)
    placing = time.perf_counter() - began
    times = sorted(_timed(coordinator, number) for number in range(1, rounds + 1))
    return {
        "workers": workers,
        "blocks": blocks,
        "rounds": rounds,
        "seconds_per_round": median(times),
        "slowest_seconds": times[-1],
        "placing_seconds": placing,
    }


def _timed(coordinator: Coordinator, number: int) -> float:
    began = time.perf_counter()
    reply = _round(coordinator, number)
    seconds = time.perf_counter() - began
    assert isinstance(reply, events.Reply)
    assert reply.answers == tuple(range(len(coordinator.needs.burdens)))
    return seconds


def _round(coordinator: Coordinator, number: int) -> events.Instruction:
    """Ask, have all workers answer, and return what the solver is told."""
    told = coordinator.handle(events.Asked("sweep"), 0.0)
    schedule = coordinator.schedule
    assert schedule is not None
    for address in schedule.hosts:
        answer = schedule.blocks_of(address)
        event = events.Answered(address, coordinator.epoch, number, answer)
        told += coordinator.handle(event, 0.0)
    return told[-1]
