"""The commands versions, pin, unpin and rollback."""

import json

import numpy as np
import problems
import pytest

from ogas.datasets.store import publish


@pytest.fixture
def table(stored):
    path = stored("two_sectors")
    solvable = problems.solvable("two_sectors")
    for demand in ([1.0, 2.0], [3.0, 4.0]):
        publish(path, problems.table_of(solvable.coefficients, np.array(demand)), note="again")
    return path


def test_versions_are_listed_the_oldest_first(ogas, table):
    facts = ogas("versions", "t", "--json").facts
    assert [one["version"] for one in facts["versions"]] == [1, 2, 3]
    assert [one["current"] for one in facts["versions"]] == [False, False, True]
    assert facts["versions"][2]["note"] == "again"
    lines = ogas("versions", "t").out.splitlines()
    assert len(lines) == 3
    assert lines[2].split()[0] == "3"
    assert lines[2].endswith("current")


def test_a_pinned_version_says_so_until_it_is_unpinned(ogas, table):
    assert ogas("pin", "t", "1", "--json").facts["pinned"]
    assert ogas("versions", "t").out.splitlines()[0].endswith("pinned")
    assert not ogas("unpin", "t", "1", "--json").facts["pinned"]
    assert ogas("pin", "t", "--json").facts["version"] == 3


def test_rolling_back_changes_what_is_planned(ogas, table):
    assert ogas("plan", "t", "--json").facts["table_version"] == 3
    assert "version 2 is current again" in ogas("rollback", "t").out
    assert ogas("plan", "t", "--json").facts["table_version"] == 2
    assert ogas("rollback", "t", "--to", "3", "--json").facts["current"]
    assert ogas("info", "t", "--json").facts["version"] == 3


def test_what_is_not_there_is_wrong_usage(ogas, table):
    for words in (("rollback", "t", "--to", "9"), ("pin", "t", "9"), ("versions", "nowhere")):
        ending = ogas(*words, "--json")
        assert (ending.code, json.loads(ending.out)["code"]) == (2, 2)
