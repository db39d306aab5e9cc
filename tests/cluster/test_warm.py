"""`--warm PLAN`: a run that begins with an earlier plan, and what is refused as one."""

import dataclasses

import numpy as np
import problems
import pytest

from ogas.datasets.plans import read_plan

RUNS = [
    ("plan", "gauss-seidel"),
    ("price", "anderson"),
    ("plan", "block-jacobi"),
    ("plan", "orders-and-tables"),
    ("price", "orders-and-tables"),
]


@pytest.mark.parametrize(("command", "method"), RUNS)
def test_a_plan_begun_with_itself_is_proven_again_in_two_passes(ogas, stored, command, method):
    stored("sectors:S1")
    options = ("--method", method, "--json")
    cold = ogas(command, "t", *options, "-o", "old").facts
    warm = ogas(command, "t", *options, "--warm", "old", "-o", "new").facts
    assert (cold["warm"], warm["warm"]) == (None, "old")
    assert warm["outcome"] == "certified"
    assert warm["passes"] <= 2 < cold["passes"]
    assert ogas("verify", "new").code == 0


@pytest.mark.parametrize("name", ["sectors:S1", "three_sectors"])
def test_the_method_that_is_chosen_revises_in_fewer_passes(ogas, stored, tmp_path, name):
    table = problems.solvable(name)
    stored(table)
    cold = ogas("plan", "t", "-o", "old", "--json").facts
    demand = table.demand.copy()
    demand[1] *= 1.01
    rows = [f"{i},{f!r}\n" for i, f in zip(table.ids.tolist(), demand.tolist(), strict=True)]
    (tmp_path / "f.csv").write_text("".join(["id,demand\n", *rows]))
    words = ("plan", "t", "--demand", "f.csv", "--warm", "old", "-o", "new")
    facts = ogas(*words, "--json").facts
    assert facts["outcome"] == "certified"
    assert facts["passes"] < cold["passes"]
    assert facts["method_because"] in ogas(*words).out
    exact = np.linalg.solve(np.eye(len(table)) - table.coefficients.toarray(), demand)
    (column,) = read_plan(tmp_path / "new").columns
    assert (column.lower <= exact).all()
    assert (exact <= column.upper).all()


def test_scenarios_begin_with_their_own_of_an_earlier_plan_or_with_its_first(
    ogas, stored, tmp_path
):
    table = problems.solvable("sectors:S1")
    stored(table)
    for name, share in (("low", 0.5), ("high", 2.0), ("new", 2.001)):
        rows = [f"{i},{f * share!r}\n" for i, f in enumerate(table.demand.tolist())]
        (tmp_path / f"{name}.csv").write_text("".join(["id,demand\n", *rows]))
    low, high, new = (("--demand", f"{name}.csv") for name in ("low", "high", "new"))
    cold = ogas("plan", "t", *low, *high, "-o", "old", "--json").facts
    same = ogas("plan", "t", *high, *low, "--warm", "old", "-o", "p", "--json").facts
    assert same["passes"] <= 2
    other = ogas("plan", "t", *new, *high, "--warm", "old", "-o", "p", "--json").facts
    assert other["outcome"] == "certified"
    assert other["passes"] <= cold["passes"]
    assert ogas("plan", "t", *new, "--warm", "old", "-o", "p").code == 0


def test_a_plan_may_be_revised_in_its_own_place(ogas):
    ogas("plan", "us-2021", "-o", "p")
    assert ogas("plan", "us-2021", "--warm", "p", "-o", "p", "--json").facts["warm"] == "p"
    assert ogas("verify", "p").code == 0


def test_the_earlier_plan_may_be_named_by_a_variable(ogas, monkeypatch):
    ogas("plan", "us-2021", "-o", "p")
    monkeypatch.setenv("OGAS_WARM", "p")
    assert ogas("plan", "us-2021", "-o", "q", "--json").facts["warm"] == "p"


REFUSED = {
    "values": (["plan", "us-2021"], "prices", 2, "one of values, and quantities are asked for"),
    "quantities": (["price", "us-2021"], "p", 2, "one of quantities, and values are asked for"),
    "other products": (["plan", "t"], "p", 2, "the earlier plan is one of other products"),
    "other ids": (["plan", "us-2021"], "renamed", 2, "the earlier plan is one of other products"),
    "nothing": (["plan", "us-2021"], "nowhere", 2, "there is no plan here"),
    "a table": (["plan", "us-2021"], "t", 2, "there is no plan here"),
    "a file": (["plan", "us-2021"], "file", 2, "there is no plan here"),
    "a damaged plan": (["plan", "us-2021"], "damaged", 5, "plan it again"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_earlier_plan_of_the_same_is_refused(ogas, stored, tmp_path, contents, name):
    from ogas.datasets.plans import write_plan

    words, warm, code, said = REFUSED[name]
    stored("two_sectors")
    (tmp_path / "file").write_text("a diary")
    ogas("price", "us-2021", "-o", "prices")
    for place in ("p", "damaged"):
        ogas("plan", "us-2021", "-o", place)
    chunk = tmp_path / "damaged" / "output" / "c" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-1])
    plan = read_plan(tmp_path / "p")
    write_plan(tmp_path / "renamed", dataclasses.replace(plan, ids=np.arange(len(plan.ids))))
    before = contents()
    ending = ogas(*words, "--warm", warm, "-o", "new", "--json")
    assert (ending.code, ending.facts["code"]) == (code, code)
    assert said in ending.err
    assert warm in ending.facts["where"]
    assert contents() == before
