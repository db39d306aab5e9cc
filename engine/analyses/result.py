"""What an analysis found: bounded numbers and words for every product, and what they add up to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ogas.engine.interval import Interval
from ogas.engine.table import Integers, Labels

Words = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Result:
    """A table of findings; every number lies within its bounds, whatever the exact solution is.

    Attributes
    ----------
    what : str
        The analysis.
    equation : str
        What was solved, in one line.
    ids : (k,) labels
        Of the rows.
    columns : mapping of name to (k,) Interval or strings
    over : str
        What a row is: a product, a group of products, a path.
    names : (k,) strings or None
    totals : mapping of name to single Interval
        What belongs to no row.
    sort : str
        The column by which a reader wants the rows, the largest first; empty for their own order.
    notes : tuple of str
        Conventions that the numbers depend on.
    units : mapping of name to str
        Of columns and totals; what is not named is a pure number.
    """

    what: str
    equation: str
    ids: Labels
    columns: Mapping[str, Interval | Words]
    over: str = "product"
    names: Words | None = None
    totals: Mapping[str, Interval] = field(default_factory=dict)
    sort: str = ""
    notes: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def largest(self, count: int) -> Integers:
        """Return the rows that a reader wants first."""
        column = self.columns.get(self.sort)
        if not isinstance(column, Interval):
            return np.arange(min(count, len(self)), dtype=np.int64)
        # Of either sign; what is not known at all comes last.
        size = np.where(np.isfinite(column.radius), np.abs(column.middle), -np.inf)
        return np.argsort(-size, kind="stable")[:count].astype(np.int64)
