"""`ogas analyse`: classical results from the command line."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from inverses import Dense, assert_encloses, drawn

from ogas.cluster.commands_analyse import NAMES
from ogas.datasets.store import publish
from ogas.engine.analyses.menu import MENU
from ogas.engine.interval import Interval
from ogas.engine.table import coefficients_from

WORDS = {
    "multipliers": ("--households", "basket.csv"),
    "columns": ("--product", "p3"),
    "rows": ("--product", "p3", "--product", "p7"),
    "prices": ("--change", "0.1", "--factor", "labour"),
    "values": ("--households", "basket.csv"),
    "paths": ("--product", "p3", "--factor", "CO2"),
    "decomposition": ("--since", "earlier", "--factor", "CO2"),
    "footprints": ("--by", "block", "--factor", "CO2"),
    "extraction": ("--by", "block"),
    "ghosh": ("--supply", "supply.csv"),
}


@pytest.fixture
def economy(tmp_path):
    """A stored table in blocks, an earlier one, and files that say more."""
    table = drawn("blocks")
    publish(tmp_path / "t", table)
    publish(tmp_path / "earlier", replace(table, demand=0.9 * table.demand))
    (tmp_path / "basket.csv").write_text("id,demand\np1,0.01\np2,0.02\n")
    (tmp_path / "supply.csv").write_text("id,demand\np1,3\n")
    return Dense(table)


def test_the_command_offers_what_there_is(ogas):
    assert list(NAMES) == list(MENU)
    assert set(ogas("analyse", "--what", "list", "--json").facts["analyses"]) == set(MENU)


@pytest.mark.parametrize("what", NAMES)
def test_every_analysis_is_certified_shown_and_written_whole(ogas, economy, tmp_path, what):
    words = ("analyse", "t", "--what", what, *WORDS.get(what, ()), "--top", "3")
    facts = ogas(*words, "--csv", "all.csv", "--json").facts
    assert facts["outcome"] == "certified"
    assert len(facts["largest"]) == min(3, facts["rows"])
    with (tmp_path / "all.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == facts["rows"]
    by_id = {row[facts["over"]]: row for row in rows}
    for row in facts["largest"]:
        for name, told in row.items():
            if isinstance(told, dict):
                assert told["lower"] <= told["value"] <= told["upper"]
                assert float(by_id[row[facts["over"]]][f"{name} upper"]) == told["upper"]
    shown = ogas(*words)
    assert shown.out.startswith(f"{facts['what']}: {facts['equation']}\n")


def test_multipliers_of_a_stored_table_are_those_of_the_inverse(ogas, economy):
    words = ("analyse", "t", "--what", "multipliers", "--top", "40", "--digits", "12", "--json")
    rows = {row["product"]: row for row in ogas(*words).facts["largest"]}
    for name, truth in (
        ("output", economy.L.sum(axis=0)),
        ("CO2", economy.table.factors["CO2"] @ economy.L),
    ):
        ends = np.array(
            [[rows[f"p{k}"][name][end] for end in ("lower", "upper")] for k in range(40)]
        )
        assert_encloses(Interval.between(*ends.T), truth)


def test_an_unproductive_table_is_refused_with_its_own_code(ogas, tmp_path):
    table = replace(drawn("plain"), coefficients=coefficients_from(np.full((40, 40), 0.05)))
    publish(tmp_path / "t", table)
    ending = ogas("analyse", "t", "--what", "linkages", "--json")
    assert (ending.code, ending.facts["outcome"]) == (3, "error")
    assert "not productive" in ending.facts["message"]


def test_figures_that_uncertain_coefficients_do_not_allow_are_not_claimed(ogas, economy):
    ending = ogas("analyse", "t", "--what", "multipliers", "--delta", "0.01", "--json")
    assert (ending.code, ending.facts["outcome"]) == (4, "precision_not_reached")
    one = ending.facts["largest"][0]["output"]
    assert one["upper"] - one["lower"] > 0.01 * one["value"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--what", "columns"), "which columns?"),
        (("--what", "prices"), "what becomes dearer"),
        (("--what", "decomposition"), "since which table?"),
        (("--what", "rows", "--product", "nothing"), "no product 'nothing'"),
        (("--what", "extraction", "--by", "continent"), "no level 'continent'"),
        (("--what", "multipliers", "--factor", "water"), "no factor 'water'"),
    ],
)
def test_what_is_missing_is_said(ogas, economy, words, message):
    ending = ogas("analyse", "t", *words)
    assert ending.code == 2
    assert message in ending.err


def test_nothing_is_left_behind_by_an_analysis_that_fails(ogas, economy, tmp_path):
    before = sorted(tmp_path.iterdir())
    ogas("analyse", "t", "--what", "prices", "--csv", "all.csv")
    assert sorted(tmp_path.iterdir()) == before
