"""Defaults: from flags, then from OGAS_ variables; and the names of plans that nobody names."""

import problems
import pytest


def test_variables_set_defaults_and_flags_win(ogas, monkeypatch):
    monkeypatch.setenv("OGAS_DIGITS", "5")
    monkeypatch.setenv("OGAS_METHOD", "jacobi")
    monkeypatch.setenv("OGAS_DELTA", "1e-9")
    facts = ogas("plan", "us-2021", "--json").facts
    assert (facts["digits_requested"], facts["method"]) == (5, "jacobi")
    assert ogas("show", "us-2021-plan.zarr", "--json").facts["method"] == "jacobi"
    flags = ("--digits", 2, "--method", "gauss-seidel", "--delta", 0)
    facts = ogas("plan", "us-2021", *flags, "--json").facts
    assert (facts["digits_requested"], facts["method"]) == (2, "gauss-seidel")
    monkeypatch.setenv("OGAS_DELTA", "0.01")
    assert ogas("plan", "us-2021").code == 4


def test_memory_may_come_from_a_variable(ogas, monkeypatch):
    monkeypatch.setenv("OGAS_MEMORY", "1MB")
    assert ogas("plan", "us-2021").code == 6
    assert ogas("plan", "us-2021", "--memory", "2GiB").code == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("OGAS_DIGITS", "three"), ("OGAS_METHOD", "magic"), ("OGAS_MEMORY", "lots")],
)
def test_a_variable_that_makes_no_sense_is_wrong_usage(ogas, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    ending = ogas("plan", "us-2021", "--json")
    assert ending.code == 2
    assert value in ending.err


def test_plans_are_named_after_their_table(ogas, stored, tmp_path):
    (tmp_path / "far").mkdir()
    stored("two_sectors", "far/away")
    for table, name in (("us-2021", "us-2021"), ("far/away", "away"), ("far/away/", "away")):
        assert ogas("plan", table, "--json").facts["plan"] == f"{name}-plan.zarr"
        assert ogas("price", table, "--json").facts["plan"] == f"{name}-prices.zarr"
    names = {"us-2021-plan.zarr", "us-2021-prices.zarr", "away-plan.zarr", "away-prices.zarr"}
    assert {path.name for path in tmp_path.iterdir()} == names | {"far"}


def test_a_table_at_hand_wins_over_a_bundled_one_of_its_name(ogas, stored):
    stored("two_sectors", "us-2021")
    assert ogas("info", "us-2021", "--json").facts["products"] == 2


def test_the_method_auto_is_one_of_the_methods(ogas):
    assert ogas("plan", "us-2021", "--method", "auto", "--json").facts["method"] in (
        *("anderson", *problems.METHOD_NAMES),
    )
