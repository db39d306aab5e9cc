"""Amending a table: the same as changing it by hand, and only what is touched is written."""

from dataclasses import replace

import numpy as np
import problems
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored_tables import same, small_table

from ogas.datasets.amending import amended
from ogas.datasets.changes import Change, Changes, ChangesError
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.datasets.store import commit, open_store, publish
from ogas.engine.table import coefficients_from

NAN = float("nan")


def change(verb, of, product="", input="", value=NAN, block="", **labels):
    given = {"name": "", "unit": ""} | labels
    return Change(verb, of, product, input, value, block, **given, where="f.csv row 2")


def made(path, table, *rows):
    """Publish a table, make changes, publish again, and return what is stored then."""
    publish(path, table)
    found = amended(open_store(path), Changes(rows, ()))
    commit(path, found.written(), found.header)
    return open_store(path).load(), found


def faults_of(path, table, *rows):
    publish(path, table)
    before = sorted(path.rglob("*"))
    with pytest.raises(ChangesError) as error:
        amended(open_store(path), Changes(rows, ()))
    assert sorted(path.rglob("*")) == before
    return [fault.what for fault in error.value.faults]


P, Q, R = (f"produit-é-{k}" for k in (2, 5, 7))


def test_recipes_are_set_scaled_and_emptied(tmp_path):
    table = small_table()
    found, what = made(
        tmp_path / "t",
        table,
        change("set", "coefficient", P, Q, 0.25),
        change("scale", "coefficient", P, Q, 2.0),
        change("scale", "coefficient", R, "", 0.5),
        change("set", "coefficient", Q, Q, 0.0),
    )
    A = table.coefficients.toarray()
    A[5, 2], A[:, 7] = 0.5, 0.5 * A[:, 7]
    A[5, 5] = 0.0
    assert same(found, replace(table, coefficients=coefficients_from(A)))
    assert set(what.recipes) == {2, 5, 7}


def test_vectors_are_set_and_scaled(tmp_path):
    table = small_table()
    found, what = made(
        tmp_path / "t",
        table,
        change("set", "demand", P, value=5.0),
        change("scale", "demand", "", value=2.0),
        change("scale", "CO₂/air", Q, value=3.0),
        change("set", "price", R, value=0.125),
    )
    demand, air, price = table.demand.copy(), table.factors["CO₂/air"].copy(), table.price.copy()
    demand[2] = 5.0
    demand *= 2.0
    air[5] *= 3.0
    price[7] = 0.125
    factors = table.factors | {"CO₂/air": air}
    assert same(found, replace(table, demand=demand, price=price, factors=factors))
    assert (what.touched, what.recipes) == ((), {})


def test_a_product_is_added_and_used_at_once(tmp_path):
    table = small_table()
    found, what = made(
        tmp_path / "t",
        table,
        change("add", "product", "neu", block="1", name="ein Neues", unit="t"),
        change("set", "price", "neu", value=2.0),
        change("set", "coefficient", "neu", P, 0.1),
        change("set", "coefficient", Q, "neu", 0.2),
        change("set", "demand", "neu", value=1.0),
    )
    A = np.zeros((13, 13))
    A[:12, :12] = table.coefficients.toarray()
    A[2, 12], A[12, 5] = 0.1, 0.2
    assert np.array_equal(found.coefficients.toarray(), A)
    assert (str(found.ids[12]), str(found.names[12]), str(found.units[12])) == (
        *("neu", "ein Neues", "t"),
    )
    assert (found.demand[12], found.price[12], found.blocks[12], found.output[12]) == (1, 2, 1, 0)
    assert np.array_equal(found.demand[:12], table.demand)
    assert {1, int(table.blocks[5])} == set(what.touched)


def test_a_product_is_moved_with_its_recipe(tmp_path):
    table = small_table()
    found, what = made(tmp_path / "t", table, change("move", "product", P, block="0"))
    blocks = table.blocks.copy()
    blocks[2] = 0
    assert same(found, replace(table, blocks=blocks))
    assert what.touched == (0, 2)


def test_a_product_is_retired_once_nobody_uses_it(tmp_path):
    table = small_table()
    users = np.flatnonzero(table.coefficients.toarray()[2])
    assert users.size
    rows = [
        change("set", "coefficient", str(table.ids[user]), P, 0.0) for user in users if user != 2
    ]
    found, _ = made(tmp_path / "t", table, *rows, change("retire", "product", P))
    A = table.coefficients.toarray()
    A[2], A[:, 2] = 0.0, 0.0
    assert np.array_equal(found.coefficients.toarray(), A)
    assert found.demand[2] == found.factors["labour"][2] == 0.0
    assert len(found) == 12


def test_a_product_that_is_used_cannot_be_retired(tmp_path):
    (fault,) = faults_of(tmp_path / "t", small_table(), change("retire", "product", P))
    assert f"'{P}' cannot be retired: 'produit-é-" in fault
    assert fault.endswith("still uses it")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (change("set", "demand", "x", value=1.0), "there is no product 'x'"),
        (change("set", "coefficient", P, "x", 1.0), "there is no product 'x'"),
        (change("set", "energy", P, value=1.0), "the table has no 'energy'; it has: coefficient,"),
        (change("set", "price", P, value=0.0), "a price of 0 is none"),
        (change("add", "product", P), f"there is a product '{P}' already"),
        (change("add", "product", "new", block="3"), "there is no block '3'; they are 0 to 2"),
        (change("add", "product", "new", block="1"), "'new' has no price, and all others do"),
        (change("move", "product", P, block="one"), "there is no block 'one'"),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is_written(tmp_path, row, fault):
    (found,) = faults_of(tmp_path / "t", small_table(), row)
    assert found.startswith(fault)


def test_what_is_not_taken_cannot_be_scaled(tmp_path):
    A = small_table().coefficients.toarray()
    supplier, user = np.argwhere(A == 0)[0]
    ids = small_table().ids
    row = change("scale", "coefficient", str(ids[user]), str(ids[supplier]), 2.0)
    (found,) = faults_of(tmp_path / "t", small_table(), row)
    assert "takes nothing of" in found


def test_a_block_that_is_left_without_products_is_a_fault(tmp_path):
    table = small_table(blocks=12)
    (found,) = faults_of(tmp_path / "t", table, change("move", "product", P, block="0"))
    assert found == "block 2 is left without products"


def test_a_table_in_one_block_has_nowhere_to_move_to(tmp_path):
    table = replace(small_table(), blocks=None)
    (found,) = faults_of(tmp_path / "t", table, change("move", "product", P, block="0"))
    assert "one block" in found


def test_all_faults_are_told_and_a_retired_product_is_gone(tmp_path):
    rows = [
        change("retire", "product", P),
        change("set", "demand", P, value=1.0),
        change("set", "demand", "x", value=1.0),
    ]
    found = faults_of(tmp_path / "t", small_table(), *rows)
    assert found[:2] == [f"the product '{P}' is retired", "there is no product 'x'"]
    assert len(found) == 3


def test_integers_stay_integers(tmp_path):
    table = small_table(ids=np.arange(100, 112))
    (found,) = faults_of(tmp_path / "a", table, change("add", "product", "neu", block="0"))
    assert found.startswith("the ids of this table are integers")
    rows = [change("add", "product", "7", block="0"), change("set", "price", "7", value=1.0)]
    new, _ = made(tmp_path / "b", table, *rows)
    assert new.ids.tolist() == [*range(100, 112), 7]
    assert new.ids.dtype == np.int64


def test_only_what_is_touched_is_written(tmp_path):
    table = generate("sectors:S1", Parameters(products=600, seed=77))
    publish(tmp_path / "t", table)
    before = open_store(tmp_path / "t").manifest.content.blocks
    product = int(np.flatnonzero(table.blocks == 4)[3])
    rows = (change("scale", "coefficient", str(product), "", 1.01),)
    found = amended(open_store(tmp_path / "t"), Changes(rows, ()))
    differ = [
        k for k, pair in enumerate(zip(before, found.written(), strict=True)) if len(set(pair)) > 1
    ]
    assert differ == [4] == list(found.touched)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_many_changes_at_random_are_those_made_by_hand(tmp_path_factory, seed):
    draw = np.random.default_rng(seed)
    table = problems.solvable("sectors:S1")
    A, f, home = table.coefficients.toarray(), table.demand.copy(), table.blocks.copy()
    rows = []
    for _ in range(40):
        user, supplier = draw.integers(0, len(table), 2)
        value = float(np.float32(draw.uniform(0.5, 1.5)))
        names = str(table.ids[user]), str(table.ids[supplier])
        match draw.integers(0, 5):
            case 0:
                rows.append(change("set", "coefficient", *names, value))
                A[supplier, user] = value
            case 1:
                rows.append(change("scale", "coefficient", names[0], "", value))
                A[:, user] *= value
            case 2:
                rows.append(change("scale", "demand", names[0], value=value))
                f[user] *= value
            case 3:
                rows.append(change("set", "demand", names[0], value=value))
                f[user] = value
            case 4 if (home == home[user]).sum() > 1:
                home[user] = draw.integers(0, home.max() + 1)
                rows.append(change("move", "product", names[0], block=str(home[user])))
    A = A.astype(np.float32).astype(np.float64)
    found, _ = made(tmp_path_factory.mktemp("s") / "t", table, *rows)
    assert np.array_equal(found.coefficients.toarray(), A)
    assert np.array_equal(found.demand, f)
    assert np.array_equal(found.blocks, home)
