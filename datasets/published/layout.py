"""What a page on a layout says of it: what each row and column is, and at which prices."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from ogas.datasets.published.labelled import Label


class Kind(Enum):
    """What a row or a column of an account holds."""

    PRODUCT = "a product"
    IMPORT = "an imported product"
    DEMAND = "a part of final demand"
    FACTOR = "a primary input"
    OUTPUT = "gross output"
    TOTAL = "a total"


Rule = Callable[[Label], Kind]


@dataclass(frozen=True)
class Valuation:
    """The prices that flows are in, and which factors lie between them and purchasers' prices."""

    prices: str
    margins: re.Pattern[str]

    def told(self, kept: Iterable[str], seen: Iterable[str]) -> str:
        """Say what became of taxes and margins."""
        there = [name for name in seen if self.margins.fullmatch(name)]
        if not there:
            return f"flows are at {self.prices}"
        left = [name for name in there if name not in kept]
        fate = f"kept as factors, but for {', '.join(left)}" if left else "kept as factors"
        return (
            f"flows are at {self.prices}; what lies between them and purchasers' prices is {fate}: "
            f"{', '.join(there)}"
        )


@dataclass(frozen=True)
class Layout:
    """What the rows and columns of an account are, and what they are called in a table.

    Attributes
    ----------
    column, row : function of a label
        What it is.
    product : function of a label
        (region, sector) of a product.
    factor : function of a label
        The name of a primary input; rows of the same name add up.
    valuation : Valuation, optional
        Where the layout says so.
    """

    column: Rule
    row: Rule
    product: Callable[[Label], tuple[str, str]]
    factor: Callable[[Label], str]
    valuation: Valuation | None = None
