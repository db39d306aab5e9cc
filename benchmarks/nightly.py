"""What a night costs, beside planning afresh: passes, seconds, and bytes written.

Each case is a night of its own on the same table (`ogas.cluster.nights`), from the plan of the
night before; then the version it made is planned once more, from nothing. Published tables of
other years stand for years of change: the later one is planned from the plan of the earlier one.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from ogas.cluster.asking import order_of
from ogas.cluster.jobs.api import asked
from ogas.cluster.nights.night import nights
from ogas.cluster.nights.specification import Night
from ogas.cluster.planning import ThisProcess, carry_out
from ogas.datasets import forms, gallery
from ogas.datasets.columns import write_rows
from ogas.datasets.recipes import Parameters
from ogas.datasets.store import open_store, publish
from ogas.datasets.stored_block import stored_bytes
from ogas.engine.header import Header
from ogas.engine.table import Integers

FIRST = date(2026, 1, 1)
SEED = 6011
HEAD = ("change", "of", "product", "input", "value")
YEARS = (
    ("the world 1995 to 2005", "wiod13_world_1995", "wiod13_world_2005"),
    ("United States 2012 to 2017", "bea2012_detail_hours_after", "bea2017_detail_hours_after"),
)

Row = tuple[str, str, str, str, str]
Changing = Callable[[Header, np.random.Generator], list[Row]]


@dataclass(frozen=True)
class Size:
    """The synthetic economies and how large they are."""

    recipes: tuple[str, ...] = ("sectors:S1", "sectors:S3")
    products: int = 1_000_000
    inputs: float = 100.0


QUICK = Size(("sectors:S1",), 3_000, 30.0)


@dataclass(frozen=True)
class Cost:
    """What a night took, and a plan from nothing.

    Attributes
    ----------
    economy, change : str
    warm, cold : int
        Passes to three figures of every product, the certificate included.
    seconds, cold_seconds : float
        From disk to disk; the night with its report.
    written, stored : int
        Bytes that the night wrote, and that the table takes; 0 where nothing was counted.
    """

    economy: str
    change: str
    warm: int
    cold: int
    seconds: float
    cold_seconds: float
    written: int = 0
    stored: int = 0


def recipes(header: Header, draw: np.random.Generator) -> list[Row]:
    """Change one recipe in a thousand by up to 5 %, anywhere."""
    return _recipes(header, draw, np.arange(len(header)))


def recipes_of_a_block(header: Header, draw: np.random.Generator) -> list[Row]:
    """Change as many recipes, or all that there are, of the first block."""
    assert header.blocks is not None
    return _recipes(header, draw, np.flatnonzero(header.blocks == 0))


def _recipes(header: Header, draw: np.random.Generator, among: Integers) -> list[Row]:
    count = min(max(1, len(header) // 1000), len(among))
    found = draw.choice(among, count, replace=False)
    factors = draw.uniform(0.95, 1.05, len(found))
    return [
        ("scale", "coefficient", str(header.ids[product]), "", repr(float(factor)))
        for product, factor in zip(found, factors, strict=True)
    ]


def demands(header: Header, draw: np.random.Generator) -> list[Row]:
    """Change one demand in a hundred by up to 10 %."""
    return _demands(header, draw, 0.01, 0.1)


def all_demands(header: Header, draw: np.random.Generator) -> list[Row]:
    """Change all demands by up to 1 %."""
    return _demands(header, draw, 1.0, 0.01)


def one_product(header: Header, draw: np.random.Generator) -> list[Row]:
    """Raise the demand for one product by 10 %."""
    assert header.demand is not None
    product = int(draw.choice(np.flatnonzero(header.demand)))
    return [("scale", "demand", str(header.ids[product]), "", "1.1")]


CASES: tuple[tuple[str, Changing], ...] = (
    ("0.1 % of recipes, ± 5 %", recipes),
    ("as many, of one block", recipes_of_a_block),
    ("1 % of demand, ± 10 %", demands),
    ("all demand, ± 1 %", all_demands),
    ("one product, + 10 %", one_product),
)


def costs(size: Size, folder: Path | None) -> Iterator[Cost]:
    """Yield what every case costs; ``folder`` has the published tables."""
    for recipe in size.recipes:
        with tempfile.TemporaryDirectory(prefix="ogas-nightly-") as place:
            yield from _synthetic(recipe, size, Path(place))
    for title, *names in YEARS:
        files = [] if folder is None else [folder / f"{name}.npz" for name in names]
        if files and all(file.is_file() for file in files):
            with tempfile.TemporaryDirectory(prefix="ogas-nightly-") as place:
                yield _years(title, files, Path(place))


def _synthetic(recipe: str, size: Size, place: Path) -> Iterator[Cost]:
    spec = Night(place / "table", place / "inbox", quiet=0, explain=0)
    spec.inbox.mkdir()
    parameters = Parameters(size.products, size.inputs, seed=SEED)
    gallery.write(recipe, spec.table, parameters)
    _night(spec, FIRST)
    draw = np.random.default_rng(SEED)
    for number, (title, changing) in enumerate(CASES, start=1):
        header = open_store(spec.table).header()
        write_rows(spec.inbox / f"{number}.csv", HEAD, changing(header, draw))
        before = _files(spec.table)
        facts, seconds = _night(spec, FIRST + timedelta(days=number))
        written = sum(n for file, n in _files(spec.table).items() if before.get(file) != n)
        cold = _planned(spec.table, place / "cold.zarr", None)
        stored = sum(map(stored_bytes, open_store(spec.table).manifest.content.blocks))
        yield Cost(
            f"{recipe}, {size.products:,} products",
            title,
            *(facts["passes"], cold["passes"], seconds, cold["seconds"]["total"]),
            *(written, stored),
        )


def _years(title: str, files: list[Path], place: Path) -> Cost:
    earlier, later = (place / name for name in ("earlier", "later"))
    for table, file in zip((earlier, later), files, strict=True):
        publish(table, forms.read(file).table)
    _planned(earlier, place / "earlier.zarr", None)
    warm = _planned(later, place / "warm.zarr", place / "earlier.zarr")
    cold = _planned(later, place / "cold.zarr", None)
    passes = warm["passes"], cold["passes"]
    return Cost(title, "as published", *passes, *(run["seconds"]["total"] for run in (warm, cold)))


def _night(spec: Night, day: date) -> tuple[Any, float]:
    start = time.perf_counter()
    (found,) = nights(spec, day)
    if found.code:
        raise RuntimeError(found.complaint)
    return found.facts, time.perf_counter() - start


def _planned(table: Path, target: Path, warm: Path | None) -> Any:
    wanted = asked("plan", table, output=target, warm=warm)
    return carry_out(order_of(wanted), ThisProcess()).facts


def _demands(header: Header, draw: np.random.Generator, share: float, most: float) -> list[Row]:
    assert header.demand is not None
    wanted = np.flatnonzero(header.demand)
    found = draw.choice(wanted, max(1, int(share * len(wanted))), replace=False)
    factors = draw.uniform(1 - most, 1 + most, len(found))
    return [
        ("scale", "demand", str(header.ids[product]), "", repr(float(factor)))
        for product, factor in zip(found, factors, strict=True)
    ]


def _files(table: Path) -> dict[Path, int]:
    return {file: file.stat().st_size for file in table.rglob("*") if file.is_file()}
