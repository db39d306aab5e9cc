"""One coordinator at a time; who lost the lease, and does not know it yet, publishes nothing."""

import json
import pickle
import shutil
import signal
import threading

import pytest
from faults import python, race

from ogas.cluster.jobs.files import locked
from ogas.cluster.jobs.lease import DURATION, Lease, LostLeaseError, read_lease, take
from ogas.cluster.jobs.process import this_process
from ogas.cluster.jobs.specification import Specification
from ogas.cluster.jobs.state import Progress
from ogas.cluster.jobs.store import JobStore
from ogas.engine.errors import DamagedError, LockedError, WrongUsageError

SCHEDULER = "Scheduler-7"
ASKED = Specification("quantities", "us-2021", "/plans/us.zarr")


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.time = 1_700_000_000.0

    def __call__(self):
        return self.time


def nobody_dies(owner):
    return False


@pytest.fixture
def job(tmp_path):
    return JobStore(tmp_path / "jobs").create(ASKED, "night")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def taken(job, clock):
    """Take the job's lease as the owner of this name."""

    def by(owner, scheduler=SCHEDULER, is_dead=nobody_dies):
        return take(job.path, owner, scheduler, is_dead, clock)

    return by


TAKE = "from pathlib import Path\nfrom ogas.cluster.jobs.lease import take\n"


def test_of_many_who_take_the_lease_at_once_one_has_it(job, tmp_path):
    done = tmp_path / "done"
    done.mkdir()
    said = race(
        TAKE,
        "import os, time\n"
        "lease = take(Path(sys.argv[1]), str(os.getpid()), '', lambda owner: False)\n"
        "print(os.getpid() if lease else 'none', flush=True)\n"
        "(Path(sys.argv[2]) / str(os.getpid())).touch()\n"
        "while len(os.listdir(sys.argv[2])) < 8:\n"  # the lease of who has ended is free
        "    time.sleep(0.01)\n",
        *(job.path, done),
    )
    winners = [word for word in said if word != "none"]
    assert winners == [read_lease(job.path).owner]
    assert read_lease(job.path).token == 1


def test_no_token_is_given_twice(job):
    said = race(
        TAKE,
        "for turn in range(20):\n"
        "    lease = take(Path(sys.argv[1]), 'x', '', lambda owner: True)\n"
        "    print(lease.token if lease else 0)\n",
        job.path,
        processes=4,
    )
    tokens = sorted(int(word) for words in said for word in words.split() if word != "0")
    assert tokens == list(range(1, len(tokens) + 1))
    assert len(tokens) > 20


def test_a_lease_is_free_once_it_runs_out_and_not_before(taken, clock):
    first = taken("a")
    clock.time += DURATION - 0.001
    assert taken("b") is None
    assert first.is_held()
    clock.time += 0.001
    assert not first.is_held()
    second = taken("b")
    assert (second.token, second.owner) == (2, "b")


def test_a_renewed_lease_runs_from_its_renewal(taken, clock):
    first = taken("a")
    clock.time += DURATION - 1
    first.renew()
    clock.time += DURATION - 1
    assert first.is_held()
    assert taken("b") is None


def test_a_lease_that_ran_out_can_be_renewed_while_nobody_took_it(taken, clock):
    first = taken("a")
    clock.time += 5 * DURATION
    first.renew()
    assert first.is_held()


def test_a_released_lease_is_free_at_once_and_its_token_is_spent(taken):
    first = taken("a")
    first.release()
    assert not first.is_held()
    with pytest.raises(LostLeaseError, match="number 1 was released by a"):
        first.renew()
    assert taken("a").token == 2


def test_a_lost_lease_is_neither_renewed_nor_does_its_release_free_the_new_one(taken, clock):
    first = taken("a")
    clock.time += DURATION
    second = taken("b")
    with pytest.raises(LostLeaseError, match=r"number 2 was taken by b; leave the job to"):
        first.renew()
    first.release()
    assert second.is_held()
    assert not first.is_held()


def test_the_lease_of_the_dead_is_free(taken):
    taken("a")
    asked = []
    assert taken("b", is_dead=lambda owner: bool(asked.append(owner))) is None
    assert asked == ["a"]
    assert taken("b", is_dead=lambda owner: owner == "a").token == 2


def test_another_scheduler_cannot_know_who_is_dead(taken):
    taken("a")
    assert taken("b", "Scheduler-8", is_dead=lambda owner: pytest.fail("asked")) is None


def test_a_verdict_on_the_last_owner_does_not_hold_for_one_who_came_since(job, taken):
    taken("a")

    def is_dead(owner):
        if owner == "a":
            taken("c", is_dead=lambda owner: True)
        return True

    assert taken("b", is_dead=is_dead) is None
    assert read_lease(job.path).owner == "c"


def test_nobody_takes_the_lease_while_its_holder_publishes(taken, clock):
    first, others = taken("a"), []
    taker = threading.Thread(target=lambda: others.append(taken("b")))
    with first.while_held():
        clock.time += 2 * DURATION
        taker.start()
        taker.join(0.3)
        assert others == []
    taker.join(60)
    assert others[0].token == 2


def test_a_lock_that_is_held_too_long_is_said(tmp_path):
    with (
        locked(tmp_path / "lock"),
        pytest.raises(LockedError, match=r"lock: another process has held this lock"),
        locked(tmp_path / "lock", patience=0.05),
    ):
        pytest.fail("both hold it")


def test_a_file_system_without_locks_is_wrong_usage(tmp_path, monkeypatch):
    def refuse(handle, how):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(WrongUsageError, match=r"has no locks \(Function not.*set OGAS_JOBS"):
        locked(tmp_path / "lock").__enter__()


HOLD = TAKE + (
    "import time\n"
    "lease = take(Path(sys.argv[1]), 'a', '', lambda owner: False)\n"
    "with lease.while_held():\n"
    "    print('held', flush=True)\n"
    "    time.sleep(600)\n"
)


def test_a_holder_killed_while_it_publishes_leaves_neither_lock_nor_lease(job):
    with python("import sys\n" + HOLD, job.path) as process:
        assert process.stdout.readline() == "held\n"
        process.send_signal(signal.SIGKILL)
    assert take(job.path, "b", "", nobody_dies).token == 2


ZOMBIE = (
    "import sys\n"
    "from ogas.cluster.jobs.job import Job\n"
    "from ogas.cluster.jobs.lease import LostLeaseError\n"
) + TAKE
SLEEPING = (
    "job = Job(Path(sys.argv[1]))\n"
    "lease = take(job.path, 'zombie', '', lambda owner: False)\n"
    "job.begin(lease)\n"
    "print('begun', flush=True)\n"
    "sys.stdin.readline()\n"
    "try:\n"
    "    job.end(lease, {'outcome': 'certified', 'by': 'zombie'})\n"
    "except LostLeaseError as error:\n"
    "    print(error)\n"
)


def test_a_coordinator_that_wakes_up_after_its_lease_was_taken_publishes_nothing(job):
    with python(ZOMBIE + SLEEPING, job.path) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGSTOP)
        lease = take(job.path, "b", "", lambda owner: owner == "zombie")
        job.begin(lease)
        process.send_signal(signal.SIGCONT)
        said, _ = process.communicate("wake up\n", timeout=60)
    assert "the lease number 1 is no longer valid: number 2 was taken by b" in said
    assert (job.state.state, job.state.attempts, job.result()) == ("running", 2, None)
    job.end(lease, {"outcome": "certified", "by": "b"})
    assert job.result()["by"] == "b"


@pytest.mark.parametrize(
    "act",
    [
        lambda job, lease: job.begin(lease),
        lambda job, lease: job.record_progress(lease, Progress(3, 1, 2)),
        lambda job, lease: job.end(lease, {"outcome": "certified"}),
        lambda job, lease: job.requeue(lease, None),
    ],
    ids=["begin", "record_progress", "end", "requeue"],
)
def test_nothing_is_changed_without_the_lease(job, taken, contents, act):
    first = taken("a")
    job.ask_to_cancel()
    taken("b", is_dead=lambda owner: True)
    before = contents()
    with pytest.raises(LostLeaseError):
        act(job, first)
    assert contents() == before


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"token": "x"}'])
def test_a_damaged_lease_is_said(job, taken, text):
    first = taken("a")
    (job.path / "lease.json").write_text(text)
    for act in (first.renew, first.is_held, lambda: taken("b")):
        with pytest.raises(DamagedError, match=r"lease\.json: .*submit the job again"):
            act()


def test_the_lease_of_a_job_that_was_removed_is_said(job, taken):
    first = taken("a")
    shutil.rmtree(job.path)
    with pytest.raises(DamagedError, match="night: the folder is gone"):
        first.renew()
    assert not job.path.exists()


def test_who_holds_the_lease_can_be_read(job, taken, clock):
    assert read_lease(job.path) is None
    taken("tcp://10.0.0.7:41233")
    assert json.loads((job.path / "lease.json").read_text()) == {
        "token": 1,
        "owner": "tcp://10.0.0.7:41233",
        "scheduler": SCHEDULER,
        "process": this_process(),
        "expires": clock.time + DURATION,
    }


def test_a_lost_lease_is_said_across_processes(job):
    lost = Lease(job.path, 4, "a", SCHEDULER)
    with pytest.raises(LostLeaseError, match="the file of the lease is gone") as caught:
        lost.renew()
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
