"""What the README tells people to type exists."""

import re
import shlex

import click
from checkout import ROOT

from ogas.cluster.cli import cli

FENCED = re.compile(r"^ *```[^\n]*\n(.*?)^ *```", re.M | re.S)
INDENTED = re.compile(r"^(?: {4}|\t)(.*)$", re.M)
COMMAND = re.compile(r"\s*(?:\$ )?(?:\w+=\S* )*(?:\S*/)?ogas (.+)")


def readme():
    return (ROOT / "README.md").read_text(encoding="utf-8")


def typed_commands():
    """List the words after ``ogas`` of every command in a code block."""
    blocks = [*FENCED.findall(readme()), *INDENTED.findall(FENCED.sub("", readme()))]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    found = [COMMAND.match(line) for line in lines]
    return [shlex.split(match[1], comments=True) for match in found if match]


def missing_from(command, words):
    """Follow the words down the command tree; what does not exist, or None."""
    context = click.Context(command)
    words = list(words)
    while isinstance(context.command, click.Group):
        word = next((word for word in words if not word.startswith("-")), "")
        command = context.command.get_command(context, word)
        if command is None:
            return word
        words.remove(word)
        context = click.Context(command, parent=context, info_name=word)
    known = {"--help"}
    while context is not None:
        known |= {flag for option in context.command.params for flag in option.opts}
        known |= {flag for option in context.command.params for flag in option.secondary_opts}
        context = context.parent
    flags = [word.strip("[]").split("=")[0] for word in words]
    return next((flag for flag in flags if flag.startswith("--") and flag not in known), None)


def test_the_two_commands_of_a_newcomer_are_on_the_first_screen():
    first_screen = readme().splitlines()[:40]
    for command in ("make plan", "make test"):
        assert any(command in line for line in first_screen)


def test_every_command_and_option_in_a_code_block_exists():
    commands = typed_commands()
    assert commands
    for words in commands:
        assert missing_from(cli, words) is None, "ogas " + shlex.join(words)
