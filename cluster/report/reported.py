"""What `ogas report` answers: the page about a plan, and its numbers as CSV files."""

from pathlib import Path
from typing import Any

from ogas.cluster.answer import Answer
from ogas.cluster.report.findings import findings
from ogas.cluster.report.html import Figure, csv_text
from ogas.cluster.report.page import page, sections
from ogas.cluster.report.words import memory
from ogas.cluster.summary import console, counted
from ogas.datasets.atomic import write_text
from ogas.datasets.plans import read_plan
from ogas.engine.errors import WrongUsageError


def reported(path: Path, target: Path | None, folder: Path | None, column: str) -> Answer:
    """Write the page about a plan; and one CSV file for every picture, where a folder is named.

    Raises
    ------
    PlanError
        If there is no plan, or it is damaged, or the page cannot be written; nothing is, then.
    """
    target = target or Path(f"{path.resolve().name.removesuffix('.zarr')}.html")
    if target.is_dir():
        raise WrongUsageError(
            "this is a folder", where=str(target), advice="name a file with -o FILE.html"
        )
    if folder is not None and folder.exists() and not folder.is_dir():
        raise WrongUsageError(
            "this is a file, not a folder", where=str(folder), advice="name a folder with --csv"
        )
    found = findings(read_plan(path), column)
    parts = sections(found)
    text = page(found, parts, str(path))
    figures = [one for _, some in parts.values() for one in some]
    files = [] if folder is None else _as_csv(figures, folder)
    write_text(target, text)
    facts = {
        "outcome": "reported",
        "report": str(target),
        "bytes": len(text.encode()),
        "pictures": [one.sheet.name for one in figures],
        "files": files,
        "missing": found.missing,
    }
    return Answer(facts, lambda: _show(facts))


def _as_csv(figures: list[Figure], folder: Path) -> list[str]:
    """Write what is behind every picture, and return where."""
    files = []
    for one in figures:
        file = folder / f"{one.sheet.name}.csv"
        write_text(file, csv_text(one.sheet))
        files.append(str(file))
    return files


def _show(facts: dict[str, Any]) -> None:
    out = console()
    size = f"{memory(facts['bytes'])}, {counted(len(facts['pictures']), 'picture')}"
    out.print(f"the report is {facts['report']} ({size}); open it in a browser")
    if facts["files"]:
        out.print(f"{counted(len(facts['files']), 'CSV file')} in {Path(facts['files'][0]).parent}")
    if facts["missing"]:
        out.print(f"not in it: {facts['missing']}")
