"""Commands that make a table of another one: aggregate, balance."""

from pathlib import Path

import click

from ogas.cluster.answer import Answer
from ogas.cluster.options import PATH, json_option, table_argument


@click.command("aggregate")
@table_argument
@click.argument("new", type=PATH)
@click.option(
    "--by",
    required=True,
    metavar="FILE|LEVEL",
    help="A concordance, CSV from,to[,share] with every product; or what ids tell of themselves: "
    "country, sector, prefixN, block.",
)
@click.option("--plan", type=PATH, help="Weigh by the output of this plan, not the published one.")
@click.option("--money", is_flag=True, help="Measure in money, at the prices of the table.")
@json_option
def aggregate_command(table: str, new: Path, by: str, plan: Path | None, money: bool) -> Answer:
    """Put products of TABLE together, and store the smaller table as NEW.

    Flows, demand, output and factors are added up; recipes are weighed by output: the published
    one, or that of --plan. Output and demand balance in NEW as they do in TABLE.
    """
    from ogas.cluster.reshaping import Measure, aggregation

    return aggregation(table, new, by, Measure(plan, money))


@click.command("balance")
@table_argument
@click.option(
    "--rows",
    type=PATH,
    required=True,
    help="CSV id,total: what other products take of each in future.",
)
@click.option(
    "--columns",
    type=PATH,
    required=True,
    help="CSV id,total[,output]: what each takes of all products, and its new output.",
)
@click.option("-o", "--output", type=PATH, required=True, help="Where the new table goes.")
@json_option
def balance_command(table: str, rows: Path, columns: Path, output: Path) -> Answer:
    """Bring the flows of TABLE to new totals, and store the table they make.

    Of all tables with these totals it is the one that says least beyond them: RAS, or GRAS where
    entries are negative. Exit code 4, and nothing stored, if no way to the totals is found.
    """
    from ogas.cluster.reshaping import balanced

    return balanced(table, rows, columns, output)
