"""A job carried out: the coordinator's one Dask task, from the lease to the result.

The task is given the job's folder and id; everything else stands in the job store. It runs on the
event loop of a worker that has the resource `coordinator`; the solver runs in a thread.

    take the lease ─▶ claim the workers ─▶ solve ─▶ publish plan and result ─▶ release
         │                  │
         another has it     another job has them: wait, the job stays queued
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from distributed import get_worker

from ogas.cluster.answer import json_ready
from ogas.cluster.asking import codes_of, order_of
from ogas.cluster.failing import failure, told
from ogas.cluster.jobs.job import CANCELLED, Job
from ogas.cluster.jobs.lease import Lease, LostLeaseError, renewed, take
from ogas.cluster.jobs.state import Progress, State
from ogas.cluster.planning import carry_out
from ogas.cluster.progress import expected
from ogas.cluster.runtime import events
from ogas.cluster.runtime.conductor import CancelledError, Conductor, StoodDownError
from ogas.cluster.runtime.crew import GREETING
from ogas.cluster.runtime.exchange import Memory, OnWorkers
from ogas.cluster.runtime.telling import Teller
from ogas.engine.certificate import figures_of
from ogas.engine.errors import DamagedError, LockedError, PlanError
from ogas.engine.iterate import Forecast
from ogas.engine.outcome import History
from ogas.engine.plan import Observer

TELL_EVERY = 0.5  # seconds between two notes of how far a run is
LOOK_AGAIN = 0.2  # seconds between two looks for a wish to cancel
WRITING = 60.0  # seconds for which it is tried again to write how a job stands
EPOCHS = 10**6  # of one coordinator: those of the next one are greater than all of its
LOG = logging.getLogger("distributed.ogas")  # Dask's workers write down what is below its name


async def run_job(folder: str, name: str) -> None:
    """Carry out a job of the store in ``folder``, unless it has ended or another does so."""
    job, worker = Job(Path(folder) / name), get_worker()
    lease = await _taken(job, worker)
    if lease is None:
        return
    try:
        with renewed(lease) as lost:
            asked = job.specification
            conductor = Conductor(worker, name, asked.memory, lease.token * EPOCHS)
            teller = await Teller.of(conductor, lease.token, asked.digits)
            facts = await _carried_out(job, lease, teller, lost)
            if facts is not None:
                teller.ended(await _written(partial(job.end, lease, json_ready(facts))))
    except LostLeaseError as error:
        job.note("stood down", message=str(error))


async def _taken(job: Job, worker: Any) -> Lease | None:
    """Return the lease of a job once it is free; None if the job has ended before."""
    while not await asyncio.to_thread(lambda: job.has_ended):
        # Somebody publishes, or the scheduler is busy: the next look tells more.
        with suppress(LockedError, OSError):
            found = await asyncio.wait_for(worker.scheduler.identity(n_workers=-1), GREETING)
            is_dead = partial(_is_missing, set(found["workers"]))
            lease = await asyncio.to_thread(take, job.path, worker.address, found["id"], is_dead)
            if lease is not None and not await asyncio.to_thread(lambda: job.has_ended):
                return lease
            if lease is not None:  # whoever had it ended the job between our two looks
                lease.release()
        await asyncio.sleep(LOOK_AGAIN)
    return None


def _is_missing(present: set[str], owner: str) -> bool:
    return owner not in present


async def _carried_out(
    job: Job, lease: Lease, teller: Teller, lost: Event
) -> dict[str, Any] | None:
    """Return the JSON object of a job; None if another coordinator has it now."""
    try:
        if not await _claimed(job, teller, lost):
            return None if lost.is_set() else CANCELLED
        return await _conducted(job, lease, teller, lost)
    except LostLeaseError:
        raise
    except Exception as error:
        return _failed(job, error)


async def _conducted(job: Job, lease: Lease, teller: Teller, lost: Event) -> dict[str, Any] | None:
    """Solve, while workers and wishes are watched."""
    conductor = teller.conductor
    listening = asyncio.create_task(_listen(job, conductor, lost))
    listening.add_done_callback(conductor.check)
    conductor.watch()
    try:
        teller.begun(await _written(partial(job.begin, lease)))
        return await asyncio.to_thread(_solved, job, lease, teller)
    except asyncio.CancelledError:  # this worker leaves, and the job goes on without it
        conductor.stand_down()
        raise
    finally:
        listening.cancel()
        await conductor.close()


async def _claimed(job: Job, teller: Teller, lost: Event) -> bool:
    """Wait until all workers there are belong to this job; False if it came to an end before."""
    crew, told = teller.conductor.crew, ""
    while not lost.is_set():
        if await asyncio.to_thread(lambda: job.asked_to_cancel):
            return False
        with suppress(OSError):  # the scheduler is busy
            if await crew.muster():
                return True
        if crew.busy_with != told:
            told = crew.busy_with
            teller.queued(told)
            job.note("queued behind another job", other=told)
        await asyncio.sleep(LOOK_AGAIN)
    return False


async def _listen(job: Job, conductor: Conductor, lost: Event) -> None:
    """Tell the conductor of a wish to cancel, or of a lost lease."""
    while True:
        with suppress(OSError):  # storage that does not answer may do so again
            if lost.is_set():
                conductor.tell(events.Superseded())
            elif await asyncio.to_thread(lambda: job.asked_to_cancel):
                conductor.tell(events.CancelAsked())
        await asyncio.sleep(LOOK_AGAIN)


async def _written(write: Callable[[], State]) -> State:
    """Change the state of a job; a busy lock or a full disk may give way in time.

    Raises
    ------
    LostLeaseError
        If another coordinator has taken over.
    PlanError, OSError
        If it cannot be written. An ending is lost by that, and the job can be resumed.
    """
    deadline = time.monotonic() + WRITING
    while True:
        try:
            return await asyncio.to_thread(write)
        except (LockedError, DamagedError, OSError):
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(LOOK_AGAIN)


def _failed(job: Job, error: Exception) -> dict[str, Any]:
    """Return the JSON object of a job that ended with an error."""
    if isinstance(error, PlanError | OSError | MemoryError):
        return dict(failure(*told(error)).facts)
    LOG.exception("job %s failed", job.id, exc_info=error)
    advice = "this is a defect of ogas; the log of the worker shows where it happened"
    return dict(failure(1, (f"{type(error).__name__}: {error}", "", advice)).facts)


def _solved(job: Job, lease: Lease, teller: Teller) -> dict[str, Any] | None:
    """Solve, and return the JSON object of the job; None if another coordinator has it now."""
    asked = job.specification
    try:
        site = OnWorkers(teller.conductor, Memory(job, lease), asked.workers)
        account = carry_out(order_of(asked), site, _observer(job, lease, teller))
    except CancelledError:
        return CANCELLED
    except (StoodDownError, LostLeaseError):
        return None
    except Exception as error:
        return _failed(job, error)
    return {**account.facts, **codes_of(account)}


def _observer(job: Job, lease: Lease, teller: Teller) -> Observer:
    """Return what writes down how far a run is, and tells those who watch."""
    latest, conductor = 0.0, teller.conductor

    def observe(history: History, forecast: Forecast) -> None:
        nonlocal latest
        conductor.go_on()
        teller.passed(history, forecast)
        proved = [r.half_width for r in history.records if r.kind == "certificate"]
        if time.monotonic() - latest < TELL_EVERY and history.records[-1].kind == "sweep":
            return
        latest = time.monotonic()
        digits = int(figures_of(np.array([min(proved)]))[0]) if proved else 0
        progress = Progress(history.passes, digits, conductor.workers, expected(history, forecast))
        try:
            job.record_progress(lease, progress)
        except LostLeaseError:
            raise
        except (PlanError, OSError):  # a busy lock, a full disk: the next pass tells
            return

    return observe
