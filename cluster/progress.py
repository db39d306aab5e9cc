"""Progress bars on stderr, where a person is watching; nothing where nobody is."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ogas.cluster.jobs.state import State
    from ogas.engine.iterate import Forecast
    from ogas.engine.outcome import History


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
def reporting(label: str, digits: int) -> "Iterator[Callable[[State], None]]":
    """Yield an observer of a job that shows how far it is."""
    with _bar(label, digits) as advance:

        def tell(state: "State") -> None:
            if state.state == "queued":
                advance(0.0, "queued")
            else:
                figures = max(state.digits_expected, state.digits_now or 0)
                text = f"round {state.round:,}, {figures:.1f} figures, {state.workers:,} workers"
                advance(min(figures, digits), text)

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


@contextmanager
def _bar(label: str, total: float) -> Iterator[Callable[[float, str], None]]:
    if not sys.stderr.isatty():
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
