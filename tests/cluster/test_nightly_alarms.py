"""Recipes that change more than they ever did are flagged, or held back."""

from datetime import timedelta

import numpy as np
import problems
import pytest
from nights import FIRST, Place, output_of

from ogas.cluster.nights.alarms import ENOUGH, Past
from ogas.cluster.nights.night import nights
from ogas.datasets.amending import Move
from ogas.datasets.changes import Change
from ogas.datasets.store import open_store


def move(product, factor):
    row = Change("scale", "coefficient", product, "", factor, "", "", "", "f.csv row 2")
    return Move(row, float(np.log(factor)))


def past(product, factors):
    return Past(np.array([product] * len(factors)), np.log(factors))


@pytest.mark.parametrize(
    ("factor", "is_doubted"), [(1.05, False), (0.95, False), (1.5, True), (0.5, True)]
)
def test_what_is_far_from_the_usual_of_a_product_is_doubted(factor, is_doubted):
    usual = past("a", np.random.default_rng(5).normal(1.0, 0.02, 40))
    assert bool(usual.alarms([move("a", factor)], 8.0)) is is_doubted


def test_a_product_that_always_moves_much_may_do_so_again():
    calm, wild = np.full(50, 1.0), np.random.default_rng(6).uniform(0.6, 1.6, 50)
    usual = Past(np.repeat(["calm", "wild"], 50), np.log(np.concatenate([calm, wild])))
    alarms = usual.alarms([move("calm", 1.4), move("wild", 1.4)], 3.0)
    assert [alarm.move.change.product for alarm in alarms] == ["calm"]


def test_half_of_all_moves_may_be_wrong_before_the_rule_is_misled():
    moves = np.concatenate([np.full(30, 1.01), np.full(25, 100.0)])
    assert past("a", moves).alarms([move("a", 100.0)], 8.0)


def test_of_a_product_that_never_moved_the_others_tell():
    usual = past("a", np.full(ENOUGH, 1.0))
    assert usual.alarms([move("b", 2.0)], 8.0)
    assert not past("a", np.full(ENOUGH - 1, 1.0)).alarms([move("b", 2.0)], 8.0)


@pytest.mark.parametrize("policy", ["flag", "hold", "off"])
def test_a_night_flags_or_holds_back_what_is_doubtful(tmp_path, policy):
    place = Place.made(tmp_path / "place", problems.solvable("sectors:S1"))
    spec = type(place.spec)(**(vars(place.spec) | {"policy": policy}))
    rows = [f"scale,coefficient,{k},,{1 + 0.002 * k}," for k in range(ENOUGH + 2)]
    place.drop("a.csv", *rows)
    assert nights(spec, FIRST)[-1].code == 0
    place.drop("b.csv", "scale,coefficient,200,,1.9,", "scale,coefficient,201,,1.01,")
    before = open_store(place.spec.table).load().coefficients.toarray()
    facts = nights(spec, FIRST + timedelta(days=1))[-1].facts
    table = open_store(place.spec.table).load()
    after = table.coefficients.toarray()
    factor = after[:, 200].sum() / before[:, 200].sum()
    assert factor == pytest.approx(1.0 if policy == "hold" else 1.9)
    assert after[:, 201].sum() / before[:, 201].sum() == pytest.approx(1.01)
    assert len(facts["alarms"]) == (policy != "off")
    assert facts["held"] is (policy == "hold")
    assert place.plan_within(output_of(table))
    if policy == "flag":
        assert facts["alarms"][0].startswith("b.csv row 2: the recipe of '200' changes by a factor")


def test_setting_a_coefficient_moves_it_by_its_ratio(tmp_path):
    table = problems.solvable("sectors:S1")
    place = Place.made(tmp_path / "place", table)
    A = table.coefficients.toarray()
    supplier, user = np.argwhere(A)[7]
    old = A[supplier, user]
    place.drop("a.csv", f"set,coefficient,{user},{supplier},{2 * old},", "set,coefficient,3,299,0,")
    nights(place.spec, FIRST)
    with np.load(place.spec.table / "nights" / f"{FIRST}.npz") as found:
        assert found["products"].tolist() == [str(user)]
        assert found["ratios"] == pytest.approx([np.log(2.0)])
