"""The small files of a job: JSON objects that are replaced whole, lines that are added, locks.

A record is replaced in one step, so a reader sees the old one or the new one. Replacing it for good
waits for the disk (milliseconds to tenths of a second); replacing it quickly does not, and a power
cut may leave such a file empty: only what may be lost is written so. Waiting for the disk or for a
lock blocks the thread; do it beside an event loop, not in one.

All processes that share a store must share its locks: a local file system, or NFS version 4 and
the like, which pass ``flock`` on to the server.
"""

import errno
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ogas.cluster.answer import json_ready
from ogas.datasets.atomic import PREFIX, said_plainly, write_text
from ogas.engine.errors import DamagedError, LockedError, WrongUsageError

# Whoever holds a lock writes a file or two and lets go; a disk that needs longer is not well.
PATIENCE = 5.0
LOOK_AGAIN = 0.01
DAMAGE_ADVICE = "restore it from a copy, or submit the job again under another id"


def now() -> str:
    """Return the time as records say it: UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def as_json(found: Mapping[str, Any]) -> str:
    """Return one line of JSON; infinities and NaN become null, paths become text."""
    return json.dumps(json_ready(found), allow_nan=False, default=str) + "\n"


def read_record(file: Path, advice: str = DAMAGE_ADVICE) -> dict[str, Any]:
    """Read the JSON object in ``file``.

    Raises
    ------
    DamagedError
        If the file is missing or holds something else.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DamagedError("the file is missing", where=str(file), advice=advice) from error
    except ValueError as error:  # bytes that are no text are a ValueError, too
        reason = f"truncated or altered ({str(error)[:80]})"
        raise DamagedError(reason, where=str(file), advice=advice) from error
    if not isinstance(found, dict):
        raise DamagedError("not a JSON object", where=str(file), advice=advice)
    return found


def replace_record(file: Path, found: Mapping[str, Any]) -> None:
    """Replace a record for good: when this returns, it survives a power cut."""
    write_text(file, as_json(found))


def replace_quickly(file: Path, found: Mapping[str, Any]) -> None:
    """Replace a record without waiting for the disk; a power cut may lose it, a kill cannot."""
    temporary = file.with_name(f"{PREFIX}{file.name}-{secrets.token_hex(4)}")
    try:
        with said_plainly(file):
            temporary.write_text(as_json(found), encoding="utf-8")
            os.replace(temporary, file)
    finally:
        with suppress(OSError):
            temporary.unlink()


def append_line(file: Path, found: Mapping[str, Any]) -> None:
    """Add one line of JSON to ``file``, in one write, also if others add lines at the same time.

    A line that a full disk has cut short is ended first, so that it spoils no other.
    """
    line = as_json(found).encode()
    with said_plainly(file):
        handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                line = b"\n" + line
            if os.write(handle, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        finally:
            os.close(handle)


def parse_lines(text: bytes) -> Iterator[dict[str, Any]]:
    r"""Yield the JSON objects among some lines; what a kill or a full disk has cut is passed over.

    >>> list(parse_lines(b'{"event": "started"}\n{"eve\n\n'))
    [{'event': 'started'}]
    """
    for line in text.splitlines():
        with suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                yield found


@contextmanager
def locked(lock: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock file ``lock`` while the body runs; wait for it up to ``patience`` seconds.

    The operating system drops the lock of a process that dies.

    Raises
    ------
    LockedError
        If another process, or another thread of this one, still holds it then.
    WrongUsageError
        If the place may not be written to, or its file system has no locks.
    DamagedError
        If the folder is gone.
    """
    try:
        with said_plainly(lock):
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    except FileNotFoundError as error:
        raise DamagedError(
            "the folder is gone", where=str(lock.parent), advice=DAMAGE_ADVICE
        ) from error
    try:
        _wait(handle, lock, time.monotonic() + patience)
        yield
    finally:
        # Closing is not enough where a child was forked meanwhile: it has the handle too.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def _wait(handle: int, lock: Path, deadline: float) -> None:
    """Lock an open file, or give up at the deadline."""
    while not _is_locked_now(handle, lock):
        if time.monotonic() >= deadline:
            raise LockedError(
                "another process has held this lock for too long",
                where=str(lock),
                advice="see with `fuser` which one, end it if it hangs, and repeat",
            )
        time.sleep(LOOK_AGAIN)


def _is_locked_now(handle: int, lock: Path) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise WrongUsageError(
            f"this file system has no locks ({error.strerror})",
            where=str(lock),
            advice="set OGAS_JOBS to a folder on one that has",
        ) from error
    return True
