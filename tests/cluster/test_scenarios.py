"""Several demands at once: each has its own proven plan, and they share the reads of the table."""

import csv
import dataclasses
import json

import numpy as np
import problems
import pytest
import xarray as xr

from ogas.datasets.plans import read_plan, write_plan
from ogas.engine.balance import Demand
from ogas.engine.certificate import figures_of

SEED = 20250517
TABLES = {
    "blocks": ("sectors:S1", []),
    "blocks, mixed units, imports and by-products": (
        "sectors:S2,signed,imports=0.4,units=mixed",
        [],
    ),
    "blocks without tables": ("sectors:S1", ["--method", "block-jacobi"]),
    "blocks, six figures, two threads": ("sectors:S1", ["--digits", 6, "--threads", 2]),
    "blocks put together": ("sectors:S4", ["--method", "anderson"]),
    "one block": ("three_sectors", []),
}


def write_demands(folder, table):
    """Write two demands, ``peace`` exact and ``war`` within bounds; return them."""
    rng = np.random.default_rng(SEED)
    n = len(table)
    demands = {
        "peace": Demand.exact(rng.random(n) * np.abs(table.demand)),
        "war": Demand(*(np.outer([1.0, 1 - 1e-8, 1 + 1e-8], 3 * rng.random(n)))),
    }
    for name, demand in demands.items():
        columns = [demand.nominal, demand.lower, demand.upper][: 1 if demand.is_exact else 3]
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "demand", "lower", "upper"][: 1 + len(columns)])
            writer.writerows(
                [i, *map(repr, row)]
                for i, row in zip(table.ids.tolist(), np.array(columns).T.tolist(), strict=True)
            )
    return demands


def both(*words):
    return ("--demand", "peace.csv", "--demand", "war.csv", *words)


@pytest.mark.parametrize("name", TABLES)
def test_the_bounds_of_every_scenario_enclose_its_dense_solution(ogas, stored, tmp_path, name):
    recipe, options = TABLES[name]
    table = problems.solvable(recipe)
    stored(table)
    demands = write_demands(tmp_path, table)
    facts = ogas("plan", "t", *both(*options), "-o", "p", "--json").facts
    plan = read_plan(tmp_path / "p")
    assert [column.name for column in plan.columns] == ["peace", "war"]
    dense = np.eye(len(table)) - table.coefficients.toarray()
    for column in plan.columns:
        wanted = demands[column.name]
        for part in ("nominal", "lower", "upper"):
            exact = np.linalg.solve(dense, getattr(wanted, part))
            assert getattr(column.demand, part).tolist() == getattr(wanted, part).tolist()
            assert (column.lower <= exact).all()
            assert (exact <= column.upper).all()
    assert facts["outcome"] == "certified"
    assert ogas("verify", "p").code == 0


def test_each_scenario_is_what_it_is_alone(ogas, stored, tmp_path):
    table = problems.solvable("sectors:S1")
    stored(table)
    write_demands(tmp_path, table)
    together = ogas("plan", "t", *both(), "-o", "p", "--json").facts
    plan = read_plan(tmp_path / "p")
    alone = []
    for column in plan.columns:
        alone.append(ogas("plan", "t", "--demand", f"{column.name}.csv", "-o", "q", "--json").facts)
        (single,) = read_plan(tmp_path / "q").columns
        assert single.name == ""
        assert (single.lower <= column.upper).all()
        assert (column.lower <= single.upper).all()
        assert single.demand.upper.tolist() == column.demand.upper.tolist()
    assert together["passes"] < sum(facts["passes"] for facts in alone)


def test_programs_are_told_of_every_scenario(ogas, stored, tmp_path):
    table = problems.solvable("sectors:S1")
    stored(table)
    write_demands(tmp_path, table)
    facts = ogas("plan", "t", *both(), "-o", "p", "--json").facts
    assert list(facts["scenarios"]) == ["peace", "war"]
    assert facts["demand_from"] == "peace.csv, war.csv"
    figures = [found["digits_certified"] for found in facts["scenarios"].values()]
    assert min(figures) == facts["digits_certified"] >= 3
    assert facts["total"] == facts["scenarios"]["peace"]["totals"]["labour"]
    for found in facts["scenarios"].values():
        total = found["totals"]["labour"]
        assert total["lower"] <= total["value"] <= total["upper"]
    opened = xr.open_zarr(tmp_path / "p")
    assert dict(opened.sizes) == {"scenario": 2, "product": 300}
    assert opened["scenario"].values.tolist() == ["peace", "war"]
    assert "scenarios" not in ogas("plan", "t", "--demand", "war.csv", "--json").facts


def test_people_see_scenarios_side_by_side(ogas, stored, tmp_path):
    table = problems.solvable("three_sectors")
    stored(table)
    write_demands(tmp_path, table)
    said = ogas("plan", "t", *both(), "-o", "p").out
    (heading,) = [line for line in said.splitlines() if line.startswith("product ")]
    assert heading.split()[:3] == ["product", "peace", "war"]
    assert " (peace), " in said.split("labour in all output: ")[1]
    shown = ogas("show", "p", "--top", 2).out
    assert "3 products, 2 scenarios: certified" in shown
    assert len(shown.splitlines()) == 2 + 1 + 2
    columns = ogas("show", "p", "--top", 2, "--json").facts["columns"]
    assert [column["scenario"] for column in columns] == ["peace", "war"]
    assert [len(column["largest"]) for column in columns] == [2, 2]


def test_one_product_has_a_column_for_every_scenario(ogas, stored, tmp_path):
    table = problems.solvable("three_sectors")
    stored(table)
    write_demands(tmp_path, table)
    ogas("plan", "t", *both(), "-o", "p")
    product = str(table.ids[0])
    lines = ogas("show", "p", "--product", product).out.splitlines()
    assert lines[1].split() == ["peace", "war"]
    assert [line.split()[0] for line in lines[2:8]] == [
        *("output", "lower", "upper", "demand", "turnover", "proven"),
    ]
    outputs = [
        found["output"]
        for found in ogas("show", "p", "--product", product, "--json").facts["columns"]
    ]
    assert outputs == [column.output[0] for column in read_plan(tmp_path / "p").columns]


def test_the_csv_has_a_row_for_every_product_and_scenario(ogas, stored, tmp_path):
    table = problems.solvable("three_sectors")
    stored(table)
    write_demands(tmp_path, table)
    ogas("plan", "t", *both(), "-o", "p")
    assert ogas("show", "p", "--csv", "p.csv").out == "6 rows in p.csv\n"
    with (tmp_path / "p.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["scenario"] for row in rows] == ["peace"] * 3 + ["war"] * 3
    for row in rows:
        assert float(row["lower"]) <= float(row["output"]) <= float(row["upper"])


def test_many_scenarios_are_shown_in_several_tables(ogas, stored, tmp_path):
    table = problems.solvable("two_sectors")
    stored(table)
    words = []
    for number in range(7):
        (tmp_path / f"s{number}.csv").write_text(f"id,demand\n0,{number + 1}\n")
        words += ["--demand", f"s{number}.csv"]
    ogas("plan", "t", *words, "-o", "p")
    lines = ogas("show", "p").out.splitlines()
    headings = [line.split()[1:-2] for line in lines if line.startswith("product ")]
    assert headings == [["s0", "s1", "s2", "s3", "s4"], ["s5", "s6"]]


def test_a_scenario_may_be_called_like_a_factor(ogas, stored, tmp_path):
    table = problems.solvable("two_sectors")
    stored(dataclasses.replace(table, units="t"))
    for name in ("labour", "[red]"):
        (tmp_path / f"{name}.csv").write_text("id,demand\n0,6\n")
    demands = ("--demand", "labour.csv", "--demand", "[red].csv")
    said = ogas("plan", "t", *demands, "-o", "p").out
    assert "largest outputs, t product labour [red] proven to" in " ".join(said.split())
    assert xr.open_zarr(tmp_path / "p")["output"].attrs["units"] == "t"
    assert ogas("verify", "p").code == 0


def test_a_forged_scenario_is_found_among_honest_ones(ogas, stored, tmp_path):
    table = problems.solvable("three_sectors")
    stored(table)
    write_demands(tmp_path, table)
    ogas("plan", "t", *both(), "-o", "p")
    plan = read_plan(tmp_path / "p")
    honest, other = plan.columns
    half = 0.25 * (other.upper - other.lower)
    forged = dataclasses.replace(other, lower=other.output - half, upper=other.output + half)
    figures = figures_of(forged.relative_half_widths)
    forged = dataclasses.replace(forged, figures=figures)
    facts = dict(plan.facts)
    facts["digits_certified"] = int(min(honest.figures.min(), figures.min()))
    write_plan(tmp_path / "p", dataclasses.replace(plan, columns=(honest, forged), facts=facts))
    ending = ogas("verify", "p", "--json")
    assert (ending.code, ending.facts["outcome"]) == (4, "precision_not_reached")
    assert "cannot be proven" in ending.err


def test_damage_to_one_scenario_is_found(ogas, stored, tmp_path):
    table = problems.solvable("three_sectors")
    stored(table)
    write_demands(tmp_path, table)
    ogas("plan", "t", *both(), "-o", "p")
    (tmp_path / "p" / "output" / "c" / "1" / "0").unlink()  # would read as zeros
    for command in ("verify", "show"):
        assert ogas(command, "p").code == 5


def test_an_economy_that_cannot_be_planned_has_no_scenarios(ogas, stored, tmp_path):
    table = problems.self_loop(1.5)
    stored(table)
    write_demands(tmp_path, table)
    ending = ogas("plan", "t", *both(), "-o", "p", "--json")
    assert (ending.code, ending.facts["outcome"]) == (3, "not_productive")
    assert ending.facts["scenarios"] == {}
    assert not (tmp_path / "p").exists()


REFUSED = {
    "two of one name": (["a.csv", "other/a.csv"], 2, "two scenarios are called 'a'; rename one"),
    "one twice": (["a.csv", "a.csv"], 2, "two scenarios are called 'a'; rename one"),
    "one that is not there": (["a.csv", "b.csv"], 5, "b.csv: there is no such file"),
    "one that is a folder": (["a.csv", "other"], 5, "other: this is a folder, not a file"),
    "one that is empty": (["a.csv", "empty.csv"], 5, "empty.csv: the file is empty"),
    "one of other products": (["a.csv", "odd.csv"], 5, "odd.csv, row 2: there is no product 'z'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_scenarios_are_refused_and_nothing_is_written(ogas, stored, tmp_path, contents, name):
    files, code, said = REFUSED[name]
    stored("two_sectors")
    (tmp_path / "other").mkdir()
    for file in ("a.csv", "other/a.csv"):
        (tmp_path / file).write_text("id,demand\n0,6\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "odd.csv").write_text("id,demand\nz,6\n")
    before = contents()
    words = [word for file in files for word in ("--demand", file)]
    ending = ogas("plan", "t", *words, "-o", "p", "--json")
    assert (ending.code, ending.facts["code"]) == (code, code)
    assert said in ending.err
    assert contents() == before


def test_the_stored_facts_are_those_that_were_told(ogas, stored, tmp_path):
    table = problems.solvable("two_sectors")
    stored(table)
    write_demands(tmp_path, table)
    told = ogas("plan", "t", *both(), "-o", "p", "--json").facts
    kept = json.loads((tmp_path / "p" / "zarr.json").read_text())["attributes"]
    assert list(kept["scenarios"]) == ["peace", "war"]
    for name in ("outcome", "method", "method_because", "passes", "warm", "digits_certified"):
        assert kept[name] == told[name]
