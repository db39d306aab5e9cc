"""Aggregation: fewer, larger products, by a concordance, so that the balance stays exact.

    C[i, K] = share of product i that belongs to the aggregate K,   Σ_K C[i, K] = 1

    Z = A x̂    Z* = Cᵀ Z C    x* = Cᵀ x    f* = Cᵀ f    A* = Z* x̂*⁻¹    l* = Cᵀ(l x) / x*

If x = A x + f, then x* = A* x* + f*: since C e = e, A* x* = Cᵀ Z C e = Cᵀ A x. The total of every
factor stays. For any other demand the small table answers as if each aggregate kept its mixture of
products: that is what aggregation loses.

A is read once, block by block; beside a block only Z* is held, sparse.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, diags_array

from ogas.engine.block import Block
from ogas.engine.errors import InvalidInputError
from ogas.engine.header import Header
from ogas.engine.table import Labels, Table, Vector, coefficients_from


@dataclass(frozen=True, eq=False)
class Concordance:
    """To which aggregates every product belongs, and with what share.

    Attributes
    ----------
    ids : (m,) unique strings or int64
        The aggregates.
    shares : (n, m) CSR, nonnegative
        C; every row adds up to 1.
    """

    ids: Labels
    shares: csr_array

    @staticmethod
    def by(labels: npt.NDArray[Any]) -> "Concordance":
        """Put together what has the same label, in ascending order.

        Examples
        --------
        >>> found = Concordance.by(np.array(["b", "a", "b"]))
        >>> found.ids.tolist(), found.shares.toarray().tolist()
        (['a', 'b'], [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
        """
        ids, places = np.unique(labels, return_inverse=True)
        n = len(places)
        shares = csr_array((np.ones(n), places, np.arange(n + 1)), shape=(n, len(ids)))
        return Concordance(ids, shares)


@dataclass(frozen=True, eq=False)
class Weights:
    """What products count for when their recipes are mixed.

    Attributes
    ----------
    output : (n,) float64
        x, units of each product per year.
    demand : (n,) float64 or None
        The f that goes with it.
    price : (n,) float64 or None
        Money per unit: aggregates are then measured in money. Else all that is put together has to
        have one unit.
    """

    output: Vector
    demand: Vector | None
    price: Vector | None = None


def aggregated(header: Header, blocks: Iterable[Block], by: Concordance, weights: Weights) -> Table:
    """Return the table of the aggregates; see the law of this page.

    Parameters
    ----------
    header : Header
        Of n products; its factors, prices and units are aggregated. Names, blocks and ranks are
        not.
    blocks : iterable of Block
        All of A, each block once.

    Returns
    -------
    Table
        Of m products, with demand and output. An aggregate without output has an empty recipe.

    Raises
    ------
    InvalidInputError
        If products of different units would be added up, or the output of an aggregate is negative,
        or is 0 although it takes inputs; with its id.

    Examples
    --------
    >>> from ogas.engine.block import undivided
    >>> A = coefficients_from(np.array([[0.0, 0.5], [0.2, 0.1]]))
    >>> header, x = Header(np.array(["a", "b"])), np.array([10.0, 20.0])
    >>> whole = Concordance.by(np.array(["all", "all"]))
    >>> table = aggregated(header, [undivided(A)], whole, Weights(x, x - A @ x))
    >>> table.coefficients.toarray().round(6).tolist(), table.demand.tolist(), table.output.tolist()
    ([[0.466667]], [16.0], [30.0])
    """
    units = _units(header, by) if weights.price is None else "money"
    worth = np.ones(len(header)) if weights.price is None else weights.price
    C = by.shares
    valued = csr_array(diags_array(worth) @ C)
    output = np.asarray(valued.T @ weights.output)
    flows = _flows(blocks, valued, C, weights.output)
    totals = {name: C.T @ (per_unit * weights.output) for name, per_unit in header.factors.items()}
    _check_outputs(by.ids, output, [np.abs(flows).sum(axis=0), *map(np.abs, totals.values())])
    over = np.divide(1.0, output, out=np.zeros(len(output)), where=output > 0)
    price = weights.price if weights.price is not None else header.price
    return Table(
        coefficients_from(flows @ diags_array(over)),
        by.ids,
        demand=None if weights.demand is None else np.asarray(valued.T @ weights.demand),
        factors={name: total * over for name, total in totals.items()},
        units=units,
        factor_units=header.factor_units,
        output=output,
        price=None if price is None else over * (C.T @ (price * weights.output)),
        meta=header.meta,
    )


def _flows(
    blocks: Iterable[Block], sold: csr_array, bought: csr_array, output: Vector
) -> csr_array:
    """Return Z*, adding up block after block."""
    m = bought.shape[1]
    total = csr_array((m, m), dtype=np.float64)
    for block in blocks:
        users = diags_array(output[block.products]) @ bought[block.products]
        for names, part in ((block.products, block.own), (block.ext, block.orders)):
            total = total + sold[names].T @ (part.csr() @ users)
    return csr_array(total)


def _check_outputs(ids: Labels, output: Vector, taken: list[Vector]) -> None:
    worst = int(np.argmin(output))
    if output[worst] < 0:
        raise InvalidInputError(
            f"its output, the sum over its products, is negative ({output[worst]:g})",
            where=f"aggregate {ids[worst]!s}",
            advice="put its products elsewhere, or use another output",
        )
    impossible = np.flatnonzero((output == 0) & (np.sum(taken, axis=0) > 0))
    if impossible.size:
        raise InvalidInputError(
            "the outputs of its products cancel to 0, but it takes inputs",
            where=f"aggregate {ids[impossible[0]]!s}",
            advice="put its products elsewhere, or use another output",
        )


def _units(header: Header, by: Concordance) -> str | npt.NDArray[np.str_]:
    """Return the unit of every aggregate, or refuse to add up tons and pieces."""
    if isinstance(header.units, str):
        return header.units
    known, codes = np.unique(header.units, return_inverse=True)
    members = by.shares.tocoo()
    least = np.full(len(by.ids), len(known))
    np.minimum.at(least, members.col, codes[members.row])
    wrong = np.flatnonzero(codes[members.row] != least[members.col])
    if wrong.size:
        aggregate, product = members.col[wrong[0]], members.row[wrong[0]]
        raise InvalidInputError(
            f"product {header.ids[product]!s} is measured in {header.units[product]}, others of "
            f"the same aggregate in {known[least[aggregate]]}",
            where=f"aggregate {by.ids[aggregate]!s}",
            advice="put together what shares a unit, or measure in money with --money",
        )
    found: npt.NDArray[np.str_] = known[least]
    return found
