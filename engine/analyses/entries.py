"""Selected rows and columns of the Leontief inverse.

    column j    L e_j    what a unit of final demand for j needs of every product
    row i       L' e_i   what of product i a unit of final demand for every product needs

Source: Miller and Blair (2022), Input-Output Analysis, 3rd ed., ch. 2.2.
"""

from collections.abc import Iterable, Sequence

from ogas.engine.analyses.inverse import Inverse
from ogas.engine.analyses.result import Result
from ogas.engine.interval import Interval


def columns_of(inverse: Inverse, products: Sequence[int]) -> Result:
    """Return columns of L, each called by the id of its product."""
    return _called(inverse, ("columns", "x = A x + e_j"), products, inverse.columns(products))


def rows_of(inverse: Inverse, products: Sequence[int]) -> Result:
    """Return rows of L, each called by the id of its product."""
    return _called(inverse, ("rows", "v = A' v + e_i"), products, inverse.rows(products))


def _called(
    inverse: Inverse,
    what: tuple[str, str],
    products: Sequence[int],
    found: Iterable[tuple[int, Interval]],
) -> Result:
    header, parts = inverse.header, dict(found)
    columns = {str(header.ids[product]): parts[product] for product in products}
    return Result(
        *(*what, header.ids, columns),
        names=header.names,
        sort=next(iter(columns), ""),
        notes=inverse.notes,
    )
