"""Totals among the rows of a table are refused in every form, and real factors never are."""

import numpy as np
import pytest
from published_files import VALUE_ADDED, X, Y, Z
from scipy.sparse import csr_array

from ogas.datasets.form_npz import write_npz
from ogas.datasets.forms import read, write
from ogas.datasets.published.doubts import Costs, unpaid
from ogas.engine.errors import InvalidInputError
from ogas.engine.header import Header
from ogas.engine.table import coefficients_from

NAMES = ["wheat", "steel", "bread", "coal"]
INPUTS = Z.sum(axis=0)


def square(file, below=(), columns=()):
    """A square CSV of flows with rows below the products and columns beside them."""
    head = ["", *NAMES, *(name for name, _ in columns), "demand", "output"]
    body = [
        [name, *Z[k], *(values[k] for _, values in columns), Y[k].sum(), X[k]]
        for k, name in enumerate(NAMES)
    ]
    rows = [[name, *values, *[""] * (len(columns) + 2)] for name, values in below]
    file.write_text("\n".join(",".join(map(str, row)) for row in [head, *body, *rows]) + "\n")
    return file


@pytest.mark.parametrize(
    ("below", "name", "what"),
    [
        ([("total", INPUTS)], "total", "all products"),
        ([("total", INPUTS.round(1))], "total", "all products"),
        ([("wages", VALUE_ADDED), ("inputs", INPUTS)], "inputs", "all products"),
        ([("wages", VALUE_ADDED), ("gross output", X)], "gross output", "all rows above it"),
    ],
)
def test_a_row_of_totals_below_a_square_is_refused(tmp_path, below, name, what):
    file = square(tmp_path / "t.csv", below)
    pattern = f"factor {name}: the row '{name}' is the sum of {what}: it is a total, not a factor"
    with pytest.raises(InvalidInputError, match=pattern) as caught:
        read(file, format="square", kind="flows")
    assert str(file) in str(caught.value)


def test_value_added_taxes_and_subtotals_of_factors_are_no_totals(tmp_path):
    wages, taxes = 0.6 * VALUE_ADDED, 0.1 * VALUE_ADDED
    below = [
        ("wages", wages),
        ("taxes", taxes),
        ("value added", wages + taxes),
        ("jobs", 1 + 0 * X),
    ]
    found = read(square(tmp_path / "t.csv", below), format="square", kind="flows")
    assert list(found.table.factors) == ["wages", "taxes", "value added", "jobs"]


def test_ones_are_no_total_of_columns_that_add_up_to_one(tmp_path):
    table = csr_array(np.full((4, 4), 0.25))
    header = Header(ids=np.array(NAMES), factors={"labour": np.ones(4)})
    write(header.with_coefficients(coefficients_from(table)), tmp_path / "t.npz")
    assert list(read(tmp_path / "t.npz").table.factors) == ["labour"]


@pytest.mark.parametrize("form", ["t.npz", "t.csv", "t.mtx"])
def test_a_total_among_the_products_is_refused_in_every_form(tmp_path, form):
    A = Z / X
    whole = np.block([[A, np.zeros((4, 1))], [A.sum(axis=0), 0]])
    header = Header(ids=np.array([*NAMES, "sum"]), demand=np.ones(5))
    table = header.with_coefficients(coefficients_from(csr_array(whole)))
    write(table, tmp_path / form)
    with pytest.raises(InvalidInputError, match="product sum: its row is the sum of all others"):
        read(tmp_path / form)


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (
            {"columns": [("total", Z.sum(axis=1))]},
            r"column 6: .*the column 'total' has no row among the first 5 and is the sum of others",
        ),
        (
            {"below": [("demand", Y.sum(axis=1))]},
            "row 6: demand stands in a row.*where all are this way round, transpose",
        ),
        (
            {"below": [("wages", VALUE_ADDED), ("wages", VALUE_ADDED)]},
            "rows 6 and 7: two rows are called 'wages'",
        ),
    ],
)
def test_what_is_no_product_in_a_square_is_named_with_its_place(tmp_path, change, pattern):
    with pytest.raises(InvalidInputError, match=pattern):
        read(square(tmp_path / "t.csv", **change), format="square", kind="flows")


def test_a_total_between_the_products_is_named_as_what_it_is(tmp_path):
    lines = square(tmp_path / "t.csv").read_text().splitlines()
    total = ",".join(map(str, ["all", *INPUTS, Y.sum(), X.sum()]))
    (tmp_path / "t.csv").write_text("\n".join([*lines[:4], total, *lines[4:]]) + "\n")
    pattern = "row 5, column 5: .*the row 'all' has no column.*'coal' has no row among the first 4"
    with pytest.raises(InvalidInputError, match=pattern):
        read(tmp_path / "t.csv", format="square")


def test_idle_products_are_counted_and_named(tmp_path):
    n = 8
    A = np.zeros((n, n))
    A[:2, :2] = 0.1
    ids = np.array([f"p{k}" for k in range(n)])
    header = Header(
        ids=ids, output=np.array([1.0, 1, *[0] * 6]), demand=np.array([0.8, 0.8, *[0] * 6])
    )
    write_npz(header.with_coefficients(coefficients_from(csr_array(A))), tmp_path / "t.npz")
    (said,) = read(tmp_path / "t.npz").messages
    assert said == (
        "6 products have no output, kept and made of nothing: p2, p3, p4, p5, p6 and 1 more"
    )


def test_the_worst_column_of_costs_is_named_with_its_likely_cause():
    header = Header(ids=np.array(NAMES), output=X)
    places = [f"column {letter}" for letter in "BCDE"]
    taxes = 0.2 * VALUE_ADDED

    def said(costs, **inputs):
        return "".join(unpaid(header, Costs(costs, inputs, places)))

    assert said(X) == ""
    assert "without 'taxes' they agree" in said(X + taxes, wages=VALUE_ADDED, taxes=taxes)
    assert "too small throughout: is a row missing" in said(X - taxes, wages=VALUE_ADDED - taxes)
    mixed = said(X + taxes * [1, -1, 1, 1], wages=VALUE_ADDED)
    assert "are prices mixed (basic, purchasers')" in mixed
    worst = int(np.argmax(taxes / np.maximum(X + taxes * [1, -1, 1, 1], X)))
    assert f"most for {NAMES[worst]} ({places[worst]})" in mixed


def test_doubts_are_silent_on_a_sound_table(tmp_path):
    file = square(tmp_path / "t.csv", [("wages", VALUE_ADDED)])
    assert read(file, format="square", kind="flows").messages == ()
