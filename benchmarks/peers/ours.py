"""The classical set by ogas, in a process of its own: ``python -m ogas.benchmarks.peers.ours``.

The arguments are a table directory, a folder for results, figures to prove, and the results that
are wanted. Factors come from the folder where `handover` put them, else they are the table's.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ogas.cluster.memory import peak_memory
from ogas.datasets.store import open_store
from ogas.engine.analyses.extraction import extraction
from ogas.engine.analyses.flows import ghosh
from ogas.engine.analyses.inverse import Inverse
from ogas.engine.analyses.linkages import linkages
from ogas.engine.analyses.multipliers import multipliers
from ogas.engine.analyses.paths import paths
from ogas.engine.balance import demand_of
from ogas.engine.choose import CACHED
from ogas.engine.interval import Interval
from ogas.engine.iterate import Precision
from ogas.engine.source import Source
from ogas.engine.table import Vector

LISTED = 100  # paths


def _of(columns: Any, *names: str) -> Any:
    return np.stack([columns[name].middle for name in names])


def _multipliers(inverse: Inverse) -> Any:
    return _of(multipliers(inverse).columns, "output", *inverse.header.factors)


def _linkages(inverse: Inverse) -> Any:
    return _of(linkages(inverse).columns, "backward", "forward supply")


def _paths(inverse: Inverse) -> Any:
    factor, wanted = next(iter(inverse.header.factors)), demand_of(inverse.header).nominal
    found = paths(inverse, factor, wanted, LISTED)
    column = found.columns["contribution"]
    return column.middle if isinstance(column, Interval) else None


RESULTS: dict[str, Callable[[Inverse], Any]] = {
    "multipliers": _multipliers,
    "linkages": _linkages,
    "ghosh": lambda inverse: _of(ghosh(inverse).columns, "supply multiplier")[0],
    "paths": _paths,
    "extraction": lambda inverse: _of(extraction(inverse, range(len(inverse))).columns, "complete")[
        0
    ],
}


def inverse_of(table: Path, folder: Path, figures: int) -> Inverse:
    """Return the inverse of a stored table with the factors that were handed over."""
    store = open_store(table)
    source = store.source()
    if source.nonzeros <= CACHED:
        source = Source.of(store.load())
    factors: dict[str, Vector] = dict(source.header.factors)
    if (file := folder / "factors.npy").is_file():
        factors = {f"factor {k}": row for k, row in enumerate(np.load(file))}
    header = replace(source.header, factors=factors, factor_units={})
    return Inverse(replace(source, header=header), Precision(figures))


def taken(inverse: Inverse, folder: Path, wanted: list[str]) -> dict[str, Any]:
    """Carry out some results, and say what each took."""
    found: dict[str, Any] = {}
    for what in wanted:
        done, start = len(inverse.ledger), time.perf_counter()
        result = RESULTS[what](inverse)
        spent, work = time.perf_counter() - start, inverse.ledger[done:]
        found[what] = {
            "seconds": spent,
            "passes": sum(one.passes for one in work),
            "columns": sum(one.columns for one in work),
            "certified": all(one.is_certified for one in work),
            "peak_memory_bytes": peak_memory(),
        }
        np.save(folder / f"ours-{what}.npy", result)
    return found


if __name__ == "__main__":
    from ogas.datasets.textbook import two_sectors

    table, place, figures, wanted = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
    # Kernels are read before the clock starts, as those of BLAS are: by the same run, if that is
    # short, for which kernels are needed depends on the table and its factors.
    asked = inverse_of(table, place, int(figures))
    is_short = asked.source.nonzeros <= CACHED
    taken(asked if is_short else Inverse(Source.of(two_sectors())), place, wanted)
    print(json.dumps(taken(inverse_of(table, place, int(figures)), place, wanted)))
