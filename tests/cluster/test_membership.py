"""Every worker is looked at before it is given blocks, and named if it is not fit to compute."""

import os
import pydoc
import signal
from pathlib import Path

import pytest
from clusters import LONG, started
from distributed.versions import get_versions

from ogas.cluster.runtime import membership
from ogas.cluster.runtime.connecting import connect
from ogas.cluster.runtime.errors import ClusterError
from ogas.cluster.runtime.membership import check_visible, check_workers
from ogas.cluster.runtime.versions import PACKAGES

SHORT = 3.0  # a deadline that is meant to pass

pytestmark = pytest.mark.usefixtures("undisturbed")


def test_local_workers_are_fit_to_compute(cluster):
    members = check_workers(cluster)
    assert [member.name for member in members] == ["0", "1"]
    assert all(member.holds_blocks and member.coordinates for member in members)
    assert set(cluster.run(os.getenv, "OGAS_THREADS").values()) == {"1"}


def complaint(check, *words):
    with pytest.raises(ClusterError) as caught:
        check(*words)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.advice
    return line


def test_without_workers_the_command_that_starts_one_is_told(in_clear):
    with connect(in_clear) as client:
        line = complaint(check_workers, client)
    assert "no worker offers the resource 'block'" in line
    assert f'dask worker {in_clear} --nthreads 1 --memory-limit 0 --resources "block=1' in line


def test_workers_without_our_resources_do_not_count(in_clear):
    with (
        started("worker", in_clear, "--resources", "block=1", "--no-dashboard", "--name", "bare"),
        connect(in_clear) as client,
    ):
        client.wait_for_workers(1, timeout=LONG)
        assert "no worker offers the resource 'coordinator'" in complaint(check_workers, client)


def test_a_worker_without_the_preload_is_named(in_clear):
    words = ("--resources", "block=1,coordinator=1", "--no-dashboard", "--name", "bare")
    with started("worker", in_clear, *words), connect(in_clear) as client:
        client.wait_for_workers(1, timeout=LONG)
        line = complaint(check_workers, client)
    assert "worker bare (tcp://127.0.0.1:" in line
    assert "was not prepared; start it with --preload ogas.cluster.worker" in line


@pytest.mark.parametrize("package", ["python", *PACKAGES])
def test_workers_with_other_versions_are_named_with_both(cluster, monkeypatch, package):
    theirs = get_versions(packages=PACKAGES)["packages"][package]
    monkeypatch.setattr(membership, "get_versions", Pretending(package))
    line = complaint(check_workers, cluster)
    assert "worker 0 (tcp://127.0.0.1:" in line
    assert f"has {package} {theirs} and we 1.2.3" in line
    assert "worker 1" in line


class Pretending:
    """`get_versions` with another version of one package; on its way to a worker it is itself."""

    def __init__(self, package):
        self.package = package

    def __call__(self, packages):
        found = get_versions(packages=packages)
        found["packages"][self.package] = "1.2.3"
        return found

    def __reduce__(self):
        return pydoc.locate, ("distributed.versions.get_versions",)


def test_a_worker_that_lacks_ogas_is_named(cluster, monkeypatch):
    monkeypatch.setattr(membership, "PACKAGES", (*PACKAGES, "ogas-of-tomorrow"))
    monkeypatch.setattr(membership, "get_versions", Pretending("ogas-of-tomorrow"))
    assert "lacks ogas-of-tomorrow 1.2.3" in complaint(check_workers, cluster)


def test_a_worker_of_other_versions_that_comes_late_is_not_taken(cluster):
    async def greeted(dask_worker):
        return await dask_worker.plugins["ogas"].hello("night-7", 1, "python 2.7.18")

    assert [found["status"] for found in cluster.run(greeted).values()] == ["unfit", "unfit"]
    free = cluster.run(lambda dask_worker: dask_worker.metrics["ogas"](dask_worker))
    assert [found["job"] for found in free.values()] == ["", ""]


def test_a_worker_that_hangs_is_named(cluster):
    members = check_workers(cluster)
    (pid,) = cluster.run(os.getpid, workers=[members[1].address]).values()
    os.kill(pid, signal.SIGSTOP)
    try:
        line = complaint(check_workers, cluster, SHORT)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert line.count("worker ") == 1
    assert "worker 1 (tcp://127.0.0.1:" in line
    assert "fails (no answer within 3 s)" in line


def test_a_path_that_workers_do_not_see_is_named(cluster, tmp_path):
    check_visible(cluster, tmp_path)
    line = complaint(check_visible, cluster, tmp_path / "elsewhere")
    assert "worker 0 (tcp://127.0.0.1:" in line
    assert f"cannot read {tmp_path / 'elsewhere'}" in line


def test_a_relative_path_is_ours(cluster, tmp_path, monkeypatch):
    (tmp_path / "table").mkdir()
    monkeypatch.chdir(tmp_path)
    check_visible(cluster, Path("table"))
