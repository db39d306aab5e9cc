"""Make and use workbooks in the layout of BEA, small ones made here (`bea_files`)."""

import numpy as np
import pytest
from bea_files import (
    ADDED,
    FINAL,
    INDUSTRIES,
    MAKE,
    PRODUCTS,
    USE,
    make_rows,
    use_rows,
    write_book,
    write_pair,
)

from ogas.datasets.form_supply_use import read_accounts
from ogas.datasets.forms import read
from ogas.datasets.published.bea import read_workbooks
from ogas.datasets.published.wanted import Wanted
from ogas.engine.errors import InvalidInputError, WrongUsageError
from ogas.engine.symmetric import industry_technology

TECHNOLOGY = "industry-technology"


@pytest.mark.parametrize("is_summary", [False, True], ids=["detail", "summary"])
def test_both_levels_give_the_table_that_the_formula_gives(tmp_path, is_summary):
    write_pair(tmp_path / "bea", is_summary=is_summary)
    table = read(tmp_path / "bea", model=TECHNOLOGY).table
    g, q = MAKE.sum(axis=1), MAKE.sum(axis=0)
    shares = np.divide(MAKE, q, out=np.zeros_like(MAKE), where=q > 0)
    np.testing.assert_allclose(table.coefficients.toarray(), USE / g @ shares, rtol=1e-14)
    np.testing.assert_allclose(table.demand, FINAL.sum(axis=1), rtol=1e-14)
    np.testing.assert_allclose(table.output, q, rtol=1e-15)
    labour = "V001" if is_summary else "V00100"
    np.testing.assert_allclose(table.factors[labour], ADDED[0] / g @ shares, rtol=1e-14)
    assert next(iter(table.factors)) == labour
    assert len(table.factors) == 3
    assert table.ids.tolist() == PRODUCTS
    assert table.names[0] == "Oilseed farming"  # without the mark of a footnote
    assert table.units == "million US$"
    output = np.linalg.solve(np.eye(len(q)) - table.coefficients.toarray(), table.demand)
    np.testing.assert_allclose(output, q, rtol=1e-12, atol=1e-12)


def test_industries_by_industries_come_of_the_same_workbooks(tmp_path):
    make, _ = write_pair(tmp_path)
    table = read(make, model="fixed-product-sales").table
    assert table.ids.tolist() == INDUSTRIES
    g, q = MAKE.sum(axis=1), MAKE.sum(axis=0)
    shares = np.divide(MAKE, q, out=np.zeros_like(MAKE), where=q > 0)
    np.testing.assert_allclose(table.coefficients.toarray(), shares @ (USE / g), rtol=1e-14)
    np.testing.assert_allclose(table.factors["imports"], USE[3] / g, rtol=1e-14)


def test_what_was_read_and_what_is_special_is_said(tmp_path):
    make, use = write_pair(tmp_path / "bea")
    _, *said = read(tmp_path / "bea", model=TECHNOLOGY).messages
    assert said[0] == "year 2017, the newest of 2012, 2017; for another, --year"
    assert said[1].startswith(f"make: {make.name}; use: {use.name}, at producers' prices: trade")
    assert said[2].startswith(
        "demand is the sum of 2 final uses, taken as output less use; primary"
    )
    assert said[3] == "totals left out of the use table: T005, T006, T008, T001, T004, T007"
    assert "S00401 Scrap, S00300 Noncomparable imports; scrap and used goods count as" in said[4]
    assert said[5] == "used, but made by no industry (1): S00300; their demand is negative"
    assert said[6] == "1 product has no output, kept and made of nothing: S00300"
    assert len(said) == 7


def test_each_workbook_finds_its_partner_and_ignores_others(tmp_path):
    make, use = write_pair(tmp_path)
    write_pair(tmp_path, is_summary=True)
    write_book(tmp_path / "IOUse_Before_Redefinitions_PUR_2017_Detail.xlsx", {"2017": [[]]})
    for source in (make, use):
        messages = read(source, model=TECHNOLOGY).messages
        assert any(line.startswith(f"make: {make.name}; use: {use.name}, ") for line in messages)
    with pytest.raises(InvalidInputError, match="2 pairs of a make and a use workbook: IOMake_"):
        read(tmp_path, model=TECHNOLOGY)


def test_a_year_in_the_name_of_the_source_is_read_unless_another_is_asked_for(tmp_path):
    write_pair(tmp_path / "bea-2012")
    found = read(tmp_path / "bea-2012", model=TECHNOLOGY)
    np.testing.assert_allclose(found.table.output, 10 * MAKE.sum(axis=0))
    assert "year 2012, as bea-2012 says, of 2012, 2017" in found.messages
    asked = read(tmp_path / "bea-2012", model=TECHNOLOGY, year=2017)
    np.testing.assert_allclose(asked.table.output, MAKE.sum(axis=0))
    with pytest.raises(WrongUsageError, match="no year 1999; there are: 2012, 2017"):
        read(tmp_path / "bea-2012", model=TECHNOLOGY, year=1999)
    write_pair(tmp_path / "bea-1999")
    with pytest.raises(InvalidInputError, match="no sheet 1999 in both workbooks; make has 2012, "):
        read(tmp_path / "bea-1999", model=TECHNOLOGY)


def test_only_the_factors_that_are_named_are_read(tmp_path):
    write_pair(tmp_path)
    found = read(tmp_path, format="bea", model=TECHNOLOGY, factors=["V00100"])
    assert list(found.table.factors) == ["V00100"]


def test_a_model_is_needed_and_a_kind_is_not(tmp_path):
    write_pair(tmp_path)
    with pytest.raises(WrongUsageError, match=r"4 products and 3 industries.*choose one: --model"):
        read(tmp_path)
    with pytest.raises(WrongUsageError, match="leave --kind away"):
        read(tmp_path, model=TECHNOLOGY, kind="flows")


@pytest.mark.parametrize("alone", [0, 1], ids=["make", "use"])
def test_a_workbook_without_its_partner_is_refused(tmp_path, alone):
    pair = write_pair(tmp_path)
    pair[1 - alone].rename(tmp_path / pair[1 - alone].name.replace("Before", "After"))
    with pytest.raises(InvalidInputError, match=r"that belong together; there are: IOMake.*IOUse"):
        read(pair[alone], model=TECHNOLOGY)


def without(rows, row=None, column=None):
    """The rows without a row, or a column, by their numbers."""
    kept = [cells for k, cells in enumerate(rows, start=1) if k != row]
    return [cells[: column - 1] + cells[column:] for cells in kept] if column else kept


def transposed_make():
    return make_rows(MAKE.T, PRODUCTS, INDUSTRIES)


def transposed_use():
    """Everything below and beside the corner, with codes and names."""
    rows = use_rows()
    names, head, *body = rows[4:-3]
    across = list(zip(names[2:], head[2:], strict=True))
    labels = [cells[:2] for cells in body]
    turned = zip(*(cells[2:] for cells in body), strict=True)
    return [
        *rows[:4],
        [None, None, *(name for _, name in labels)],
        [*head[:2], *(code for code, _ in labels)],
        *([code, name, *cells] for (name, code), cells in zip(across, turned, strict=True)),
    ]


@pytest.mark.parametrize(
    ("make", "use", "pattern"),
    [
        (transposed_make(), None, r"IOMake.*sheet 2017, row 9: S00401 \(Scrap\) is no industry"),
        (None, transposed_use(), r"IOUse.*sheet 2017, column H: V00100 .* is a primary input"),
        (use_rows(), None, "IOMake.*cell B6: its heading says 'commodity description'"),
        (None, make_rows(), "IOUse.*cell B6: its heading says 'industry description'"),
        (without(make_rows(), row=7), None, r"IOMake.*it lacks the industry 1111A0 .*use column C"),
        (without(make_rows(), column=4), None, "IOMake.*it lacks the commodity 22 .*, use row 8"),
        (None, without(use_rows(), row=8), "IOMake.*column D: 22 .* is no commodity of the use"),
        (None, without(use_rows(), row=14), "IOUse.*row 15, column C: Total Industry Output is 96"),
        (None, without(use_rows(), column=8), "IOUse.*column I, row 7: Total Commodity Output is"),
        (None, without(use_rows(), row=6), "column A: none of the first 20 rows begins with"),
    ],
    ids=lambda argument: argument[:12] if isinstance(argument, str) else "",
)
def test_a_wrong_sheet_is_refused_with_its_place(tmp_path, make, use, pattern):
    write_book(tmp_path / "IOMake_2017.xlsx", {"2017": make or make_rows()})
    write_book(tmp_path / "IOUse_2017_PRO.xlsx", {"2017": use or use_rows()})
    with pytest.raises(InvalidInputError, match=pattern) as refusal:
        read(tmp_path, format="bea", model=TECHNOLOGY)
    assert refusal.value.advice
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        ({(7, 3): "n.a."}, r"cell C7 \(1111A0\): 'n.a.' is not a finite number"),
        ({(7, 3): "1,200"}, r"cell C7 \(1111A0\): '1,200' .*thousands separators"),
        (
            {(8, 3): 40},
            "row 16, column C: Total Industry Output is 96, but what adds up to it is 126",
        ),
        ({(7, 12): 5}, "cell L7: a number stands under no heading"),
        ({(6, 4): None}, "column D: 'Utilities' has no code"),
        ({(6, 4): "1111A0"}, "column C and column D: the code 1111A0 is there twice"),
        ({(8, 1): None}, "row 8: 'Utilities' has no code"),
        ({(8, 1): "22X"}, r"IOMake.*column D: 22 \(Utilities\) is no commodity of the use table; "),
        ({(12, 1): "V00109"}, r"column A: no row V00100 \(or V001\), compensation of employees"),
        ({(6, 7): "G01000", (6, 8): "G05000"}, "the headings: no column is a final use"),
        ({(6, 8): "G05000"}, r"IOMake.*it lacks the industry G05000 .*, use column H"),
    ],
)
def test_a_changed_use_sheet_is_refused_with_its_place(tmp_path, change, pattern):
    write_book(tmp_path / "IOMake_2017.xlsx", {"2017": make_rows()})
    write_book(tmp_path / "IOUse_2017_PRO.xlsx", {"2017": use_rows()}, change)
    with pytest.raises(InvalidInputError, match=pattern) as refusal:
        read(tmp_path, model=TECHNOLOGY)
    assert "sheet 2017" in str(refusal.value)
    assert refusal.value.advice


def test_the_benchmark_of_2017_comes_back_to_the_last_bit(tmp_path, data_folder):
    file = data_folder / "bea2017_detail_sut_before.npz"
    with np.load(file) as archive:
        pair = {name: archive[name] for name in ("U", "V", "F", "VA")}
        codes = [archive[name].tolist() for name in ("com", "ind", "fd", "va_rows")]
        names = dict(zip(codes[0], archive["com_name"].tolist(), strict=True))
    make = make_rows(pair["V"], codes[1], codes[0], names=names)
    use = use_rows((pair["U"], pair["F"], pair["VA"]), codes, names=names)
    write_book(tmp_path / "IOMake_Before_Redefinitions_2017_Detail.xlsx", {"2017": make})
    write_book(tmp_path / "IOUse_Before_Redefinitions_PRO_2017_Detail.xlsx", {"2017": use})
    accounts = read_workbooks(tmp_path, Wanted())
    assert np.array_equal(accounts.tables.use.toarray(), pair["U"])
    assert np.array_equal(accounts.tables.supply.toarray(), pair["V"].T)
    assert np.array_equal(np.array(list(accounts.tables.inputs.values())), pair["VA"])
    apart = np.abs(pair["F"].sum(axis=1) - accounts.tables.final_demand)
    assert apart.max() == 26  # million US$, by rounding
    assert accounts.messages[-1].endswith("most for product 333318: 8185, not 8211")
    expected = industry_technology(read_accounts(file).tables)
    table = read(tmp_path, model=TECHNOLOGY).table
    assert np.array_equal(table.coefficients.toarray(), expected.coefficients.toarray())
