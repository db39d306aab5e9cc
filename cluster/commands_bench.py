"""The command `bench`: measurements that anyone can repeat."""

import csv
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ogas.cluster.answer import Answer
from ogas.cluster.options import PATH, json_option
from ogas.cluster.sheet import Sheet

if TYPE_CHECKING:
    from ogas.benchmarks.passes import Count

LEFT = {"economy", "balance", "method", "kernel", "what", "unit", "command"}  # columns of words
LEFT |= {"row", "solver", "outcome"}


@click.command("bench")
@click.argument(
    "what",
    type=click.Choice(["claims", "kernels", "methods", "nightly", "peers", "scaling", "start"]),
)
@click.option("--quick", is_flag=True, help="A small part of it, to see that it runs.")
@click.option(
    "-o",
    "--output",
    type=PATH,
    help="Write the rows as CSV into this folder; claims: [default: ./claims].",
)
@json_option
def bench_command(what: str, quick: bool, output: Path | None) -> Answer:
    """Measure published claims, kernels and whole runs, methods, nights, workers, or the start.

    What was published about planning by computer, measured again beside other solvers, as a page
    (claims: hours, and the memory and disk that there is; what is done is not done again).
    Nanoseconds per nonzero of every kernel, and whole runs on a million products beside SciPy's
    (kernels: a quarter of an hour, 8 GB of memory); passes of every method (methods: five minutes);
    what a night costs beside planning afresh (nightly: ten minutes, 4 GB of memory and of disk);
    what workers cost and gain, and what a loss costs (scaling: a quarter of an hour, 8 GB);
    classical results beside pymrio and MARIO, and on a million products (peers: a quarter of an
    hour, 10 GB; OGAS_MARIO names a Python that has MARIO); or seconds a person waits (start).

    `methods`, `nightly`, `peers` and `claims` take the published tables from the folder OGAS_DATA,
    if that is set.
    """
    if what == "claims":
        return _claims(quick, output)
    if what == "kernels":
        return _answer([_kernels(quick), _runs(quick)], output)
    if what == "methods":
        return _answer([*_methods(quick), *_growth(quick)], output)
    if what == "nightly":
        return _answer([_nightly(quick)], output)
    if what == "peers":
        from ogas.cluster.peers_sheets import sheets

        return _answer(sheets(quick), output)
    if what == "scaling":
        from ogas.cluster.scaling_sheets import sheets

        return _answer(sheets(quick), output)
    return _answer([_start(quick)], output)


def _claims(quick: bool, output: Path | None) -> Answer:
    from ogas.cluster.claims_sheets import sheets

    folder, found, code, complaint = sheets(quick, output)
    return replace(_answer(found, folder), code=code, complaint=complaint)


def _kernels(quick: bool) -> Sheet:
    from ogas.benchmarks import kernels
    from ogas.engine.exchange import available_cores

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
    threads = f"{available_cores()} threads"
    head = ["kernel", "types", "bytes", "1 thread", threads, "GB/s", "of read", "ratio"]
    footer = (
        "types: of matrix and vectors; bytes: of the matrix, per nonzero; GB/s: of the matrix, on "
        "all threads; ratio: to the time in which memory brings 6 bytes"
    )
    return Sheet("kernels", "kernels, ns per nonzero", head, rows, footer)


def _runs(quick: bool) -> Sheet:
    from ogas.benchmarks import run_facts, runs
    from ogas.benchmarks.machine import description
    from ogas.cluster.progress import counting
    from ogas.engine.exchange import available_cores

    rows: list[list[Any]] = []
    with counting("measuring whole runs", "economies") as progress:
        for number, found in enumerate(runs.results(runs.QUICK if quick else runs.Scale()), 1):
            for fact in run_facts.facts(found):
                every = "" if fact.all is None else f"{fact.all:.4g}"
                one = f"{fact.one:,}" if isinstance(fact.one, int) else f"{fact.one:.4g}"
                rows.append([fact.case, fact.what, fact.unit, one, every, fact.aim])
            progress(number, len(runs.CASES))
    threads = f"{available_cores()} threads"
    head = ["economy", "what", "unit", "1 thread", threads, "aim"]
    return Sheet("runs", "whole runs", head, rows, description())


def _methods(quick: bool) -> list[Sheet]:
    from ogas.benchmarks import design, methods, passes, published
    from ogas.cluster.progress import counting

    folder = os.environ.get("OGAS_DATA")
    cases = design.CASES[:1] if quick else design.CASES
    figures = passes.FIGURES[:1] if quick else passes.FIGURES
    made: list[Count] = []
    with counting("counting passes", "runs") as progress:
        for number, count in enumerate(methods.synthetic(cases, figures), start=1):
            made.append(count)
            progress(number, methods.ROWS * len(cases))
    known = list(published.published(Path(folder) if folder and not quick else None, figures))
    ratios = published.overshoots(known)
    footer = (
        f"certified half-width over true error, {len(ratios)} runs on published tables: median "
        f"{ratios[len(ratios) // 2]:.1f}, 95 % below {ratios[int(0.95 * len(ratios))]:.1f}, "
        f"largest {ratios[-1]:.1f}"
    )
    promise = "design: passes that were promised; * until the true error was small, without proof"
    return [
        _counts("methods", "passes, everything counted", made, figures, promise),
        _counts("published", "passes on published tables", known, figures, footer),
    ]


def _growth(quick: bool) -> list[Sheet]:
    from ogas.benchmarks import design, growth

    cases = design.CASES[:1] if quick else design.CASES
    sizes = (5_000, 20_000) if quick else growth.SIZES
    grown = list(growth.growing(sizes, cases[:1] if quick else ("S1", "S4")))
    footer = f"more products: at most {growth.spread(grown)} passes more or fewer"
    words = [
        [
            *(found.economy, found.products, found.words, found.row_owned),
            *(f"{found.words / found.products:.2f} / {found.row_owned / found.products:.2f}",),
            found.design,
        ]
        for found in growth.exchanged(cases)
    ]
    head = ["economy", "products", "words", "if rows were owned", "per product", "design"]
    variants = list(growth.variants(growth.SMALL // 2 if quick else growth.SMALL))
    return [
        _counts("growth", "passes as the economy grows", grown, growth.FIGURES, footer),
        Sheet("words", "words exchanged in a cycle, for one column", head, words),
        _counts("variants", "passes on what solvers have to meet", variants, (3,), ""),
    ]


def _nightly(quick: bool) -> Sheet:
    from ogas.benchmarks import nightly
    from ogas.benchmarks.machine import description

    data = os.environ.get("OGAS_DATA")
    size, folder = nightly.QUICK if quick else nightly.Size(), Path(data) if data else None
    rows = [
        [
            *(one.economy, one.change, one.warm, one.cold),
            *(f"{one.seconds:.3g}", f"{one.cold_seconds:.3g}"),
            *(f"{one.written:,}" if one.stored else "-", f"{one.stored:,}" if one.stored else "-"),
        ]
        for one in nightly.costs(size, folder)
    ]
    head = ["economy", "what", "passes", "from nothing", "seconds", "from nothing, s"]
    footer = f"three figures of every product, proven; {description()}"
    named = [*head, "bytes written", "bytes of all blocks"]
    return Sheet("nightly", "a night, and a plan from nothing", named, rows, footer)


def _counts(
    name: str, title: str, counts: Iterable["Count"], figures: tuple[int, ...], footer: str
) -> Sheet:
    """Return counts of passes as a table."""
    rows = [
        [
            *(count.economy, count.balance, count.method),
            *(passes or "-" for passes in count.passes),
            *("/".join(str(number) for number in count.exchanges), count.design),
        ]
        for count in counts
    ]
    numbers = [f"{n} figures" for n in figures]
    head = ["economy", "balance", "method", *numbers, "exchanges", "design"]
    while not any(row[-1] for row in rows):  # neither exchanges nor promises
        head, rows = head[:-1], [row[:-1] for row in rows]
    return Sheet(name, title, head, rows, footer)


def _start(quick: bool) -> Sheet:
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
    return Sheet("start", "seconds from shell to shell", head, rows)


def _answer(sheets: list[Sheet], output: Path | None) -> Answer:
    """Return tables as an answer, and write them as CSV where asked.

    The JSON object holds the first table as it is, and the others by their names.
    """
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        for sheet in sheets:
            with (output / f"{sheet.name}.csv").open("w", newline="") as stream:
                csv.writer(stream).writerows([sheet.head, *sheet.rows])

    def show() -> None:
        from ogas.cluster.printing import Column, print_table
        from ogas.cluster.summary import console

        out = console()
        for sheet in sheets:
            names, *others = (
                Column(head, [str(row[k]) for row in sheet.rows], is_left=head in LEFT)
                for k, head in enumerate(sheet.head)
            )
            print_table(out, names, others, sheet.title)
            out.print(f"{sheet.footer}\n" if sheet.footer else "")

    facts = sheets[0].facts | {sheet.name: sheet.facts for sheet in sheets[1:]}
    return Answer(facts, show)
