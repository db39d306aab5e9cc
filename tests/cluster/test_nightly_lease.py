"""Nights on a shared disk: one machine at a time, and who was cut off publishes nothing."""

import json
import time
from datetime import timedelta

import problems
import pytest
from nights import FIRST, Place

from ogas.cluster.jobs import lease as leases
from ogas.cluster.jobs.lease import read_lease, renewed, take
from ogas.cluster.nights import night
from ogas.engine.errors import LockedError

ELSEWHERE = "another machine/1/17/4711"


@pytest.fixture
def place(tmp_path):
    found = Place.made(tmp_path / "place", problems.solvable("sectors:S1"))
    assert found.night(FIRST)[-1].code == 0
    found.drop("a.csv", "scale,demand,,,1.01,")
    return found


def left_by_another(table, seconds, token=7):
    found = {"token": token, "owner": "other:17", "scheduler": "", "process": ELSEWHERE}
    text = json.dumps(found | {"expires": time.time() + seconds})
    (table / "lease.json").write_text(text)


def test_while_another_machine_makes_a_night_this_one_waits_and_says_for_whom(place, monkeypatch):
    monkeypatch.setattr(leases, "this_process", lambda: ELSEWHERE)
    monkeypatch.setattr(leases, "RENEW_EVERY", 0.05)
    other = take(place.spec.table, "other:17", "", lambda owner: False)
    with renewed(other), pytest.raises(LockedError, match="other:17 is making a night"):
        place.night(FIRST + timedelta(days=1))
    assert place.version == 1
    assert place.night(FIRST + timedelta(days=1))[-1].code == 0


def test_a_machine_that_died_is_not_waited_for_longer_than_its_lease(place):
    left_by_another(place.spec.table, seconds=0.5)
    assert place.night(FIRST + timedelta(days=1))[-1].code == 0
    assert place.version == 2
    assert read_lease(place.spec.table).token == 8


def test_who_was_cut_off_and_comes_back_publishes_nothing(place, monkeypatch):
    staged = night.staged

    def cut_off(*given):
        store = staged(*given)
        left_by_another(place.spec.table, seconds=60)
        return store

    monkeypatch.setattr(night, "staged", cut_off)
    last = place.night(FIRST + timedelta(days=1))[-1]
    assert (last.code, place.version) == (7, 1)
    assert "no longer valid" in last.complaint
    assert (place.spec.table / "STAGED").exists()  # it is the other one's by now
    assert read_lease(place.spec.table).owner == "other:17"


def test_a_lease_is_kept_as_long_as_the_work_lasts(tmp_path, monkeypatch):
    monkeypatch.setattr(leases, "RENEW_EVERY", 0.01)
    lease = take(tmp_path, "us:1", "", lambda owner: False)
    first = read_lease(tmp_path).expires
    with renewed(lease):
        deadline = time.monotonic() + 10
        while read_lease(tmp_path).expires == first and time.monotonic() < deadline:
            time.sleep(0.01)
        assert read_lease(tmp_path).expires > first
    assert read_lease(tmp_path).expires == 0
