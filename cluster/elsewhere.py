"""A plan computed by workers, here or elsewhere, for a command that waits for it.

It is a job like any other, carried out by a cluster that is started for it or that somebody else
runs; so one that is interrupted is cancelled, and its workers are free for others at once.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ogas.cluster.answer import Answer
from ogas.cluster.asking import answer_of_job
from ogas.cluster.dashboard import link
from ogas.cluster.jobs.api import cancel, result, submit, wait
from ogas.cluster.jobs.specification import Specification
from ogas.cluster.jobs.state import State
from ogas.cluster.jobs.store import JobStore, default_folder
from ogas.cluster.progress import is_watched, reporting
from ogas.cluster.runtime.connecting import connect, local_cluster
from ogas.cluster.runtime.reaching import Tls
from ogas.datasets.plans import check_place
from ogas.engine.errors import PlanError

if TYPE_CHECKING:
    from distributed import Client

# Seconds in the queue after which the cluster is looked at once more: it may have gone, or have
# dropped the job, whose id makes sure that it is carried out once.
AGAIN = 60.0


def carried_out(asked: Specification) -> Answer:
    """Have a job carried out, and wait for its end."""
    check_place(Path(asked.target))
    first = "looking for workers" if asked.scheduler else f"starting {asked.workers:,} of our own"
    with (
        reporting(asked.kind, asked.digits, first) as tell,
        _place(asked) as (store, client),
    ):
        job = submit(asked, store=store, client=client)
        page = link(client) if is_watched() else ""
        looked_at = time.monotonic()

        def told(state: State) -> None:
            nonlocal looked_at
            if state.state == "queued" and time.monotonic() - looked_at > AGAIN:
                submit(asked, job.id, store=store, client=client)
                looked_at = time.monotonic()
            tell(state, page)

        try:
            wait(job, told)
        except BaseException:
            with suppress(Exception):
                cancel(job)
            if job.state.state != "certified":  # else it was quicker than whoever interrupted it
                raise
        return answer_of_job(result(job))


def page_of(asked: Specification) -> str:
    """Return where a job that was submitted can be watched; nothing if its cluster has no page."""
    with suppress(PlanError), _place(asked) as (_, client):
        return link(client)
    return ""


@contextmanager
def _place(asked: Specification) -> "Iterator[tuple[JobStore, Client]]":
    """Yield a job store, and the workers of a cluster."""
    if asked.scheduler is not None:
        with connect(asked.scheduler, Tls.of(asked.tls)) as client:
            yield JobStore(default_folder()), client
        return
    with tempfile.TemporaryDirectory(prefix="ogas-job-") as folder:
        assert asked.workers is not None
        with local_cluster(asked.workers, asked.threads) as client:
            yield JobStore(Path(folder)), client
