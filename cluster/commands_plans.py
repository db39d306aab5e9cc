"""Commands that make plans and look at them: plan, price, verify, show, report, diff, whatif."""

from pathlib import Path
from typing import Any

import click

from ogas.cluster.answer import Answer
from ogas.cluster.options import (
    PATH,
    json_option,
    on_cluster,
    option,
    plan_argument,
    solving,
    table_argument,
    workers_option,
)

PURPOSES: dict[str, tuple[str, Any]] = {
    "plan": ("plan", "quantities"),
    "price": ("prices", "values"),
}


@click.command("plan")
@table_argument
@click.option("-o", "--output", type=PATH, help="Where the plan goes [default: ./NAME-plan.zarr].")
@click.option(
    "--demand",
    type=PATH,
    multiple=True,
    help="CSV id,demand[,lower,upper] that replaces the demand; several are scenarios.",
)
@workers_option
@on_cluster
@solving
def plan_command(
    table: str, output: Path | None, demand: tuple[Path, ...], **options: Any
) -> Answer:
    """Compute what to make of every product, with proven bounds.

    TABLE is a table directory or the name of a bundled table (us-2021).

    Solves x = A x + f, proves for every product how far the plan can be from the true one, and
    stores the plan. Success is what that certificate proves, nothing else.
    """
    return _carried_out("plan", table, output, options | {"demands": demand})


@click.command("price")
@table_argument
@click.option("-o", "--output", type=PATH, help="Where they go [default: ./NAME-prices.zarr].")
@click.option("--factor", multiple=True, help="Price in this factor [default: all of the table's].")
@workers_option
@on_cluster
@solving
def price_command(
    table: str, output: Path | None, factor: tuple[str, ...], **options: Any
) -> Answer:
    """Compute what a unit of every product embodies of labour and other factors.

    TABLE is a table directory or the name of a bundled table (us-2021).

    Solves v = A'v + l for every factor l, with proven bounds for every product.
    """
    return _carried_out("price", table, output, options | {"factors": factor})


@click.command("verify")
@plan_argument
@json_option
def verify_command(plan: Path) -> Answer:
    """Recompute the certificate of PLAN from the stored table and witness, without the solver."""
    from ogas.cluster.verifying import verified

    return verified(plan)


@click.command("show")
@plan_argument
@option(
    "--top",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="How many of the largest products.",
)
@click.option("--product", help="Everything about one product.")
@click.option("--csv", "table", type=PATH, help="Write all products to a CSV file.")
@json_option
def show_command(plan: Path, top: int, product: str | None, table: Path | None) -> Answer:
    """Look at PLAN: its largest products, one product, or all of them as CSV."""
    from ogas.cluster import showing
    from ogas.datasets.plans import read_plan

    found = read_plan(plan)
    if product is not None:
        return showing.one_product(found, product)
    if table is not None:
        return showing.as_csv(found, table)
    return showing.largest_of(found, top)


@click.command("report")
@plan_argument
@click.option("-o", "--output", type=PATH, help="The page [default: ./NAME.html, NAME as the plan]")
@click.option("--csv", "folder", type=PATH, help="A folder for the numbers behind every picture.")
@click.option("--column", default="", help="The scenario or factor [default: the first].")
@json_option
def report_command(plan: Path, output: Path | None, folder: Path | None, column: str) -> Answer:
    """Write one HTML page about PLAN, with pictures, tables and a search for single products.

    It needs neither a server nor a network: open it in a browser, or send it to somebody.
    """
    from ogas.cluster.report.reported import reported

    return reported(plan, output, folder, column)


top_option = option(
    "--top",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="How many of the products that moved most.",
)
explain_option = click.option(
    "--explain",
    type=click.IntRange(0, 32),
    default=3,
    show_default=True,
    help="For how many of them to say which changed demands and recipes moved them.",
)


@click.command("diff")
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@click.option("--column", default="", help="The scenario or factor [default: the first].")
@top_option
@explain_option
@json_option
def diff_command(old: Path, new: Path, column: str, top: int, explain: int) -> Answer:
    """Say what moved from plan OLD to plan NEW, how surely, and what moved it.

    A change that is smaller than the bounds of the two plans is not distinguishable from none.
    """
    from ogas.cluster.comparing import compared

    return compared(old, new, column, top, explain)


@click.command("whatif")
@table_argument
@click.option(
    "--change",
    "changes",
    type=PATH,
    multiple=True,
    required=True,
    help="A change file, CSV or Parquet; several are made one after the other.",
)
@top_option
@explain_option
@solving
def whatif_command(table: str, changes: tuple[Path, ...], **options: Any) -> Answer:
    """Say what would move if changes were made to TABLE; nothing is stored.

    The plan that is published with the table (or --warm PLAN) is revised where the changes reach,
    and certified like any other.
    """
    from ogas.cluster.supposing import supposed

    return supposed(table, changes, options)


def _carried_out(command: str, table: str, output: Path | None, options: dict[str, Any]) -> Answer:
    if options["workers"] is not None or options["scheduler"] is not None:
        from ogas.cluster.elsewhere import carried_out
        from ogas.cluster.jobs.api import asked

        return carried_out(asked(command, table, output=output, **options))
    from ogas.cluster.asking import answer_of, request_of
    from ogas.cluster.planning import Files, Order, ThisProcess, carry_out
    from ogas.cluster.progress import watched

    what, kind = PURPOSES[command]
    request = request_of(kind, options)
    target = output or Path(f"{Path(table).resolve().stem}-{what}.zarr")
    order = Order(table, request, target, Files(options.get("demands", ()), options["warm"]))
    site = ThisProcess(options["threads"], options["memory"])
    with watched(kind, options["digits"]) as observe:
        return answer_of(carry_out(order, site, observe))
