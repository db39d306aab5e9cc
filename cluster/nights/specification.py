"""What a night is to do, from a TOML file that whoever schedules it keeps.

    table = "economy"            # a table directory; paths count from this file
    inbox = "inbox"              # where change files arrive (`ogas.datasets.changes`)
    digits = 3                   # significant figures to prove
    keep = 30                    # versions, besides the current and pinned ones

    [run]                        # as for `ogas plan`
    delta = 0.0
    method = "auto"
    threads = 0
    memory = "8GB"
    workers = 4
    scheduler = "tcp://10.0.0.1:8786"

    [inbox_rules]
    quiet = 10                   # seconds without writing, after which a file counts as whole
    patience = 300               # seconds to wait for that

    [alarms]
    jump = 8.0                   # times what is usual, beyond which a recipe's change is doubted
    policy = "flag"              # or "hold": such rows are not made; or "off"

    [report]
    top = 20                     # products that moved most
    explain = 3                  # for how many of them to find out why

    [alert]                      # after a night that failed; its record comes as JSON
    command = ["mail", "-s", "the plan failed", "planners"]
    webhook = "https://chat.example/hook"

Only ``table`` and ``inbox`` have to be said.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ogas.cluster.options import Bytes
from ogas.engine.errors import DamagedError, WrongUsageError

RUN = {
    "delta": 0.0,
    "method": "auto",
    "threads": 0,
    "memory": None,
    "workers": None,
    "scheduler": None,
}
POLICIES = ("flag", "hold", "off")
Kinds = tuple[type, ...]
_TOP: dict[str, Kinds] = {"table": (str,), "inbox": (str,), "digits": (int,), "keep": (int,)}
_RUN: dict[str, Kinds] = {
    "delta": (float, int),
    "method": (str,),
    "threads": (int,),
    "memory": (str, int),
    "workers": (int,),
    "scheduler": (str,),
}
_RULES: dict[str, Kinds] = {"quiet": (float, int), "patience": (float, int)}
_ALARMS: dict[str, Kinds] = {"jump": (float, int), "policy": (str,)}
_REPORT: dict[str, Kinds] = {"top": (int,), "explain": (int,)}
_ALERT: dict[str, Kinds] = {"command": (list,), "webhook": (str,)}
_SECTIONS = {"run": _RUN, "inbox_rules": _RULES, "alarms": _ALARMS}
_SECTIONS |= {"report": _REPORT, "alert": _ALERT}


@dataclass(frozen=True)
class Night:
    """What a night is to do.

    Attributes
    ----------
    table, inbox : Path
    digits : int
    keep : int
        Versions, besides the current and pinned ones.
    quiet, patience : float
        Seconds without writing that make a file whole, and to wait for that.
    top, explain : int
        Products that moved most, and for how many of them to find out why.
    jump, policy : float, str
        How far from the usual a change of a recipe is doubted, and what then: ``flag``, ``hold`` or
        ``off``; see `ogas.cluster.nights.alarms`.
    run : mapping
        Options of the run, as `ogas plan` takes them.
    command : sequence of str
        Is run after a night that failed, with its record on stdin; none if empty.
    webhook : str
        Is sent the record; none if empty.
    """

    table: Path
    inbox: Path
    digits: int = 3
    keep: int = 30
    quiet: float = 10.0
    patience: float = 300.0
    top: int = 20
    explain: int = 3
    jump: float = 8.0
    policy: str = "flag"
    run: Mapping[str, Any] = field(default_factory=lambda: dict(RUN))
    command: Sequence[str] = ()
    webhook: str = ""


def read_night(file: Path) -> Night:
    """Read the specification of a night.

    Raises
    ------
    DamagedError
        If the file cannot be read, or is no TOML.
    WrongUsageError
        If a key is unknown or missing, or a value cannot be meant.
    """
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DamagedError(
            f"this is no specification of a night ({error})",
            where=str(file),
            advice="it is a TOML file; the handbook has one to copy",
        ) from error
    try:
        return _night(file.parent, found)
    except WrongUsageError as error:
        raise WrongUsageError(error.message, where=str(file), advice=error.advice) from error


def _night(folder: Path, found: Mapping[str, Any]) -> Night:
    sections = {name: found.get(name, {}) for name in _SECTIONS}
    _check("", {key: value for key, value in found.items() if key not in _SECTIONS}, _TOP)
    for name, section in sections.items():
        if not isinstance(section, Mapping):
            raise WrongUsageError(f"{name} is a section: write [{name}]")
        _check(f"{name}.", section, _SECTIONS[name])
    for name in ("table", "inbox"):
        if name not in found:
            raise WrongUsageError(f"it does not say {name}", advice=f'write {name} = "..."')
    run = RUN | dict(sections["run"])
    if isinstance(run["memory"], str):
        run["memory"] = Bytes().convert(run["memory"], None, None)
    plain = {key: found[key] for key in ("digits", "keep") if key in found}
    return _checked(
        Night(
            folder / found["table"],
            folder / found["inbox"],
            **plain,
            **sections["inbox_rules"],
            **sections["alarms"],
            **sections["report"],
            **sections["alert"],
            run=run,
        )
    )


def _checked(night: Night) -> Night:
    """Return a specification, if its values can be meant."""
    if not all(isinstance(word, str) for word in night.command):
        raise WrongUsageError(
            f"alert.command cannot be {night.command!r}", advice='write ["program", "argument"]'
        )
    if night.webhook and not night.webhook.startswith(("http://", "https://")):
        raise WrongUsageError(f"alert.webhook cannot be {night.webhook!r}")
    if night.policy not in POLICIES:
        raise WrongUsageError(
            f"alarms.policy cannot be {night.policy!r}", advice=f"choose from {', '.join(POLICIES)}"
        )
    for name in ("digits", "keep", "quiet", "patience", "jump", "top", "explain"):
        if getattr(night, name) < (1 if name in ("digits", "keep") else 0):
            raise WrongUsageError(f"{name} cannot be {getattr(night, name)}")
    return night


def _check(prefix: str, found: Mapping[str, Any], known: Mapping[str, Kinds]) -> None:
    for key, value in found.items():
        if key not in known:
            raise WrongUsageError(
                f"{prefix}{key} is unknown", advice=f"it may say {', '.join(known)}"
            )
        if not isinstance(value, known[key]) or isinstance(value, bool):
            raise WrongUsageError(f"{prefix}{key} cannot be {value!r}")
