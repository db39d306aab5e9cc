"""National tables with rows of domestic products and of imports, in the layouts of WIOD.

The files are small ones in the published layouts (`published_files`); nobody may pass on real ones.
"""

import numpy as np
import pytest
from published_files import (
    NATIONAL,
    SECTORS,
    niot_2013,
    niot_2016,
    wiod_rows,
    write_rows,
    write_sheets,
    write_xlsx,
)
from scipy.sparse import csr_array

from ogas.datasets.forms import read
from ogas.engine.errors import InvalidInputError, WrongUsageError

Zd, Zm, x = NATIONAL["Zd"], NATIONAL["Zm"], NATIONAL["x"]
YD, YM = NATIONAL["yd"].sum(axis=1), NATIONAL["ym"].sum(axis=1)


def of_2016(tmp_path):
    sheets = {"Notes": [["World Input-Output Database"]], "National IO-tables": niot_2016()}
    return write_sheets(tmp_path / "AUS_NIOT_nov16.xlsx", sheets)


def of_2013(tmp_path):
    sheets = {"Notes": [["notes"]], "1995": niot_2013(3.0), "2009": niot_2013()}
    return write_sheets(tmp_path / "AUS_NIOT_row_sep12.xlsx", sheets)


def as_csv(tmp_path):
    return write_rows(tmp_path / "AUS.csv", niot_2016())


def without_years(tmp_path):
    rows = [row[1:] for row in niot_2016((2014,))]
    return write_rows(tmp_path / "AUS.csv", rows)


EVERY = [of_2016, of_2013, as_csv, without_years]


@pytest.mark.parametrize("form", EVERY)
@pytest.mark.parametrize("imports", [None, "domestic"])
def test_the_domestic_table_has_imports_as_a_factor_and_balances(tmp_path, form, imports):
    found = read(form(tmp_path), imports=imports)
    table = found.table
    assert table.ids.tolist() == list(SECTORS)
    assert table.meta["imports"] == "domestic"
    np.testing.assert_allclose(table.coefficients.toarray(), Zd / x, rtol=1e-15)
    np.testing.assert_allclose(table.demand, YD, rtol=1e-15)
    np.testing.assert_allclose(table.factors["imports"] * x, Zm.sum(axis=0), rtol=1e-14)
    np.testing.assert_allclose(table.coefficients @ x + table.demand, x, rtol=1e-14)
    # In money, the prices of the domestic table are all 1: imports and value added pay everything.
    direct = sum(table.factors[name] for name in ("imports", "TXSP", "VA"))
    values = np.linalg.solve(np.eye(2) - (Zd / x).T, direct)
    np.testing.assert_allclose(values, 1, rtol=1e-13)
    told = next(line for line in found.messages if line.startswith("coefficients are of domestic"))
    assert ("--imports is not given" in told) == (imports is None)
    assert f"imported inputs ({Zm.sum():.6g}) are the factor imports" in told
    assert f"imported final uses ({YM.sum():.6g}) are left out" in told
    assert told.endswith("--imports total adds imports to the coefficients")


@pytest.mark.parametrize("form", EVERY)
def test_the_total_table_has_demand_less_imports_and_balances(tmp_path, form):
    found = read(form(tmp_path), imports="total")
    table = found.table
    np.testing.assert_allclose(table.coefficients.toarray(), (Zd + Zm) / x, rtol=1e-15)
    imports = Zm.sum(axis=1) + YM
    np.testing.assert_allclose(table.demand, YD + YM - imports, rtol=1e-14)
    np.testing.assert_allclose(table.coefficients @ x + table.demand, x, rtol=1e-14)
    assert "imports" not in table.factors
    assert table.meta["imports"] == "total"
    direct = sum(table.factors[name] for name in ("TXSP", "VA"))
    np.testing.assert_allclose(np.linalg.solve(np.eye(2) - ((Zd + Zm) / x).T, direct), 1)
    assert (
        "coefficients are of domestic and imported products together; demand is final use less "
        f"imports ({imports.sum():.6g})"
    ) in found.messages


@pytest.mark.parametrize(("form", "other"), [(of_2016, 2000), (of_2013, 1995), (as_csv, 2000)])
def test_the_newest_year_is_read_and_told_unless_another_is_asked_for(tmp_path, form, other):
    newest = 2009 if other == 1995 else 2014
    found = read(form(tmp_path))
    assert f"year {newest}, the newest of {other}, {newest}; for another, --year" in found.messages
    assert found.table.meta["title"] == f"national table AUS {newest}"
    asked = read(form(tmp_path), year=other)
    np.testing.assert_allclose(asked.table.output, 3 * x)
    assert f"year {other}, of {other}, {newest}" in asked.messages
    with pytest.raises(WrongUsageError, match=f"no year 1984; there are: {other}, {newest}"):
        read(form(tmp_path), year=1984)


def test_prices_and_what_became_of_taxes_are_told(tmp_path):
    said = "flows are at basic prices; what lies between them and purchasers' prices is kept as "
    assert said + "factors: TXSP" in read(of_2016(tmp_path)).messages
    found = read(of_2016(tmp_path), factors=["VA"])
    assert said + "factors, but for TXSP: TXSP" in found.messages
    assert list(found.table.factors) == ["VA"]


def test_imports_are_not_asked_of_a_table_that_does_not_tell_them(tmp_path):
    file = write_xlsx(tmp_path / "wiot.xlsx", "2014", wiod_rows())
    with pytest.raises(WrongUsageError, match="--imports goes with a supply-use pair, niot; this"):
        read(file, imports="total")
    with pytest.raises(WrongUsageError, match="--year goes with bea, niot; this is wiod"):
        read(file, year=2014)
    rows = [row for row in niot_2016() if row[3] != "Imports"]
    file = write_rows(tmp_path / "AUS.csv", rows)
    with pytest.raises(WrongUsageError, match="does not tell imports from domestic products"):
        read(file, imports="total")
    with pytest.raises(WrongUsageError, match="imports is domestic or total, not 'none'"):
        read(file, imports="none")


@pytest.mark.parametrize(
    ("row", "column", "value", "pattern"),
    [
        (10, 4, "1,234.5", r"cell E11 \(A01\): '1,234.5'.*thousands"),
        (11, 1, "A01x", "no row for 'C10', no column for 'A01x'"),
        (12, 1, "C10", "imports, row 13 and row 14: 'C10' is there 2 times"),
        (12, 3, "home", "row 13: the origin 'home' is neither Domestic, Imports nor TOT"),
        (13, 3, "TOT", "imports, column F: rows and columns do not .* no row for 'C10'"),
        (0, 5, "A01", "column E and column F: 'A01' is there 2 times"),
        (0, 5, "C11", "no row for 'C11', no column for 'C10'"),
        (12, 0, "MMXIV", "row 13, column 1: 'MMXIV' is no year"),
        (0, 2, "Note", "row 1, column 3: 'Note' stands among the labels"),
        (0, 3, "Whence", "no sheet tells Domestic from Imports|are not read|no row has the"),
    ],
)
def test_a_bad_national_table_is_refused_with_its_place(tmp_path, row, column, value, pattern):
    rows = niot_2016()
    assert rows[row][column] != value
    rows[row][column] = value
    book = write_sheets(tmp_path / "AUS_NIOT.xlsx", {"National IO-tables": rows})
    for file in (book, write_rows(tmp_path / "AUS.csv", rows)):
        with pytest.raises(InvalidInputError, match=pattern) as caught:
            read(file, format="niot")
        assert str(file) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_of_a_pair_with_imports_the_total_table_is_that_of_both_uses(tmp_path):
    pair = {"S": np.diag([100.0, 50.0]), "U_dom": Zd, "U_imp": Zm}
    np.savez(tmp_path / "both.npz", **pair)
    total = read(tmp_path / "both.npz", model="industry-technology", imports="total")
    domestic = read(tmp_path / "both.npz", model="industry-technology")
    np.testing.assert_allclose(total.table.coefficients.toarray(), (Zd + Zm) / [100, 50])
    np.testing.assert_allclose(domestic.table.coefficients.toarray(), Zd / [100, 50])
    np.testing.assert_allclose(domestic.table.demand - total.table.demand, Zm.sum(axis=1))
    assert (list(total.table.factors), list(domestic.table.factors)) == ([], ["imports"])
    del pair["U_imp"]
    np.savez(tmp_path / "one.npz", **pair)
    with pytest.raises(WrongUsageError, match="there is no U_imp in it; leave --imports away"):
        read(tmp_path / "one.npz", model="industry-technology", imports="total")


def test_published_numbers_come_back_from_the_published_layout(tmp_path, data_folder):
    """Germany 2014 as WIOD has it, put back into the layout it was published in."""
    with np.load(data_folder / "wiod16_DEU_2014.npz") as file:
        n = len(file["x"])
        domestic = csr_array(
            (file["A_data"], file["A_indices"], file["A_indptr"]), shape=(n, n)
        ).toarray()
        total, x, f = file["A_total_flat"].reshape(n, n), file["x"], file["f"]
        inputs, added = file["imp"], file["va"]
        codes = [label.split()[0] for label in file["labels"].tolist()]
    rows = [["Year", "Code", "Description", "Origin", *codes, "CONS_h", "GO"]]
    for origin, flows, final in (
        ("Domestic", domestic * x, f),
        ("Imports", (total - domestic) * x, f * 0),
    ):
        rows += [
            [2014, code, "", origin, *row, y, 0]
            for code, row, y in zip(codes, flows.tolist(), final.tolist(), strict=True)
        ]
    rows += [[2014, "VA", "", "TOT", *(added * x).tolist(), 0, 0]]
    rows += [[2014, "GO", "", "TOT", *x.tolist(), 0, 0]]
    for row, output in zip(rows[1:], x.tolist(), strict=False):
        row[-1] = output
    file = write_rows(tmp_path / "DEU_NIOT_nov16.csv", rows)
    found = read(file)
    np.testing.assert_allclose(found.table.coefficients.toarray(), domestic, rtol=1e-13)
    np.testing.assert_allclose(found.table.factors["imports"], inputs, rtol=1e-12)
    assert "1 product has no output, kept and made of nothing: U" in found.messages
    both = read(file, imports="total").table
    np.testing.assert_allclose(both.coefficients.toarray(), total, rtol=1e-13, atol=1e-18)
    np.testing.assert_allclose(both.coefficients @ x + both.demand, x, rtol=1e-10, atol=1e-6)
