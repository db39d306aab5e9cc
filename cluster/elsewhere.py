"""A plan computed by workers, here or elsewhere, for a command that waits for it.

It is a job like any other, carried out by a cluster that is started for it or that somebody else
runs; so one that is interrupted is cancelled, and its workers are free for others at once.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ogas.cluster.answer import Answer
from ogas.cluster.asking import answer_of_job
from ogas.cluster.jobs.api import cancel, result, submit, wait
from ogas.cluster.jobs.specification import Specification
from ogas.cluster.jobs.store import JobStore, default_folder
from ogas.cluster.progress import reporting
from ogas.cluster.runtime.connecting import connect, local_cluster
from ogas.cluster.runtime.reaching import Tls
from ogas.datasets.plans import check_place

if TYPE_CHECKING:
    from distributed import Client


def carried_out(asked: Specification) -> Answer:
    """Have a job carried out, and wait for its end."""
    check_place(Path(asked.target))
    with _place(asked) as (store, client), reporting(asked.kind, asked.digits) as tell:
        job = submit(asked, store=store, client=client)
        try:
            wait(job, tell)
        except BaseException:
            with suppress(Exception):
                cancel(job)
            raise
        return answer_of_job(result(job))


@contextmanager
def _place(asked: Specification) -> "Iterator[tuple[JobStore, Client]]":
    """Yield a job store, and the workers of a cluster."""
    if asked.scheduler is not None:
        files = asked.tls
        tls = None if files is None else Tls(*(Path(files[n]) for n in ("ca", "cert", "key")))
        with connect(asked.scheduler, tls) as client:
            yield JobStore(default_folder()), client
        return
    with tempfile.TemporaryDirectory(prefix="ogas-job-") as folder:
        assert asked.workers is not None
        with local_cluster(asked.workers, asked.threads) as client:
            yield JobStore(Path(folder)), client
