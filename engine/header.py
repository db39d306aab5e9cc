"""Everything a table says besides its coefficients: labels, vectors, units, where it comes from.

A table that is generated block by block never exists as one matrix; its header does. Together with
the entries of its blocks it is what a version of a store consists of.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ogas.engine.table import Integers, Labels, Table, Vector


@dataclass(frozen=True, eq=False)
class Header:
    """The fields of a `Table` without its coefficients; see there for their meaning."""

    ids: Labels
    demand: Vector | None = None
    factors: Mapping[str, Vector] = field(default_factory=dict)
    names: npt.NDArray[np.str_] | None = None
    units: str | npt.NDArray[np.str_] = ""
    factor_units: Mapping[str, str] = field(default_factory=dict)
    output: Vector | None = None
    price: Vector | None = None
    blocks: Integers | None = None
    rank: Vector | None = None
    value_type: str = "float64"
    meta: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table) -> "Header":
        """Return the header of a table, sharing its arrays."""
        return cls(**{part.name: getattr(table, part.name) for part in fields(cls)})

    def __len__(self) -> int:
        return len(self.ids)

    def label(self, product: int) -> str:
        """Return id and name of one product, for messages and summaries."""
        code = str(self.ids[product])
        name = "" if self.names is None else str(self.names[product])
        return f"{code} {name}" if name and name != code else code

    def with_coefficients(self, coefficients: csr_array) -> Table:
        """Return the table with these coefficients, checked at its door."""
        return Table(coefficients, **{part.name: getattr(self, part.name) for part in fields(self)})

    def check(self) -> None:
        """Raise what `Table` raises for impossible labels or vectors."""
        n = len(self.ids)
        self.with_coefficients(csr_array((n, n), dtype=np.float64))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the labels and vectors that are there, without the factors, by name."""
        candidates = {
            name: getattr(self, name)
            for name in ("ids", "names", "units", "blocks", "rank", "demand", "output", "price")
        }
        return {name: value for name, value in candidates.items() if isinstance(value, np.ndarray)}
