"""What programs read: one JSON object on stdout, whatever happens, with the agreed keys."""

import importlib

import numpy as np
import problems
import pytest

NUMBER = (int, float)
NUMBER_OR_NONE = (int, float, type(None))
PLAN_KEYS = {
    "outcome": str,
    "products": int,
    "nonzeros": int,
    "blocks": int,
    "workers": int,
    "method": str,
    "method_because": str,
    "warm": (str, type(None)),
    "digits_requested": int,
    "digits_certified": int,
    "relative_half_width": NUMBER_OR_NONE,
    "radius_bound": NUMBER_OR_NONE,
    "passes": int,
    "exchanges": int,
    "bytes_exchanged": int,
    "seconds": dict,
    "peak_memory_bytes": int,
    "bytes_per_nonzero": NUMBER,
    "nanoseconds_per_nonzero_pass": NUMBER,
    "zero_products": int,
    "negative_products": int,
    "total": (dict, type(None)),
    "plan": (str, type(None)),
}
VERIFY_KEYS = {
    "outcome": str,
    "digits_certified": int,
    "relative_half_width": NUMBER_OR_NONE,
    "radius_bound": NUMBER_OR_NONE,
    "residual": NUMBER_OR_NONE,
}
CHECK_KEYS = {
    "outcome": str,
    "radius_lower": NUMBER,
    "radius_upper": NUMBER_OR_NONE,
    "loop": list,
    "loop_size": int,
    "negative_coefficients": int,
    "empty_columns": int,
    "self_loops": int,
    "findings": list,
}
INFO_KEYS = {
    "products": int,
    "nonzeros": int,
    "blocks": int,
    "boundary_share_of_nonzeros": NUMBER,
    "boundary_share_of_value": NUMBER,
    "factors": list,
    "units": str,
    "versions": list,
}
ERROR_KEYS = {"outcome": str, "code": int, "message": str, "where": str, "advice": str}


def holds(facts, keys):
    """Whether the facts have these keys and types; True and False are no numbers."""
    for key, kind in keys.items():
        assert isinstance(facts[key], kind), (key, facts[key])
        assert not isinstance(facts[key], bool)
    return True


@pytest.mark.parametrize("command", ["plan", "price"])
def test_a_plan_tells_programs_all_that_was_agreed(ogas, tmp_path, command):
    facts = ogas(command, "us-2021", "--json").facts
    assert holds(facts, PLAN_KEYS)
    assert facts["outcome"] == "certified"
    assert (facts["products"], facts["nonzeros"], facts["blocks"]) == (71, 4070, 1)
    assert facts["digits_requested"] == 3 <= facts["digits_certified"]
    assert 0 < facts["relative_half_width"] <= 5e-4
    assert 0 < facts["radius_bound"] < 1
    assert list(facts["seconds"]) == ["load", "solve", "certify", "write", "total"]
    assert all(spent >= 0 for spent in facts["seconds"].values())
    total = facts["total"]
    assert total["lower"] <= total["value"] <= total["upper"]
    assert total["unit"] == "$ million of compensation"
    assert facts["peak_memory_bytes"] > 10**7
    assert (tmp_path / facts["plan"] / "zarr.json").exists()


def test_labour_in_all_output_is_the_labour_value_of_all_demand(ogas):
    of_output = ogas("plan", "us-2021", "--digits", "9", "--json").facts["total"]
    of_demand = ogas("price", "us-2021", "--digits", "9", "--json").facts["total"]
    assert of_output["lower"] <= of_demand["upper"]
    assert of_demand["lower"] <= of_output["upper"]
    assert of_output["value"] == pytest.approx(of_demand["value"], rel=1e-8)


def test_a_table_without_factors_has_no_total(ogas, stored):
    bare = problems.Table(problems.solvable("two_sectors").coefficients, np.arange(2), np.ones(2))
    assert ogas("plan", stored(bare, "bare"), "--json").facts["total"] is None


def test_a_plan_that_does_not_exist_has_no_path_and_names_the_loop(ogas, stored, tmp_path):
    ending = ogas("plan", stored(problems.self_loop(1.5)), "--json")
    assert ending.code == 3
    assert holds(ending.facts, PLAN_KEYS)
    assert ending.facts["outcome"] == "not_productive"
    assert ending.facts["plan"] is ending.facts["relative_half_width"] is None
    assert ending.facts["message"] in ending.err
    assert not (tmp_path / "t-plan.zarr").exists()


def test_figures_that_cannot_be_reached_are_stored_and_said(ogas, tmp_path):
    ending = ogas("plan", "us-2021", "--delta", "0.01", "--digits", "4", "--json")
    assert ending.code == 4
    assert holds(ending.facts, PLAN_KEYS)
    assert ending.facts["outcome"] == "precision_not_reached"
    assert ending.facts["digits_certified"] < 4
    assert (tmp_path / ending.facts["plan"]).exists()
    assert "ask for --digits 1" in ending.err


@pytest.mark.parametrize(
    ("altered", "code", "outcome"),
    [(False, 0, "certified"), (True, 5, "damaged")],
    ids=["as it was written", "altered"],
)
def test_verify_tells_programs_all_that_was_agreed(ogas, tmp_path, altered, code, outcome):
    ogas("plan", "us-2021")
    if altered:
        next(tmp_path.glob("us-2021-plan.zarr/output/c/*")).write_bytes(b"")
    ending = ogas("verify", "us-2021-plan.zarr", "--json")
    assert (ending.code, ending.facts["outcome"]) == (code, outcome)
    assert holds(ending.facts, VERIFY_KEYS)
    assert (ending.facts["residual"] is None) == altered


@pytest.mark.parametrize(
    ("table", "code", "outcome"),
    [
        (lambda: problems.solvable("by_product"), 0, "productive"),
        (problems.UNPRODUCTIVE["a bad loop that nobody wants"], 3, "not_productive"),
        (problems.UNDECIDED["a pair that gives back"], 4, "undecided"),
    ],
    ids=["productive", "not productive", "undecided"],
)
def test_check_tells_programs_all_that_was_agreed(ogas, stored, table, code, outcome):
    ending = ogas("check", stored(table()), "--json")
    assert (ending.code, ending.facts["outcome"]) == (code, outcome)
    assert holds(ending.facts, CHECK_KEYS)
    for finding in ending.facts["findings"]:
        assert list(finding) == ["level", "what", "where", "advice"]
        assert finding["what"]
        assert finding["advice"]


def test_check_counts_what_is_odd(ogas, stored):
    rows = [[0.1, -0.2, 0, 0], [0.3, 0, 0, 0], [0, 0.1, 0.2, 0], [0, 0, 0.1, 0]]
    facts = ogas("check", stored(problems.table_of(rows)), "--json").facts
    counts = [facts[key] for key in ("negative_coefficients", "empty_columns", "self_loops")]
    assert counts == [1, 1, 2]
    assert facts["radius_lower"] <= facts["radius_upper"] < 1


def test_info_tells_programs_all_that_was_agreed(ogas, stored):
    ending = ogas("info", stored("sectors:S1"), "--json")
    assert holds(ending.facts, INFO_KEYS)
    assert 0 < ending.facts["boundary_share_of_nonzeros"] < 1
    assert 0 < ending.facts["boundary_share_of_value"] < 1
    assert [version["version"] for version in ending.facts["versions"]] == [1]
    assert ogas("info", "us-2021", "--json").facts["meta"]["licence"]


def test_import_export_generate_show_and_bench_answer_in_json_too(ogas, monkeypatch):
    assert ogas("generate", "sectors", "g", "--products", 90, "--json").facts["products"] == 90
    assert ogas("export", "g", "g.npz", "--json").facts["file"] == "g.npz"
    assert ogas("import", "g.npz", "i", "--json").facts["version"] == 1
    ogas("plan", "i", "-o", "p")
    largest = ogas("show", "p", "--top", 2, "--json").facts["columns"][0]["largest"]
    assert largest[0]["output"] >= largest[1]["output"] > 0
    assert ogas("show", "p", "--product", largest[0]["product"], "--json").facts["columns"]
    assert ogas("show", "p", "--csv", "p.csv", "--json").facts == {"file": "p.csv", "rows": 90}
    from ogas.benchmarks import start

    monkeypatch.setattr(start, "waits", lambda _: iter([start.Wait("nothing", 1.0, 1.0, 2.0)]))
    assert ogas("bench", "start", "--json").facts["rows"][0]["command"] == "nothing"


WRONG = [
    ("--json",),
    ("nonsense", "--json"),
    ("plan", "--json"),
    ("plan", "us-2021", "extra", "--json"),
    ("plan", "us-2021", "--nonsense", "--json"),
    ("plan", "us-2021", "--digits", "three", "--json"),
    ("plan", "us-2021", "--digits", "--json"),
    ("plan", "nowhere", "--json"),
    ("price", "us-2021", "--factor", "co2", "--json"),
    ("verify", "nowhere", "--json"),
    ("show", "nowhere", "--json"),
    ("info", "nowhere", "--json"),
    ("check", "nowhere", "--json"),
    ("import", "nothing.xyz", "t", "--json"),
    ("export", "us-2021", "t.xyz", "--json"),
    ("generate", "nothing", "t", "--json"),
    ("bench", "nothing", "--json"),
]


@pytest.mark.parametrize("words", WRONG, ids=ascii)
def test_wrong_usage_is_one_json_object_too(ogas, words, contents):
    ending = ogas(*words)
    assert ending.code == ending.facts["code"] == 2
    assert holds(ending.facts, ERROR_KEYS)
    assert ending.facts["outcome"] == "error"
    assert ending.facts["message"]
    assert ending.facts["advice"] or "has" in ending.facts["message"]
    assert contents() == {}


HOOKS = {
    "plan": ("ogas.cluster.planning.carry_out", "us-2021"),
    "price": ("ogas.cluster.planning.carry_out", "us-2021"),
    "check": ("ogas.cluster.checking.checked", "us-2021"),
    "verify": ("ogas.cluster.verifying.verified", "p"),
}


@pytest.mark.parametrize(
    ("error", "code", "outcome"),
    [
        (KeyboardInterrupt(), 130, "cancelled"),
        (MemoryError(), 6, "error"),
        (OSError(28, "No space left on device"), 5, "error"),
        (PermissionError(13, "Permission denied", "somewhere"), 2, "error"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("command", HOOKS)
def test_every_failure_is_one_json_object(ogas, monkeypatch, command, error, code, outcome):
    def fail(*_, **__):
        raise error

    hook, argument = HOOKS[command]
    module, _, name = hook.rpartition(".")
    monkeypatch.setattr(importlib.import_module(module), name, fail)
    ending = ogas(command, argument, "--json")
    assert (ending.code, ending.facts["code"], ending.facts["outcome"]) == (code, code, outcome)
    assert holds(ending.facts, ERROR_KEYS)
