"""Every bad input is answered with what, where and what to do, in one line."""

import re

import numpy as np
import pytest
from stored_tables import small_table

from ogas.datasets.demand import read_demand
from ogas.datasets.forms import read, write
from ogas.engine.errors import DamagedError, InvalidInputError, WrongUsageError
from ogas.engine.symmetric import MODELS

MTX = "%%MatrixMarket matrix coordinate real general\n"
EDGES = "supplier,user,quantity\n"
PRODUCTS = "id,demand\na,1\nb,2\n"


def refused(error, pattern, file, **options):
    """The error of reading ``file``: of this kind, naming the file, on one line."""
    with pytest.raises(error, match=pattern) as caught:
        read(file, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert file.parent.name in text
    return text


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("", "the file is empty"),
        ("id\n", r"not square"),
        (",a,b\na,1,2\n", "not square: the column 'b' has no row"),
        (",a,b,exports\na,1,2,3\nb,1,2,3\n", "the column 'exports' has no row.*`demand`"),
        (",a,b\na,1,2\nb,3\n", "row 3: 2 cells, but the header has 3"),
        (",a,b\na,1,2\nb,3,4,5\n", "row 3: 4 cells, but the header has 3"),
        (",a,b\na,1,2\nb,3,much\n", "row 3: b is 'much', not a finite number"),
        (",a,b\na,nan,2\nb,3,4\n", "row 2: a is 'nan', not a finite number"),
        (",a,b\nb,1,inf\na,3,4\n", "row 2: b is 'inf', not a finite number"),
        (",a,b\na,1,2\nb,3,4\nlabour,5,\n", "row 4, column b: '' is not a finite number"),
        (",a,a\na,1,2\na,3,4\n", "two columns are called 'a'"),
        (",a,b\na,1,2\na,3,4\n", "two rows are called 'a'"),
        (",a,output\na,0.5,-1\n", "product a: gross output is negative"),
    ],
)
def test_a_bad_square_is_refused_with_its_row(tmp_path, text, pattern):
    (tmp_path / "t.csv").write_text(text)
    refused(InvalidInputError, pattern, tmp_path / "t.csv", format="square")


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        (",a,b\na,1,2\nb,3,4\n", "neither output nor demand is known"),
        (",a,b,output\na,1,2,0\nb,3,4,5\n", "product a: its output is 0 but it uses inputs"),
        (",a,b,output\na,0,2,0\nb,0,4,5\nco2,1,1,\n", "product a: its output is 0 but"),
        (",a,b,demand\na,1,2,-9\nb,3,4,5\n", "product a: its gross output.* is negative"),
    ],
)
def test_flows_that_give_no_coefficients_are_refused(tmp_path, text, pattern):
    (tmp_path / "t.csv").write_text(text)
    refused(InvalidInputError, pattern, tmp_path / "t.csv", kind="flows")


@pytest.mark.parametrize(
    ("edges", "products", "pattern"),
    [
        (EDGES + "a,c,1\n", PRODUCTS, r"row 2: there is no product 'c' \(user\)"),
        (EDGES + "a,b,1\nc,a,1\n", PRODUCTS, r"row 3: there is no product 'c' \(supplier\)"),
        (EDGES + "a,b,\n", PRODUCTS, "row 2: quantity is '', not a finite number"),
        (EDGES + "a,b\n", PRODUCTS, "row 2: 2 cells, but the header has 3"),
        (EDGES + "a,b,1\n", PRODUCTS + "a,3\n", "row 2 and row 4: the product 'a' is listed twice"),
        (EDGES + "a,b,1\n", "name\nx\n", r"products\.csv, row 1: no column id"),
        (EDGES + "a,b,1\n", "id,labour\na,1\nb,x\n", "row 3: labour is 'x'"),
        (EDGES + "a,b,1\n", "id,output\na,1\nb,-1\n", "product b: gross output is negative"),
    ],
)
def test_a_bad_edge_list_or_product_list_is_refused_with_its_row(
    tmp_path, edges, products, pattern
):
    (tmp_path / "t.csv").write_text(edges)
    (tmp_path / "products.csv").write_text(products)
    refused(InvalidInputError, pattern, tmp_path / "t.csv", format="edges")


@pytest.mark.parametrize(
    ("kind", "text", "pattern"),
    [
        (DamagedError, "hello\n", "does not begin with %%MatrixMarket"),
        (DamagedError, MTX, "line with the sizes is missing"),
        (DamagedError, MTX + "2 2 2\n1 1 0.5\n", "1 entries, but its sizes say 2"),
        (DamagedError, MTX + "2 2 2\n1 1 0.5\n2 2", "entries, but its sizes say 2"),
        (DamagedError, MTX + "2 2 1\n1 1 half\n", "truncated, altered or not in this form"),
        (InvalidInputError, MTX + "2 3 1\n1 1 0.5\n", "not square"),
        (InvalidInputError, MTX + "2 2 1\n1 3 0.5\n", "entry 1: there is no row or column"),
        (InvalidInputError, MTX + "2 2 1\n1 2 nan\n", "not finite"),
        (InvalidInputError, MTX.replace("real", "complex"), "its field is 'complex'"),
    ],
)
def test_a_bad_matrix_market_file_is_refused(tmp_path, kind, text, pattern):
    (tmp_path / "t.mtx").write_text(text)
    refused(kind, pattern, tmp_path / "t.mtx")


def arrays(**changes):
    """The arrays of a good npz of two products, changed; None removes one."""
    found = {
        "A_data": np.array([0.5, 0.25]),
        "A_indices": np.array([1, 0]),
        "A_indptr": np.array([0, 1, 2]),
        "A_shape": np.array([2, 2]),
        "labels": np.array(["a", "b"]),
    } | changes
    return {name: array for name, array in found.items() if array is not None}


@pytest.mark.parametrize(
    ("changes", "pattern"),
    [
        ({"A_data": None}, "A_data missing"),
        ({"A_data": None, "U": np.ones((2, 3))}, "A_data missing"),
        ({"A_shape": np.array([2, 3])}, "not square: 2 rows, 3 columns"),
        ({"A_shape": np.array([2, 2, 2])}, "A_shape is not two integers"),
        (
            {"A_data": np.array([0.5, np.nan])},
            "input b of product a: 1 coefficients are not finite",
        ),
        ({"A_data": np.array(["x", "y"])}, "A is not made of numbers"),
        ({"A_indices": np.array([1, 7])}, "do not make up a matrix"),
        ({"A_indptr": np.array([0, 2, 1])}, "do not make up a matrix"),
        ({"labels": np.array(["a", "a"])}, "ids must be unique: a occurs 2 times"),
        ({"labels": np.array(["a"])}, r"ids has shape \(1,\)"),
        ({"labels": np.array([{}, []], dtype=object)}, "labels holds Python objects"),
        ({"labels": np.array([0.5, 1.5])}, "labels is float64, expected integers"),
        ({"f": np.array([1.0, np.inf])}, "product b: demand of 1 products is not a finite"),
        ({"f": np.array([1.0])}, r"demand has shape \(1,\)"),
        ({"x": np.array([1.0, -1.0])}, "product b: gross output is negative"),
        ({"meta": np.array("{")}, "meta is not JSON"),
        ({"meta": np.array('{"year": NaN}')}, "meta is not JSON"),
        ({"meta": np.array('{"factors": ["co2"]}')}, "names the factor co2"),
        ({"meta": np.array("[]")}, "meta is not a JSON object"),
    ],
)
def test_a_bad_exchange_file_is_refused(tmp_path, changes, pattern):
    np.savez(tmp_path / "t.npz", **arrays(**changes))
    refused(InvalidInputError, pattern, tmp_path / "t.npz")


@pytest.mark.parametrize("supply", ["V", "S"])
def test_a_supply_use_pair_needs_a_model_and_names_those_that_exist(tmp_path, supply):
    shape = (3, 2) if supply == "V" else (2, 3)
    np.savez(tmp_path / "t.npz", **{"U": np.ones((2, 3)), supply: np.ones(shape)})
    text = refused(WrongUsageError, "supply-use pair of 2 products and 3", tmp_path / "t.npz")
    for model in MODELS:
        assert model in text
    refused(WrongUsageError, "there are four ways", tmp_path / "t.npz", model="commodity")
    np.savez(tmp_path / "u.npz", **arrays())
    refused(
        WrongUsageError,
        "--model goes with a supply-use pair, bea; this is npz",
        tmp_path / "u.npz",
        model="commodity",
    )


@pytest.mark.parametrize("name", ["t.npz", "t.parquet"])
def test_a_binary_file_that_is_cut_or_altered_is_refused(tmp_path, name):
    table = small_table()
    write(table, tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    for length in range(0, len(whole), len(whole) // 30):
        (tmp_path / name).write_bytes(whole[:length])
        refused((DamagedError, InvalidInputError), None, tmp_path / name)
    place = whole.index(b"A_data") + 60 if name == "t.npz" else 60
    altered = whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]
    (tmp_path / name).write_bytes(altered)
    if name == "t.npz":
        refused(DamagedError, "cannot be read", tmp_path / name)


def test_a_file_that_is_not_there_or_of_no_known_form_is_wrong_usage(tmp_path):
    refused(InvalidInputError, "there is no such file", tmp_path / "none.npz")
    (tmp_path / "t.xlsx").write_text("")
    refused(WrongUsageError, "names no known form.*--format", tmp_path / "t.xlsx")
    for options in ({"format": "xlsx"}, {"kind": "stocks"}, {"format": "npz", "products": "p.csv"}):
        with pytest.raises(WrongUsageError):
            read(tmp_path / "t.xlsx", **options)
    with pytest.raises(WrongUsageError, match="names no known form"):
        write(small_table(), tmp_path / "t.pdf")


def test_a_name_that_a_form_reserves_is_refused_and_nothing_is_written(tmp_path):
    table = small_table(factors={"f": np.ones(12)}, factor_units={})
    with pytest.raises(WrongUsageError, match="the factor 'f' cannot be written"):
        write(table, tmp_path / "t.npz")
    table = small_table(ids=np.array(["demand", *"bcdefghijkl"]))
    with pytest.raises(WrongUsageError, match="a product called 'demand'"):
        write(table, tmp_path / "t.csv", format="square")
    assert list(tmp_path.iterdir()) == []


def test_a_demand_replaces_the_old_one_and_may_have_bounds(tmp_path):
    table = small_table(ids=np.array(list("abcdefghijkl")))
    (tmp_path / "f.csv").write_text("id,demand,lower,upper\nc,5,4,7\na,-1,-1,-1\n")
    demand, lower, upper = read_demand(tmp_path / "f.csv", table)
    assert demand.tolist() == [-1, 0, 5, *[0] * 9]
    assert lower.tolist() == [-1, 0, 4, *[0] * 9]
    assert upper.tolist() == [-1, 0, 7, *[0] * 9]
    (tmp_path / "g.csv").write_text("demand,id\n5,c\n")
    assert read_demand(tmp_path / "g.csv", table)[1:] == (None, None)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("id,demand\nz,1\n", r"row 2: there is no product 'z'"),
        ("id,demand\na,1\nb,2\na,3\n", "row 4: the product 'a' is listed twice"),
        ("id,demand\na,one\n", "row 2: demand is 'one', not a finite number"),
        ("id,amount\na,1\n", "no column demand"),
        ("id,demand,lower\na,1,2\n", "row 2: lower 2 is above demand 1"),
        ("id,demand,upper\na,1,2\nb,3,2\n", "row 3: demand 3 is above upper 2"),
        ("id,demand\na,1,5\n", "row 2: 3 cells"),
    ],
)
def test_a_bad_demand_is_refused_with_its_row(tmp_path, text, pattern):
    table = small_table(ids=np.array(list("abcdefghijkl")))
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(InvalidInputError, match=pattern) as caught:
        read_demand(tmp_path / "f.csv", table)
    assert re.match(r".*f\.csv, row|.*f\.csv, row 1: no column", str(caught.value))
