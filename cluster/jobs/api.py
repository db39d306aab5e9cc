"""Jobs by the same verbs as on the command line: submit, wait, cancel, result, resume.

A job is carried out by the workers of a cluster; whoever submits it may leave. What it was asked,
how far it is and what came out stand in the job store, so `Job.state`, `Job.events` and the
functions here work from any process that sees the store, with or without the cluster.

    from ogas.cluster.jobs import asked, result, submit, wait
    from ogas.cluster.runtime.connecting import local_cluster

    with local_cluster(2) as client:
        job = submit(asked("plan", "us-2021", digits=6), client=client)
        wait(job)
        print(job, result(job)["relative_half_width"])

(In a script this stands below ``if __name__ == "__main__":``, since new processes import it.) Where
a cluster is running, its address takes the place of the client, and nobody need stay:

    submit(asked("plan", "us-2021", digits=6, scheduler="tcp://10.0.0.1:8786"), "night-7")
"""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ogas.cluster.jobs.job import CANCELLED, LOOK_AGAIN, Job
from ogas.cluster.jobs.lease import Lease, read_lease, take, take_unless_renewed, this_owner
from ogas.cluster.jobs.specification import Specification
from ogas.cluster.jobs.state import State
from ogas.cluster.jobs.store import JobStore, default_folder
from ogas.cluster.runtime.errors import ClusterError
from ogas.datasets.catalog import BUNDLED, locate
from ogas.engine.errors import LockedError, PlanError, WrongUsageError

if TYPE_CHECKING:
    from distributed import Client

KINDS = {"plan": "quantities", "price": "values"}
# Seconds without a coordinator, after which somebody should resume a job. A scheduler with our
# settings gives a coordinator that hangs 60 s before it starts another.
ORPHANED = 90.0
KNOCKING = 3.0  # seconds for an answer at a scheduler's address

Tell = Callable[[State], None]


def asked(
    command: str, table: str | Path, *, output: str | Path | None = None, **options: Any
) -> Specification:
    """Return what a job is to do, as the command line would ask for it.

    Parameters
    ----------
    command : "plan" or "price"
    table : str or Path
        A table directory that all workers see, or the name of a bundled table.
    output : str or Path, optional
        Where the plan goes; ``./NAME-plan.zarr`` or ``./NAME-prices.zarr`` if not given.
    options
        Fields of `Specification`: digits, delta, method, demands, factors, warm, threads, memory,
        workers, scheduler, tls. Paths may be relative; one demand or factor need not be a list.

    Raises
    ------
    WrongUsageError
        If something cannot be meant, or a table or file is not there.

    Examples
    --------
    >>> found = asked("price", "us-2021", output="/plans/us.zarr", digits=4)
    >>> found.kind, found.table, found.digits
    ('values', 'us-2021', 4)
    """
    if command not in KINDS:
        raise WrongUsageError(f"a job is a plan or a price, not {command!r}")
    where = locate(str(table))
    what = "plan" if command == "plan" else "prices"
    target = Path(output or f"{where.resolve().stem}-{what}.zarr").absolute()
    warm, tls = options.get("warm"), options.get("tls")
    fields: dict[str, Any] = {
        "kind": KINDS[command],
        "table": str(table) if where.parent == BUNDLED else str(where.absolute()),
        "target": str(target),
        "demands": tuple(map(_present, _several(options.get("demands", ())))),
        "factors": tuple(_several(options.get("factors", ()))),
        "warm": None if warm is None else _present(warm),
        "tls": None if tls is None else {n: str(Path(file).absolute()) for n, file in tls.items()},
    }
    return Specification(**{**options, **fields})


def _several(given: Any) -> Any:
    """Return a list of one where a text or a path was given: a text is a list of letters, too."""
    return (given,) if isinstance(given, str | Path) else given


def _present(file: str | Path) -> str:
    """Return the absolute path of a file that somebody named, if there is one."""
    path = Path(file).absolute()
    if not path.exists():
        raise WrongUsageError("there is no such file", where=str(file), advice="check the path")
    return str(path)


def submit(
    specification: Specification,
    name: str | None = None,
    *,
    store: JobStore | None = None,
    client: "Client | None" = None,
) -> Job:
    """Have a job carried out by the workers of a cluster, and return at once.

    Parameters
    ----------
    specification : Specification
        Its ``scheduler`` says where, unless ``client`` does.
    name : str, optional
        The id of the job. Submitted twice, it is carried out once.
    store : JobStore, optional
        Default: that of ``OGAS_JOBS``. All workers must see it.
    client : Client, optional
        A connection to the cluster.

    Raises
    ------
    ClusterError
        If the cluster cannot be reached, or its workers are not fit: none there, other versions,
        table or store out of their sight. No job is made then.
    WrongUsageError
        If the id belongs to a job that was asked something else, or no plan may be written there.

    Examples
    --------
    See the head of this page.
    """
    from ogas.datasets.plans import check_place

    store = store or JobStore(default_folder())
    if (target := Path(specification.target)).exists():  # else the coordinator looks at the place
        check_place(target)
    with _connected(specification, client) as found:
        check_cluster(found, specification, store)
        job = store.create(specification, name)
        if not job.has_ended:
            _hand_over(found, job)
    return job


def resume(
    job: Job,
    scheduler: str | None = None,
    tls: Mapping[str, str] | None = None,
    *,
    client: "Client | None" = None,
) -> Job:
    """Have a job carried out that came to no end, or to one that is not a certified plan.

    It goes on from its last checkpoint.

    Parameters
    ----------
    job : Job
    scheduler : str, optional
        Another cluster than before.
    tls : mapping, optional
        Its files.
    client : Client, optional

    Raises
    ------
    LockedError
        If a coordinator is carrying it out.
    WrongUsageError
        If it is certified.
    """
    job.state.check_resumable()
    specification = job.specification
    if scheduler is not None:
        specification = replace(specification, scheduler=scheduler, tls=tls)
    with _connected(specification, client) as found:
        check_cluster(found, specification, JobStore(job.path.parent))
        lease = _left_behind(job)
        try:
            job.requeue(lease, specification.scheduler)
        finally:
            lease.release()
        _hand_over(found, job)
    return job


def cancel(job: Job, patience: float = 30.0) -> State:
    """Ask for the end of a job, which takes one round of it; return the state it is in then.

    A job that has ended stays as it is. ``patience`` is how many seconds to wait at most.
    """
    if not job.has_ended:
        job.ask_to_cancel()
    deadline = time.monotonic() + patience
    while not (state := job.state).has_ended and time.monotonic() < deadline:
        with suppress(PlanError):  # a lock that is held while a plan is published, say
            lease = _taken(job)
            if lease is not None:  # nobody carries it out
                try:
                    job.end(lease, CANCELLED)
                finally:
                    lease.release()
        time.sleep(LOOK_AGAIN)
    return state


def wait(job: Job, tell: Tell = lambda state: None, patience: float | None = None) -> State:
    """Wait until a job has ended, and return its state.

    Parameters
    ----------
    job : Job
    tell : callable, optional
        Takes the state at every look, five times a second; the last one is the one returned.
    patience : float, optional
        Seconds, after which the state is returned as it is then.

    Raises
    ------
    ClusterError
        If nobody carries the job out any more, or it waits for a scheduler that is gone.

    Examples
    --------
    >>> job = JobStore(Path("jobs").absolute()).create(asked("plan", "us-2021"), "night-7")
    >>> wait(job, patience=0.0).state
    'queued'
    """
    start = seen = looked = time.monotonic()
    while not (state := job.state).has_ended:
        tell(state)
        if patience is not None and time.monotonic() - start > patience:
            break
        now = time.monotonic()
        if is_carried_out(job):
            seen = now
        elif state.state == "queued" and now - looked > ORPHANED / 9:
            looked, seen = now, now if listens(state.scheduler) else seen
        if now - seen > ORPHANED:
            raise ClusterError(
                f"nobody has carried this job out for {ORPHANED:.0f} s",
                where=job.id,
                advice=f"`ogas resume {job.id}` goes on from its last checkpoint",
            )
        time.sleep(LOOK_AGAIN)
    tell(state)
    return state


def result(job: Job) -> dict[str, Any]:
    """Return the JSON object of a job that has ended: that of the command, and its exit code.

    Whatever came out is in it: a job that failed has ``outcome`` ``error`` and a ``message``.

    Raises
    ------
    ClusterError
        If it has not ended.

    Examples
    --------
    >>> job = JobStore(Path("jobs").absolute()).create(asked("plan", "us-2021"), "night-8")
    >>> cancel(job).state, result(job)["outcome"], result(job)["code"]
    ('cancelled', 'cancelled', 130)
    """
    found = job.result()
    if found is None:
        state = job.state
        raise ClusterError(
            f"this job has no result yet: it is {state.state}, in round {state.round:,}",
            where=job.id,
            advice=f"`ogas wait {job.id}` waits for it",
        )
    return found


def is_carried_out(job: Job) -> bool:
    """Whether a coordinator holds the lease of a job."""
    lease = read_lease(job.path)
    return lease is not None and lease.is_valid(time.time())


def listens(scheduler: str | None) -> bool:
    """Whether somebody is at a scheduler's address; true where no address is known."""
    from ogas.cluster.runtime.reaching import parse

    if scheduler is None:
        return True
    place = parse(scheduler, encrypted=False)  # with TLS or without, somebody answers there
    try:
        with socket.create_connection((place.host, place.port), timeout=KNOCKING):
            return True
    except OSError:
        return False


def check_cluster(client: "Client", specification: Specification, store: JobStore) -> None:
    """Refuse a cluster whose workers cannot do the job; see `submit`."""
    from ogas.cluster.runtime.membership import check_visible, check_workers

    check_workers(client)
    table = locate(specification.table)
    if table.parent != BUNDLED:
        check_visible(client, table)
    for file in (*specification.demands, specification.warm):
        if file is not None:
            check_visible(client, Path(file))
    store.folder.mkdir(parents=True, exist_ok=True)
    check_visible(client, store.folder)


@contextmanager
def _connected(specification: Specification, client: "Client | None") -> "Iterator[Client]":
    if client is not None:
        yield client
        return
    from ogas.cluster.runtime.connecting import connect
    from ogas.cluster.runtime.reaching import Tls

    if specification.scheduler is None:
        raise WrongUsageError(
            "a job needs a cluster", advice="name its scheduler: --scheduler tcp://host:8786"
        )
    with connect(specification.scheduler, Tls.of(specification.tls)) as found:
        yield found


def _hand_over(client: "Client", job: Job) -> None:
    """Give a job to the cluster, which keeps it when we leave; the same attempt only once."""
    from distributed import fire_and_forget

    from ogas.cluster.runtime.run import run_job

    future = client.submit(
        run_job,
        str(job.path.parent),
        job.id,
        key=f"ogas-{job.id}-{job.state.attempts}",
        resources={"coordinator": 1},
        pure=False,
    )
    fire_and_forget(future)


def _left_behind(job: Job) -> Lease:
    """Take the lease of a job; a coordinator that does not renew it meanwhile is dead.

    Raises
    ------
    LockedError
        If one does.
    """
    lease = take_unless_renewed(job.path, this_owner(), lambda other: False)
    if lease is None:
        raise LockedError(
            "a coordinator is carrying this job out",
            where=job.id,
            advice=f"`ogas wait {job.id}` waits for its end, `ogas cancel {job.id}` ends it",
        )
    return lease


def _taken(job: Job) -> Lease | None:
    """Take the lease of a job if nobody carries it out."""
    return take(job.path, this_owner(), "", lambda other: False)
