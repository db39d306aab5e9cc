"""Supply-use pairs from files: what is taken, what is said, and what is refused."""

import json

import numpy as np
import pytest
from scipy.sparse import csr_array

from ogas.datasets.form_supply_use import read_accounts
from ogas.datasets.forms import read
from ogas.engine.errors import DamagedError, InvalidInputError, WrongUsageError
from ogas.engine.symmetric import MODELS

USE, SUPPLY = np.array([[12.0, 8.0], [10.0, 7.0]]), np.array([[90.0, 10.0], [0.0, 100.0]])


def pair(**changes):
    """The arrays of a good pair (Miller and Blair, ch. 5), changed; None removes one."""
    found = {"U": USE, "S": SUPPLY, "prod": np.array(["x", "y"]), "ind": np.array(["X", "Y"])}
    return {name: array for name, array in (found | changes).items() if array is not None}


def saved(tmp_path, **changes):
    np.savez(tmp_path / "sut.npz", **pair(**changes))
    return tmp_path / "sut.npz"


def sparse(name, matrix):
    matrix = csr_array(matrix)
    return {
        f"{name}_data": matrix.data,
        f"{name}_indices": matrix.indices,
        f"{name}_indptr": matrix.indptr,
        f"{name}_shape": np.array(matrix.shape),
    }


@pytest.mark.parametrize("model", MODELS)
def test_a_model_makes_one_table_of_products_or_of_industries(tmp_path, model):
    meta = json.dumps({"source": "a book", "year": 2009})
    names = np.array(["the first", "the second"])
    file = saved(tmp_path, unit=np.array("$"), com_name=names, meta=np.array(meta))
    found = read(file, model=model)
    by_product = model.endswith("technology")
    assert found.table.ids.tolist() == (["x", "y"] if by_product else ["X", "Y"])
    assert (found.table.names is not None) == by_product
    assert found.table.units == "$"
    assert found.table.meta["source"] == "a book"
    assert found.table.meta["method"] in found.messages[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"S": None, "V": SUPPLY.T},
        {"U": None, **sparse("U", USE)},
        {"S": None, **sparse("S", SUPPLY)},
        {"S": None, **sparse("V", SUPPLY.T.astype(np.float32))},
        {"U": USE.astype(int), "S": np.asfortranarray(SUPPLY)},
    ],
    ids=["make", "sparse use", "sparse supply", "sparse make", "integers"],
)
@pytest.mark.parametrize("model", MODELS)
def test_the_same_pair_may_stand_there_in_several_ways(tmp_path, changes, model):
    expected = MODELS[model](read_accounts(saved(tmp_path)).tables)
    table = read(saved(tmp_path, **changes), model=model).table
    assert np.array_equal(table.coefficients.toarray(), expected.coefficients.toarray())


def test_inputs_come_by_name_and_imports_by_difference(tmp_path):
    file = saved(
        tmp_path,
        U=None,
        U_dom=USE,
        U_imp=np.array([[1.0, 2.0], [3.0, 4.0]]),
        hours=np.array([5.0, 6.0]),
        VA=np.array([[7, 8], [9, 10]]),
        va_rows=np.array(["wages", "profits"]),
        odd=np.arange(3),
    )
    accounts = read_accounts(file)
    assert {name: w.tolist() for name, w in accounts.tables.inputs.items()} == {
        "wages": [7, 8],
        "profits": [9, 10],
        "imports": [4, 6],
        "hours": [5, 6],
    }
    assert accounts.messages == (
        "ignored arrays: odd",
        "coefficients are of domestic products alone, as --imports is not given; imported inputs "
        "(10) are the factor imports; --imports total adds imports to the coefficients",
        "primary inputs of the industries: wages, profits, imports, hours",
    )


@pytest.mark.parametrize(
    ("final", "said"),
    [
        (np.array([80.0, 83.0]), 0),
        (np.array([[50.0, 30.0], [80.0, 3.0]]), 0),
        (np.array([80.0, 87.0]), 1),
        (np.array([80.0, 87.0, 1.0]), 1),
    ],
)
def test_published_final_uses_are_compared_and_not_taken(tmp_path, final, said):
    accounts = read_accounts(saved(tmp_path, F=final))
    assert accounts.tables.final_demand.tolist() == [80, 83]
    assert len(accounts.messages) == said
    if len(final) == 2 and said:
        assert "product y: 87, not 83" in accounts.messages[0]


def test_labels_that_are_missing_are_numbers(tmp_path):
    tables = read_accounts(saved(tmp_path, prod=None, ind=None)).tables
    assert (tables.products.tolist(), tables.industries.tolist()) == ([0, 1], [0, 1])


def test_what_is_negative_and_what_nobody_makes_is_said(tmp_path):
    file = saved(
        tmp_path,
        U=np.array([[12.0, 8.0], [10.0, 7.0], [1.0, 1.0]]),
        S=np.array([[90.0, 10.0], [0.0, 100.0], [0.0, 0.0]]),
        prod=np.array(["x", "y", "z"]),
    )
    *_, said, idle = read(file, model="industry-technology").messages
    assert said == "used, but made by no industry (1): z; their demand is negative"
    assert idle == "1 product has no output, kept and made of nothing: z"
    *_, said = read(file, model="fixed-product-sales").messages
    assert said.endswith("their use is in the factor imports")
    file = saved(tmp_path, S=np.array([[50.0, 50.0], [0.0, 60.0]]))
    *_, said = read(file, model="product-technology").messages
    start = "2 coefficients are negative, and kept; by flow the largest: "
    assert said == start + "x to y -4; y to y -3"  # (8 − 12)/60 and (7 − 10)/60, times 60


@pytest.mark.parametrize(
    ("changes", "pattern"),
    [
        ({"U_dom": USE}, "use table is U or U_dom, and both are there"),
        ({"V": SUPPLY}, "supply table is S or V, and both are there"),
        ({"U": np.ones(4)}, r"U is no matrix of numbers: float64, \(4,\)"),
        ({"U": np.array([["a"]])}, "U is no matrix of numbers"),
        ({"U": np.ones((2, 3))}, "use table is 2 × 3, but there are 2 products and 2 industries"),
        ({"S": None, "V": np.ones((3, 2))}, "ind are <U1 of shape"),
        ({"S": np.array([[np.nan, 1], [1, 1]])}, "product x, industry X: the supply is nan"),
        ({"prod": np.array(["x", "x"])}, "the product x is there 2 times"),
        ({"prod": np.array([1.5, 2])}, "prod are float64"),
        ({"prod": np.array([{}, []], dtype=object)}, "prod holds Python objects"),
        ({"unit": np.array(["t", "kg"])}, "unit is not one text"),
        ({"VA": np.ones((2, 3)), "va_rows": np.array(["a", "b"])}, r"VA is .* expected \(2, 2\)"),
        ({"meta": np.array("{")}, "meta is not JSON"),
        ({"U": None, "U_data": np.ones(2)}, "of the matrix U, U_indices, U_indptr, U_shape is mis"),
        ({"labour": np.array([1, np.inf])}, "the primary input labour is not one finite number"),
        ({"S": np.array([[1.0, 2.0], [2.0, 4.0]])}, "singular: the industries X, Y make the prod"),
    ],
)
def test_a_bad_pair_is_refused_with_its_file(tmp_path, changes, pattern):
    with pytest.raises(InvalidInputError, match=pattern) as refusal:
        read(saved(tmp_path, **changes), model="product-technology")
    assert "sut.npz" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_what_does_not_go_with_a_pair_is_wrong_usage(tmp_path):
    file = saved(tmp_path)
    for options in ({}, {"model": "X"}, {"model": "industry-technology", "kind": "flows"}):
        with pytest.raises(WrongUsageError):
            read(file, **options)
    with pytest.raises(WrongUsageError, match="--products goes with mtx, edges; this is npz"):
        read(file, products=tmp_path / "p.csv")
    three = np.ones((3, 2))
    file = saved(tmp_path, U=three, S=three, prod=np.arange(3))
    with pytest.raises(WrongUsageError, match=r"sut.npz: this model needs as many industries as"):
        read(file, model="product-technology")


def test_a_pair_that_is_cut_is_damaged(tmp_path):
    file = saved(tmp_path)
    whole = file.read_bytes()
    for length in range(0, len(whole), len(whole) // 20):
        file.write_bytes(whole[:length])
        with pytest.raises(DamagedError):
            read(file, model="industry-technology")
