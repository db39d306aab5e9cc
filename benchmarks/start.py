"""How long a person waits: whole processes, from the shell and back, on this machine.

Every command runs several times, interleaved with a baseline: the same Python importing NumPy,
SciPy, Numba and Zarr and nothing else. What remains above the baseline is ours, but for what Numba
has to do before it can run the first loop.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OGAS = [sys.executable, "-c", "import sys; from ogas.cluster.cli import main; sys.exit(main())"]
BASELINE = "python, its libraries imported"
COMMANDS = {
    BASELINE: [sys.executable, "-c", "import numba, scipy.sparse.linalg, zarr"],
    "ogas --help": [*OGAS, "--help"],
    "ogas plan us-2021": [*OGAS, "plan", "us-2021"],
    "ogas verify us-2021-plan.zarr": [*OGAS, "verify", "us-2021-plan.zarr"],
}


@dataclass(frozen=True)
class Wait:
    """Least, median and largest seconds of one command."""

    command: str
    least: float
    median: float
    largest: float


def waits(repeats: int) -> Iterator[Wait]:
    """Yield the seconds of every command, after one run that fills the caches."""
    spent: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(repeats + 1):
            for name, command in COMMANDS.items():
                spent[name].append(_seconds(command, Path(folder)))
    for name, seconds in spent.items():
        ordered = sorted(seconds[1:])
        yield Wait(name, ordered[0], ordered[len(ordered) // 2], ordered[-1])


def _seconds(command: list[str], folder: Path) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start
