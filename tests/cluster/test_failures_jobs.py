"""Whatever happens to a job from outside, it ends with the same certified plan or by a name.

Here: schedulers, disks and stores that fail, people who leave, and jobs that meet each other.
"""

import os
import shutil
import signal
import subprocess
from contextlib import suppress

import psutil
import pytest
from clusters import LONG, loadings, machine, occurrences, until
from faults import race

from ogas.cluster.jobs.api import asked, cancel, result, wait
from ogas.cluster.jobs.job import Job
from ogas.cluster.jobs.store import JobStore
from ogas.datasets.gallery import write
from ogas.datasets.recipes import Parameters

NO_NANNY = ("--no-nanny",)
OFTEN = {"OGAS_CHECKPOINT_EVERY": "1"}
OPTIONS = ("--method", "block-jacobi", "--digits", "10")
FULL = """
import errno, os
import numpy

def savez(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

numpy.savez = savez
"""

pytestmark = pytest.mark.usefixtures("undisturbed")


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """Two workers that tests leave as they found them."""
    with machine(tmp_path_factory.mktemp("crowd"), 2) as cluster:
        yield cluster


@pytest.fixture
def at_store(crowd, monkeypatch):
    """Let commands find the jobs of `crowd`."""
    monkeypatch.setenv("OGAS_JOBS", str(crowd.store.folder))


def is_gone(process):
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


# ---- The scheduler


def test_a_job_that_lost_its_scheduler_is_resumed_from_its_checkpoint(
    tmp_path, sectors, certified, ogas, monkeypatch
):
    with machine(tmp_path, 2, **OFTEN) as cluster:
        monkeypatch.setenv("OGAS_JOBS", str(cluster.store.folder))
        with cluster.midway(sectors.path, "worker") as job:
            until(lambda: occurrences(job, "checkpoint"))
            _, other = cluster.coordinator(job)
            cluster.send(signal.SIGKILL, other)
        certified(job)
        kept, read = loadings(job)[-1]
        assert kept > 0
        assert read > 0
        assert kept + read == sectors.blocks
        cluster.until_complete()

        with cluster.midway(sectors.path, "scheduler") as job:
            until(lambda: occurrences(job, "checkpoint"))
            cluster.remove("scheduler")
        workers = [cluster.started.pop(name) for name in ("w0", "w1")]
        assert [worker.wait(LONG) is not None for worker in workers] == [True, True]
        assert job.state.state == "running"

        cluster.start_scheduler()
        cluster.start_workers("w2", "w3")
        assert ogas("resume", job.id, "--scheduler", cluster.address).out == f"{job.id}\n"
        certified(job)
        assert (job.state.attempts, job.state.scheduler) == (2, cluster.address)
        assert loadings(job) == [(0, 0), (0, sectors.blocks)]


# ---- Disks


def test_a_checkpoint_that_cannot_be_written_is_done_without(tmp_path, sectors, certified):
    preload = tmp_path / "full.py"
    preload.write_text(FULL)
    with machine(tmp_path, 2, *NO_NANNY, "--preload", str(preload), **OFTEN) as cluster:
        job = cluster.submit(sectors.path, "full")
        certified(job)
        assert not occurrences(job, "checkpoint")
        assert "the disk is full" in occurrences(job, "checkpoint not written")[0]["message"]

        job = cluster.submit(sectors.path, "blocked")
        (job.path / "checkpoints").write_text("no folder")
        certified(job)
        assert not occurrences(job, "checkpoint")
        assert occurrences(job, "checkpoint not written")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a quarter of a megabyte, for the jobs."""
    folder = tmp_path / "jobs"
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)]
    if subprocess.run(mounted, check=False, capture_output=True).returncode:
        pytest.skip("this takes the right to mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_job_store_holds_nothing_up_but_the_ending(tmp_path, small_disk, sectors, certified):
    with machine(tmp_path, 2, *NO_NANNY) as cluster:
        with cluster.midway(sectors.path, "full") as job:
            fill(small_disk / "filler")
        until(lambda: (tmp_path / "full.zarr").exists())
        assert job.state.state == "running"
        (small_disk / "filler").unlink()
        certified(job)


def fill(file):
    """Leave no room on a disk."""
    with file.open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(b"0" * 512)


@pytest.mark.parametrize("moment", ["before", "later"])
def test_a_damaged_block_is_named(crowd, at_store, sectors, ogas, tmp_path, moment):
    table = tmp_path / "t"
    shutil.copytree(sectors.path, table)
    if moment == "before":
        damage(table)
        job = crowd.submit(table, "damaged-before")
    else:
        with crowd.midway(table, "damaged-later") as job:
            damage(table)
            crowd.send(signal.SIGKILL, crowd.coordinator(job)[1])
    ending = ogas("wait", job.id, "--timeout", LONG)
    assert ending.code == job.state.code == 5
    assert str(table) in ending.err
    assert "block" in ending.err
    assert not (crowd.folder / f"{job.id}.zarr").exists()
    crowd.until_complete()


def damage(table):
    """Change one number of every block."""
    for file in table.glob("blocks/*/own/data/c/0"):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)


# ---- Several jobs


def test_a_job_submitted_twice_at_once_is_carried_out_once(crowd, at_store, sectors, certified):
    script = "import sys; from ogas.cluster.cli import main; main(sys.argv[1:])"
    target = crowd.folder / "twice.zarr"
    words = ("submit", "plan", sectors.path, "-o", target, "--job", "twice", *OPTIONS)
    said = race("", script, *words, "--scheduler", crowd.address, processes=2)
    assert said == ["twice", "twice"]
    job = crowd.store.job("twice")
    certified(job)
    assert job.state.attempts == 1
    for event in ("submitted", "started", "ended"):
        assert len(occurrences(job, event)) == 1


def test_a_second_job_waits_for_the_workers_of_the_first(crowd, sectors, certified):
    with crowd.midway(sectors.path, "first") as first:
        second = crowd.submit(sectors.path, "second")
        until(lambda: occurrences(second, "queued behind another job"))
        assert (first.state.state, second.state.state) == ("running", "queued")
    certified(first)
    certified(second)
    (event,) = occurrences(second, "queued behind another job")
    assert event["other"] == "first"


# ---- People


def test_who_submitted_a_job_may_be_killed(crowd, at_store, sectors, certified, command):
    words = ("submit", "plan", sectors.path, "-o", crowd.folder / "gone.zarr", *OPTIONS)
    with subprocess.Popen(
        [*command, *map(str, words), "--scheduler", crowd.address],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        name = process.stdout.readline().strip()
        process.kill()
    certified(crowd.store.job(name))


def test_ctrl_c_ends_a_run_on_workers_of_its_own(tmp_path, tmp_path_factory, command):
    slow = tmp_path_factory.mktemp("slow") / "t"  # more than a thousand rounds
    write("sectors:S4", slow, Parameters(products=20_000, inputs=20, radius=0.995, seed=20261124))
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen(
        [*command, "plan", str(slow), *OPTIONS, "-o", "plan.zarr", "--workers", "2"],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    started = []
    try:
        until(lambda: any(job.state.round >= 5 for job in jobs_in(tmp_path / "tmp")))
        started = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, err = process.communicate(timeout=LONG)
    finally:
        process.kill()
    assert (process.returncode, out) == (130, "")
    assert err.removeprefix("\n") == "ogas: interrupted; nothing was changed\n"
    assert len(started) >= 2
    until(lambda: all(map(is_gone, started)))
    assert [path.name for path in tmp_path.iterdir()] == ["tmp"]
    assert list((tmp_path / "tmp").glob("ogas*")) == []


def jobs_in(folder):
    return [Job(state.parent) for state in folder.glob("ogas-job-*/*/state.json")]


def test_a_cancelled_job_ends_and_leaves_its_workers_to_the_next(
    crowd, at_store, sectors, certified, ogas
):
    with crowd.midway(sectors.path, "cancelled") as first:
        second = crowd.submit(sectors.path, "queued")
        until(lambda: occurrences(second, "queued behind another job"))
        assert cancel(second).state == "cancelled"
        assert ogas("cancel", first.id).out == "cancelled: cancelled\n"
    for job in (first, second):
        assert ogas("wait", job.id, "--timeout", LONG).code == 130
        ending = ogas("result", job.id, "--json")
        assert (ending.code, ending.facts["outcome"]) == (130, "cancelled")
        assert not (crowd.folder / f"{job.id}.zarr").exists()
    certified(crowd.submit(sectors.path, "next"))


def test_a_job_that_nobody_carries_out_can_be_cancelled(tmp_path, sectors):
    job = JobStore(tmp_path / "jobs").create(asked("plan", sectors.path))
    assert cancel(job).state == "cancelled"
    assert wait(job).code == result(job)["code"] == 130
