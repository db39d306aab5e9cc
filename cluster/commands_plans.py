"""Commands that make plans and look at them: plan, price, verify, show."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ogas.cluster import answer
from ogas.cluster.answer import Answer
from ogas.cluster.options import (
    PATH,
    json_option,
    option,
    plan_argument,
    solving,
    table_argument,
)

if TYPE_CHECKING:
    from ogas.cluster.planning import Account


@click.command("plan")
@table_argument
@click.option("-o", "--output", type=PATH, help="Where the plan goes [default: ./NAME-plan.zarr].")
@click.option(
    "--demand",
    type=PATH,
    multiple=True,
    help="CSV id,demand[,lower,upper] that replaces the demand; several are scenarios.",
)
@solving
def plan_command(
    table: str, output: Path | None, demand: tuple[Path, ...], **options: Any
) -> Answer:
    """Compute what to make of every product, with proven bounds.

    TABLE is a table directory or the name of a bundled table (us-2021).

    Solves x = A x + f, proves for every product how far the plan can be from the true one, and
    stores the plan. Success is what that certificate proves, nothing else.
    """
    target = output or _default_target(table, "plan")
    return _carried_out(table, target, "quantities", options, demands=demand)


@click.command("price")
@table_argument
@click.option("-o", "--output", type=PATH, help="Where they go [default: ./NAME-prices.zarr].")
@click.option("--factor", multiple=True, help="Price in this factor [default: all of the table's].")
@solving
def price_command(
    table: str, output: Path | None, factor: tuple[str, ...], **options: Any
) -> Answer:
    """Compute what a unit of every product embodies of labour and other factors.

    TABLE is a table directory or the name of a bundled table (us-2021).

    Solves v = A'v + l for every factor l, with proven bounds for every product.
    """
    target = output or _default_target(table, "prices")
    return _carried_out(table, target, "values", options, factors=factor)


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


def _carried_out(
    table: str,
    target: Path,
    kind: Any,
    options: dict[str, Any],
    *,
    demands: tuple[Path, ...] = (),
    factors: tuple[str, ...] = (),
) -> Answer:
    from ogas.cluster.planning import Files, carry_out
    from ogas.engine.choose import METHODS
    from ogas.engine.exchange import Here
    from ogas.engine.iterate import Precision
    from ogas.engine.plan import Request

    request = Request(
        kind=kind,
        method=METHODS.get(options["method"]),
        precision=Precision(figures=options["digits"]),
        factors=tuple(dict.fromkeys(factors)),
        delta=options["delta"],
        load=Here(options["threads"]),
    )
    files = Files(demands, options["warm"])
    return _answer(carry_out(table, request, target, files=files, memory=options["memory"]))


def _answer(account: "Account") -> Answer:
    from ogas.cluster.summary import complaint, summary
    from ogas.engine.outcome import Outcome

    codes = {
        Outcome.CERTIFIED: answer.CERTIFIED,
        Outcome.NOT_PRODUCTIVE: answer.NOT_PRODUCTIVE,
        Outcome.PRECISION_NOT_REACHED: answer.NOT_REACHED,
    }
    return Answer(
        account.facts, lambda: summary(account), codes[account.outcome], complaint(account)
    )


def _default_target(table: str, what: str) -> Path:
    return Path(f"{Path(table).resolve().stem}-{what}.zarr")
