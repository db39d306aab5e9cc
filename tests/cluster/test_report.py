"""`ogas report`: a page whose numbers are the plan's, that refers to nothing outside itself."""

import csv
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import problems
import pytest

from ogas.cluster.report.findings import findings
from ogas.cluster.report.flows import AT_A_TIME, MOST_LINKS, Measured, read_once
from ogas.cluster.report.groups import MOST, groups_of
from ogas.cluster.report.index import _enclosing, index
from ogas.cluster.report.linkages import linkages
from ogas.cluster.report.page import page, sections
from ogas.datasets.plans import read_plan
from ogas.datasets.store import open_store, publish
from ogas.engine.source import Source

VOID = {"meta", "br", "input", "hr", "img", "link"}
SHOWN_ALONE = {"polyline", "circle", "rect", "path", "line"}  # closed by themselves in SVG


class Page(HTMLParser):
    """What a page consists of; complains about what is not closed, or closed twice."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        assert tag in SHOWN_ALONE
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, wanted):
        return [attributes for tag, attributes in self.tags if tag == wanted]


def planned(ogas, path, *words):
    """Plan a table, and return the plan."""
    assert ogas("plan", path, "-o", "p.zarr", *words).code == 0
    return read_plan_here()


def read_plan_here():
    from pathlib import Path

    return read_plan(Path("p.zarr"))


def rows_of(file):
    with open(file, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


TABLES = {
    "the bundled one": lambda: "us-2021",
    "in blocks": lambda: problems.solvable("sectors:S1"),
    "one block": lambda: replace(problems.solvable("sectors:S1"), blocks=None),
    "in many units, signed, imported": lambda: problems.solvable(
        "sectors:S2,signed,imports=0.4,units=mixed"
    ),
    "with a by-product": lambda: problems.solvable("by_product"),
    "nobody wants some": lambda: problems.solvable("nobody_wants"),
    "odd names": lambda: replace(
        problems.solvable("two_sectors"),
        names=np.array(['</script><b>wheat & "rye"', "steel — 'n.e.c.' <!--"]),
        units=np.array(["t <dry>", "kg"]),
        price=np.array([2.0, 3.0]),
    ),
    "one product": lambda: problems.table_of([[0.5]]),
}


@pytest.mark.parametrize("command", ["plan", "price"])
@pytest.mark.parametrize("name", TABLES)
def test_a_page_is_well_formed_and_refers_to_nothing_else(ogas, stored, tmp_path, name, command):
    table = TABLES[name]()
    path = table if isinstance(table, str) else stored(table)
    assert ogas(command, path, "-o", "p.zarr").code == 0
    ending = ogas("report", "p.zarr", "-o", "p.html", "--json")
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert ending.facts["bytes"] == len(text.encode())
    read = Page(text)
    for attributes in (attributes for _, attributes in read.tags):
        assert "src" not in attributes
        assert attributes.get("href", "#").startswith(("#", "data:text/csv"))
    assert not re.search(r"url\(|@import|https?:(?!//www\.w3\.org/2000/svg)", text)
    assert "default-src 'none'" in text
    drawings = read.all("svg")
    assert all(one["role"] == "img" and one["aria-label"] for one in drawings)
    assert len(read.all("figure")) == len(ending.facts["pictures"]) >= 2
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    anchors = {one["href"][1:] for one in read.all("a") if one["href"].startswith("#")}
    assert anchors <= set(ids)


def test_the_numbers_behind_a_picture_are_the_same_in_the_page_and_in_the_file(
    ogas, stored, tmp_path
):
    names = np.array(["№ 5 % of «сталь» & #1", 'a "quoted", name'])
    stored(replace(problems.solvable("two_sectors"), names=names, units="t"))
    planned(ogas, "t")
    pictures = ogas("report", "p.zarr", "--csv", "out", "--json").facts["pictures"]
    read = Page((tmp_path / "p.html").read_text(encoding="utf-8"))
    links = {one["download"]: one["href"] for one in read.all("a") if "download" in one}
    assert set(links) == {f"{name}.csv" for name in pictures}
    for name, link in links.items():
        text = unquote(link.removeprefix("data:text/csv;charset=utf-8,"))
        assert text == (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert "сталь" in text or name in ("certainty.csv", "figures.csv")


def test_the_numbers_in_the_page_are_those_of_the_plan(ogas, tmp_path):
    plan = planned(ogas, "us-2021")
    (column,) = plan.columns
    assert ogas("report", "p.zarr", "--csv", "out").out.startswith("the report is p.html (")
    outputs = rows_of("out/largest.csv")
    assert len(outputs) == 71
    for row in outputs:
        product = plan.ids.tolist().index(row["product"])
        assert float(row["output"]) == column.output[product]
        assert float(row["final demand"]) == column.demand.nominal[product]
        assert int(row["figures proven"]) == column.figures[product]
    short = {row["product"] for row in rows_of("out/shortfalls.csv")}
    assert short == set(plan.ids[column.demand.nominal < 0].tolist())
    counts = {int(row["figures"]): int(row["products"]) for row in rows_of("out/figures.csv")}
    known, times = np.unique(column.figures, return_counts=True)
    assert counts == dict(zip(known.tolist(), times.tolist(), strict=True))
    text = (tmp_path / "p.html").read_text()
    worst = plan.ids[np.argmax(column.relative_half_widths)]
    assert f"± {100 * column.relative_half_widths.max():.2g} %" in text
    assert f"of its turnover: {worst}" in text
    assert "12,544,000" in text


def test_every_pass_is_told_with_what_it_proved(ogas, stored):
    for words in ((), ("--method", "jacobi")):
        plan = planned(ogas, stored("sectors:S1"), *words)
        ogas("report", "p.zarr", "--csv", "out")
        steps = rows_of("out/certainty.csv")
        assert int(steps[-1]["pass"]) == plan.facts["passes"]
        proven = [float(row["proven half-width"]) for row in steps if row["proven half-width"]]
        assert min(proven) == plan.facts["relative_half_width"]
        forecast = [
            row["forecast half-width"] for row in steps if row["what it was for"] == "a sweep"
        ]
        assert all(float(one) > 0 for one in forecast if one)


def test_the_edge_list_sums_up_to_the_dense_table(ogas, stored):
    table = problems.solvable("sectors:S1")
    plan = planned(ogas, stored(table))
    ogas("report", "p.zarr", "--csv", "out")
    (column,) = plan.columns
    flows = table.coefficients.toarray() * column.output
    blocks = int(table.blocks.max()) + 1
    edges = rows_of("out/flows.csv")
    assert len(edges) == len({(row["supplier"], row["user"]) for row in edges})
    for row in edges:
        supplier = int(row["supplier"].split()[1])
        mine = table.blocks == supplier
        if row["user"] == "final demand":
            expected = column.demand.nominal[mine].sum()
        else:
            expected = flows[np.ix_(mine, table.blocks == int(row["user"].split()[1]))].sum()
        assert float(row["value"]) == pytest.approx(expected, rel=1e-9)
    whole = sum(float(row["value"]) for row in edges)
    assert whole == pytest.approx(flows.sum() + column.demand.nominal.sum(), rel=1e-12)
    assert whole == pytest.approx(column.output.sum(), rel=1e-3)
    assert len({row["supplier"] for row in edges}) == blocks
    drawn = sum(float(row["value"]) for row in rows_of("out/sankey.csv"))
    assert drawn == pytest.approx(whole, rel=1e-12)  # nothing is negative here


@pytest.mark.parametrize("blocks", ["its own", "one block"])
def test_flows_are_the_same_however_many_are_taken_at_a_time(monkeypatch, blocks):
    table = problems.cut(problems.solvable("sectors:S2,signed,imports=0.4"), blocks)
    n, x = len(table), np.linspace(1, 2, len(table))
    price, labels = np.linspace(3, 1, n), np.arange(n) % 7
    asked = np.array([5, 200, 17])
    measure = Measured(x, price, np.ones(n))
    dense = price[:, None] * table.coefficients.toarray() * x
    expected = np.array(
        [[dense[np.ix_(labels == g, labels == h)].sum() for h in range(7)] for g in range(7)]
    )
    for at_a_time in (AT_A_TIME, 11):
        monkeypatch.setattr("ogas.cluster.report.flows.AT_A_TIME", at_a_time)
        flows, inputs, uses = read_once(Source.of(table).blocks(), measure, labels, asked)
        np.testing.assert_allclose(flows.supplies, expected, rtol=1e-11, atol=1e-9)
        for number, product in enumerate(asked.tolist()):
            for links, line in ((inputs, dense[:, product]), (uses, dense[product])):
                largest = np.sort(np.abs(line[line != 0]))[::-1][:MOST_LINKS]
                found = links.of(number)
                np.testing.assert_allclose([abs(value) for _, value in found], largest)
                assert all(line[other] == pytest.approx(value) for other, value in found)


def test_linkages_and_embodied_labour_are_those_of_the_dense_inverse(ogas):
    plan = planned(ogas, "us-2021", "--digits", "9")
    found = findings(plan)
    table = open_store_of_bundled()
    A, (column,) = table.coefficients.toarray(), plan.columns
    L = np.linalg.inv(np.eye(71) - A)
    B = A * column.output / column.output[:, None]
    G = np.linalg.inv(np.eye(71) - B)
    links = found.economy.linkages
    np.testing.assert_allclose(links.backward, L.sum(0) / L.sum(0).mean(), rtol=1e-6)
    np.testing.assert_allclose(links.forward, G.sum(1) / G.sum(1).mean(), rtol=1e-6)
    used = table.factors["labour"] * column.output
    embodied = links.embodied(found.economy.fine, used)
    values = table.factors["labour"] @ L
    np.testing.assert_allclose(embodied, values * column.demand.nominal, rtol=1e-6)
    assert embodied.sum() == pytest.approx(used.sum(), rel=1e-6)


def open_store_of_bundled():
    from ogas.datasets.catalog import locate

    return open_store(locate("us-2021")).load()


def test_an_economy_without_an_inverse_has_no_linkages():
    from ogas.cluster.report.flows import Flows

    too_much = np.array([[0.0, 3.0], [3.0, 0.0]])
    assert linkages(Flows(too_much, np.ones(2), np.ones(2))) is None
    assert linkages(Flows(np.eye(2), np.ones(2), np.zeros(2))) is None
    assert linkages(Flows(np.zeros((2, 2)), np.zeros(2), np.zeros(2))) is None


def test_groups_are_few_and_hold_every_product():
    label = "product {}".format
    n = 5_000
    size = np.random.default_rng(problems.SEED).random(n)
    pairs = np.array([f"c{i % 40}|s{i // 40:03}" for i in range(n)])
    for ids, blocks, what in (
        (np.arange(n), None, "products"),
        (np.arange(n), np.arange(n) % 30, "blocks"),
        (np.arange(n), np.arange(n) % 300, "blocks"),
        (pairs, None, "countries"),
        (pairs, np.arange(n) % 40, "countries"),
    ):
        found = groups_of(ids, blocks, size, label)
        assert found.what == what
        assert len(found.names) <= MOST
        assert len(np.unique(found.labels)) == len(found.names) == len(set(found.names))
    few = groups_of(np.arange(9), np.arange(9) % 3, size[:9], label)
    assert few.names[8] == "product 8"


def test_what_is_embedded_of_products_encloses_their_bounds(ogas, stored):
    for digits in ("3", "12"):
        plan = planned(ogas, stored("sectors:S1,units=mixed"), "--digits", digits)
        column, kept = plan.columns[0], index(findings(plan))
        assert json.loads(json.dumps(kept)) == kept
        assert sorted(kept["names"], key=int) == [str(one) for one in plan.ids]
        for number, name in enumerate(kept["names"]):
            product = int(name)
            low = kept["output"][number] - kept["half"][number]
            high = kept["output"][number] + kept["half"][number]
            slack = 1e-15 * abs(column.output[product])
            assert low <= column.lower[product] + slack
            assert high >= column.upper[product] - slack
            assert kept["figures"][number] == column.figures[product]


@pytest.mark.parametrize(
    ("lower", "upper"), [(1.0, 1.0), (0.0, 0.0), (-3.5, -3.4999), (1e-9, 2e-9), (1e12, 1e12 + 1)]
)
def test_rounded_bounds_are_wider_by_little(lower, upper):
    middle, half = _enclosing(lower, 0.5 * (lower + upper), upper)
    assert middle - half <= lower
    assert middle + half >= upper
    assert half <= 0.6 * (upper - lower) * 1.2


def test_a_page_about_many_products_stays_small_and_says_what_is_left_out(
    ogas, stored, tmp_path, monkeypatch
):
    from ogas.cluster.report import findings as module

    for name, most in (("MOST_LISTED", 100), ("MOST_LINKED", 10), ("MOST_POINTS", 50)):
        monkeypatch.setattr(module, name, most)
    monkeypatch.setattr("ogas.cluster.report.index.MOST_LINKED", 10)
    planned(ogas, stored("sectors:S1"))
    ogas("report", "p.zarr")
    text = (tmp_path / "p.html").read_text()
    assert "The 100 largest of 300 products are in this page, the largest 10 with" in text
    kept = json.loads(re.search(r'id="index">(.*?)</script>', text)[1])
    assert (len(kept["names"]), len(kept["links"])) == (100, 10)
    others = {other for side in kept["links"] for links in side for other, _ in links}
    assert max(others) < 100 + len(kept["further"])


def test_long_names_do_not_make_a_page_large(monkeypatch, ogas, stored):
    monkeypatch.setattr("ogas.cluster.report.index.MOST_BYTES", 1_000)
    table = problems.solvable("sectors:S1")
    names = np.array([f"{'a long name ' * 8}{i}" for i in range(len(table))])
    kept = index(findings(planned(ogas, stored(replace(table, names=names)))))
    assert 5 < len(kept["names"]) < 20
    assert sum(map(len, kept["names"])) <= 1_000
    assert 0 < len(kept["links"]) < len(kept["names"])
    assert sum(map(len, kept["further"])) < 1_000 + 2 * MOST_LINKS * 100


def test_a_table_that_is_gone_or_damaged_leaves_what_the_plan_says(ogas, stored, tmp_path):
    path = stored("sectors:S1")
    planned(ogas, path)
    newer = replace(problems.solvable("sectors:S1"), demand=np.ones(300))
    publish(path, newer)
    assert ogas("report", "p.zarr", "--json").facts["missing"] == ""  # its version is still there
    (block, *_) = sorted((path / "blocks").iterdir())
    shutil.rmtree(block)
    assert "flows" not in ogas("report", "p.zarr", "--json").facts["pictures"]
    shutil.rmtree(path)
    ending = ogas("report", "p.zarr", "--json")
    assert ending.facts["pictures"] == ["certainty", "figures", "largest", "deliveries"]
    assert "the table that was planned is gone" in ending.facts["missing"]
    text = (tmp_path / "p.html").read_text()
    assert "the table that was planned is gone" in text
    Page(text)


def test_a_plan_without_a_trace_is_shown_without_its_convergence(ogas, stored):
    plan = planned(ogas, stored("sectors:S1"))
    facts = {name: value for name, value in plan.facts.items() if name != "trace"}
    parts = sections(findings(replace(plan, facts=facts)))
    assert [one.sheet.name for one in parts["sure"][1]] == ["figures"]


def test_a_scenario_is_chosen_by_its_name(ogas, stored, tmp_path):
    stored("two_sectors")
    for name, demand in (("dry", 1), ("wet", 5)):
        (tmp_path / f"{name}.csv").write_text(f"id,demand\n0,{demand}\n1,2\n")
    planned(ogas, "t", "--demand", "dry.csv", "--demand", "wet.csv")
    for words, name in (((), "dry"), (("--column", "wet"), "wet")):
        assert ogas("report", "p.zarr", *words).code == 0
        assert f"about <b>{name}</b>, one of 2" in (tmp_path / "p.html").read_text()
    ending = ogas("report", "p.zarr", "--column", "storm")
    assert ending.code == 2
    assert "it has: dry, wet" in ending.err


def test_figures_that_were_not_reached_are_not_called_certified(ogas, tmp_path):
    assert ogas("plan", "us-2021", "--delta", "0.01", "--digits", "4", "-o", "p.zarr").code == 4
    ogas("report", "p.zarr")
    text = (tmp_path / "p.html").read_text()
    assert "<b>Fewer figures than asked for.</b> 4 figures were asked for" in text
    assert "by at most 1 %" in text
    assert "<b>Certified" not in text


def damaged(folder):
    shutil.rmtree(folder / "p.zarr" / "output")


def no_plan(folder):
    shutil.rmtree(folder / "p.zarr")


def a_folder(folder):
    (folder / "page.html").mkdir()


def a_file_in_the_way(folder):
    (folder / "sub").write_text("a file")


def a_file_for_a_folder(folder):
    (folder / "out").write_text("a file")


BAD = {
    "CSV files into a file": (a_file_for_a_folder, "page.html", 2, "this is a file, not a folder"),
    "no plan": (no_plan, "page.html", 2, "there is no plan here"),
    "a damaged plan": (damaged, "page.html", 5, "plan it again"),
    "a folder": (a_folder, "page.html", 2, "this is a folder"),
    "below a file": (a_file_in_the_way, "sub/page.html", 2, "sub"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_in_one_line_and_nothing_is_written(ogas, tmp_path, contents, name):
    spoil, target, code, said = BAD[name]
    planned(ogas, "us-2021")
    spoil(tmp_path)
    before = contents()
    words = ("--csv", "out") if "CSV" in name else ()
    ending = ogas("report", "p.zarr", "-o", target, *words)
    assert ending.code == code
    assert said in ending.err
    assert contents() == before


def test_a_disk_that_is_full_leaves_the_page_as_it_was(ogas, tmp_path, contents, monkeypatch):
    import errno

    planned(ogas, "us-2021")
    (tmp_path / "p.html").write_text("the old one")
    before = contents()

    def full(path):
        raise OSError(errno.ENOSPC, "no space", str(path))

    monkeypatch.setattr("ogas.datasets.atomic.fsync_path", full)
    ending = ogas("report", "p.zarr")
    assert ending.code == 5
    assert "the disk is full" in ending.err
    assert contents() == before


def test_the_page_does_not_say_where_it_was_made(ogas, tmp_path):
    found = findings(planned(ogas, "us-2021"))
    assert str(tmp_path) not in page(found, sections(found), "p.zarr")
