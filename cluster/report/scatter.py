"""Backward and forward linkages of every product or group, in four quadrants around the mean."""

from collections.abc import Iterator
from html import escape

import numpy as np

from ogas.cluster.lettering import shortened, wide
from ogas.cluster.report.bars import LETTER, NARROW, WIDE
from ogas.cluster.report.findings import Economy
from ogas.cluster.report.html import Figure
from ogas.cluster.report.linkages import Linkages
from ogas.cluster.report.svg import Frame, around, written
from ogas.cluster.sheet import Sheet

MANY = 300  # points, which then are small
NAMED = 10  # points with a name, those that stand out most
HEIGHT = 560.0
Box = tuple[float, float, float, float]  # left, top, width, height
QUADRANTS = {
    (True, True): ("s2", "key: draws on many, and many draw on it"),
    (True, False): ("s1", "draws on others more than average"),
    (False, True): ("s3", "supplies others more than average"),
    (False, False): ("s5", "neither"),
}


def scatter(economy: Economy) -> Figure | None:
    """Return the linkages as points; None where there are none."""
    found, points = economy.linkages, economy.points
    if found is None or len(found.made) < 2:  # one alone has nobody to compare with
        return None
    names = [points.names[one] for one in found.made.tolist()]
    kinds = [
        QUADRANTS[bool(b > 1), bool(f > 1)]
        for b, f in zip(found.backward, found.forward, strict=True)
    ]
    title = f"Backward and forward linkages of {points.what}"
    drawings = tuple(_drawing(title, found, names, kinds, width) for width in (WIDE, NARROW))
    rows = [
        [name, float(b), float(f), text]
        for name, b, f, (_, text) in zip(names, found.backward, found.forward, kinds, strict=True)
    ]
    rows.sort(key=lambda row: -(row[1] + row[2]))
    head = [points.what, "backward linkage", "forward linkage", "kind"]
    key = sum(kind == "s2" for kind, _ in kinds)
    tells = (
        "To the right: one more unit for final use sets more in motion than average. Upwards: one "
        "more unit made enables more than average further down. "
        f"{key} of {len(rows):,} {escape(points.what)} are above average in both. Computed from "
        "the middle of the bounds, not certified."
    )
    legend = [QUADRANTS[True, True], QUADRANTS[True, False], QUADRANTS[False, True]]
    sheet = Sheet("linkages", title, head, rows)
    return Figure(
        "Key products" if points.what == "products" else "Key groups",
        drawings,
        tells,
        sheet,
        [*legend, QUADRANTS[False, False]],
    )


def _drawing(
    title: str, found: Linkages, names: list[str], kinds: list[tuple[str, str]], width: float
) -> str:
    across = around("backward linkage (mean 1)", [*found.backward, 1.0])
    up = around("forward linkage (mean 1)", [*found.forward, 1.0])
    height = HEIGHT if width > NARROW else 0.95 * width
    frame = Frame(across, up, width, height, 44.0)
    order = np.argsort(-np.hypot(found.backward - 1, found.forward - 1), kind="stable")
    marks = [
        frame.line([(1.0, up.low), (1.0, up.high)], "mean"),
        frame.line([(across.low, 1.0), (across.high, 1.0)], "mean"),
    ]
    for k in order[::-1].tolist():
        b, f = float(found.backward[k]), float(found.forward[k])
        told = f"{names[k]}: backward {b:.2f}, forward {f:.2f}"
        marks.append(frame.dot((b, f), kinds[k][0], told))
    marks += _labels(frame, found, names, order[: 3 * NAMED].tolist())
    kind = 'class="many" ' if len(names) > MANY else ""
    return frame.drawn(title, marks).replace("<svg ", f"<svg {kind}", 1)


def _labels(frame: Frame, found: Linkages, names: list[str], order: list[int]) -> Iterator[str]:
    """Yield names beside points, those that stand out most first, where there is room."""
    points = [
        (frame.x(b), frame.y(f))
        for b, f in zip(found.backward.tolist(), found.forward.tolist(), strict=True)
    ]
    taken: list[Box] = [(x - 5, y - 5, 10.0, 10.0) for x, y in points]
    count, most = 0, NAMED if frame.width > NARROW else NAMED // 2
    for k in order:
        text, (x, y) = shortened(names[k], 34 if frame.width > NARROW else 16), points[k]
        long = LETTER * wide(text)
        for start, end in ((x + 8, "start"), (x - 8 - long, "end")):
            box = (start, y - 7, long, 14.0)
            inside = frame.left < start and start + long < frame.width
            if count < most and inside and not any(_touch(box, other) for other in taken):
                taken.append(box)
                count += 1
                yield written(x + 8 if end == "start" else x - 8, y + 4, text, end, "beside")
                break


def _touch(one: Box, other: Box) -> bool:
    (x, y, wide, high), (u, v, broad, tall) = one, other
    return x < u + broad and u < x + wide and y < v + tall and v < y + high
