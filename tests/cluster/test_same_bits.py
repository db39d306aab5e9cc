"""Who computes a plan cannot be seen in it: this process or any number of workers, bit for bit."""

import itertools

import pytest

from ogas.cluster.runtime.connecting import local_cluster
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.datasets.store import publish

SIZE = Parameters(products=3000, blocks=13, seed=20251120)
TABLES = {"S3": "sectors:S3", "mixed": "sectors:S1,signed,units=mixed"}
WORKERS = (1, 2, 4)
CASES = list(itertools.product(TABLES, ("plan", "price"), (3, 8)))


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    for name, recipe in TABLES.items():
        publish(folder / name, generate(recipe, SIZE))
    return folder


@pytest.fixture(scope="module")
def address(undisturbed):
    """The scheduler of four workers."""
    with local_cluster(max(WORKERS), threads=1) as client:
        yield client.scheduler.address


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("OGAS_JOBS", str(tmp_path / "jobs"))


def vectors(plan):
    """All numbers of a stored plan, as the bytes on the disk."""
    return {
        file.relative_to(plan): file.read_bytes()
        for file in plan.rglob("*")
        if file.is_file() and file.name != "zarr.json"
    }


@pytest.mark.parametrize(("table", "command", "digits"), CASES, ids=str)
def test_a_plan_has_the_same_bits_on_any_number_of_workers(
    ogas, tables, address, tmp_path, table, command, digits
):
    words = (command, tables / table, "--digits", digits, "--json")
    here = ogas(*words, "-o", "here").facts
    assert (here["outcome"], here["method"]) == ("certified", "orders-and-tables")
    expected = vectors(tmp_path / "here")
    assert len(expected) >= 8
    for workers in WORKERS:
        place = ("--scheduler", address, "--workers", workers)
        facts = ogas(*words, "-o", f"on-{workers}", *place).facts
        assert facts["workers"] == workers
        assert vectors(tmp_path / f"on-{workers}") == expected
        for name in ("passes", "exchanges", "bytes_exchanged", "relative_half_width", "totals"):
            assert facts[name] == here[name]
        # What stays between blocks of one worker is not sent.
        assert (facts["bytes_between_workers"] > 0) == (workers > 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_started_for_one_plan_compute_its_bits(ogas, tables, tmp_path, workers):
    words = ("plan", tables / "S3", "--digits", 6, "--json")
    here = ogas(*words, "-o", "here").facts
    there = ogas(*words, "-o", "there", "--workers", workers).facts
    assert (here["workers"], there["workers"]) == (1, workers)
    assert set(there) == {*here, "bytes_between_workers"}
    assert vectors(tmp_path / "there") == vectors(tmp_path / "here")
    assert not (tmp_path / "jobs").exists()
