"""One publisher at a time, and nothing left of those who failed.

A publisher that is killed leaves temporaries, which the next one removes, and perhaps complete
groups that no manifest names, which the next one uses if it needs them. A publisher that fails (a
full disk, a bad entry, Ctrl-C) takes back what it added, unless it is interrupted in work that can
be continued.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ogas.datasets.atomic import clear_temporaries, exclusive
from ogas.datasets.unfinished import UNFINISHED
from ogas.engine.errors import WrongUsageError

FOLDERS = ("blocks", "vectors", "versions", "plans", "pins", "nights", UNFINISHED)


@contextmanager
def publishing(path: Path, keeps: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Hold the lock, sweep up after a killed writer, and take back what a failure leaves.

    What an interruption leaves stays if ``keeps`` says so.
    """
    new = not _names(path) - {"lock"}  # all that is left of who is killed right at the start
    if not new and not (path.is_dir() and any((path / folder).is_dir() for folder in FOLDERS)):
        raise WrongUsageError(
            "this is not a table directory and not empty",
            where=str(path),
            advice="choose a new name for the table",
        )
    with exclusive(path / "lock"):
        for folder in (path, *(path / folder for folder in FOLDERS)):
            clear_temporaries(folder)
        before, pointer = _members(path), _pointer(path)
        try:
            yield
        except BaseException as error:
            kept = isinstance(error, KeyboardInterrupt) and keeps()
            # Once the pointer names the new version, it is published, whatever failed after that.
            if _pointer(path) == pointer and not kept:
                _take_back(path, _members(path) - before, new)
            raise


def _names(path: Path) -> set[str]:
    """Return what stands in a directory; a file stands for itself."""
    if path.is_dir():
        return {member.name for member in path.iterdir()}
    return {path.name} if path.exists() else set()


def _take_back(path: Path, added: set[Path], new: bool) -> None:
    """Remove what a failed publication added; the whole directory if it was made for it."""
    for member in added:
        if member.is_dir():
            shutil.rmtree(member, ignore_errors=True)
        else:
            member.unlink(missing_ok=True)
    if new:
        (path / "lock").unlink(missing_ok=True)
        for folder in (*(path / name for name in FOLDERS), path):
            with suppress(OSError):
                folder.rmdir()


def _pointer(path: Path) -> bytes:
    file = path / "CURRENT"
    return file.read_bytes() if file.exists() else b""


def _members(path: Path) -> set[Path]:
    return {Path(entry) for folder in FOLDERS for entry in (path / folder).glob("*")}
