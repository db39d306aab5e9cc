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
