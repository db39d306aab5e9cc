"""What the coordinator and the blocks tell each other, besides the messages between blocks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ogas.engine.table import Integers, Vector

State = npt.NDArray[np.float64] | npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """What stands in which column of a state.

        nothing negative     x_1 .. x_K  w
        else                 x_1 .. x_K  w  |  w  |x_1| .. |x_K|

    The second also serves plans that may need different products: no plan moves along a witness of
    products that one of them does not need. Columns from ``plain`` on are multiplied by magnitudes
    of entries.
    """

    plans: int
    is_mixed: bool

    @property
    def plain(self) -> int:
        """How many columns are multiplied by the entries themselves."""
        return self.plans + 1

    @property
    def width(self) -> int:
        """How many columns there are."""
        return self.plain * (2 if self.is_mixed else 1)

    @property
    def drift(self) -> int:
        """Whose sums say how the plan moves along the witness: A w."""
        return self.plans

    @property
    def needs(self) -> int:
        """Whose sums say what the witness needs: |A| w."""
        return self.plain if self.is_mixed else self.plans

    def gross(self, plan: int) -> int:
        """Whose sums say the turnover of a plan: |A| |x|."""
        return self.plain + 1 + plan if self.is_mixed else plan


@dataclass(frozen=True, eq=False)
class Account:
    """A block's part of the sector table, in value: small, and all that leaves it besides messages.

    Attributes
    ----------
    partners : (k,) int64
        The blocks it takes from.
    across : (k, c) float64
        What it takes from each of them, for every column of the state.
    within : (c,) float64
        What it takes from itself.
    held : (c,) float64
        What the state is worth.
    wanted : (K + 1,) float64
        What is wanted of it: final demand for every plan, and turnover for the witness.
    """

    partners: Integers
    across: Matrix
    within: Vector
    held: Vector
    wanted: Vector


@dataclass(frozen=True, eq=False)
class Correction:
    """What the sector table says: ``state[:, c] <- factor[J, c] state[:, c] + shift[J, c] w``."""

    factor: Matrix
    shift: Matrix
    note: str = ""

    @staticmethod
    def none(blocks: int, columns: Columns, note: str = "") -> "Correction":
        """Return the correction that leaves everything as it is."""
        shape = (blocks, columns.width)
        return Correction(np.ones(shape), np.zeros(shape), note)
