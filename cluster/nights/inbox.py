"""The inbox: which change files a night takes.

    inbox/2026-11-22-prices.csv      for that date; so is inbox/2026-11-22/prices.csv
    inbox/prices.csv                 for the next night, whenever that is

A file that arrives after the night of its date is done belongs to the next one. Files stay where
they are: what was taken is on record, by name and digest. Those whose names begin with a point or
end in ``.part``, ``.tmp`` or ``~`` are not there yet.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from blake3 import blake3

from ogas.datasets.changes import SUFFIXES
from ogas.engine.errors import DamagedError

DATED = re.compile(r"(\d{4}-\d{2}-\d{2})([-._].*)?$")
UNFINISHED = (".part", ".tmp", "~")
LOOK_AGAIN = 0.5  # seconds

Taken = Mapping[str, set[str]]
"""Digests of the files that were taken before, by name."""


@dataclass(frozen=True)
class Arrived:
    """A change file, and the date it is for; None if it says none."""

    file: Path
    date: date | None


def arrived(inbox: Path, taken: Taken) -> list[Arrived]:
    """Return the files that no night has taken yet.

    Raises
    ------
    DamagedError
        If there is no inbox.
    """
    if not inbox.is_dir():
        raise DamagedError(
            "there is no inbox here",
            where=str(inbox),
            advice="make the folder, or correct its path",
        )
    return [
        Arrived(file, when)
        for file, when in _files(inbox)
        if digest_of(file) not in taken.get(name_of(inbox, file), ())
    ]


def name_of(inbox: Path, file: Path) -> str:
    """Return the name of a file on record: its path in the inbox."""
    return file.relative_to(inbox).as_posix()


def digest_of(file: Path) -> str:
    """Return the digest of a file's bytes."""
    return blake3(file.read_bytes()).hexdigest()


def dates_due(found: Sequence[Arrived], done: date | None, until: date) -> list[date]:
    """Return the dates to work through, in order: those with files, and the last one."""
    late = {one.date for one in found if one.date is not None and one.date < until}
    return [*sorted(one for one in late if done is None or one > done), until]


def files_for(
    found: Sequence[Arrived], day: date, done: date | None, *, is_last: bool
) -> list[Path]:
    """Return the files of a date; the last date of a run takes what has none, and what is late.

    ``done`` is the last date that was done before this run.
    """
    return [
        one.file
        for one in found
        if one.date == day
        or (is_last and (one.date is None or (done is not None and one.date <= done)))
    ]


def wait_until_quiet(
    files: Sequence[Path],
    quiet: float,
    patience: float,
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until nobody writes to the files any more.

    Raises
    ------
    DamagedError
        If somebody still does when patience ends.
    """
    end = clock() + patience
    while True:
        # A time of writing in the future is a clock that went wrong, and no reason to wait.
        fresh = [file for file in files if 0 <= clock() - file.stat().st_mtime < quiet]
        if not fresh:
            return
        if clock() >= end:
            raise DamagedError(
                "this file is still being written",
                where=str(fresh[0]),
                advice="write it under a name that ends in .part, and rename it when it is whole",
            )
        sleep(LOOK_AGAIN)


def _files(inbox: Path) -> Iterator[tuple[Path, date | None]]:
    for entry in sorted(inbox.iterdir()):
        if entry.is_dir() and (day := _date(entry.name)) is not None:
            yield from ((file, day) for file in sorted(entry.iterdir()) if _is_whole(file))
        elif _is_whole(entry):
            yield entry, _date(entry.stem)


def _is_whole(file: Path) -> bool:
    name = file.name
    return (
        file.is_file()
        and not name.startswith(".")
        and not name.endswith(UNFINISHED)
        and (file.suffix in SUFFIXES)
    )


def _date(name: str) -> date | None:
    found = DATED.match(name)
    try:
        return None if found is None else date.fromisoformat(found.group(1))
    except ValueError:
        return None
