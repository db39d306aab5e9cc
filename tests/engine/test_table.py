"""The door: what a table refuses, and how it says so; and tables cut into blocks."""

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array, csr_matrix

from ogas.engine.block import Cut, assemble
from ogas.engine.boundary import value_share
from ogas.engine.errors import InvalidInputError, PlanError
from ogas.engine.table import Table, coefficients_from

A = np.array([[0.1, 0.2], [0.0, 0.3]])
IDS = np.array(["coal", "steel"])


@pytest.mark.parametrize(
    ("coefficients", "fields", "words"),
    [
        (np.zeros((2, 3)), {}, ["not square", "2 rows", "3 columns"]),
        (np.zeros((0, 0)), {"ids": IDS[:0]}, ["no products"]),
        (np.array([[0.1, np.nan], [0, 0]]), {}, ["input coal of product steel", "nan"]),
        (np.array([[0.1, 0], [np.inf, 0]]), {}, ["input steel of product coal", "inf"]),
        (A, {"ids": np.array(["coal", "coal"])}, ["unique", "coal occurs 2 times"]),
        (A, {"ids": IDS[:1]}, ["ids has shape (1,)"]),
        (A, {"demand": np.array([1.0, np.nan])}, ["product steel", "demand"]),
        (A, {"demand": np.ones(3)}, ["demand has shape (3,)"]),
        (A, {"factors": {"labour": np.array([np.inf, 1.0])}}, ["product coal", "labour"]),
        (A, {"output": np.array([1.0, -2.0])}, ["product steel", "negative (-2)"]),
        (A, {"names": np.array(["Coal"])}, ["names has shape (1,)"]),
        (A, {"units": np.array(["t", "t", "t"])}, ["units has shape (3,)"]),
        (A, {"value_type": "float16"}, ["float16"]),
    ],
)
def test_a_table_refuses_the_impossible_and_names_it(coefficients, fields, words):
    with pytest.raises(InvalidInputError) as refusal:
        Table(coefficients_from(csr_array(coefficients)), **({"ids": IDS} | fields))
    assert isinstance(refusal.value, PlanError | ValueError)
    for word in words:
        assert word in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("kind", [csr_array, csr_matrix, coo_array, np.asarray])
def test_coefficients_are_canonical_and_what_they_came_from_stays(kind):
    given = kind(np.array([[0.0, 0.25], [0.5, 0.125]]))
    canonical = coefficients_from(given)
    assert canonical.indptr.dtype == np.int64
    assert canonical.indices.dtype == np.int32
    canonical.data[:] = 7
    assert np.asarray(given if kind is np.asarray else given.todense()).tolist() == [
        [0.0, 0.25],
        [0.5, 0.125],
    ]


def test_duplicates_add_up_zeros_vanish_and_columns_are_sorted():
    entries = ([0.25, 0.5, 0.5, 0.0, 1.0], ([0, 0, 1, 1, 0], [1, 1, 0, 1, 0]))
    canonical = coefficients_from(coo_array(entries, shape=(2, 2)))
    assert canonical.indptr.tolist() == [0, 2, 3]
    assert canonical.indices.tolist() == [0, 1, 0]
    assert canonical.data.tolist() == [1.0, 0.75, 0.5]


@pytest.mark.parametrize("blocks", [[0, 0, 0, 0], [0, 1, 2, 3], [0, 0, 1, 1], [1, 0, 1, 0]])
def test_cut_and_assembled_again_a_table_is_the_same(blocks):
    rng = np.random.default_rng(1815)
    matrix = coefficients_from(np.where(rng.random((4, 4)) < 0.6, rng.random((4, 4)), 0.0))
    table = Table(matrix, np.arange(4), blocks=np.array(blocks))
    whole = assemble(Cut(table), 4)
    for name in ("indptr", "indices", "data"):
        again, first = getattr(whole, name), getattr(matrix, name)
        assert again.dtype == first.dtype
        assert again.tolist() == first.tolist()


def test_what_crosses_the_boundary_is_weighed_by_output_and_price():
    flows = {"blocks": np.array([0, 1]), "output": np.array([10.0, 20.0])}
    table = Table(coefficients_from(A), IDS, units="$", **flows)
    # flows 1 and 4 of coal, 6 of steel; the 4 crosses
    assert value_share(table) == pytest.approx(4 / 11)
    dear_steel = Table(coefficients_from(A), IDS, price=np.array([1.0, 10.0]), **flows)
    assert value_share(dear_steel) == pytest.approx(4 / 65)
    assert value_share(Table(coefficients_from(A), IDS, **flows)) is None
