"""The port through which blocks act together: here in one process, elsewhere on many machines.

Blocks never look into each other. The coordinator tells all of them to take the same step and gets
a small answer from each; what crosses their boundaries is delivered between steps. Every sum over
blocks runs in the order of their numbers, so that it has the same bits wherever they are.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

S = TypeVar("S")
R = TypeVar("R")


class Exchange(Protocol):
    """How the coordinator reaches the blocks."""

    def ask(self, stations: Sequence[S], step: Callable[[S], R]) -> list[R]:
        """Have every block take a step; return their answers in the order of their numbers."""
        ...


@dataclass(frozen=True)
class SerialExchange:
    """All blocks in this process, swept by threads; the reference for every other exchange.

    Kernels let go of the interpreter, so threads run side by side. The result has the same bits for
    any number of them.

    Parameters
    ----------
    threads : int
        How many blocks may be at work at a time; 0 for as many as there are cores.
    """

    threads: int = 0

    def ask(self, stations: Sequence[S], step: Callable[[S], R]) -> list[R]:
        """Have every block take a step; return their answers in the order of their numbers."""
        threads = min(self.threads or available_cores(), len(stations))
        if threads <= 1:
            return [step(station) for station in stations]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(step, stations))


def available_cores() -> int:
    """Return the cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not every system tells
        return os.cpu_count() or 1
