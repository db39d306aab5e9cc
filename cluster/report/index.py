"""The figures of single products, small enough to travel with the page, for its search.

Columns of numbers, the largest product first. Output and half-width are rounded such that the
interval between them still encloses the proven one.
"""

import json
import math
from typing import Any

import numpy as np

from ogas.cluster.report.findings import MOST_LINKED, Economy, Findings
from ogas.cluster.report.rankings import MOST_FACTORS
from ogas.engine.table import Integers

MOST_BYTES = 500_000  # of ids, names and units of the products listed; and of those beside them
DIGITS = 7


def index(found: Findings) -> dict[str, Any]:
    """Return what the page's script shows of single products; JSON types only."""
    column, economy = found.column, found.economy
    listed = found.listed[: _fitting(found)]
    links, further = _links(found, listed)
    numbers = [
        _enclosing(*ends)
        for ends in zip(
            *(getattr(column, name)[listed].tolist() for name in ("lower", "output", "upper")),
            strict=True,
        )
    ]
    return {
        "kind": found.plan.kind,
        "products": len(found.plan.ids),
        "names": [found.called(i) for i in listed.tolist()],
        "ids": _ids(found, listed),
        "unit": found.shared_unit,
        "units": [] if found.shared_unit else [found.unit(i) for i in listed.tolist()],
        "output": [middle for middle, _ in numbers],
        "half": [half for _, half in numbers],
        "figures": column.figures[listed].tolist(),
        "zero": np.flatnonzero(column.structural_zeros[listed]).tolist(),
        "demand": [_short(one, DIGITS) for one in column.demand.nominal[listed].tolist()],
        "rounds": [_short(one, 3) for one in column.upstreamness[listed].tolist()],
        "used": _used(found, listed),
        "money": "" if economy is None else economy.money,
        "worth": _worth(found, listed[: len(links)]),
        "links": links,
        "further": further,
    }


def _worth(found: Findings, listed: Integers) -> list[float]:
    """Return what the output of products is worth."""
    if found.economy is None:
        return []
    worth = found.economy.price[listed] * found.column.output[listed]
    return [_short(one, 4) for one in worth.tolist()]


def words(found: Findings, kept: dict[str, Any]) -> str:
    """Return what is on the page of single products, and where the rest is."""
    listed, linked, n = len(kept["names"]), len(kept["links"]), len(found.plan.ids)
    every = f"All {n:,} products are" if n > 1 else "The one product is"
    told, others = f"{every} in this page", ""
    if listed < n:
        told = f"The {listed:,} largest of {n:,} products are in this page"
        others = " ogas show PLAN --product ID tells of any other, and --csv FILE writes all."
    if found.economy is None:
        return f"{told}.{others}"
    whose = "with" if linked == listed else f"the largest {linked:,} with"
    return f"{told}, {whose} their main suppliers and users.{others}"


def _links(found: Findings, listed: Integers) -> tuple[list[list[Any]], list[str]]:
    """Return inputs and uses of the largest products; and what others beside them are called."""
    place = {product: number for number, product in enumerate(listed.tolist())}
    links: list[list[Any]] = []
    further: list[str] = []
    room = MOST_BYTES
    linked = 0 if found.economy is None else min(len(listed), MOST_LINKED)
    for owner in range(linked):
        sides: list[list[Any]] = []
        for side in (found.inputs.of(owner), found.uses.of(owner)):
            for product, _ in side:
                if product not in place:
                    place[product] = len(place)
                    further.append(found.called(product))
                    room -= len(further[-1].encode())
            sides.append([[place[product], _short(value, 4)] for product, value in side])
        links.append(sides)
        if room < 0:
            break
    return links, further


def _used(found: Findings, listed: Integers) -> list[list[Any]]:
    """Return how much of factors goes directly into the output of products: name, unit, amounts."""
    if found.is_priced or found.header is None:
        return []
    output, units = found.column.output[listed], found.header.factor_units
    return [
        [name, units.get(name) or name, [_short(one, 4) for one in (per[listed] * output).tolist()]]
        for name, per in list(found.header.factors.items())[:MOST_FACTORS]
    ]


def flows_between(economy: Economy | None) -> str:
    """Return what the script tells of the heat map's squares: names, and flows row by row."""
    if economy is None:
        return "{}"
    flows = [[_short(one, 4) for one in row] for row in economy.flows.supplies.tolist()]
    return as_script({"names": list(economy.groups.names), "money": economy.money, "flows": flows})


def as_script(value: Any) -> str:
    """Return JSON that ends no script before its time."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("</", "<\\/").replace("<!", "<\\u0021")


def _fitting(found: Findings) -> int:
    """Return how many products are listed, so that their names do not take too much room."""
    room, several = MOST_BYTES, not found.shared_unit
    for number, product in enumerate(found.listed.tolist()):
        text = found.called(product) + (found.unit(product) if several else "")
        room -= len(text.encode())
        if room < 0:
            return number
    return len(found.listed)


def _ids(found: Findings, listed: Integers) -> list[str]:
    """Return ids, where they differ from what products are called."""
    has_names = found.plan.names is not None and not found.names_repeat
    return [str(one) for one in found.plan.ids[listed].tolist()] if has_names else []


def _short(number: float, digits: int) -> float:
    """Return a number with so many significant digits; whole where it is."""
    if not math.isfinite(number):
        return 0.0
    rounded = float(f"{number:.{digits}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def _enclosing(lower: float, output: float, upper: float) -> tuple[float, float]:
    """Return a rounded middle and a half-width of two digits that still enclose both bounds.

    >>> _enclosing(2.99996, 3.0, 3.00004)
    (3, 4.1e-05)
    """
    width = max(upper - lower, 0.0)
    digits = DIGITS
    if width > 0 and output:
        digits = max(DIGITS, min(15, 2 + math.ceil(math.log10(abs(output) / width))))
    middle = _short(output, digits if width > 0 else 17)
    half = max(upper - middle, middle - lower, 0.0)
    if not half:
        return middle, 0.0
    tens = 10.0 ** (math.floor(math.log10(half)) - 1)
    return middle, _short(math.ceil(half / tens + 1e-9) * tens * (1 + 1e-12), 3)
