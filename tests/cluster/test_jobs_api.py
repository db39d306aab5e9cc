"""Jobs from Python: the verbs of the command line, on workers of this machine."""

import inspect
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from clusters import scheduler

from ogas.cluster.jobs import Job, JobStore, api, asked, cancel, result, resume, submit, wait
from ogas.cluster.runtime.connecting import connect
from ogas.cluster.runtime.errors import ClusterError
from ogas.engine.errors import WrongUsageError


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """A job store for every test alone, which is also the folder we are in."""
    monkeypatch.setenv("OGAS_JOBS", str(tmp_path / "jobs"))
    monkeypatch.chdir(tmp_path)
    return JobStore(tmp_path / "jobs")


def example_of(page):
    """The first indented block in the docstring of a module."""
    lines = inspect.getdoc(page).splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("    "))
    last = next(k for k in range(first, len(lines)) if lines[k] and lines[k][0] != " ")
    return textwrap.dedent("\n".join(lines[first:last]))


def test_the_example_at_the_head_of_the_page_runs(capsys, undisturbed, tmp_path):
    exec(example_of(api), {})
    said = capsys.readouterr().out
    assert said.startswith("<job ")
    assert "-us-2021-" in said
    assert ": certified, round " in said
    assert float(said.split()[-1]) <= 5e-7
    assert (tmp_path / "us-2021-plan.zarr").is_dir()


def test_verbs_are_imported_without_the_libraries():
    script = (
        "import ogas.cluster.jobs, sys; print('distributed' in sys.modules, 'numba' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False False\n"


def test_a_job_is_submitted_waited_for_and_its_result_read(cluster, store):
    told = []
    job = submit(asked("price", "us-2021", digits=4, factors="labour"), "j", client=cluster)
    assert job == store.job("j") == Job(store.folder / "j")
    state = wait(job, told.append)
    assert told[-1] == state
    assert (state.state, state.code) == ("certified", 0)
    found = result(job)
    assert found["digits_certified"] >= 4
    assert Path(found["plan"]) == Path("us-2021-prices.zarr").absolute()
    assert (
        repr(job)
        == f"<job j: certified, round {found['passes']}, {state.digits_now} figures certified>"
    )
    assert submit(asked("price", "us-2021", digits=4, factors="labour"), "j", client=cluster) == job
    assert job.state.attempts == 1
    with pytest.raises(WrongUsageError, match="asked something else"):
        submit(asked("price", "us-2021", digits=5), "j", client=cluster)
    with pytest.raises(WrongUsageError, match="nothing is left to do"):
        resume(job, client=cluster)


def test_a_job_goes_on_without_whoever_submitted_it(cluster, store):
    with connect(cluster.scheduler.address) as leaving:
        job = submit(asked("plan", "us-2021"), client=leaving)
    assert wait(job, patience=60).state == "certified"


def test_a_queued_job_waits_as_long_as_its_scheduler_is_there(store, monkeypatch):
    monkeypatch.setattr(api, "ORPHANED", 0.5)
    with scheduler() as (address, _):
        job = store.create(asked("plan", "us-2021", scheduler=address), "j")
        assert wait(job, patience=1.5).state == "queued"
    with pytest.raises(ClusterError, match=r"nobody has carried this job out .*`ogas resume j`"):
        wait(job)


def test_a_scheduler_is_found_by_an_address_without_a_scheme():
    with scheduler() as (address, _):
        assert api.listens(address)
        assert api.listens(address.removeprefix("tcp://"))
    assert not api.listens(address)


def test_a_failure_is_a_result_too(cluster):
    job = submit(asked("plan", "us-2021", memory=10**6), client=cluster)
    assert wait(job).code == 6
    found = result(job)
    assert (found["outcome"], found["code"]) == ("error", 6)
    assert found["advice"].startswith("use --memory ")


def test_a_job_without_a_cluster_can_only_be_cancelled(store):
    job = store.create(asked("plan", "us-2021"), "j")
    assert wait(job, patience=0.0).state == "queued"
    with pytest.raises(ClusterError, match="no result yet: it is queued"):
        result(job)
    with pytest.raises(WrongUsageError, match="a job needs a cluster"):
        resume(job)
    assert cancel(job).state == "cancelled"
    assert result(job)["code"] == 130


def test_what_is_asked_is_checked_and_made_absolute(tmp_path):
    for name in ("f.csv", "g.csv", "ca", "cert", "key"):
        Path(name).touch()
    found = asked(
        *("plan", "us-2021"),
        output="p",
        demands="f.csv",
        tls={"ca": "ca", "cert": "cert", "key": "key"},
    )
    assert found.demands == (str(tmp_path / "f.csv"),)
    assert found.target == str(tmp_path / "p")
    assert found.tls == {name: str(tmp_path / name) for name in ("ca", "cert", "key")}
    assert len(asked("plan", "us-2021", demands=["f.csv", Path("g.csv")]).demands) == 2
    assert asked("price", "us-2021", factors=["labour"]).factors == ("labour",)
    for fields, said in (
        ({"warm": "nowhere"}, "there is no such file"),
        ({"demands": ["nowhere"]}, "there is no such file"),
        ({"digits": 16}, "digits go from 1 to 15"),
        ({"factors": "labour"}, "quantities have no factors"),
    ):
        with pytest.raises(WrongUsageError, match=said):
            asked("plan", "us-2021", **fields)
    with pytest.raises(TypeError, match="digit"):
        asked("plan", "us-2021", digit=3)
    with pytest.raises(WrongUsageError, match="a plan or a price"):
        asked("plans", "us-2021")
    with pytest.raises(WrongUsageError, match="there is no such table"):
        asked("plan", "nowhere")


def test_a_place_where_something_else_stands_is_refused_before_the_cluster_is_asked(tmp_path):
    (tmp_path / "diary").mkdir()
    with pytest.raises(WrongUsageError, match="something that is not a plan stands here"):
        submit(asked("plan", "us-2021", output="diary", scheduler="tcp://127.0.0.1:1"))
