"""Every module loads on its own, and under one name only."""

import subprocess
import sys

import pytest
from checkout import FOLDERS, ROOT, module_names

# Kernels take long to load and import kernels only: they are forgotten only among themselves.
IMPORT_EACH_ALONE = """
import importlib, sys
for name in sorted(sys.argv[1:], key=lambda name: not name.startswith("ogas.kernels")):
    importlib.import_module(name)
    forgotten = "ogas.kernels" if name.startswith("ogas.kernels") else "ogas."
    for loaded in [loaded for loaded in sys.modules if loaded.startswith(forgotten)]:
        if forgotten != "ogas." or not loaded.startswith("ogas.kernels"):
            del sys.modules[loaded]
"""


def run_python(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_cannot_be_imported_under_its_bare_name(folder):
    attempt = run_python("-c", f"import {folder}")
    assert attempt.returncode == 1
    assert f"ImportError: import ogas.{folder}" in attempt.stderr


def test_every_module_can_be_the_first_one_imported():
    attempt = run_python("-c", IMPORT_EACH_ALONE, *module_names())
    assert attempt.returncode == 0, attempt.stderr
