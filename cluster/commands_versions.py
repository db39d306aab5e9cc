"""Commands about the versions of a table: versions, pin, unpin, rollback, nightly."""

from datetime import date, datetime
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


@click.command("nightly")
@click.argument("spec", type=PATH)
@click.option(
    "--date",
    "until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The night to work up to [default: today].",
)
@click.option("--dry-run", "dry", is_flag=True, help="Only say what would be done.")
@click.option(
    "--schedule",
    type=click.Choice(["cron", "systemd", "kubernetes", "airflow"]),
    help="Only print what makes this scheduler start it every night.",
)
@click.option("--at", default="02:30", show_default=True, help="When, for --schedule.")
@json_option
def nightly_command(
    spec: Path, until: datetime | None, dry: bool, schedule: str | None, at: str
) -> Answer:
    """Take in the day's changes, plan again from the current plan, and publish all or nothing.

    SPEC is a TOML file: which table, which inbox, how many figures. Nights that were missed are
    caught up with, in order. To run it twice does no harm: what is done is not done again.
    """
    from ogas.cluster.nights.scheduling import snippet
    from ogas.cluster.nights.specification import read_night
    from ogas.cluster.nights.telling import answer_of_nights

    night = read_night(spec)
    if schedule is not None:
        text = snippet(schedule, spec, at)
        return Answer({"schedule": schedule, "snippet": text}, lambda: print(text, end=""))
    day = date.today() if until is None else until.date()
    return answer_of_nights(night, day, dry=dry)
