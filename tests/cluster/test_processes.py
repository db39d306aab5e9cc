"""Real processes: signals, terminals, closed and full outputs, memory, and what is imported."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest

HEAVY = {"numba", "numpy", "scipy", "zarr", "xarray", "dask", "distributed", "pandas", "rich"}


def test_a_command_answers_in_a_process_of_its_own(process, tmp_path):
    ending = process("plan", "us-2021", "--json")
    assert ending.code == 0
    assert ending.facts["outcome"] == "certified"
    assert (tmp_path / "us-2021-plan.zarr").exists()


def test_a_name_that_is_no_text_is_wrong_usage(process):
    ending = process("info", "\udcff", "--json")
    assert (ending.code, ending.facts["where"]) == (2, "\udcff")


def test_help_starts_without_the_libraries():
    script = (
        "import sys; from ogas.cluster.cli import main; main(['--help']); "
        "print(*sorted(name for name in sys.modules if '.' not in name))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(done.stdout.splitlines()[-1].split())
    assert "Start with:  ogas plan us-2021" in done.stdout


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_run_says_so_and_what_it_keeps(command, tmp_path, which):
    words = ("generate", "sectors:S1", "t", "--products", "2000000", "--workers", "1", "--json")
    process = subprocess.Popen(
        [*command, *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + 60
    while not any(tmp_path.glob("t/unfinished/*.npz")) and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(which)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    facts = json.loads(out)
    assert (facts["outcome"], facts["code"]) == ("cancelled", 130)
    said = r"ogas: interrupted; (\d+) of 31 blocks are kept; the same command goes on from there"
    assert 1 <= int(re.fullmatch(said, err.strip())[1]) < 31


def test_an_answer_that_cannot_be_printed_is_a_failure(process):
    with open("/dev/full", "w") as full:
        ending = process("info", "us-2021", stdout=full)
    assert ending.code == 5
    assert ending.err.endswith("cannot be printed: the disk is full; free some space and repeat\n")


def test_a_reader_that_leaves_early_does_not_change_the_exit_code(command, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    words = [*command, "plan", "us-2021", "--delta", "0.01"]
    done = subprocess.run(words, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert done.returncode == 4
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "us-2021-plan.zarr").exists()


def test_a_terminal_without_the_letters_shows_the_rest(process):
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    ending = process("plan", "us-2021", env=environment)
    assert ending.code == 0
    assert "known to ? 0.0" in ending.out


def on_a_terminal(command, folder):
    """Run a command whose stderr is a terminal; its exit code, stdout and what was drawn."""
    master, slave = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=slave, env=environment
    )
    os.close(slave)
    out, drawn = process.communicate(timeout=120)[0], b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the terminal is closed
            break
        if not part:
            break
        drawn += part
    os.close(master)
    return process.returncode, out.decode(), drawn.decode()


def test_a_bar_appears_on_a_terminal_and_stdout_stays_clean(command, tmp_path):
    code, out, drawn = on_a_terminal([*command, "plan", "us-2021", "--json"], tmp_path)
    assert code == 0
    assert json.loads(out)["outcome"] == "certified"
    assert "quantities" in drawn
    assert "\x1b[" in drawn
