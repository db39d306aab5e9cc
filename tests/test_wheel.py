"""What is installed is what stands in the folders, and nothing under a bare name."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

import pytest
from checkout import FOLDERS, ROOT, package_files

# What pip does, without its isolated environment, which would need the network.
BUILD = "from setuptools import build_meta; build_meta.build_wheel('wheel')"


@pytest.fixture(scope="module")
def wheel_files(tmp_path_factory):
    pytest.importorskip("setuptools")
    # In a copy: setuptools leaves build/ behind, and would pack what an earlier build left there.
    copy = tmp_path_factory.mktemp("copy")
    for file in ("pyproject.toml", "LICENSE", *package_files()):
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, copy / file)
    built = subprocess.run(
        [sys.executable, "-c", BUILD], cwd=copy, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = (copy / "wheel").glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


def test_the_wheel_holds_every_file_of_the_packages_and_no_other(wheel_files):
    installed = [file for file in wheel_files if ".dist-info/" not in file]
    assert sorted(installed) == sorted(f"ogas/{file}" for file in package_files())


def test_the_top_level_of_the_wheel_is_ogas_alone(wheel_files):
    top = {file.split("/")[0] for file in wheel_files}
    assert {name for name in top if not name.endswith(".dist-info")} == {"ogas"}
    assert len(top) == 2


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_types_of_a_package_are_announced(wheel_files, folder):
    assert f"ogas/{folder}/py.typed" in wheel_files


def test_every_requirement_has_a_pinned_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    wanted = {bare_name(line) for lines in (project["dependencies"], *extras) for line in lines}
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    assert wanted <= {bare_name(line) for line in pins if "==" in line}, "run `make lock`"


def bare_name(requirement):
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")


def test_the_installed_version_is_the_one_of_the_sources():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert importlib.metadata.version(project["name"]) == project["version"]
