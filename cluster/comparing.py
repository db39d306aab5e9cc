"""What `ogas diff` answers: what moved from one plan to another, and what moved it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csc_array

from ogas.cluster.answer import Answer
from ogas.cluster.planning import store_of
from ogas.cluster.progress import counting
from ogas.cluster.showing_moves import show
from ogas.datasets.amending import Amended
from ogas.datasets.plans import read_plan
from ogas.datasets.store import Store
from ogas.engine.certificate import figures_of
from ogas.engine.difference import Alignment, Economies, Parts, attributed
from ogas.engine.editing import entries_of
from ogas.engine.errors import DamagedError, WrongUsageError
from ogas.engine.interval import Interval, Mask
from ogas.engine.iterate import Precision
from ogas.engine.plan import Column, Plan, Request, draw_up
from ogas.engine.source import Source
from ogas.engine.table import Integers, Vector

MOST_PARTS = 5  # that are told of one product
DEEPER = 1.1  # times as far from final use as before is worse
MOST_WORSE = 5  # that are named


@dataclass(frozen=True, eq=False)
class Pair:
    """Two plans over the same products.

    Attributes
    ----------
    plans : pair of Plan
        The old and the new one.
    columns : pair of Column
        Those that are compared.
    ids : Alignment
    outputs : pair of Interval
    """

    plans: tuple[Plan, Plan]
    columns: tuple[Column, Column]
    ids: Alignment
    outputs: tuple[Interval, Interval]

    @staticmethod
    def of(old: Plan, new: Plan, name: str = "") -> "Pair":
        """Put the columns of this name (the first ones by default) of two plans side by side."""
        if old.kind != new.kind:
            raise WrongUsageError(f"one is a plan of {old.kind}, the other of {new.kind}")
        columns = old.column(name), new.column(name)
        ids = Alignment.of(old.ids, new.ids)
        places = ids.old, ids.new
        outputs = tuple(
            Interval.of(column, place, len(ids))
            for column, place in zip(columns, places, strict=True)
        )
        return Pair((old, new), columns, ids, (outputs[0], outputs[1]))

    @property
    def moved(self) -> Interval:
        """The change of every product."""
        return self.outputs[1].minus(self.outputs[0])

    def largest(self, count: int) -> list[int]:
        """Return the products that certainly moved most, relatively to what was used of them."""
        moved, turnover = self.moved, np.zeros(len(self.ids))
        for column, places in zip(self.columns, (self.ids.old, self.ids.new), strict=True):
            turnover[places] = np.maximum(turnover[places], column.turnover)
        share = np.divide(
            np.abs(moved.middle), turnover, out=np.zeros_like(turnover), where=turnover > 0
        )
        share[~moved.is_certain] = 0.0
        order = np.argsort(-share, kind="stable")[:count]
        return [product for product in order.tolist() if share[product] > 0]


@dataclass(frozen=True, eq=False)
class Side:
    """One of two economies.

    Attributes
    ----------
    source : Source
    blocks : tuple of str
        A name for what each block says; the same where two say the same.
    """

    source: Source
    blocks: tuple[str, ...]

    @staticmethod
    def of(store: Store) -> "Side":
        """Return a stored table."""
        return Side(store.source(), tuple(one.digest for one in store.manifest.content.blocks))

    @staticmethod
    def after(changes: Amended) -> "Side":
        """Return a table after changes that are not stored."""
        before = [one.digest for one in changes.store.manifest.content.blocks]
        names = ("" if k in changes.touched else name for k, name in enumerate(before))
        return Side(changes.source(), tuple(names))


Sides = tuple[Side, Side]


def compared(old: Path, new: Path, name: str, top: int, explained: int) -> Answer:
    """Return what moved, how surely, and what moved the products that moved most."""
    pair = Pair.of(read_plan(old), read_plan(new), name)
    movers = pair.largest(top)
    try:
        before, after = (Side.of(store_of(plan)) for plan in pair.plans)
        parts, why = explained_by(pair, (before, after), movers[:explained])
    except DamagedError as error:
        parts, why = {}, f"what moved them cannot be told: {error.message}"
    facts = {"outcome": "compared", "old": str(old), "new": str(new)}
    facts |= told(pair, movers, parts) | {"unexplained": why}
    return Answer(facts, lambda: show(facts))


def told(
    pair: Pair, movers: Sequence[int], parts: Mapping[int, Parts] | None = None
) -> dict[str, Any]:
    """Return what moved, JSON types only: how many products, the total, and the movers."""
    found = {"kind": pair.plans[0].kind} | _counts(pair) | {"total": _total(pair)}
    found["worsened"] = _worsened(pair)
    found["largest"] = [_told(pair, product, (parts or {}).get(product)) for product in movers]
    return found


def _counts(pair: Pair) -> dict[str, Any]:
    """Return how many products came, went, and moved."""
    moved = pair.moved
    return {
        "products": len(pair.ids.new),
        "added": len(pair.ids) - len(pair.ids.old),
        "removed": len(pair.ids) - len(pair.ids.new),
        "changed": int(moved.is_certain.sum()),
        "not_distinguishable": int((~moved.is_certain & (moved.middle != 0)).sum()),
    }


def _worsened(pair: Pair) -> dict[str, Any]:
    """Return which products are known less surely than before, or are further from final use."""
    both = np.intersect1d(pair.ids.old, pair.ids.new)

    def before_and_now(vectors: Iterable[Vector]) -> tuple[Vector, Vector]:
        found = np.zeros((2, len(pair.ids)))
        for side, vector, places in zip(found, vectors, (pair.ids.old, pair.ids.new), strict=True):
            side[places] = vector
        return found[0][both], found[1][both]

    widths = before_and_now(column.relative_half_widths for column in pair.columns)
    depths = before_and_now(column.upstreamness for column in pair.columns)
    worse = {
        "fewer_figures": (widths, figures_of(widths[1]) < figures_of(widths[0])),
        "further_from_use": (depths, (depths[1] > DEEPER * depths[0]) & (depths[0] > 0)),
    }
    return {
        what: {
            "products": int(is_worse.sum()),
            "worst": [
                {
                    "product": str(pair.ids.ids[both[k]]),
                    "name": _name(pair, int(both[k])),
                    "old": float(old[k]),
                    "new": float(new[k]),
                }
                for k in _worst(old, new, is_worse)
            ],
        }
        for what, ((old, new), is_worse) in worse.items()
    }


def _worst(old: Vector, new: Vector, is_worse: Mask) -> list[int]:
    """Return those that grew by the largest factor."""
    found = np.flatnonzero(is_worse)
    growth = new[found] / np.maximum(old[found], np.finfo(float).tiny)
    worst: list[int] = found[np.argsort(-growth, kind="stable")[:MOST_WORSE]].tolist()
    return worst


def _total(pair: Pair) -> dict[str, Any] | None:
    """Return what became of the factor content of the whole plan."""
    before, after = (plan.facts.get("total") for plan in pair.plans)
    if before is None or after is None or before["unit"] != after["unit"]:
        return None
    return {
        "old": before["value"],
        "new": after["value"],
        "change": after["value"] - before["value"],
        "lower": float(np.nextafter(after["lower"] - before["upper"], -np.inf)),
        "upper": float(np.nextafter(after["upper"] - before["lower"], np.inf)),
        "unit": before["unit"],
    }


# ---- what moved them ----------------------------------------------------------------------------


def explained_by(pair: Pair, sides: Sides, products: Sequence[int]) -> tuple[dict[int, Parts], str]:
    """Return the parts of the changes of some products, or why they cannot be told."""
    if not products:
        return {}, ""
    if pair.plans[0].kind != "quantities":
        return {}, "changes of values are not split into parts"
    change = change_between(pair, sides)
    needs = [_needs(pair, number, sides[number].source, products) for number in (0, 1)]
    return {
        product: attributed(change, [needs[0][product], needs[1][product]]) for product in products
    }, ""


def change_between(pair: Pair, sides: Sides) -> Economies:
    """Return how the two economies differ."""
    n, places = len(pair.ids), (pair.ids.old, pair.ids.new)
    demand = np.zeros(n)
    for sign, column, place in zip((-1.0, 1.0), pair.columns, places, strict=True):
        np.add.at(demand, place, sign * column.demand.nominal)
    # The same block means the same recipes where products stand at the same places.
    stays = np.array_equal(places[0], places[1][: len(places[0])])
    shared = set(sides[0].blocks) & set(sides[1].blocks) if stays else set()
    rows, users, data = [], [], []
    for sign, side, place in zip((-1.0, 1.0), sides, places, strict=True):
        for number, name in enumerate(side.blocks):
            if name in shared:
                continue
            entries = entries_of(side.source.block(number))
            rows.append(place[entries.rows])
            users.append(place[entries.users])
            data.append(sign * entries.data)
    recipes = csc_array((n, n))
    if data:
        index = np.concatenate(rows), np.concatenate(users)
        recipes = csc_array(coo_array((np.concatenate(data), index), shape=(n, n)))
        recipes.sum_duplicates()
        recipes.eliminate_zeros()
    return Economies(pair.outputs, demand, recipes)


def _needs(pair: Pair, side: int, source: Source, products: Sequence[int]) -> dict[int, Interval]:
    """Return what of some products a unit of each product needs.

    Of a product that is not in this economy, that unit alone.
    """
    n, places = len(pair.ids), (pair.ids.old, pair.ids.new)[side]
    where = np.full(n, -1)
    where[places] = np.arange(len(places))
    there = {str(product): int(where[product]) for product in products if where[product] >= 0}
    solved = _solved(source, there, _digits(pair)) if there else {}
    return {
        product: Interval.of(solved[str(product)], places, n)
        if str(product) in solved
        else Interval(_unit(n, product), np.zeros(n))
        for product in products
    }


def _solved(source: Source, products: Mapping[str, int], digits: int) -> Mapping[str, Any]:
    """Return ``v = A' v + e_i`` for some products, with bounds."""
    units = {name: _unit(len(source), place) for name, place in products.items()}
    header = replace(source.header, factors=units, factor_units={})
    request = Request("values", None, Precision(digits), factors=tuple(units))
    with counting("looking for what moved them", "products"):
        found = draw_up(replace(source, header=header), request)
    return {name: one.certificates[0] for name, one in found.items() if one.certificates}


def _unit(count: int, place: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    unit = np.zeros(count)
    unit[place] = 1.0
    return unit


def _digits(pair: Pair) -> int:
    return max(3, min(int(plan.facts["digits_certified"]) for plan in pair.plans))


def _told(pair: Pair, product: int, parts: Parts | None) -> dict[str, Any]:
    moved = pair.moved
    old, new = (one.middle[product] for one in pair.outputs)
    found = {
        "product": str(pair.ids.ids[product]),
        "name": _name(pair, product),
        "old": float(old),
        "new": float(new),
        "change": float(moved.middle[product]),
        "lower": float(moved.middle[product] - moved.radius[product]),
        "upper": float(moved.middle[product] + moved.radius[product]),
        "unit": _unit_of(pair, product),
    }
    if parts is None:
        return found
    whole, radius = parts.whole
    shown: list[dict[str, Any]] = [
        {
            "what": what,
            "product": str(pair.ids.ids[cause]),
            "change": middle,
            "lower": middle - spread,
            "upper": middle + spread,
        }
        for what, cause, middle, spread in parts.largest(MOST_PARTS)
    ]
    rest = whole - sum(part["change"] for part in shown)
    count = len(parts.demands) + len(parts.recipes) - len(shown)
    return found | {
        "parts": shown,
        "other_parts": {"count": count, "change": rest},
        "sum_of_parts": {"change": whole, "lower": whole - radius, "upper": whole + radius},
    }


def _name(pair: Pair, product: int) -> str:
    for plan, places in zip(pair.plans[::-1], (pair.ids.new, pair.ids.old), strict=True):
        place = _place(places, product)
        if plan.names is not None and place is not None:
            return str(plan.names[place])
    return ""


def _unit_of(pair: Pair, product: int) -> str:
    for column, places in zip(pair.columns[::-1], (pair.ids.new, pair.ids.old), strict=True):
        place = _place(places, product)
        if place is not None:
            units = column.units
            return units if isinstance(units, str) else str(units[place])
    return ""


def _place(places: Integers, product: int) -> int | None:
    found = np.flatnonzero(places == product)
    return int(found[0]) if found.size else None
