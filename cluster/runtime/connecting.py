"""Where the workers come from: started here for one run, or found at a scheduler's address.

Laws: whoever cannot be reached is told so in one line and in bounded time; Dask's own log stays
away from stderr (``OGAS_DEBUG=1`` lets it speak); and what was started here ends here, process by
process, however the run ends.
"""

import logging
import multiprocessing
import os
import queue
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import resource_tracker
from typing import TypeVar

import dask.config
from distributed import Client, LocalCluster
from distributed.comm.core import CommClosedError
from distributed.versions import VersionMismatchWarning

from ogas.cluster.runtime import settings
from ogas.cluster.runtime.errors import ClusterError
from ogas.cluster.runtime.reaching import Address, Tls, credentials, knock, parse, unreachable
from ogas.engine.errors import PlanError, WrongUsageError
from ogas.engine.exchange import available_cores

Result = TypeVar("Result")

PRELOAD = "ogas.cluster.worker"
PAGE = "ogas.cluster.dashboard"
RESOURCES = {"block": 1, "coordinator": 1}
DEADLINE = 10.0  # seconds, for what a person waits for
STARTING = 60.0  # a worker imports Numba first; on a busy machine that takes its time
CLOSING = 10.0
TALKATIVE = ("distributed", "tornado", "bokeh", "asyncio")


@contextmanager
def local_cluster(workers: int, threads: int = 0) -> Iterator[Client]:
    """Start worker processes on this machine, reachable from this machine only, for one run.

    Parameters
    ----------
    workers : int
        Processes; each may hold blocks and run a coordinator.
    threads : int
        How many blocks each sweeps at a time (``OGAS_THREADS`` in its environment); 0 shares the
        cores out evenly.

    Yields
    ------
    Client
        Its dashboard is at ``client.dashboard_link``, if bokeh is installed; the page of its jobs
        is there, too (`ogas.cluster.dashboard`).

    Raises
    ------
    WrongUsageError
        If there would be no worker.
    ClusterError
        If the processes do not start, or the connection to them is lost.
    """
    if workers < 1 or threads < 0:
        raise WrongUsageError(
            f"{workers} workers of {threads} threads cannot compute anything",
            advice="ask for one worker or more",
        )
    settings.apply()
    threads = threads or max(1, available_cores() // workers)
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        stack.enter_context(_same_environment())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ogas-"))
        with _undisturbed():
            cluster = _start(workers, threads, folder)
            stack.callback(_end, cluster)
        client = Client(cluster, set_as_default=False)
        stack.enter_context(_session(client, "the workers of this machine"))
        yield client


@contextmanager
def connect(address: str, tls: Tls | None = None, deadline: float = DEADLINE) -> Iterator[Client]:
    """Connect to a scheduler that somebody else has started, and leave it running.

    Parameters
    ----------
    address : str
        ``tcp://host:port`` or ``tls://host:port``.
    tls : Tls or None
        The files for ``tls``; without, those that Dask's configuration names.
    deadline : float, seconds
        The connection stands by then, or the reason why not is raised.

    Raises
    ------
    ClusterError
        If the scheduler cannot be reached, or the connection is lost.
    """
    place = parse(address, encrypted=tls is not None)
    settings.apply()
    with _quiet():
        client = _reach(place, tls, deadline)
        with _session(client, str(place)):
            yield client


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return what ``work`` returns; leave it behind in its thread if that takes too long.

    The only way to bound what blocks without a timeout of its own: looking up a name, or Dask's
    greetings.

    Raises
    ------
    TimeoutError
        If it does.
    """
    done: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put(work())
        except BaseException as error:
            done.put(error)

    threading.Thread(target=run, name="ogas-within", daemon=True).start()
    try:
        result = done.get(timeout=max(0.0, seconds))
    except queue.Empty:
        raise TimeoutError(f"not done within {seconds:g} s") from None
    if isinstance(result, BaseException):
        raise result
    return result


def _reach(place: Address, tls: Tls | None, deadline: float) -> Client:
    end = time.monotonic() + deadline
    security, context = credentials(place, tls)

    def dial() -> Client:
        left = max(0.1, end - time.monotonic())
        return Client(str(place), security=security, timeout=left, set_as_default=False)

    try:
        within(deadline, lambda: knock(place, context, deadline))
        with warnings.catch_warnings():  # `check_workers` says it better, and of what matters
            warnings.simplefilter("ignore", VersionMismatchWarning)
            return within(end - time.monotonic(), dial)
    except ClusterError:
        raise
    except OSError as error:
        raise unreachable(place, error, deadline) from error
    except Exception as error:  # ImportError for versions apart, RuntimeError for encryption
        raise ClusterError(
            f"the scheduler does not let us in: {error}",
            where=str(place),
            advice="run the same versions of dask and distributed there and here",
        ) from error


@contextmanager
def _session(client: Client, where: str) -> Iterator[None]:
    """Say it in our words if the connection is lost, and close it."""
    try:
        yield
    except (OSError, CancelledError) as error:
        # Dask has no one error for this: it cancels what is waited for, and times out on the rest.
        lost = isinstance(error, CommClosedError) or client.status != "running"
        if isinstance(error, PlanError) or not lost:
            raise
        raise ClusterError(
            "the connection is lost",
            where=where,
            advice="see the logs of scheduler and workers; a submitted job can be resumed",
        ) from error
    finally:
        with suppress(Exception):
            client.close(timeout=CLOSING)


def _start(workers: int, threads: int, folder: str) -> LocalCluster:
    try:
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # 8787 may be taken
            silence_logs=logging.CRITICAL,
            resources=RESOURCES,
            preload=[PRELOAD],
            scheduler_kwargs={"preload": [PAGE]},
            env={"OGAS_THREADS": str(threads)},
            local_directory=folder,
            death_timeout=STARTING,
        )
    except Exception as error:
        raise ClusterError(
            f"{workers} workers do not start on this machine: {error}",
            advice="OGAS_DEBUG=1 shows their logs",
        ) from error


def _end(cluster: LocalCluster) -> None:
    """Close the cluster, and kill by its id what is still there then."""
    started = {worker.pid for worker in cluster.workers.values()}
    with _undisturbed():
        with suppress(Exception):
            cluster.close(timeout=CLOSING)
        for process in multiprocessing.active_children():
            if process.pid in started:
                process.kill()
                process.join(CLOSING)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Finish what must not be left half done, and obey Ctrl-C after that.

    What starts meanwhile never hears Ctrl-C, which a terminal sends to all of us: processes and
    threads inherit the signals that the thread starting them has blocked. We end them ourselves.
    """
    resource_tracker.ensure_running()  # its start would unblock the signal
    heard: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():  # only there Python lets us listen
        for number in (signal.SIGINT, signal.SIGTERM):
            handlers[number] = signal.signal(number, lambda number, _: heard.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if heard:
        raise KeyboardInterrupt


@contextmanager
def _same_environment() -> Iterator[None]:
    """Take back what a starting worker leaves in our environment, like OMP_NUM_THREADS=1."""
    names = {*dask.config.get("distributed.nanny.pre-spawn-environ"), "PYTHONHASHSEED"}
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's log from stderr."""
    if os.environ.get("OGAS_DEBUG"):
        yield
        return
    known = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in TALKATIVE]
    loggers = {logging.getLogger(name) for name in (*known, *TALKATIVE)}
    before = {logger: logger.level for logger in loggers}
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in before.items():
            logger.setLevel(level)
