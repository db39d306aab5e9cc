"""A publisher that dies at any moment leaves the old version current and readable."""

import dataclasses
import errno
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from faults import Killed, die_at
from stored_tables import same, small_table

from ogas.datasets import atomic
from ogas.datasets.gallery import write
from ogas.datasets.recipes import Parameters
from ogas.datasets.store import open_store, publish
from ogas.engine.errors import DamagedError, WrongUsageError


def litter(path):
    return [file for file in path.rglob("*") if file.name.startswith(atomic.PREFIX)]


@pytest.fixture
def old(tmp_path):
    """A store of one version, beside the tables of that and of the next."""
    table = small_table(n=6, blocks=2, names=None, price=None, output=None)
    publish(tmp_path / "t", table)
    return tmp_path / "t", table, dataclasses.replace(table, demand=table.demand + 1)


def steps_of(path, table, bury=True):
    with pytest.MonkeyPatch.context() as patch:
        count = die_at(patch, 10**9, Killed(), bury)
        publish(path, table)
        return count["steps"]


def test_a_kill_at_any_step_leaves_the_old_version_and_the_next_publisher_succeeds(old, tmp_path):
    path, table, changed = old
    steps = steps_of(tmp_path / "counted", table) + 2
    whole = steps_of(tmp_path / "counted", changed)
    assert 10 < whole < steps
    for k in range(1, whole + 1):
        copy = tmp_path / f"copy-{k}"
        shutil.copytree(path, copy)
        with pytest.MonkeyPatch.context() as patch:
            die_at(patch, k, Killed())
            with pytest.raises(Killed):
                publish(copy, changed)
        now = open_store(copy)
        # The last step, after the pointer was replaced, only makes the replacement durable.
        assert same(table if now.version == 1 else changed, now.load())
        assert now.version == 1 or k == whole
        publish(copy, changed)
        assert same(changed, open_store(copy).load())
        assert not litter(copy)


def test_a_full_disk_at_any_step_leaves_nothing_behind(old, tmp_path):
    path, table, changed = old
    shutil.copytree(path, tmp_path / "counted")
    whole = steps_of(tmp_path / "counted", changed, bury=False)
    before = sorted(path.rglob("*"))
    for k in range(1, whole):
        with pytest.MonkeyPatch.context() as patch:
            full = OSError(errno.ENOSPC, "No space left on device")
            die_at(patch, k, full, bury=False)
            with pytest.raises(DamagedError, match=r"the disk is full.*free some space"):
                publish(path, changed)
        assert sorted(path.rglob("*")) == before
        assert same(table, open_store(path).load())


def test_a_full_disk_leaves_no_trace_of_a_new_store(tmp_path, monkeypatch):
    die_at(monkeypatch, 20, OSError(errno.ENOSPC, "No space left on device"), bury=False)
    with pytest.raises(DamagedError, match="the disk is full"):
        publish(tmp_path / "t", small_table())
    assert not (tmp_path / "t").exists()


def test_a_place_that_may_not_be_written_to_is_wrong_usage(tmp_path, monkeypatch):
    die_at(monkeypatch, 1, OSError(errno.EROFS, "Read-only file system"), bury=False)
    with pytest.raises(WrongUsageError, match="cannot write here"):
        publish(tmp_path / "t", small_table())


PUBLISHER = """
import dataclasses, sys
from pathlib import Path
from stored_tables import small_table
from ogas.datasets.store import publish
table = small_table()
print("ready", flush=True)
for night in range(2, 10_000):
    publish(sys.argv[1], dataclasses.replace(table, demand=table.demand + night), note=str(night))
"""


def test_a_real_kill_leaves_a_readable_store_and_no_lock(tmp_path):
    path, table = tmp_path / "t", small_table()
    publish(path, table)
    folder = os.path.dirname(sys.modules["stored_tables"].__file__)
    environment = os.environ | {"PYTHONPATH": folder}
    for moment in (0.05, 0.11):
        process = subprocess.Popen(
            [sys.executable, "-c", PUBLISHER, path], stdout=subprocess.PIPE, env=environment
        )
        with process:
            assert process.stdout.readline() == b"ready\n"
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
        store = open_store(path)
        night = int(store.manifest.note or 0)
        assert store.load().demand.tolist() == (table.demand + night).tolist()
    publish(path, table)
    assert same(table, open_store(path).load())
    assert not litter(path)


SIZES = Parameters(products=60, blocks=3, seed=6607)


def test_a_generation_killed_at_any_step_goes_on_and_makes_the_same_table(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        count = die_at(patch, 10**9, Killed())
        whole = write("sectors:S4,units=mixed", tmp_path / "whole", SIZES, workers=1)
        steps = count["steps"]
    assert steps > 100
    for k in range(1, steps, 6):
        path = tmp_path / f"killed-{k}"
        with pytest.MonkeyPatch.context() as patch:
            die_at(patch, k, Killed())
            with pytest.raises(Killed):
                write("sectors:S4,units=mixed", path, SIZES, workers=1)
        if not (path / "CURRENT").exists():
            with pytest.raises(WrongUsageError, match=r"not finished|no table here"):
                open_store(path)
        again = write("sectors:S4,units=mixed", path, SIZES, workers=2)
        assert again.content == whole.content
        assert not litter(path)
        assert not (path / "unfinished").exists()
        assert len(list((path / "blocks").iterdir())) == 3


GENERATOR = """
import sys
from ogas.datasets.gallery import write
from ogas.datasets.recipes import Parameters
print("ready", flush=True)
write("sectors", sys.argv[1], Parameters(products=120_000, blocks=40, seed=6607), int(sys.argv[2]))
"""


def test_a_generation_really_killed_time_and_again_makes_the_same_table(tmp_path):
    path, sizes = tmp_path / "t", Parameters(products=120_000, blocks=40, seed=6607)
    kept = []
    for workers in (1, 2, 3):
        command = [sys.executable, "-c", GENERATOR, path, str(workers)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"ready\n"
            wanted, end = len(records(path)) + 3, time.monotonic() + 60
            while len(records(path)) < wanted and time.monotonic() < end:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
        kept.append(records(path))
        with pytest.raises(WrongUsageError, match=f"not finished: {len(kept[-1])} of 40 blocks"):
            open_store(path)
    assert kept[0] < kept[1] < kept[2]
    assert write("sectors", path, sizes).content == write("sectors", tmp_path / "u", sizes).content
    assert not litter(path)


def records(path):
    return {file.name for file in (path / "unfinished").glob("[0-9]*.npz")}


def test_a_directory_is_replaced_in_one_step(tmp_path):
    target = tmp_path / "plan.zarr"
    for content in ("old", "new"):
        with atomic.atomic_directory(target) as temporary:
            (temporary / "x").write_text(content)
        assert (target / "x").read_text() == content
        assert list(tmp_path.iterdir()) == [target]


def test_a_directory_is_replaced_where_names_cannot_be_exchanged(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_exchange", lambda *_: False)
    test_a_directory_is_replaced_in_one_step(tmp_path)


def test_a_directory_that_fails_to_be_written_leaves_the_old_one(tmp_path):
    target = tmp_path / "plan.zarr"
    with atomic.atomic_directory(target) as temporary:
        (temporary / "x").write_text("old")
    with pytest.raises(FileNotFoundError), atomic.atomic_directory(target) as temporary:
        (temporary / "nowhere" / "x").write_text("new")
    assert (target / "x").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_litter_is_told_from_work_in_progress(tmp_path):
    (tmp_path / f"{atomic.PREFIX}plan-1234").mkdir()
    with atomic.temporary_directory(tmp_path / "plan") as living:
        atomic.clear_temporaries(tmp_path)
        assert list(tmp_path.iterdir()) == [living]
    assert list(tmp_path.iterdir()) == []
