"""Variants: what every solver must meet, whatever the case.

    units=mixed      every product in its own unit: A → D A D⁻¹, f → D f, l → l D⁻¹, with D =
                     10^uniform(-4, 4) taken to the nearest power of two. Scaling by powers of two
                     rounds nothing, so x → D x and v → v D⁻¹ hold to the last bit, in float32 too.
    signed[=S]       a share S (0.01) of the entries off the diagonal turns negative: by-products
                     and credits. |A| is what it was, hence as productive.
    imports[=S]      a share S (0.15) of the products is imported on balance: their demand becomes
                     minus lognormal(0, 2), which can make outputs negative.
    households[=S]   every block's last product is a household. The others use its labour (a row),
                     a share S (0.9) of the value they add; it spends the share S of its wages on
                     a basket drawn by the law of a final product with 20 k inputs (a column of
                     total S). What is left, "surplus" = 1 - column total, is the factor. Radius
                     .95 on S1.
    hidden           products shuffled, block labels withheld.
    tree             no circular production: an input at or above its user's position is redrawn
                     below it, in the block it came from. Position 0 has no inputs. Radius 0.
    islands[=N]      N (2) groups of blocks, each with hubs of its own, that do not trade.

They combine, except that a tree has no households. `units`, `signed`, `imports` and `hidden` are
done here, to blocks and tables of any law; the others are part of the law of `sectors`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import coo_array

from ogas.datasets.draws import Purpose, stream
from ogas.engine.block import Block
from ogas.engine.errors import WrongUsageError
from ogas.engine.rows import Rows
from ogas.engine.table import Integers, Table, Vector, coefficients_from


@dataclass(frozen=True)
class Variants:
    """Which variants a recipe asks for; the default is none.

    Attributes
    ----------
    units : "one" or "mixed"
    signed, imports, households : float
        Shares, 0 for none.
    islands : int
        Number of economies that do not trade.
    hidden, tree : bool
    """

    units: str = "one"
    signed: float = 0.0
    imports: float = 0.0
    households: float = 0.0
    islands: int = 1
    hidden: bool = False
    tree: bool = False

    def __post_init__(self) -> None:
        if self.tree and self.households:
            raise WrongUsageError(
                "a tree has no households: wages and consumption are circular",
                advice="ask for one of the two variants",
            )


# What `name` alone means; `units` has to be said.
FLAGS = {"signed": 0.01, "imports": 0.15, "households": 0.9, "islands": 2, "hidden": 1, "tree": 1}


def parse_variants(words: list[str], allowed: frozenset[str]) -> Variants:
    """Read ``name`` and ``name=value`` words; only the ``allowed`` names are known.

    Examples
    --------
    >>> parse_variants(["signed", "tree"], frozenset(FLAGS)) == Variants(signed=0.01, tree=True)
    True

    Raises
    ------
    WrongUsageError
        Naming the word, and listing what exists.
    """
    given: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in allowed:
            raise WrongUsageError(
                f"unknown variant {name!r}", advice=f"there are: {', '.join(sorted(allowed))}"
            )
        given[name] = _value(name, value)
    return Variants(**given)


def _value(name: str, text: str) -> str | float | int | bool:
    """Read the value of one variant, or take its default."""
    if name == "units":
        if text not in ("one", "mixed"):
            raise WrongUsageError(f"units={text} is unknown", advice="use units=mixed or units=one")
        return text
    try:
        number = float(text or FLAGS[name])
    except ValueError:
        number = float("nan")
    if name == "islands" and number >= 1 and number == int(number):
        return int(number)
    if name in ("hidden", "tree") and number in (0, 1):
        return bool(number)
    if name in ("signed", "imports", "households") and 0 <= number < 1:
        return number
    raise WrongUsageError(
        f"{name}={text} is impossible",
        advice="shares lie in [0, 1), islands=N is a whole number, hidden and tree are 0 or 1",
    )


def mixed_units(products: int, seed: int) -> Vector:
    """Return D, the units of a table in which every product has its own: powers of two, (n,)."""
    exponents = stream(seed, Purpose.UNITS).uniform(-4, 4, products) * np.log2(10)
    scales: Vector = np.exp2(np.rint(exponents))
    return scales


def in_units(block: Block, scales: Vector) -> Block:
    """Return ``D A D⁻¹`` for the columns of one block."""
    return replace(
        block,
        own=_rescaled(block.own, scales[block.products], scales[block.products]),
        orders=_rescaled(block.orders, scales[block.ext], scales[block.products]),
    )


def _rescaled(part: Rows, rows: Vector, columns: Vector) -> Rows:
    data = part.data * np.repeat(rows, np.diff(part.indptr)) / columns[part.indices]
    return replace(part, data=data)


def with_credits(block: Block, share: float, seed: int, number: int) -> Block:
    """Turn a share of a block's entries negative, never one on the diagonal."""
    rng = stream(seed, Purpose.SIGNS, number)
    rows = np.repeat(np.arange(len(block.products)), np.diff(block.own.indptr))
    own = (rng.random(block.own.nnz) < share) & (rows != block.own.indices)
    ordered = rng.random(block.orders.nnz) < share
    return replace(
        block,
        own=replace(block.own, data=np.where(own, -block.own.data, block.own.data)),
        orders=replace(block.orders, data=np.where(ordered, -block.orders.data, block.orders.data)),
    )


def with_imports(demand: Vector, share: float, seed: int, number: int) -> Vector:
    """Replace the demand for a share of a block's products by net imports."""
    rng = stream(seed, Purpose.IMPORTS, number)
    imported = rng.random(len(demand)) < share
    return np.where(imported, -rng.lognormal(0.0, 2.0, len(demand)), demand)


def shuffled(table: Table, seed: int) -> Table:
    """Return the table with its products in random order, its blocks and ranks withheld.

    Position i holds what was product ``shuffle(n, seed)[i]``; ids are counted anew.
    """
    order = shuffle(len(table), seed)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    old = table.coefficients
    rows = np.repeat(place, np.diff(old.indptr))
    matrix = coo_array((old.data, (rows, place[old.indices])), shape=old.shape)
    return replace(
        table,
        coefficients=coefficients_from(matrix),
        demand=None if table.demand is None else table.demand[order],
        factors={name: factor[order] for name, factor in table.factors.items()},
        blocks=None,
        rank=None,
    )


def shuffle(products: int, seed: int) -> Integers:
    """Return the order in which `shuffled` puts the products, (n,)."""
    return stream(seed, Purpose.SHUFFLE).permutation(products)
