"""Who is first: the largest products, the largest net imports, where factors are used."""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any

import numpy as np

from ogas.cluster.report.bars import NARROW, WIDE, Bar, bars
from ogas.cluster.report.findings import Findings
from ogas.cluster.report.flows import summed
from ogas.cluster.report.html import Figure
from ogas.cluster.report.words import initial, small
from ogas.cluster.sheet import Sheet
from ogas.cluster.summary import counted, significant
from ogas.engine.plan import total
from ogas.engine.table import Vector

SHOWN = 15
MOST_KEPT = 1_000  # rows of the file behind a ranking
MOST_FACTORS = 3
NAMED = 5
MOST_FIGURES = 3  # and one more; the table behind has the others


def largest(found: Findings) -> Figure:
    """Return the largest outputs, and where they go; or the highest values."""
    return _values(found) if found.is_priced else _outputs(found)


def _outputs(found: Findings) -> Figure:
    column, demand = found.column, found.column.demand.nominal
    price, money = _measure(found)
    rows, made = [], found.listed[column.output[found.listed] > 0]
    for i in made[:SHOWN].tolist():
        worth, wanted = price[i] * column.output[i], price[i] * demand[i]
        parts = (
            ("s1", max(worth - max(wanted, 0.0), 0.0)),
            ("s3", max(min(wanted, worth), 0.0)),
            ("hatch", max(-wanted, 0.0)),
        )
        rows.append(Bar(found.called(i), parts, (_output(found, i),)))
    title = "The largest outputs, and how much of each goes to final demand"
    tells = (
        f"{_of_all(found, len(rows))} with the largest output. Final demand is what leaves "
        "production for good: consumption, investment, exports. The rest is used up in making "
        "other products."
    )
    head = ["product", "output", "±", "unit", "figures proven", "final demand", "used by products"]
    sheet = Sheet("largest", "outputs, the largest first", head, _rows(found))
    if money and found.economy is not None and (price != 1).any():
        tells += f" Bars are in {escape(money)}, numbers in each product’s own unit."
    legend = [("s1", "used up by products"), ("s3", "to final demand")]
    if any(row.parts[2][1] for row in rows):
        legend.append(("hatch", "imported on top, net"))
    if not money:
        tells += " Products are in units of their own, which no bar can compare."
        return Figure("Largest outputs", (), tells, sheet)
    return Figure("Largest outputs", _both(title, rows, money), tells, sheet, legend)


def _of_all(found: Findings, shown: int) -> str:
    """Return how many products are shown."""
    every = "The only product" if shown == 1 else f"All {shown} products, those"
    return every if shown == len(found.plan.ids) else f"The {counted(shown, 'product')}"


def deliveries(found: Findings) -> Figure | None:
    """Return what final users get most of; None for values, and where nobody gets anything."""
    column, (price, money) = found.column, _measure(found)
    demand = column.demand.nominal
    order = np.argsort(-price * demand, kind="stable")
    order = order[demand[order] > 0][:MOST_KEPT]
    if found.is_priced or not order.size:
        return None
    first = order[:SHOWN].tolist()
    rows = [
        Bar(found.called(i), (("s3", price[i] * demand[i]),), (_given(found, i, demand[i]),))
        for i in first
    ]
    worth = np.maximum(price * demand, 0.0)
    kept = [
        [found.called(i), float(demand[i]), found.unit(i), float(worth[i] / worth.sum())]
        for i in order.tolist()
    ]
    head = ["product", "final demand", "unit", "share of all deliveries"]
    sheet = Sheet("deliveries", "deliveries to final users, the largest first", head, kept)
    told = counted(int((demand > 0).sum()), "product")
    tells = f"What final users get: consumption, investment, exports. They get some of {told}."
    drawings: tuple[str, ...] = ()
    if money:
        shown = worth[first].sum() / worth.sum()
        tells += f" Those drawn are {100 * shown:.0f} % of all deliveries, in {escape(money)}."
        drawings = _both("The largest deliveries to final users", rows, money)
    return Figure("Largest deliveries to final users", drawings, tells, sheet)


def _values(found: Findings) -> Figure:
    column, direct = found.column, found.column.demand.nominal
    rows = [
        Bar(
            found.called(i),
            (("s1", max(direct[i], 0.0)), ("s6", max(column.output[i] - max(direct[i], 0.0), 0.0))),
            (_output(found, i),),
        )
        for i in found.listed[:SHOWN].tolist()
    ]
    head = ["product", "value", "±", "unit", "figures proven", "direct", "through inputs"]
    sheet = Sheet("largest", "values, the highest first", head, _rows(found))
    tells = (
        f"How much {escape(column.name)} a unit of a product embodies: what is used in making it, "
        "and what is in its inputs, in their inputs, and so on."
    )
    legend = [("s1", "used in making it"), ("s6", "through its inputs")]
    drawings: tuple[str, ...] = ()
    if found.shared_unit:
        drawings = _both(f"The highest values in {column.name}", rows, found.shared_unit)
    return Figure("Highest values", drawings, tells, sheet, legend)


def _measure(found: Findings) -> tuple[Vector, str]:
    """Return what outputs are multiplied by so that they compare, and in what they then are."""
    if found.economy is not None:
        return found.economy.price, found.economy.money
    return np.ones(len(found.plan.ids)), found.shared_unit


def _output(found: Findings, i: int) -> str:
    return _told(found, i, found.column.output[i], int(found.column.figures[i]))


def _told(found: Findings, i: int, number: float, figures: int) -> str:
    """Return an amount of a product, with its unit where products have their own."""
    text = _amount(number, figures)
    # Where bars are in another unit than numbers, both say in which.
    is_plain = found.shared_unit and (found.economy is None or (found.economy.price == 1).all())
    return text if is_plain else f"{text} {found.unit(i)}"


def _given(found: Findings, i: int, number: float) -> str:
    """Return an amount that was given, hence is exact: without zeros that mean nothing."""
    text = _amount(number)
    bare = text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
    return _told(found, i, number, MOST_FIGURES).replace(text, bare, 1)


def _amount(number: float, figures: int = 3) -> str:
    """Return a number with its proven figures and one more, seven at most."""
    return significant(number, min(figures, MOST_FIGURES)).replace("-", "−")


def _rows(found: Findings) -> list[list[Any]]:
    column, demand = found.column, found.column.demand.nominal
    return [
        [
            found.called(i),
            float(column.output[i]),
            float(0.5 * (column.upper[i] - column.lower[i])),
            found.unit(i),
            int(column.figures[i]),
            float(demand[i]),
            float(column.output[i] - demand[i]),
        ]
        for i in found.listed[:MOST_KEPT].tolist()
    ]


def _both(title: str, rows: Sequence[Bar], unit: str, *, is_paired: bool = False) -> Any:
    return tuple(bars(title, rows, unit, width, is_paired=is_paired) for width in (WIDE, NARROW))


def shortfalls(found: Findings) -> Figure | None:
    """Return what is imported on balance, and what has a negative output; None where nothing is."""
    column, (price, money) = found.column, _measure(found)
    demand, output = column.demand.nominal, column.output
    short = np.flatnonzero((demand < 0) | (output < 0))
    if found.is_priced or not short.size:
        return None
    order = short[np.argsort(price[short] * np.minimum(demand[short], output[short]))]
    imported = np.flatnonzero(demand < 0)
    first = imported[np.argsort(price[imported] * demand[imported])][:SHOWN]
    rows = [
        Bar(found.called(i), (("s6", -price[i] * demand[i]),), (_given(found, i, -demand[i]),))
        for i in first.tolist()
    ]
    kept = [
        [found.called(i), float(demand[i]), float(output[i]), found.unit(i)]
        for i in order[:MOST_KEPT].tolist()
    ]
    head = ["product", "final demand", "output", "unit"]
    sheet = Sheet("shortfalls", "products of which more is used than made", head, kept)
    title = "The largest net imports"
    drawings = _both(title, rows, f"net imports, {money}") if money and rows else ()
    return Figure("Imports and shortfalls", drawings, _short_words(found), sheet)


def _short_words(found: Findings) -> str:
    column = found.column
    imported = int((column.demand.nominal < 0).sum())
    words = []
    if imported:
        words.append(
            f"The final demand for {counted(imported, 'product')} is negative: more is brought in "
            "(or taken from stocks) than final users take. The plan counts on these deliveries."
        )
    negative = np.flatnonzero(column.output < 0)
    if negative.size:
        names = ", ".join(found.called(i) for i in negative[:NAMED].tolist())
        more = f" and {negative.size - NAMED:,} more" if negative.size > NAMED else ""
        words.append(
            f"<b>The output of {counted(negative.size, 'product')} is negative</b>: imports or "
            f"by-products exceed all use of {escape(names)}{more}. Nothing of it need be made."
        )
    else:
        words.append("No product has a negative output.")
    return " ".join(words)


def factors(found: Findings) -> Iterator[Figure]:
    """Yield a picture for every factor: who uses it, and whose final demand embodies it."""
    if found.is_priced:
        if found.header is not None and found.header.demand is not None:
            yield _content_of_demand(found, found.header.demand)
        return
    known = {} if found.header is None else found.header.factors
    for name, per_unit in list(known.items())[:MOST_FACTORS]:
        yield _factor(found, name, per_unit)


def _factor(found: Findings, name: str, per_unit: Vector) -> Figure:
    column, economy = found.column, found.economy
    used, embodied = per_unit * column.output, None
    names: Callable[[int], str] = found.called
    what = "products"
    if economy is not None:
        points = economy.points
        used = summed(points.labels, used, len(points.names))
        names, what = points.names.__getitem__, points.what
        if economy.linkages is not None:
            embodied = economy.linkages.embodied(economy.fine, used)
    most = used if embodied is None else np.maximum(used, embodied)
    order = np.argsort(-most, kind="stable")
    unit = _factor_unit(found, name)
    rows = [_factor_bar(names(i), used, embodied, i) for i in order[:SHOWN].tolist()]
    kept = [
        [names(i), float(used[i]), None if embodied is None else float(embodied[i])]
        for i in order[:MOST_KEPT].tolist()
    ]
    head = [what, f"used directly, {unit}", f"embodied in final demand, {unit}"]
    sheet = Sheet(f"factor-{_slug(name)}", f"{name} by {what}", head, kept)
    title = f"{initial(name)}: where it is used, and in what final users get it"
    legend = [("s1", "used in making the product")]
    tells = f"{_total(found, name, per_unit)} is used in all."
    if embodied is not None:
        legend.append(("s2", "embodied in what final users get of the product (not certified)"))
        tells += " All of it is embodied in what final users get: what "
        tells += "a shop, say, takes is counted there with what its suppliers took, and theirs."
    drawings = _both(title, rows, unit, is_paired=embodied is not None)
    return Figure(title, drawings, tells, sheet, legend)


def _factor_bar(name: str, used: Vector, embodied: Vector | None, i: int) -> Bar:
    if embodied is None:
        return Bar(name, (("s1", used[i]),), (_amount(used[i]),))
    told = _amount(used[i]), _amount(embodied[i])
    return Bar(name, (("s1", used[i]), ("s2", embodied[i])), told)


def _content_of_demand(found: Findings, demand: Vector) -> Figure:
    name, content = found.column.name, demand * found.column.output
    order = np.argsort(-content, kind="stable")
    unit = _factor_unit(found, name)
    rows = [
        Bar(found.called(i), (("s2", content[i]),), (_amount(content[i]),))
        for i in order[:SHOWN].tolist()
    ]
    kept = [[found.called(i), float(content[i])] for i in order[:MOST_KEPT].tolist()]
    head = ["product", f"embodied in final demand, {unit}"]
    title = f"{initial(name)} embodied in final demand"
    sheet = Sheet("factor-content", title, head, kept)
    tells = f"{_total(found, name, demand)} in all."
    return Figure(title, _both(title, rows, unit), tells, sheet)


def _factor_unit(found: Findings, name: str) -> str:
    units = {} if found.header is None else found.header.factor_units
    return units.get(name) or name


def _total(found: Findings, name: str, weights: Vector) -> str:
    """Return the sum over all products with its proven bounds, in words."""
    column = found.column
    value, least, most = total(weights, column.lower, column.output, column.upper)
    half = 0.5 * (most - least)
    figures = int(-np.floor(np.log10(max(half, 1e-300) / max(abs(value), 1e-300))))
    told = significant(value, min(max(figures, 1), 7)).replace("-", "−")
    unit = escape(_factor_unit(found, name))
    sure = "exactly" if not half else f"± {_half(half)}, proven"
    return f"<b>{told} {unit}</b> ({sure})"


def _half(half: float) -> str:
    return small(half) if half < 1e-6 else significant(half, 1)


def _slug(name: str) -> str:
    """Return a name as part of a file's name."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())
