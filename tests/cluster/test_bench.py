"""The measurements run, and leave their rows."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from ogas.benchmarks import design, growth, machine, methods, nightly, published, runs
from ogas.benchmarks.passes import by_blocks, solution
from ogas.datasets import gallery
from ogas.datasets.recipes import Parameters
from ogas.engine.choose import METHODS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("rows")


def test_bench_methods_counts_passes_of_every_method_in_every_way(ogas, folder):
    facts = ogas("bench", "methods", "--quick", "-o", folder, "--json").facts
    rows, known = facts["rows"], facts["published"]["rows"]
    assert len(rows) == methods.ROWS
    assert all(row["3 figures"] > 0 for row in rows + known + facts["variants"]["rows"])
    passes = {row["method"]: row["3 figures"] for row in rows if row["balance"] == "quantities"}
    assert {"jacobi", "gauss-seidel", "anderson", "block-jacobi"} < set(passes)
    cycle = passes[f"{methods.CYCLE}, {design.KNOWN}"]
    assert cycle < passes["block-jacobi"] < passes["jacobi"]
    assert cycle <= int(design.promised(design.KNOWN, "S1").split("/")[0])
    assert passes[f"{methods.CYCLE}, {design.WARM}"] <= cycle
    assert {row["method"] for row in known} == {"anderson"}
    assert "certified half-width over true error" in facts["published"]["summary"]
    assert {file.stem for file in folder.iterdir()} == {"methods", *facts} - {"rows", "summary"}
    with (folder / "methods.csv").open(newline="") as stream:
        assert len(list(csv.DictReader(stream))) == len(rows)


def test_bench_nightly_counts_passes_and_bytes_of_a_night_and_of_a_plan_from_nothing(ogas, folder):
    rows = ogas("bench", "nightly", "--quick", "-o", folder, "--json").facts["rows"]
    synthetic = [row for row in rows if row["economy"].startswith("sectors:S1")]
    assert len(synthetic) == len(nightly.CASES)
    assert all(row["passes"] > 0 for row in rows)
    for row in synthetic:
        assert row["passes"] < row["from nothing"]
        assert int(row["bytes written"].replace(",", "")) > 0


def test_two_sweeps_to_an_exchange_read_more_and_exchange_less():
    table = gallery.generate("sectors:S4", Parameters(products=3000))
    problem = by_blocks(table, "quantities")(6)
    one = solution(problem, METHODS[methods.CYCLE], 6)
    two = methods.twice("S4", problem, (6,))
    assert two.exchanges[0] < one.history.passes < two.passes[0] < 2 * two.exchanges[0]


def test_passes_do_not_grow_with_the_economy():
    assert growth.spread(list(growth.growing((5_000, 20_000), ("S4",)))) <= 2


def test_words_are_fewer_if_columns_are_owned():
    for words in growth.exchanged(("S1", "S4")):
        promised = [float(number) for number in words.design.split("/")]
        found = [words.words / words.products, words.row_owned / words.products]
        assert found == pytest.approx(promised, rel=0.05)


def test_a_table_of_the_world_has_a_block_for_every_country():
    table = gallery.generate("ccm", Parameters(products=90))
    ids = [f"{country}|c{number}" for country in ("A", "B", "C") for number in range(30)]
    world = replace(table, ids=np.array(ids), blocks=None)
    assert published.by_country(world).blocks.tolist() == [0] * 30 + [1] * 30 + [2] * 30


def test_bench_start_measures_what_a_person_waits_for(ogas):
    rows = ogas("bench", "start", "--quick", "--json").facts["rows"]
    assert [row["command"] for row in rows][1:3] == ["ogas --help", "ogas plan us-2021"]
    for row in rows:
        assert float(row["least s"]) <= float(row["median s"]) <= float(row["largest s"])
    assert float(rows[0]["median / baseline"]) == pytest.approx(1.0)


def test_bench_kernels_measures_kernels_and_whole_runs(ogas, folder):
    facts = ogas("bench", "kernels", "--quick", "-o", folder, "--json").facts
    rows = facts["rows"]
    assert [row["kernel"] for row in rows][:2] == ["stream read", "stream triad"]
    assert rows[0]["of read"] == "100%"
    assert len({(row["kernel"], row["types"]) for row in rows}) == len(rows) == 30
    assert all(float(row["1 thread"]) > 0 for row in rows)
    assert (folder / "kernels.csv").read_text().count("\n") == 31
    assert facts["runs"]["summary"] == machine.description()
    assert {row["economy"] for row in facts["runs"]["rows"]} == set(runs.CASES)
    assert all(float(row["1 thread"].replace(",", "")) > 0 for row in facts["runs"]["rows"])


def test_a_whole_run_takes_the_same_passes_on_any_number_of_threads():
    (found,) = runs.results(runs.Scale(3000, 40, 2000, 1), ("S2",))
    one, every = found.one[0], found.all[0]
    for run in ("plan", "alone", "together"):
        assert getattr(one, run).passes == getattr(every, run).passes
    assert len(one.plan.cycles) < one.plan.passes < len(found.peer[0])
    assert 6 < found.bytes_per_nonzero < 9  # in small blocks pointers weigh much
    assert found.words % 2 == 0


def test_bench_scaling_measures_workers_losses_and_what_follows(ogas, folder):
    facts = ogas("bench", "scaling", "--quick", "-o", folder, "--json").facts
    alone, *others = facts["rows"]
    assert alone["workers"] == "in process"
    assert [row["workers"] for row in others] == ["1", "2", "3"]
    assert len({row["rounds"] for row in facts["rows"]}) == 1  # the same bits, so the same rounds
    sent = [int(row["bytes between workers"].replace(",", "")) for row in others]
    least = [int(row["at least"].replace(",", "")) for row in others]
    assert sent[0] == least[0] == 0
    assert all(more >= fewest > 0 for more, fewest in zip(sent[1:], least[1:], strict=True))
    assert [row["workers"] for row in facts["growing"]["rows"]] == ["1", "2"]
    worker, scheduler = facts["recovery"]["rows"]
    assert 0 < worker["kept"] < worker["blocks"]
    assert scheduler["kept"] == 0
    assert scheduler["from a checkpoint"] == scheduler["blocks"]
    assert "PROJECTED" in facts["projection"]["summary"]
