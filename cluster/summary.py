"""A finished plan, as a person reads it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.text import Text

from ogas.cluster import printing
from ogas.engine.certificate import figures_of
from ogas.engine.outcome import Outcome
from ogas.engine.plan import Column

if TYPE_CHECKING:
    from ogas.cluster.planning import Account
    from ogas.engine.header import Header
    from ogas.engine.plan import Plan
    from ogas.engine.productivity import Loop

LARGEST = 10
NAMED = 5
SIDE_BY_SIDE = 5  # scenarios in one table
WIDEST = 100_000  # letters in a line


def summary(facts: Mapping[str, Any], plan: "Plan | None") -> None:
    """Print what was planned, how well it is known, and the largest products."""
    out = console()
    if title := facts["title"]:
        out.print(title, style="bold")
    out.print(_headline(facts))
    if plan is None:
        return
    for line in (*_lines(plan, facts), ""):
        out.print(line)
    print_largest(out, plan, LARGEST)
    out.print(f"stored in {facts['plan']}")


def complaint(account: "Account") -> str:
    """Return one line for stderr if the run did not end in a certified plan."""
    facts = account.facts
    if account.outcome is Outcome.CERTIFIED:
        return ""
    if account.loop is not None:
        return loop_message(account.header, account.loop)
    if account.plan is None:
        return (
            "nothing could be proved, so nothing is stored; "
            "`ogas check TABLE` says whether the economy is productive"
        )
    reached, wanted = facts["digits_certified"], facts["digits_requested"]
    possible = account.attainable_digits
    if possible < wanted:
        why = f"rounding and the declared uncertainty allow {possible}"
        advice = f"ask for --digits {possible}" if possible else "declare a smaller --delta"
    else:
        why = f"the sweeps came no nearer after {counted(facts['passes'], 'pass', 'passes')}"
        advice = "`--method auto` needs the fewest"
    return (
        f"{reached} of the {counted(wanted, 'figure')} asked for "
        f"{'was' if reached == 1 else 'were'} proven, and the plan is stored; {why}; {advice}"
    )


def loop_message(header: "Header", loop: "Loop") -> str:
    """Return one line that names the products that make an economy unproductive."""
    names = [header.label(int(product)) for product in loop.products]
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    one = len(names) == 1
    return (
        f"the economy is not productive: {len(names):,} product{'s use' if not one else ' uses'} "
        f"up at least as much of {'itself as it makes' if one else 'themselves as they make'}: "
        f"{', '.join(names[:NAMED])}{more} (radius of this loop >= {loop.radius:.10g}); "
        f"check {'its recipe' if one else f'the recipes among them, first {names[0]!r}'}"
    )


def print_largest(out: Console, plan: "Plan", count: int) -> None:
    """Print the largest products of a plan: scenarios side by side, factors apart."""
    if plan.kind == "values":
        for column in plan.columns:
            title = f"highest values in {column.name}"
            _print(out, plan, (column,), largest((column,), count), title)
        return
    products = largest(plan.columns, count)
    for first in range(0, len(plan.columns), SIDE_BY_SIDE):
        part = plan.columns[first : first + SIDE_BY_SIDE]
        _print(out, plan, part, products, "largest outputs")


def largest(columns: Sequence[Column], count: int) -> list[int]:
    """Return the products with the largest output, or value, in any of some columns."""
    most = np.max([column.output for column in columns], axis=0)
    found: list[int] = np.argsort(-most, kind="stable")[:count].tolist()
    return found


def _print(
    out: Console, plan: "Plan", columns: Sequence[Column], products: Sequence[int], title: str
) -> None:
    units = columns[0].units
    word = "output" if plan.kind == "quantities" else "value"
    is_several = len(plan.columns) > 1 and word == "output"
    shown = [
        printing.Column(
            column.name if is_several else word,
            [significant(column.output[i], int(column.figures[i])) for i in products],
        )
        for column in columns
    ]
    if not isinstance(units, str):
        shown.append(printing.Column("unit", [str(units[i]) for i in products], is_left=True))
    elif units not in ("", "unit"):
        title = f"{title}, {units}"
    shown.append(printing.Column("proven to", [proven(columns, i) for i in products]))
    names = printing.Column("product", [label(plan, i) for i in products])
    printing.print_table(out, names, shown, title)


def label(plan: "Plan", product: int) -> str:
    """Return id and name of a product."""
    code = str(plan.ids[product])
    return code if plan.names is None else f"{code} {plan.names[product]}"


def significant(value: float, figures: int) -> str:
    """Return a number with its proven figures and one more, eight at most.

    >>> significant(1234567.891, 3), significant(0.00123456, 3), significant(0.0, 15)
    ('1,235,000', '0.001235', '0')
    >>> significant(-1.23456e-30, 3), significant(7e22, 1)
    ('-1.235e-30', '7.0e+22')
    """
    if value == 0:
        return "0"
    shown = min(figures + 1, 8)
    if not 1e-6 <= abs(value) < 1e15:  # zeros that nobody counts
        return f"{value:.{shown - 1}e}"
    decimals = shown - 1 - int(np.floor(np.log10(abs(value))))
    return f"{round(value, decimals):,.{max(decimals, 0)}f}"


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number of things.

    >>> counted(1, "product"), counted(1234, "product"), counted(0, "pass", "passes")
    ('1 product', '1,234 products', '0 passes')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def below_one(radius: float) -> str:
    """Return a proven bound of the spectral radius, rounded up and yet below 1.

    >>> below_one(0.77762), below_one(1 - 1e-10)
    ('0.7777', '0.9999999999')
    """
    decimals = 4
    while decimals < 17 and (rounded := np.ceil(radius * 10**decimals) / 10**decimals) >= 1.0:
        decimals += 1
    return f"{rounded:.{decimals}f}"


def proven(columns: Sequence[Column], product: int) -> str:
    """Return how well a product is known, in the column where it is known least."""
    known = [
        int(column.figures[product]) for column in columns if not column.structural_zeros[product]
    ]
    return counted(min(known), "figure") if known else "exactly 0"


def console() -> Console:
    """Return the console for results on stdout."""
    console = Console(highlight=False, markup=False, soft_wrap=True)  # names may have brackets
    if not console.is_terminal:
        console.width = WIDEST  # files and pipes have no width of their own
    return console


def _headline(facts: Mapping[str, Any]) -> Text:
    if facts["outcome"] == Outcome.NOT_PRODUCTIVE.word:
        return Text("not productive: no plan exists", style="bold red")
    digits = facts["digits_certified"]
    verb = "is" if digits == 1 else "are"
    words = f"{counted(digits, 'figure')} of every product {verb} proven"
    is_certified = facts["outcome"] == Outcome.CERTIFIED.word
    style = "bold green" if is_certified else "bold yellow"
    return Text(f"{facts['outcome'].replace('_', ' ')}: {words}", style=style)


def _lines(plan: "Plan", facts: Any) -> list[str]:
    """Return the figures that belong to every plan, one line each."""
    worst = max(plan.columns, key=lambda column: float(column.relative_half_widths.max()))
    product = int(np.argmax(worst.relative_half_widths))
    half_width = worst.relative_half_widths[product]
    known = "nothing is known of it: it has no turnover, and yet may be wanted"
    if np.isfinite(half_width):
        known = f"known to ± {100 * half_width:.2g} % of its turnover"
    seconds = facts["seconds"]
    lines = [
        f"{counted(facts['products'], 'product')}, {counted(facts['nonzeros'], 'coefficient')}, "
        f"{seconds['total']:.2f} s",
        f"{facts['method']}: {facts['method_because']}; "
        f"{counted(facts['passes'], 'pass', 'passes')} of "
        f"{facts['bytes_per_nonzero']:.1f} bytes per coefficient",
        f"worst product: {label(plan, product)}{_in_scenario(plan, worst)}, {known}",
        f"spectral radius at most {below_one(facts['radius_bound'])}: the economy is productive",
    ]
    return [*lines, *_totals(plan, facts), *_odd_ones(plan, facts)]


def _in_scenario(plan: "Plan", column: Column) -> str:
    return f" in {column.name}" if len(plan.columns) > 1 else ""


def _totals(plan: "Plan", facts: Any) -> list[str]:
    """Return what all output, or all final demand, contains of every factor."""
    what = "in all output" if plan.kind == "quantities" else "in all final demand"
    of_each = {name: found["totals"] for name, found in facts.get("scenarios", {}).items()}
    lines = []
    for name, first in facts["totals"].items():
        named = {each: totals[name] for each, totals in of_each.items() if name in totals}
        amounts = [
            _amount(total) + (f" ({each})" if each else "")
            for each, total in (named or {"": first}).items()
        ]
        lines.append(f"{name} {what}: {', '.join(amounts)} {first['unit']}")
    return lines


def _amount(total: Any) -> str:
    half_width = 0.5 * (total["upper"] - total["lower"]) / max(abs(total["value"]), 1e-300)
    return significant(total["value"], int(figures_of(np.array([half_width]))[0]))


def _odd_ones(plan: "Plan", facts: Any) -> list[str]:
    """Return how many outputs or values are negative, or exactly 0, and why that can be."""
    quantities, lines = plan.kind == "quantities", []
    what = "output" if quantities else "value"
    if negative := facts["negative_products"]:
        verb = "is" if negative == 1 else "are"
        why = (
            "imports or by-products exceed domestic use"
            if quantities
            else "by-products are credited with more than their recipes use"
        )
        lines.append(f"{counted(negative, what)} {verb} negative: {why}")
    if zero := facts["zero_products"]:
        verb = "is" if zero == 1 else "are"
        why = "this demand does not reach them" if quantities else "no such factor goes into them"
        lines.append(f"{counted(zero, what)} {verb} exactly 0: {why}")
    return lines
