"""The port through which blocks act together: here in one process, elsewhere on many machines.

Blocks never look into each other. The coordinator tells all of them to take the same step and gets
a small answer from each; what crosses their boundaries is delivered within steps. Every sum over
blocks runs in the order of their numbers, so that it has the same bits wherever they are.
"""

import os
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Protocol

from ogas.engine.account import Matrix
from ogas.engine.layout import Layout
from ogas.engine.mail import Holding, Nobody
from ogas.engine.sectors import Form, Reading, arrange
from ogas.engine.share import Share
from ogas.engine.source import Source


class Exchange(Protocol):
    """How the coordinator reaches the blocks, once they are loaded."""

    def ask(self, step: str, *arguments: Any, each: Sequence[Any] | None = None) -> Sequence[Any]:
        """Have every block take a step; return their answers in the order of their numbers.

        Parameters
        ----------
        step : str
            A method of `Share`.
        arguments
            The same for all blocks.
        each : sequence, optional
            One more argument for every block.

        Raises
        ------
        BegunAnewError
            If blocks were lost, and loaded anew elsewhere.
        """
        ...


class BegunAnewError(Exception):
    """Blocks were lost on the way and are loaded again; the step was not taken by all.

    Attributes
    ----------
    kept : set of int
        Blocks that still have a state.
    states : mapping of block to (b, K + 1) float64
        Outputs and witness of others, as they were some time before.
    """

    def __init__(self, kept: set[int], states: Mapping[int, Matrix]) -> None:
        super().__init__("blocks begin anew")
        self.kept = kept
        self.states = states


Load = Callable[[Source, Layout, Form], Exchange]
"""Loads the blocks of a table somewhere, in a form."""


@dataclass(frozen=True, eq=False)
class SerialExchange:
    """All blocks in this process; the reference for every other exchange.

    Attributes
    ----------
    share : Share
    """

    share: Share

    def ask(self, step: str, *arguments: Any, each: Sequence[Any] | None = None) -> Sequence[Any]:
        """Have every block take a step; return their answers in the order of their numbers."""
        answers: Sequence[Any] = self.share.take(step, arguments, each)
        return answers


@dataclass(frozen=True)
class Here:
    """Loads blocks into this process.

    Kernels let go of the interpreter, so threads run side by side. The result has the same bits for
    any number of them.

    Parameters
    ----------
    threads : int
        How many blocks may be at work at a time; 0 for as many as there are cores.
    streamed : set of int
        Stored blocks that are not held in memory, but read for every pass.
    """

    threads: int = 0
    streamed: Set[int] = frozenset()

    def __call__(self, source: Source, layout: Layout, form: Form) -> SerialExchange:
        """Read all blocks."""
        threads = self.threads or available_cores()
        reading = Reading(source.whole, source.files, self.streamed)
        sectors = arrange(reading, range(len(source.sizes)), layout, form, threads)
        holding = Holding.all_of(layout.blocks, threads)
        share = Share.of(sectors, layout, holding, Nobody(), is_transposed=form.is_transposed)
        return SerialExchange(share)


HERE = Here()


def available_cores() -> int:
    """Return the cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not every system tells
        return os.cpu_count() or 1
