"""Supply at basic, use at purchasers' prices: small workbooks in the layout of BEA (`bea_files`).

Expectations are worked by hand: farms use 60 of farm goods, which is 36 at basic prices, 9 trade,
3 trucks and 12 taxes.
"""

import numpy as np
import pytest
from bea_files import (
    OUTPUTS,
    PURCHASED,
    SOLD,
    SUPPLIED,
    purchases_rows,
    supply_rows,
    write_framework,
    write_pair,
)

from ogas.datasets.forms import read
from ogas.datasets.published.bea import read_workbooks
from ogas.datasets.published.wanted import Wanted
from ogas.engine.errors import InvalidInputError

BASIC = [[36.0, 12, 12], [5 + 9, 3, 1 + 3], [8.4 + 3, 4.2 + 1, 1]]
PAID = [12 + 1.6, 4 + 0.8, 4]


@pytest.mark.parametrize("is_summary", [False, True], ids=["detail", "summary"])
def test_use_is_brought_to_basic_prices(tmp_path, is_summary):
    supply, _ = write_framework(tmp_path, is_summary=is_summary)
    tables = read_workbooks(supply, Wanted()).tables
    np.testing.assert_allclose(tables.use.toarray(), BASIC, rtol=1e-14)
    np.testing.assert_allclose(tables.supply.toarray(), OUTPUTS)
    np.testing.assert_allclose(tables.inputs["T015"], PAID, rtol=1e-14)
    assert tables.inputs["T00OSUB"].tolist() == [-2, 0, 0]
    inputs = sum(tables.inputs.values())
    np.testing.assert_allclose(np.sum(BASIC, axis=0) + inputs, tables.industry_output, rtol=1e-14)


def test_demand_is_final_use_at_basic_prices_less_imports(tmp_path):
    write_framework(tmp_path)
    table = read(tmp_path, model="industry-technology").table
    np.testing.assert_allclose(table.coefficients.toarray(), BASIC / OUTPUTS.sum(axis=0))
    np.testing.assert_allclose(table.demand, [60 - 20, 4 + 15, 8.4 + 5 - 1], rtol=1e-14)
    assert table.ids.tolist() == SOLD
    assert table.meta["title"] == "BEA supply and use tables 2017"


def test_the_assumption_is_said_with_what_needs_none(tmp_path):
    supply, use = write_framework(tmp_path)
    said = read(tmp_path, model="industry-technology").messages
    assert f"supply: {supply.name}; use: {use.name}" in said
    (assumed,) = (line for line in said if line.startswith("use at purchasers' prices, turned"))
    assert "the same share of its price" in assumed
    assert "IOUse_..._PRO_...) need no such assumption" in assumed
    assert not any("differ" in line for line in said)


def test_products_may_stand_in_another_order(tmp_path):
    write_framework(tmp_path, supply_rows(order=(2, 0, 1)))
    np.testing.assert_allclose(read_workbooks(tmp_path, Wanted()).tables.use.toarray(), BASIC)


def test_use_at_purchasers_prices_never_meets_a_make_table(tmp_path):
    make, _ = write_pair(tmp_path)
    supply, use = write_framework(tmp_path)
    with pytest.raises(InvalidInputError, match="2 pairs of a make and a use workbook"):
        read(tmp_path, model="industry-technology")
    assert read_workbooks(supply, Wanted()).tables.products.tolist() == SOLD
    supply.unlink()
    with pytest.raises(InvalidInputError, match="a make and a use workbook are needed that belong"):
        read(use, model="industry-technology")
    assert make.exists()


@pytest.mark.parametrize(
    ("supply", "use", "pattern"),
    [
        (
            supply_rows({code: of for code, of in SUPPLIED.items() if code != "Trans"}),
            None,
            "Supply.*sheet 2017, the headings: no column TRANS; keep the columns",
        ),
        (
            supply_rows(SUPPLIED | {"TOP": [60, 0, 4]}),
            None,
            r"Use.*2017, 111CA \(.*\), row 8: its use is 200, but its supply at purchasers' .* 220",
        ),
        (
            None,
            purchases_rows(PURCHASED.T),
            "Use.*2017, 111CA .* row 8: its use is 175, but its supply",
        ),
        (purchases_rows(), None, "Supply.*is a final use, among the industries"),
        (None, supply_rows(), "Use.*MCIF .* is an import, margin or tax, among the industries"),
    ],
    ids=["column", "tax", "transposed", "use", "supply"],
)
def test_what_does_not_fit_is_refused(tmp_path, supply, use, pattern):
    write_framework(tmp_path, supply, use)
    with pytest.raises(InvalidInputError, match=pattern) as refusal:
        read(tmp_path, model="industry-technology")
    assert refusal.value.advice
