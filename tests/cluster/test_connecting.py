"""Workers started here, schedulers found elsewhere, and everything that can stand in the way."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import dask.config
import psutil
import pytest
from clusters import LONG, scheduler, until
from distributed import Security

from ogas.cluster.runtime import connecting, settings
from ogas.cluster.runtime.connecting import connect, local_cluster, within
from ogas.cluster.runtime.errors import ClusterError
from ogas.cluster.runtime.reaching import Tls
from ogas.engine.errors import PlanError, WrongUsageError

SHORT = 3.0  # a deadline that is meant to pass

pytestmark = pytest.mark.usefixtures("undisturbed")

RUN = """
import os, sys, time
from ogas.cluster.runtime.connecting import local_cluster

if __name__ == "__main__":
    try:
        with local_cluster(2) as client:
            print(*client.run(os.getpid).values(), flush=True)
            {body}
    except KeyboardInterrupt:
        sys.exit(130)
"""


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def children():
    return {process.pid for process in psutil.Process().children(recursive=True)}


def refusal(address, tls=None, deadline=SHORT):
    """The one line of a connection that fails."""
    with pytest.raises(ClusterError) as caught, connect(address, tls, deadline):
        pass
    assert isinstance(caught.value, ConnectionError)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.advice
    return line


def pem_files(folder):
    """A CA that is its own and only certificate, as three files."""
    made = Security.temporary()
    folder.mkdir()
    parts = {"ca": made.tls_ca_file, "cert": made.tls_client_cert, "key": made.tls_client_key}
    for name, text in parts.items():
        (folder / f"{name}.pem").write_text(text)
    return Tls(*(folder / f"{name}.pem" for name in parts))


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return pem_files(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    return pem_files(tmp_path_factory.mktemp("tls") / "foreign")


@pytest.fixture(scope="module")
def encrypted(ours):
    files = ("--tls-ca-file", ours.ca, "--tls-cert", ours.cert, "--tls-key", ours.key)
    with scheduler("--protocol", "tls", *map(str, files)) as (address, _):
        assert address.startswith("tls://")
        yield address


@pytest.mark.parametrize("setting", settings.SETTINGS, ids=lambda setting: setting.key)
def test_every_process_of_a_local_cluster_is_configured(cluster, setting):
    assert cluster.run_on_scheduler(dask.config.get, setting.key) == setting.value
    assert set(cluster.run(dask.config.get, setting.key).values()) == {setting.value}


# ---- Workers of this machine -----------------------------------------------------------------


def test_nothing_listens_beyond_this_machine(cluster):
    pids = [os.getpid(), *cluster.run(os.getpid).values()]
    lines = [line for pid in pids for line in psutil.Process(pid).net_connections("inet")]
    listening = [line.laddr.ip for line in lines if line.status == psutil.CONN_LISTEN]
    assert len(listening) >= 4
    assert set(listening) == {"127.0.0.1"}


def test_a_cluster_of_no_workers_is_wrong_usage():
    with pytest.raises(WrongUsageError, match="0 workers"), local_cluster(0):
        pass


def test_nothing_is_left_of_a_cluster_whose_run_fails():
    before, environment = children(), dict(os.environ)
    folders = []
    with pytest.raises(ZeroDivisionError):
        a_run_that_fails(folders)
    assert children() <= before
    assert folders
    assert not any(Path(folder).exists() for folder in folders)
    assert os.environ == environment


def a_run_that_fails(folders):
    with local_cluster(1) as client:
        folders += client.run(lambda dask_worker: dask_worker.local_directory).values()
        folders += [Path(folder).parent for folder in folders]
        raise ZeroDivisionError


def test_nothing_is_left_of_a_cluster_interrupted_while_it_starts(monkeypatch):
    before, start = children(), connecting._start

    def start_and_interrupt(*words):
        cluster = start(*words)
        os.kill(os.getpid(), signal.SIGINT)
        return cluster

    monkeypatch.setattr(connecting, "_start", start_and_interrupt)
    with pytest.raises(KeyboardInterrupt), local_cluster(1):
        pytest.fail("it was interrupted before")
    assert children() <= before


def test_nothing_is_left_of_a_worker_that_no_longer_listens():
    with local_cluster(1) as client:
        (pid,) = client.run(os.getpid).values()
        os.kill(pid, signal.SIGSTOP)
    assert gone(pid)


@pytest.fixture
def script(tmp_path):
    """Start a run with a terminal's process group of its own; give it and its workers' ids."""
    processes = []

    def start(body):
        (tmp_path / "run.py").write_text(RUN.format(body=body))
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "run.py")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        processes.append(process)
        return process, [int(word) for word in process.stdout.readline().split()]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_an_ordinary_run_prints_nothing_of_dask(script):
    process, workers = script("pass")
    out, err = process.communicate(timeout=LONG)
    assert (process.returncode, out, err) == (0, "", "")
    assert len(workers) == 2
    assert all(gone(pid) for pid in workers)


def test_an_interrupted_run_ends_its_workers_and_prints_nothing(script):
    process, workers = script("time.sleep(600)")
    for _ in range(2):  # people are impatient
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
        time.sleep(0.3)
    out, err = process.communicate(timeout=LONG)
    assert (process.returncode, out, err) == (130, "", "")
    assert all(gone(pid) for pid in workers)


def test_workers_do_not_outlive_a_run_that_is_killed(script):
    process, workers = script("time.sleep(600)")
    process.kill()
    process.wait(LONG)
    until(lambda: all(gone(pid) for pid in workers))


def test_a_worker_that_is_killed_comes_back_under_its_name_without_a_word(script):
    body = "os.kill(list(client.run(os.getpid).values())[0], 9); time.sleep(1)"
    body += "; client.wait_for_workers(2, timeout=60)"
    body += "; members = client.scheduler_info(n_workers=-1)['workers'].values()"
    body += "; print(*sorted(member['name'] for member in members))"
    process, _ = script(body)
    out, err = process.communicate(timeout=LONG)
    assert (process.returncode, out, err) == (0, "0 1\n", "")


# ---- Other people's schedulers ---------------------------------------------------------------


def test_a_scheduler_is_reached_and_left_running(in_clear):
    for _ in range(2):
        with connect(in_clear) as client:
            assert client.status == "running"
        assert client.status == "closed"


def test_an_encrypted_scheduler_is_reached(encrypted, ours):
    with connect(encrypted, ours) as client:
        assert client.status == "running"
    with connect(encrypted.removeprefix("tls://"), ours) as client:
        assert client.status == "running"


def test_the_tls_files_may_stand_in_the_configuration_of_dask(encrypted, ours):
    files = {"ca-file": ours.ca, "client.cert": ours.cert, "client.key": ours.key}
    tls = {f"distributed.comm.tls.{name}": str(path) for name, path in files.items()}
    with dask.config.set(tls), connect(encrypted) as client:
        assert client.status == "running"


@pytest.mark.parametrize(
    "address",
    ["", "tcp://", "tcp://host", "host:port", "tcp://h:99999", "http://h:1", "tcp://h:1/x", "[::1"],
)
def test_what_is_no_address_is_refused(address):
    assert "write tcp://host:port" in refusal(address)


def test_a_closed_port_is_told_apart(free_port):
    assert f"tcp://127.0.0.1:{free_port}: nothing listens there" in refusal(
        f"127.0.0.1:{free_port}"
    )


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_a_name_nobody_knows_is_told_apart():
    line = refusal("tcp://nobody.invalid:8786")
    assert "no machine is known as 'nobody.invalid'" in line or "no answer within" in line


def test_a_peer_that_says_nothing_is_not_waited_for(silent_port):
    assert "no answer within 3 s" in refusal(f"tcp://127.0.0.1:{silent_port}")
    assert "no answer within" in refusal(f"tcp://127.0.0.1:{silent_port}", deadline=0.5)


@pytest.fixture
def silent_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_scheduler_that_is_stopped_is_not_waited_for():
    with scheduler() as (address, process):
        os.kill(process.pid, signal.SIGSTOP)
        try:
            assert "no answer within" in refusal(address)
        finally:
            os.kill(process.pid, signal.SIGCONT)


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"hello", b""], ids=str)
def test_another_service_is_no_scheduler(greeting):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError), server.accept()[0] as line:
                line.sendall(greeting)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        line = refusal(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        thread.join(LONG)
    assert "not a Dask scheduler" in line


def test_an_encrypted_scheduler_addressed_in_clear(encrypted):
    line = refusal(encrypted.replace("tls", "tcp"))
    assert "this scheduler encrypts" in line
    assert f"write {encrypted}" in line


def test_a_scheduler_in_clear_addressed_by_tls(in_clear, ours):
    line = refusal(in_clear.replace("tcp", "tls"), ours)
    assert "addressed by TLS, and answers otherwise" in line
    assert f"write {in_clear}" in line


def test_tls_without_files(encrypted):
    assert "none is given" in refusal(encrypted)


def test_tls_files_for_an_address_in_clear(in_clear, ours):
    assert "tcp does not encrypt" in refusal(in_clear, ours)


def test_a_foreign_ca(encrypted, ours, foreign):
    assert "not signed by our CA" in refusal(encrypted, Tls(foreign.ca, ours.cert, ours.key))


def test_a_foreign_certificate(encrypted, ours, foreign):
    assert "refuses our certificate" in refusal(encrypted, Tls(ours.ca, foreign.cert, foreign.key))


def test_files_that_do_not_belong_together(encrypted, ours, foreign, tmp_path):
    assert "TLS files cannot be used" in refusal(encrypted, Tls(ours.ca, ours.cert, foreign.key))
    (tmp_path / "empty.pem").write_text("")
    assert "TLS files cannot be used" in refusal(
        encrypted, Tls(tmp_path / "empty.pem", ours.cert, ours.key)
    )


def test_tls_files_are_looked_at_before_anything_else(ours, tmp_path):
    with pytest.raises(WrongUsageError, match=r"nowhere\.pem: the TLS CA is not here"):
        Tls(tmp_path / "nowhere.pem", ours.cert, ours.key)
    (tmp_path / "locked.pem").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(WrongUsageError, match="locked with a password"):
        Tls(ours.ca, ours.cert, tmp_path / "locked.pem")


@pytest.mark.parametrize("wait", ["for an answer", "for a job"])
def test_a_connection_that_is_lost_is_told_so(wait):
    with pytest.raises(ClusterError, match=r"tcp://127.*: the connection is lost") as caught:
        lose_the_scheduler(wait)
    assert "\n" not in str(caught.value)
    assert caught.value.advice


def lose_the_scheduler(wait):
    with scheduler() as (address, process), connect(address) as client:
        job = client.submit(os.getpid)  # there is no worker to run it
        process.kill()
        process.wait(LONG)
        if wait == "for a job":
            job.result(timeout=LONG)
        client.run_on_scheduler(os.getpid)


def test_other_failures_of_a_run_are_its_own(in_clear):
    with pytest.raises(FileNotFoundError), connect(in_clear):
        raise FileNotFoundError("a table")


def test_failed_connections_print_nothing(encrypted, foreign, capfd):
    capfd.readouterr()
    refusal(encrypted, foreign)
    refusal(encrypted.replace("tls", "tcp"))
    assert capfd.readouterr() == ("", "")


def test_what_takes_too_long_is_left_behind():
    with pytest.raises(TimeoutError):
        within(0.01, threading.Event().wait)
    assert within(LONG, lambda: 42) == 42
    with pytest.raises(PlanError):
        within(LONG, lambda: refusal_of_a_thread())


def refusal_of_a_thread():
    raise ClusterError("no")
