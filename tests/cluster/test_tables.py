"""Tables through the command line: in and out of every form, and version after version."""

from dataclasses import replace

import numpy as np
import problems
import pytest
from published_files import IDS, A, X, exiobase
from stored_tables import same, small_table

from ogas.cluster import commands_tables
from ogas.datasets import forms
from ogas.datasets.forms import write
from ogas.datasets.store import open_store

FORMS = {
    "npz": ("t.npz", []),
    "Matrix Market": ("t.mtx", []),
    "edges in CSV": ("t.csv", []),
    "edges in Parquet": ("t.parquet", []),
    "square CSV": ("t.csv", ["--format", "square"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_table_goes_out_and_comes_back_the_same(ogas, stored, tmp_path, form):
    file, options = FORMS[form]
    table = problems.solvable("two_sectors")
    table = replace(table, meta={}, ids=np.array(["wheat", "steel"]))
    if form == "square CSV":  # has no place for units of factors
        table = replace(table, factor_units={})
    stored(table)
    assert ogas("export", "t", file, *options).out.startswith(f"written to {file}\n")
    done = ogas("import", file, "back", *options, "--json").facts
    assert (done["version"], done["products"], done["nonzeros"]) == (1, 2, 4)
    back = open_store(tmp_path / "back").load()
    assert same(replace(table, factor_units={}), replace(back, meta={}, factor_units={}))
    assert ogas("plan", "back", "--json").facts["outcome"] == "certified"


def test_the_exchange_form_loses_nothing(ogas, stored, tmp_path):
    stored(small_table())
    ogas("export", "t", "t.npz")
    ogas("import", "t.npz", "back")
    assert same(small_table(), open_store(tmp_path / "back").load())
    facts = [ogas("info", name, "--json").facts for name in ("t", "back")]
    assert facts[0]["digest"] == facts[1]["digest"]


def test_flows_become_coefficients(ogas, tmp_path):
    (tmp_path / "t.csv").write_text(",a,b,demand\na,2,3,5\nb,4,1,10\n")
    ogas("import", "t.csv", "t", "--kind", "flows")
    found = open_store(tmp_path / "t").load()
    assert found.coefficients.toarray().tolist() == [[2 / 10, 3 / 15], [4 / 10, 1 / 15]]
    assert found.output.tolist() == [10, 15]


def test_what_is_ignored_is_listed(ogas, tmp_path):
    table = problems.solvable("two_sectors")
    write(table, tmp_path / "t.npz")
    with np.load(tmp_path / "t.npz") as file:
        np.savez(tmp_path / "more.npz", **file, colours=np.arange(2))
    messages = ogas("import", "more.npz", "t", "--json").facts["messages"]
    assert any("colours" in message for message in messages)
    assert "colours" in ogas("import", "more.npz", "t2").out


def test_a_changed_table_is_the_next_version_and_the_first_stays(ogas, tmp_path):
    first = problems.solvable("two_sectors")
    second = replace(first, demand=np.array([1.0, 2.0]))
    for number, table in ((1, first), (1, first), (2, second), (2, second), (3, first)):
        write(table, tmp_path / "t.npz")
        assert ogas("import", "t.npz", "t", "--json").facts["version"] == number
        if number == 1:
            ogas("plan", "t", "-o", "p")
    assert same(first, open_store(tmp_path / "t", 1).load())
    assert same(second, open_store(tmp_path / "t", 2).load())
    versions = ogas("info", "t", "--json").facts["versions"]
    assert [version["version"] for version in versions] == [1, 2, 3]
    assert [version["note"] for version in versions] == ["imported from t.npz"] * 3
    assert ogas("verify", "p").code == 0  # made from version 1, which is still there
    assert ogas("plan", "t", "--json").facts["table_version"] == 3


def test_generated_tables_depend_on_the_seed_alone(ogas):
    options = ("--products", 120, "--blocks", 4)
    digests = [
        ogas("generate", "sectors:S2", f"t{k}", *options, *more, "--json").facts["digest"]
        for k, more in enumerate([("--workers", 1), ("--workers", 2), ("--seed", 7)])
    ]
    assert digests[0] == digests[1] != digests[2]
    said = ogas("generate", "sectors:S2", "again", *options).out
    assert "120 products, " in said
    assert " in 4 blocks: version 1 of again\n" in said


def test_info_says_what_a_person_wants_to_know(ogas, stored):
    said = ogas("info", "us-2021").out
    for words in ("71", "4,070", "$ million", "labour", "public domain", "2021"):
        assert words in said
    assert "units                        not said\n" in ogas("info", stored("two_sectors")).out
    stored(small_table(), "many")
    assert "units                        one for each product\n" in ogas("info", "many").out


def test_check_says_what_is_odd(ogas, stored):
    stored(problems.table_of([[0, -0.1, 0], [0.5, 0, 0], [0, 0, 0]], demand=[1, 1, -1]))
    said = ogas("check", "t").out
    assert said.startswith("productive\nspectral radius between ")
    assert "note: negative demand (net imports) for 1 product (2); " in said
    assert "note: 1 negative coefficient (by-products or credits) (0); " in said
    assert "note: 1 product made without any input (2); " in said


def test_the_forms_of_the_command_line_are_those_there_are():
    assert tuple(commands_tables.WRITTEN) == forms.WRITTEN
    assert set(commands_tables.READ) == set(forms.FORMATS)


def test_a_folder_of_pymrio_comes_in_by_country_and_goes_out_as_a_zip(ogas, tmp_path):
    exiobase(tmp_path / "IOT_2022_pxp")
    done = ogas(
        "import", "IOT_2022_pxp", "t", "--factor", "CO2", "--blocks", "by:country", "--json"
    )
    assert (done.facts["products"], done.facts["blocks"]) == (4, 2)
    found = open_store(tmp_path / "t").load()
    assert list(found.factors) == ["CO2"]
    assert ogas("plan", "t", "--json").facts["outcome"] == "certified"
    ogas("export", "t", "t.zip")
    ogas("import", "t.zip", "back")
    again = open_store(tmp_path / "back").load()
    assert again.ids.tolist() == IDS
    assert (again.coefficients.toarray() == A).all()
    assert (again.output == X).all()


def test_a_bad_published_table_leaves_nothing(ogas, tmp_path):
    folder = exiobase(tmp_path / "IOT")
    (folder / "Y.txt").write_text((folder / "Y.txt").read_text().replace("30.0", "3 000,0"))
    done = ogas("import", "IOT", "t", "--json")
    assert done.code == 5
    assert done.facts["where"].endswith("IOT, Y.txt, row 4, column AUS HFCE")
    assert not (tmp_path / "t").exists()
    assert ogas("import", "IOT", "t", "--factor", "x", "--kind", "flows").code == 2
