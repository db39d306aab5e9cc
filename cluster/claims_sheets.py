"""What `ogas bench claims` prints, and the page that it writes: published claims, and ours."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ogas.cluster.answer import CERTIFIED, NOT_REACHED
from ogas.cluster.sheet import Sheet

if TYPE_CHECKING:
    from ogas.benchmarks.claims.lines import Line

FOLDER, QUICK_FOLDER = Path("claims"), Path("claims-quick")
QUICK_PATIENCE = 20.0  # seconds for another solver
PAGE = "index.html"


def sheets(quick: bool, output: Path | None) -> tuple[Path, list[Sheet], int, str]:
    """Measure what is not yet known; return the folder, tables, exit code and a complaint."""
    from ogas.benchmarks.claims import page, results, rows
    from ogas.benchmarks.claims.lines import Line
    from ogas.benchmarks.claims.measuring import Bench
    from ogas.cluster.progress import counting
    from ogas.datasets.atomic import write_text

    folder = output or (QUICK_FOLDER if quick else FOLDER)
    data = os.environ.get("OGAS_DATA")
    bench = Bench(folder, Path(data) if data else None)
    if quick:
        bench = Bench(folder, bench.tables, (0,), QUICK_PATIENCE)
    with counting("measuring claims", "rows") as progress:
        found = results.results(rows.QUICK if quick else rows.ROWS, folder, bench, progress)
    lines = [Line(facts) for facts in found]
    write_text(folder / PAGE, page.page(lines))
    failed = [line.name for line in lines if line.state in ("not certified", "failed")]
    complaint = f"not certified: {', '.join(failed)}; see {folder / PAGE}" if failed else ""
    code = NOT_REACHED if failed else CERTIFIED
    return folder, [_claims(lines, folder), _solvers(lines)], code, complaint


def _claims(lines: "Sequence[Line]", folder: Path) -> Sheet:
    rows = [_claim(line) for line in lines]
    head = ["row", "what", "products", "nonzeros", "published", "figures", "passes", "passes, s"]
    footer = (
        "published: seconds, of the first claim; passes, s: solving and proving; whole, s: from "
        f"disk to disk. The page: {folder / PAGE}"
    )
    named = [*head, "whole, s", "GB", "outcome"]
    return Sheet("claims", "published claims, measured again", named, rows, footer)


def _claim(line: "Line") -> list[Any]:
    from ogas.benchmarks.claims.lines import computing

    claims, run = line.facts["claims"], line.reaction
    then = claims[0]["seconds"] if claims else None
    numbers: list[Any] = ["-"] * 5
    if run is not None:
        numbers = [
            *(run["digits_certified"], run["passes"], f"{computing(run):.4g}"),
            *(f"{run['seconds']['total']:.4g}", f"{run['peak_memory_bytes'] / 1e9:.3g}"),
        ]
    sizes = [f"{line.products:,}", f"{line.nonzeros:,}"]
    said = "-" if then is None else f"{then:.4g}"
    return [line.name, line.facts["title"], *sizes, said, *numbers, line.state]


def _solvers(lines: "Sequence[Line]") -> Sheet:
    from ogas.benchmarks.claims.lines import computing

    rows: list[list[Any]] = []
    for line in lines:
        for solver in line.solvers.values():
            alone = line.plan if solver["threads"] == 0 else line.alone or line.plan
            ours = f"{computing(alone):.4g}" if alone else "-"
            if "seconds" not in solver:
                rows.append([line.name, solver["what"], "-", ours, "-", solver["why"]])
                continue
            wanted = "as asked" if solver["figures"] >= line.work["figures"] else "too few figures"
            taken = f"{solver['seconds']:.4g}"
            rows.append([line.name, solver["what"], taken, ours, solver["figures"], wanted])
    footer = "seconds of solving, ours with proof; figures: reached, found out against the truth"
    head = ["row", "solver", "s", "ours, s", "figures", "outcome"]
    return Sheet("solvers", "other solvers on the same matrices", head, rows, footer)
