"""The pages for people: which there are, what their code blocks hold, what they say to type."""

import re
import shlex

from checkout import ROOT

PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))

BLOCK = re.compile(r"^ *```(\w*)(?: +(\S+))?\n(.*?)^ *```", re.M | re.S)
INDENTED = re.compile(r"^(?: {4}|\t)(.*)$", re.M)
COMMAND = re.compile(r"\s*(?:\$ )?(?:\w+=\S* )*(?:\S*/)?ogas (.+)")


def text(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page):
    """List the fenced blocks: language, the name of the file it is (or empty), what it holds."""
    return [match.groups(default="") for match in BLOCK.finditer(text(page))]


def typed_commands(page):
    """List the words after ``ogas`` of every command in a code block."""
    held = [*(body for _, _, body in blocks(page)), *INDENTED.findall(BLOCK.sub("", text(page)))]
    lines = "\n".join(held).replace("\\\n", " ").splitlines()
    found = [COMMAND.match(line) for line in lines]
    return [shlex.split(match[1], comments=True) for match in found if match]
