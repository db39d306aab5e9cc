"""Whatever happens to the processes of a cluster, the plan is the same certified one, or the job
ends by a name and can be resumed. Here: workers and coordinators that die, hang, leave and come.
"""

import fcntl
import os
import signal
import time

import pytest
from clusters import LONG, loadings, machine, occurrences, until

from ogas.cluster.jobs import api
from ogas.cluster.jobs.api import wait
from ogas.cluster.runtime.errors import ClusterError

GIVEN_UP = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "6s"}  # so soon Dask forgets who is silent
NO_NANNY = ("--no-nanny",)

pytestmark = pytest.mark.usefixtures("undisturbed")


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """Two workers that tests leave as they found them."""
    with machine(tmp_path_factory.mktemp("crowd"), 2) as cluster:
        yield cluster


# ---- Workers


def test_a_worker_that_dies_is_replaced_and_the_others_keep_their_blocks(crowd, sectors, certified):
    with crowd.midway(sectors.path, "worker") as job:
        _, other = crowd.coordinator(job)
        crowd.send(signal.SIGKILL, other)
    certified(job)
    assert [event["attempt"] for event in occurrences(job, "started")] == [1]
    assert loadings(job)[0] == (0, 0)
    kept, read = loadings(job)[-1]
    assert 0 < kept < sectors.blocks
    assert read == 0
    assert not occurrences(job, "checkpoint")
    crowd.until_complete()


def test_a_worker_that_hangs_is_given_up(crowd, sectors, certified):
    with crowd.midway(sectors.path, "hung") as job:
        _, other = crowd.coordinator(job)
        crowd.send(signal.SIGSTOP, other)
    certified(job)
    assert job.state.attempts == 1
    assert 0 < loadings(job)[-1][0] < sectors.blocks
    crowd.until_complete()


def test_workers_leave_and_come_in_the_middle_of_jobs(tmp_path, sectors, certified):
    with machine(tmp_path, 2) as cluster:
        with cluster.midway(sectors.path, "fewer") as job:
            mine, other = cluster.coordinator(job)
            left = cluster.leave(other)
            until(lambda: occurrences(job, "blocks loaded")[-1]["workers"] == 1)
        certified(job)
        assert job.state.attempts == 1
        assert left.wait(LONG) is not None

        with cluster.midway(sectors.path, "other", pause=0.4) as job:
            cluster.start_workers("late")
            left = cluster.leave(mine)
            until(lambda: len(occurrences(job, "started")) == 2)
        certified(job)
        # The solver's thread ends with its worker, and does not hold the process up.
        assert left.wait(LONG) is not None


def test_a_job_that_lost_all_workers_says_so_and_goes_on_with_a_new_one(
    tmp_path, sectors, certified, monkeypatch
):
    with machine(tmp_path, 3, *NO_NANNY, OGAS_CHECKPOINT_EVERY="1") as cluster:
        with cluster.midway(sectors.path, "last") as job:
            mine, _ = cluster.coordinator(job)
            cluster.remove(*(cluster.started.keys() - {mine, "scheduler"}))
        certified(job)
        assert occurrences(job, "blocks loaded")[-1]["workers"] == 1

        with cluster.midway(sectors.path, "none") as job:
            until(lambda: occurrences(job, "checkpoint"))
            cluster.remove(mine)
        monkeypatch.setattr(api, "ORPHANED", 1.0)
        with pytest.raises(ClusterError, match="nobody has carried this job out for 1 s") as caught:
            wait(job, patience=LONG)
        assert f"`ogas resume {job.id}` goes on" in caught.value.advice
        assert job.state.state == "running"

        monkeypatch.undo()
        cluster.start_workers("new")
        certified(job)
        assert loadings(job)[-1] == (0, sectors.blocks)


# ---- Coordinators


def test_another_coordinator_finds_the_blocks_of_the_one_that_died(crowd, sectors, certified):
    with crowd.midway(sectors.path, "coordinator") as job:
        mine, _ = crowd.coordinator(job)
        crowd.send(signal.SIGKILL, mine)
        until(lambda: len(occurrences(job, "started")) == 2)
    certified(job)
    assert [event["token"] for event in occurrences(job, "started")] == [1, 2]
    assert any(0 < kept < sectors.blocks for kept, _ in loadings(job))
    crowd.until_complete()


def test_a_coordinator_that_wakes_up_again_publishes_nothing(tmp_path, sectors, certified):
    with machine(tmp_path, 2, *NO_NANNY, **GIVEN_UP) as cluster:
        with cluster.midway(sectors.path, "zombie") as job:
            mine, _ = cluster.coordinator(job)
            halt(cluster, mine, job)
            until(lambda: len(occurrences(job, "started")) == 2)
        certified(job)
        before = published(cluster, job)

        zombie = cluster.started[mine]
        zombie.send_signal(signal.SIGCONT)
        assert zombie.wait(LONG) is not None
        assert published(cluster, job) == before
        assert len(occurrences(job, "ended")) == 1


def halt(cluster, name, job):
    """Stop a process while it holds no lock: there is no telling when its lock would be free."""

    def is_stopped():
        cluster.send(signal.SIGSTOP, name)
        time.sleep(0.05)
        with (job.path / "lease.lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                cluster.send(signal.SIGCONT, name)
                return False
        return True

    until(is_stopped)


def published(cluster, job):
    """All files of the result and of the plan, with the times at which they were written."""
    target = cluster.folder / f"{job.id}.zarr"
    files = [job.path / "result.json", job.path / "state.json", *sorted(target.rglob("*"))]
    return {file: (os.stat(file).st_mtime_ns, os.stat(file).st_ino) for file in files}
