"""Commands about the versions of a table: versions, pin, unpin, rollback."""

from pathlib import Path

import click

from ogas.cluster.answer import Answer
from ogas.cluster.options import PATH, json_option

store_argument = click.argument("store", type=PATH)
version_argument = click.argument("version", type=click.IntRange(1), required=False)


@click.command("versions")
@store_argument
@json_option
def versions_command(store: Path) -> Answer:
    """List the versions of STORE, a table directory: when, by whom, with which plan."""
    from ogas.cluster.showing_versions import listed

    return listed(store)


@click.command("pin")
@store_argument
@version_argument
@json_option
def pin_command(store: Path, version: int | None) -> Answer:
    """Keep VERSION of STORE (the current one by default) whatever the rule of retention says."""
    from ogas.cluster.showing_versions import pinned

    return pinned(store, version, keeps=True)


@click.command("unpin")
@store_argument
@version_argument
@json_option
def unpin_command(store: Path, version: int | None) -> Answer:
    """Let VERSION of STORE be forgotten again when its time comes."""
    from ogas.cluster.showing_versions import pinned

    return pinned(store, version, keeps=False)


@click.command("rollback")
@store_argument
@click.option("--to", "version", type=click.IntRange(1), help="Which [default: the one before].")
@json_option
def rollback_command(store: Path, version: int | None) -> Answer:
    """Make an older version of STORE current again, together with its plan.

    Nothing is lost: what came after it stays, and `--to` goes forward again.
    """
    from ogas.cluster.showing_versions import back

    return back(store, version)
