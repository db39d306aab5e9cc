"""How long a job stands still when something is killed; measured on real processes.

    worker lost       kill -9 of a worker that is not the coordinator's, until all blocks are held
                      again; what reading the lost blocks took is told apart
    scheduler lost    kill -9 of the process with the scheduler; a new cluster; from `resume` until
                      all blocks are held again, from the last checkpoint

The cluster of the second is made by a process of its own, so that it can be killed as a whole.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from distributed import Client

from ogas.benchmarks.scaling import PATIENCE, Size, drawn, some_jobs, until, wanted
from ogas.cluster.jobs.api import resume, submit, wait
from ogas.cluster.jobs.job import Job
from ogas.cluster.jobs.lease import read_lease
from ogas.cluster.runtime.connecting import connect, local_cluster

WORKERS = 2
ROUND = 5  # in which something is killed
# A job that is in its rounds for some seconds, whatever the machine.
SIZE = Size("sectors:S4", 200_000, 20, "block-jacobi", 10, radius=0.99)
QUICK = Size("sectors:S4", 20_000, 20, "block-jacobi", 10, radius=0.99)


@dataclass(frozen=True)
class Recovery:
    """What a loss cost.

    Attributes
    ----------
    what : str
    seconds : float
        Until all blocks were held again.
    loading : float
        Of these, what reading blocks and tying them to the others took.
    blocks, kept, from_checkpoint : int
        All; those that survivors held; those whose state a checkpoint had.
    """

    what: str
    seconds: float
    loading: float
    blocks: int
    kept: int
    from_checkpoint: int


def worker_lost(size: Size) -> Recovery:
    """Measure the loss of a worker."""
    with drawn(size) as table, some_jobs() as store, local_cluster(WORKERS, 1) as client:
        job = submit(wanted(table, size), store=store, client=client)
        until(lambda: job.state.round >= ROUND)
        owner = read_lease(job.path)
        pids: Mapping[str, int] = client.run(os.getpid)
        victim = next(pid for address, pid in pids.items() if owner and address != owner.owner)
        start = time.time()
        os.kill(victim, signal.SIGKILL)
        wait(job, patience=PATIENCE)
        return _recovery("worker", job, start)


def scheduler_lost(size: Size) -> Recovery:
    """Measure the loss of the scheduler, and with it of all workers."""
    with drawn(size) as table, some_jobs() as store:
        with _cluster() as (cluster, client):
            pids = list(client.run(os.getpid).values())
            job = submit(wanted(table, size), store=store, client=client)
            until(lambda: any(event["event"] == "checkpoint" for event in job.events()))
            cluster.kill()
        for pid in pids:
            _end(pid)
        with local_cluster(WORKERS, 1) as client:
            start = time.time()
            resume(job, client=client)
            wait(job, patience=PATIENCE)
        return _recovery("scheduler, then resume", job, start)


def _recovery(what: str, job: Job, start: float) -> Recovery:
    if job.state.state != "certified":
        raise RuntimeError(f"a measured job ended otherwise: {job.state}")
    loaded = [event for event in job.events() if event["event"] == "blocks loaded"]
    again = loaded[-1]
    seconds = datetime.fromisoformat(again["time"]).timestamp() - start
    if seconds < 0:
        raise RuntimeError("the job ended before anything was killed: measure a larger economy")
    return Recovery(
        what=what,
        seconds=seconds,
        loading=float(again["seconds"]),
        blocks=int(again["blocks"]),
        kept=int(again["kept"]),
        from_checkpoint=int(again["from_checkpoint"]),
    )


def serve() -> None:
    """Hold a cluster until killed; say where it is on stdout."""
    with local_cluster(WORKERS, 1) as client:
        print(client.scheduler.address, flush=True)
        signal.pause()


@contextmanager
def _cluster() -> Iterator[tuple[subprocess.Popen[str], Client]]:
    """Yield a process with a cluster, to be killed, and a connection to it."""
    words = [sys.executable, "-c", f"from {__name__} import serve; serve()"]
    process = subprocess.Popen(
        words,
        env=os.environ | {"OGAS_CHECKPOINT_EVERY": "0.2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # of what it leaves behind when it is killed
        text=True,
    )
    assert process.stdout is not None
    try:
        with connect(process.stdout.readline().strip()) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _end(pid: int) -> None:
    """Wait until a process has ended, by itself or killed."""
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
