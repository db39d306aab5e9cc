"""Progress bars on stderr, where a person is watching; nothing where nobody is."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ogas.cluster.jobs.state import State
    from ogas.engine.iterate import Forecast
    from ogas.engine.outcome import History


class Tell(Protocol):
    """Shows how far a job is, and where more is to be seen."""

    def __call__(self, state: "State", page: str = "") -> None:
        """Show it."""
        ...


@contextmanager
def watched(label: str, digits: int) -> "Iterator[Callable[[History, Forecast], None]]":
    """Yield an observer that shows how many figures the sweeps have reached, and the passes."""
    with _bar(label, digits) as advance:
        advance(0.0, "reading the table")

        def observe(history: "History", forecast: "Forecast") -> None:
            figures = expected(history, forecast)
            advance(min(figures, digits), f"pass {history.passes:,}, {figures:.1f} figures")

        yield observe


@contextmanager
def reporting(label: str, digits: int, first: str = "") -> "Iterator[Tell]":
    """Yield an observer of a job that shows how far it is; ``first`` is shown before."""
    with _bar(label, digits) as advance:
        advance(0.0, first)

        def tell(state: "State", page: str = "") -> None:
            below = f"\n{page}" if page else ""
            if state.state == "queued":
                advance(0.0, f"queued{below}")
            elif not state.round:
                advance(0.0, f"reading the table{below}")
            else:
                figures = max(state.digits_expected, state.digits_now or 0)
                workers = f"{state.workers:,} worker{'' if state.workers == 1 else 's'}"
                text = f"round {state.round:,}, {figures:.1f} figures, {workers}"
                advance(min(figures, digits), text + below)

        yield tell


def expected(history: "History", forecast: "Forecast") -> float:
    """Return the figures that a certificate just proved, or would prove now, by the forecast."""
    half_width = history.records[-1].half_width
    if not math.isfinite(half_width):
        half_width = forecast.half_width
    return -math.log10(2 * half_width) if 0 < half_width < 0.5 else 0.0


@contextmanager
def counting(label: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a callback that shows how many of how many things are done."""
    with _bar(label, 1.0) as advance:
        yield lambda done, of: advance(done / of, f"{done:,} of {of:,} {unit}")


def is_watched() -> bool:
    """Whether a person sees what is written to stderr."""
    return sys.stderr.isatty()


@contextmanager
def _bar(label: str, total: float) -> Iterator[Callable[[float, str], None]]:
    if not is_watched():
        yield lambda done, text: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns: list[Any] = [
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[text]}"),
    ]
    with Progress(
        *columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task(label, total=total, text="")
        yield lambda done, text: bar.update(task, completed=done, text=text)
