"""Every form brings back what it has a place for, and every bad input is named."""

import dataclasses
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from published_files import write_sheets
from stored_tables import alike, same, small_table, tables

from ogas.datasets.forms import read, write
from ogas.engine.errors import InvalidInputError, WrongUsageError
from ogas.engine.table import Table

# A word that is no integer, has no outer spaces and is no column of a product list.
WORD = st.text(st.characters(categories=["L", "P", "S"]), max_size=5).map(lambda text: "ж" + text)
TEXT_FORMS = ["t.mtx", "t.csv", "t.parquet"]
DATA = Path(os.environ.get("OGAS_DATA", ""))
SQUARE_FILES = sorted(file.name for file in DATA.glob("*.npz") if "_sut" not in file.name)


def forget(table, *fields):
    """The table without what a form has no place for."""
    empty = {"meta": {}, "factor_units": {}, "units": "", "value_type": "float64"}
    return dataclasses.replace(table, **{name: empty.get(name) for name in fields})


def same_units(one, other):
    return np.array_equal(*(np.broadcast_to(t.units, len(t)) for t in (one, other)))


@settings(max_examples=40, deadline=None)
@given(table=tables(text=WORD))
def test_the_exchange_form_brings_back_everything(table, tmp_path_factory):
    file = tmp_path_factory.mktemp("form") / "t.npz"
    assert write(table, file) == ()
    assert same(table, read(file).table)


@pytest.mark.parametrize("name", TEXT_FORMS)
@settings(max_examples=25, deadline=None)
@given(table=tables(text=WORD))
def test_text_forms_bring_back_all_but_meta_and_factor_units(name, table, tmp_path_factory):
    file = tmp_path_factory.mktemp("form") / name
    write(table, file)
    again = read(file).table
    assert same_units(table, again)
    lost = ("meta", "factor_units", "value_type", "units")
    assert same(forget(table, *lost), forget(again, *lost))


@settings(max_examples=25, deadline=None)
@given(table=tables(text=WORD))
def test_a_square_brings_back_ids_coefficients_demand_output_and_factors(table, tmp_path_factory):
    assume(not {str(name) for name in table.ids.tolist()} & set(table.factors))
    file = tmp_path_factory.mktemp("form") / "t.csv"
    write(table, file, format="square")
    lost = ("meta", "factor_units", "value_type", "units", "names", "blocks", "price")
    assert same(forget(table, *lost), read(file, format="square").table)


def test_what_a_form_cannot_hold_is_said(tmp_path):
    (message,) = write(small_table(), tmp_path / "t.csv", format="square")
    assert message.endswith("names, units, factor_units, price, blocks, meta")
    assert "t.products.csv" in write(small_table(), tmp_path / "t.mtx")[0]


def test_flows_are_divided_by_the_output_of_the_using_product(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text(",a,b,demand,output\na,10,30,60,100\nb,20,0,30,50\nlabour,5,10,,\n")
    with pytest.raises(InvalidInputError, match="no column supplier"):
        read(file, kind="flows", format="edges")
    table = read(file, kind="flows").table
    assert table.coefficients.toarray().tolist() == [[0.1, 0.6], [0.2, 0.0]]
    assert table.factors["labour"].tolist() == [0.05, 0.2]
    assert table.output.tolist() == [100, 50]


def test_the_output_of_flows_is_row_sums_plus_demand_where_it_is_not_given(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text(",a,b,demand\nb,20,0,30\na,10,30,60\n")
    table = read(file, kind="flows").table
    assert table.ids.tolist() == ["a", "b"]
    assert table.output.tolist() == [100, 50]
    assert table.coefficients.toarray().tolist() == [[0.1, 0.6], [0.2, 0.0]]


def test_the_demand_of_flows_is_what_the_rows_leave_of_the_output(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text(",a,b,output\na,10,30,100\nb,20,0,50\n")
    assert read(file, kind="flows").table.demand.tolist() == [60, 30]


def test_rows_of_the_same_pair_add_up_and_block_codes_are_numbered(tmp_path):
    (tmp_path / "e.csv").write_text("supplier,user,quantity\na,b,0.1\na,b,0.2\nb,a,0.5\n")
    (tmp_path / "products.csv").write_text("id,block,co2,remark\nb,farms,1.5,good\na,mills,2,bad\n")
    found = read(tmp_path / "e.csv")
    assert found.table.ids.tolist() == ["b", "a"]
    assert found.table.coefficients.toarray().tolist() == [[0, 0.5], [0.1 + 0.2, 0]]
    assert found.table.blocks.tolist() == [0, 1]
    assert alike(dict(found.table.factors), {"co2": np.array([1.5, 2])})
    assert len(found.messages) == 2
    assert "ignored column remark: row 2: remark is 'good'" in found.messages[0]


def test_an_edge_list_alone_names_its_products_in_order_of_appearance(tmp_path):
    (tmp_path / "e.csv").write_text("supplier,user,quantity\n7,12,0.1\n3,7,0.2\n")
    found = read(tmp_path / "e.csv")
    assert found.table.ids.tolist() == [7, 12, 3]
    assert "no product list" in found.messages[0]


@pytest.mark.parametrize(
    ("body", "dense"),
    [
        ("coordinate real general\n% note\n2 2 2\n1 2 0.5\n2 1 1e-3\n", [[0, 0.5], [1e-3, 0]]),
        ("coordinate integer symmetric\n2 2 2\n1 1 3\n2 1 4\n", [[3, 4], [4, 0]]),
        ("array real general\n2 2\n1\n2\n3\n4\n", [[1, 3], [2, 4]]),
        ("array real symmetric\n2 2\n1\n2\n4\n", [[1, 2], [2, 4]]),
    ],
)
def test_every_layout_of_matrix_market_is_read(tmp_path, body, dense):
    (tmp_path / "t.mtx").write_text("%%MatrixMarket matrix " + body)
    found = read(tmp_path / "t.mtx")
    assert found.table.coefficients.toarray().tolist() == dense
    assert found.table.ids.tolist() == [1, 2]


def test_a_text_that_stops_within_a_line_is_remarked_on(tmp_path):
    (tmp_path / "e.csv").write_text("supplier,user,quantity\na,b,0.1\na,b,0.2")
    assert "is its last row complete?" in read(tmp_path / "e.csv").messages[-1]


def test_arrays_without_a_place_are_listed(tmp_path):
    write(small_table(), tmp_path / "t.npz")
    with np.load(tmp_path / "t.npz") as arrays:
        np.savez(tmp_path / "u.npz", wage=np.ones(12), imp=np.ones(12), **arrays)
    assert read(tmp_path / "u.npz").messages[0] == "ignored arrays: wage, imp"


def test_without_pyarrow_parquet_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(WrongUsageError, match=r"pip install 'ogas-engine\[parquet\]'"):
        write(small_table(), tmp_path / "t.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif("OGAS_DATA" not in os.environ, reason="OGAS_DATA is not set")
@pytest.mark.parametrize("name", SQUARE_FILES)
def test_every_square_table_of_the_data_folder_is_read(name):
    found = read(DATA / name)
    with np.load(DATA / name) as arrays:
        assert isinstance(found.table, Table)
        assert found.table.nonzeros == np.count_nonzero(arrays["A_data"])
        assert ("labour" in found.table.factors) == ("l" in arrays)


def test_a_square_may_be_the_one_sheet_of_a_workbook(tmp_path):
    rows = [["", "a", "b", "demand", None], ["a", 10, 0.1, 60, None], ["b", 20.5, 0, 30, None]]
    file = write_sheets(
        tmp_path / "t.xlsx", {"economy": [*rows, [], ["labour", 5, 10]], "empty": []}
    )
    table = read(file, format="square").table
    assert table.coefficients.toarray().tolist() == [[10, 0.1], [20.5, 0]]
    assert table.demand.tolist() == [60, 30]
    assert table.factors["labour"].tolist() == [5, 10]
    write_sheets(file, {"one": rows, "two": rows})
    with pytest.raises(InvalidInputError, match="2 sheets are not empty: one, two; keep the one"):
        read(file, format="square")


@pytest.mark.parametrize(
    ("option", "value", "form"),
    [
        ("kind", "flows", "plecpr"),
        ("products", "p.csv", "square"),
        ("model", "industry-technology", "edges"),
        ("factors", ["labour"], "mtx"),
        ("imports", "total", "square"),
        ("year", 2017, "mtx"),
    ],
)
def test_an_option_that_a_form_does_not_take_is_refused_with_those_that_do(
    tmp_path, option, value, form
):
    name = "factor" if option == "factors" else option
    with pytest.raises(WrongUsageError, match=rf"t: --{name} goes with .*; this is {form}; leave"):
        read(tmp_path / "t", format=form, **{option: value})
