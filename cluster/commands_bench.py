"""The command `bench`: measurements that anyone can repeat."""

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ogas.cluster.answer import Answer
from ogas.cluster.options import PATH, json_option

if TYPE_CHECKING:
    from ogas.benchmarks.methods import Count


@click.command("bench")
@click.argument("what", type=click.Choice(["kernels", "methods", "start"]))
@click.option("--quick", is_flag=True, help="A small part of it, to see that it runs.")
@click.option("-o", "--output", type=PATH, help="Write the rows as CSV into this folder.")
@json_option
def bench_command(what: str, quick: bool, output: Path | None) -> Answer:
    """Measure kernels, methods, or the start.

    Nanoseconds per nonzero of every kernel (kernels, a minute and 8 GB of memory), passes of every
    method (methods), or seconds a person waits (start).

    `methods` takes the published tables from the folder OGAS_DATA, if that is set.
    """
    if what == "kernels":
        return _kernels(quick, output)
    if what == "methods":
        return _methods(quick, output)
    return _start(quick, output)


def _kernels(quick: bool, output: Path | None) -> Answer:
    from ogas.benchmarks import kernels

    found = kernels.speeds(kernels.QUICK if quick else kernels.Size())
    read = found[0].rate
    rows = [
        [
            *(speed.label.kernel, speed.label.precision, speed.label.bytes),
            *(f"{speed.one:.3f}", f"{speed.all:.3f}", f"{speed.rate:.1f}"),
            *(f"{speed.rate / read:.0%}", f"{speed.all * read / 6:.2f}"),
        ]
        for speed in found
    ]
    count = kernels.threads()
    head = ["kernel", "types", "bytes", "1 thread", f"{count} threads", "GB/s", "of read", "ratio"]
    footer = (
        "types: of matrix and vectors; bytes: of the matrix, per nonzero; GB/s: of the matrix, on "
        "all threads; ratio: to the time in which memory brings 6 bytes"
    )
    return _rows("kernels, ns per nonzero", head, rows, output=output, footer=footer)


def _methods(quick: bool, output: Path | None) -> Answer:
    from ogas.benchmarks import methods
    from ogas.cluster.progress import counting

    folder = os.environ.get("OGAS_DATA")
    counts: list[Count] = []
    with counting("counting passes", "runs") as progress:
        made = methods.synthetic(("S1",) if quick else methods.CASES)
        for number, count in enumerate(made, start=1):
            counts.append(count)
            progress(number, 14 if quick else 56)
    synthetic = len(counts)
    counts += methods.published(Path(folder) if folder and not quick else None)
    rows = [
        [count.economy, count.balance, count.method, *(passes or "-" for passes in count.passes)]
        for count in counts
    ]
    head = ["economy", "balance", "method", *(f"{n} figures" for n in methods.FIGURES)]
    ratios = methods.overshoots(counts[synthetic:])
    footer = (
        f"certified half-width over true error, {len(ratios)} runs on published tables: median "
        f"{ratios[len(ratios) // 2]:.1f}, 95 % below {ratios[int(0.95 * len(ratios))]:.1f}, "
        f"largest {ratios[-1]:.1f}"
    )
    return _rows("passes, everything counted", head, rows, output=output, footer=footer)


def _start(quick: bool, output: Path | None) -> Answer:
    from ogas.benchmarks import start

    found = list(start.waits(1 if quick else 7))
    baseline = found[0].median
    rows = [
        [
            w.command,
            *(f"{s:.2f}" for s in (w.least, w.median, w.largest)),
            f"{w.median / baseline:.2f}",
        ]
        for w in found
    ]
    head = ["command", "least s", "median s", "largest s", "median / baseline"]
    return _rows("seconds from shell to shell", head, rows, output=output, footer="")


def _rows(
    title: str, head: list[str], rows: list[list[Any]], *, output: Path | None, footer: str
) -> Answer:
    """Return rows as an answer, and write them as CSV where asked."""
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        with (output / f"{title.split()[0].strip(',')}.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([head, *rows])

    def show() -> None:
        from rich.table import Table as Grid

        from ogas.cluster.summary import console

        grid = Grid(title=title, title_justify="left", title_style="bold", box=None)
        for number, name in enumerate(head):
            grid.add_column(name, justify="left" if number == 0 else "right")
        for row in rows:
            grid.add_row(*(str(cell) for cell in row))
        console().print(grid)
        if footer:
            console().print(footer)

    facts = {"rows": [dict(zip(head, row, strict=True)) for row in rows], "summary": footer}
    return Answer(facts, show)
