"""Tables in a terminal: every row is one line.

Where a terminal is too narrow, headings are broken between words first, then columns go into a
table of their own, and names are shortened in their middle. A file or a pipe is as wide as it must
be, and has whole names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table as Grid

from ogas.cluster.lettering import shortened, wide

Side = Literal["left", "right"]

GAP = 2  # between columns
LEAST = 24  # letters that names keep, if they have as many


@dataclass(frozen=True)
class Column:
    """A column of texts; the first one of a table has names, the others mostly have numbers."""

    head: str
    cells: Sequence[str]
    is_left: bool = False

    @property
    def least(self) -> int:
        """Letters that it needs when its heading takes several lines."""
        return max(map(wide, [*self.cells, *self.head.split()]), default=0)

    @property
    def most(self) -> int:
        """Letters that it fills."""
        return max(self.least, wide(self.head))


def print_table(out: Console, names: Column, others: Sequence[Column], title: str = "") -> None:
    """Print names with what is told of each; in several tables where one would be too wide."""
    room = out.width if out.is_terminal else None
    for number, part in enumerate(_parts(names, others, room)):
        if number:
            out.print("")
        grid = _grid(names, part, room)
        if title and not number:
            out.print(title, style="bold")
        out.print(grid)


def _parts(names: Column, others: Sequence[Column], room: int | None) -> Iterator[Sequence[Column]]:
    """Yield as many columns as fit beside the names, one at least."""
    left = min(names.most, LEAST)
    part: list[Column] = []
    for column in others:
        taken = left + sum(one.least + GAP for one in [*part, column])
        if part and room is not None and taken > room:
            yield part
            part = []
        part.append(column)
    yield part


def _width(names: Column, others: Sequence[Column]) -> int:
    """Return how wide a table is with whole names and headings."""
    return names.most + sum(one.most + GAP for one in others)


def _grid(names: Column, others: Sequence[Column], room: int | None) -> Grid:
    is_tight = room is not None and _width(names, others) > room
    widths = [one.least if is_tight else one.most for one in others]
    left = names.most
    if room is not None and is_tight:
        left = min(left, max(room - sum(widths) - GAP * len(widths), LEAST))
    has_heads = any(one.head for one in (names, *others))
    grid = Grid(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=has_heads)
    grid.add_column(names.head, width=left, no_wrap=True)
    for one, width in zip(others, widths, strict=True):
        side: Side = "left" if one.is_left else "right"
        grid.add_column(one.head, width=width, justify=side, vertical="bottom")
    for name, *cells in zip(names.cells, *(one.cells for one in others), strict=True):
        grid.add_row(shortened(name, left), *cells)
    return grid
