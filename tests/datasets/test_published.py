"""World tables as their publishers lay them out: OECD ICIO, FIGARO, WIOD.

The files are small ones in the published layouts (`published_files`); nobody may pass on real ones.
"""

import sys

import numpy as np
import pytest
from published_files import (
    COUNTRIES,
    IDS,
    PRODUCTS,
    SECTORS,
    VALUE_ADDED,
    A,
    X,
    Y,
    Z,
    figaro_flat,
    figaro_matrix,
    icio,
    wiod_rows,
    write_rows,
    write_xlsx,
    zipped,
)
from xlsb import write_xlsb

from ogas.datasets.forms import read
from ogas.engine.errors import DamagedError, InvalidInputError, WrongUsageError


def the_economy(found, factor):
    """Whether this is the economy of `published_files`, and value added its factor."""
    table = found.table
    assert table.ids.tolist() == IDS
    np.testing.assert_allclose(table.coefficients.toarray(), A, rtol=1e-15)
    np.testing.assert_allclose(table.demand, Y.sum(axis=1), rtol=1e-15)
    np.testing.assert_allclose(table.output, X, rtol=1e-15)
    np.testing.assert_allclose(table.factors[factor], VALUE_ADDED / X, rtol=1e-14)
    assert found.levels["region"].tolist() == ["AUS", "AUS", "USA", "USA"]
    assert found.levels["sector"].tolist() == ["A01", "C10"] * 2
    return True


# ---- OECD ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["", "V1"])
@pytest.mark.parametrize("output", ["OUT", "TOTAL"])
@pytest.mark.parametrize("value_added", ["VA", "VALU"])
def test_every_edition_of_the_oecd_is_read(tmp_path, first, output, value_added):
    file = write_rows(tmp_path / "2018_SML.csv", icio(first, output, value_added))
    found = read(file)
    assert the_economy(found, value_added)
    assert found.messages == ("final demand is the sum of 4 columns", "flows are at basic prices")
    assert found.table.units == "million US$"
    assert found.table.meta["title"] == "OECD ICIO 2018"


def test_the_demand_of_the_2016_edition_has_the_region_last(tmp_path):
    rows = icio("", "TOTAL", "VALU")
    rows[0] = [
        "_".join(reversed(name.split("_"))) if name.endswith(("HFCE", "GFCF")) else name
        for name in rows[0]
    ]
    rows[0][-1:] = ["DISC", "TOTAL"]
    rows[1:] = [[*row[:-1], 0, row[-1]] for row in rows[1:]]
    file = write_rows(tmp_path / "ICIO2016_2003.csv", rows)
    assert the_economy(read(file), "VALU")


def test_taxes_of_several_regions_add_up(tmp_path):
    rows = icio("", "OUT", "VA")
    taxes = [["AUS_TAXSUB", 1, 2, 3, 4, 0, 0, 0, 0, 0], ["USA_TAXSUB", 1, 1, 1, 1, 0, 0, 0, 0, 0]]
    file = write_rows(tmp_path / "ICIO2018_2010.csv", [*rows[:5], *taxes, *rows[5:]])
    found = read(file)
    np.testing.assert_allclose(found.table.factors["TAXSUB"] * X, [2, 3, 4, 5], rtol=1e-15)
    assert "added up, as several rows have it: TAXSUB" in found.messages
    # Value added is what flows leave of output; with taxes on top, the account does not balance.
    *_, prices, costs = found.messages
    assert prices.endswith("between them and purchasers' prices is kept as factors: TAXSUB")
    assert "inputs and primary inputs differ from output by more than 1%" in costs
    assert "most for AUS|C10 (column 3): they are 98, its output 95; without 'TAXSUB' they" in costs
    assert "are inputs at purchasers' prices already?" in costs


def test_a_missing_row_of_costs_is_the_likely_cause_of_a_gap(tmp_path):
    rows = icio("", "OUT", "VA")
    rows[5] = ["VA", *(0.5 * VALUE_ADDED).tolist(), *rows[5][5:]]
    *_, said = read(write_rows(tmp_path / "ICIO2018_2010.csv", rows)).messages
    assert "inputs are too small throughout: is a row missing (imports, taxes, value added)" in said


def test_split_countries_are_kept_and_the_empty_whole_is_not(tmp_path):
    rows = [
        [cell.replace("USA_", "MX1_") if isinstance(cell, str) else cell for cell in row]
        for row in icio("", "OUT", "VA")
    ]
    n = len(PRODUCTS)
    head = [*rows[0][: n + 1], "MEX_A01", "MEX_C10", *rows[0][n + 1 :]]
    body = [[*row[: n + 1], 0, 0, *row[n + 1 :]] for row in rows[1:]]
    empty = [[f"MEX_{sector}", *[0] * (len(head) - 1)] for sector in SECTORS]
    file = write_rows(tmp_path / "ICIO2021_2018.csv", [head, *body[:n], *empty, *body[n:]])
    found = read(file)
    assert found.table.ids.tolist() == ["AUS|A01", "AUS|C10", "MX1|A01", "MX1|C10"]
    assert (found.table.output == X).all()
    assert "MEX is there as MX1: 2 empty industries left out" in found.messages


def test_a_zip_of_one_year_is_read_and_one_of_several_refused(tmp_path):
    (tmp_path / "years").mkdir()
    write_rows(tmp_path / "years" / "2018.csv", icio("V1", "OUT", "VA"))
    assert the_economy(read(zipped(tmp_path / "years", tmp_path / "ICIO_2018.zip")), "VA")
    write_rows(tmp_path / "years" / "2019.csv", icio("V1", "OUT", "VA"))
    with pytest.raises(InvalidInputError, match=r"2 tables in it: 2018.csv, 2019.csv; unpack it"):
        read(zipped(tmp_path / "years", tmp_path / "both.zip"), format="icio")


def transposed(rows):
    return [list(row) for row in zip(*rows, strict=True)]


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (transposed, r"a column is a primary input \(VA\): the table is the wrong way round"),
        (lambda rows: [*rows[:1], *rows[2:]], "no row for 'AUS A01'"),
        (lambda rows: [*rows[:2], *rows[1:]], "'AUS A01' is there 2 times"),
        (lambda rows: [*rows, rows[5]], "row 8: the row 'VA' is there twice"),
        (lambda rows: [*rows, ["Sum", *rows[1][1:]]], "'Sum' is neither region_industry nor"),
        (lambda rows: [*rows[:-1], [*rows[-1], 5]], "row 7: 11 cells, but the headings have 10"),
        (
            lambda rows: [*rows[:1], ["AUS_A01", "1 200", *rows[1][2:]], *rows[2:]],
            "row 2, column AUS_A01: '1 200' is not a finite number.*thousands separators",
        ),
        (
            lambda rows: [*rows[:1], [*rows[1][:-1], 0], *rows[2:]],
            r"product AUS\|A01: its output is 0 but it uses inputs",
        ),
    ],
)
def test_a_bad_table_of_the_oecd_is_refused_with_its_place(tmp_path, change, pattern):
    file = write_rows(tmp_path / "ICIO_2018.csv", change(icio("V1", "OUT", "VA")))
    with pytest.raises(InvalidInputError, match=pattern) as caught:
        read(file, format="icio")
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)


def test_only_the_factors_that_are_named_are_read(tmp_path):
    rows = icio("V1", "OUT", "VA")
    file = write_rows(tmp_path / "ICIO.csv", [*rows[:5], ["TLS", *rows[5][1:]], *rows[5:]])
    assert list(read(file, factors=["T*"]).table.factors) == ["TLS"]
    with pytest.raises(WrongUsageError, match="no factor 'CO2' in this table; there are, among 2"):
        read(file, factors=["CO2"])


# ---- FIGARO --------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", [figaro_matrix, figaro_flat])
@pytest.mark.parametrize("kind", ["industries", "products"])
def test_both_forms_of_figaro_are_read(tmp_path, layout, kind):
    file = write_rows(tmp_path / "eu-ic-io_24ed_2022.csv", layout(is_products=kind == "products"))
    found = read(file)
    assert the_economy(found, "D1")
    assert found.table.units == "million euro"
    assert found.messages == ("final demand is the sum of 4 columns", "flows are at basic prices")


def test_the_lines_of_the_flat_form_may_stand_in_any_order(tmp_path):
    rows = figaro_flat()
    order = np.random.default_rng(7091).permutation(len(rows) - 1) + 1
    found = read(write_rows(tmp_path / "t.csv", [rows[0], *(rows[k] for k in order)]))
    table = found.table
    place = [table.ids.tolist().index(name) for name in IDS]
    np.testing.assert_allclose(table.coefficients.toarray()[np.ix_(place, place)], A, rtol=1e-15)
    np.testing.assert_allclose(table.factors["D1"][place], VALUE_ADDED / X, rtol=1e-14)


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (lambda rows: [*rows, rows[1]], "the cell of AUS_A01 and AUS_A01 is there twice"),
        (lambda rows: [*rows, [*rows[1][:-1], "1.234,5"]], "column obsValue: '1.234,5'.*a point"),
        (lambda rows: [*rows, rows[1][:-1]], "row 42: 6 cells, but the header has more"),
        (lambda rows: [[*rows[0][:3], "rowPi", *rows[0][4:]], *rows[1:]], "are no square"),
        (lambda rows: rows[:1], "the file has no rows"),
        (lambda rows: [r for r in rows if "USA_C10" not in r[:1]], "no row for 'USA C10'"),
    ],
)
def test_a_bad_flat_file_is_refused_with_its_place(tmp_path, change, pattern):
    file = write_rows(tmp_path / "t.csv", change(figaro_flat()))
    with pytest.raises(InvalidInputError, match=pattern):
        read(file)


# ---- WIOD ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", [2013, 2016])
@pytest.mark.parametrize("writer", [write_xlsx, write_xlsb])
def test_both_releases_of_wiod_are_read(tmp_path, release, writer):
    suffix = ".xlsx" if writer is write_xlsx else ".xlsb"
    file = writer(tmp_path / f"WIOT2014_Nov16_ROW{suffix}", "2014", wiod_rows(release=release))
    found = read(file)
    assert the_economy(found, "VA")
    assert found.table.meta["title"] == "WIOD 2014"
    assert found.messages == (
        "final demand is the sum of 4 columns",
        f"rows of totals left out: {'II_fob ' if release == 2016 else ''}Total intermediate "
        "consumption TOT r65",
        "flows are at basic prices",
    )


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        ({(8, 6): "1,234.0"}, r"wiot.xlsx, sheet 2014, cell F8 .*'1,234.0'.*thousands"),
        ({(6, 5): "one", (6, 6): "two"}, "none of the first 20 rows counts the columns c1"),
        ({(8, 3): "AUT"}, "no row for 'AUS C10', no column for 'AUT C10'"),
        (
            {(11, 1): "CONS_h"},
            r"row 11: a row is a part of final demand .*: the table is the wrong way",
        ),
    ],
)
def test_a_bad_workbook_is_refused_with_sheet_and_cell(tmp_path, change, pattern):
    file = write_xlsx(tmp_path / "wiot.xlsx", "2014", wiod_rows(), change)
    with pytest.raises(InvalidInputError, match=pattern):
        read(file)


def test_an_empty_cell_of_a_workbook_is_zero_and_told(tmp_path):
    rows = wiod_rows()
    assert rows[9][4] == 0
    rows[9][4] = None
    for writer, name in ((write_xlsx, "t.xlsx"), (write_xlsb, "t.xlsb")):
        found = read(writer(tmp_path / name, "2014", rows))
        assert the_economy(found, "VA")
        place = "cell E10 (A01 name of A01 AUS)"
        assert found.messages[0] == f"1 empty cell taken as 0, the first in {place}"


def test_other_workbooks_are_refused_with_advice(tmp_path):
    (tmp_path / "WIOT.xls").write_bytes(b"")
    with pytest.raises(InvalidInputError, match=r"'\.xls' are not read; save it as \.xlsx"):
        read(tmp_path / "WIOT.xls", format="wiod")
    (tmp_path / "WIOT.xlsb").write_bytes(b"PK")
    with pytest.raises(DamagedError, match="truncated"):
        read(tmp_path / "WIOT.xlsb", format="wiod")


@pytest.mark.parametrize("name", ["t.xlsx", "t.xlsb"])
def test_workbooks_say_which_package_they_need(tmp_path, monkeypatch, name):
    file = (write_xlsx if name == "t.xlsx" else write_xlsb)(tmp_path / name, "2014", wiod_rows())
    for package in ("openpyxl", "python_calamine"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(WrongUsageError, match=r"pip install 'ogas-engine\[excel\]'"):
        read(file)


def test_the_economy_of_these_files_balances():
    np.testing.assert_allclose(Z.sum(axis=0) + VALUE_ADDED, X)
    assert (VALUE_ADDED > 0).all()
    assert len(COUNTRIES) * len(SECTORS) == len(PRODUCTS)
