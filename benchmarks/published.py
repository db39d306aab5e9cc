"""How many passes published tables need, and how far the proven bounds are from the true error.

Every table of the folder ``OGAS_DATA`` and the bundled one, outputs and values, by the method that
is chosen where none is asked for; the tables of the world also by orders and tables, in a block for
every country. The true error is that against a dense solution in extended precision.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ogas.benchmarks.passes import (
    FIGURES,
    KINDS,
    Count,
    overshoot,
    problem_of,
    reads,
    solution,
    whole,
)
from ogas.benchmarks.truth import dense_solution
from ogas.datasets import forms
from ogas.datasets.catalog import locate
from ogas.datasets.store import open_store
from ogas.engine.choose import chosen
from ogas.engine.errors import PlanError
from ogas.engine.method import Method
from ogas.engine.source import Source
from ogas.engine.table import Table, Vector

WORLD = "world"
SEPARATOR = "|"  # between country and sector in their ids


def published(folder: Path | None, figures: tuple[int, ...] = FIGURES) -> Iterator[Count]:
    """Yield the passes on `us-2021` and on every square table of a folder, and overshoot."""
    yield from planned("us-2021 (bundled)", open_store(locate("us-2021")).load(), figures)
    for name, table in square(folder):
        yield from planned(name, table, figures)
        if WORLD in name:
            yield from planned(f"{name}, by country", by_country(table), figures)


def square(folder: Path | None) -> Iterator[tuple[str, Table]]:
    """Yield the tables of a folder by name; rectangular supply-use pairs are passed over."""
    for file in sorted(folder.glob("*.npz")) if folder is not None else ():
        try:
            table = forms.read(file).table
        except PlanError:
            continue
        yield file.stem, table


def by_country(table: Table) -> Table:
    """Return a table of the world with a block for every country."""
    countries = [str(name).split(SEPARATOR)[0] for name in table.ids]
    return replace(table, blocks=np.unique(countries, return_inverse=True)[1])


def planned(name: str, table: Table, figures: tuple[int, ...]) -> Iterator[Count]:
    """Yield the passes on one table by the method of choice."""
    method = chosen(Source.of(table))[0]
    for kind in KINDS:
        yield _counted((name, kind, method.name), table, method, figures)


def overshoots(counts: Iterable[Count]) -> Vector:
    """Return certified half-width over true error, ascending, where the error can be seen."""
    found: Vector = np.array([ratio for count in counts for ratio in count.overshoot])
    return np.sort(found[np.isfinite(found)])


def _counted(
    names: tuple[str, str, str], table: Table, method: Method, figures: tuple[int, ...]
) -> Count:
    kind = names[1]
    true, problem = dense_solution(whole(table, kind)(0)), problem_of(table, kind, method)
    runs = [solution(problem(wanted), method, wanted) for wanted in figures]
    ratios = [np.inf if run is None else overshoot(run.certificates[0], true) for run in runs]
    return Count(*names, tuple(reads(run) for run in runs), overshoot=tuple(ratios))
