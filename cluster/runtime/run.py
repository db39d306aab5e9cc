"""A job carried out: the coordinator's one Dask task, from the lease to the result.

The task is given the job's folder and id; everything else stands in the job store. It runs on the
event loop of a worker that has the resource `coordinator`; the solver runs in a thread.

    take the lease ─▶ claim the workers ─▶ solve ─▶ publish plan and result ─▶ release
         │                  │
         another has it     another job has them: wait, the job stays queued
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from distributed import get_worker

from ogas.cluster import answer
from ogas.cluster.answer import json_ready
from ogas.cluster.asking import codes_of, order_of
from ogas.cluster.failing import failure, told
from ogas.cluster.jobs.job import Job
from ogas.cluster.jobs.lease import RENEW_EVERY, Lease, LostLeaseError, take
from ogas.cluster.jobs.state import Progress
from ogas.cluster.planning import carry_out
from ogas.cluster.progress import expected
from ogas.cluster.runtime import events
from ogas.cluster.runtime.conductor import CancelledError, Conductor, StoodDownError
from ogas.cluster.runtime.exchange import Memory, OnWorkers
from ogas.engine.certificate import figures_of
from ogas.engine.errors import LockedError, PlanError
from ogas.engine.iterate import Forecast
from ogas.engine.outcome import History
from ogas.engine.plan import Observer

CANCELLED = {"outcome": "cancelled", "code": answer.INTERRUPTED, "message": "the job was cancelled"}
TELL_EVERY = 0.5  # seconds between two notes of how far a run is
LOOK_AGAIN = 0.2  # seconds between two looks for a wish to cancel
EPOCHS = 10**6  # of one coordinator: those of the next one are greater than all of its


async def run_job(folder: str, name: str) -> None:
    """Carry out a job of the store in ``folder``, unless it has ended or another does so."""
    job, worker = Job(Path(folder) / name), get_worker()
    scheduler = (await worker.scheduler.identity(n_workers=0))["id"]
    lease = await _taken(job, worker, scheduler)
    if lease is None:
        return
    try:
        async with _renewed(lease) as lost:
            memory = job.specification.memory
            conductor = Conductor(worker, name, memory, lease.token * EPOCHS)
            await _carried_out(job, lease, conductor, lost)
    except LostLeaseError as error:
        job.log("stood down", message=str(error))
    finally:
        with suppress(PlanError):
            lease.release()


async def _taken(job: Job, worker: Any, scheduler: str) -> Lease | None:
    """Return the lease of a job once it is free; None if the job has ended before."""
    while not job.has_ended:
        present = set((await worker.scheduler.identity(n_workers=-1))["workers"])
        is_dead = partial(_is_missing, present)
        with suppress(LockedError):  # somebody publishes: let them
            lease = await asyncio.to_thread(take, job.path, worker.address, scheduler, is_dead)
            if lease is not None:
                return lease
        await asyncio.sleep(LOOK_AGAIN)
    return None


def _is_missing(present: set[str], owner: str) -> bool:
    return owner not in present


@asynccontextmanager
async def _renewed(lease: Lease) -> AsyncIterator[asyncio.Event]:
    """Keep a lease while the body runs; yield what is set if it is lost all the same."""
    lost = asyncio.Event()

    async def renew() -> None:
        while not lost.is_set():
            await asyncio.sleep(RENEW_EVERY)
            try:
                await asyncio.to_thread(lease.renew)
            except LostLeaseError:
                lost.set()
            except PlanError:  # a busy lock, a full disk: there is time for another try
                continue

    task = asyncio.create_task(renew())
    try:
        yield lost
    finally:
        task.cancel()


async def _carried_out(job: Job, lease: Lease, conductor: Conductor, lost: asyncio.Event) -> None:
    """Claim the workers, solve, and publish what came out."""
    if not await _claimed(job, lease, conductor, lost):
        return
    job.begin(lease)
    watches = [
        asyncio.create_task(conductor.crew.watch()),
        asyncio.create_task(_listen(job, conductor, lost)),
    ]
    try:
        facts = await asyncio.to_thread(_solved, job, lease, conductor)
    finally:
        for watch in watches:
            watch.cancel()
        await conductor.close()
    if facts is not None:
        await asyncio.to_thread(job.end, lease, json_ready(facts))


async def _claimed(job: Job, lease: Lease, conductor: Conductor, lost: asyncio.Event) -> bool:
    """Wait until all workers there are belong to this job; False if it came to an end before."""
    told = ""
    while not lost.is_set():
        if job.asked_to_cancel:
            await asyncio.to_thread(job.end, lease, CANCELLED)
            return False
        if await conductor.crew.muster():
            return True
        if conductor.crew.busy_with != told:
            told = conductor.crew.busy_with
            job.log("queued behind another job", other=told)
        await asyncio.sleep(LOOK_AGAIN)
    return False


async def _listen(job: Job, conductor: Conductor, lost: asyncio.Event) -> None:
    """Tell the conductor of a wish to cancel, or of a lost lease."""
    while True:
        if lost.is_set():
            conductor.tell(events.Superseded())
        elif job.asked_to_cancel:
            conductor.tell(events.CancelAsked())
        await asyncio.sleep(LOOK_AGAIN)


def _solved(job: Job, lease: Lease, conductor: Conductor) -> dict[str, Any] | None:
    """Solve, and return the JSON object of the job; None if another coordinator has it now."""
    asked = job.specification
    try:
        site = OnWorkers(conductor, Memory(job, lease), asked.workers)
        account = carry_out(order_of(asked), site, _observer(job, lease, conductor))
    except CancelledError:
        return CANCELLED
    except (StoodDownError, LostLeaseError):
        return None
    except Exception as error:
        return dict(failure(*told(error)).facts)
    return {**account.facts, **codes_of(account)}


def _observer(job: Job, lease: Lease, conductor: Conductor) -> Observer:
    """Return what writes down how far a run is."""
    latest = 0.0

    def observe(history: History, forecast: Forecast) -> None:
        nonlocal latest
        proved = [r.half_width for r in history.records if r.kind == "certificate"]
        if time.monotonic() - latest < TELL_EVERY and history.records[-1].kind == "sweep":
            return
        latest = time.monotonic()
        digits = int(figures_of(np.array([min(proved)]))[0]) if proved else 0
        progress = Progress(history.passes, digits, conductor.workers, expected(history, forecast))
        with suppress(LockedError):  # somebody looks at the lease: the next pass tells
            job.record_progress(lease, progress)

    return observe
