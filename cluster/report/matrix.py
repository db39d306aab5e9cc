"""The table between groups as a heat map: every supplier a row, every user a column."""

import math
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ogas.cluster.lettering import shortened, wide
from ogas.cluster.report.bars import LETTER, NARROW, WIDE
from ogas.cluster.report.findings import Economy
from ogas.cluster.report.html import Figure
from ogas.cluster.report.svg import drawn, written
from ogas.cluster.report.words import count
from ogas.cluster.sheet import Sheet
from ogas.engine.table import Integers, Vector

SHADES = 7
Marks = npt.NDArray[np.bool_]
LABELS = 250.0  # room for names at the left of a wide drawing
NUMBERS, TOP, LARGEST_CELL = 20.0, 16.0, 34.0
EVERY = 5  # columns have a number, where there is no room for more


def heat_map(economy: Economy) -> Figure | None:
    """Return what flows from every group to every other, in classes of their size."""
    flows, names = economy.flows.supplies, economy.groups.names
    if not flows.any():
        return None
    edges = _edges(float(np.abs(flows).max()))
    shades: Integers = np.searchsorted(
        edges, np.abs(flows), side="right"
    )  # 0: less than the least edge
    title = f"What flows between {economy.groups.what}, in {economy.money}"
    drawings = tuple(_drawing(title, shades, flows < 0, names, width) for width in (WIDE, NARROW))
    tells = (
        f"Each square is what the {economy.groups.one} of its row supplies to that of its column "
        f"in a year, in {escape(economy.money)}; the darker (in dark pages, the brighter) the "
        "more. Rows supply, columns use; their numbers are the same. The diagonal is what stays "
        "inside."
    )
    return Figure(
        "Who supplies whom",
        drawings,
        tells,
        Sheet("flows", f"flows in {economy.money}, final demand included", EDGE, edges_of(economy)),
        _legend(edges, economy.money, (flows < 0).any()),
        _below(names),
    )


def _below(names: Sequence[str]) -> str:
    """Return where the script tells of a square; and all names, where the drawing has no room."""
    listed = "".join(f"<li>{escape(name)}</li>" for name in names)
    return (
        '<p class="readout" id="flow" aria-live="polite">Point at a square, or go there with the '
        "arrow keys, to read its flow.</p>"
        f'<details class="narrow"><summary>Which number is which</summary><ol>{listed}</ol>'
        "</details>"
    )


EDGE = ["supplier", "user", "value"]
FINAL = "final demand"


def edges_of(economy: Economy) -> list[list[Any]]:
    """Return all flows as an edge list, final demand included; it sums up to all output."""
    flows, names = economy.flows, economy.groups.names
    rows: list[list[Any]] = [
        [names[g], names[h], float(flows.supplies[g, h])]
        for g, h in np.argwhere(flows.supplies != 0).tolist()
    ]
    rows += [
        [name, FINAL, float(wanted)]
        for name, wanted in zip(names, flows.demand.tolist(), strict=True)
        if wanted
    ]
    return sorted(rows, key=lambda row: -abs(row[2]))


def _edges(largest: float) -> Vector:
    """Return where classes begin: 1, 3, 10, 30 ..., seven of them up to the largest flow.

    >>> _edges(250_000.0).tolist()
    [100.0, 300.0, 1000.0, 3000.0, 10000.0, 30000.0, 100000.0]
    """
    last = math.floor(2 * math.log10(largest) + 1e-9)
    return np.array([_half_decade(step) for step in range(last - SHADES + 1, last + 1)])


def _half_decade(step: int) -> float:
    return float(f"{3 if step % 2 else 1}e{step // 2}")


def _legend(edges: Vector, money: str, has_negative: Any) -> list[tuple[str, str]]:
    known = edges.tolist()
    legend = [("blank", f"less than {_said(known[0])}")]
    legend += [
        (f"h{k}", f"{_said(low)} to {_said(high)}")
        for k, (low, high) in enumerate(pairwise(known), 1)
    ]
    legend.append((f"h{SHADES}", f"{_said(known[-1])} {money} and more"))
    return [*legend, ("minus", "negative")] if has_negative else legend


def _said(edge: float) -> str:
    return count(edge) if edge >= 1 else f"{edge:g}"


def _drawing(
    title: str, shades: Integers, negative: Marks, names: tuple[str, ...], width: float
) -> str:
    m = len(names)
    longest = LETTER * (max(map(wide, names)) + 1) + 8
    room = 0.0 if width <= NARROW else min(LABELS, longest)
    left = room + NUMBERS
    cell = min((width - left - 2) / m, LARGEST_CELL)
    height = TOP + cell * m + 2
    side = cell * m
    parts = [f'<rect class="frame" x="{left}" y="{TOP}" width="{side:.1f}" height="{side:.1f}"/>']
    parts += [_path(shades == k, f"h{k}", cell, left) for k in range(1, SHADES + 1)]
    parts.append(_path(negative & (shades > 0), "minus", cell, left))
    numbered = [k for k in range(m) if k % EVERY == EVERY - 1 or k == 0 or cell > 3 * LETTER]
    for k in numbered:
        middle = cell * (k + 0.5)
        parts.append(written(left + middle, TOP - 4, str(k + 1), "middle"))
    for k in range(m) if left > NUMBERS else numbered:
        middle = TOP + cell * (k + 0.5) + 4
        if left > NUMBERS:
            name = shortened(names[k], room / LETTER - 1)
            parts.append(written(left - 8 - NUMBERS, middle, name, "end", "name"))
        parts.append(written(left - 4, middle, str(k + 1), "end"))
    # What the script needs to find the square under the pointer.
    where = f'data-left="{left:g}" data-top="{TOP:g}" data-cell="{cell:.4f}"'
    return drawn((width, height), title, parts).replace("<svg ", f'<svg class="flows" {where} ', 1)


def _path(marked: Marks, kind: str, cell: float, left: float) -> str:
    """Return squares of one class as one path; neighbours in a row are one rectangle."""
    parts = []
    for row in range(len(marked)):
        ends = np.diff(np.concatenate([[0], marked[row].astype(np.int8), [0]]))
        starts, stops = np.flatnonzero(ends == 1).tolist(), np.flatnonzero(ends == -1).tolist()
        for start, stop in zip(starts, stops, strict=True):
            x, y, long = left + cell * start, TOP + cell * row, cell * (stop - start)
            parts.append(f"M{x:.1f} {y:.1f}h{long:.1f}v{cell:.1f}h-{long:.1f}z")
    return f'<path class="{kind}" d="{"".join(parts)}"/>' if parts else ""
