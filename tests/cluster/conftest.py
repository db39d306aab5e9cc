"""The command line in this process, judged after every call by the laws that every ending keeps."""

import copy
import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import dask.config
import problems
import pytest
from clusters import LONG, scheduler

from ogas.cluster.cli import main
from ogas.cluster.jobs.api import result, wait
from ogas.cluster.runtime.connecting import local_cluster
from ogas.datasets.answers import answer
from ogas.datasets.gallery import write
from ogas.datasets.plans import read_plan
from ogas.datasets.recipes import Parameters
from ogas.datasets.store import open_store, publish

COMMAND = [sys.executable, "-c", "import sys; from ogas.cluster.cli import main; sys.exit(main())"]


@dataclass(frozen=True)
class Ending:
    """What a command left: its exit code, and what it said where."""

    code: int
    out: str
    err: str

    @property
    def facts(self):
        """The JSON object on stdout; NaN and Infinity are not JSON."""
        return json.loads(self.out, parse_constant=_refuse)


def _refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def judged(ending, words):
    """The ending, after a look at what must hold of all of them."""
    assert "Traceback" not in ending.out + ending.err
    assert "defect of ogas" not in ending.err
    assert (ending.code == 0) == (ending.err == ""), ending.err
    if ending.err and words:
        line = ending.err.removeprefix("\n")  # after the ^C that a terminal shows
        assert line.startswith("ogas: ")
        assert line.count("\n") == 1, ending.err
    if "--json" in words:
        assert ending.out.count("\n") == 1
        assert isinstance(ending.facts, dict)
    return ending


@pytest.fixture
def ogas(capsys, tmp_path, monkeypatch):
    """Run a command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)

    def run(*words):
        capsys.readouterr()
        words = [str(word) for word in words]
        code = main(words)
        assert type(code) is int
        return judged(Ending(code, *capsys.readouterr()), words)

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def command():
    """The words that start the program, as a process of its own."""
    return COMMAND


@pytest.fixture
def process(tmp_path):
    """Run a command as a process of its own."""

    def run(*words, **options):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        options = {"cwd": tmp_path, "text": True, "timeout": 120} | pipes | options
        command = [*COMMAND, *(str(word) for word in words)]
        done = subprocess.run(command, check=False, **options)
        return judged(Ending(done.returncode, done.stdout or "", done.stderr), words)

    return run


@pytest.fixture
def stored(tmp_path):
    """Store a table, given or by its name in `problems`, under a name in the test's folder."""

    def store(table, name="t"):
        table = problems.solvable(table) if isinstance(table, str) else table
        publish(tmp_path / name, table)
        return tmp_path / name

    return store


@pytest.fixture
def contents(tmp_path):
    """List all that stands in the test's folder, with every file's content."""

    def look():
        files = sorted(tmp_path.rglob("*"))
        return {file: file.read_bytes() if file.is_file() else None for file in files}

    return look


@pytest.fixture(scope="module")
def undisturbed():
    """Leave the configuration of Dask to other tests as it was."""
    before = copy.deepcopy(dask.config.config)
    yield
    dask.config.config.clear()
    dask.config.config.update(before)


@pytest.fixture(scope="module")
def cluster(undisturbed):
    """A connection to two workers of this machine."""
    with local_cluster(2, threads=1) as client:
        yield client


@pytest.fixture(scope="module")
def in_clear():
    """The address of a scheduler without workers."""
    with scheduler() as (address, _):
        yield address


@dataclass(frozen=True)
class Stored:
    """A table on the disk, and its true output."""

    path: Path
    blocks: int
    answer: object


@pytest.fixture(scope="session")
def sectors(tmp_path_factory):
    """A table that takes some hundred and fifty rounds of ten milliseconds for ten figures."""
    path = tmp_path_factory.mktemp("sectors") / "t"
    write("sectors:S4", path, Parameters(products=20_000, inputs=20, seed=20261123))
    store = open_store(path)
    return Stored(path, len(store.manifest.content.blocks), answer(store.load()))


@pytest.fixture
def certified(sectors):
    """Wait for the end of a job about ``sectors``, and judge its plan by the true output."""

    def judge(job):
        state = wait(job, patience=2 * LONG)
        assert state.state == "certified", (state, *job.events())
        facts = result(job)
        assert (facts["code"], facts["outcome"]) == (0, "certified")
        assert facts["digits_certified"] >= facts["digits_requested"]
        (column,) = read_plan(Path(facts["plan"])).columns
        problems.check_enclosed(sectors.answer, column, 1e-14)
        return facts

    return judge
