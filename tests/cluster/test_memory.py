"""What a run will take is told before it begins, and is enough."""

import json
from dataclasses import replace

import numpy as np
import problems
import pytest

from ogas.cluster.jobs.api import asked, submit, wait
from ogas.cluster.jobs.lease import read_lease
from ogas.cluster.jobs.store import JobStore
from ogas.cluster.memory import (
    INTERPRETER_BYTES,
    Run,
    burdens_of,
    coordinating_bytes,
    held_bytes,
    largest_inverse,
    needed_bytes,
    peak_memory,
    streaming_bytes,
)
from ogas.cluster.runtime.connecting import local_cluster
from ogas.cluster.runtime.schedule import Host, place
from ogas.datasets import gallery
from ogas.datasets.catalog import locate
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.datasets.store import open_store

SEED = 19370619
RUNS = {
    "plan": ["plan"],
    "price": ["price"],
    "as one matrix": ["plan", "--method", "anderson"],
    "prices as one matrix": ["price", "--method", "anderson"],
}


@pytest.fixture(scope="module")
def million(tmp_path_factory):
    """A stored table of a million coefficients in 30 blocks, beside which Python is still large."""
    place = tmp_path_factory.mktemp("million") / "t"
    gallery.write("sectors:S1", place, Parameters(products=20_000, inputs=50, seed=SEED))
    return place


@pytest.mark.parametrize("name", RUNS)
def test_a_run_takes_no_more_than_was_told_and_at_least_half(ogas, process, million, name):
    told = ogas(*RUNS[name], million, "--memory", "1MB", "--json")
    assert told.code == 6
    needed = int(told.facts["advice"].split()[2])
    done = process(*RUNS[name], million, "--memory", needed, "--json")
    assert done.code == 0
    assert needed / 2 < done.facts["peak_memory_bytes"] <= needed


def bytes_of(store, **run):
    return needed_bytes(store, Run(**({"in_blocks": True, "figures": 3} | run)))


def test_every_further_scenario_is_counted(stored):
    store = open_store(stored("sectors:S1"))
    for in_blocks in (True, False):
        counts = [bytes_of(store, plans=plans, in_blocks=in_blocks) for plans in (1, 2, 3)]
        steps = np.diff(counts)
        assert steps[0] == steps[1] > 8 * 300


def test_an_earlier_plan_is_counted(stored):
    store = open_store(stored("sectors:S1"))
    assert bytes_of(store, is_warm=True) >= bytes_of(store) + 8 * 8 * 300


def test_blocks_are_never_put_together(stored):
    table = generate("sectors:S1", Parameters(products=3000, inputs=60, seed=SEED))
    store = open_store(stored(table))
    vectors = 8 * len(table) * 56 + 80 * sum(b.ext for b in store.manifest.content.blocks)
    in_blocks = bytes_of(store) - INTERPRETER_BYTES - vectors
    assert 6 * table.nonzeros < in_blocks < 12 * table.nonzeros
    whole, *transposed = (bytes_of(store, in_blocks=False, transpositions=k) for k in range(3))
    assert whole > INTERPRETER_BYTES + 12 * table.nonzeros
    assert whole <= transposed[0] < transposed[1]


def test_entries_are_held_in_float32_where_that_is_enough(stored):
    single = problems.solvable("sectors:S1")
    double = replace(single, value_type="float64")
    narrow, wide = (
        open_store(stored(table, name)).manifest.content
        for name, table in (("single", single), ("double", double))
    )
    assert (held_bytes(narrow, 3), held_bytes(narrow, 10)) == (6, 6)
    assert (held_bytes(wide, 3), held_bytes(wide, 10)) == (10, 10)  # few entries: as they are
    large = replace(wide, blocks=tuple(replace(b, own=2**22) for b in wide.blocks))
    assert (held_bytes(large, 5), held_bytes(large, 6)) == (6, 10)


def test_text_takes_more_than_numbers(stored):
    table = problems.solvable("sectors:S1")
    named = replace(table, names=np.array([f"product {i:050}" for i in range(len(table))]))
    stores = [open_store(stored(one, name)) for name, one in (("a", table), ("b", named))]
    assert bytes_of(stores[1]) - bytes_of(stores[0]) >= 3 * 4 * 58 * len(table)


def test_a_refused_run_reads_no_block_and_no_demand(ogas, stored, monkeypatch):
    stored("sectors:S1")
    monkeypatch.setattr("ogas.datasets.store.StoredBlock", lambda *_: pytest.fail("a block"))
    ending = ogas("plan", "t", "--demand", "none.csv", "--memory", "1MB", "--json")
    assert (ending.code, json.loads(ending.out)["code"]) == (6, 6)


def test_a_worker_takes_no_more_than_was_told(million, tmp_path):
    store = open_store(million)
    run = Run(in_blocks=True, figures=6)
    burdens, common = burdens_of(store.manifest.content, run)
    wanted = asked("plan", million, output=tmp_path / "p", digits=6)
    with local_cluster(2, 1) as client:
        job = submit(wanted, store=JobStore(tmp_path / "jobs"), client=client)
        assert wait(job, patience=120).state == "certified"
        peaks = client.run(peak_memory)
    hosts = [Host(address) for address in peaks]
    schedule = place(burdens, hosts, common_bytes=common, earlier=None)
    owner = read_lease(job.path).owner
    for address, peak in peaks.items():
        told = common + sum(burdens[number].bytes for number in schedule.blocks_of(address))
        told += coordinating_bytes(store.manifest.content, run) * (address == owner)
        assert told / 3 < peak <= told


def needed_and_least(store, threads=2):
    run = Run(in_blocks=True, figures=3, is_simple=True)
    blocks = frozenset(range(len(store.manifest.content.blocks)))
    return needed_bytes(store, run), needed_bytes(store, run, blocks, threads)


@pytest.fixture(scope="module")
def broad(tmp_path_factory):
    """A stored table of two million coefficients, most of its memory."""
    place = tmp_path_factory.mktemp("broad") / "t"
    gallery.write("sectors:S3", place, Parameters(products=6_000, inputs=400, seed=SEED))
    return place


def vectors(plan):
    return {
        file.relative_to(plan): file.read_bytes()
        for file in plan.rglob("*")
        if file.is_file() and file.name != "zarr.json"
    }


def test_what_does_not_fit_is_streamed_with_the_same_bits(process, broad, tmp_path):
    needed, least = needed_and_least(open_store(broad))
    assert needed - least > 10**6
    words = ("plan", broad, "--threads", 2, "--json")
    held = process(*words, "-o", tmp_path / "held", "--memory", needed)
    some = process(*words, "-o", tmp_path / "some", "--memory", needed - 1)
    assert (held.code, some.code) == (0, 0)
    assert (held.facts["bytes_streamed"], some.facts["sweeps_per_read"]) == (0, 1)
    assert some.facts["bytes_streamed"] > 0
    assert vectors(tmp_path / "some") == vectors(tmp_path / "held")
    most = process(*words, "-o", tmp_path / "most", "--memory", least)
    assert (most.code, most.facts["sweeps_per_read"]) == (0, 2)
    assert most.facts["bytes_streamed"] > some.facts["bytes_streamed"]
    refused = process(*words, "--memory", least - 1)
    assert refused.code == 6
    assert f"--memory {least} or more" in refused.facts["advice"]


def test_workers_stream_what_does_not_fit_with_the_same_bits(process, broad, tmp_path):
    store = open_store(broad)
    run = Run(in_blocks=True, figures=3, is_simple=True)
    content = store.manifest.content
    burdens, common = burdens_of(content, run)
    both = sum(burden.bytes for burden in burdens) + coordinating_bytes(content, run)
    entries = sum(burden.entries for burden in burdens)
    enough = common + streaming_bytes(content, run) + (both - entries // 2) // 2
    words = ("plan", broad, "--workers", 2, "--json")
    plans = [tmp_path / name for name in ("held", "streamed")]
    whole = process(*words, "-o", plans[0], "--memory", common + both)
    some = process(*words, "-o", plans[1], "--memory", enough)
    assert (whole.code, whole.facts["bytes_streamed"], some.code) == (0, 0, 0)
    assert some.facts["bytes_streamed"] > 0
    if some.facts["sweeps_per_read"] == 1:
        assert vectors(plans[0]) == vectors(plans[1])


def test_blocks_that_nobody_looked_at_may_have_signs(stored):
    content = open_store(stored("sectors:S1")).manifest.content
    unknown = replace(content, blocks=tuple(replace(b, is_plain=False) for b in content.blocks))
    run = Run(in_blocks=True, figures=3, is_simple=True)
    assert content.is_plain
    assert run.column_bytes(content) == 8
    assert replace(run, figures=6).column_bytes(content) == 16
    assert run.column_bytes(unknown) == replace(run, is_simple=False).column_bytes(content) == 56


@pytest.mark.parametrize("recipe", ["sectors:S1,signed", "sectors:S1,households,units=mixed"])
def test_signs_and_dear_recipes_are_not_plain(stored, recipe):
    assert not open_store(stored(recipe)).manifest.content.is_plain


def test_the_whole_inverse_is_formed_in_what_a_run_leaves_of_the_memory():
    store, run = open_store(locate("us-2021")), Run(False, 6)
    needed = needed_bytes(store, run)
    assert largest_inverse(store, run, needed - 1) == 0
    assert largest_inverse(store, run, needed + 48 * 100**2) == 100
    assert largest_inverse(store, run, 2**60) == 4_096
