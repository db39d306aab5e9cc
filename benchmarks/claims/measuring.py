"""A row measured: drawn or imported, planned by the command line, and handed to other solvers.

Every command runs in a process of its own. A plan is made on every core and on one thread; the
seconds are those the command itself reports, by stage. Memory is read at the time, on as many
threads, for the share of its bandwidth that the passes used. The last plan is verified without the
solver, from what is on disk.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ogas.benchmarks.claims import disk
from ogas.benchmarks.claims.claim import Row
from ogas.benchmarks.claims.commands import Said, said
from ogas.benchmarks.claims.limited import Limits, ended, free_memory, threads_of
from ogas.benchmarks.claims.peer import PEERS
from ogas.benchmarks.runs import reading
from ogas.cluster.answer import CERTIFIED, DAMAGED, DOES_NOT_FIT, NOT_REACHED
from ogas.engine.exchange import available_cores

STREAM, PIECES = 80_000_000, 20  # numbers that memory reads
HANDING_OVER = 3_600.0  # seconds at most
LARGEST_VERIFIED = 250_000_000  # nonzeros; to verify takes all of the table in float64
MISSING = -2  # the code of a table that nobody could import
FAILED = "failed"
STATES = {
    CERTIFIED: "certified",
    NOT_REACHED: "not certified",
    DOES_NOT_FIT: "does not fit",
}

Facts = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """What rows are measured with.

    Attributes
    ----------
    folder : Path
        For tables and plans, emptied after every row.
    tables : Path or None
        Of published tables.
    threads : tuple of int
        Plans are made on so many, in turn; 0 for every core.
    patience : float
        Seconds that another solver may take.
    """

    folder: Path
    tables: Path | None
    threads: tuple[int, ...] = (0, 1)
    patience: float = 120.0


def measured(row: Row, bench: Bench) -> Facts:
    """Return what was found on a row; never raises for what a command or a solver did."""
    made = _made(row, bench)
    found: Facts = {"made": asdict(made)}
    if made.code:
        return found | {"state": _unmade(row, made), "why": made.facts["message"]}
    table = bench.folder / "table"
    if row.memory:
        found["disk"] = disk.bandwidth(table)
    with disk.as_if_memory_were_full(table) if row.memory else nullcontext():
        runs = list(_runs(row, bench))
    found["runs"] = [asdict(run) for run in runs]
    found["reading"] = {str(count): _bandwidth(count) for count in bench.threads}
    last = runs[-1]
    if not last.code and made.facts["nonzeros"] <= LARGEST_VERIFIED:
        last = said(bench.folder, "verify", "plan.zarr")
        found["verified"] = asdict(last)
    found |= {"state": STATES.get(last.code, FAILED), "why": last.facts.get("message", "")}
    return found | (_beside(row, bench) if row.peers and not last.code else {})


def _made(row: Row, bench: Bench) -> Said:
    """Draw or import the table."""
    work = row.work
    if row.kind != "published":
        sizes = ("--products", work.products, "--inputs", work.inputs, "--seed", work.seed)
        return said(bench.folder, "generate", work.recipe, "table", *map(str, sizes))
    file = published_file(row, bench)
    if file is None:
        return Said("", MISSING, 0.0, {"message": f"OGAS_DATA has no {work.recipe}.npz"})
    return said(bench.folder, "import", file, "table")


def published_file(row: Row, bench: Bench) -> Path | None:
    """Return where the published table of a row is; None if it is not there."""
    file = None if bench.tables is None else bench.tables / f"{row.work.recipe}.npz"
    return file if file is not None and file.is_file() else None


def _unmade(row: Row, made: Said) -> str:
    """Return the state of a row without a table: there is no room, or no such recipe, or else."""
    if made.code == MISSING or "unknown recipe" in made.facts["message"]:
        return "skipped"
    lacks_room = row.kind != "published" and made.code == DAMAGED
    return STATES[DOES_NOT_FIT] if lacks_room else FAILED


def _runs(row: Row, bench: Bench) -> Iterator[Said]:
    """Plan and price, on every number of threads; a failure is the last one.

    What does not fit is tried once more with as much memory as is free, by which the command may
    find another way.
    """
    memory = row.memory
    for command in row.commands:
        for count in bench.threads if command == "plan" else bench.threads[:1]:
            threads = ("--threads", str(count)) if count else ()
            words = (command, "table", "--digits", str(row.work.figures), *threads)
            run = _run(bench.folder, words, memory)
            if run.code == DOES_NOT_FIT and not memory:
                memory = str(free_memory())
                run = _run(bench.folder, words, memory)
            yield run
            if run.code:
                return


def _run(folder: Path, words: tuple[str, ...], memory: str) -> Said:
    allowed = ("--memory", memory) if memory else ()
    return said(folder, *words, *allowed, "-o", f"{words[0]}.zarr")


def _bandwidth(threads: int) -> float:
    """Return the bytes that memory brings in a second to so many threads; 0 for every core."""
    pieces = list(np.ones((PIECES, STREAM // PIECES)))
    return 8.0 / reading(pieces, threads or available_cores())


def _beside(row: Row, bench: Bench) -> Facts:
    """Hand the table over, and run the other solvers on it."""
    words = ["handover", "table", "plan.zarr", "."]
    handed = _module(words, bench, Limits(HANDING_OVER, free_memory()), threads=0)
    if "why" in handed:
        return {"solvers": {}, "handover": handed}
    peers = {name: _peer(name, row, bench) for name in row.peers}
    return {"solvers": peers, "handover": handed}


def _peer(name: str, row: Row, bench: Bench) -> Facts:
    limits = Limits(bench.patience, free_memory())
    words = ["peer", name, str(row.work.figures), "."]
    found = _module(words, bench, limits, PEERS[name].threads)
    return {"what": PEERS[name].what, "threads": PEERS[name].threads, **found}


def _module(words: list[str], bench: Bench, limits: Limits, threads: int) -> Facts:
    """Run a module of this package; its JSON object, or ``why`` there is none."""
    name, *rest = words
    command = [sys.executable, "-m", f"{__package__}.{name}", *rest]
    found = ended(command, bench.folder, limits, dict(os.environ) | threads_of(threads))
    spent = {"wall": found.seconds, "most_memory": found.memory}
    if found.code == 0:
        facts: Facts = json.loads(found.out.splitlines()[-1])
        return spent | facts
    lines = found.error.strip().splitlines() or [f"killed by the system, code {found.code}"]
    return spent | {"why": found.why or lines[-1]}
