"""The disk under a table: how fast it is, and keeping what was read from it out of memory."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from ogas.engine.streams import REQUESTS

PIECE = 4 * 2**20
AGAIN = 0.5  # seconds


def bandwidth(folder: Path) -> float:
    """Return the bytes in a second that the files of a folder come in from the disk, read once."""
    files = _files(folder)
    _put_away(files)
    start = time.perf_counter()
    with ThreadPoolExecutor(REQUESTS) as pool:
        read = sum(pool.map(_read, files))
    return read / (time.perf_counter() - start)


@contextmanager
def as_if_memory_were_full(folder: Path) -> Iterator[None]:
    """Have the system forget what it keeps of the files of a folder, again and again.

    A machine with no more memory than a run is allowed could not keep it either.
    """
    files, is_over = _files(folder), Event()

    def forget() -> None:
        while not is_over.wait(AGAIN):
            _put_away(files)

    _put_away(files)
    thread = Thread(target=forget, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def _put_away(files: list[Path]) -> None:
    for file in files:
        number = os.open(file, os.O_RDONLY)
        try:
            os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(number)


def _read(file: Path) -> int:
    buffer, read = bytearray(PIECE), 0
    with open(file, "rb", buffering=0) as stream:
        while count := stream.readinto(buffer):
            read += count
    return read
