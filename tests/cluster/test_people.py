"""What people read: a plan with its figures and units, one product, and no word too many."""

import csv
from dataclasses import replace

import numpy as np
import problems


def test_a_plan_says_what_it_is_and_how_well_it_is_known(ogas):
    ending = ogas("plan", "us-2021")
    facts = ogas("plan", "us-2021", "--json").facts
    lines = ending.out.splitlines()
    assert lines[0] == "United States 2021"
    assert lines[1] == f"certified: {facts['digits_certified']} figures of every product are proven"
    assert lines[2].startswith("71 products, 4,070 coefficients, ")
    assert lines[2].endswith(" s")
    chosen = f"{facts['method']}: {facts['method_because']}; {facts['passes']} passes of "
    assert lines[3] == f"{chosen}{facts['bytes_per_nonzero']:.1f} bytes per coefficient"
    worst = f"known to ± {100 * facts['relative_half_width']:.2g} % of its turnover"
    assert lines[4].startswith("worst product: ")
    assert lines[4].endswith(worst)
    assert "spectral radius at most 0." in lines[5]
    assert "labour in all output: 12,54" in lines[6]
    assert "$ million of compensation" in lines[6]
    assert "$ million" in ending.out
    assert "Housing " in ending.out
    assert lines[-1] == "stored in us-2021-plan.zarr"
    assert len([line for line in lines if line.endswith("figures")]) == 10


def test_the_choice_of_a_method_is_explained(ogas, stored):
    def reason(*words):
        return ogas("plan", *words).out.splitlines()[2].split(";")[0]

    assert reason(stored("sectors:S1")) == "orders-and-tables: the table has 15 blocks"
    assert reason("t", "--method", "jacobi") == "jacobi: as asked for"
    ogas("plan", "t", "-o", "p")
    assert ogas("plan", "t", "--warm", "p", "--json").facts["method"] == "orders-and-tables"


def test_names_in_brackets_are_shown_as_they_are(ogas, stored):
    table = problems.solvable("two_sectors")
    names = np.array(["wheat [/] [bold]", "steel [n.e.c.]"])
    stored(replace(table, names=names, units="t [dry]", meta={"title": "Two [/red]"}))
    said = ogas("plan", "t", "-o", "p").out
    said += ogas("show", "p").out + ogas("show", "p", "--product", "0").out
    for word in ("wheat [/] [bold]", "steel [n.e.c.]", "t [dry]", "Two [/red]"):
        assert word in said


def test_info_speaks_of_blocks_where_there_are_several(ogas, stored):
    said = ogas("info", stored("sectors:S1")).out
    assert "block sizes                  products: 20 to 20, median 20; nonzeros: " in said
    assert "external inputs" in said
    assert "bytes per nonzero in memory  6\n" in said
    one = ogas("info", "us-2021").out
    assert "external inputs" not in one
    assert "boundary" not in one
    assert "bytes per nonzero in memory  12\n" in one


def test_prices_speak_of_values(ogas):
    said = ogas("price", "us-2021").out
    assert "highest values in labour" in said
    assert "$ million of compensation per $ million" in said
    assert "output" not in said


def test_names_and_units_of_every_product_are_shown(ogas, stored):
    table = problems.solvable("two_sectors")
    table = replace(table, names=np.array(["wheat", "steel"]), units=np.array(["t", "kg"]))
    lines = ogas("plan", stored(table)).out.splitlines()
    rows = [line.split() for line in lines if "wheat" in line or "steel" in line][-2:]
    assert [row[:2] + row[3:4] for row in rows] == [["1", "steel", "kg"], ["0", "wheat", "t"]]


def test_one_of_anything_is_not_called_many(ogas, stored):
    table = problems.table_of([[0.5, 0], [0, 0.25]], demand=[3, 0], labour=[1, 1])
    said = ogas("plan", stored(table)).out
    assert "1 output is exactly 0: this demand does not reach them" in said
    one = ogas("plan", stored(problems.table_of([[0.5]]), "one")).out
    assert "1 product, 1 coefficient, " in one
    by_product = ogas("plan", stored("by_product", "b")).out
    assert "1 output is negative: imports or by-products exceed domestic use" in by_product


def test_show_reads_back_what_was_planned(ogas, tmp_path):
    ogas("plan", "us-2021", "-o", "p")
    said = ogas("show", "p", "--top", 3).out
    assert "quantities of us-2021, 71 products: certified, 3 figures of every product" in said
    assert len([line for line in said.splitlines() if line.endswith(" figures")]) == 3
    one = ogas("show", "p", "--product", "Farms").out
    for word in ("Farms", "output", "lower", "upper", "demand", "turnover", "rounds to final use"):
        assert word in one
    assert ogas("show", "p", "--csv", "p.csv").out == "71 rows in p.csv\n"
    with (tmp_path / "p.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 71
    for row in rows:
        assert float(row["lower"]) <= float(row["output"]) <= float(row["upper"])
        assert row["unit"] == "$ million"


def test_show_of_several_factors_tells_them_apart(ogas, stored):
    table = problems.solvable("two_sectors")
    stored(replace(table, factors=dict(table.factors) | {"CO2": np.array([1.0, 2.0])}))
    ogas("price", "t", "-o", "p")
    said = ogas("show", "p").out
    assert "highest values in labour" in said
    assert "highest values in CO2" in said
    one = ogas("show", "p", "--product", "1").out
    assert one.splitlines()[1].split() == ["labour", "CO2"]
    assert one.splitlines()[2].split()[0] == "value"
    assert ogas("show", "p", "--csv", "p.csv", "--json").facts["rows"] == 4


def test_a_radius_close_to_1_is_not_rounded_to_it(ogas, stored):
    from ogas.datasets import textbook

    stored(textbook.nearly_critical(1e-6, 4, problems.SEED))
    said = ogas("plan", "t").out.split("spectral radius at most ")[1].split(":")[0]
    assert ogas("plan", "t", "--json").facts["radius_bound"] <= float(said) < 1


def test_help_is_shown_to_who_says_nothing(ogas):
    ending = ogas()
    assert ending.code == 2
    assert ending.out == ""
    assert "Start with:  ogas plan us-2021" in ending.err
    assert ending.err.count("\n") > 10
