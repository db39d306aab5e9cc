"""Jobs on a cluster of real processes, by the commands that people and programs type."""

import json
import pydoc
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import problems
import pytest
from clusters import WORKER, machine, scheduler, started, until
from distributed import Security
from distributed.versions import get_versions

from ogas.cluster.jobs import JobStore
from ogas.cluster.runtime import membership, settings
from ogas.cluster.runtime.connecting import connect
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.datasets.store import publish

SIZE = Parameters(products=1200, blocks=12, seed=20251119)
TABLES = {
    "t": "sectors:S3",
    "one": "three_sectors",
    # Takes more rounds than any test has time for, with the method that needs most.
    "slow": ("sectors:S4", 0.9999),
    "loop": ("sectors:S1", 1.2),
}
SLOW = ("plan", "slow", "--method", "block-jacobi", "--digits", 8)
pytestmark = pytest.mark.usefixtures("undisturbed")
STATUS_KEYS = ("job", "state", "round", "digits_now", "workers", "started", "elapsed")


@dataclass(frozen=True)
class Site:
    """A running cluster, and a folder of tables that its workers see."""

    address: str
    folder: Path


def table_of(name):
    recipe = TABLES[name]
    if recipe == "three_sectors":
        return problems.solvable(recipe)
    word, radius = recipe if isinstance(recipe, tuple) else (recipe, None)
    return generate(word, replace(SIZE, radius=radius))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A scheduler and two workers as processes, and the tables."""
    folder = tmp_path_factory.mktemp("site")
    for name in TABLES:
        publish(folder / name, table_of(name))
    logs = tmp_path_factory.mktemp("logs")
    environment = {"OGAS_THREADS": "1", **settings.as_environment()}
    with machine(logs, 2, **environment) as cluster:
        yield Site(cluster.address, folder)


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """A job store for every test alone."""
    monkeypatch.setenv("OGAS_JOBS", str(tmp_path / "jobs"))
    return JobStore(tmp_path / "jobs")


@pytest.fixture
def there(ogas, site, monkeypatch, tmp_path):
    """Run a command that finds the cluster in ``OGAS_SCHEDULER``, and the tables here."""
    monkeypatch.setenv("OGAS_SCHEDULER", site.address)
    for name in TABLES:
        (tmp_path / name).symlink_to(site.folder / name)
    return ogas


def running(job):
    """Wait until some rounds of a job are done; one that is queued again tells of the earlier."""
    until(lambda: (state := job.state).state == "running" and state.round > 10)
    return job


# ---- a job from its submission to its result -----------------------------------------------------


@pytest.mark.parametrize("command", ["plan", "price"])
def test_a_job_is_submitted_waited_for_and_its_result_printed(there, store, command):
    ending = there("submit", command, "t", "--digits", 4)
    name = ending.out.strip()
    assert (ending.code, ending.out) == (0, f"{name}\n")
    waited = there("wait", name)
    assert waited.code == 0
    assert waited.out.startswith("certified: ")
    assert "stored in /" in waited.out
    assert there("result", name).out == waited.out
    facts = there("result", name, "--json").facts
    assert there("wait", name, "--json").facts == facts
    assert (facts["outcome"], facts["digits_requested"], facts["workers"]) == ("certified", 4, 2)
    assert 0 < facts["bytes_between_workers"] <= facts["bytes_exchanged"]
    assert (
        Path(facts["plan"]) == Path(f"t-{'plan' if command == 'plan' else 'prices'}.zarr").resolve()
    )
    assert there("verify", facts["plan"]).code == 0


def test_submit_says_in_json_what_status_says(there):
    submitted = there("submit", "plan", "us-2021", "--json").facts
    name = submitted["job"]
    assert submitted["state"] in ("queued", "running", "certified")
    there("wait", name)
    facts = there("status", name, "--json").facts
    assert set(STATUS_KEYS) <= set(facts)
    assert (facts["job"], facts["state"], facts["digits_now"]) == (name, "certified", 3)
    assert facts["round"] == there("result", name, "--json").facts["passes"]
    assert facts["elapsed"] > 0
    assert not facts["is_carried_out"]
    assert there("jobs", "--json").facts == {"jobs": [without(facts, "is_carried_out")]}
    said = there("status", name).out.splitlines()
    assert said[0] == f"{name}: certified"
    assert said[1].startswith(f"round {facts['round']}, 3 figures certified, ")
    assert said[1].endswith(" s on 1 worker")


def without(facts, *names):
    return {name: value for name, value in facts.items() if name not in names}


def test_a_job_submitted_twice_is_carried_out_once(there, store):
    for _ in range(2):
        assert there("submit", "plan", "t", "--job", "night-7").out == "night-7\n"
    there("wait", "night-7")
    assert there("submit", "plan", "t", "--job", "night-7").out == "night-7\n"
    assert there("wait", "night-7").code == 0
    assert store.job("night-7").state.attempts == 1
    assert [event["event"] for event in store.job("night-7").events()].count("started") == 1
    ending = there("submit", "plan", "t", "--job", "night-7", "--digits", 5, "--json")
    assert (ending.code, ending.facts["code"]) == (2, 2)
    assert "there is a job of this id that was asked something else" in ending.err


def test_paths_may_be_relative_and_are_meant_from_here(there, tmp_path):
    table = table_of("t")
    rows = [f"{id},{wanted}" for id, wanted in zip(table.ids, 2 * table.demand, strict=True)]
    (tmp_path / "war.csv").write_text("\n".join(["id,demand", *rows]))
    there("plan", "t", "-o", "earlier")
    words = ("--demand", "war.csv", "--warm", "earlier", "-o", "sub/war", "--job", "j")
    assert there("submit", "plan", "t", *words).code == 0
    facts = there("wait", "j", "--json").facts
    assert facts["plan"] == str(tmp_path / "sub" / "war")
    assert facts["demand_from"] == str(tmp_path / "war.csv")
    assert facts["warm"] == str(tmp_path / "earlier")


def test_scenarios_are_planned_together_and_told_apart(there, tmp_path):
    table = table_of("t")
    for name, times in (("peace", 1), ("war", 3)):
        rows = [f"{id},{times * one}" for id, one in zip(table.ids, table.demand, strict=True)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["id,demand", *rows]))
    words = ("plan", "t", "--demand", "peace.csv", "--demand", "war.csv")
    facts = there(*words, "--json").facts
    assert list(facts["scenarios"]) == ["peace", "war"]
    war, peace = (
        facts["scenarios"][name]["totals"]["labour"]["value"] for name in ("war", "peace")
    )
    assert war == pytest.approx(3 * peace, rel=1e-3)
    assert "peace" in there(*words).out


def test_factors_are_priced_as_asked(there, tmp_path):
    table = table_of("t")
    carbon = np.arange(len(table)) % 7 / 7.0
    publish(tmp_path / "both", replace(table, factors=dict(table.factors) | {"CO2": carbon}))
    facts = there("price", "both", "-o", "p", "--json").facts
    assert list(facts["totals"]) == ["labour", "CO2"]
    one = there("price", "both", "--factor", "CO2", "--json").facts
    assert list(one["totals"]) == ["CO2"]
    again = there("price", "both", "-o", "again", "--warm", "p", "--json").facts
    assert again["passes"] < facts["passes"]
    ending = there("price", "both", "--factor", "water", "--json")
    assert ending.code == 2
    assert "no factor 'water'; it has: labour, CO2" in ending.err


def test_where_the_coordinator_computes_alone_one_worker_is_told(there):
    facts = there("plan", "us-2021", "--json").facts
    assert (facts["method"], facts["workers"], facts["exchanges"]) == ("anderson", 1, 0)
    assert there("price", "one", "--json").facts["workers"] == 1


@pytest.mark.parametrize("words", [("plan", "t"), ("price", "t"), ("plan", "us-2021")], ids=str)
def test_json_has_the_keys_of_a_run_in_one_process(there, monkeypatch, words):
    elsewhere = there(*words, "--json").facts
    monkeypatch.delenv("OGAS_SCHEDULER")
    here = there(*words, "--json").facts
    assert set(elsewhere) == {*here, "bytes_between_workers"}
    same = ("outcome", "products", "nonzeros", "blocks", "method", "method_because", "passes")
    same += ("exchanges", "bytes_exchanged", "relative_half_width", "radius_bound", "total")
    assert {key: elsewhere[key] for key in same} == {key: here[key] for key in same}
    assert list(elsewhere["seconds"]) == list(here["seconds"])


# ---- what comes out is the exit code -------------------------------------------------------------


def broken(folder):
    """Cut a file of a table short."""
    chunk = next((folder / "blocks").glob("*/own/data/c/0"))
    chunk.write_bytes(chunk.read_bytes()[:-1])


ENDINGS = {
    "certified": (["t"], 0, ""),
    "not productive, in blocks": (["loop"], 3, "the economy is not productive: "),
    "not productive, in one block": (["bad"], 3, "the economy is not productive: "),
    "not reached": (["us-2021", "--delta", 0.01, "--digits", 4], 4, "ask for --digits 1"),
    "damaged": (["broken"], 5, "altered"),
    "too little memory for blocks": (["t", "--memory", "1MB"], 6, "may use 1,000,000 bytes"),
    "too little memory for all": (["us-2021", "--memory", "1MB"], 6, "1,000,000 are allowed"),
    "no place": (["us-2021", "-o", "/proc/nowhere/p"], 2, "check the path"),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_wait_and_result_return_the_code_of_the_job(there, stored, tmp_path, name):
    words, code, said = ENDINGS[name]
    if words == ["bad"]:
        stored(problems.self_loop(1.5), "bad")
    if words == ["broken"]:
        publish(tmp_path / "broken", table_of("t"))
        broken(tmp_path / "broken")
    assert there("submit", "plan", *words, "--job", "j").code == 0
    for command in ("wait", "result"):
        ending = there(command, "j")
        assert ending.code == code, ending.err
        assert said in ending.err
        in_json = there(command, "j", "--json")
        assert in_json.code == code
        if code in (0, 3, 4):
            assert (in_json.facts["plan"] is None) == (code == 3)
        else:
            assert in_json.facts["code"] == code
            assert set(in_json.facts) == {"outcome", "code", "message", "where", "advice"}
    assert there("status", "j", "--json").facts["code"] == code
    if code not in (0, 3, 4):
        assert not list(tmp_path.glob("*.zarr"))


def test_the_plan_command_returns_the_same_codes(there):
    ending = there("plan", "loop", "--json")
    assert ending.code == 3
    assert ending.facts["loop"]
    assert ending.facts["loop_size"] >= len(ending.facts["loop"])
    assert ending.facts["message"] in ending.err


def test_the_memory_that_is_advised_is_enough(there):
    ending = there("plan", "t", "--memory", "1MB")
    needed = int(ending.err.split("--memory ")[1].rstrip(")\n"))
    assert there("plan", "t", "--memory", needed).code == 0


def test_a_result_whose_plan_is_gone_or_another_says_so(there, tmp_path):
    there("submit", "plan", "t", "-o", "p", "--job", "j")
    there("wait", "j")
    there("plan", "t", "-o", "p", "--digits", 6)
    ending = there("result", "j")
    assert ending.code == 0
    assert ending.out.splitlines()[-1] == f"{tmp_path / 'p'}: another plan was stored here since"
    (tmp_path / "p").rename(tmp_path / "q")
    ending = there("result", "j")
    assert ending.code == 0
    assert "the plan cannot be shown: " in ending.out
    assert there("result", "j", "--json").facts["outcome"] == "certified"


# ---- while it runs -------------------------------------------------------------------------------


def test_a_running_job_is_watched_and_cancelled(there, store, command, tmp_path):
    assert there("submit", *SLOW, "--job", "j").code == 0
    job = running(store.job("j"))
    facts = there("status", "j", "--json").facts
    assert (facts["state"], facts["workers"], facts["is_carried_out"]) == ("running", 2, True)
    assert facts["round"] > 0
    assert facts["outcome"] is facts["ended"] is facts["code"] is None
    assert there("status", "j").out.startswith("j: running\nround ")
    assert there("resume", "j", "--json").facts["code"] == 8
    for words in (("result", "j"), ("wait", "j", "--timeout", 0.1)):
        ending = there(*words, "--json")
        assert (ending.code, ending.facts["code"]) == (7, 7)
        assert "this job has no result yet: it is running, in round " in ending.err
    with subprocess.Popen([*command, "logs", "j", "-f"], stdout=-1, text=True) as following:
        try:
            first = following.stdout.readline()
            assert there("cancel", "j").out == "j: cancelled\n"
            rest = [first, *following.stdout.read().splitlines()]
            assert following.wait(60) == 0
        finally:
            following.kill()
    assert rest[0].split(maxsplit=2)[2].startswith("submitted")
    assert any("started: attempt 1, owner tcp://127.0.0.1:" in line for line in rest)
    assert rest[-1].endswith("ended: outcome cancelled, code 130, message the job was cancelled")
    assert job.state.state == "cancelled"
    for name in ("wait", "result"):
        assert there(name, "j").err == "ogas: the job was cancelled\n"
        ending = there(name, "j", "--json")
        assert (ending.code, ending.facts["outcome"], ending.facts["code"]) == (
            130,
            "cancelled",
            130,
        )
    assert there("status", "j", "--json").facts["state"] == "cancelled"
    assert not list(tmp_path.glob("*.zarr"))


def test_a_cancelled_job_is_resumed_and_one_that_is_certified_is_not(there, store):
    there("submit", *SLOW, "--job", "j")
    running(store.job("j"))
    there("cancel", "j")
    facts = there("resume", "j", "--json").facts
    assert facts["state"] in ("queued", "running")
    assert (facts["job"], facts["asked_to_cancel"]) == ("j", False)
    running(store.job("j"))
    assert there("cancel", "j", "--json").facts["state"] == "cancelled"
    assert [event["event"] for event in store.job("j").events()].count("started") == 2
    there("submit", "plan", "us-2021", "--job", "done")
    there("wait", "done")
    ending = there("resume", "done", "--json")
    assert (ending.code, ending.facts["code"]) == (2, 2)
    assert "this job is certified; nothing is left to do" in ending.err
    assert there("cancel", "done", "--json").facts["asked_to_cancel"] is False


@pytest.mark.parametrize("where", ["--scheduler", "--workers"])
def test_an_interrupted_plan_is_cancelled_and_leaves_nothing(site, command, store, tmp_path, where):
    place = [where, site.address if where == "--scheduler" else 1]
    words = [*SLOW[:1], site.folder / "slow", *SLOW[2:], *place, "--json"]
    process = subprocess.Popen(
        [*command, *map(str, words)], cwd=tmp_path, stdout=-1, stderr=-1, text=True
    )
    with process:
        if where == "--scheduler":
            until(lambda: any(job.state.round > 10 for job in store.jobs()))
        else:
            time.sleep(3)  # somewhere between the start of workers and the sweeps
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(out)["outcome"] == "cancelled"
    assert err.strip() == "ogas: interrupted; nothing was changed"
    assert [job.state.state for job in store.jobs()] == ["cancelled"] * (where == "--scheduler")
    assert not list(tmp_path.glob("*.zarr"))


# ---- options and variables -----------------------------------------------------------------------


def test_options_fall_back_to_variables(there, store, monkeypatch):
    monkeypatch.setenv("OGAS_WORKERS", "1")
    monkeypatch.setenv("OGAS_DIGITS", "5")
    monkeypatch.setenv("OGAS_METHOD", "block-jacobi")
    facts = there("plan", "t", "--json").facts
    assert (facts["workers"], facts["digits_requested"]) == (1, 5)
    assert facts["method"] == "block-jacobi"
    assert facts["bytes_between_workers"] == 0
    there("submit", "plan", "t", "--job", "j")
    found = store.job("j").specification
    assert (found.workers, found.digits, found.method) == (1, 5, "block-jacobi")
    there("cancel", "j")
    assert there("plan", "t", "--workers", 2, "--digits", 3, "--json").facts["workers"] == 2
    monkeypatch.setenv("OGAS_SCHEDULER", "")
    monkeypatch.setenv("OGAS_WORKERS", "")
    assert "bytes_between_workers" not in there("plan", "t", "--json").facts


def test_more_workers_than_there_are_is_no_mistake(there):
    assert there("plan", "t", "--workers", 100, "--json").facts["workers"] == 2


# ---- clusters that will not do -------------------------------------------------------------------

REFUSED = {
    "nobody there": (["--scheduler", "tcp://127.0.0.1:1"], 7, "nothing listens there"),
    "no address": (["--scheduler", "nonsense"], 7, "is not the address of a scheduler"),
    "one TLS file": (["--tls-ca", "ca.pem"], 2, "--tls-key belong together"),
    "two TLS files": (["--tls-ca", "a", "--tls-key", "b"], 2, "belong together"),
    "no workers": (["--workers", 0], 2, "0 is not in the range"),
    "no figures": (["--digits", 0], 2, "digits go from 1 to 15, not 0"),
    "delta above 1": (["--delta", 2], 2, "not 2.0"),
    "over a table": (["-o", "t"], 2, "something that is not a plan stands here"),
    "a demand that is not there": (["--demand", "f.csv"], 2, "there is no such file"),
    "a plan that is not there": (["--warm", "p"], 2, "there is no such file"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("command", [("plan",), ("submit", "plan")], ids=lambda words: words[0])
def test_what_cannot_be_carried_out_is_refused_at_the_door(there, store, tmp_path, command, name):
    words, code, said = REFUSED[name]
    ending = there(*command, "t", *words, "--json")
    assert ending.code == ending.facts["code"] == code
    assert said in ending.err
    assert ending.facts["advice"] or "digits" in said or "delta" in name
    assert store.jobs() == []
    assert not list(tmp_path.glob("*.zarr"))


def test_a_place_where_nothing_stands_is_for_the_coordinator_to_look_at(there, store):
    ending = there("plan", "t", "-o", "t/CURRENT/p", "--json")
    assert ending.code == ending.facts["code"] == 2
    assert "this is a file, not a folder" in ending.err
    assert store.jobs() == []
    there("submit", "plan", "t", "-o", "t/CURRENT/p", "--job", "j")
    assert there("wait", "j", "--json").facts == ending.facts
    assert store.job("j").state.round == 0


@pytest.mark.parametrize("place", ["/proc/jobs", "file"])
def test_a_store_that_cannot_be_written_is_wrong_usage(there, tmp_path, monkeypatch, place):
    (tmp_path / "file").write_text("a diary")
    monkeypatch.setenv("OGAS_JOBS", place)
    ending = there("submit", "plan", "us-2021", "--json")
    assert ending.code == ending.facts["code"] == 2
    assert place.strip("/") in ending.facts["where"]


def test_a_table_that_workers_do_not_see_is_named(there, store):
    # Every process has another folder of this name.
    ending = there("submit", "plan", "/proc/self/cwd/t", "--json")
    assert ending.code == 7
    assert "worker w0 (tcp://127.0.0.1:" in ending.err
    assert "cannot read /proc/self/cwd/t" in ending.err
    assert ending.facts["advice"].startswith("put it on storage that all machines share")
    assert store.jobs() == []


class Pretending:
    """`get_versions` of tomorrow; on its way to a worker it is itself."""

    def __call__(self, packages):
        found = get_versions(packages=packages)
        found["packages"]["numpy"] = "99.0"
        return found

    def __reduce__(self):
        return pydoc.locate, ("distributed.versions.get_versions",)


def test_workers_with_other_versions_are_refused(there, monkeypatch):
    monkeypatch.setattr(membership, "get_versions", Pretending())
    for words in (("plan", "t"), ("submit", "price", "t")):
        ending = there(*words, "--json")
        assert ending.code == 7
        assert "and we 99.0" in ending.err
        assert "worker w0" in ending.err


@pytest.fixture(scope="module")
def bare():
    """A scheduler without workers."""
    with scheduler() as (address, _):
        yield address


def test_a_scheduler_without_fit_workers_is_refused(ogas, bare, store):
    ending = ogas("submit", "plan", "us-2021", "--scheduler", bare, "--json")
    assert ending.code == 7
    assert "no worker offers the resource 'block'" in ending.err
    assert f"start one: dask worker {bare} " in ending.facts["advice"]
    words = ("--resources", "block=1,coordinator=1", "--no-dashboard", "--name", "unprepared")
    with started("worker", bare, *words), connect(bare) as client:
        client.wait_for_workers(1, timeout=60)
        ending = ogas("plan", "us-2021", "--scheduler", bare, "--json")
    assert ending.code == 7
    assert "worker unprepared" in ending.err
    assert "was not prepared; start it with --preload ogas.cluster.worker" in ending.err
    assert store.jobs() == []


def tls_files(folder):
    """Write a CA that is its own and only certificate; the options that name the files."""
    made = Security.temporary()
    parts = {"ca": made.tls_ca_file, "cert": made.tls_client_cert, "key": made.tls_client_key}
    for name, text in parts.items():
        (folder / f"{name}.pem").write_text(text)
    return [word for name in parts for word in (f"--tls-{name}", f"{name}.pem")]


def test_the_wrong_protocol_and_missing_files_are_told(ogas, bare, tmp_path):
    files = tls_files(tmp_path)
    tls = bare.replace("tcp:", "tls:")
    for address, options, said in (
        (tls, files, "it was addressed by TLS, and answers otherwise"),
        (tls, [], "tls needs a CA, a certificate and a key"),
        (bare, files, "TLS files are given, but tcp does not encrypt"),
    ):
        ending = ogas("plan", "us-2021", "--scheduler", address, *options, "--json")
        assert ending.code == 7
        assert said in ending.err
    (tmp_path / "key.pem").unlink()
    ending = ogas("submit", "plan", "us-2021", "--scheduler", tls, *files, "--json")
    assert ending.code == 2
    assert ending.facts["message"] == "the TLS key is not here"


def test_a_cluster_that_encrypts_plans_for_whoever_has_the_files(ogas, tmp_path):
    files = tls_files(tmp_path)
    theirs = [word.replace("--tls-ca", "--tls-ca-file") for word in files]
    theirs = [str(tmp_path / word) if word.endswith(".pem") else word for word in theirs]
    with (
        scheduler("--protocol", "tls", *theirs) as (address, _),
        started("worker", address, *WORKER, *theirs),
    ):
        words = ("submit", "plan", "us-2021", "--scheduler", address, "--job", "j")
        until(lambda: ogas(*words, *files).code == 0)
        assert ogas("wait", "j").code == 0
        ending = ogas("plan", "us-2021", "--scheduler", address.replace("tls", "tcp"), "--json")
    assert ending.code == 7
    assert "this scheduler encrypts, and was addressed in clear" in ending.err
