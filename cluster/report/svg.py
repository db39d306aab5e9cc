"""Drawings in plain SVG: a frame with two axes, and marks in it. Colours come from the page.

Every mark is of a class ``s1``, ``s2`` ... (a series, coloured by the style sheet, in light and in
dark) and may carry a text that shows where the pointer rests.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from ogas.cluster.report.words import power

LEFT, RIGHT, TOP, BOTTOM = 62.0, 14.0, 10.0, 44.0
MOST_TICKS = 8
SIZE = 4.5  # of a mark
MARGIN = 0.2  # powers of ten around what is shown

Point = tuple[float, float]


@dataclass(frozen=True)
class Axis:
    """What is shown along one side.

    Attributes
    ----------
    label : str
    ticks : sequence of (number, text)
    low, high : float
        The ends; both positive on a logarithmic axis.
    is_logarithmic : bool
    """

    label: str
    ticks: Sequence[tuple[float, str]]
    low: float
    high: float
    is_logarithmic: bool = True

    def place(self, number: float) -> float:
        """Return where a number lies, from 0 to 1."""
        low, high = self.low, self.high
        if self.is_logarithmic:
            low, high, number = math.log(low), math.log(high), math.log(max(number, 1e-300))
        return min(max((number - low) / (high - low), 0.0), 1.0)


def decades(label: str, numbers: Iterable[float]) -> Axis:
    """Return a logarithmic axis around some positive numbers, with powers of ten."""
    known = [math.log10(number) for number in numbers if number > 0] or [0.0]
    low, high = min(known) - MARGIN, max(known) + MARGIN
    if math.floor(high) - math.ceil(low) < 1:  # two powers of ten at least
        low, high = math.floor(low), math.ceil(high)
    first, last = math.ceil(low), math.floor(high)
    exponents = range(first, last + 1, -(-(last - first) // MOST_TICKS))
    ticks = [(10.0**e, power(10.0**e) if e not in (0, 1) else f"{10**e}") for e in exponents]
    return Axis(label, ticks, 10.0**low, 10.0**high)


def even(label: str, highest: float, unit: str = "", least: float = 0.0) -> Axis:
    """Return an axis from 0, with whole steps of 1, 2 or 5, none smaller than ``least``."""
    step = _step(max(highest / 5, least, 1e-9))
    last = step * math.ceil(highest / step)
    ticks = [(step * i, f"{step * i:,.12g}{unit}") for i in range(round(last / step) + 1)]
    return Axis(label, ticks, 0.0, last, is_logarithmic=False)


def around(label: str, numbers: Iterable[float]) -> Axis:
    """Return an axis around some numbers, with whole steps of 1, 2 or 5."""
    known = [number for number in numbers if math.isfinite(number)] or [0.0]
    low, high = min(known), max(known)
    step = _step(max(high - low, 0.1 * max(abs(high), 1.0)) / 5)
    first, last = math.floor(low / step), math.ceil(high / step)
    if first == last:  # all numbers are the same: they stand in the middle
        first, last = first - 1, last + 1
    ticks = [(step * i, f"{step * i:,.6g}") for i in range(first, last + 1)]
    return Axis(label, ticks, step * first, step * last, is_logarithmic=False)


def _step(rough: float) -> float:
    """Return the next of 1, 2, 5, 10, 20 ... that is not below."""
    tens = 10.0 ** math.floor(math.log10(rough))
    return next(tens * one for one in (1, 2, 5, 10) if tens * one >= 0.999999 * rough)


@dataclass(frozen=True)
class Frame:
    """A drawing with an axis below and one at the left."""

    across: Axis
    up: Axis
    width: float = 560.0
    height: float = 340.0
    left: float = LEFT

    def x(self, number: float) -> float:
        """Return where a number lies across."""
        return self.left + self.across.place(number) * (self.width - self.left - RIGHT)

    def y(self, number: float) -> float:
        """Return where a number lies, from above."""
        return self.height - BOTTOM - self.up.place(number) * (self.height - TOP - BOTTOM)

    def drawn(self, title: str, marks: Iterable[str]) -> str:
        """Return the drawing."""
        floor, right = self.height - BOTTOM, self.width - RIGHT
        parts = [f'<line class="axis" x1="{self.left}" x2="{right}" y1="{floor}" y2="{floor}"/>']
        for number, text in self.across.ticks:
            x = self.x(number)
            parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{floor}"/>')
            parts.append(written(x, floor + 16, text, "middle"))
        for number, text in self.up.ticks:
            y = self.y(number)
            parts.append(
                f'<line class="grid" x1="{self.left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            )
            parts.append(written(self.left - 7, y + 4, text, "end"))
        middle = (self.left + right) / 2
        parts.append(written(middle, self.height - 6, self.across.label, "middle", "label"))
        if self.up.label:
            turned = 'transform="rotate(-90)" class="label" text-anchor="middle"'
            parts.append(
                f'<text {turned} x="{-(TOP + floor) / 2:.1f}" y="13">{escape(self.up.label)}</text>'
            )
        return drawn((self.width, self.height), title, [*parts, *marks])

    def line(self, points: Sequence[Point], series: str, *, is_dashed: bool = False) -> str:
        """Return a line through points."""
        path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        kind = "line dashed" if is_dashed else "line"
        return f'<polyline class="{kind} {series}" points="{path}"/>' if points else ""

    def dot(self, point: Point, series: str, text: str, *, is_hollow: bool = False) -> str:
        """Return a mark that tells a text."""
        where = f'cx="{self.x(point[0]):.1f}" cy="{self.y(point[1]):.1f}" r="{SIZE}"'
        kind = "hollow" if is_hollow else "dot"
        return f'<circle class="{kind} {series}" {where}><title>{escape(text)}</title></circle>'

    def diamond(self, point: Point, series: str, text: str) -> str:
        """Return a mark of another shape."""
        x, y, r = self.x(point[0]), self.y(point[1]), 1.25 * SIZE
        path = f"M{x:.1f} {y - r:.1f}L{x + r:.1f} {y:.1f}L{x:.1f} {y + r:.1f}L{x - r:.1f} {y:.1f}Z"
        return f'<path class="dot {series}" d="{path}"><title>{escape(text)}</title></path>'

    def bar(self, number: float, y: float, thick: float, series: str) -> str:
        """Return a bar from the left edge; ``y`` is the number at its middle."""
        long = max(self.x(number) - self.left, 0.5)
        where = f'x="{self.left}" y="{self.y(y) - thick / 2:.1f}" width="{long:.1f}"'
        return f'<rect class="dot {series}" {where} height="{thick:.1f}" rx="2"/>'


def drawn(size: tuple[float, float], title: str, parts: Iterable[str]) -> str:
    """Return a drawing of a width and height, with a title for those who do not see it."""
    box = f'viewBox="0 0 {size[0]:g} {size[1]:g}" role="img"'
    return f'<svg {box} aria-label="{escape(title)}">{"".join(parts)}</svg>'


def written(x: float, y: float, text: str, anchor: str, kind: str = "tick") -> str:
    """Return a text."""
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {where}>{escape(text)}</text>'
