"""Textbook problems: small tables with answers worked by hand, and large ones with known defects.

Answers stand in each docstring, and in ``meta["quantities"]`` and ``meta["values"]`` of the table
where they can be written down.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array

from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.engine.errors import WrongUsageError
from ogas.engine.table import Table, coefficients_from

SOURCE = {"licence": "no rights: an arithmetic example"}


def _table(rows: list[list[float]], demand: list[float], labour: list[float], **meta: Any) -> Table:
    """Return a small table from its rows."""
    return Table(
        coefficients_from(np.array(rows)),
        ids=np.arange(len(rows)),
        demand=np.array(demand, dtype=np.float64),
        factors={"labour": np.array(labour, dtype=np.float64)},
        factor_units={"labour": "hours"},
        meta=SOURCE | meta,
    )


def two_sectors() -> Table:
    """Return agriculture and industry, each using both.

    A = [[.2, .3], [.4, .1]], so det(I - A) = .8·.9 - .3·.4 = .6 and

        (I - A)⁻¹ = 1/.6 [[.9, .3], [.4, .8]]

    f = (6, 12):   x = (5.4 + 3.6, 2.4 + 9.6)/.6 = (15, 20).
    l = (.4, .6):  v = (.9·.4 + .4·.6, .3·.4 + .8·.6)/.6 = (1, 1).   l·x = v·f = 18.
    """
    return _table([[0.2, 0.3], [0.4, 0.1]], [6, 12], [0.4, 0.6], quantities=[15, 20], values=[1, 1])


def three_sectors() -> Table:
    """Return Ochoa's three-sector example of the United States, with the wage basket as demand.

    As printed in the README of the R package clptheory (agriculture, industry, services):
    v = (.4398417, 7.739431, .8979541), to the figures printed.

    References
    ----------
    Ochoa (1984), Labor values and prices of production: an interindustry study of the U.S. economy.
    """
    table = _table(
        [[0.265, 0.968, 0.00681], [0.0121, 0.391, 0.0169], [0.0408, 0.808, 0.165]],
        [0.0109, 0.0275, 0.296],
        [0.193, 3.562, 0.616],
        values=[0.4398417, 7.739431, 0.8979541],
        source="Ochoa (1984)",
    )
    return replace(table, names=np.array(["agriculture", "industry", "services"]))


def by_product() -> Table:
    """Return three products, one recipe with a by-product and one product imported on balance.

    A unit of steel takes .5 gas and gives .2 slag (a negative coefficient); making a unit of slag
    cement takes .25 steel. With f = (-14, 18.5, 10):

        steel x₁ = 18.5 + .25 x₂,  slag x₂ = 10 - .2 x₁   →  x₁ = 21/1.05 = 20,  x₂ = 6
        gas   x₀ = .5·20 - 14 = -4: four units more are imported than are used.

    With l = (2, 3, 4.25): v₀ = 2, v₁ = 1 - .2 v₂ + 3, v₂ = .25 v₁ + 4.25  →  v = (2, 3, 5).
    l·x = v·f = 77.5.
    """
    table = _table(
        [[0, 0.5, 0], [0, 0, 0.25], [0, -0.2, 0]],
        [-14, 18.5, 10],
        [2, 3, 4.25],
        quantities=[-4, 20, 6],
        values=[2, 3, 5],
    )
    return replace(table, names=np.array(["gas", "steel", "slag"]))


def nobody_wants() -> Table:
    """Return five products of which three are not needed for anything that is demanded.

    Only bread is demanded, f₀ = 8. Bread takes .5 flour, flour .4 bread: x₀ = 8/(1 - .2) = 10 and
    x₁ = 5. Cake (2) takes .3 bread, but nobody wants it; swords (3) and shields (4) take .9 of each
    other. Their outputs are exactly 0. With l = (.5, .6, .7, .1, .1) every value is 1. l·x = 8.
    """
    rows = np.zeros((5, 5))
    rows[1, 0], rows[0, 1], rows[0, 2] = 0.5, 0.4, 0.3
    rows[3, 4] = rows[4, 3] = 0.9
    return _table(
        rows.tolist(),
        [8, 0, 0, 0, 0],
        [0.5, 0.6, 0.7, 0.1, 0.1],
        quantities=[10, 5, 0, 0, 0],
        values=[1, 1, 1, 1, 1],
    )


def hidden_loop(products: int = 600, seed: int = 11) -> Table:
    """Return an unproductive economy: three of many products eat more than they make.

    A unit of each product in ``meta["loop"]`` takes 1.1 of the next one in the list (the last, of
    the first), so the loop alone has radius 1.1. Everything else is `sectors:S1`.
    """
    table = generate("sectors:S1", Parameters(products=products, seed=seed))
    loop = [products // 7, products // 2, products - products // 5]
    matrix = table.coefficients.tolil()
    for user, supplier in zip(loop, loop[1:] + loop[:1], strict=True):
        matrix[supplier, user] = 1.1
    return _altered(table, matrix, loop=loop)


def wrong_unit(products: int = 600, seed: int = 11) -> Table:
    """Return an economy in which one coefficient is a million times too large.

    As when grams are entered where tonnes were meant. The entry is ``meta["entry"] = [i, j]``;
    a_ji is not zero either, and the radius is at least ``meta["radius_at_least"]`` =
    sqrt(a_ij a_ji). Everything else is `sectors:S1`.
    """
    table = generate("sectors:S1", Parameters(products=products, seed=seed))
    matrix = table.coefficients.tolil()
    mutual = table.coefficients.multiply(table.coefficients.T).tocoo()
    strength = np.where(mutual.row != mutual.col, mutual.data, 0.0)
    i, j = (int(ends[np.argmax(strength)]) for ends in (mutual.row, mutual.col))
    matrix[i, j] *= 1e6
    least = float(np.sqrt(1e6 * strength.max()))
    return _altered(table, matrix, entry=[i, j], radius_at_least=least)


def nearly_critical(gap: float = 1e-10, products: int = 4, seed: int = 11) -> Table:
    """Return one strongly connected component whose radius is 1 - gap; productive if gap > 0.

    Every column adds up to 1 - gap without any rounding: its entries are multiples of 2⁻¹⁰ that add
    up to 1, less the gap, itself rounded to a multiple of 2⁻⁵³ (``meta["gap"]``). So 1ᵀA =
    (1 - gap) 1ᵀ: the radius is 1 - gap exactly. Product j takes from j - 1 (the ring makes it one
    component) and from three others.

    With l = gap for every product all values are 1; with one unit of every product demanded the
    outputs add up to n/gap.
    """
    if products < 2:
        raise WrongUsageError("a ring needs two products")
    gap = round(gap * 2**53) / 2**53
    rng = np.random.Generator(np.random.Philox(key=seed))
    users = np.arange(products)
    parts = rng.integers(1, 200, (3, products))
    others = rng.integers(0, products, (3, products))
    entries = np.concatenate([[1024 - parts.sum(axis=0)], parts]) / 1024.0
    entries[0] -= gap
    suppliers = np.concatenate([[users - 1], others]) % products
    columns = np.broadcast_to(users, suppliers.shape)
    places = (suppliers.ravel(), columns.ravel())
    return Table(
        coefficients_from(coo_array((entries.ravel(), places), shape=(products, products))),
        ids=users,
        demand=np.ones(products),
        factors={"labour": np.full(products, abs(gap))},
        factor_units={"labour": "hours"},
        meta=SOURCE | {"gap": gap},
    )


def _altered(table: Table, matrix: npt.ArrayLike, **known: Any) -> Table:
    """Return a generated table with other coefficients, and what is known about them."""
    return replace(
        table,
        coefficients=coefficients_from(matrix),
        value_type="float64",
        meta=dict(table.meta) | known,
    )
