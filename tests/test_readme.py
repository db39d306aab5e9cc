"""What the README and the handbook tell people to type exists, and so does what they link to."""

import re
import shlex

import click
import pytest
from checkout import ROOT
from pages import BLOCK, PAGES, text, typed_commands

from ogas.cluster.cli import cli

LINK = re.compile(r"\]\(([^)#\s]*)(?:#([\w-]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.M)


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
    first_screen = text("README.md").splitlines()[:40]
    for command in ("make plan", "make test"):
        assert any(command in line for line in first_screen)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_option_in_a_code_block_exists(page):
    for words in typed_commands(page):
        assert missing_from(cli, words) is None, "ogas " + shlex.join(words)


@pytest.mark.parametrize("page", ["README.md", "docs/how-to.md", "docs/tutorial.md"])
def test_commands_are_found_on_pages_that_have_some(page):
    assert len(typed_commands(page)) > 5


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_or_a_heading_leads_somewhere(page):
    for place, heading in LINK.findall(BLOCK.sub("", text(page))):
        if place.startswith("http"):
            continue
        target = (ROOT / page).parent / place if place else ROOT / page
        assert target.exists(), place
        if heading:
            assert heading in anchors(target.read_text(encoding="utf-8")), f"{place}#{heading}"


def anchors(page):
    """List what headings are called in links, as forges make it from them."""
    return [
        re.sub(r"[^\w -]", "", name.lower()).replace(" ", "-") for name in HEADING.findall(page)
    ]
