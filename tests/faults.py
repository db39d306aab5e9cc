"""Disasters for tests of what stands on disk: processes that race, die, or find the disk full."""

import os
import shutil
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

STEPS = ("fsync", "rename", "replace")
START = "import sys\nprint('ready', flush=True)\nsys.stdin.readline()\n"


class Killed(BaseException):
    """What a killed process does not survive."""


def die_at(monkeypatch, k, error, bury=True):
    """Let the k-th step towards the disk fail; if ``bury``, nothing is cleaned up after it.

    The thread that renews a lease goes by the clock: its steps are not counted.
    """
    count = {"steps": 0}

    def counted(step):
        def call(*arguments, **options):
            if threading.current_thread().name == "lease":
                return step(*arguments, **options)
            count["steps"] += 1
            if count["steps"] >= k:
                raise error
            return step(*arguments, **options)

        return call

    for name in STEPS:
        monkeypatch.setattr(os, name, counted(getattr(os, name)))

    def buried(clear):
        return lambda *given, **options: clear(*given, **options) if count["steps"] < k else None

    if bury:
        monkeypatch.setattr(shutil, "rmtree", buried(shutil.rmtree))
        monkeypatch.setattr(Path, "unlink", buried(Path.unlink))
    return count


@contextmanager
def failing_at(k, error, bury=True):
    """Let every step towards the disk from the k-th on fail; yield how many there were.

    If ``bury``, nothing is cleaned up after it: the dead do not.
    """
    with pytest.MonkeyPatch.context() as patch:
        yield die_at(patch, k, error, bury)


@contextmanager
def python(script, *arguments):
    """Start a process that runs ``script``, with pipes for stdin and stdout; kill it at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()  # also one that is stopped


def race(imports, script, *arguments, processes=8):
    """Run ``script`` in several processes that begin at one moment; return what each printed.

    The imports are made before. A process that fails fails the race.
    """
    with ExitStack() as stack:
        racers = [
            stack.enter_context(python(imports + START + script, *arguments))
            for _ in range(processes)
        ]
        for racer in racers:
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            racer.stdin.write("go\n")
            racer.stdin.flush()
        said = [racer.communicate(timeout=120)[0].strip() for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * processes
    return said
