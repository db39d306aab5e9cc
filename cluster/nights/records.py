"""What is on record of the nights of a table that are done.

    TABLE/nights/2026-11-22.json      what the night did, and the files it took
    TABLE/nights/2026-11-22.2.json    the second run for that date: files had come after the first

The pointer of the table names the last one; what stands there beside is of a night that was killed.
"""

import json
from datetime import date
from pathlib import Path

from ogas.cluster.nights.inbox import Taken
from ogas.datasets.arrays import damage_named
from ogas.datasets.manifest import read_pointer
from ogas.datasets.versions import NIGHTS


def date_of(record: str | None) -> date | None:
    """Return the date of a record: ``2026-11-22`` or ``2026-11-22.2``."""
    return None if record is None else date.fromisoformat(record[:10])


def records(table: Path, day: date | None = None) -> list[Path]:
    """Return the records of all nights that are done, or of one date."""
    last = read_pointer(table).night
    if last is None:
        return []
    found = ((_run(file.stem), file) for file in sorted((table / NIGHTS).glob("*.json")))
    return [
        file
        for (when, run), file in found
        if (when, run) <= _run(last) and (day is None or when == day.isoformat())
    ]


def taken(table: Path) -> Taken:
    """Return which files were taken by the nights that are done."""
    found: dict[str, set[str]] = {}
    for record in records(table):
        with damage_named(record):
            origins = json.loads(record.read_text(encoding="utf-8"))["files"]
            for origin in origins:
                found.setdefault(origin["file"], set()).add(origin["digest"])
    return found


def next_record(table: Path, day: date) -> str:
    """Return the name of the record that follows; what a killed run left there is replaced."""
    last = read_pointer(table).night
    if last is None or date_of(last) != day:
        return day.isoformat()
    return f"{day.isoformat()}.{_run(last)[1] + 1}"


def _run(record: str) -> tuple[str, int]:
    """Return the date of a record, and which run of that date it is of: ``2026-11-22.2``."""
    day, _, run = record.partition(".")
    return day, int(run or 1)
