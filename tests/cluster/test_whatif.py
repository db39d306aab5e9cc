"""`ogas whatif`: what would move, certified; nothing is stored."""

import re

import numpy as np
import problems
import pytest

from ogas.datasets.store import open_store, publish

HEAD = "change,of,product,input,value,block\n"


@pytest.fixture
def changes(tmp_path):
    def write(*rows, name="c.csv"):
        (tmp_path / name).write_text(HEAD + "".join(f"{row}\n" for row in rows))
        return name

    return write


def outputs(A, f):
    return np.linalg.solve(np.eye(len(A)) - A, f)


@pytest.mark.parametrize("blocks", ["its own", "one block"])
@pytest.mark.parametrize("is_planned", [False, True])
def test_what_would_move_is_what_the_inverse_says(
    ogas, tmp_path, changes, contents, blocks, is_planned
):
    table = problems.cut(problems.solvable("sectors:S1"), blocks)
    publish(tmp_path / "t", table)
    warm = ("--warm", "p.zarr") if is_planned else ()
    ogas("plan", "t", "-o", "p.zarr", "--digits", "7")
    file = changes("scale,coefficient,200,,1.25,", "set,demand,7,,3,")
    before = contents()
    words = ("--change", file, "--digits", "7", "--top", "8", "--explain", "1", *warm)
    facts = ogas("whatif", "t", *words, "--json").facts
    assert contents() == before
    assert (facts["outcome"], facts["digits_certified"] >= 7) == ("certified", True)
    assert (facts["passes_before"] == 0) is is_planned
    A, f = table.coefficients.toarray(), table.demand.copy()
    x = outputs(A, f)
    A[:, 200] = (1.25 * A[:, 200]).astype(np.float32)
    f[7] = 3.0
    moved = outputs(A, f) - x
    assert len(facts["largest"]) == 8
    for one in facts["largest"]:
        assert one["lower"] <= moved[int(one["product"])] <= one["upper"]
    whole = facts["largest"][0]["sum_of_parts"]
    assert whole["lower"] <= moved[int(facts["largest"][0]["product"])] <= whole["upper"]


def test_the_plan_that_is_published_with_the_table_is_begun_with(ogas, stored, changes, tmp_path):
    path = stored("sectors:S1")
    name = open_store(path).manifest.name
    (path / "plans").mkdir()
    ogas("plan", "t", "-o", f"t/plans/{name}.zarr")
    ogas("rollback", "t", "--to", "1")
    assert ogas("versions", "t", "--json").facts["versions"][0]["plan"].endswith(f"{name}.zarr")
    publish(path, problems.solvable("sectors:S2"))
    ogas("rollback", "t")
    facts = ogas("whatif", "t", "--change", changes("scale,demand,7,,1.1,"), "--json").facts
    assert facts["passes_before"] == 0


def test_a_product_that_is_added_is_planned_from_nothing(ogas, stored, changes):
    stored("sectors:S1")
    ogas("plan", "t", "-o", "p.zarr")
    file = changes("add,,300,,,4", "set,coefficient,300,7,0.5,", "set,demand,300,,10,")
    words = ("--change", file, "--warm", "p.zarr", "--top", "1", "--json")
    facts = ogas("whatif", "t", *words).facts
    assert (facts["outcome"], facts["added"]) == ("certified", 1)
    (one,) = facts["largest"]
    assert (one["product"], one["old"], one["new"]) == ("300", 0.0, pytest.approx(10.0, rel=1e-3))


def test_one_product_is_pushed_in_a_few_passes(ogas, tmp_path, changes):
    publish(tmp_path / "t", problems.cut(problems.solvable("sectors:S1"), "one block"))
    ogas("plan", "t", "-o", "p.zarr")
    file = changes("scale,demand,299,,1.1,")
    facts = ogas("whatif", "t", "--change", file, "--warm", "p.zarr", "--json").facts
    assert facts["outcome"] == "certified"
    assert facts["passes"] <= 4


def test_changes_that_make_the_economy_unproductive_end_with_the_loop(ogas, stored, changes):
    stored("two_sectors")
    table = problems.solvable("two_sectors")
    first = str(table.ids[0])
    ending = ogas(
        "whatif", "t", "--change", changes(f"set,coefficient,{first},{first},1.5,"), "--json"
    )
    assert (ending.code, ending.facts["outcome"]) == (3, "not_productive")
    assert ending.facts["loop"] == [first]


def test_faults_are_told_and_have_their_own_code(ogas, stored, changes):
    stored("two_sectors")
    ending = ogas("whatif", "t", "--change", changes("set,demand,x,,1,", "set,price,,,1,"))
    assert ending.code == 5
    assert "c.csv row 3: no product" in ending.err
    ending = ogas("whatif", "t", "--change", changes("set,demand,x,,1,"))
    assert (ending.code, "there is no product 'x'" in ending.err) == (5, True)
    assert ogas("whatif", "t").code == 2


def test_a_person_reads_that_nothing_is_stored(ogas, stored, changes):
    stored("sectors:S1")
    said = ogas("whatif", "t", "--change", changes("scale,demand,,,1.1,")).out
    assert re.match(r"after 1 change, to \d figures of every product, in \d passes; ", said)
    assert "nothing is stored" in said.splitlines()[0]
