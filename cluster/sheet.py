"""A table of measurements, as `bench` prints and writes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sheet:
    """A table of measurements.

    Attributes
    ----------
    name : str
        Of the CSV file, and in the JSON object.
    title : str
    head : sequence of str
    rows : list of list
    footer : str
    """

    name: str
    title: str
    head: Sequence[str]
    rows: list[list[Any]]
    footer: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """The rows by the names of their columns."""
        rows = [dict(zip(self.head, row, strict=True)) for row in self.rows]
        return {"rows": rows, "summary": self.footer}
