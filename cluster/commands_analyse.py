"""The command `analyse`: classical results of input-output analysis."""

from typing import Any

import click

from ogas.cluster.answer import Answer
from ogas.cluster.options import PATH, Bytes, json_option, option

NAMES = (
    *("multipliers", "linkages", "columns", "rows", "extraction", "footprints", "ghosh"),
    *("prices", "values", "paths", "decomposition", "upstreamness"),
)


@click.command("analyse")
@click.argument("table", default="us-2021")
@click.option(
    "--what",
    type=click.Choice([*NAMES, "list"]),
    required=True,
    help="Which result; `list` says what each of them is.",
)
@click.option("--factor", multiple=True, help="A factor [default: all, or the table's first].")
@click.option("--product", multiple=True, metavar="ID", help="A product.")
@click.option(
    "--demand",
    type=PATH,
    multiple=True,
    help="CSV id,demand[,lower,upper]: a column of final demand (footprints, paths).",
)
@click.option("--by", metavar="LEVEL", help="Groups: country, sector, prefixN, block.")
@click.option("--closed", is_flag=True, help="Households spend what they earn of the factor.")
@click.option(
    "--households",
    type=PATH,
    help="CSV id,demand: what they buy for a unit of it [default: as final demand].",
)
@click.option("--change", type=float, help="By how much a price rises (prices).")
@click.option("--supply", type=PATH, help="CSV id,demand: primary inputs added, money (ghosh).")
@click.option("--since", metavar="TABLE", help="An earlier table (decomposition).")
@option("--top", type=click.IntRange(0), default=10, show_default=True, help="How many rows.")
@click.option("--csv", type=PATH, help="Write all rows, with bounds, to a CSV file.")
@option("--digits", default=6, show_default=True, help="Significant figures to prove of a solve.")
@option("--delta", default=0.0, help="Relative uncertainty of the coefficients.")
@option("--threads", type=click.IntRange(0), default=0, help="Blocks swept at a time.")
@option("--memory", type=Bytes(), help="Use no more than this.")
@json_option
def analyse_command(table: str, what: str, **options: Any) -> Answer:
    """Compute a classical result of TABLE, with proven bounds of every number.

    Multipliers, linkages, footprints, prices are solved like plans, and certified like them. Only
    where many rows, columns or extractions are asked of a small table, its inverse is formed, and
    every entry enclosed; the notes say so. `ogas analyse --what list` says what there is.

    With --json: outcome (certified 0 | precision_not_reached 4), what, equation, table,
    table_digest, digits_requested, solved (columns), passes, seconds, peak_memory_bytes, over (what
    a row is: product, group, path), rows, units (of columns and totals), totals and largest (the
    first --top rows; every number is {value, lower, upper}, null where nothing is known), notes,
    csv (path or null).
    """
    from ogas.cluster.analysing import analysed, listed

    return listed() if what == "list" else analysed(table, what, options)
