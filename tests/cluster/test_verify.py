"""`ogas verify`: honest plans are certified, forged ones are not, and no solver is asked."""

import dataclasses
import inspect
import json
import shutil

import numpy as np
import problems
import pytest

from ogas.cluster.cli import main
from ogas.datasets.plans import read_plan, write_plan
from ogas.datasets.store import publish
from ogas.engine import certificate
from ogas.engine.balance import Demand
from ogas.engine.certificate import figures_of
from ogas.kernels import certify, csr, sweep

HONEST = {
    "quantities": ("sectors:S1", ["plan"]),
    "prices": ("sectors:S1", ["price"]),
    "ten figures": ("sectors:S1", ["plan", "--digits", 10]),
    "uncertain recipes": ("sectors:S1", ["plan", "--delta", 1e-6]),
    "another demand": ("sectors:S1", ["plan", "--demand", "wanted.csv"]),
    "an uncertain demand": ("sectors:S1", ["plan", "--demand", "ranged.csv"]),
    "both uncertain": ("sectors:S1", ["plan", "--demand", "ranged.csv", "--delta", 1e-6]),
    "imports": ("sectors:S1,imports", ["plan"]),
    "by-products": ("sectors:S1,signed", ["plan"]),
    "by-products, by hand": ("by_product", ["plan"]),
    "by-products priced": ("sectors:S1,signed", ["price"]),
    "imports and by-products in mixed units": (
        "sectors:S2,signed,imports=0.4,units=mixed",
        ["plan"],
    ),
    "products that nobody wants": ("nobody_wants", ["plan"]),
    "Jacobi sweeps": ("sectors:S1", ["plan", "--method", "jacobi"]),
    "Gauss-Seidel sweeps": ("sectors:S1", ["price", "--method", "gauss-seidel"]),
}


def write_demands(folder, table):
    ids = table.ids[:: max(1, len(table) // 40)].tolist()
    (folder / "wanted.csv").write_text("id,demand\n" + "".join(f"{i},{i + 1}\n" for i in ids))
    rows = "".join(f"{i},{i + 1},{i + 0.9999},{i + 1.0001}\n" for i in ids)
    (folder / "ranged.csv").write_text("id,demand,lower,upper\n" + rows)


@pytest.mark.parametrize("kind", HONEST)
def test_every_honest_plan_is_certified(ogas, stored, tmp_path, kind):
    name, command = HONEST[kind]
    table = stored(name)
    write_demands(tmp_path, problems.solvable(name))
    planned = ogas(command[0], table, *command[1:], "-o", "p", "--json")
    assert planned.code == 0
    ending = ogas("verify", "p", "--json")
    assert ending.code == 0
    assert ending.facts["outcome"] == "certified"
    assert ending.facts["digits_certified"] >= planned.facts["digits_requested"]
    assert ending.facts["relative_half_width"] <= 1.05 * planned.facts["relative_half_width"]
    assert 0 < ending.facts["radius_bound"] < 1
    said = ogas("verify", "p").out
    assert f"certified: {ending.facts['digits_certified']} figures of every one" in said


def two_factors():
    table = problems.solvable("sectors:S1")
    energy = np.linspace(0, 3, len(table))
    return dataclasses.replace(
        table,
        factors=dict(table.factors) | {"energy": energy},
        units=np.array([f"crate {i}" for i in range(len(table))]),
    )


@pytest.mark.parametrize("factors", [(), ("energy",), ("energy", "labour", "energy")], ids=str)
def test_prices_in_several_factors_are_certified(ogas, stored, factors):
    chosen = [word for factor in factors for word in ("--factor", factor)]
    planned = ogas("price", stored(two_factors()), *chosen, "-o", "p", "--json")
    assert list(planned.facts["totals"]) == (list(dict.fromkeys(factors)) or ["labour", "energy"])
    assert ogas("verify", "p").code == 0


def test_a_plan_short_of_its_own_precision_is_not_certified(ogas):
    assert ogas("plan", "us-2021", "--delta", "0.01", "--digits", "4", "-o", "p").code == 4
    ending = ogas("verify", "p", "--json")
    assert (ending.code, ending.facts["outcome"]) == (4, "precision_not_reached")
    assert 0 < ending.facts["digits_certified"] < 4
    assert ending.err.endswith("of every product proven, 4 requested\n")


def test_a_product_about_which_nothing_is_known_is_said_to_be_so(ogas, stored, tmp_path):
    stored(problems.table_of([[0, 0], [0.5, 0]], demand=[1, 1]))
    (tmp_path / "f.csv").write_text("id,demand,lower,upper\n0,0,0,5\n1,1,1,1\n")
    assert ogas("plan", "t", "--demand", "f.csv", "-o", "p").code == 4
    assert ogas("verify", "p").code == 4


# ---- forgers ------------------------------------------------------------------------------------


def forged(plan, **fields):
    """The plan with other columns; figures and digests are made to agree."""
    columns = []
    for old in plan.columns:
        new = dataclasses.replace(old, **{name: change(old) for name, change in fields.items()})
        columns.append(dataclasses.replace(new, figures=figures_of(new.relative_half_widths)))
    digits = min(int(column.figures.min()) for column in columns)
    facts = dict(plan.facts) | {"digits_certified": digits}
    return dataclasses.replace(plan, columns=tuple(columns), facts=facts)


def nearer(share):
    return {
        "lower": lambda c: c.output - share * (c.output - c.lower),
        "upper": lambda c: c.output + share * (c.upper - c.output),
    }


def moved(factor):
    return {
        name: lambda c, name=name: getattr(c, name) * factor
        for name in ("lower", "output", "upper")
    }


def spoilt(value):
    return {"witness": lambda c: np.where(np.arange(len(c.witness)) == 5, value, c.witness)}


FORGED = {
    "bounds a thousandth as wide": nearer(0.001),
    "bounds above the output only": {
        "lower": lambda c: c.output,
        "upper": lambda c: c.output + (c.upper - c.lower),
    },
    "bounds below the output only": {
        "lower": lambda c: c.output - (c.upper - c.lower),
        "upper": lambda c: c.output,
    },
    "bounds of no width": nearer(0.0),
    "one bound of no width": {
        "upper": lambda c: np.where(np.arange(len(c.upper)) == 7, c.output, c.upper),
        "lower": lambda c: np.where(np.arange(len(c.upper)) == 7, c.output, c.lower),
    },
    "everything a percent larger": moved(1.01),
    "everything a billionth larger and bounds of no width": {
        name: lambda c: c.output * (1 + 1e-9) for name in ("lower", "output", "upper")
    },
    "output at a bound, bounds there too": {
        name: lambda c: c.upper for name in ("lower", "output")
    },
    "a flattering turnover": {"turnover": lambda c: 1000 * c.turnover},
    "the witness of other products": {"witness": lambda c: c.witness[::-1].copy()},
    "the turnover as witness": {"witness": lambda c: c.turnover},
    "a witness with a zero": spoilt(0.0),
    "a witness with a negative number": spoilt(-1.0),
    "a witness that is not a number": spoilt(np.nan),
    "an infinite witness": spoilt(np.inf),
    "no witness at all": {"witness": lambda c: np.zeros_like(c.witness)},
    "a huge witness": {"witness": lambda c: np.full_like(c.witness, 1e308)},
}


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """A plan and prices of the bundled table, to five figures."""
    folder, plans = tmp_path_factory.mktemp("honest"), {}
    for command in ("plan", "price"):
        assert main([command, "us-2021", "--digits", "5", "-o", str(folder / command)]) == 0
        plans[command] = read_plan(folder / command)
    return plans


@pytest.mark.parametrize("command", ["plan", "price"])
@pytest.mark.parametrize("forgery", FORGED)
def test_a_consistent_forgery_is_not_certified(ogas, tmp_path, honest, command, forgery):
    honest = honest[command]
    write_plan(tmp_path / "p", forged(honest, **FORGED[forgery]))
    ending = ogas("verify", "p", "--json")
    assert (ending.code, ending.facts["outcome"]) == (4, "precision_not_reached")
    assert ending.facts["message"] in ending.err


CONTRADICTIONS = {
    "more figures than the bounds give": lambda p: _columns(p, figures=lambda c: c.figures + 1),
    "more figures claimed than any product has": lambda p: _facts(p, digits_certified=14),
    "an output outside its bounds": lambda p: _columns(p, output=lambda c: c.upper * 1.5),
    "an output that is not a number": lambda p: _columns(p, output=lambda c: c.output * np.nan),
    "another demand": lambda p: _columns(p, demand=lambda c: Demand.exact(c.demand.nominal * 2)),
    "a demand within bounds that nobody gave": lambda p: _columns(
        p, demand=lambda c: Demand(c.demand.nominal, c.demand.nominal - 1, c.demand.nominal + 1)
    ),
    "other products": lambda p: dataclasses.replace(p, ids=p.ids[::-1].copy()),
    "another version of the table": lambda p: _facts(p, table_version=7),
    "another table": lambda p: _facts(p, table_digest="0" * 64),
    "a table that is nowhere": lambda p: _facts(p, table="/nowhere/at/all"),
}


def _columns(plan, **fields):
    columns = [
        dataclasses.replace(old, **{name: change(old) for name, change in fields.items()})
        for old in plan.columns
    ]
    return dataclasses.replace(plan, columns=tuple(columns))


def _facts(plan, **facts):
    return dataclasses.replace(plan, facts=dict(plan.facts) | facts)


@pytest.mark.parametrize("contradiction", CONTRADICTIONS)
def test_a_plan_that_contradicts_itself_or_its_table_is_damaged(
    ogas, tmp_path, honest, contradiction
):
    write_plan(tmp_path / "p", CONTRADICTIONS[contradiction](honest["plan"]))
    ending = ogas("verify", "p", "--json")
    assert (ending.code, ending.facts["outcome"]) == (5, "damaged")
    assert "again" in ending.err


def test_bounds_of_a_demand_that_do_not_enclose_it_are_damaged(ogas, stored, tmp_path):
    write_demands(tmp_path, problems.solvable("sectors:S1"))
    ogas("plan", stored("sectors:S1"), "--demand", "ranged.csv", "-o", "p")

    def crossed(column):
        return Demand(column.demand.nominal, column.demand.upper, column.demand.lower)

    write_plan(tmp_path / "p", _columns(read_plan(tmp_path / "p"), demand=crossed))
    assert ogas("verify", "p").code == 5


def test_the_table_that_was_planned_must_be_there_and_unaltered(ogas, stored, tmp_path):
    table = stored("two_sectors")
    ogas("plan", table, "-o", "p")
    assert ogas("verify", "p").code == 0
    table.rename(tmp_path / "elsewhere")
    assert "the table that was planned is gone" in ogas("verify", "p").err
    (tmp_path / "elsewhere").rename(table)
    chunk = next(table.glob("blocks/*/own/data/c/0"))
    content = chunk.read_bytes()
    chunk.write_bytes(content[:3] + bytes([content[3] ^ 1]) + content[4:])
    assert ogas("verify", "p", "--json").code == 5
    shutil.rmtree(table)
    publish(table, problems.solvable("three_sectors"))
    assert "is not the one that was planned" in ogas("verify", "p").err


def test_a_plan_survives_the_next_version_of_its_table_but_not_the_loss_of_its_own(ogas, stored):
    table = stored("two_sectors")
    ogas("plan", table, "-o", "p")
    publish(table, dataclasses.replace(problems.solvable("two_sectors"), demand=np.ones(2)))
    assert ogas("verify", "p").code == 0
    next(table.glob("versions/000001-*")).unlink()
    ending = ogas("verify", "p", "--json")
    assert (ending.code, ending.facts["outcome"]) == (5, "damaged")


@pytest.mark.parametrize("place", ["zarr.json", "output/zarr.json", "output/c/0", "product/c/0"])
@pytest.mark.parametrize("way", ["cut", "emptied", "flipped", "removed"])
def test_a_damaged_file_is_never_certified_and_never_a_traceback(
    ogas, tmp_path, honest, place, way
):
    write_plan(tmp_path / "p", honest["plan"])
    file = tmp_path / "p" / place
    content = file.read_bytes()
    # What is flipped has to matter: in the middle of the metadata there may be a time of day.
    named = content.find(b'"table_digest": "')
    middle = len(content) // 2 if named < 0 else named + 20
    ways = {
        "cut": content[:middle],
        "emptied": b"",
        "flipped": content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :],
    }
    if way == "removed":
        file.unlink()
    else:
        file.write_bytes(ways[way])
    harmless = place == "output/zarr.json"  # the consolidated metadata say it too
    assert ogas("verify", "p", "--json").code == (0 if harmless else 5)


# ---- without the solver -------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["plan", "price"])
def test_no_sweep_and_no_compiled_kernel_takes_part(ogas, monkeypatch, command):
    ogas(command, "us-2021", "-o", "p")

    def refuse(*_, **__):
        raise RuntimeError("not without the solver")

    for kernel in ("jacobi", "gauss_seidel"):
        monkeypatch.setattr(sweep, kernel, refuse)
    for kernel in ("product", "residual"):
        monkeypatch.setattr(csr, kernel, refuse)
    monkeypatch.setattr(certify, "certificate_pass", refuse)
    defaults = inspect.unwrap(certificate.certify).__kwdefaults__
    monkeypatch.setitem(defaults, "certificate_pass", refuse)
    with pytest.raises(RuntimeError):
        problems.solved(problems.solvable("two_sectors"))
    assert ogas("verify", "p").code == 0


def test_what_verify_says_fits_what_the_plan_says(ogas, tmp_path):
    ogas("plan", "us-2021", "-o", "p")
    stored = json.loads((tmp_path / "p" / "zarr.json").read_text())["attributes"]
    facts = ogas("verify", "p", "--json").facts
    assert facts["relative_half_width"] <= 1.05 * stored["relative_half_width"]
    assert facts["digits_certified"] >= stored["digits_certified"]
