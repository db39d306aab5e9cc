"""The job store: made once, whole or not at all, readable through every kill and full disk."""

import errno
import json
import os
import re
import shutil
import threading
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path

import pytest
from faults import Killed, failing_at, race

from ogas.cluster.jobs.api import wait
from ogas.cluster.jobs.job import Job
from ogas.cluster.jobs.lease import take
from ogas.cluster.jobs.specification import METHODS, Specification
from ogas.cluster.jobs.state import Progress
from ogas.cluster.jobs.store import JobStore, default_folder
from ogas.datasets.atomic import PREFIX
from ogas.engine import choose
from ogas.engine.errors import DamagedError, WrongUsageError

ASKED = Specification("quantities", "/tables/steel.2021", "/plans/steel.zarr")
FULL = Specification(
    "quantities",
    "us-2021",
    "/plans/us.zarr",
    digits=5,
    delta=0.01,
    method="anderson",
    demands=("/demands/low.csv", "/demands/high.csv"),
    warm="/plans/last.zarr",
    threads=2,
    memory=3 * 10**9,
    workers=4,
    scheduler="tls://10.0.0.7:8786",
    tls={"ca": "/keys/ca.pem", "cert": "/keys/cert.pem", "key": "/keys/key.pem"},
)
PRICES = Specification("values", "us-2021", "/plans/prices.zarr", factors=("labour", "imports"))


def lease_of(job):
    return take(job.path, "a", "", lambda owner: True)


@pytest.fixture
def store(tmp_path):
    return JobStore(tmp_path / "data" / "jobs")


@pytest.fixture
def job(store):
    return store.create(ASKED, "night")


def litter(folder):
    return [file for file in folder.rglob("*") if file.name.startswith(PREFIX)]


# ---- Specifications


@pytest.mark.parametrize("asked", [ASKED, FULL, PRICES], ids=["least", "full", "prices"])
def test_a_specification_comes_back_as_it_was(store, asked):
    assert store.create(asked).specification == asked
    assert Specification.parse(json.loads(json.dumps(asked.json()))) == asked


def test_a_specification_asks_for_the_methods_there_are():
    assert set(METHODS) == {"auto", *choose.METHODS}


MEANINGLESS = {
    "kind": [{"kind": "profits"}, "quantities or values, not 'profits'"],
    "method": [{"method": "newton"}, "no method 'newton'; choose from auto, jacobi"],
    "no digits": [{"digits": 0}, "from 1 to 15, not 0"],
    "digits that are none": [{"digits": True}, "digits cannot be True"],
    "many digits": [{"digits": 16}, "from 1 to 15, not 16"],
    "delta": [{"delta": 1.0}, "below 1, not 1.0"],
    "delta that is none": [{"delta": float("nan")}, "below 1, not nan"],
    "memory": [{"memory": 0}, "memory cannot be 0"],
    "workers": [{"workers": -1}, "workers cannot be -1"],
    "threads": [{"threads": -1}, "threads cannot be -1"],
    "relative table": [{"table": "tables/steel"}, "tables/steel: a job needs absolute paths"],
    "no table": [{"table": ""}, "a job needs absolute paths"],
    "relative target": [{"target": "us.zarr"}, "us.zarr: a job needs absolute paths"],
    "relative demand": [{"demands": ("/a.csv", "b.csv")}, "b.csv: a job needs absolute paths"],
    "relative plan": [{"warm": "last.zarr"}, "last.zarr: a job needs absolute paths"],
    "path that is none": [{"warm": 7}, "warm cannot be 7"],
    "text for a list": [{"demands": "/a.csv"}, "demands cannot be '/a.csv'"],
    "half of TLS": [{"tls": {"ca": "/ca"}}, "three files: ca, cert and key"],
    "relative key": [{"tls": {"ca": "/c", "cert": "/c", "key": "k"}}, "k: a job needs absolute"],
    "factors of a plan": [{"factors": ("labour",)}, "quantities have no factors"],
    "demand of prices": [{"kind": "values", "demands": ("/a",)}, "do not depend on demand"],
}


@pytest.mark.parametrize("name", MEANINGLESS)
def test_what_cannot_be_meant_is_refused_at_the_door(name):
    changes, said = MEANINGLESS[name]
    with pytest.raises(WrongUsageError, match=re.escape(said)):
        replace(ASKED, **changes)


ALTERED = {
    "of a newer version": ({"priority": 3}, r"newer version: it asks for priority; upgrade"),
    "altered": ({"digits": "many"}, r"altered \(digits cannot be 'many'\); submit"),
    "with half a list": ({"demands": 3}, r"altered \("),
}


@pytest.mark.parametrize("name", ALTERED)
def test_a_stored_specification_that_cannot_be_meant_is_damage(job, name):
    changes, said = ALTERED[name]
    (job.path / "specification.json").write_text(json.dumps(ASKED.json() | changes))
    with pytest.raises(DamagedError, match=rf"specification\.json: .*{said}"):
        _ = job.specification


# ---- Making and finding jobs


def test_looking_makes_no_store(store, tmp_path):
    assert store.jobs() == []
    with pytest.raises(WrongUsageError, match="there is no job 'night'"):
        store.job("night")
    assert list(tmp_path.iterdir()) == []


def test_a_new_job_is_queued(job):
    state = job.state
    assert (state.job, state.state, state.attempts) == ("night", "queued", 0)
    assert datetime.fromisoformat(state.submitted).utcoffset().total_seconds() == 0
    assert (state.started, state.ended, state.code, state.elapsed) == (None, None, None, 0)
    assert job.result() is None
    assert [event["event"] for event in job.events()] == ["submitted"]


def test_a_made_id_tells_the_time_and_the_table(store):
    first, second = store.create(ASKED), store.create(ASKED)
    assert re.fullmatch(r"\d{8}-\d{6}-steel-[0-9a-f]{4}", first.id)
    assert first.id != second.id
    wide = replace(ASKED, table="/tables/Баланс народного хозяйства.zarr")
    assert re.fullmatch(r"\d{8}-\d{6}-table-[0-9a-f]{4}", store.create(wide).id)
    assert len(store.create(replace(ASKED, table="/t/" + "x" * 200)).id) < 80


def test_the_newest_job_comes_last(store):
    names = ["b", "c", "a"]
    for second, name in enumerate(names):
        job = store.create(ASKED, name)
        os.utime(job.path / "specification.json", (second, second))
    assert [job.id for job in store.jobs()] == names


def test_the_same_job_is_made_once(store, job, contents):
    before = contents()
    assert store.create(ASKED, "night") == job
    assert contents() == before


def test_an_id_means_one_thing(store, job, contents):
    before = contents()
    with pytest.raises(WrongUsageError, match=r"night: there is a job of this id.*another id"):
        store.create(replace(ASKED, digits=4), "night")
    assert contents() == before


CREATE = (
    "from pathlib import Path\n"
    "from ogas.cluster.jobs.specification import Specification\n"
    "from ogas.cluster.jobs.store import JobStore\n"
)


def test_many_who_make_the_same_job_at_once_get_the_same(store):
    said = race(
        CREATE,
        "asked = Specification('quantities', '/tables/steel.2021', '/plans/steel.zarr')\n"
        "job = JobStore(Path(sys.argv[1])).create(asked, 'night')\n"
        "print(job.id, job.path.stat().st_ino, job.specification == asked)\n",
        store.folder,
    )
    (job,) = store.jobs()
    assert said == [f"night {job.path.stat().st_ino} True"] * 8
    assert len(list(job.events())) == 1
    assert litter(store.folder) == []


def test_of_many_who_mean_something_else_by_an_id_one_has_it(store):
    said = race(
        "import os\n" + CREATE,
        "asked = Specification('values', 'us-2021', f'/plans/{os.getpid()}')\n"
        "try:\n"
        "    JobStore(Path(sys.argv[1])).create(asked, 'night')\n"
        "    print(asked.target)\n"
        "except ValueError as error:\n"
        "    print('refused', error)\n",
        store.folder,
    )
    refused = [words for words in said if words.startswith("refused")]
    (target,) = set(said) - set(refused)
    assert (len(refused), target) == (7, store.job("night").specification.target)
    assert all("asked something else" in words for words in refused)


def test_a_kill_at_any_step_leaves_a_whole_job_or_none(tmp_path):
    with failing_at(10**9, Killed()) as count:
        JobStore(tmp_path / "counted").create(ASKED, "night")
    assert count["steps"] > 5
    made = []
    for k in range(1, count["steps"] + 1):
        store = JobStore(tmp_path / f"store-{k}")
        with pytest.raises(Killed), failing_at(k, Killed()):
            store.create(ASKED, "night")
        made.append(len(store.jobs()))
        assert all(job.specification == ASKED for job in store.jobs())
        assert store.create(ASKED, "night").state.state == "queued"
        assert litter(store.folder) == []
    # The last step, after the directory got its name, only makes the name durable.
    assert made == [0] * (count["steps"] - 1) + [1]


def test_a_full_disk_at_any_step_leaves_no_job(tmp_path):
    with failing_at(10**9, Killed()) as count:
        JobStore(tmp_path / "counted").create(ASKED, "night")
    full = OSError(errno.ENOSPC, "No space left on device")
    for k in range(1, count["steps"]):
        store = JobStore(tmp_path / f"store-{k}")
        with (
            pytest.raises(DamagedError, match=r"the disk is full.*free some space"),
            failing_at(k, full, bury=False),
        ):
            store.create(ASKED, "night")
        assert store.jobs() == []
        assert litter(store.folder) == []


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".x", "-x", "a/b", "../night", "a b", "é", "x" * 81, "a\n", "Format"]
)
def test_what_cannot_be_an_id_is_refused(store, tmp_path, name):
    with pytest.raises(WrongUsageError, match=r"cannot be the id of a job; use at most 80"):
        store.create(ASKED, name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 80, "_a", "2026-11-22.1", "A-b_c"])
def test_what_can_be_an_id_is_one(store, name):
    assert store.create(ASKED, name).id == name
    assert store.job(name).specification == ASKED


@pytest.mark.parametrize("name", ["day", "", "..", "../jobs/night", "FORMAT", ".lock"])
def test_an_unknown_job_is_said_with_the_store(store, job, name):
    said = re.escape(f"{store.folder}: there is no job {name!r}; `ogas jobs` lists them")
    with pytest.raises(WrongUsageError, match=said):
        store.job(name)


@pytest.mark.parametrize("text", ['{"format": 2}', '{"format": "x"}', "{}"])
def test_a_store_of_another_format_is_refused(store, job, text, contents):
    (store.folder / "FORMAT").write_text(text)
    before = contents()
    for act in (store.jobs, lambda: store.job("night"), lambda: store.create(ASKED)):
        with pytest.raises(DamagedError, match=r"jobs: written in format .* reads 1; upgrade"):
            act()
    assert contents() == before


def test_a_store_whose_format_is_damaged_is_refused(store, job):
    (store.folder / "FORMAT").write_text("{")
    with pytest.raises(DamagedError, match=r"FORMAT: truncated or altered .*OGAS_JOBS"):
        store.jobs()


def test_a_folder_of_something_else_is_left_alone(store, contents):
    store.folder.mkdir(parents=True)
    (store.folder / "thesis.tex").write_text("Chapter 1")
    before = contents()
    for act in (store.jobs, lambda: store.create(ASKED)):
        with pytest.raises(WrongUsageError, match="this is not a job store and not empty"):
            act()
    assert contents() == before


def test_a_store_cannot_be_a_file(tmp_path):
    (tmp_path / "jobs").write_text("")
    with pytest.raises(WrongUsageError, match="this is not a job store"):
        JobStore(tmp_path / "jobs").create(ASKED)
    with pytest.raises(WrongUsageError, match="cannot write here"):
        JobStore(tmp_path / "jobs" / "below").create(ASKED)


FOLDERS = [
    ({"OGAS_JOBS": "/srv/jobs", "XDG_DATA_HOME": "/data"}, "linux", "/srv/jobs"),
    ({"XDG_DATA_HOME": "/data"}, "linux", "/data/ogas/jobs"),
    ({"XDG_DATA_HOME": "data", "OGAS_JOBS": ""}, "linux", "/home/k/.local/share/ogas/jobs"),
    ({}, "linux", "/home/k/.local/share/ogas/jobs"),
    ({}, "darwin", "/home/k/Library/Application Support/ogas/jobs"),
]


@pytest.mark.parametrize(("variables", "system", "folder"), FOLDERS)
def test_the_store_is_where_the_user_keeps_data(monkeypatch, variables, system, folder):
    for name in ("XDG_DATA_HOME", "OGAS_JOBS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (variables | {"HOME": "/home/k"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", system)
    assert default_folder() == Path(folder)


def test_a_store_named_from_here_is_the_same_from_elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OGAS_JOBS", "jobs")
    assert default_folder() == tmp_path / "jobs"


def test_without_a_home_the_store_must_be_named(monkeypatch):
    def home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    monkeypatch.delenv("OGAS_JOBS")
    with pytest.raises(WrongUsageError, match="set OGAS_JOBS"):
        default_folder()


# ---- The life of a job


def test_a_job_is_queued_running_and_then_ended_with_its_result(job):
    lease = lease_of(job)
    job.begin(lease)
    assert (job.state.state, job.state.attempts, job.has_ended) == ("running", 1, False)
    assert job.state.started
    facts = {"outcome": "certified", "digits_certified": 4, "radius_bound": float("inf")}
    job.end(lease, facts)
    state = job.state
    assert (state.state, state.code, state.digits_now) == ("certified", 0, 4)
    assert state.elapsed == job.state.elapsed >= 0
    assert job.result() == facts | {"radius_bound": None}
    assert [event["event"] for event in job.events()] == ["submitted", "started", "ended"]


ERROR = {"outcome": "error", "code": 6, "message": "too large", "where": "block 3", "advice": "x"}
ENDINGS = [
    ({"outcome": "certified"}, "certified", 0),
    ({"outcome": "not_productive"}, "failed", 3),
    ({"outcome": "precision_not_reached"}, "failed", 4),
    ({"outcome": "cancelled"}, "cancelled", 130),
    ({"outcome": "error"}, "failed", 7),
    (ERROR, "failed", 6),
]


@pytest.mark.parametrize(("facts", "word", "code"), ENDINGS)
def test_the_outcome_decides_state_and_code(job, facts, word, code):
    job.end(lease_of(job), facts)
    state = job.state
    assert (state.state, state.outcome, state.code) == (word, facts["outcome"], code)
    assert state.message == facts.get("message", "")
    assert (state.where, state.advice) == (facts.get("where", ""), facts.get("advice", ""))


def test_the_first_ending_stands(job):
    lease = lease_of(job)
    job.end(lease, {"outcome": "certified"})
    assert job.end(lease, ERROR).state == "certified"
    assert job.result() == {"outcome": "certified"}
    with pytest.raises(WrongUsageError, match=r"this job has ended \(certified\).*ogas resume"):
        job.begin(lease)


def test_a_kill_at_any_step_of_the_end_leaves_a_job_with_its_result_or_none(job, tmp_path):
    def copied(name):
        shutil.copytree(job.path, tmp_path / name)
        copy = Job(tmp_path / name)
        lease = lease_of(copy)
        copy.begin(lease)
        return copy, lease

    copy, lease = copied("counted")
    with failing_at(10**9, Killed()) as count:
        copy.end(lease, {"outcome": "certified"})
    seen = []
    for k in range(1, count["steps"] + 1):
        copy, lease = copied(f"copy-{k}")
        with pytest.raises(Killed), failing_at(k, Killed()):
            copy.end(lease, {"outcome": "certified"})
        assert copy.result() == ({"outcome": "certified"} if copy.has_ended else None)
        seen.append(copy.state.state)
        copy.end(lease_of(copy), {"outcome": "certified"})
        assert copy.result() == {"outcome": "certified"}
    assert seen == ["running"] * (count["steps"] - 1) + ["certified"]


def test_progress_is_seen_and_its_loss_is_not_damage(job):
    lease = lease_of(job)
    job.begin(lease)
    job.record_progress(lease, Progress(round=12, digits_now=2, workers=3))
    assert (job.state.round, job.state.digits_now, job.state.workers) == (12, 2, 3)
    for lost in ("", '{"round": 12', '{"turns": 3}'):
        (job.path / "progress.json").write_text(lost)
        assert (job.state.state, job.state.round, job.state.digits_now) == ("running", 0, None)


def test_the_last_progress_is_kept_by_the_end(job):
    lease = lease_of(job)
    job.begin(lease)
    job.record_progress(lease, Progress(round=12, digits_now=2, workers=3))
    job.end(lease, {"outcome": "cancelled"})
    (job.path / "progress.json").unlink()
    assert (job.state.round, job.state.digits_now, job.state.workers) == (12, 2, 3)


def test_what_was_certified_counts_not_the_last_progress(job):
    lease = lease_of(job)
    job.begin(lease)
    job.record_progress(lease, Progress(round=12, digits_now=2, workers=3))
    job.end(lease, {"outcome": "certified", "digits_certified": 4})
    assert job.state.digits_now == 4


def test_progress_does_not_wait_for_the_disk(job):
    lease = lease_of(job)
    with failing_at(10**9, Killed()) as count:
        job.record_progress(lease, Progress(1, 1, 1))
    assert count["steps"] == 1  # the renaming


def test_a_wish_to_cancel_is_seen_and_said_once(job):
    assert not job.asked_to_cancel
    job.ask_to_cancel()
    job.ask_to_cancel()
    assert job.asked_to_cancel
    assert job.state.asked_to_cancel
    assert [event["event"] for event in job.events()] == ["submitted", "cancel asked for"]


def test_a_job_that_failed_can_be_queued_again_without_the_wish_to_cancel(job):
    lease = lease_of(job)
    job.begin(lease)
    job.record_progress(lease, Progress(12, 2, 3))
    job.ask_to_cancel()
    job.end(lease, {"outcome": "cancelled"})
    told = job.requeue(lease, "tcp://10.0.0.8:8786")
    state = job.state
    assert state == told
    assert (state.state, state.attempts, state.asked_to_cancel) == ("queued", 1, False)
    assert (state.round, state.digits_now, state.scheduler) == (12, 2, "tcp://10.0.0.8:8786")
    assert (state.code, state.started, state.ended, state.workers) == (None, None, None, 0)
    assert job.result() is None
    job.begin(lease)
    state = job.state
    assert (state.attempts, state.round, state.workers) == (2, 12, 0)


def test_a_certified_job_is_not_queued_again(job):
    lease = lease_of(job)
    job.end(lease, {"outcome": "certified"})
    with pytest.raises(WrongUsageError, match="this job is certified; nothing is left to do"):
        job.requeue(lease, None)
    assert job.state.state == "certified"


STATES = {
    "missing": (None, "the file is missing"),
    "empty": ("", "truncated or altered"),
    "a list": ("[]", "not a JSON object"),
    "short": ("{}", "altered"),
    "of no state": ('{"state": "lost", "submitted": "x"}', "there is no state 'lost'"),
    "of no time": ('{"state": "failed", "submitted": "x", "started": "noon"}', "altered"),
    "newer": ('{"state": "failed", "submitted": "x", "mood": 1}', "newer version: .*mood; upgrade"),
}


@pytest.mark.parametrize("name", STATES)
def test_a_damaged_state_is_said_and_does_not_hide_other_jobs(store, job, name):
    text, said = STATES[name]
    (job.path / "state.json").unlink()
    if text is not None:
        (job.path / "state.json").write_text(text)
    with pytest.raises(DamagedError, match=rf"state\.json: .*{said}"):
        _ = job.state
    other = store.create(ASKED, "other")
    assert store.jobs() == [job, other]


def test_the_json_of_a_state_holds_what_was_agreed(job):
    agreed = {"job", "state", "round", "digits_now", "workers", "started", "elapsed"}
    assert agreed <= job.state.json().keys()
    assert json.dumps(job.state.json())
    assert job.state.json().keys() == {field.name for field in fields(job.state)}


# ---- Events


def test_an_event_tells_its_facts_and_its_time(job):
    job.log("worker lost", worker="tcp://10.0.0.9:1", blocks=[3, 4], share=float("nan"))
    event = list(job.events())[-1]
    assert datetime.fromisoformat(event.pop("time")).tzinfo
    assert event == {
        "event": "worker lost",
        "worker": "tcp://10.0.0.9:1",
        "blocks": [3, 4],
        "share": None,
    }


def test_a_line_that_was_cut_short_spoils_no_other(job):
    with (job.path / "events.jsonl").open("a") as stream:
        stream.write('{"event": "ro')
    assert [event["event"] for event in job.events()] == ["submitted"]
    job.log("started")
    assert [event["event"] for event in job.events()] == ["submitted", "started"]


def test_a_write_that_falls_short_is_a_full_disk(job, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, text: write(handle, text[:7]))
    with pytest.raises(DamagedError, match=r"events\.jsonl: the disk is full"):
        job.log("started")


def test_events_of_many_processes_stay_whole(job):
    race(
        "from pathlib import Path\nfrom ogas.cluster.jobs.job import Job\n",
        "job = Job(Path(sys.argv[1]))\n"
        "for number in range(100):\n"
        "    job.log('step', number=number, text='x' * number)\n",
        job.path,
        processes=4,
    )
    numbers = [event["number"] for event in job.events() if event["event"] == "step"]
    assert sorted(numbers) == sorted(4 * list(range(100)))
    text = (job.path / "events.jsonl").read_text()
    assert all(json.loads(line) for line in text.splitlines() if line)


def test_events_are_followed_until_the_job_has_ended(job):
    lease = lease_of(job)
    seen, begun = [], threading.Event()

    def follow():
        for event in job.events(follow=True, patience=60):
            seen.append(event["event"])
            begun.set()

    follower = threading.Thread(target=follow)
    follower.start()
    assert begun.wait(60)
    job.begin(lease)
    job.end(lease, {"outcome": "certified"})
    follower.join(60)
    assert seen == ["submitted", "started", "ended"]


def test_a_line_is_not_followed_before_it_is_whole(job):
    seen, file = [], job.path / "events.jsonl"
    events = job.events(follow=True, patience=60)
    seen.append(next(events)["event"])
    line = b'{"event": "round"}\n'
    with file.open("ab", buffering=0) as stream:
        stream.write(line[:9])
        finisher = threading.Timer(0.5, stream.write, [line[9:]])
        finisher.start()
        seen.append(next(events)["event"])
        finisher.join()
    assert seen == ["submitted", "round"]


def test_patience_with_a_job_that_does_not_end_is_exhausted(job):
    assert [event["event"] for event in job.events(follow=True, patience=0)] == ["submitted"]
    assert wait(job, patience=0.01).state == "queued"


def test_waiting_is_over_when_the_job_has_ended(job):
    lease = lease_of(job)
    ender = threading.Timer(0.05, job.end, [lease, {"outcome": "not_productive"}])
    ender.start()
    assert wait(job, patience=60).code == 3
    ender.join()
