"""Tables made of others at the command line: supply and use, aggregates, new totals."""

import numpy as np
import problems
import pytest
from stored_tables import small_table

from ogas.datasets.plans import read_plan
from ogas.datasets.store import open_store, publish
from ogas.engine.symmetric import MODELS


def pair(tmp_path, supply=((90, 10), (0, 100))):
    np.savez(
        tmp_path / "sut.npz",
        U=np.array([[12.0, 8.0], [10.0, 7.0]]),
        S=np.array(supply, float),
        prod=np.array(["x", "y"]),
        ind=np.array(["X", "Y"]),
        hours=np.array([5.0, 6.0]),
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_supply_use_pair_becomes_a_table_that_can_be_planned(ogas, tmp_path, model):
    pair(tmp_path)
    facts = ogas("import", "sut.npz", "t", "--model", model, "--json").facts
    assert (facts["products"], facts["nonzeros"]) == (2, 4)
    assert any("of 2 products and 2 industries" in message for message in facts["messages"])
    ogas("plan", "t", "--digits", 6, "-o", "p")
    table = open_store(tmp_path / "t").load()
    (column,) = read_plan(tmp_path / "p").columns
    assert np.abs(column.output - table.output).max() < 1e-4
    assert ogas("price", "t", "--json").facts["total"]["value"] == pytest.approx(11, rel=1e-3)


def test_without_a_model_the_four_are_named_and_nothing_is_stored(ogas, tmp_path, contents):
    pair(tmp_path)
    before = contents()
    ending = ogas("import", "sut.npz", "t", "--json")
    assert ending.code == ending.facts["code"] == 2
    for model in MODELS:
        assert model in ending.facts["advice"]
    assert ogas("import", "sut.npz", "t", "--model", "commodity").code == 2
    pair(tmp_path, [[1, 2], [2, 4]])
    ending = ogas("import", "sut.npz", "t", "--model", "product-technology")
    assert ending.code == 5
    assert "the industries X, Y make the products x, y in the same proportions" in ending.err
    assert [file.name for file in contents()] == [file.name for file in before]


def test_us_2021_by_a_concordance_keeps_sums_and_balance(ogas, tmp_path):
    ogas("export", "us-2021", "t.npz")
    ogas("import", "t.npz", "us")
    table = open_store(tmp_path / "us").load()
    rows = [f'"{name}",{"goods" if k < 30 else "services"}' for k, name in enumerate(table.ids)]
    (tmp_path / "c.csv").write_text("from,to\n" + "\n".join(rows) + "\n")
    facts = ogas("aggregate", "us", "small", "--by", "c.csv", "--json").facts
    assert facts["products"] == 2
    assert "recipes weighed by the published output" in facts["messages"]
    small = open_store(tmp_path / "small").load()
    assert small.ids.tolist() == ["goods", "services"]
    assert small.units == "$ million"
    assert small.meta["aggregated"] == "as c.csv says"
    assert small.meta["title"] == f"{table.meta['title']}, aggregated as c.csv says"
    assert small.output.sum() == pytest.approx(table.output.sum(), rel=1e-14)
    total = small.factors["labour"] @ small.output
    assert total == pytest.approx(table.factors["labour"] @ table.output, rel=1e-13)
    ogas("plan", "small", "--digits", 8, "-o", "p")
    (column,) = read_plan(tmp_path / "p").columns
    assert column.output == pytest.approx(small.output, rel=1e-8)


def test_without_published_output_a_plan_weighs(ogas, stored, tmp_path):
    table = problems.solvable("sectors:S1")
    stored(table)
    ending = ogas("aggregate", "t", "small", "--by", "block")
    assert (ending.code, "--plan" in ending.err) == (2, True)
    assert not (tmp_path / "small").exists()
    ogas("plan", "t", "--digits", 10, "-o", "p")
    said = ogas("aggregate", "t", "small", "--by", "block", "--plan", "p").out
    assert "recipes weighed by the output of p\n" in said
    small = open_store(tmp_path / "small").load()
    (column,) = read_plan(tmp_path / "p").columns
    assert small.output == pytest.approx(np.bincount(table.blocks, column.output), rel=1e-14)
    ogas("plan", "small", "--digits", 8, "-o", "q")
    (again,) = read_plan(tmp_path / "q").columns
    assert again.output == pytest.approx(small.output, rel=1e-8)


def test_a_plan_of_another_version_or_kind_does_not_weigh(ogas, stored):
    stored("two_sectors")
    ogas("price", "t", "-o", "prices")
    assert ogas("aggregate", "t", "n", "--by", "prefix1", "--plan", "prices").code == 2
    stored("three_sectors", "u")
    ogas("plan", "u", "-o", "p")
    ending = ogas("aggregate", "t", "n", "--by", "prefix1", "--plan", "p")
    assert "no plan of this version" in ending.err


def test_what_cannot_be_aggregated_is_refused(ogas, stored, tmp_path, contents):
    stored(small_table())
    (tmp_path / "c.csv").write_text("from,to\nproduit-é-0,a\n")
    before = contents()
    assert "11 of 12 products are not there" in ogas("aggregate", "t", "n", "--by", "c.csv").err
    assert "there is no level" in ogas("aggregate", "t", "n", "--by", "planet").err
    assert "is measured in" in ogas("aggregate", "t", "n", "--by", "prefix1").err
    assert contents() == before
    assert (
        ogas("aggregate", "t", "n", "--by", "prefix1", "--money", "--json").facts["products"] == 1
    )
    assert open_store(tmp_path / "n").load().units == "money"


def totals(tmp_path, table, factor):
    """Files of the margins of a table whose flows are scaled along rows and columns."""
    flows = table.coefficients.toarray() * table.output
    new = flows * np.linspace(1, factor, len(table))[:, None]
    for name, axis in (("rows", 1), ("columns", 0)):
        lines = zip(table.ids.tolist(), new.sum(axis=axis).tolist(), strict=True)
        text = "\n".join(f'"{product}",{total!r}' for product, total in lines)
        (tmp_path / f"{name}.csv").write_text(f"id,total\n{text}\n")
    return new


def test_flows_are_brought_to_new_totals(ogas, tmp_path):
    ogas("export", "us-2021", "t.npz")
    ogas("import", "t.npz", "us")
    table = open_store(tmp_path / "us").load()
    new = totals(tmp_path, table, 1.2)
    words = ("balance", "us", "--rows", "rows.csv", "--columns", "columns.csv", "-o", "new")
    facts = ogas(*words, "--json").facts
    assert facts["outcome"] == "stored"
    found = open_store(tmp_path / "new").load()
    flows = found.coefficients.toarray() * found.output
    assert np.abs(flows - new).max() < 1e-5 * new.max()
    assert found.coefficients @ found.output + found.demand == pytest.approx(
        found.output, rel=1e-12
    )
    assert found.factors["labour"].tolist() == table.factors["labour"].tolist()
    assert found.meta["balanced"] == "rows.csv, columns.csv"
    assert found.meta["title"] == f"{table.meta['title']}, brought to new totals"


def test_new_outputs_may_come_with_the_column_totals(ogas, tmp_path):
    (tmp_path / "t.csv").write_text(",a,b\na,.2,.3\nb,.1,.4\n")
    ogas("import", "t.csv", "t", "--format", "square")
    (tmp_path / "r.csv").write_text("id,total\na,50\nb,60\n")
    (tmp_path / "c.csv").write_text("id,total\na,30\nb,80\n")
    ending = ogas("balance", "t", "--rows", "r.csv", "--columns", "c.csv", "-o", "n")
    assert (ending.code, "column `output`" in ending.err) == (2, True)
    (tmp_path / "c.csv").write_text("id,total,output\na,30,100\nb,80,200\n")
    ogas("balance", "t", "--rows", "r.csv", "--columns", "c.csv", "-o", "n")
    found = open_store(tmp_path / "n").load()
    flows = found.coefficients.toarray() * [100, 200]
    assert flows.sum(axis=1) == pytest.approx([50, 60], rel=1e-8)
    assert flows.sum(axis=0) == pytest.approx([30, 80], rel=1e-12)
    assert found.demand == pytest.approx([50, 140], rel=1e-8)
    # Biproportional: the cross ratio of the old flows, .2·100 .4·200 / (.3·200 .1·100), stays.
    ratio = flows[0, 0] * flows[1, 1] / (flows[0, 1] * flows[1, 0])
    assert ratio == pytest.approx(0.2 * 0.4 / (0.3 * 0.1), rel=1e-8)


@pytest.mark.parametrize(
    ("rows", "columns", "code", "said"),
    [
        ("0,50\n1,61\n", "0,30,100\n1,80,200\n", 5, "the row totals add up to 111"),
        ("0,110\n1,0\n", "0,30,100\n1,80,0\n", 5, "column 1: its total should be 80"),
        ("0,50\n", "0,30,100\n1,80,200\n", 5, "1 of 2 products are not there: 1"),
        ("0,10\n1,100\n", "0,80,100\n1,30,200\n", 4, "the row of 1 misses its total by 2.3"),
    ],
)
def test_totals_that_cannot_be_had_leave_nothing(ogas, tmp_path, rows, columns, code, said):
    publish(tmp_path / "t", problems.table_of([[0.2, 0.3], [0.0, 0.4]]))
    (tmp_path / "r.csv").write_text("id,total\n" + rows)
    (tmp_path / "c.csv").write_text("id,total,output\n" + columns)
    ending = ogas("balance", "t", "--rows", "r.csv", "--columns", "c.csv", "-o", "n", "--json")
    assert ending.code == code
    assert said in ending.err
    assert not (tmp_path / "n").exists()
