"""Concordances and totals from files: what they say, and every fault with its row."""

import numpy as np
import pytest

from ogas.datasets.concordance import read_concordance
from ogas.datasets.totals import read_totals
from ogas.engine.errors import InvalidInputError

IDS = np.array(["coal", "steel", "07"])


def test_every_product_has_its_aggregate_in_any_order(tmp_path):
    (tmp_path / "c.csv").write_text("from,to\n07,rest\ncoal,mining\nsteel,rest\n")
    found = read_concordance(tmp_path / "c.csv", IDS)
    assert found.ids.tolist() == ["rest", "mining"]
    assert found.shares.toarray().tolist() == [[0, 1], [1, 0], [1, 0]]


def test_a_product_may_be_shared_and_thirds_may_be_rounded(tmp_path):
    rows = "coal,1,0.333333\ncoal,2,0.333333\ncoal,3,0.333333\nsteel,1,1\n07,2,1\n07,3,0\n"
    (tmp_path / "c.csv").write_text("from,to,share\n" + rows)
    found = read_concordance(tmp_path / "c.csv", IDS)
    assert found.ids.tolist() == [1, 2, 3]
    assert found.shares.toarray()[0].tolist() == pytest.approx([1 / 3] * 3, abs=1e-15)
    assert found.shares.nnz == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from,to\ncoal,a\ncopper,a\n", ["c.csv, row 3", "no product 'copper'"]),
        ("from,to\ncoal,a\nsteel,a\n", ["c.csv: 1 of 3 products", "not there: 07"]),
        ("from,to\ncoal,a\nsteel,a\n07,b\ncoal,a\n", ["row 5: product 'coal' is there twice"]),
        ("from,to\ncoal,a\nsteel,a\n07,b\ncoal,b\n", ["row 2: the shares of product coal", "to 2"]),
        ("from,to,share\ncoal,a,.9\nsteel,a,1\n07,b,1\n", ["row 2: the shares", "add up to 0.9"]),
        ("from,to,share\ncoal,a,1\nsteel,a,1.5\n07,b,1\n", ["row 3: the share of", "steel", "1.5"]),
        ("from,to,share\ncoal,a,-1\ncoal,b,2\n", ["row 2: the share of product 'coal' is -1"]),
        ("from,to,share\ncoal,a,x\n", ["row 2: share is 'x'"]),
        ("from,to\ncoal, \nsteel,a\n07,a\n", ["row 2: product 'coal' has no aggregate"]),
        ("from,into\ncoal,a\n", ["no column to; there are: from, into"]),
        (None, ["there is no such file"]),
    ],
)
def test_a_bad_concordance_is_named_with_row_and_product(tmp_path, text, words):
    if text is not None:
        (tmp_path / "c.csv").write_text(text)
    with pytest.raises(InvalidInputError) as refusal:
        read_concordance(tmp_path / "c.csv", IDS)
    for word in words:
        assert word in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_totals_come_in_any_order_and_may_bring_outputs(tmp_path):
    (tmp_path / "t.csv").write_text("id,total\nsteel,2\n07,0\ncoal,-1.5\n")
    total, output = read_totals(tmp_path / "t.csv", IDS)
    assert (total.tolist(), output) == ([-1.5, 2, 0], None)
    (tmp_path / "t.csv").write_text("id,output,total\nsteel,9,2\n07,8,0\ncoal,7,1\n")
    assert read_totals(tmp_path / "t.csv", IDS)[1].tolist() == [7, 9, 8]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,total\ncoal,1\ncopper,2\n", ["t.csv, row 3", "no product 'copper'"]),
        ("id,total\ncoal,1\nsteel,2\n", ["t.csv: 1 of 3 products", "not there: 07"]),
        ("id,total\ncoal,1\nsteel,2\n07,3\nsteel,2\n", ["row 5: the product 'steel' is listed tw"]),
        ("id,total\ncoal,1\nsteel,nan\n07,3\n", ["row 3: total is 'nan'"]),
        ("id,total,output\ncoal,1,1\nsteel,2,-2\n07,3,1\n", ["row 3: output is negative (-2)"]),
        ("id,demand\ncoal,1\n", ["no column total"]),
    ],
)
def test_bad_totals_are_named_with_row_and_product(tmp_path, text, words):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InvalidInputError) as refusal:
        read_totals(tmp_path / "t.csv", IDS)
    for word in words:
        assert word in str(refusal.value)
