"""Sparse matrices that grow row by row, and rows brought into the order of columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from ogas.datasets.published.labelled import Label, named
from ogas.engine.errors import InvalidInputError
from ogas.engine.table import Integers, Vector

NAMED = 5


class Entries:
    """What is not zero in the rows seen so far: 12 bytes an entry, whatever the width."""

    def __init__(self) -> None:
        self._columns: list[np.ndarray[tuple[int], np.dtype[np.int32]]] = []
        self._values: list[Vector] = []

    def add(self, row: Vector) -> None:
        """Append a row."""
        places = np.flatnonzero(row)
        self._columns.append(places.astype(np.int32))
        self._values.append(row[places])

    def matrix(self, width: int) -> csr_array:
        """Return the rows as a CSR matrix; nothing can be added afterwards."""
        lengths = [len(places) for places in self._columns]
        indptr = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))).astype(np.int64)
        indices = np.concatenate(self._columns or [np.empty(0, np.int32)])
        self._columns.clear()
        data = np.concatenate(self._values or [np.empty(0)])
        self._values.clear()
        return csr_array((data, indices, indptr), shape=(len(lengths), width))


@dataclass(frozen=True)
class Axis:
    """The labels along one side of a table, and where each stands, for messages."""

    labels: Sequence[Label]
    places: Sequence[str]

    @property
    def place(self) -> dict[Label, str]:
        """Where each label stands.

        Raises
        ------
        InvalidInputError
            If one is there twice, with both places.
        """
        seen: dict[Label, str] = {}
        for label, place in zip(self.labels, self.places, strict=True):
            if label in seen:
                raise InvalidInputError(
                    f"{named(label)!r} is there {self.labels.count(label)} times",
                    where=f"{seen[label]} and {place}",
                    advice="rename or merge them: every product needs one row and one column",
                )
            seen[label] = place
        return seen


def order_of(columns: Axis, rows: Axis) -> Integers:
    """Return which row belongs to each column.

    Raises
    ------
    InvalidInputError
        Naming labels that are there twice, missing, or unknown.
    """
    wanted, found = columns.place, rows.place
    missing = [label for label in wanted if label not in found]
    unknown = [label for label in found if label not in wanted]
    if missing or unknown:
        lacks = f"no row for {_some(missing)}" if missing else ""
        odd = f"no column for {_some(unknown)}" if unknown else ""
        places = [wanted[label] for label in missing[:1]] + [found[label] for label in unknown[:1]]
        raise InvalidInputError(
            "rows and columns do not name the same products: "
            + ", ".join(filter(None, (lacks, odd))),
            where=", ".join(filter(None, places)),
            advice="every product needs one row and one column of the same name; are totals, or "
            "parts of final demand, among them?",
        )
    number = {label: k for k, label in enumerate(rows.labels)}
    return np.array([number[label] for label in columns.labels], dtype=np.int64)


def in_order(matrix: csr_array, order: Integers) -> csr_array:
    """Return the rows in another order; the same matrix where the order is as it should be."""
    return matrix if (order == np.arange(order.size)).all() else matrix[order]


def _some(labels: Sequence[Label]) -> str:
    more = f" and {len(labels) - NAMED:,} more" if len(labels) > NAMED else ""
    return ", ".join(repr(named(label)) for label in labels[:NAMED]) + more
