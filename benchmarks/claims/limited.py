"""A process that may take so long and so much memory, and no more.

Memory is what is resident, looked at ten times a second: a limit on addresses (RLIMIT_AS) would
stop libraries that reserve far more than they use.
"""

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from ogas.engine.exchange import available_cores

INTERVAL = 0.1  # seconds
SHARE = 0.8  # of the memory that is free


@dataclass(frozen=True)
class Limits:
    """Seconds, and bytes of memory."""

    seconds: float
    memory: int


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes
    ----------
    code : int or None
        None if a limit was met, which ``why`` tells.
    out, error : str
    seconds : float
    memory : int
        The most that was seen, in bytes.
    why : str
    """

    code: int | None
    out: str
    error: str
    seconds: float
    memory: int
    why: str = ""


def free_memory() -> int:
    """Return how much of the memory that is free now a process may take."""
    return int(SHARE * psutil.virtual_memory().available)


def threads_of(count: int) -> dict[str, str]:
    """Return what tells numerical libraries how many threads to use; 0 for every core."""
    said = str(count or available_cores())
    return {f"{name}_NUM_THREADS": said for name in ("OMP", "MKL", "OPENBLAS")}


def ended(
    words: Sequence[str], folder: Path, limits: Limits, environment: Mapping[str, str]
) -> Ended:
    """Run a process in a folder; what is left of it when this returns is killed."""
    start = time.perf_counter()
    with (folder / "out.txt").open("w+b") as out, (folder / "err.txt").open("w+b") as error:
        process = subprocess.Popen(
            words, cwd=folder, env=dict(environment), stdout=out, stderr=error
        )
        try:
            most, why = _watched(process, limits, start)
        finally:
            process.kill()
            process.wait()
        spent = time.perf_counter() - start
        texts = [_text(stream) for stream in (out, error)]
    return Ended(None if why else process.returncode, texts[0], texts[1], spent, most, why)


def _watched(process: "subprocess.Popen[bytes]", limits: Limits, start: float) -> tuple[int, str]:
    most = 0
    while True:
        most = max(most, _resident(process.pid))
        if most > limits.memory:
            return most, f"out of memory: {most:,} bytes after {time.perf_counter() - start:.0f} s"
        if time.perf_counter() - start > limits.seconds:
            return most, f"out of time: {limits.seconds:,.0f} s"
        try:
            process.wait(INTERVAL)
        except subprocess.TimeoutExpired:
            continue
        return most, ""


def _resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:  # it has just ended
        return 0


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")
