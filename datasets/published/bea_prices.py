"""From purchasers' to basic prices: the bridge in the supply tables of the BEA.

    industries | MCIF  MADJ | TRADE  TRANS | MDTY  TOP  SUB |
        S      |  imports   |   margins    |  taxes t       |  = use at purchasers' prices

The supply table is at basic prices, what the maker gets. The use table is at purchasers' prices:
with the trade and transport margins M[p, k], negative for the products that are those services,
and taxes less subsidies t. Who pays how much of them is not in the tables. Here everybody pays the
same share of the price of a product:

    B[p, u] = (1 − (t_p + Σₖ M⁺[p, k]) / c_p) U[p, u] + Σₖ s[p, k] Σ_r (M⁺[r, k] / c_r) U[r, u]

with c the use of a product in total, and the margins k bought from those that sell them,
s = M⁻ / Σ M⁻. Columns keep their sums, with the taxes Σ t_p / c_p U[p, u] as a primary input; rows
add up to output and imports at basic prices.

It is an assumption, and a coarse one: households pay more of the retail margins and sales taxes
than industries. The make and use tables in producers' prices need none of it.

Sources: Young et al. (2015), Supply-Use Tables for the United States, Survey of Current Business;
Eurostat (2008), Manual of Supply, Use and Input-Output Tables, chapter 6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ogas.datasets.published.bea_sheet import ROUNDED, Line, Part, Sheet
from ogas.engine.errors import InvalidInputError
from ogas.engine.table import Vector

IMPORTS, MARGINS, TAXES = ("MCIF", "MADJ"), ("TRADE", "TRANS"), ("MDTY", "TOP", "SUB")
TAX = Line("T015", "total tax less subsidies on products", Part.INPUT, "")
SAID = (
    "use at purchasers' prices, turned into basic prices: all users of a product are taken to pay "
    "the same share of its price in trade and transport margins, which are then bought from those "
    f"that sell them, and in taxes less subsidies, the factor {TAX.code}; the tables in producers' "
    "prices (IOMake_..., IOUse_..._PRO_...) need no such assumption"
)
Amounts = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bridge:
    """What lies between the output of products and their use at purchasers' prices.

    Attributes
    ----------
    output, imports, taxes : (p,) float64
    margins : (p, 2) float64
        Trade and transport; negative where they are sold.
    """

    output: Vector
    imports: Vector
    margins: Amounts
    taxes: Vector

    @property
    def total(self) -> Vector:
        """Supply at purchasers' prices: c (p,)."""
        total: Vector = self.output + self.imports + self.margins.sum(axis=1) + self.taxes
        return total

    def basic(self, uses: Amounts) -> Amounts:
        """Return uses (p, u) at basic prices."""
        paid, sold = np.maximum(self.margins, 0.0), np.maximum(-self.margins, 0.0)
        shares = np.divide(sold, sold.sum(axis=0), out=np.zeros_like(sold), where=sold > 0)
        rest = 1.0 - self._rate(paid.sum(axis=1) + self.taxes)
        moved = shares @ np.stack([self._rate(margin) @ uses for margin in paid.T])
        basic: Amounts = rest[:, None] * uses + moved
        return basic

    def taxed(self, uses: Amounts) -> Vector:
        """Return the taxes less subsidies that users pay (u,)."""
        return self._rate(self.taxes) @ uses

    def check(self, used: Vector, products: Sequence[Line]) -> None:
        """Compare with the use at purchasers' prices.

        Raises
        ------
        InvalidInputError
            If one differs by more than rounding can do.
        """
        apart = np.abs(self.total - used)
        worst = int(np.argmax(apart))
        if apart[worst] > ROUNDED * (len(products) + len(IMPORTS + MARGINS + TAXES)):
            raise InvalidInputError(
                f"its use is {used[worst]:.10g}, but its supply at purchasers' prices "
                f"{self.total[worst]:.10g}",
                where=f"{products[worst].code} ({products[worst].name}), {products[worst].place}",
                advice="is a column missing, or a number changed? get both workbooks again",
            )

    def _rate(self, amounts: Vector) -> Vector:
        return np.divide(amounts, self.total, out=np.zeros_like(amounts), where=self.total != 0)


def bridge_of(supply: Sheet, order: Sequence[int]) -> Bridge:
    """Return the bridge of a supply table, products in another order.

    Raises
    ------
    InvalidInputError
        If a column is missing.
    """
    columns = [line.code.upper() for line in supply.of(Part.PRICE, down=False)]
    missing = [code for code in IMPORTS + MARGINS + TAXES if code not in columns]
    if missing:
        raise InvalidInputError(
            f"no column {', '.join(missing)}",
            where="the headings",
            advice="keep the columns from basic to purchasers' prices, with their codes",
        )
    values = supply.part(Part.OWN, Part.PRICE)[np.asarray(order)].T
    of: Mapping[str, Vector] = dict(zip(columns, values, strict=True))
    return Bridge(
        supply.part(Part.OWN, Part.OWN)[np.asarray(order)].sum(axis=1),
        np.sum([of[code] for code in IMPORTS], axis=0),
        np.column_stack([of[code] for code in MARGINS]),
        np.sum([of[code] for code in TAXES], axis=0),
    )
