"""Extensions of a pymrio system: each stressor is a factor, an amount per unit of output.

S                     as it is
F, if there is no S   F / x
"""

import numpy as np

from ogas.datasets.published.labelled import Edges, Label
from ogas.datasets.published.pymrio_parts import Part, Product, product_of
from ogas.datasets.published.sparse import Axis, order_of
from ogas.datasets.published.wanted import Picked, Wanted
from ogas.engine.errors import InvalidInputError
from ogas.engine.header import Header
from ogas.engine.table import Vector

DIRECT = {"F_Y", "S_Y", "FY", "F_hh"}


class Stressors:
    """The factors read so far, their units, and what was left out.

    A stressor goes by its labels; by ``extension/labels`` where another extension has the same.
    """

    def __init__(self, products: list[Product], header: Header, wanted: Wanted) -> None:
        self._products, self._header, self._picked = products, header, Picked(wanted)
        self._messages: list[str] = []
        self.amounts: dict[str, Vector] = {}
        self.units: dict[str, str] = {}

    def read(self, extension: str, part: Part) -> None:
        """Read the stressors of one extension that are wanted."""
        core = next((name for name in ("S", "F") if name in part.files), None)
        if core is None:
            self._messages.append(f"{extension} left out: it has neither S nor F")
            return
        if core == "F" and self._header.output is None:
            self._messages.append(
                f"{extension} left out: F holds totals, and without x or Z nobody knows of how much"
            )
            return
        direct = sorted(DIRECT & set(part.files))
        if direct:
            self._messages.append(
                f"{extension}: {', '.join(direct)}, what final demand uses directly, is no part of "
                "any product and left out"
            )
        units = _units(part, core)
        own: dict[Label, str] = {}
        with part.grid(core) as grid:
            columns = [product_of(label) for label in grid.columns]
            places = [grid.place(k) for k in range(len(columns))]
            asked = Axis(self._products, [""] * len(self._products))
            order = order_of(asked, Axis(columns, places))
            for row in grid.rows(lambda label: self._takes(extension, label)):
                if row.label in own:
                    raise InvalidInputError(
                        f"two stressors are called {'|'.join(row.label)!r}",
                        where=f"{own[row.label]} and {row.place}",
                        advice="rename or merge them",
                    )
                own[row.label] = row.place
                name = self._name(extension, row.label)
                amounts = row.values[order]
                self.amounts[name] = amounts if core == "S" else self._per_unit(name, amounts)
                if units.get(row.label):
                    self.units[name] = units[row.label]
            self._messages += [f"{extension}: {line}" for line in grid.messages()]

    def messages(self) -> tuple[str, ...]:
        """Return what was left out; refuse names of factors that were never met."""
        return (*self._messages, *self._picked.messages())

    def _takes(self, extension: str, label: Label) -> bool:
        name = "|".join(label)
        return self._picked.takes(self._name(extension, label), name, f"{extension}/{name}")

    def _name(self, extension: str, label: Label) -> str:
        name = "|".join(label)
        return f"{extension}/{name}" if name in self.amounts else name

    def _per_unit(self, name: str, total: Vector) -> Vector:
        """Return F / x; what products without output use is left out, and told."""
        output = self._header.output
        assert output is not None
        lost = np.flatnonzero((output == 0) & (total != 0))
        if lost.size:
            self._messages.append(
                f"{name}: {lost.size:,} products without output use {total[lost].sum():g} in all; "
                f"left out, the first is {self._header.ids[lost[0]]!s}"
            )
        return np.divide(total, output, out=np.zeros(len(total)), where=output != 0)


def _units(part: Part, core: str) -> dict[Label, str]:
    """Return the unit of each stressor."""
    if "unit" not in part.files:
        return {}
    # Some published systems declare one label too many for this file; those of the core are right.
    edges = Edges(headings=1, labels=part.files[core][1].labels)
    file = part.files["unit"][0]
    with Part(part.archive, part.folder, {"unit": (file, edges)}).grid("unit") as grid:
        return {label: cells[0] for label, cells, _ in grid.texts()}
