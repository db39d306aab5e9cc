"""Write docs/reference.md: the commands as their help says it, functions as their docstrings do.

    make docs

A test compares the page with what this would write. Sources are parsed, not imported.
"""

import ast
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click

from ogas.cluster.cli import cli

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference.md"
WIDTH = 100

HEAD = """\
# Reference

Made by `make docs` from the help of the commands and the docstrings of the code; not to be edited.
What commands are for stands in the [tutorial](tutorial.md) and in [how-to](how-to.md). Options that
several commands share can be set by variables too: `OGAS_DIGITS=6` stands for `--digits 6`.
"""

CODES = """\
| exit code | meaning |
|---|---|
| 0 | done, and certified or productive |
| 2 | wrong usage |
| 3 | the table is not productive; the loop is named |
| 4 | the figures asked for were not reached; what was reached is stored and said |
| 5 | the input is invalid or damaged |
| 6 | it does not fit in the memory given |
| 7 | cluster or job failed |
| 8 | another run holds the lock |
| 130 | interrupted or cancelled |

With `--json`, stdout is one JSON object, on every ending.
"""

# What programs of other people are likely to call; everything else serves these.
MODULES = {
    "Tables and what is asked of them": (
        "engine/table.py engine/balance.py engine/supply_use.py engine/symmetric.py "
        "engine/aggregation.py engine/biproportional.py engine/blocking.py"
    ),
    "Plans, proofs, differences": (
        "engine/plan.py engine/iterate.py engine/choose.py engine/certificate.py "
        "engine/productivity.py engine/difference.py"
    ),
    "Classical results": (
        "engine/analyses/multipliers.py engine/analyses/linkages.py engine/analyses/extraction.py "
        "engine/analyses/entries.py engine/analyses/whole.py "
        "engine/analyses/footprints.py engine/analyses/upstream.py "
        "engine/analyses/price_changes.py engine/analyses/production_prices.py "
        "engine/analyses/paths.py engine/analyses/decomposition.py engine/analyses/flows.py "
        "engine/analyses/households.py"
    ),
    "On disk": (
        "datasets/catalog.py datasets/store.py datasets/plans.py datasets/forms.py "
        "datasets/demand.py datasets/changes.py datasets/versions.py datasets/gallery.py"
    ),
    "On a cluster": "cluster/jobs/api.py cluster/runtime/connecting.py",
}


def page() -> str:
    """Return the whole page."""
    parts = [HEAD, "## Commands\n", CODES, *_commands(), "## From Python\n", *_functions()]
    return "\n".join(parts)


def _commands() -> Iterator[str]:
    outer = cli.make_context("ogas", [], resilient_parsing=True)
    for name in cli.list_commands(outer):
        command = cli.get_command(outer, name)
        if command is None:
            raise LookupError(name)
        inner = click.Context(command, outer, name, terminal_width=WIDTH)
        yield f"### ogas {name}\n\n```\n{command.get_help(inner)}\n```\n"


def _functions() -> Iterator[str]:
    for title, files in MODULES.items():
        yield f"### {title}\n"
        for file in files.split():
            module = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            dotted = "ogas." + file.removesuffix(".py").replace("/", ".")
            yield f"[{dotted}](../{file}): {_summary(module)}\n"
            yield "".join(f"- {line}\n" for line in _public(module))


def _public(module: ast.Module) -> Iterator[str]:
    """Yield a line for every public function and class, in the order of the file."""
    for node in module.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        call = f"({_parameters(node.args)})" if isinstance(node, ast.FunctionDef) else ""
        yield f"`{node.name}{call}`: {_summary(node)}"


def _parameters(given: ast.arguments) -> str:
    """Return the names of parameters; how they are typed is said by the source."""
    names = [each.arg for each in (*given.posonlyargs, *given.args)]
    names += [f"*{given.vararg.arg}"] if given.vararg else ["*"] if given.kwonlyargs else []
    return ", ".join([*names, *(each.arg for each in given.kwonlyargs)])


def _summary(node: ast.Module | ast.FunctionDef | ast.ClassDef) -> str:
    """Return the first paragraph of a docstring."""
    return " ".join(cleandoc(ast.get_docstring(node) or "").split("\n\n")[0].split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
