"""Which process this is, in words that others on the same machine can check later.

    "<boot of the machine>/<space of process numbers>/<number>/<start, in ticks since boot>"

A number alone would not do: numbers are given again, machines start again, and a container has
numbers of its own. Where the system does not tell (/proc), a process has no name, and nobody can
say that it has ended.
"""

import os
from pathlib import Path

PROC = Path("/proc")
STATE, START = 0, 19  # fields of /proc/PID/stat behind the name, which may hold anything
DEAD = ("Z", "X", "x")


def this_process() -> str:
    """Return what others may ask `has_ended` about; nothing if they could not know.

    >>> has_ended(this_process())
    False
    """
    number = os.getpid()
    fields = _fields(number)
    return f"{_place()}/{number}/{fields[START]}" if fields else ""


def has_ended(process: str) -> bool:
    """Whether a process is dead for certain; false for all that cannot be seen from here.

    >>> has_ended("another machine/4026531836/17/4711")
    False
    """
    place, _, rest = process.rpartition("/")[0].rpartition("/")
    if not place or place != _place():
        return False
    fields = _fields(int(rest))
    if not fields:
        return _is_nobody(int(rest))
    return fields[STATE] in DEAD or fields[START] != process.rpartition("/")[2]


def _is_nobody(number: int) -> bool:
    """Whether no process has a number: some systems hide those of other users from /proc."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _place() -> str:
    """Return the machine since its start, and the space in which processes are numbered."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.stat(PROC / 'self/ns/pid').st_ino}"
    except OSError:
        return ""


def _fields(number: int) -> list[str]:
    """Return what the system says of a process; nothing if there is none."""
    try:
        return (PROC / str(number) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return []
