"""Published claims are measured again: rows, other solvers, the page, what is done already."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ogas.benchmarks.claims import disk, measuring, results, revising, rows, tables
from ogas.benchmarks.claims.claim import Claim, Row, Workload
from ogas.benchmarks.claims.limited import Limits, ended
from ogas.benchmarks.claims.lines import Laws, Line
from ogas.benchmarks.claims.page import page
from ogas.cluster.answer import CERTIFIED, NOT_REACHED

SEED = 90_217
SMALL = replace(
    rows.ROWS[0],
    work=Workload("ccm", 400, 12, "even", seed=SEED),
    peers=("scipy-float64", "scipy-spsolve", "pardiso"),
)
NOTHING = Row("X1", "of no recipe", Workload("no-such", 10, 2, "none"))
TIGHT = Row("X2", "in no memory", Workload("ccm", 200, 5, "even", seed=SEED), memory="1M")
HARD = Row("X3", "too many figures", Workload("ccm", 200, 5, "even", figures=15, seed=SEED))
THINNED = replace(
    rows.DENSITY, work=replace(rows.DENSITY.work, recipe="us_2021_71_quantecon", products=71)
)
CHANGING = Row(
    *("X4", "demands change", Workload("sectors:S1", 600, 9, "branches", seed=SEED)),
    kind="revised",
)


@pytest.fixture
def bench(ogas, monkeypatch):
    """Run the command on some rows; kernels may compile meanwhile."""
    monkeypatch.setattr(results, "warm_up", lambda folder: None)
    monkeypatch.setattr(measuring, "STREAM", 1_000_000)
    monkeypatch.setattr(revising, "SHARES", (0.01,))

    def run(*chosen):
        monkeypatch.setattr(rows, "QUICK", chosen)
        return ogas("bench", "claims", "--quick", "-o", "found", "--json")

    return run


def found(row):
    return json.loads(Path("found", "rows", f"{row.name}.json").read_text())


def test_rows_are_certified_compared_and_shown_on_a_page_that_stands_alone(bench):
    ending = bench(SMALL, CHANGING)
    assert ending.code == CERTIFIED
    assert [row["outcome"] for row in ending.facts["rows"]] == ["certified", "certified"]
    one, revised = found(SMALL), found(CHANGING)
    assert [run["words"].split()[1] for run in one["runs"]] == ["plan", "price"]
    assert one["handover"]["true_error"] <= one["runs"][0]["facts"]["relative_half_width"]
    assert one["handover"]["convergence"][-1]["half_width"] <= 5e-11
    assert one["solvers"]["scipy-float64"]["figures"] >= 2
    assert one["solvers"]["scipy-spsolve"]["figures"] >= 10
    pardiso = one["solvers"]["pardiso"]
    assert pardiso.get("figures", 0) >= 10 or "not installed" in pardiso["why"]
    changes = [[run["facts"]["passes"] for run in one["runs"]] for one in revised["revisions"]]
    assert all(warm <= cold for cold, warm in changes)
    text = Path("found", "index.html").read_text()
    assert SMALL.claims[0].machine in text
    assert not re.search(r"(src|href)\s*=|url\(|@import|<script|<link", text)
    assert {file.name for file in Path("found").iterdir()} == {
        *("rows", "index.html", "claims.csv", "solvers.csv")
    }


def test_rows_that_end_otherwise_do_not_stop_the_others(bench):
    ending = bench(NOTHING, TIGHT, HARD)
    assert ending.code == NOT_REACHED
    assert "not certified: X3" in ending.err
    states = [row["outcome"] for row in ending.facts["rows"]]
    assert states == ["skipped", "does not fit", "not certified"]
    assert "unknown recipe" in found(NOTHING)["why"]
    assert "1,000,000 are allowed" in found(TIGHT)["why"]


def test_what_is_done_is_not_done_again_unless_it_changed(bench, monkeypatch):
    bench(TIGHT)
    before = found(TIGHT)

    def never(row, bench):
        raise RuntimeError("measured again")

    monkeypatch.setattr(results, "MEASURES", dict.fromkeys(results.MEASURES, never))
    assert bench(TIGHT).code == CERTIFIED
    assert found(TIGHT) == before
    assert bench(replace(TIGHT, work=replace(TIGHT.work, seed=SEED + 1))).code == NOT_REACHED
    assert "measured again" in found(TIGHT)["why"]


@pytest.mark.parametrize(
    ("program", "limits", "why"),
    [
        ("import time; time.sleep(60)", Limits(0.3, 2**40), "out of time"),
        ("x = b'1' * 2**28; import time; time.sleep(60)", Limits(60, 2**27), "out of memory"),
    ],
)
def test_a_process_beyond_its_limits_is_stopped(tmp_path, program, limits, why):
    ending = ended([sys.executable, "-c", program], tmp_path, limits, {})
    assert ending.code is None
    assert why in ending.why
    assert ending.seconds < 30


def line(products, **facts):
    """A row that took 1 ns a coefficient, and 10 bytes."""
    work = Workload("ccm", products, 100, "even")
    claim = Claim("Y", "an hour", 3600.0, "S", "abacus", "hearsay")
    nonzeros = 100 * products
    plan = {
        **{"seconds": {"load": 0.0, "certify": 0.0, "write": 0.0}, "passes": 9, "method": "m"},
        **{"peak_memory_bytes": 10 * nonzeros, "nonzeros": nonzeros, "products": products},
        **{"bytes_per_nonzero": 6.0, "nanoseconds_per_nonzero_pass": 1.0},
        **{"digits_certified": 3, "radius_bound": 0.5, "bytes_streamed": 0, "sweeps_per_read": 1},
    }
    plan["seconds"] |= {"solve": 1e-9 * nonzeros, "total": 1e-9 * nonzeros}
    run = {"words": "ogas plan", "code": 0, "seconds": 1.0, "facts": plan}
    where = {"machine": "m", "versions": {}, "commit": "", "date": "2026-01-01", "why": ""}
    row = Row("Y", "made up", work, (claim,))
    made = {"seconds": 1.0, "facts": {}}
    given = {"state": "certified", "runs": [run], "reading": {"0": 1e10}, "made": made}
    return Line(json.loads(json.dumps(vars(row), default=vars)) | where | given | facts)


def test_what_was_read_from_the_disk_tells_of_the_disk_and_of_no_law():
    lines = [line(10**power) for power in (4, 5, 6)]
    law = Laws.of(lines)
    streamed = line(10**7, disk=2e9, memory="1GB")
    plan = streamed.facts["runs"][0]["facts"]
    plan["seconds"]["solve"] = 10.0
    plan["bytes_streamed"] = 15 * 10**9
    assert Laws.of([*lines, streamed]) == law
    assert "75 %" in tables.streamed([streamed])
    assert tables.streamed(lines) == ""


def test_what_the_system_kept_of_files_is_put_away(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("one", "sub/two"):
        (tmp_path / name).write_bytes(bytes(10**6))
    with disk.as_if_memory_were_full(tmp_path):
        assert disk.bandwidth(tmp_path) > 0


def test_what_does_not_fit_is_projected_by_the_law_of_the_others():
    lines = [line(10**power) for power in (4, 5, 6)]
    law = Laws.of(lines).seconds
    assert law is not None
    assert law.exponent == pytest.approx(1.0)
    large = line(10**9, state="does not fit", runs=[], why="too large")
    text = page([*lines, large])
    assert re.search(r"<i>100 s</i><small>projected", text)
    assert re.search(r"<i>1 TB</i><small>projected", text)
    assert "projected" not in re.search("<tbody>.*?</tbody>", page(lines))[0]


def test_the_entries_that_precision_needs_stand_on_the_page(bench, data_folder):
    assert data_folder
    ending = bench(THINNED)
    assert ending.code == CERTIFIED
    kept = found(THINNED)["density"]
    least = [one["per_product"] for one in kept if one["at_least"]]
    assert all(one["proven"] == one["figures"] for one in kept if one["at_least"])
    assert len(least) == 3
    assert least == sorted(least)
    assert f"{least[0]:.1f}" in Path("found", "index.html").read_text()


def test_a_table_that_nobody_has_is_skipped(bench, monkeypatch):
    monkeypatch.delenv("OGAS_DATA", raising=False)
    assert bench(rows.DENSITY).facts["rows"][0]["outcome"] == "skipped"
