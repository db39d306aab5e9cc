"""The measurements run, and leave their rows."""

import csv

import pytest

from ogas.benchmarks import methods


def test_bench_methods_counts_passes_of_every_method(ogas, tmp_path, monkeypatch):
    monkeypatch.setattr(methods, "FIGURES", (3,))
    ending = ogas("bench", "methods", "--quick", "-o", "rows", "--json")
    rows = ending.facts["rows"]
    assert {row["method"] for row in rows} >= {"jacobi", "gauss-seidel", "anderson", "auto"}
    assert all(row["3 figures"] > 0 for row in rows)
    assert "certified half-width over true error" in ending.facts["summary"]
    (file,) = (tmp_path / "rows").iterdir()
    with file.open(newline="") as stream:
        assert len(list(csv.DictReader(stream))) == len(rows)


def test_bench_start_measures_what_a_person_waits_for(ogas):
    rows = ogas("bench", "start", "--quick", "--json").facts["rows"]
    assert [row["command"] for row in rows][1:3] == ["ogas --help", "ogas plan us-2021"]
    for row in rows:
        assert float(row["least s"]) <= float(row["median s"]) <= float(row["largest s"])
    assert float(rows[0]["median / baseline"]) == pytest.approx(1.0)


def test_bench_kernels_measures_every_kernel_against_reading_memory(ogas, tmp_path):
    rows = ogas("bench", "kernels", "--quick", "-o", "rows", "--json").facts["rows"]
    assert [row["kernel"] for row in rows][:2] == ["stream read", "stream triad"]
    assert rows[0]["of read"] == "100%"
    assert len({(row["kernel"], row["types"]) for row in rows}) == len(rows) == 30
    assert all(float(row["1 thread"]) > 0 for row in rows)
    assert (tmp_path / "rows" / "kernels.csv").read_text().count("\n") == 31
