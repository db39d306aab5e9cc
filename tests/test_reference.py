"""The reference says what commands and functions say of themselves."""

import runpy

from checkout import ROOT
from pages import text

from ogas.cluster.cli import COMMANDS


def test_the_reference_is_what_would_be_generated_now():
    generated = runpy.run_path(str(ROOT / "docs" / "generate.py"))["page"]()
    assert text("docs/reference.md") == generated, "run `make docs`"


def test_the_reference_has_every_command_and_the_function_of_the_readme():
    reference = text("docs/reference.md")
    for name in COMMANDS:
        assert f"\n### ogas {name}\n" in reference
    assert "`draw_up(" in reference
