"""The recipes for clusters are parsed, validated, and run as far as one machine can."""

import copy
import logging
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import dask.config
import pytest
import yaml
from checkout import ROOT
from distributed.cli.dask_scheduler import main as dask_scheduler
from distributed.cli.dask_worker import main as dask_worker
from distributed.worker_memory import parse_memory_limit

from ogas.cluster.recipes.slurm import Node, jobs
from ogas.cluster.runtime import settings
from ogas.cluster.runtime.connecting import connect
from ogas.cluster.runtime.errors import ClusterError
from ogas.cluster.runtime.membership import START, check_workers

pytest.importorskip("dask_jobqueue")  # now: its defaults join the configuration once

RECIPES = ROOT / "cluster" / "recipes"
PROGRAMS = Path(sys.executable).parent
LONG = 60
FENCED = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)
UNITS = ("ogas-scheduler.service", "ogas-worker@.service")
NODE = Node(queue="regular", cores=32, memory="120G", minutes=90, interface="lo")


def blocks(heading, language="sh"):
    """The code blocks of one section of the README."""
    sections = re.split(r"^## ", (RECIPES / "README.md").read_text(), flags=re.M)
    (section,) = (section for section in sections if section.startswith(heading))
    return [block for kind, block in FENCED.findall(section) if kind == language]


def commands(block):
    lines = block.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def unit(name):
    """The lines of a unit as (key, value), continued lines joined."""
    text = (RECIPES / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and line[0] not in "#["]
    return [tuple(line.split("=", 1)) for line in lines]


def pods():
    documents = list(yaml.safe_load_all((RECIPES / "kubernetes.yaml").read_text()))
    return [
        one["spec"]["template"]["spec"] for one in documents if "template" in one.get("spec", {})
    ]


def every_dask_command():
    """Whatever starts a scheduler or a worker in any recipe, as words after ``dask``."""
    readme = FENCED.findall((RECIPES / "README.md").read_text())
    found = [words for kind, block in readme if kind == "sh" for words in commands(block)]
    for name in UNITS:
        found += [shlex.split(value) for key, value in unit(name) if key == "ExecStart"]
    found += [pod["containers"][0]["command"] + pod["containers"][0]["args"] for pod in pods()]
    found.append(shlex.split(START.format(address="tcp://host:8786")))
    return [words[1:] for words in found if words[0].split("/")[-1] == "dask"]


def parsed(words):
    """What Dask's own parser makes of a command; it lets unknown options pass as arguments."""
    kind, *arguments = words
    parser = {"scheduler": dask_scheduler, "worker": dask_worker}[kind]
    found = parser.make_context(kind, arguments).params
    assert found["preload_argv"] == ()
    return found


@pytest.fixture(autouse=True)
def undisturbed():
    before = copy.deepcopy(dask.config.config)
    yield
    dask.config.config.clear()
    dask.config.config.update(before)


# ---- What every recipe must say --------------------------------------------------------------


def test_there_are_recipes():
    assert len(every_dask_command()) == 9


@pytest.mark.parametrize("words", every_dask_command(), ids=" ".join)
def test_dask_accepts_every_command(words):
    assert parsed(words)


@pytest.mark.parametrize(
    "words", [words for words in every_dask_command() if words[0] == "worker"], ids=" ".join
)
def test_every_worker_is_one_of_ours(words):
    found = parsed(words)
    assert found["scheduler"].startswith(("tcp://", "tls://"))
    assert found["nthreads"] == 1
    assert parse_memory_limit(found["memory_limit"], 1, logger=logging.root) is None
    assert found["resources"] == "block=1,coordinator=1"
    assert found["preload"] == ("ogas.cluster.worker",)


@pytest.mark.parametrize(
    "words", [words for words in every_dask_command() if words[0] == "scheduler"], ids=" ".join
)
def test_every_scheduler_shows_plans(words):
    assert parsed(words)["preload"] == ("ogas.cluster.dashboard",)


@pytest.mark.parametrize(
    "words", [words for words in every_dask_command() if "host" not in words[1]], ids=" ".join
)
def test_no_dashboard_is_open_to_a_network(words):
    assert parsed(words)["dashboard_address"].startswith("127.0.0.1:")


# ---- By hand ---------------------------------------------------------------------------------


@pytest.fixture
def start(tmp_path):
    """Start a command of the README in a folder of its own; ended by its id."""
    processes = []

    def run(words, env):
        assert words[0] == "dask"
        with (tmp_path / f"{words[1]}.log").open("w") as log:
            processes.append(
                subprocess.Popen(
                    [PROGRAMS / "dask", *words[1:]],
                    env=env,
                    cwd=tmp_path,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )

    yield run
    for process in reversed(processes):
        process.terminate()
        try:
            process.wait(LONG)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(LONG)


def with_free_ports(words):
    """The same commands on ports that nobody uses."""
    for port in sorted(set(re.findall(r":(\d{4})\b|port (\d{4})\b", words))):
        (number,) = filter(None, port)
        with socket.create_server(("127.0.0.1", 0)) as server:
            words = re.sub(rf"\b{number}\b", str(server.getsockname()[1]), words)
    return words


def environment(block, folder):
    """What a shell has in its environment after the commands of a block."""
    script = f"set -e; cd {shlex.quote(str(folder))}; {block}\nprintf '%s' \"$DASK_CONFIG\""
    env = os.environ | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], env=env, capture_output=True, text=True, check=True
    )
    return env | {"DASK_CONFIG": done.stdout, "OGAS_THREADS": "1"}


def connected_when_ready(address, look):
    """Connect as soon as the scheduler is there, and look as soon as the worker is."""
    end = time.monotonic() + LONG
    while True:
        try:
            with connect(address) as client:
                members = check_workers(client)
                return members, look(client)
        except ClusterError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def configuration(client):
    keys = [setting.key for setting in settings.SETTINGS]
    here = client.run_on_scheduler(lambda: [dask.config.get(key) for key in keys])
    (there,) = client.run(lambda: [dask.config.get(key) for key in keys]).values()
    return here, there


def test_the_recipe_by_hand_works_as_written(start, tmp_path):
    configure, *servers = blocks("By hand")
    env = environment(configure, tmp_path)
    for words in commands(with_free_ports("\n".join(servers))):
        start(words, env)
    address = next(word for word in words if word.startswith("tcp://"))
    (member,), (here, there) = connected_when_ready(address, configuration)
    assert member.holds_blocks
    assert member.coordinates
    assert here == there == [setting.value for setting in settings.SETTINGS]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")
def test_the_recipe_for_a_network_works_as_written(start, tmp_path):
    certify, *servers = blocks("On a network")
    env = environment(certify, tmp_path) | {"DASK_CONFIG": str(tmp_path)}
    (tls,) = blocks("On a network", "yaml")
    tls = tls.replace("/etc/ogas", str(tmp_path))
    (tmp_path / "dask.yaml").write_text(settings.as_yaml())
    (tmp_path / "tls.yaml").write_text(tls)
    block = re.sub(r"10\.0\.0\.\d", "127.0.0.1", "\n".join(servers))
    for words in commands(with_free_ports(block)):
        start(words, env)
    address = next(word for word in words if word.startswith("tls://"))
    dask.config.update(dask.config.config, yaml.safe_load(tls))
    (member,), _ = connected_when_ready(address, configuration)
    assert member.address.startswith("tls://")


# ---- Under systemd ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_finds_nothing_to_complain_of(name, tmp_path):
    text = (RECIPES / name).read_text().replace("/opt/ogas/bin", str(PROGRAMS))
    (tmp_path / name).write_text(text)
    instance = name.replace("@", "@0-15")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", f"./{instance}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_units_start_again_and_may_write_little(name):
    said = dict(unit(name))
    assert said["Restart"] == "always"
    assert said["StartLimitIntervalSec"] == "0"
    assert said["NoNewPrivileges"] == "yes"
    assert said["ProtectSystem"] == "strict"
    assert "MemoryDenyWriteExecute" not in said


# ---- On SLURM --------------------------------------------------------------------------------


def worker_of(script):
    (line,) = (line for line in script.splitlines() if "distributed.cli.dask_worker" in line)
    return ["worker", *shlex.split(line)[3:]]


def test_a_slurm_job_starts_one_worker_of_ours():
    with jobs(NODE) as cluster:
        script = cluster.job_script()
    found = parsed(worker_of(script))
    assert found["nthreads"] == 1
    assert parse_memory_limit(found["memory_limit"], 1, logger=logging.root) is None
    assert found["resources"] == "block=1,coordinator=1"
    assert found["preload"] == ("ogas.cluster.worker",)
    assert found["interface"] == "lo"
    assert found["lifetime"] == "80m"
    for line in ("#SBATCH -p regular", "#SBATCH --cpus-per-task=32", "#SBATCH --mem=120G"):
        assert line in script
    assert "#SBATCH -t 01:30:00" in script


def test_a_slurm_job_brings_its_configuration():
    with jobs(NODE) as cluster:
        script = cluster.job_script()
    exports = [line for line in script.splitlines() if line.startswith("export ")]
    assert "export OGAS_THREADS=32" in exports
    assert f"export MALLOC_TRIM_THRESHOLD_={2**26}" in exports
    known = [setting for setting in settings.SETTINGS if "environ" not in setting.key]
    keys = [setting.key for setting in known]
    ask = "import dask.config, distributed; print([dask.config.get(key) for key in {keys}])"
    python = shlex.join([sys.executable, "-c", ask.format(keys=keys)])
    done = subprocess.run(
        ["bash", "-c", "\n".join([*exports, python])], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str([setting.value for setting in known])


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")
def test_slurm_jobs_encrypt_where_the_configuration_says_so(tmp_path):
    certify, *_ = blocks("On a network")
    environment(certify, tmp_path)
    (tls,) = blocks("On a network", "yaml")
    tls = yaml.safe_load(tls.replace("/etc/ogas", str(tmp_path)))
    dask.config.update(dask.config.config, tls)
    with jobs(NODE) as cluster:
        assert cluster.scheduler_address.startswith("tls://")
        found = parsed(worker_of(cluster.job_script()))
    assert found["protocol"] == "tls"
    assert found["tls_key"] == str(tmp_path / "key.pem")


# ---- On Kubernetes ---------------------------------------------------------------------------


def test_kubernetes_knows_every_field(tmp_path):
    validate = pytest.importorskip("kubernetes_validate")
    documents = list(yaml.safe_load_all((RECIPES / "kubernetes.yaml").read_text()))
    assert len(documents) == 7
    for document in documents:
        validate.validate(document, validate.latest_version(), strict=True)


def test_kubernetes_has_our_configuration():
    documents = yaml.safe_load_all((RECIPES / "kubernetes.yaml").read_text())
    (config,) = (one for one in documents if one["kind"] == "ConfigMap")
    assert config["data"] == {"dask.yaml": settings.as_yaml()}


def test_what_kubernetes_documents_name_exists():
    documents = list(yaml.safe_load_all((RECIPES / "kubernetes.yaml").read_text()))
    names = {(one["kind"], one["metadata"]["name"]) for one in documents}
    services = [one["spec"] for one in documents if one["kind"] == "Service"]
    sets = [one["spec"] for one in documents if "template" in one.get("spec", {})]
    labels = [one["template"]["metadata"]["labels"] for one in sets]
    for service in services:
        assert any(service["selector"].items() <= found.items() for found in labels)
    for pod in pods():
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        (container,) = pod["containers"]
        assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
        for volume in volumes.values():
            named = volume.get("configMap", {}).get("name")
            assert named is None or ("ConfigMap", named) in names
            claimed = volume.get("persistentVolumeClaim", {}).get("claimName")
            assert claimed is None or ("PersistentVolumeClaim", claimed) in names
        assert container["image"] == "ogas:latest"
        assert container["securityContext"]["readOnlyRootFilesystem"]


def test_the_image_is_built_of_what_is_there():
    lines = (RECIPES / "Dockerfile").read_text().splitlines()
    (base,) = (line for line in lines if line.startswith("FROM "))
    assert re.fullmatch(r"FROM python:3\.1[123]-slim", base)
    (install,) = (line for line in lines if line.startswith("RUN pip "))
    assert (ROOT / re.search(r"/src/(\S+)", install)[1]).is_file()
