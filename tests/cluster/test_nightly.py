"""`ogas nightly`: every night once, in order, all or nothing."""

import json
import os
from datetime import date
from pathlib import Path

import numpy as np
import problems
import pytest

from ogas.datasets.atomic import exclusive
from ogas.datasets.manifest import read_pointer
from ogas.datasets.store import open_store, publish

HEAD = "change,of,product,input,value,block\n"
SPEC = 'table = "t"\ninbox = "inbox"\ndigits = 5\n'


@pytest.fixture
def drop(tmp_path):
    """Put a change file into the inbox; it is some minutes old."""
    (tmp_path / "inbox").mkdir()

    def put(name, *rows, age=600):
        file = tmp_path / "inbox" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(HEAD + "".join(f"{row}\n" for row in rows))
        when = file.stat().st_mtime - age
        os.utime(file, (when, when))
        return file

    return put


@pytest.fixture
def night(ogas, tmp_path, drop):
    """Run a night of 2026-11-`day`; the table is S1 unless another is there."""
    (tmp_path / "night.toml").write_text(SPEC)

    def run(day, *words):
        return ogas("nightly", "night.toml", "--date", f"2026-11-{day:02}", *words, "--json")

    return run


@pytest.fixture
def table(stored):
    return stored("sectors:S1")


def agrees(path):
    """The current plan is certified, and that of the current version."""
    store = open_store(path)
    plan = Path(path) / "plans" / store.plan
    table = store.load()
    x = np.linalg.solve(np.eye(len(table)) - table.coefficients.toarray(), table.demand)
    import xarray as xr

    with xr.open_zarr(plan) as found:
        assert found.attrs["table_digest"] == store.digest
        assert (found["lower"].to_numpy() <= x * (1 + 1e-12) + 1e-12).all()
        assert (found["upper"].to_numpy() >= x * (1 - 1e-12) - 1e-12).all()
        return found.attrs["digits_certified"]


def test_a_night_takes_changes_plans_and_publishes_both_together(night, table, drop):
    drop("prices.csv", "scale,coefficient,200,,1.05,", "scale,demand,,,1.01,")
    ending = night(20)
    facts = ending.facts
    assert (ending.code, facts["outcome"]) == (0, "done")
    assert (facts["changes"], facts["recipes_changed"], facts["blocks_rewritten"]) == (2, 1, 1)
    assert (facts["version_before"], facts["version"]) == (1, 2)
    assert facts["digits_certified"] >= 5
    assert agrees(table) >= 5
    assert read_pointer(table).night == "2026-11-20"
    record = json.loads((table / "nights" / "2026-11-20.json").read_text())
    assert record["files"][0]["file"] == "prices.csv"


def test_the_second_night_begins_with_the_plan_of_the_first_and_says_what_moved(night, table, drop):
    cold = night(20).facts["passes"]
    drop("b.csv", "scale,coefficient,200,,1.05,")
    facts = night(21).facts
    assert facts["passes"] < cold
    assert facts["moved"]["changed"] > 0
    part = facts["moved"]["largest"][0]["parts"][0]
    assert (part["what"], part["product"]) == ("recipe", "200")
    assert agrees(table) >= 5


def test_a_night_that_is_done_does_nothing_and_says_so(night, table, drop, contents):
    drop("a.csv", "scale,demand,,,1.01,")
    night(20)
    before = contents()
    ending = night(20)
    assert (ending.code, ending.facts["outcome"], ending.facts["version"]) == (0, "nothing_new", 2)
    assert contents() == before


def test_changes_may_come_as_parquet(night, table, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    cells = {"change": ["scale"], "of": ["demand"], "value": [2.0], "source": ["the ministry"]}
    file = tmp_path / "inbox" / "2026-11-20.parquet"
    parquet.write_table(pyarrow.table(cells), file)
    os.utime(file, (0, 0))
    facts = night(20).facts
    assert (facts["version"], facts["files"][0]["sources"]) == (2, ["the ministry"])
    f = problems.solvable("sectors:S1").demand
    assert np.allclose(open_store(table).load().demand, 2 * f)


def test_the_same_changes_are_made_once_whatever_the_date(night, table, drop):
    drop("a.csv", "scale,demand,,,2,")
    night(20)
    facts = night(21).facts
    assert (facts["changes"], facts["version"]) == (0, 2)
    drop("b.csv", "scale,demand,,,2,")  # another file that says the same is another change
    assert night(21).facts["version"] == 3
    f = problems.solvable("sectors:S1").demand
    assert np.allclose(open_store(table).load().demand, 4 * f)


def test_files_that_come_after_the_night_are_taken_in_another_run_of_it(night, table, drop):
    night(20)
    drop("late.csv", "scale,demand,,,2,")
    assert night(20).facts["version"] == 2
    assert read_pointer(table).night == "2026-11-20.2"
    assert night(20).facts["outcome"] == "nothing_new"


def test_missed_nights_are_caught_up_with_in_order(night, table, drop):
    night(10)
    drop("2026-11-13.csv", "scale,demand,7,,2,", "scale,labour,299,,2,")
    drop("2026-11-12-a.csv", "set,demand,7,,1,")
    drop("2026-11-14/b.csv", "scale,demand,7,,5,")
    drop("2026-11-16.csv", "set,demand,7,,100,")
    facts = night(15).facts
    assert [one["night"] for one in facts["nights"]] == [
        *("2026-11-12", "2026-11-13", "2026-11-14", "2026-11-15"),
    ]
    found = open_store(table).load()
    assert found.demand[7] == 10.0
    before = problems.solvable("sectors:S1").factors["labour"]
    assert found.factors["labour"][299] == 2 * before[299] > 0
    assert [one["version"] for one in facts["nights"]] == [2, 3, 4, 4]


def test_what_arrives_for_a_night_that_is_done_belongs_to_the_next(night, table, drop):
    night(20)
    drop("2026-11-18.csv", "set,demand,7,,3,")
    facts = night(21).facts
    assert [one["night"] for one in facts["nights"]] == ["2026-11-21"]
    assert open_store(table).load().demand[7] == 3.0


def test_a_dry_run_says_what_would_be_done_and_does_nothing(night, table, drop, contents):
    drop("a.csv", "scale,coefficient,200,,1.05,")
    before = contents()
    facts = night(20, "--dry-run").facts
    assert (facts["outcome"], facts["changes"], facts["recipes_changed"]) == ("would_do", 1, 1)
    after = contents()
    assert {file for file in after if file.name != "lock"} == {
        file for file in before if file.name != "lock"
    }


def test_one_fault_and_nothing_of_the_night_is_made(night, table, drop):
    night(19)
    drop("a.csv", "scale,demand,,,1.01,", "set,demand,x,,1,")
    drop("b.csv", "set,coefficient,7,,1,", "set,price,7,,1,")
    ending = night(20)
    assert ending.code == 5
    assert ending.facts["faults"] == ["b.csv row 2: no input"]
    assert open_store(table).version == 1
    (table.parent / "inbox" / "b.csv").unlink()
    ending = night(20)
    assert (ending.code, len(ending.facts["faults"])) == (5, 1)
    assert "there is no product 'x'" in ending.err
    assert read_pointer(table).night == "2026-11-19"
    assert agrees(table) >= 5


def test_an_unproductive_night_names_the_loop_and_the_change_and_publishes_nothing(
    night, table, drop
):
    night(19)
    before = read_pointer(table)
    drop("a.csv", "set,coefficient,200,200,1.5,", "scale,coefficient,17,,1.01,")
    ending = night(20)
    assert (ending.code, ending.facts["loop"]) == (3, ["200"])
    assert "tonight changed the recipe of 200" in ending.err
    assert read_pointer(table) == before
    assert agrees(table) >= 5
    (table.parent / "inbox" / "a.csv").unlink()
    assert night(20).code == 0


def test_a_night_that_cannot_be_proven_publishes_nothing(ogas, night, table, drop, tmp_path):
    night(19)
    (tmp_path / "night.toml").write_text(SPEC + "[run]\ndelta = 0.01\n")
    drop("a.csv", "scale,demand,,,1.01,")
    ending = night(20)
    assert (ending.code, open_store(table).version) == (4, 1)
    assert [one["version"] for one in ogas("versions", "t", "--json").facts["versions"]] == [1]


def test_a_file_that_is_still_being_written_is_waited_for_and_then_refused(
    night, table, drop, tmp_path
):
    (tmp_path / "night.toml").write_text(SPEC + "[inbox_rules]\nquiet = 600\npatience = 0\n")
    drop("a.csv", "scale,demand,,,1.01,", age=0)
    ending = night(20)
    assert ending.code == 5
    assert "a.csv: this file is still being written" in ending.err
    assert read_pointer(table).night is None
    drop("a.csv", "scale,demand,,,1.01,", age=1200)
    drop("b.csv.part", "nonsense", age=0)
    drop(".c.csv", "nonsense", age=0)
    assert night(20).facts["changes"] == 1


def test_a_clock_that_went_backwards_changes_nothing(night, table, drop, contents):
    night(20)
    drop("a.csv", "scale,demand,,,1.01,")
    before = contents()
    ending = night(18)
    assert (ending.code, "the night of 2026-11-20 is done" in ending.err) == (5, True)
    assert contents() == before


def test_two_nights_at_once_are_one_night(night, table, drop):
    drop("a.csv", "scale,demand,,,1.01,")
    with exclusive(table / "lock"):
        ending = night(20)
    assert ending.code == 8
    assert night(20).code == 0


def test_versions_are_forgotten_by_the_rule(ogas, night, table, drop, tmp_path):
    (tmp_path / "night.toml").write_text("keep = 2\n" + SPEC)
    ogas("pin", "t", "1")
    for day in range(1, 6):
        drop(f"{day}.csv", f"set,demand,7,,{day},")
        facts = night(day).facts
    assert facts["forgotten"][0].startswith("000004-")
    left = [one["version"] for one in ogas("versions", "t", "--json").facts["versions"]]
    assert left == [1, 5, 6]
    assert agrees(table) >= 5


def test_a_night_that_is_rolled_back_is_not_done_again_and_the_next_goes_on_from_there(
    ogas, night, table, drop
):
    night(19)
    drop("a.csv", "scale,demand,7,,2,", "set,demand,7,,4,")
    night(20)
    ogas("rollback", "t")
    assert agrees(table) >= 5
    assert night(20).facts["outcome"] == "nothing_new"
    drop("b.csv", "set,demand,8,,2,")
    assert night(21).code == 0
    found = open_store(table).load().demand
    assert (found[7], found[8]) == (problems.solvable("sectors:S1").demand[7], 2.0)
    assert agrees(table) >= 5


def test_products_are_added_overnight(night, table, drop):
    night(19)
    drop("a.csv", "add,,300,,,4", "set,coefficient,300,7,0.5,", "set,demand,300,,10,")
    facts = night(20).facts
    assert facts["moved"]["added"] == 1
    assert len(open_store(table).load()) == 301
    assert agrees(table) >= 5


def test_workers_of_our_own_make_the_same_plan(night, table, drop, tmp_path):
    (tmp_path / "night.toml").write_text(SPEC + "[run]\nworkers = 2\n")
    drop("a.csv", "scale,demand,,,1.01,")
    assert night(20).code == 0
    assert agrees(table) >= 5


@pytest.mark.parametrize(
    ("text", "code", "fault"),
    [
        ("table = 3", 2, "table cannot be 3"),
        ('inbox = "i"', 2, "it does not say table"),
        (SPEC + "colour = 1", 2, "colour is unknown"),
        (SPEC + "[run]\ntable = 1", 2, "run.table is unknown"),
        (SPEC + "keep = 0", 2, "keep cannot be 0"),
        (SPEC + '[run]\nmemory = "lots"', 2, "not an amount of memory"),
        ("table = ", 5, "no specification of a night"),
        ('table = "nowhere"\ninbox = "inbox"', 2, "there is no table here"),
        ('table = "t"\ninbox = "nowhere"', 5, "there is no inbox here"),
    ],
)
def test_a_specification_that_cannot_be_meant_is_refused(night, table, tmp_path, text, code, fault):
    (tmp_path / "night.toml").write_text(text + "\n")
    ending = night(20)
    assert ending.code == code
    assert fault in ending.err


def test_without_a_date_it_is_today(ogas, night, table):
    facts = ogas("nightly", "night.toml", "--json").facts
    assert facts["night"] == date.today().isoformat()


def test_a_person_reads_what_was_done(ogas, night, table, drop):
    night(19)
    drop("a.csv", "scale,coefficient,200,,1.05,")
    said = ogas("nightly", "night.toml", "--date", "2026-11-20").out
    assert "2026-11-20 took 1 change from a.csv: 1 recipe changed, 1 of 15 blocks written" in said
    assert "version 2 is current" in said
    assert "by the recipe of 200" in said
    said = ogas("nightly", "night.toml", "--date", "2026-11-20").out
    assert said == "2026-11-20 is done, and nothing new has come: version 2 stays\n"


def test_a_table_that_nobody_changes_is_planned_once(night, stored, drop):
    path = stored("two_sectors")
    first, second = night(20).facts, night(21).facts
    assert ("passes" in first, "passes" in second) == (True, False)
    assert agrees(path) >= 5


def test_publishing_over_the_table_by_hand_goes_with_the_nights(night, table, drop):
    night(19)
    publish(table, problems.solvable("sectors:S2"), note="by hand")
    drop("a.csv", "scale,demand,7,,2,")
    assert night(20).code == 0
    assert agrees(table) >= 5
