"""Jobs that no cluster carries out: what the commands say of a store, and of what stands in it."""

import os
import re
import subprocess

import pytest

from ogas.cluster.jobs import Job, JobStore, asked
from ogas.cluster.jobs.lease import take
from ogas.cluster.jobs.state import Progress


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """A job store for every test alone."""
    monkeypatch.setenv("OGAS_JOBS", str(tmp_path / "jobs"))
    return JobStore(tmp_path / "jobs")


def a_job(store, name="night-7", **fields):
    """A job in the store that no cluster knows of."""
    return store.create(asked("plan", "us-2021", **fields), name)


def test_an_empty_store_has_no_jobs_and_is_not_made_by_looking(ogas, store):
    assert ogas("jobs").out == "there are no jobs\n"
    assert ogas("jobs", "--json").facts == {"jobs": []}
    assert not store.folder.exists()


@pytest.mark.parametrize("command", ["status", "logs", "wait", "cancel", "result", "resume"])
def test_a_job_that_is_not_there_is_wrong_usage(ogas, command):
    ending = ogas(command, "nobody", "--json")
    assert ending.code == ending.facts["code"] == 2
    assert ending.facts["message"] == "there is no job 'nobody'"
    assert ogas(command, "../x").code == 2


def test_a_job_needs_a_cluster(ogas, store):
    ending = ogas("submit", "plan", "us-2021", "--json")
    assert ending.code == 2
    assert ending.facts["advice"] == "name its scheduler: --scheduler tcp://host:8786"
    a_job(store)
    assert ogas("resume", "night-7").code == 2


def test_a_job_that_nobody_carries_out_is_cancelled_at_once(ogas, store):
    job = a_job(store)
    assert "waiting for a worker to coordinate it" in ogas("status", "night-7").out
    assert ogas("cancel", "night-7").out == "night-7: cancelled\n"
    assert job.state.code == 130


def test_a_job_whose_coordinator_is_gone_is_said_to_need_another(ogas, store, monkeypatch):
    job = a_job(store)
    lease = take(job.path, "host:1", "", lambda owner: False)
    job.begin(lease)
    lease.release()
    assert ogas("status", "night-7", "--json").facts["is_carried_out"] is False
    assert "`ogas resume night-7` goes on with it" in ogas("status", "night-7").out
    monkeypatch.setattr("ogas.cluster.jobs.api.ORPHANED", 0.3)
    ending = ogas("wait", "night-7", "--json")
    assert ending.code == ending.facts["code"] == 7
    assert "`ogas resume night-7` goes on from its last checkpoint" in ending.err


@pytest.mark.parametrize("command", ["status", "wait", "result", "cancel"])
def test_a_damaged_job_is_said_to_be(ogas, store, command):
    (a_job(store).path / "state.json").write_text('{"state": ')
    ending = ogas(command, "night-7", "--json")
    assert ending.code == ending.facts["code"] == 5
    assert ending.facts["where"].endswith("night-7/state.json")


def test_a_result_that_is_gone_is_damage(ogas, store):
    job = a_job(store)
    ogas("cancel", "night-7")
    (job.path / "result.json").unlink()
    for command in ("result", "wait"):
        assert ogas(command, "night-7").code == 5


def test_one_damaged_job_does_not_hide_the_others(ogas, store):
    a_job(store, "good")
    (a_job(store, "bad").path / "state.json").write_text("")
    ending = ogas("jobs", "--json")
    assert ending.code == ending.facts["code"] == 5
    assert ending.facts["where"].endswith("bad/state.json")
    assert [job["job"] for job in ending.facts["jobs"]] == ["good"]
    assert "good  queued" in ogas("jobs").out


@pytest.mark.parametrize(
    "words",
    [("jobs",), ("status", "j"), ("logs", "j"), ("wait", "j"), ("result", "j"), ("resume", "j")],
    ids=lambda words: words[0],
)
def test_a_store_of_another_format_is_refused(ogas, store, words):
    a_job(store, "j")
    (store.folder / "FORMAT").write_text('{"format": 2}')
    ending = ogas(*words, "--json")
    assert ending.code == ending.facts["code"] == 5
    assert "format 2 of the job store" in ending.err


# ---- what people read ----------------------------------------------------------------------------


def ended(store, name, facts):
    """A job that came out as the facts say."""
    job = a_job(store, name)
    lease = take(job.path, "host:1", "", lambda owner: False)
    job.begin(lease)
    job.end(lease, facts)
    return job


def test_jobs_are_a_table_without_frayed_ends(ogas, store):
    a_job(store, "a")
    ended(store, "b" * 30, {"outcome": "error", "code": 6, "message": "it does not fit"})
    ended(store, "c", {"outcome": "certified", "code": 0, "digits_certified": 4})
    lines = ogas("jobs").out.splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert lines[0].split("  ")[0] == "job"
    assert lines[0].endswith("so far")
    at = lines[0].index("state")
    assert [line[at:].split()[0] for line in lines[1:]] == ["queued", "failed", "certified"]
    assert lines[2].endswith("it does not fit")


def test_jobs_fit_into_a_terminal(command, store, tmp_path):
    ended(store, "b", {"outcome": "error", "code": 6, "message": "it does not fit " * 20})
    words = " ".join([*map(_quoted, command), "jobs"])
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "60", "OGAS_JOBS": str(store.folder)}
    done = subprocess.run(
        ["script", "-qec", words, "/dev/null"], capture_output=True, text=True, env=environment,
        stdin=subprocess.DEVNULL, timeout=60, check=True,
    )  # fmt: skip
    lines = [_plain(line) for line in done.stdout.splitlines()]
    assert len(lines) == 2
    assert len(lines[1]) == 60
    assert lines[1].endswith("…")
    assert "\x1b[31m" in done.stdout


def _quoted(word):
    return "'" + word.replace("'", "'\\''") + "'"


def _plain(line):
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def test_logs_are_lines_for_people_and_records_for_programs(ogas, store):
    job = ended(store, "j", {"outcome": "certified", "code": 0})
    job.log("checkpoint", round=1234)
    lines = ogas("logs", "j").out.splitlines()
    assert [line[21:] for line in lines][-1] == "checkpoint: round 1,234"
    assert [line.split(maxsplit=2)[2].split(":")[0] for line in lines] == [
        *("submitted", "started", "ended", "checkpoint")
    ]
    facts = ogas("logs", "j", "--json").facts
    assert facts["job"] == "j"
    assert facts["events"] == list(job.events())
    assert ogas("logs", "j", "-f", "--json").facts == facts


def test_a_job_shows_itself(store):
    job = a_job(store)
    assert str(job) == repr(job) == "<job night-7: queued>"
    lease = take(job.path, "host:1", "", lambda owner: False)
    job.begin(lease)
    job.record_progress(lease, Progress(round=1200, digits_now=2, digits_expected=2.6))
    assert repr(job) == (
        "<job night-7: running, round 1,200, 2 figures certified, about 2.6 expected>"
    )
    (job.path / "state.json").write_text("")
    assert repr(Job(job.path)).startswith("<job night-7: truncated or altered")
