"""Selected rows and columns of the Leontief inverse.

    column j    L e_j    what a unit of final demand for j needs of every product
    row i       L' e_i   what of product i a unit of final demand for every product needs

Source: Miller and Blair (2022), Input-Output Analysis, 3rd ed., ch. 2.2.
"""

from collections.abc import Sequence

from ogas.engine.analyses.inverse import Inverse
from ogas.engine.analyses.result import Result


def columns_of(inverse: Inverse, products: Sequence[int]) -> Result:
    """Return columns of L, each called by the id of its product."""
    ids = inverse.header.ids
    found = {str(ids[product]): one for product, one in inverse.columns(products)}
    sort = str(ids[products[0]]) if products else ""
    return Result.by_product(inverse.header, ("columns", "x = A x + e_j"), found, sort=sort)


def rows_of(inverse: Inverse, products: Sequence[int]) -> Result:
    """Return rows of L, each called by the id of its product."""
    ids = inverse.header.ids
    found = {str(ids[product]): one for product, one in inverse.rows(products)}
    sort = str(ids[products[0]]) if products else ""
    return Result.by_product(inverse.header, ("rows", "v = A' v + e_i"), found, sort=sort)
