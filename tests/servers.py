"""Schedulers and workers of Dask as processes of their own, ended by their ids."""

import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path

DASK = str(Path(sys.executable).with_name("dask"))
LONG = 60  # seconds after which a test gives up what should have happened


def until(happened):
    """Wait for something, but not for ever."""
    end = time.monotonic() + LONG
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@contextlib.contextmanager
def started(*words):
    """A server of Dask as its own process, and what it says; ended by its id."""
    process = subprocess.Popen(
        [DASK, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    said = []
    reader = threading.Thread(target=lambda: said.extend(process.stderr), daemon=True)
    reader.start()
    try:
        yield process, said
    finally:
        process.terminate()
        try:
            process.wait(LONG)
        finally:
            process.kill()
        reader.join(LONG)
        process.stderr.close()


@contextlib.contextmanager
def scheduler(*words):
    words = ("--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0", *words)
    with started("scheduler", *words) as (process, said):
        until(lambda: any("Scheduler at:" in line for line in said))
        (line,) = (line for line in said if "Scheduler at:" in line)
        yield line.split()[-1], process
