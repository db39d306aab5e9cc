"""Clusters of real processes on loopback, started and killed by process id."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil

DEADLINE = 60.0
LOOK_AGAIN = 0.02
DASK = [sys.executable, "-m", "dask"]
SCHEDULER = ["--host", "127.0.0.1", "--no-dashboard", "--no-show", "--port"]
WORKER = [
    "--host",
    "127.0.0.1",
    "--nthreads",
    "1",
    "--memory-limit",
    "0",
    "--no-dashboard",
    "--death-timeout",
    "30",
    "--resources",
    "block=1,coordinator=1",
    "--preload",
    "ogas.cluster.worker",
]


def until(look, deadline=DEADLINE):
    """Wait until ``look()`` is something, and return that; fail after the deadline."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        with suppress(OSError):
            if found := look():
                return found
        time.sleep(LOOK_AGAIN)
    raise AssertionError(f"this did not happen within {deadline:g} s: {look}")


@dataclass
class Machine:
    """A scheduler and workers, each with its nanny; all of one test, killed at its end."""

    folder: object
    port: int
    environment: dict = field(default_factory=dict)
    started: dict = field(default_factory=dict)

    @property
    def address(self):
        return f"tcp://127.0.0.1:{self.port}"

    def start_scheduler(self):
        self._start("scheduler", "scheduler", *SCHEDULER, str(self.port))

    def start_worker(self, name, *options):
        self._start(name, "worker", self.address, "--name", name, *WORKER, *options)

    def workers(self):
        """The process of every worker, by name: the child of its nanny."""
        return {name: self.process(name) for name in self.started if name != "scheduler"}

    def process(self, name):
        """The process that works: a worker under its nanny, or the scheduler itself."""
        nanny = psutil.Process(self.started[name].pid)
        if name == "scheduler":
            return nanny
        children = [one for one in nanny.children() if "spawn_main" in " ".join(one.cmdline())]
        return children[0] if children else None

    def kill(self, name):
        """End the process that works, at once; a nanny starts another."""
        self.process(name).send_signal(signal.SIGKILL)

    def stop(self, name):
        """Halt the process that works: its connections stay open."""
        self.process(name).send_signal(signal.SIGSTOP)

    def remove(self, name):
        """End a nanny and its worker for good."""
        nanny = psutil.Process(self.started.pop(name).pid)
        for one in [nanny, *nanny.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs([nanny])

    def _start(self, name, *words):
        log = (self.folder / f"{name}.log").open("ab")
        self.started[name] = subprocess.Popen(
            [*DASK, *words],
            env=os.environ | self.environment,
            cwd=self.folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        log.close()


@contextmanager
def machine(folder, workers, port, **environment):
    """Yield a scheduler with some workers, called w0, w1 ..."""
    cluster = Machine(folder, port, environment)
    try:
        cluster.start_scheduler()
        for number in range(workers):
            cluster.start_worker(f"w{number}")
        yield cluster
    finally:
        for name in list(cluster.started):
            with suppress(psutil.NoSuchProcess):
                cluster.remove(name)
