"""The tutorial is true: its files are written, its commands run, and what they say is compared."""

import re
import shlex
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

from pages import blocks

#: Seconds, sizes of files and times of day are not the same everywhere.
PASSING = re.compile(r"[\d.]+ (?=s\b|kB\b)|\d{4}-\d\d-\d\dT[\d:+]+")


def steps(body):
    """Split a block into pairs of command and what it says."""
    commands = re.split(r"^\$ ogas ", body, flags=re.M)[1:]
    return [command.partition("\n")[::2] for command in commands]


def test_the_tutorial_runs_from_top_to_bottom(ogas):
    said = OutputChecker()
    for language, file, body in blocks("docs/tutorial.md"):
        if file:
            Path(file).parent.mkdir(exist_ok=True)
            Path(file).write_text(body, encoding="utf-8")
        elif language == "console":
            for command, expected in steps(body):
                ending = ogas(*shlex.split(command))
                got, want = (PASSING.sub("N ", words) for words in (ending.out, expected))
                same = said.check_output(want, got, ELLIPSIS | NORMALIZE_WHITESPACE)
                assert same, f"ogas {command}\n{ending.out}{ending.err}"
