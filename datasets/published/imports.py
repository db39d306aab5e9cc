"""Imports in a table that tells them from domestic products, and the two tables made of it.

                        products        final use
    domestic products   Zd              yd            x = Zd e + yd
    imports             Zm              ym            m = Zm e + ym
    primary inputs      w

    domestic   A = Zd x̂⁻¹          f = yd             imports, e' Zm, are one more primary input
    total      A = (Zd + Zm) x̂⁻¹   f = yd + ym − m    imports are no input

Both balance, x = A x + f. The domestic A says what a final demand makes industries of this country
produce, and is what multipliers and plans of a country are computed with: it is taken unless the
other is asked for. The total A says what a product is made of, wherever that comes from (the
technology); its demand is net of imports, and negative where more is imported than finally used.

Sources: Miller and Blair (2009), Input-Output Analysis, ch. 4, on competitive imports; United
Nations (2018), Handbook on Supply and Use Tables and Input-Output Tables, ch. 12; Eurostat (2008),
Manual of Supply, Use and Input-Output Tables, ch. 11.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from ogas.datasets.published.wanted import TOTAL
from ogas.engine.symmetric import IMPORTS
from ogas.engine.table import Vector


@dataclass(frozen=True, eq=False)
class Uses:
    """What is done with products: flows to industries (n, n), and final use (n,)."""

    flows: csr_array
    final: Vector

    @property
    def inputs(self) -> Vector:
        """What each industry uses of all products together."""
        return np.asarray(self.flows.sum(axis=0))


def combined(domestic: Uses, imported: Uses, asked: str | None) -> tuple[Uses, str]:
    """Return the uses that the table is made of, and what to tell."""
    if asked == TOTAL:
        # f = yd + ym − m, of which ym cancels
        net = domestic.final - np.asarray(imported.flows.sum(axis=1))
        return Uses(csr_array(domestic.flows + imported.flows), net), _told_total(imported, net)
    final = imported.final.sum()
    left = f", imported final uses ({final:.6g}) are left out" if final else ""
    default = "" if asked else ", as --imports is not given"
    return domestic, (
        f"coefficients are of domestic products alone{default}; imported inputs "
        f"({imported.inputs.sum():.6g}) are the factor {IMPORTS}{left}; --imports {TOTAL} adds "
        "imports to the coefficients"
    )


def _told_total(imported: Uses, net: Vector) -> str:
    amount = imported.flows.sum() + imported.final.sum()
    below = np.count_nonzero(net < 0)
    negative = f", negative for {below:,} products" if below else ""
    return (
        "coefficients are of domestic and imported products together; demand is final use less "
        f"imports ({amount:.6g}){negative}"
    )
