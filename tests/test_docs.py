"""The examples in the docstrings are true."""

import doctest
import importlib

import pytest
from checkout import module_names


@pytest.mark.parametrize("name", module_names())
def test_the_examples_of_a_module_hold(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an example may write a table
    # Under its real name: pytest's own --doctest-modules would import `engine.table`.
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0
