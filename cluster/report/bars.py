"""Bars that lie on their side, with names as long as products have them."""

from collections.abc import Sequence
from dataclasses import dataclass

from ogas.cluster.lettering import shortened, wide
from ogas.cluster.report.svg import Axis, drawn, even, written

WIDE, HALF, NARROW = 960.0, 470.0, 360.0  # units of a drawing; its page scales it
LETTER = 7.2  # units that a letter takes
THICK, GAP, NAME, FOOT = 15.0, 9.0, 17.0, 46.0
PAIRED = 13.0  # of each of two that stand together
NAMED_SHARE, TOLD_SHARE = 0.4, 0.3  # of the width, at most, for names and for numbers
MILLION = 1e6


@dataclass(frozen=True)
class Bar:
    """One bar, or one row of them.

    Attributes
    ----------
    name : str
    parts : sequence of (series, amount)
        Nonnegative amounts, one after the other; what is beside each other where bars are paired.
    told : sequence of str
        What stands at the end: one text, or one for each of a pair.
    """

    name: str
    parts: Sequence[tuple[str, float]]
    told: Sequence[str]


def bars(
    title: str, rows: Sequence[Bar], unit: str, width: float, *, is_paired: bool = False
) -> str:
    """Return bars as a drawing of some width; its axis has no halves of what is counted."""
    longest = max((_length(row, is_paired) for row in rows), default=0.0)
    # Axes of ten digits are read by nobody.
    scale, unit = (MILLION, f"million {unit}") if longest >= 1e9 else (1.0, unit)
    is_counted = all(isinstance(amount, int) for row in rows for _, amount in row.parts)
    axis = even(unit, longest / scale, least=float(is_counted))
    sheet = _Layout(rows, axis, width, scale, is_paired)
    return drawn((width, sheet.height), title, [*sheet.grid(), *sheet.marks()])


def _length(row: Bar, is_paired: bool) -> float:
    amounts = [max(amount, 0.0) for _, amount in row.parts]
    return max(amounts, default=0.0) if is_paired else sum(amounts)


@dataclass(frozen=True)
class _Layout:
    """Where everything goes: names at the left, or above their bars where that is too narrow."""

    rows: Sequence[Bar]
    axis: Axis
    width: float
    scale: float
    is_paired: bool

    @property
    def is_narrow(self) -> bool:
        return self.width <= NARROW

    @property
    def left(self) -> float:
        longest = max((wide(row.name) for row in self.rows), default=0)
        return 1.0 if self.is_narrow else min(LETTER * longest + 12, NAMED_SHARE * self.width)

    @property
    def right(self) -> float:
        longest = max((wide(self.told(text)) for row in self.rows for text in row.told), default=0)
        return self.width - LETTER * longest - 12

    @property
    def thick(self) -> float:
        return 2 * PAIRED if self.is_paired else THICK

    @property
    def step(self) -> float:
        return self.thick + GAP + (NAME if self.is_narrow else 0.0)

    @property
    def height(self) -> float:
        return self.step * len(self.rows) + FOOT

    def told(self, text: str) -> str:
        """Return what stands at the end of a bar."""
        return shortened(text, TOLD_SHARE * self.width / LETTER)

    def x(self, amount: float) -> float:
        """Return where an amount lies."""
        return self.left + self.axis.place(amount / self.scale) * (self.right - self.left)

    def grid(self) -> list[str]:
        """Return the axis below."""
        floor = self.height - FOOT + 2
        parts = []
        for number, text in _as_many_as_fit(self.axis.ticks, self.right - self.left):
            x = self.x(number * self.scale)
            parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="2" y2="{floor}"/>')
            parts.append(written(x, floor + 16, text, "start" if x < 20 else "middle"))
        label = shortened(self.axis.label, self.width / LETTER)
        half = LETTER * wide(label) / 2
        middle = min(max((self.left + self.right) / 2, half), self.width - half)
        return [*parts, written(middle, floor + 36, label, "middle", "label")]

    def marks(self) -> list[str]:
        """Return names, bars, and what stands at their ends."""
        return [mark for k, row in enumerate(self.rows) for mark in self._row(row, self.step * k)]

    def _row(self, row: Bar, top: float) -> list[str]:
        if self.is_narrow:
            most = (self.width - 4) / LETTER
            name = written(1, top + NAME - 3, shortened(row.name, most), "start", "name")
            top += NAME
        else:
            most = (self.left - 8) / LETTER
            middle = top + GAP / 2 + self.thick / 2 + 4
            name = written(self.left - 8, middle, shortened(row.name, most), "end", "name")
        return [name, *(self._pair(row, top) if self.is_paired else self._stack(row, top))]

    def _stack(self, row: Bar, top: float) -> list[str]:
        marks, start, y = [], 0.0, top + GAP / 2
        for series, amount in row.parts:
            end = start + max(amount, 0.0)
            marks.append(_rectangle(self.x(start), self.x(end), y, THICK, series))
            start = end
        told = written(self.x(start) + 6, y + THICK - 3.5, self.told(row.told[0]), "start", "end")
        return [*marks, told]

    def _pair(self, row: Bar, top: float) -> list[str]:
        marks, y, thick = [], top + GAP / 2, self.thick / 2
        for (series, amount), text in zip(row.parts, row.told, strict=True):
            end = self.x(max(amount, 0.0))
            marks.append(_rectangle(self.left, end, y, thick - 1.5, series))
            marks.append(written(end + 6, y + thick - 3, self.told(text), "start", "end"))
            y += thick
        return marks


def _rectangle(start: float, end: float, y: float, thick: float, series: str) -> str:
    where = f'x="{start:.1f}" y="{y:.1f}" width="{max(end - start, 0):.1f}"'
    return f'<rect class="dot {series}" {where} height="{thick:.1f}"/>' if end > start else ""


def _as_many_as_fit(ticks: Sequence[tuple[float, str]], room: float) -> Sequence[tuple[float, str]]:
    """Return every tick, or every second, third ... one, such that their texts do not touch."""
    longest = max((len(text) for _, text in ticks), default=1)
    step = 1
    while (len(ticks) - 1) // step * LETTER * (longest + 2) > room and step < len(ticks):
        step += 1
    return ticks[::step]
