"""Plans on disk: what anyone reads with xarray, and that reading gives back what was written."""

import dataclasses
import errno
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import problems
import pytest
import xarray as xr

from ogas.datasets import atomic, plans
from ogas.datasets.plans import read_plan, write_plan
from ogas.engine.balance import Demand
from ogas.engine.errors import DamagedError, WrongUsageError
from ogas.engine.iterate import Precision
from ogas.engine.plan import Column, Plan, Request, column, draw_up
from ogas.engine.source import Source

QUANTITIES = [
    "output",
    "lower",
    "upper",
    "figures",
    "demand",
    "turnover",
    "witness",
    "upstreamness",
]
PRICES = ["value", "lower", "upper", "figures", "direct", "turnover", "witness", "upstreamness"]
FACTS = {
    **{"table": "us-2021", "table_version": 1, "table_digest": "f00d", "demand_from": "table"},
    **{"outcome": "certified", "products": 0, "method": "anderson", "passes": 7},
    **{"digits_requested": 3, "digits_certified": 3, "versions": {"numpy": "2"}, "total": None},
}


def planned(table, kind="quantities", demands=(), delta=0.0, factors=()):
    """A plan of a table, with facts enough to be read."""
    request = Request(kind, None, Precision(3), dict(demands), factors, delta)
    columns = tuple(
        column(table, name, solution.demands[0], solution.certificate, kind)
        for name, solution in draw_up(Source.of(table), request).items()
    )
    return Plan(kind, table.ids, table.names, columns, delta, FACTS | {"products": len(table)})


def two_factors(table):
    """The table with a second factor and names, a unit for each product, and text for ids."""
    n = len(table)
    return dataclasses.replace(
        table,
        ids=np.array([f"produit-é-{i}" for i in range(n)]),
        names=np.array([f"名前 {i}" for i in range(n)]),
        units=np.array([f"unit of {i}" for i in range(n)]),
        factors=dict(table.factors) | {"CO₂": np.linspace(0.1, 2, n)},
        factor_units={"labour": "h", "CO₂": "t"},
    )


def ranged(table):
    f = np.abs(table.demand) + 1
    return Demand(f, f * 0.999, f * 1.001)


def scenarios(table):
    """Three demands, of which the second is known within bounds, and the third is called labour."""
    f = np.abs(table.demand)
    return {"été": Demand.exact(f), "hiver": ranged(table), "labour": Demand.exact(f[::-1].copy())}


TABLE = problems.solvable("sectors:S1")
PLANS = {
    "quantities": lambda: planned(TABLE),
    "quantities in many units, named": lambda: planned(two_factors(TABLE)),
    "an uncertain demand": lambda: planned(TABLE, demands={"": ranged(TABLE)}),
    "uncertain recipes": lambda: planned(TABLE, delta=1e-4),
    "prices": lambda: planned(TABLE, "values"),
    "prices in one of two factors": lambda: planned(two_factors(TABLE), "values", factors=("CO₂",)),
    "prices in two factors": lambda: planned(two_factors(TABLE), "values"),
    "a signed table": lambda: planned(problems.solvable("by_product")),
    "products that nobody wants": lambda: planned(problems.solvable("nobody_wants")),
    "several scenarios": lambda: planned(TABLE, demands=scenarios(TABLE)),
    "several scenarios in many units, named": lambda: planned(
        two_factors(TABLE), demands=scenarios(TABLE)
    ),
    "a single product": lambda: planned(problems.table_of([[0.5]])),
}


@pytest.fixture(params=PLANS, name="plan")
def _plan(request):
    return PLANS[request.param]()


def same(one, other):
    """Whether two plans are equal in every number, text and type."""
    assert (one.kind, one.delta, one.facts) == (other.kind, other.delta, other.facts)
    _alike(one.ids, other.ids)
    _alike(one.names, other.names)
    assert len(one.columns) == len(other.columns)
    for left, right in zip(one.columns, other.columns, strict=True):
        for part in dataclasses.fields(Column):
            wanted, found = getattr(left, part.name), getattr(right, part.name)
            if part.name == "units" and isinstance(wanted, str):
                wanted = wanted or "unit"  # every variable has a unit
            if part.name != "demand":
                _alike(wanted, found)
        assert left.demand.is_exact == right.demand.is_exact
        for part in ("nominal", "lower", "upper"):
            _alike(getattr(left.demand, part), getattr(right.demand, part))
    return True


def _alike(one, other):
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype.kind == other.dtype.kind
        assert one.tolist() == other.tolist()
    else:
        assert one == other


def test_reading_gives_back_what_was_written(plan, tmp_path):
    write_plan(tmp_path / "p.zarr", plan)
    assert same(plan, read_plan(tmp_path / "p.zarr"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["p.zarr"]


def test_xarray_opens_it_as_it_is_agreed(plan, tmp_path):
    write_plan(tmp_path / "p.zarr", plan)
    opened = xr.open_zarr(tmp_path / "p.zarr", consolidated=True).load()
    several = {"quantities": "scenario", "values": "factor"}[plan.kind]
    apart = {several: len(plan.columns)} if len(plan.columns) > 1 else {}
    names = PRICES if plan.kind == "values" else QUANTITIES
    is_exact = all(column.demand.is_exact for column in plan.columns)
    bounds = [] if is_exact else ["demand_lower", "demand_upper"]
    assert set(opened.data_vars) == {*names, *bounds}
    assert dict(opened.sizes) == {"product": len(plan.ids)} | apart
    assert opened["product"].values.tolist() == plan.ids.tolist()
    for name, variable in opened.data_vars.items():
        assert variable.dims == (*apart, "product")
        assert variable.attrs["units"]
        assert variable.attrs["long_name"]
        assert variable.dtype == (np.int8 if name == "figures" else np.float64)
        assert np.isfinite(variable).all()  # zeros did not become missing numbers
    assert opened["figures"].max() <= 15
    first = opened.isel(dict.fromkeys(apart, 0))
    assert (first["lower"] <= first[names[0]]).all()
    assert (first[names[0]] <= first["upper"]).all()
    assert first[names[0]].values.tolist() == plan.columns[0].output.tolist()


def test_ids_are_integers_or_text_of_variable_length(tmp_path):
    write_plan(tmp_path / "numbered", PLANS["quantities"]())
    write_plan(tmp_path / "named", PLANS["quantities in many units, named"]())
    numbered, named = (xr.open_zarr(tmp_path / name) for name in ("numbered", "named"))
    assert numbered["product"].dtype == np.int64
    assert named["product"].dtype.kind in "OT"
    assert named["name"].values[7] == "名前 7"
    assert named["unit"].values[7] == "unit of 7"
    assert named["output"].attrs["units"] == "see the coordinate unit"


def test_a_factor_is_chosen_by_its_name(tmp_path):
    plan = PLANS["prices in two factors"]()
    write_plan(tmp_path / "p", plan)
    opened = xr.open_zarr(tmp_path / "p")
    assert opened["factor"].values.tolist() == ["labour", "CO₂"]
    priced = opened.sel(factor="CO₂")
    assert priced["value"].values.tolist() == plan.columns[1].output.tolist()
    assert priced["unit"].values[3] == "t per unit of 3"


def test_a_scenario_is_chosen_by_its_name_and_has_the_units_of_outputs(tmp_path):
    for name in ("several scenarios", "several scenarios in many units, named"):
        plan = PLANS[name]()
        write_plan(tmp_path / name, plan)
        opened = xr.open_zarr(tmp_path / name)
        assert opened["scenario"].values.tolist() == ["été", "hiver", "labour"]
        called_like_a_factor = opened.sel(scenario="labour")
        assert called_like_a_factor["output"].values.tolist() == plan.columns[2].output.tolist()
    assert opened["unit"].dims == ("product",)
    assert opened["unit"].values[7] == "unit of 7"
    shared = xr.open_zarr(tmp_path / "several scenarios")
    assert shared["output"].attrs["units"] == (TABLE.units or "unit")
    assert "unit" not in shared.variables


def test_bounds_of_one_scenario_leave_the_others_exact(tmp_path):
    write_plan(tmp_path / "p", PLANS["several scenarios"]())
    opened = xr.open_zarr(tmp_path / "p").load()
    width = (opened["demand_upper"] - opened["demand_lower"]).max("product")
    assert [bool(one > 0) for one in width] == [False, True, False]
    back = read_plan(tmp_path / "p")
    assert [column.demand.is_exact for column in back.columns] == [True, False, True]


def test_a_plan_of_quantities_from_before_there_were_scenarios_is_read(tmp_path, monkeypatch):
    plan = PLANS["a signed table"]()
    monkeypatch.setitem(plans.DIMENSIONS, "quantities", "factor")
    write_plan(tmp_path / "p", plan)
    monkeypatch.undo()
    assert xr.open_zarr(tmp_path / "p").attrs["factors"] == []
    assert same(plan, read_plan(tmp_path / "p"))


def test_the_attributes_say_where_it_comes_from(tmp_path):
    write_plan(tmp_path / "p", PLANS["uncertain recipes"]())
    attributes = xr.open_zarr(tmp_path / "p").attrs
    assert attributes["delta"] == 1e-4
    for name, value in FACTS.items():
        assert attributes[name] == (len(TABLE) if name == "products" else value)


def test_a_unit_of_time_stays_a_number(tmp_path):
    table = dataclasses.replace(TABLE, units="hours")
    write_plan(tmp_path / "p", planned(table))
    assert xr.open_zarr(tmp_path / "p")["output"].dtype == np.float64
    assert read_plan(tmp_path / "p").columns[0].units == "hours"


# ---- replacing ----------------------------------------------------------------------------------


def noted(number):
    plan = PLANS["a signed table"]()
    return dataclasses.replace(plan, facts=dict(plan.facts) | {"night": number})


@pytest.mark.parametrize("what", ["file", "folder", "table", "other zarr"])
def test_what_is_not_a_plan_is_never_replaced(tmp_path, what):
    place = tmp_path / "precious"
    if what == "file":
        place.write_text("diary")
    elif what == "other zarr":
        xr.Dataset({"x": ("y", [1.0])}).to_zarr(place, zarr_format=3, consolidated=False)
    else:
        place.mkdir()
        (place / ("CURRENT" if what == "table" else "diary")).write_text("{}")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(WrongUsageError, match=r"not a plan stands here; choose .* -o PLAN"):
        write_plan(place, noted(1))
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_a_link_to_a_plan_stays_a_link(tmp_path):
    (tmp_path / "plans").mkdir()
    write_plan(tmp_path / "plans" / "monday", noted(1))
    (tmp_path / "today").symlink_to("plans/monday")
    write_plan(tmp_path / "today", noted(2))
    assert (tmp_path / "today").is_symlink()
    assert read_plan(tmp_path / "plans" / "monday").facts["night"] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plans", "today"]


def full_after(monkeypatch, steps):
    """Let the disk be full after some steps towards it."""
    left = {"steps": steps}

    def counted(step):
        def call(*arguments, **options):
            left["steps"] -= 1
            if left["steps"] < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return step(*arguments, **options)

        return call

    for name in ("rename", "fsync"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))


@pytest.mark.parametrize("steps", [0, 1, 5, 20, 40])
def test_a_full_disk_leaves_the_old_plan_and_nothing_else(tmp_path, monkeypatch, steps):
    write_plan(tmp_path / "p", noted(1))
    full_after(monkeypatch, steps)
    for name in ("p", "new"):
        with pytest.raises(DamagedError, match=r"the disk is full; nothing was changed"):
            write_plan(tmp_path / name, noted(2))
        assert read_plan(tmp_path / "p").facts["night"] == 1
        assert [entry.name for entry in tmp_path.iterdir()] == ["p"]


def test_a_disk_that_fills_up_while_numbers_are_written_leaves_the_old_plan(tmp_path, monkeypatch):
    write_plan(tmp_path / "p", noted(1))

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("zarr.storage._local._put", full)
    with pytest.raises(DamagedError, match="the disk is full"):
        write_plan(tmp_path / "p", noted(2))
    monkeypatch.undo()
    assert read_plan(tmp_path / "p").facts["night"] == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["p"]


PLANNER = """
import sys
from pathlib import Path
from test_plans import noted
from ogas.datasets.plans import write_plan
for night in range(2, 10_000):
    write_plan(Path(sys.argv[1]), noted(night))
    print("written", flush=True)
"""


def test_a_real_kill_leaves_a_complete_plan(tmp_path):
    path = tmp_path / "p"
    write_plan(path, noted(1))
    here = os.path.dirname(__file__)
    folders = [here, os.path.dirname(here), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, folders))}
    for moment in (0.013, 0.061):
        process = subprocess.Popen(
            [sys.executable, "-c", PLANNER, path], stdout=subprocess.PIPE, env=environment
        )
        with process:
            assert process.stdout.readline() == b"written\n"
            end = time.monotonic() + moment
            while time.monotonic() < end:
                assert (path / "zarr.json").exists()  # at no moment is there no plan
            process.send_signal(signal.SIGKILL)
        night = read_plan(path).facts["night"]
        assert night > 1
        assert same(noted(night), read_plan(path))
    write_plan(path, noted(0))
    assert read_plan(path).facts["night"] == 0
    assert not [entry for entry in tmp_path.iterdir() if entry.name.startswith(atomic.PREFIX)]


def test_a_plan_is_replaced_where_names_cannot_be_exchanged(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_exchange", lambda *_: False)
    for night in (1, 2):
        write_plan(tmp_path / "p", noted(night))
    assert read_plan(tmp_path / "p").facts["night"] == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["p"]


# ---- damage -------------------------------------------------------------------------------------


def harmed(content):
    """Ways to harm a file: remove it, cut it, empty it, flip one bit here and there."""
    yield None
    for place in sorted({0, len(content) // 2, len(content) - 2}):
        yield content[:place] + bytes([content[place] ^ 0x01]) + content[place + 1 :]
    yield content[:-1]
    yield b""


def reads_truly_or_says_so(path, plan):
    """Whether the damage was noticed; if it was not, the plan must be the same."""
    found = damage = None
    try:
        found = read_plan(path)
    except DamagedError as error:
        damage = error
    if damage is None:
        return not same(plan, found)
    assert str(path) in str(damage)
    assert "\n" not in str(damage)
    assert damage.advice == "plan it again"
    return True


@pytest.mark.parametrize(
    ("name", "ways"),
    [("a signed table", 6), ("prices in two factors", 2), ("several scenarios", 2)],
)
def test_no_damage_to_any_file_gives_another_plan(tmp_path, name, ways):
    plan, path = PLANS[name](), tmp_path / "p"
    write_plan(path, plan)
    files = [file for file in path.rglob("*") if file.is_file()]
    assert len(files) > 15
    for file in files:
        content = file.read_bytes()
        for damage in list(harmed(content))[:ways]:
            if damage is None:
                file.unlink()
            else:
                file.write_bytes(damage)
            noticed = reads_truly_or_says_so(path, plan)
            # Consolidated metadata stand in for those of a single variable.
            assert noticed or file.name == "zarr.json", file
        file.write_bytes(content)
    assert not reads_truly_or_says_so(path, plan)


def test_every_single_bit_of_the_attributes_counts(tmp_path):
    plan, path = PLANS["a signed table"](), tmp_path / "p"
    write_plan(path, plan)
    content = (path / "zarr.json").read_bytes()
    for place in range(0, len(content), 97):
        (path / "zarr.json").write_bytes(
            content[:place] + bytes([content[place] ^ 0x02]) + content[place + 1 :]
        )
        reads_truly_or_says_so(path, plan)


def test_a_plan_can_be_replaced_however_damaged_its_attributes(tmp_path):
    write_plan(tmp_path / "p", noted(1))
    file = tmp_path / "p" / "zarr.json"
    file.write_bytes(file.read_bytes() + b"\xff\xfe")
    with pytest.raises(DamagedError):
        read_plan(tmp_path / "p")
    write_plan(tmp_path / "p", noted(2))
    assert read_plan(tmp_path / "p").facts["night"] == 2


@pytest.mark.parametrize(("number", "advice"), [(1, "compute it again"), (3, "upgrade ogas")])
def test_a_plan_of_another_format_is_named(tmp_path, number, advice):
    write_plan(tmp_path / "p", noted(1))
    file = tmp_path / "p" / "zarr.json"
    file.write_text(file.read_text().replace('"ogas_plan": 2', f'"ogas_plan": {number}'))
    with pytest.raises(DamagedError, match=rf"of format {number}, and .* reads 2; {advice}"):
        read_plan(tmp_path / "p")


def test_a_zarr_directory_without_a_plan_is_wrong_usage(tmp_path):
    xr.Dataset({"x": ("y", [1.0])}).to_zarr(tmp_path / "z", zarr_format=3, consolidated=False)
    for place in ("z", "nothing"):
        with pytest.raises(WrongUsageError, match="plan"):
            read_plan(tmp_path / place)


def test_the_written_plan_is_a_copy_that_may_be_moved(tmp_path):
    write_plan(tmp_path / "p", noted(1))
    shutil.move(tmp_path / "p", tmp_path / "q")
    assert same(noted(1), read_plan(tmp_path / "q"))
