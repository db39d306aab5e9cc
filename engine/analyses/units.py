"""In which units findings are: of products, of factors, of a factor in a unit of a product."""

import numpy as np

from ogas.engine.header import Header


def product_unit(header: Header) -> str:
    """Return the unit of all products; empty where it is not told, or they have several."""
    units = np.unique(np.asarray(header.units, dtype=np.str_))
    return str(units[0]) if units.size == 1 else ""


def money_unit(header: Header) -> str:
    """Return the unit in which products are added up: their own, else that of their prices."""
    return product_unit(header) if np.unique(header.units).size == 1 else "money"


def factor_unit(header: Header, factor: str) -> str:
    """Return the unit of a factor; empty where it is not told."""
    return header.factor_units.get(factor, "")


def content_unit(header: Header, factor: str) -> str:
    """Return the unit of what a unit of a product takes of a factor: ``hours per $``."""
    unit = factor_unit(header, factor)
    return f"{unit} per {product_unit(header) or 'unit'}" if unit else ""
