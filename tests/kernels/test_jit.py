"""Machine code kept on disk is used again, and never after the sources have changed."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from ogas.kernels import jit

READ = """
import numpy as np
from ogas.kernels import stream
total = stream.read(np.arange(17.0))
(hits,) = stream.read.compiled.stats.cache_hits.values() or [0]
print(stream.__file__, hits, total)
"""
#: In vectors.py, which stream.py reaches through lanes.py: the last step of adding up eight lanes.
LAST_STEP = "return b.extract_element(numbers, ir.Constant(INT, 0))"


@pytest.fixture
def copy(tmp_path):
    """A copy of the kernels without machine code."""
    folder = tmp_path / "ogas" / "kernels"
    shutil.copytree(Path(jit.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def sum_up(folder):
    """Return what is read from the cache, and the sum of 0 .. 16, as a new process finds them."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", READ],
        cwd=folder.parents[1],  # Python looks there before anything else
        env=os.environ | {"PYTHONPATH": str(folder.parents[1])},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    file, hits, total = done.stdout.split()
    assert Path(file) == folder / "stream.py"
    return int(hits), float(total)


def test_machine_code_is_kept_until_a_file_it_is_made_of_changes(copy):
    assert sum_up(copy) == (0, 136.0)
    assert sum_up(copy) == (1, 136.0)
    vectors = copy / "vectors.py"
    source = vectors.read_text()
    assert source.count(LAST_STEP) == 1
    twice = "total = b.extract_element(numbers, ir.Constant(INT, 0)); return b.fadd(total, total)"
    vectors.write_text(source.replace(LAST_STEP, twice))
    assert sum_up(copy) == (0, 272.0)
    assert sum_up(copy) == (1, 272.0)


def test_where_no_stamp_can_be_put_no_machine_code_is_kept(monkeypatch):
    def refuse(_dispatcher):
        raise AttributeError("_cache_file")

    monkeypatch.setattr(jit, "keep_machine_code", refuse)
    double = jit.kernel(["float64(float64)"])(lambda number: 2.0 * number)
    assert double(21.0) == 42.0
    assert double.compiled.stats.cache_path is None


def test_a_kernel_is_compiled_when_it_is_first_called_and_once_for_all_threads(monkeypatch):
    made, together = [], Barrier(4)
    monkeypatch.setattr(jit, "keep_machine_code", made.append)
    inner = jit.kernel(["float64(float64)"])(lambda number: 2.0 * number)
    outer = jit.kernel(["float64(float64)", "float64(int64)"])(lambda number: inner(number) + 1.0)

    def call(number):
        together.wait(60)
        return outer(number)

    assert made == []
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(call, [1.0, 2, 3.0, 4])) == [3.0, 5.0, 7.0, 9.0]
    assert [dispatcher.py_func for dispatcher in made] == [outer.loop, inner.loop]


FORMS = ["float64(float64[::1])", "float64(float32[::1])"]


def first(numbers):
    return numbers[0]


@pytest.mark.parametrize(
    "wrong", ["text", 1j, None, np.ones(2, int), np.ones((2, 2)), np.ones(4)[::2]]
)
def test_a_kernel_takes_nothing_that_was_not_declared(wrong):
    chosen = jit.kernel(FORMS)(first)
    for _ in range(2):
        with pytest.raises(TypeError):
            chosen(wrong)
    assert chosen(np.ones(2)) == chosen(np.ones(2, np.float32)) == 1.0
    assert len(chosen.compiled.overloads) == 2


def test_a_kernel_converts_numbers():
    double = jit.kernel(["float64(float64)"])(lambda number: number + number)
    assert [double(number) for number in (2, 2.5, True)] == [4.0, 5.0, 2.0]
    assert len(double.compiled.overloads) == 1


def test_a_kernel_reads_the_form_it_is_called_with_once_all_are_kept(monkeypatch):
    monkeypatch.setattr(jit, "MADE", [])
    before = jit.kernel(FORMS)(first)
    before.compiled._cache.flush()
    jit.make_ready()
    assert len(before.compiled.overloads) == 2
    after = jit.kernel(FORMS)(first)
    jit.make_ready()
    assert len(after.compiled.overloads) == 0
    assert after(np.ones(2)) == 1.0
    assert sum(after.compiled.stats.cache_hits.values()) == 1
    assert not after.compiled.stats.cache_misses
