"""Other software, where it is installed, finds the same classical results."""

import numpy as np
import pytest

from ogas.benchmarks.peers import beside, theirs
from ogas.datasets.catalog import locate
from ogas.datasets.store import open_store

RESULTS = beside.OFFERED


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the bundled table handed over, and our results."""
    folder = tmp_path_factory.mktemp("peers")
    beside._hand_over(open_store(locate("us-2021")).load(), folder)
    told = beside._ours(folder, beside.CLOSE, RESULTS)
    assert all(told[what]["certified"] for what in RESULTS)
    return folder


@pytest.mark.parametrize(
    ("package", "offered"),
    [("pymrio", {"multipliers", "ghosh"}), ("mario", set(RESULTS))],
)
def test_a_peer_finds_the_same_numbers(place, package, offered):
    told = beside._theirs(package, place)
    if "No module" in told.get("why", ""):
        pytest.skip(told["why"])
    assert offered <= {what for what, facts in told.items() if "seconds" in facts}
    for what in offered:
        assert beside._difference(place, package, what) < 1e-9


def test_a_peer_that_is_not_there_is_reported_as_that(place):
    told = beside._run(["python-that-is-not-there", "theirs.py"], place)
    assert "why" in told


def test_a_result_that_fails_is_reported_and_the_others_are_not(place, monkeypatch):
    def steps(given):
        yield "broken", lambda: 1 / 0
        yield "sums", lambda: given.A.sum(axis=0)

    monkeypatch.setitem(theirs.SETS, "other", steps)
    told = theirs.taken("other", place)
    assert told["broken"]["why"].startswith("ZeroDivisionError")
    assert "seconds" in told["sums"]
    assert np.load(place / "other-sums.npy").shape == (71,)


def test_bench_peers_measures_ours_whatever_else_is_installed(ogas, monkeypatch):
    monkeypatch.setenv("OGAS_MARIO", "python-that-is-not-there")
    facts = ogas("bench", "peers", "--quick", "--json").facts
    seconds = {row["what"]: row["ours, s"] for row in facts["rows"]}
    assert set(seconds) >= {*RESULTS, "extraction"}
    assert all(float(seconds[what]) > 0 for what in RESULTS)
    assert {row["what"] for row in facts["large"]["rows"]} == {"multipliers", "linkages", "paths"}
