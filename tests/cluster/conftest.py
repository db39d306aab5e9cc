"""The command line in this process, judged after every call by the laws that every ending keeps."""

import json
import signal
import subprocess
import sys
from dataclasses import dataclass

import problems
import pytest

from ogas.cluster.cli import main
from ogas.datasets.store import publish

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
