"""Clusters of real processes on loopback: started here, and ended by their process ids."""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ogas.cluster.jobs.api import asked, submit
from ogas.cluster.jobs.lease import read_lease
from ogas.cluster.jobs.store import JobStore
from ogas.cluster.runtime.connecting import connect

LONG = 60.0  # seconds after which a test gives up what should have happened
LOOK_AGAIN = 0.02
SCHEDULER = ("--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0")
WORKER = (
    *("--host", "127.0.0.1", "--nthreads", "1", "--memory-limit", "0", "--no-dashboard"),
    *("--death-timeout", "30", "--resources", "block=1,coordinator=1"),
    *("--preload", "ogas.cluster.worker"),
    *("--preload", str(Path(__file__).with_name("slowly.py"))),
)


def until(look, deadline=LONG):
    """Wait until ``look()`` is something, and return that; fail after the deadline."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        with suppress(OSError, psutil.NoSuchProcess):
            if found := look():
                return found
        time.sleep(LOOK_AGAIN)
    raise AssertionError(f"this did not happen within {deadline:g} s: {look}")


def start(log, *words, **environment):
    """Start a server of Dask that writes what it says into a file."""
    with log.open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            env=os.environ | environment,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )


def end(process):
    """Kill a process and those that it started, also if they are stopped."""
    with suppress(psutil.NoSuchProcess):
        first = psutil.Process(process.pid)
        for one in [first, *first.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
    process.wait(LONG)


def address_in(log):
    """Return the address that a scheduler says in its log, once it does."""
    lines = (line for line in log.read_text().splitlines() if "Scheduler at:" in line)
    return next((line.split()[-1] for line in lines), None)


@contextmanager
def started(*words):
    """Yield a server of Dask, and the file with what it says."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        process = start(log, *words)
        try:
            yield process, log
        finally:
            end(process)


@contextmanager
def scheduler(*words):
    """Yield the address of a scheduler, and its process."""
    with started("scheduler", *SCHEDULER, *words) as (process, log):
        yield until(lambda: address_in(log)), process


@dataclass(eq=False)
class Machine:
    """A scheduler and workers, each with its nanny, and the folder of their jobs and plans."""

    folder: Path
    environment: dict = field(default_factory=dict)
    started: dict = field(default_factory=dict)
    left: list = field(default_factory=list)
    address: str = ""

    @property
    def store(self):
        """The job store."""
        return JobStore(self.folder / "jobs")

    # ---- processes

    def start_scheduler(self):
        """Start a scheduler; it may be the second, at another address."""
        log = self.folder / "scheduler.log"
        log.unlink(missing_ok=True)
        self.started["scheduler"] = start(log, "scheduler", *SCHEDULER, **self.environment)
        self.address = until(lambda: address_in(log))

    def start_workers(self, *names, options=()):
        """Start workers, and wait until the scheduler knows all there are."""
        for name in names:
            words = ("worker", self.address, "--name", name, *WORKER, *options)
            self.started[name] = start(self.folder / f"{name}.log", *words, **self.environment)
        self.until_complete()

    def addresses(self):
        """Return the address of every worker by name, as the scheduler knows them."""
        with connect(self.address) as client:
            return known_to(client)

    def until_complete(self):
        """Wait until all workers are there, those that died again."""
        names = self.started.keys() - {"scheduler"}
        with connect(self.address) as client:
            until(lambda: known_to(client).keys() == names)

    def process(self, name):
        """Return the process that works, or None: a worker is the child of its nanny."""
        first = psutil.Process(self.started[name].pid)
        if name == "scheduler" or "--no-nanny" in self.started[name].args:
            return first
        children = [one for one in first.children() if "spawn_main" in " ".join(one.cmdline())]
        return children[0] if children else None

    def send(self, which, name):
        """Send a signal to the process that works; if that dies by it, its nanny starts another."""
        until(lambda: self.process(name)).send_signal(which)

    def remove(self, *names):
        """End workers with their nannies, or the scheduler, for good."""
        for name in names:
            end(self.started.pop(name))

    def leave(self, name):
        """Ask a worker and its nanny to end, and return the process of the nanny."""
        process = self.started.pop(name)
        process.terminate()
        self.left.append(process)
        return process

    # ---- jobs

    def submit(self, table, name=None, **options):
        """Submit a plan of ten figures, which takes some hundred and fifty rounds."""
        options = {"method": "block-jacobi", "digits": 10, "scheduler": self.address} | options
        target = self.folder / f"{name or 'plan'}.zarr"
        return submit(asked("plan", table, output=target, **options), name, store=self.store)

    @contextmanager
    def midway(self, table, name, pause=0.1, **options):
        """Yield a job amid its rounds, each of which takes long until the body ends."""
        brake = self.folder / "pause"
        brake.write_text(str(pause))
        try:
            job = self.submit(table, name, **options)
            until(lambda: job.state.round >= 5)
            yield job
        finally:
            brake.unlink()

    def coordinator(self, job):
        """Return the names of the worker that carries a job out, and of one that does not."""
        owner = read_lease(job.path).owner
        (mine,) = (name for name, address in self.addresses().items() if address == owner)
        return mine, next(name for name in self.started if name not in (mine, "scheduler"))


def known_to(client):
    """Return the address of every worker that a scheduler knows, by name."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    return {one["name"]: address for address, one in workers.items()}


@contextmanager
def machine(folder, workers, *options, **environment):
    """Yield a scheduler with some workers, called w0, w1 ..."""
    cluster = Machine(folder, environment)
    try:
        cluster.start_scheduler()
        cluster.start_workers(*(f"w{number}" for number in range(workers)), options=options)
        yield cluster
    finally:
        for process in (*cluster.started.values(), *cluster.left):
            end(process)


def occurrences(job, event):
    """Return what is said of a job under the name of an event."""
    return [found for found in job.events() if found["event"] == event]


def loadings(job):
    """Return how many blocks each placement found on workers, and read from a checkpoint."""
    events = occurrences(job, "blocks loaded")
    return [(event["kept"], event["from_checkpoint"]) for event in events]
