"""`ogas diff`: what moved, how surely, and what moved it."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import problems
import pytest

from ogas.cluster import comparing
from ogas.datasets.amending import amended
from ogas.datasets.changes import Change, Changes
from ogas.datasets.plans import read_plan
from ogas.datasets.publishing import publishing
from ogas.datasets.store import Store, commit, open_store, publish
from ogas.engine.table import coefficients_from

NAN = float("nan")


def change(verb, of, product="", input="", value=NAN, block=""):
    return Change(verb, of, str(product), str(input), value, block, "", "", "f.csv row 2")


def make(path, *rows):
    with publishing(Path(path)):
        found = amended(open_store(path), Changes(rows, ()))
        commit(Path(path), found.written(), found.header)


def difference(ogas, *rows, path="t", digits=8, words=()):
    ogas("plan", path, "-o", "old.zarr", "--digits", str(digits))
    make(path, *rows)
    ogas("plan", path, "-o", "new.zarr", "--digits", str(digits))
    return ogas("diff", "old.zarr", "new.zarr", *words, "--json").facts


def moved_by(old, new):
    """x1 - x0 = L1 (df + dA x0): not as a difference of outputs, whose rounding may exceed it."""
    A0, A1 = old.coefficients.toarray(), new.coefficients.toarray()
    one = np.eye(len(A0))
    before = np.linalg.solve(one - A0, old.demand)
    return np.linalg.solve(one - A1, new.demand - old.demand + (A1 - A0) @ before)


@pytest.mark.parametrize("recipe", ["sectors:S1", "sectors:S2,signed,imports=0.4,units=mixed"])
def test_changes_and_their_parts_are_those_of_the_inverse(ogas, stored, recipe):
    path = stored(recipe)
    table = open_store(path).load()
    wanted = int(np.flatnonzero(table.demand)[20])
    rows = [
        change("scale", "coefficient", table.ids[200], value=1.25),
        change("scale", "demand", wanted, value=1.5),
        change("set", "demand", table.ids[7], value=3.0),
    ]
    facts = difference(ogas, *rows, path=path, words=("--top", "5", "--explain", "2"))
    moved = moved_by(table, open_store(path).load())
    assert len(facts["largest"]) == 5
    for one in facts["largest"]:
        place = int(one["product"])
        assert one["lower"] <= moved[place] <= one["upper"]
        assert one["lower"] > 0 or one["upper"] < 0
    explained = [one for one in facts["largest"] if "parts" in one]
    assert len(explained) == 2
    for one in explained:
        whole = one["sum_of_parts"]
        assert whole["lower"] <= moved[int(one["product"])] <= whole["upper"]
        parts = sum(part["change"] for part in one["parts"]) + one["other_parts"]["change"]
        assert parts == pytest.approx(whole["change"], rel=1e-9)
        causes = {(part["what"], int(part["product"])) for part in one["parts"]}
        assert causes == {("recipe", 200), ("demand", wanted), ("demand", 7)}


def test_blocks_that_are_the_same_are_not_read(ogas, stored, monkeypatch):
    path = stored("sectors:S1")
    table = open_store(path).load()
    user = int(np.flatnonzero(table.blocks == 3)[0])
    read, plain = [], Store.whole
    ogas("plan", "t", "-o", "old.zarr")
    make(path, change("scale", "coefficient", user, value=2.0))
    ogas("plan", "t", "-o", "new.zarr")
    pair = comparing.Pair.of(*(read_plan(Path(name)) for name in ("old.zarr", "new.zarr")))
    monkeypatch.setattr(
        Store, "whole", lambda store, number: (read.append(number), plain(store, number))[1]
    )
    sides = tuple(comparing.Side.of(open_store(path, version)) for version in (1, 2))
    found = comparing.change_between(pair, sides)
    assert read == [3, 3]
    assert np.flatnonzero(np.diff(found.recipes.indptr)).tolist() == [user]


def test_a_change_below_the_bounds_is_not_distinguishable(ogas, stored):
    table = problems.solvable("sectors:S1")
    stored(table)
    wanted = table.ids[int(np.argmax(table.demand))]
    facts = difference(ogas, change("scale", "demand", wanted, value=1 + 1e-9), digits=3)
    assert facts["changed"] == 0
    assert facts["not_distinguishable"] > 0
    assert facts["largest"] == []


def test_the_same_plan_twice_has_no_difference(ogas, stored):
    stored("two_sectors")
    ogas("plan", "t", "-o", "p.zarr")
    facts = ogas("diff", "p.zarr", "p.zarr", "--json").facts
    assert (facts["changed"], facts["not_distinguishable"], facts["largest"]) == (0, 0, [])
    said = ogas("diff", "p.zarr", "p.zarr").out
    assert "0 products of 2 certainly changed" in said
    assert "changed by less than is known of them" in said.splitlines()[1]


def test_products_that_come_and_go_are_compared_with_nothing(ogas, tmp_path):
    A = np.array([[0.0, 0.5], [0.5, 0.0]])
    first = problems.table_of(A.tolist(), [1.0, 1.0])
    publish(tmp_path / "t", replace(first, ids=np.array(["a", "b"])))
    publish(tmp_path / "u", replace(first, ids=np.array(["b", "c"])))
    ogas("plan", "t", "-o", "old.zarr", "--digits", "8")
    ogas("plan", "u", "-o", "new.zarr", "--digits", "8")
    facts = ogas("diff", "old.zarr", "new.zarr", "--json").facts
    assert (facts["added"], facts["removed"], facts["changed"]) == (1, 1, 2)
    by_id = {one["product"]: one for one in facts["largest"]}
    assert set(by_id) == {"a", "c"}
    assert by_id["a"]["change"] == pytest.approx(-2.0)
    assert by_id["c"]["sum_of_parts"]["change"] == pytest.approx(2.0)


def test_without_its_table_what_moved_is_told_and_why_is_not(ogas, stored):
    path = stored("sectors:S1")
    ogas("plan", "t", "-o", "old.zarr")
    make(path, change("scale", "demand", "", value=1.1))
    ogas("plan", "t", "-o", "new.zarr")
    shutil.rmtree(path)
    ending = ogas("diff", "old.zarr", "new.zarr", "--json")
    assert ending.code == 0
    assert ending.facts["unexplained"].startswith("what moved them cannot be told")
    assert "parts" not in ending.facts["largest"][0]


def test_values_are_compared_too(ogas, stored):
    path = stored("sectors:S1")
    ogas("price", "t", "-o", "old.zarr")
    make(path, change("scale", "labour", "", value=1.1))
    ogas("price", "t", "-o", "new.zarr")
    facts = ogas("diff", "old.zarr", "new.zarr", "--json").facts
    assert facts["changed"] == 300
    assert facts["unexplained"] == "changes of values are not split into parts"


def test_plans_that_cannot_be_compared_are_refused(ogas, stored):
    stored("sectors:S1")
    ogas("plan", "t", "-o", "x.zarr")
    ogas("price", "t", "-o", "v.zarr")
    ending = ogas("diff", "x.zarr", "v.zarr")
    assert (ending.code, "plan of quantities" in ending.err) == (2, True)
    ending = ogas("diff", "x.zarr", "x.zarr", "--column", "energy")
    assert (ending.code, "no column 'energy'" in ending.err) == (2, True)


def test_a_person_reads_what_moved_and_why(ogas, stored):
    path = stored("sectors:S1")
    table = open_store(path).load()
    ogas("plan", "t", "-o", "old.zarr", "--digits", "5")
    make(path, change("scale", "coefficient", table.ids[200], value=1.25))
    ogas("plan", "t", "-o", "new.zarr", "--digits", "5")
    said = ogas("diff", "old.zarr", "new.zarr", "--explain", "1").out
    assert "what moved most, for its size" in said
    assert "by the recipe of 200" in said
    assert "in all" in said
    assert coefficients_from(table.coefficients).nnz == table.nonzeros


def test_products_that_are_known_less_surely_or_lie_further_from_use_are_named(ogas, stored):
    path = stored("sectors:S1")
    ogas("plan", path, "-o", "old.zarr", "--digits", "8")
    make(path, change("scale", "coefficient", 200, value=4.0))
    ogas("plan", path, "-o", "new.zarr", "--digits", "3")
    facts = ogas("diff", "old.zarr", "new.zarr", "--json").facts["worsened"]
    old, new = (read_plan(Path(name)).columns[0] for name in ("old.zarr", "new.zarr"))
    for what, before, now in (
        ("fewer_figures", old.relative_half_widths, new.relative_half_widths),
        ("further_from_use", old.upstreamness, new.upstreamness),
    ):
        worst = facts[what]["worst"]
        assert facts[what]["products"] >= len(worst) > 0
        for one in worst:
            place = int(one["product"])
            assert (one["old"], one["new"]) == (before[place], now[place])
        growth = [one["new"] / one["old"] for one in worst]
        assert growth == sorted(growth, reverse=True)
    assert facts["fewer_figures"]["products"] == len(old.output)
    assert "known to fewer figures than before" in ogas("diff", "old.zarr", "new.zarr").out
