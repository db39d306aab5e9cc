"""The command line, run as anyone would run it: `ogas ... --json` in a process of its own."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ogas.benchmarks.claims.limited import Ended, Limits, ended

OGAS = [sys.executable, "-c", "import sys; from ogas.cluster.cli import main; sys.exit(main())"]
PATIENCE = 7_200.0  # seconds
UNLIMITED = 2**63
KILLED = -1  # by us, when patience ended, or by the system

TINY = {"ccm": ("--products", "400"), "sectors": ("--products", "2000", "--blocks", "4")}


@dataclass(frozen=True)
class Said:
    """What a command answered.

    Attributes
    ----------
    words : str
        As typed, without the folder it ran in.
    code : int
    seconds : float
        From shell to shell.
    facts : dict
        The JSON object.
    """

    words: str
    code: int
    seconds: float
    facts: dict[str, Any]


def said(folder: Path, *words: str | Path) -> Said:
    """Run ``ogas`` in a folder, without the defaults that the environment may set."""
    given = [str(word) for word in words if str(word)]
    found = ended([*OGAS, *given, "--json"], folder, Limits(PATIENCE, UNLIMITED), clean())
    code = KILLED if found.code is None else found.code
    return Said(" ".join(["ogas", *given]), code, found.seconds, _facts(found))


def clean() -> dict[str, str]:
    """Return the environment without what changes the defaults of ``ogas``."""
    return {name: text for name, text in os.environ.items() if not name.startswith("OGAS_")}


def warm_up(folder: Path) -> None:
    """Have all kernels compiled and kept, so that no measured run waits for that.

    All in one process, which spares the start of the others.
    """
    typed = []
    for recipe, sizes in TINY.items():
        plan = ["plan", recipe, "-o", f"{recipe}.zarr"]
        typed += [["generate", recipe, recipe, *sizes], [*plan, "--digits", "10"], plan]
        typed += [[*plan, "--warm", f"{recipe}.zarr"], ["price", recipe]]
    command = [sys.executable, "-c", f"from ogas.cluster.cli import main; [*map(main, {typed})]"]
    ended(command, folder, Limits(PATIENCE, UNLIMITED), clean())


def _facts(found: Ended) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(found.out)
    except json.JSONDecodeError:  # killed before it could answer
        lines = found.error.strip().splitlines() or [f"ended with {found.code}"]
        return {"outcome": "error", "message": found.why or lines[-1]}
    return facts
