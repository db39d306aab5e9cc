"""Supply and use: who makes what and who takes what, as statistical offices ask establishments.

    S[p, i] = how much of product p industry i makes        (supply; Sᵀ is the make matrix)
    U[p, i] = how much of product p industry i uses up      (use)
    w[i]    = how much of a primary input industry i takes  (one for each: labour, imports ...)

           industries          industries
    p    ┌────────────┐ ┌─┐   ┌────────────┐ ┌─┐
    r    │     U      │ │f│   │     S      │ │q│     q = S e       output of every product
    o    └────────────┘ └─┘   └────────────┘ └─┘     g = Sᵀ e      output of every industry
    d    ┌────────────┐       ┌────────────┐         f = q − U e   final demand
         │     w      │       │     gᵀ     │
         └────────────┘       └────────────┘

All amounts of products are in money: g adds them up. `ogas.engine.symmetric` makes one table of the
two.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from ogas.engine.errors import InvalidInputError
from ogas.engine.table import Integers, Labels, Vector


@dataclass(frozen=True, eq=False)
class SupplyUse:
    """A supply and a use table, checked at the door.

    Attributes
    ----------
    supply : (p, i) CSR
        ``S[p, i]``, money per year. Entries may be negative (scrap), outputs may not.
    use : (p, i) CSR
        ``U[p, i]``, money per year.
    products : (p,) unique strings or int64
    industries : (i,) unique strings or int64
    inputs : mapping of name to (i,) float64
        Primary inputs of every industry in total, in any unit.

    Raises
    ------
    InvalidInputError
        Naming the product or industry: if a shape, a label or a number is impossible, an output is
        negative, or an industry takes inputs and makes nothing.
    """

    supply: csr_array
    use: csr_array
    products: Labels
    industries: Labels
    inputs: Mapping[str, Vector] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_shapes()
        self._check_numbers()
        self._check_outputs()

    def _check_shapes(self) -> None:
        shape = len(self.products), len(self.industries)
        for name, matrix in (("supply", self.supply), ("use", self.use)):
            if matrix.shape != shape:
                raise InvalidInputError(
                    f"the {name} table is {matrix.shape[0]:,} × {matrix.shape[1]:,}, but there are "
                    f"{shape[0]:,} products and {shape[1]:,} industries",
                    advice="products go down and industries across, in both tables",
                )
        for kind, labels in (("product", self.products), ("industry", self.industries)):
            unique, counts = np.unique(labels, return_counts=True)
            if unique.size < len(labels):
                again = unique[np.argmax(counts)]
                raise InvalidInputError(
                    f"the {kind} {again!s} is there {counts.max()} times",
                    advice="rename or merge them",
                )

    def _check_numbers(self) -> None:
        for name, matrix in (("supply", self.supply), ("use", self.use)):
            bad = np.flatnonzero(~np.isfinite(matrix.data))
            if bad.size:
                product = self.products[np.searchsorted(matrix.indptr, bad[0], side="right") - 1]
                industry = self.industries[matrix.indices[bad[0]]]
                raise InvalidInputError(
                    f"the {name} is {matrix.data[bad[0]]}, not a finite number",
                    where=f"product {product!s}, industry {industry!s}",
                    advice="write 0 where there is none",
                )
        for name, amounts in self.inputs.items():
            if amounts.shape != self.industries.shape or not np.isfinite(amounts).all():
                raise InvalidInputError(
                    f"the primary input {name} is not one finite number for every industry"
                )

    def _check_outputs(self) -> None:
        rows, columns = self.supply.nonzero()
        taken = [np.flatnonzero(amounts) for amounts in self.inputs.values()]
        busy = [columns, self.use.nonzero()[1], *taken]
        _check_output("product", self.products, self.product_output, rows)
        _check_output("industry", self.industries, self.industry_output, np.concatenate(busy))

    @property
    def product_output(self) -> Vector:
        """What is made of every product: q (p,)."""
        return np.asarray(self.supply.sum(axis=1), dtype=np.float64)

    @property
    def industry_output(self) -> Vector:
        """What every industry makes: g (i,)."""
        return np.asarray(self.supply.sum(axis=0), dtype=np.float64)

    @property
    def final_demand(self) -> Vector:
        """What industries leave of every product: f (p,). Imports make it negative."""
        return np.asarray(self.product_output - self.use.sum(axis=1), dtype=np.float64)


def _check_output(kind: str, labels: Labels, output: Vector, busy: Integers) -> None:
    """Refuse negative outputs, and shares of an output of nothing."""
    if (output < 0).any():
        worst = int(np.argmin(output))
        raise InvalidInputError(
            f"its output, the sum of its supply, is negative ({output[worst]:g})",
            where=f"{kind} {labels[worst]!s}",
            advice="correct its supply, or take it out of both tables",
        )
    idle = busy[output[busy] == 0]
    if idle.size:
        what = "it takes inputs, but" if kind == "industry" else "it is supplied, but"
        raise InvalidInputError(
            f"{what} its output, the sum of its supply, is 0",
            where=f"{kind} {labels[idle[0]]!s}",
            advice="correct its supply, or take it out of both tables",
        )
