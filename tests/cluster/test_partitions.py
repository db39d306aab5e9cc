"""`ogas import --blocks`: which products are stored together, and what `info` says about it."""

from dataclasses import replace

import numpy as np
import problems
import pytest
from stored_tables import same, small_table

from ogas.datasets.forms import write
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.datasets.store import open_store

SEED = 20261122


@pytest.fixture
def world(tmp_path):
    """Store an economy of three countries and four sectors in the exchange form."""
    rng = np.random.default_rng(SEED)
    table = problems.table_of((rng.random((12, 12)) / 20).tolist())
    ids = np.array([f"{land}|{code}" for land in ("AUS", "FRA", "USA") for code in "abcd"])
    write(replace(table, ids=ids, units="$"), tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as file:
        np.savez(tmp_path / "w.npz", climate=np.array(["hot", "mild"] * 6), **file)
    return tmp_path / "w.npz"


def blocks_of(path):
    """The block of every product, and what is said of it; the rest of the table is untouched."""
    table = open_store(path).load()
    return None if table.blocks is None else table.blocks.tolist(), table.meta.get("partition")


@pytest.mark.parametrize(
    ("asked", "blocks", "said"),
    [
        ("by:country", [0] * 4 + [1] * 4 + [2] * 4, "3 blocks by country"),
        ("by:sector", [0, 1, 2, 3] * 3, "4 blocks by sector"),
        ("by:climate", [0, 1] * 6, "2 blocks by climate"),
        ("by:prefix2", [0] * 4 + [1] * 4 + [2] * 4, "3 blocks by prefix2"),
        ("b.csv", [1, 0] * 6, "2 blocks as b.csv says"),
        ("auto", None, "one block: 12 products are too few for more"),
        ("1", None, "one block, as asked"),
    ],
)
def test_blocks_are_made_as_asked_and_the_reason_is_said(
    ogas, world, tmp_path, asked, blocks, said
):
    whole = ogas("import", world, "whole", "--json")
    ids = open_store(tmp_path / "whole").load().ids.tolist()
    rows = [f"{name},{7 - k % 2}\n" for k, name in enumerate(ids)]
    (tmp_path / "b.csv").write_text("".join(["id,block\n", *rows]))
    done = ogas("import", world, "t", "--blocks", asked, "--json")
    assert (done.facts["partition"], done.facts["messages"][-1]) == (said, said)
    assert done.facts["nonzeros"] == whole.facts["nonzeros"]
    assert blocks_of(tmp_path / "t") == (blocks, None if blocks is None else said)
    assert f"{said}\n" in ogas("import", world, "t", "--blocks", asked).out
    tables = [open_store(tmp_path / name).load() for name in ("whole", "t")]
    assert same(*(replace(table, blocks=None, meta={}) for table in tables))


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ("unknown.csv", 5, "unknown.csv, row 3: there is no product 'z'"),
        ("missing.csv", 5, "missing.csv: 11 of 12 products are not there: AUS|b, AUS|c"),
        ("headless.csv", 5, "headless.csv, row 1: no column block; there are: id"),
        ("folder.csv", 5, "folder.csv: "),
        ("13", 2, "12 products cannot make up 13 blocks; ask for 1 to 12 blocks"),
        ("0", 2, "cannot make up 0 blocks"),
        ("-3", 2, "no way to partition"),
        ("many", 2, "use auto, a number, by:LEVEL, or a CSV file"),
        ("by:planet", 2, "there are: country, sector, climate, prefixN"),
        ("none.csv", 5, "none.csv: there is no such file"),
        ("b.csv", 5, "b.csv, row 3: product AUS|a is there twice, first in row 2"),
    ],
)
def test_impossible_blocks_are_refused_and_nothing_is_stored(
    ogas, world, tmp_path, contents, asked, code, words
):
    (tmp_path / "b.csv").write_text("id,block\nAUS|a,1\nAUS|a,1\n")
    (tmp_path / "unknown.csv").write_text("id,block\nAUS|a,1\nz,1\n")
    (tmp_path / "missing.csv").write_text("id,block\nAUS|a,1\n")
    (tmp_path / "headless.csv").write_text("id\nAUS|a\n")
    (tmp_path / "folder.csv").mkdir()
    before = contents()
    ending = ogas("import", world, "t", "--blocks", asked, "--json")
    assert ending.code == code
    assert words in ending.err
    assert contents() == before


def test_the_blocks_of_the_source_are_kept_unless_others_are_asked_for(ogas, tmp_path):
    table = small_table()
    write(table, tmp_path / "t.npz")
    said = ogas("import", "t.npz", "t", "--json").facts
    assert said["partition"] == "3 blocks, as the source names them"
    assert same(table, open_store(tmp_path / "t").load())
    assert ogas("import", "t.npz", "t", "--blocks", "2", "--json").facts["blocks"] == 2


def test_a_stored_table_is_stored_again_in_other_blocks(ogas, stored, tmp_path):
    table = generate("sectors:S3,hidden", Parameters(products=3000, seed=7))
    stored(table, "old")
    facts = ogas("import", "old", "new", "--json").facts
    assert facts["blocks"] == 5
    assert "5 blocks by METIS on the flows" in facts["partition"]
    new = open_store(tmp_path / "new").load()
    assert same(table, replace(new, blocks=None, meta=table.meta))
    assert ogas("import", "new", "new", "--blocks", "3", "--json").facts["version"] == 2
    assert ogas("import", "new", "one", "--blocks", "1", "--json").facts["blocks"] == 1
    assert same(table, open_store(tmp_path / "one").load())
    assert ogas("import", "us-2021", "us", "--blocks", "4", "--json").facts["blocks"] == 4
    assert ogas("plan", "us", "--json").facts["outcome"] == "certified"


@pytest.mark.parametrize("option", [("--kind", "flows"), ("--format", "npz"), ("--products", "p")])
def test_a_stored_table_takes_no_options_of_files(ogas, stored, option):
    ending = ogas("import", stored("two_sectors"), "new", *option)
    assert ending.code == 2
    assert "a stored table is read as it is" in ending.err


def test_a_folder_that_is_no_table_is_refused(ogas, tmp_path):
    (tmp_path / "empty").mkdir()
    ending = ogas("import", "empty", "new")
    assert ending.code == 2
    assert "there is no table here" in ending.err


def test_the_default_may_come_from_a_variable(ogas, world, monkeypatch):
    monkeypatch.setenv("OGAS_BLOCKS", "by:country")
    assert ogas("import", world, "t", "--json").facts["blocks"] == 3


def test_info_counts_what_crosses_as_by_hand(ogas, stored):
    """Product 0 goes to both products of the other block; one of them comes back."""
    rows = [[0.1, 0.2, 0.3], [0.1, 0, 0], [0, 0.5, 0]]
    table = replace(problems.table_of(rows), blocks=np.array([0, 1, 1]), units="$")
    facts = ogas(
        "info", stored(replace(table, output=np.array([10.0, 20.0, 40.0]))), "--json"
    ).facts
    assert facts["block_sizes"] == {
        "products": {"least": 1, "median": 1, "largest": 2},
        "nonzeros": {"least": 2, "median": 2, "largest": 3},
    }
    assert facts["external_inputs"] == {"least": 1, "median": 1, "largest": 1}
    assert facts["words_per_product"] == pytest.approx(2 / 3)
    assert facts["words_per_product_row_owned"] == pytest.approx(3 / 3)
    assert facts["boundary_share_of_nonzeros"] == pytest.approx(3 / 5)
    assert facts["boundary_share_of_value"] == pytest.approx(17 / 28)
    assert len(facts["warnings"]) == 1
    assert "61% of the value of flows cross between blocks" in facts["warnings"][0]
    assert f"warning: {facts['warnings'][0]}\n" in ogas("info", "t").out


def test_info_of_one_block_reads_no_coefficients(ogas, stored, monkeypatch):
    stored("two_sectors")
    monkeypatch.setattr(
        "ogas.datasets.store.StoredBlock", lambda *_: pytest.fail("a block was read")
    )
    facts = ogas("info", "t", "--json").facts
    assert facts["words_per_product"] == facts["words_per_product_row_owned"] == 0
    assert facts["boundary_share_of_value"] == 0
    assert facts["warnings"] == []


def test_info_never_puts_the_whole_table_together(ogas, stored, monkeypatch):
    stored("sectors:S1")
    monkeypatch.setattr("ogas.datasets.store.assemble", lambda *_: pytest.fail("assembled"))
    assert ogas("info", "t", "--json").facts["words_per_product"] > 0


def test_the_tables_of_the_world_are_cut_by_country(ogas, data_folder):
    facts = ogas(
        "import", data_folder / "wiod13_world_1995.npz", "w", "--blocks", "by:country", "--json"
    ).facts
    assert facts["partition"] == "41 blocks by country"
    sizes = ogas("info", "w", "--json").facts["block_sizes"]["products"]
    assert sizes == {"least": 35, "median": 35, "largest": 35}
