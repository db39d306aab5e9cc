"""Progress bars on stderr, where a person is watching; nothing where nobody is."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ogas.engine.iterate import Forecast
    from ogas.engine.outcome import History


@contextmanager
def watched(label: str, digits: int) -> "Iterator[Callable[[History, Forecast], None]]":
    """Yield an observer that shows how many figures the sweeps have reached, and the passes."""
    with _bar(label, digits) as advance:
        advance(0.0, "reading the table")

        def observe(history: "History", forecast: "Forecast") -> None:
            half_width = history.records[-1].half_width
            if not math.isfinite(half_width):
                half_width = forecast.half_width
            figures = -math.log10(2 * half_width) if 0 < half_width < 0.5 else 0.0
            advance(min(figures, digits), f"pass {history.passes:,}, {figures:.1f} figures")

        yield observe


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
