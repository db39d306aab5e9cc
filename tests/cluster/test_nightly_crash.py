"""A night that dies at any step: the old plan or the new one is published, and nothing is lost."""

import errno
import os
from datetime import timedelta

import numpy as np
import problems
import pytest
from faults import Killed, failing_at
from nights import FIRST, Place, output_of

from ogas.cluster.failing import told
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.datasets.store import open_store
from ogas.engine.errors import PlanError

# Every step takes a night and a half; OGAS_ALL_STEPS=1 tries them all.
AFTER_PUBLISHING = 6  # the pointer is replaced: forgetting, and letting go of the lease
KILLED, FULL = (1, 1) if os.environ.get("OGAS_ALL_STEPS") else (10, 60)  # every how many
SECOND = FIRST + timedelta(days=1)


@pytest.fixture(scope="module")
def evening(tmp_path_factory):
    """A table after its first night, with changes for the second in the inbox."""
    table = generate("sectors:S1", Parameters(products=120, blocks=4, inputs=12, seed=91))
    place = Place.made(tmp_path_factory.mktemp("evening") / "place", table)
    assert place.night(FIRST)[-1].code == 0
    place.drop("a.csv", "scale,coefficient,77,,1.05,", "scale,demand,,,1.02,")
    place.drop("b.csv", "set,coefficient,3,50,0.01,")
    return place


def steps_of_a_night(place, folder):
    with failing_at(10**9, Killed()) as count:
        assert place.copy(folder).night(SECOND)[-1].code == 0
    return count["steps"]


def ending_of(place):
    try:
        last = place.night(SECOND)[-1]
    except PlanError as error:  # before the first night began
        return told(error)[0], str(error)
    return last.code, last.complaint


@pytest.mark.parametrize("offset", range(3))
def test_a_kill_at_any_step_leaves_a_whole_plan_and_the_next_run_completes(
    evening, tmp_path, offset
):
    before = output_of(open_store(evening.spec.table).load())
    done = evening.copy(tmp_path / "done")
    done.night(SECOND)
    after = output_of(open_store(done.spec.table).load())
    steps = steps_of_a_night(evening, tmp_path / "counted")
    assert steps > 40
    for k in range(1 + offset * KILLED, steps + 1, 3 * KILLED):
        place = evening.copy(tmp_path / f"killed-{k}")
        with failing_at(k, Killed()), pytest.raises(Killed):
            place.night(SECOND)
        assert place.plan_within(after if place.version == 2 else before)
        assert place.night(SECOND)[-1].code == 0
        assert place.version == 2
        assert place.plan_within(after)
        demand = open_store(place.spec.table).load().demand
        assert np.array_equal(demand, open_store(done.spec.table).load().demand)


def test_a_full_disk_at_any_step_publishes_nothing_and_loses_nothing(evening, tmp_path):
    before = output_of(open_store(evening.spec.table).load())
    steps = steps_of_a_night(evening, tmp_path / "counted")
    for k in range(2, steps - AFTER_PUBLISHING, FULL):
        place = evening.copy(tmp_path / f"full-{k}")
        with failing_at(k, OSError(errno.ENOSPC, "No space left on device"), bury=False):
            code, complaint = ending_of(place)
        assert code == 5
        assert "the disk is full" in complaint
        assert place.version == 1
        assert place.plan_within(before)
        assert place.night(SECOND)[-1].code == 0
        assert place.version == 2


def test_thirty_nights_end_where_a_cold_plan_does(tmp_path):
    """Random changes, late runs, double starts, and a night that fails."""
    draw = np.random.default_rng(77123)
    table = problems.solvable("sectors:S1")
    place = Place.made(tmp_path / "place", table, digits=4)
    day = FIRST
    for night in range(30):
        users, value = draw.integers(0, 300, 3), draw.uniform(0.97, 1.03, 4)
        rows = [f"scale,coefficient,{user},,{value[k]}," for k, user in enumerate(users)]
        place.drop(f"{day}.csv", *rows, f"scale,demand,{users[0]},,{value[3]},")
        if night == 11:
            place.drop(f"{day}-wrong.csv", "set,coefficient,5,5,2,")
            assert place.night(day)[-1].code == 3
            (place.spec.inbox / f"{day}-wrong.csv").unlink()
        if draw.random() < 0.7:  # else the night is missed, and caught up with
            assert {one.code for one in place.night(day)} == {0}
            assert place.night(day)[-1].facts["outcome"] == "nothing_new"
        day += timedelta(days=1)
    assert place.night(day)[-1].code == 0
    assert place.version == 31
    assert place.plan_within(output_of(open_store(place.spec.table).load()))
