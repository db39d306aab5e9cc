"""The largest flows as a Sankey diagram: suppliers at the left, users at the right.

Both sides show the largest groups and put all others together, so that every side sums up to the
same; what is negative has no width and stands in the numbers alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from ogas.cluster.lettering import shortened
from ogas.cluster.report.bars import LETTER, NARROW, WIDE
from ogas.cluster.report.findings import Economy
from ogas.cluster.report.groups import Groups
from ogas.cluster.report.html import Figure
from ogas.cluster.report.matrix import EDGE, FINAL
from ogas.cluster.report.svg import drawn, written
from ogas.cluster.sheet import Sheet
from ogas.cluster.summary import significant
from ogas.engine.table import Integers, Vector

NODES = 16  # on either side
LEAST = 0.003  # of all; thinner ribbons are not drawn
HEIGHT, GAP, THICK = 680.0, 8.0, 10.0
PER_NODE = 80.0  # of height, where nodes are few
ROOM = 0.31  # of the width, for names on either side


@dataclass(frozen=True, eq=False)
class Ribbons:
    """What is drawn.

    Attributes
    ----------
    suppliers, users : sequence of str
        The last of the users is final demand.
    flows : (len(suppliers), len(users)) float64, nonnegative
    """

    suppliers: Sequence[str]
    users: Sequence[str]
    flows: Vector


def sankey(economy: Economy) -> Figure:
    """Return the largest flows, and final demand, as ribbons."""
    ribbons = ribbons_of(economy)
    title = f"The largest flows between {economy.groups.what} and to final demand"
    drawings = tuple(_drawing(title, ribbons, economy.money, width) for width in (WIDE, NARROW))
    rows: list[list[Any]] = [
        [ribbons.suppliers[g], ribbons.users[h], float(ribbons.flows[g, h])]
        for g, h in np.argwhere(ribbons.flows > 0).tolist()
    ]
    rows.sort(key=lambda row: -row[2])
    whole = max(ribbons.flows.sum(), 1e-300)
    shown = ribbons.flows[ribbons.flows >= LEAST * whole].sum() / whole
    tells = (
        "From who makes it (left) to who uses it (right); a ribbon is as thick as its flow. "
        f"Drawn are {100 * shown:.0f} % of all flows: those below "
        f"{significant(LEAST * whole, 1)} {escape(economy.money)} are left out, and "
        "so is what is negative. The CSV file is its edge list; that of the heat map has every "
        "flow."
    )
    legend = (("s1", "to products"), ("s3", "to final demand"))
    sheet = Sheet("sankey", f"flows as drawn, in {economy.money}", EDGE, rows)
    return Figure("The largest flows", drawings, tells, sheet, legend)


def ribbons_of(economy: Economy) -> Ribbons:
    """Return the flows between the largest suppliers and users, all others put together."""
    flows = np.maximum(economy.flows.supplies, 0.0)
    wanted = np.maximum(economy.flows.demand, 0.0)
    rows, suppliers = _sides(flows.sum(axis=1) + wanted, economy.groups)
    columns, users = _sides(flows.sum(axis=0), economy.groups)
    found = np.zeros((len(suppliers), len(users) + 1))
    np.add.at(found, (rows[:, None], columns[None, :]), flows)
    np.add.at(found[:, -1], rows, wanted)
    return Ribbons(suppliers, (*users, FINAL), found)


def _sides(size: Vector, groups: Groups) -> tuple[Integers, list[str]]:
    """Return where every group goes on one side, and what stands there, the largest first."""
    alone = size[:-1] if groups.others else size
    order = np.argsort(-alone, kind="stable")
    order = order[alone[order] > 0]
    kept = order if len(order) <= NODES and not groups.others else order[: NODES - 1]
    # Groups of size 0 go to the last place, too, and add nothing to it.
    place = np.full(len(size), len(kept))
    place[kept] = np.arange(len(kept))
    rest = len(order) - len(kept) + groups.others
    called = [groups.names[one] for one in kept.tolist()]
    return place, [*called, f"{rest:,} others" if rest else "none"]


def _drawing(title: str, ribbons: Ribbons, money: str, width: float) -> str:
    amounts = ribbons.flows.sum(axis=1), ribbons.flows.sum(axis=0)
    height = min(HEIGHT, PER_NODE * (1 + max(map(len, amounts))))
    scale = min(_scale(one, height) for one in amounts)
    sides = _Side(amounts[0], scale, height), _Side(amounts[1], scale, height)
    room = ROOM * width
    most = (room - 8) / LETTER
    suppliers, users = (
        [shortened(name, most) for name in names] for names in (ribbons.suppliers, ribbons.users)
    )
    ends = (room + THICK, width - room - THICK)
    parts = [
        *_ribbons(ribbons, money, sides, ends),
        *sides[0].nodes(suppliers, money, room, is_left=True),
        *sides[1].nodes(users, money, width - room - THICK, is_left=False),
    ]
    return drawn((width, height), title, parts)


def _scale(amounts: Vector, height: float) -> float:
    """Return how high a unit may be, such that all nodes of a side fit above each other."""
    nodes = int((amounts > 0).sum())
    return (height - GAP * (nodes + 1)) / max(float(amounts.sum()), 1e-300)


@dataclass(frozen=True, eq=False)
class _Side:
    """The nodes of one side, from above; centred."""

    amounts: Vector
    scale: float
    height: float

    @property
    def tops(self) -> Vector:
        """Where nodes begin."""
        steps = np.where(self.amounts > 0, self.scale * self.amounts + GAP, 0.0)
        first = (self.height - steps.sum() + GAP) / 2
        tops: Vector = first + np.concatenate([[0.0], np.cumsum(steps)[:-1]])
        return tops

    def nodes(self, names: Sequence[str], money: str, x: float, *, is_left: bool) -> Iterator[str]:
        """Yield a bar for every node, and its name on the outer side."""
        for name, amount, top in zip(names, self.amounts.tolist(), self.tops, strict=True):
            if amount <= 0:
                continue
            high = self.scale * amount
            told = escape(f"{name}: {significant(amount, 3)} {money}")
            where = f'x="{x:.1f}" y="{top:.1f}" width="{THICK}" height="{max(high, 1.0):.1f}"'
            yield f'<rect class="dot s5" {where}><title>{told}</title></rect>'
            beside, end = (x - 6, "end") if is_left else (x + THICK + 6, "start")
            yield written(beside, top + high / 2 + 4, name, end, "name")


def _ribbons(
    ribbons: Ribbons, money: str, sides: tuple[_Side, _Side], ends: tuple[float, float]
) -> Iterator[str]:
    """Yield a path for every flow; those of one node stand in the order of their other ends."""
    starts, stops = sides[0].tops, sides[1].tops
    least = LEAST * ribbons.flows.sum()
    (x, z), middle = ends, sum(ends) / 2
    for g, h in np.argwhere(ribbons.flows > 0).tolist():
        flow = float(ribbons.flows[g, h])
        y, t, thick = starts[g], stops[h], sides[0].scale * flow
        starts[g] += thick
        stops[h] += thick
        if flow < least:
            continue
        kind = "s3" if ribbons.users[h] == FINAL else "s1"
        told = f"{ribbons.suppliers[g]} → {ribbons.users[h]}: {significant(flow, 3)} {money}"
        yield (
            f'<path class="ribbon {kind}" d="M{x:.1f} {y:.1f}C{middle:.1f} {y:.1f} {middle:.1f} '
            f"{t:.1f} {z:.1f} {t:.1f}v{thick:.2f}C{middle:.1f} {t + thick:.1f} {middle:.1f} "
            f'{y + thick:.1f} {x:.1f} {y + thick:.1f}z"><title>{escape(told)}</title></path>'
        )
