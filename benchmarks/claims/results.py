"""What was found, row by row in a folder, so that a long run can be taken up where it stopped.

    DIR/rows/NAME.json     one row: workload, claims, everything that was measured, and where
    DIR/index.html         the page

A row is done when its file has the same workload and was made by the same sources. What failed or
was skipped is tried again. Files are replaced in one step; killing a run loses the row in work.
"""

import datetime
import hashlib
import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from ogas.benchmarks.claims.claim import Row
from ogas.benchmarks.claims.commands import warm_up
from ogas.benchmarks.claims.measuring import Bench, Facts, measured
from ogas.benchmarks.claims.revising import revised
from ogas.benchmarks.claims.thinning import thinned
from ogas.benchmarks.machine import description
from ogas.cluster.answer import json_ready
from ogas.datasets.atomic import clear_temporaries, temporary_directory, write_text

PACKAGES = (
    *("ogas-engine", "numpy", "scipy", "numba", "zarr", "xarray"),
    *("pypardiso", "mkl", "pyamg", "pymrio", "bw2calc"),
)
ROOT = Path(__file__).parents[2]
FLOORS = ("kernels", "engine", "datasets", "cluster")
MODULES = ("measuring", "revising", "thinning", "commands", "disk", "limited", "handover", "peer")
AGAIN = ("failed", "skipped")
MEASURES = {"drawn": measured, "published": measured, "revised": revised, "thinned": thinned}


def results(
    rows: Sequence[Row],
    target: Path,
    bench: Bench,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[Facts]:
    """Return what is known of every row, after measuring those of which nothing is."""
    sources, found = _sources(), []
    work = target / "work"
    warm = False
    for number, row in enumerate(rows):
        progress(number, len(rows))
        key = {"workload": _defined(row, bench), "sources": sources}
        known = _known(target, row)
        if known is None or known["key"] != key or known["state"] in AGAIN:
            clear_temporaries(target, name=work.name)
            with temporary_directory(work) as folder:
                if not warm:
                    warm_up(folder)
                known = {"key": key, **asdict(row), **_where(), **_measured(row, bench, folder)}
            warm = True
            write_text(_file(target, row), json.dumps(json_ready(known), indent=1))
        said = {"title": row.title, "claims": [asdict(claim) for claim in row.claims]}
        found.append(known | said)  # words may have changed since
    progress(len(rows), len(rows))
    return found


def _measured(row: Row, bench: Bench, folder: Path) -> Facts:
    """Measure one row; a defect of ours is told like any other failure."""
    try:
        return MEASURES[row.kind](row, replace(bench, folder=folder))
    except Exception as error:
        return {"state": "failed", "why": f"{type(error).__name__}: {error}"}


def _known(target: Path, row: Row) -> Facts | None:
    try:
        known: Facts = json.loads(_file(target, row).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None
    return known if "key" in known and "state" in known else None


def _file(target: Path, row: Row) -> Path:
    return target / "rows" / f"{row.name}.json"


def _defined(row: Row, bench: Bench) -> dict[str, Any]:
    """Return what has to be the same for a result to count for this row."""
    asked = asdict(row) | {"threads": bench.threads, "patience": bench.patience}
    return dict(
        json_ready({name: asked[name] for name in asked if name not in ("title", "claims")})
    )


def _sources() -> str:
    """Return a digest of all that takes part in a measurement."""
    files = [file for floor in FLOORS for file in sorted((ROOT / floor).rglob("*.py"))]
    files += [Path(__file__).with_name(f"{name}.py") for name in MODULES]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _where() -> dict[str, Any]:
    """Return on what machine, with what software, and when."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        "machine": description(),
        "versions": {name: _version(name) for name in PACKAGES},
        "commit": _commit(),
        "date": now.isoformat(timespec="seconds"),
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """Return the commit of the checkout, marked where files differ from it; empty elsewhere."""
    words = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        found = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return found.stdout.strip()
