"""The classical set on published tables: ogas, pymrio and MARIO, each in a process of its own.

The others are given the arrays in memory and form the dense inverse once, in a row of its own;
nothing of theirs is bounded. MARIO pins its versions and is looked for in the Python that the
variable OGAS_MARIO names, else in this one (pymrio: OGAS_PYMRIO).
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ogas.benchmarks.claims.limited import Limits, ended, free_memory
from ogas.datasets.catalog import locate
from ogas.datasets.forms import read
from ogas.datasets.gallery import write
from ogas.datasets.recipes import Parameters
from ogas.datasets.store import open_store, publish
from ogas.engine.balance import demand_of
from ogas.engine.exchange import available_cores
from ogas.engine.table import Table

PUBLISHED = ("wiod13_world_2005", "bea2012_detail_hours_after")
FACTORS, MANY = 4, 16
FIGURES = 6  # as they are timed
CLOSE = 10  # as they are compared
PATIENCE = 900.0  # seconds for a process
SEED = 60301
ORDER = ("inverse", "multipliers", "linkages", "ghosh", "database", "paths", "extraction")
LARGE, LARGE_SET = 1_000_000, ("multipliers", "linkages", "paths")
OFFERED = ("multipliers", "linkages", "ghosh", "paths")  # by others too
PEERS = ("pymrio", "mario")
THEIR_OWN = ("inverse", "database")  # which ours does without

Facts = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One result on one table: seconds of each, and how far theirs is from ours.

    ``ours`` and others are the facts that the process told, with ``why`` where it failed.
    """

    economy: str
    what: str
    ours: Facts
    others: dict[str, Facts]
    differences: dict[str, float | None]


def rows(quick: bool, folder: Path | None) -> Iterator[Row]:
    """Measure the tables that there are: the bundled one, and published ones in a folder."""
    yield from _compared("us-2021", open_store(locate("us-2021")).load())
    if quick or folder is None:
        return
    for name in PUBLISHED:
        if (file := folder / f"{name}.npz").is_file():
            yield from _compared(name, read(file).table)


def large(products: int = LARGE) -> Iterator[Row]:
    """Measure ogas alone, where a dense inverse would take terabytes."""
    with TemporaryDirectory() as name:
        place = Path(name)
        write("sectors:S1", place / "table", Parameters(products=products, seed=SEED))
        np.save(place / "factors.npy", _drawn(MANY, products))
        told = _ours(place, 3, LARGE_SET)
        for what in LARGE_SET:
            yield Row(f"sectors:S1, {products:,}", what, told[what], {}, {})


def _compared(name: str, table: Table) -> Iterator[Row]:
    with TemporaryDirectory() as folder:
        place = Path(folder)
        _hand_over(table, place)
        ours = _ours(place, FIGURES, (*OFFERED, "extraction"))
        _ours(place, CLOSE, OFFERED)  # in place of those to six figures
        others = {peer: _theirs(peer, place) for peer in PEERS}
        for what in ORDER:
            theirs = {peer: told.get(what, _missing(told)) for peer, told in others.items()}
            if what not in ours and not any("seconds" in facts for facts in theirs.values()):
                continue
            away = {peer: _difference(place, peer, what) for peer in others}
            mine = {"why": "-"} if what in THEIR_OWN else ours[what]
            yield Row(name, what, mine, theirs, away)


def _missing(told: Facts) -> Facts:
    return {"why": told.get("why", "not offered")}


def _drawn(count: int, products: int) -> Any:
    return np.random.default_rng(SEED).uniform(0.05, 1.0, (count, products))


def _hand_over(table: Table, place: Path) -> None:
    """Write a table for all; its output is balanced, for MARIO adds it up from the uses."""
    A = table.coefficients.toarray()
    output = np.linalg.solve(np.eye(len(table)) - A, demand_of(table).nominal)
    publish(place / "table", replace(table, output=np.maximum(output, 0.0)))
    np.save(place / "A.npy", A)
    np.save(place / "output.npy", np.maximum(output, 0.0))
    np.save(place / "demand.npy", demand_of(table).nominal)
    np.save(place / "factors.npy", _drawn(FACTORS, len(table)))


def _ours(place: Path, figures: int, wanted: Sequence[str]) -> Facts:
    words = [sys.executable, "-m", f"{__package__}.ours", "table", ".", str(figures), *wanted]
    told = _run(words, place)
    return dict.fromkeys(wanted, told) if "why" in told else told


def _theirs(peer: str, place: Path) -> Facts:
    python = os.environ.get(f"OGAS_{peer.upper()}", sys.executable)
    return _run([python, str(Path(__file__).with_name("theirs.py")), peer, "."], place)


def _run(words: Sequence[str], place: Path) -> Facts:
    """Run a process; what it told, or ``why`` it told nothing."""
    threads = {f"{name}_NUM_THREADS": str(available_cores()) for name in ("OMP", "OPENBLAS")}
    try:
        found = ended(words, place, Limits(PATIENCE, free_memory()), dict(os.environ) | threads)
    except OSError as error:
        return {"why": f"{words[0]}: {error.strerror}"}
    if found.code == 0:
        told: Facts = json.loads(found.out.splitlines()[-1])
        return told
    lines = found.error.strip().splitlines() or [f"ended with code {found.code}"]
    return {"why": found.why or lines[-1][:200]}


def _difference(place: Path, peer: str, what: str) -> float | None:
    """Return how far their numbers are from ours, relatively to the largest; None if not alike."""
    files = [place / f"{who}-{what}.npy" for who in ("ours", peer)]
    if not all(file.is_file() for file in files):
        return None
    ours, theirs = (np.load(file) for file in files)
    if ours.shape != theirs.shape:
        return None
    known = np.isfinite(ours) & np.isfinite(theirs)
    return float(np.max(np.abs(ours - theirs)[known], initial=0.0) / np.max(np.abs(ours[known])))
