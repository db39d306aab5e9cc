"""How long a plan takes again when some demands have changed: warm, and from nothing.

Of a planned economy a share of the products, drawn once for all, is wanted up to half more or less
than before. The new demand is a CSV file of all products, and its reading is part of the time.
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ogas.benchmarks.claims.claim import Row
from ogas.benchmarks.claims.commands import Said, said
from ogas.benchmarks.claims.measuring import FAILED, STATES, Bench, Facts, measured
from ogas.datasets.store import open_store
from ogas.engine.balance import demand_of
from ogas.engine.header import Header

SEED = 60_317
SHARES = (0.0001, 0.001, 0.01)
SPREAD = (0.5, 1.5)


def revised(row: Row, bench: Bench) -> Facts:
    """Measure a row as any other, and then its plans for changed demands."""
    found = measured(row, bench)
    if found["state"] != "certified":
        return found
    header = open_store(bench.folder / "table").header()
    found["revisions"] = list(_revisions(row, bench, header))
    failed = [run for one in found["revisions"] for run in one["runs"] if run["code"]]
    if failed:
        found |= {"state": STATES.get(failed[0]["code"], FAILED)}
        found |= {"why": failed[0]["facts"].get("message", "")}
    return found


def _revisions(row: Row, bench: Bench, header: Header) -> Iterator[dict[str, Any]]:
    draw = np.random.default_rng(SEED)
    for share in SHARES:
        changed = max(round(share * len(header)), 1)
        demand = demand_of(header).nominal.copy()
        demand[draw.choice(len(header), changed, replace=False)] *= draw.uniform(*SPREAD, changed)
        with (bench.folder / "demand.csv").open("w", encoding="utf-8") as stream:
            stream.write("id,demand\n")
            stream.writelines(
                f"{name},{amount!r}\n"
                for name, amount in zip(header.ids.tolist(), demand.tolist(), strict=True)
            )
        runs = [_run(row, bench.folder, warm) for warm in ((), ("--warm", "plan.zarr"))]
        yield {"share": share, "changed": changed, "runs": [asdict(run) for run in runs]}


def _run(row: Row, folder: Path, warm: tuple[str, ...]) -> Said:
    wanted = ("--demand", "demand.csv", "--digits", str(row.work.figures))
    return said(folder, "plan", "table", *wanted, *warm, "-o", "revised.zarr")
