"""Versions: staged, current, pinned, rolled back, forgotten; readers see whole ones only."""

import shutil

import numpy as np
import pytest
from stored_tables import same, small_table

from ogas.datasets.amending import amended
from ogas.datasets.changes import Change, Changes, Origin
from ogas.datasets.manifest import read_pointer
from ogas.datasets.publishing import publishing
from ogas.datasets.store import open_store, publish
from ogas.datasets.versions import (
    clear_staged,
    current_plan,
    made_current,
    pin,
    pruned,
    rolled_back,
    staged,
    versions,
)
from ogas.engine.errors import WrongUsageError

ORIGIN = Origin("a.csv", "f00d", "2026-11-22T00:00:00+00:00", 1, ("plant 7",))


def next_version(path, value, *, plan=True, night=None, ends=True):
    """Publish a version with another demand, as a night does; or leave it staged."""
    row = Change("set", "demand", "produit-é-2", "", value, "", "", "", "a.csv row 2")
    with publishing(path):
        clear_staged(path)
        found = amended(open_store(path), Changes((row,), (ORIGIN,)))
        store = staged(path, found, "night", [ORIGIN])
        if plan:
            (path / "plans" / f"{store.manifest.name}.zarr").mkdir(parents=True)
        if ends:
            made_current(path, store.manifest.name, night)
    return store


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t"
    publish(path, small_table(), note="first")
    for value in (1.0, 2.0, 3.0):
        next_version(path, value)
    return path


def numbers(path):
    return [one.manifest.number for one in versions(path)]


def current(path):
    return next(one.manifest.number for one in versions(path) if one.is_current)


def test_versions_say_who_sent_the_changes_and_have_their_plans(table):
    first, *others = versions(table)
    assert (first.manifest.number, first.plan, first.manifest.origins) == (1, None, ())
    assert [one.plan.name for one in others] == [f"{one.manifest.name}.zarr" for one in others]
    (origin,) = others[0].manifest.origins
    assert (origin["file"], origin["sources"]) == ("a.csv", ["plant 7"])
    assert current_plan(table) == others[-1].plan
    assert current(table) == 4


def test_a_staged_version_can_be_read_by_its_number_and_is_not_listed(table):
    store = next_version(table, 9.0, ends=False)
    assert open_store(table, store.version).load().demand[2] == 9.0
    assert numbers(table) == [1, 2, 3, 4]
    assert open_store(table).version == 4
    with publishing(table):
        clear_staged(table)
    with pytest.raises(WrongUsageError, match="no version 5"):
        open_store(table, 5)
    assert not (table / "plans" / f"{store.manifest.name}.zarr").exists()


def test_what_was_staged_is_taken_back_when_a_run_fails(table):
    row = Change("set", "demand", "produit-é-2", "", 9.0, "", "", "", "a.csv row 2")

    def fail():
        with publishing(table):
            staged(table, amended(open_store(table), Changes((row,), ())), "night", [])
            raise RuntimeError("no plan")

    with pytest.raises(RuntimeError, match="no plan"):
        fail()
    assert numbers(table) == [1, 2, 3, 4]
    assert next_version(table, 10.0).version == 5


def test_the_version_that_is_staged_again_after_a_kill_is_the_same(table):
    killed = next_version(table, 9.0, ends=False)
    again = next_version(table, 9.0, night="2026-11-22")
    assert (again.version, again.digest) == (killed.version, killed.digest)
    assert read_pointer(table).night == "2026-11-22"
    assert not (table / "STAGED").exists()


def test_changes_that_come_to_nothing_make_no_version(table):
    assert next_version(table, 3.0, plan=False, night="2026-11-22").version == 4
    assert numbers(table) == [1, 2, 3, 4]
    assert read_pointer(table).night == "2026-11-22"


def test_rolling_back_goes_from_version_to_version_with_their_plans(table):
    assert [rolled_back(table).manifest.number for _ in range(3)] == [3, 2, 1]
    assert current_plan(table) is None
    with pytest.raises(WrongUsageError, match="no version was current before"):
        rolled_back(table)
    assert rolled_back(table, 4).is_current
    assert open_store(table).load().demand[2] == 3.0
    assert current_plan(table).name.startswith("000004-")
    with pytest.raises(WrongUsageError, match="there is no version 7"):
        rolled_back(table, 7)


def test_after_rolling_back_a_new_version_follows_the_old_one(table):
    rolled_back(table, 2)
    assert next_version(table, 8.0).version == 5
    assert rolled_back(table).manifest.number == 2


def test_the_night_that_is_done_stays_done_when_it_is_rolled_back(table):
    next_version(table, 9.0, night="2026-11-22")
    rolled_back(table)
    assert read_pointer(table).night == "2026-11-22"


def test_retention_keeps_the_last_the_pinned_and_the_current(table):
    pin(table, 1, keeps=True)
    rolled_back(table, 2)
    with publishing(table):
        assert [name[:6] for name in pruned(table, 1)] == ["000003"]
    assert numbers(table) == [1, 2, 4]
    for version in (1, 2, 4):
        assert open_store(table, version).load().demand is not None
    assert same(open_store(table, 1).load(), small_table())
    pin(table, 1, keeps=False)
    with publishing(table):
        assert len(pruned(table, 0)) == 2
    assert numbers(table) == [2]


def test_what_no_version_needs_is_removed_with_it(table):
    before = len(list((table / "vectors").iterdir()))
    with publishing(table):
        pruned(table, 1)
    assert before - len(list((table / "vectors").iterdir())) == 3  # the demands of three versions
    demand = open_store(table).load().demand
    assert np.array_equal(demand[3:], small_table().demand[3:])


def test_a_version_without_its_plan_is_current_without_one(table):
    shutil.rmtree(table / "plans" / versions(table)[1].plan.name)
    assert rolled_back(table, 2).plan is None
    assert current_plan(table) is None
