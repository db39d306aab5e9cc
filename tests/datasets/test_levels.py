"""Levels: by what a table can be cut, and the file that says the block of every product."""

import json

import numpy as np
import pytest
from stored_tables import small_table

from ogas.datasets.forms import read, write
from ogas.datasets.levels import codes_in, level, read_blocks
from ogas.engine.errors import InvalidInputError, WrongUsageError

IDS = np.array(["coal", "steel", "07"])


@pytest.mark.parametrize(
    "ids",
    [
        ["AUS|c1", "AUS|c2", "USA|c1", "USA|c2"],
        ["AUS_c1_a", "AUS_c2", "USA_c1_a", "USA_c2"],
        ["AUS:c1", "AUS:c2", "USA:c1"],  # one that nobody makes
    ],
)
def test_ids_that_join_two_codes_have_a_country_and_a_sector(ids):
    found = codes_in(np.array(ids))
    assert found["country"].tolist() == [label[:3] for label in ids]
    assert found["sector"].tolist() == [label[4:] for label in ids]


@pytest.mark.parametrize(
    "ids",
    [
        ["coal", "steel"],
        ["AUS|c1", "AUS|c2", "AUS|c3"],  # one country only
        ["a_b", "c_d", "e_f", "g_h"],  # nothing recurs
        ["AUS|c1", "AUS|c2", "USA|c1", "USA"],
        [11, 12, 21, 22],
    ],
)
def test_other_ids_have_neither(ids):
    assert codes_in(np.array(ids)) == {}


@pytest.mark.parametrize(
    ("ids", "name", "expected"),
    [
        (["1111A0 Oilseed", "111200 Melons", "S00203 Other"], "prefix3", ["111", "111", "S00"]),
        ([1111, 1112, 2], "prefix3", ["111", "111", "2"]),
        (["ж1", "ж2"], "prefix1", ["ж", "ж"]),
    ],
)
def test_prefixes_of_ids_are_levels(ids, name, expected):
    assert level(name, np.array(ids), {}).tolist() == expected


@pytest.mark.parametrize("name", ["planet", "", "prefix", "prefix0", "prefix-1", "Country"])
def test_an_unknown_level_lists_those_that_exist(name):
    ids = np.array(["AUS|c1", "AUS|c2", "USA|c1", "USA|c2"])
    with pytest.raises(WrongUsageError) as refusal:
        level(name, ids, {"branch": np.arange(4)})
    assert repr(name) in refusal.value.message
    assert "country, sector, branch, prefixN" in refusal.value.advice


def test_what_the_source_says_comes_before_what_ids_look_like():
    ids = np.array(["AUS|c1", "AUS|c2", "USA|c1", "USA|c2"])
    given = {"country": np.array(["a", "b", "c", "d"])}
    assert level("country", ids, given).tolist() == ["a", "b", "c", "d"]


def test_further_texts_and_integers_of_a_product_list_are_levels(tmp_path):
    (tmp_path / "e.csv").write_text("supplier,user,quantity\na,b,0.1\n")
    (tmp_path / "products.csv").write_text(
        "id,name,block,demand,labour,co2,region,branch\nb,B,x,1,2,1.5,north,10\na,A,y,1,2,2.5,,20\n"
    )
    found = read(tmp_path / "e.csv")
    assert {name: codes.tolist() for name, codes in found.levels.items()} == {
        "region": ["north", ""],
        "branch": [10, 20],
    }
    assert list(found.table.factors) == ["labour", "co2", "branch"]


def test_further_texts_and_integers_of_the_exchange_form_are_levels(tmp_path):
    write(small_table(), tmp_path / "t.npz")
    with np.load(tmp_path / "t.npz") as file:
        arrays = dict(file)
    meta = json.loads(str(arrays["meta"])) | {
        "region": ["north", "south"] * 6,
        "years": [2001, 2002],
        "ragged": [[1], [2, 3]],
    }
    arrays["meta"] = np.array(json.dumps(meta))
    arrays |= {"branch": np.array(["x", "y", "z"] * 4), "code": np.arange(12), "wage": np.ones(12)}
    arrays |= {"short": np.arange(3), "square": np.ones((12, 12), int)}
    np.savez(tmp_path / "u.npz", **arrays)
    found = read(tmp_path / "u.npz")
    assert set(found.levels) == {"region", "branch", "code"}
    assert found.levels["region"].tolist() == ["north", "south"] * 6
    assert found.messages[0] == "ignored arrays: branch, code, wage, short, square"


def test_levels_survive_that_flows_become_coefficients(tmp_path):
    (tmp_path / "e.csv").write_text("supplier,user,quantity\na,b,1\n")
    (tmp_path / "products.csv").write_text("id,output,region\na,2,north\nb,4,south\n")
    assert read(tmp_path / "e.csv", kind="flows").levels["region"].tolist() == ["north", "south"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("coal,1\nsteel,0\n07,1\n", [1, 0, 1]),
        ("07,mill\nsteel,mill\ncoal,mine\n", ["mine", "mill", "mill"]),
        ("steel,2\ncoal,x\n07,2\n", ["x", "2", "2"]),
    ],
)
def test_a_file_of_blocks_is_read_in_any_order(tmp_path, rows, expected):
    (tmp_path / "b.csv").write_text("id,block\n" + rows)
    assert read_blocks(tmp_path / "b.csv", IDS).tolist() == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,block\ncoal,1\ncopper,2\n", ["b.csv, row 3", "no product 'copper'"]),
        ("id,block\ncoal,1\nsteel,2\n", ["b.csv: 1 of 3 products", "not there: 07"]),
        ("id,block\n", ["b.csv: 3 of 3 products are not there: coal, steel, 07"]),
        ("id,block\ncoal,1\n07,1\nsteel,2\ncoal,2\n", ["row 5: product coal", "first in row 2"]),
        ("id,block\ncoal,1\n07, \nsteel,2\n", ["b.csv, row 3: product 07 has no block"]),
        ("id,sector\ncoal,1\n", ["b.csv, row 1: no column block; there are: id, sector"]),
        ("id,block\ncoal,1,2\n", ["b.csv", "row 2"]),
        ("", ["b.csv: the file is empty"]),
        (None, ["b.csv: there is no such file"]),
    ],
)
def test_a_bad_file_of_blocks_is_named_with_row_and_product(tmp_path, text, words):
    if text is not None:
        (tmp_path / "b.csv").write_text(text)
    with pytest.raises(InvalidInputError) as refusal:
        read_blocks(tmp_path / "b.csv", IDS)
    for word in words:
        assert word in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_many_missing_products_are_counted_and_some_named(tmp_path):
    (tmp_path / "b.csv").write_text("id,block\n0,1\n")
    with pytest.raises(InvalidInputError, match=r"99 of 100 .*: 1, 2, 3, 4, 5 and 94 more"):
        read_blocks(tmp_path / "b.csv", np.arange(100))
