"""How much of an economy crosses the boundaries of its blocks: what makes a partition good or bad.

By nonzeros it can look hopeless and by value harmless: in the world tables most entries lie outside
a country's own block, most of the flows inside.

What blocks exchange in a cycle depends on who owns what. Blocks own columns here: block J sends one
number for every distinct product that it takes from others, whoever of its products takes it. If
blocks owned rows, block I would be sent the output of every product of another block that takes
anything from I. In one example, J takes electricity for a thousand products: one number, or a
thousand.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array

from ogas.engine.flows import Measure, Read, measured, whole
from ogas.engine.partition import MOST
from ogas.engine.rows import Rows
from ogas.engine.table import Integers, Table, Vector

TOO_MUCH = 0.5  # share of the value of flows, or words per input, beyond which blocks cost more


@dataclass(frozen=True)
class Boundary:
    """What crosses the boundaries of a partition.

    Attributes
    ----------
    share_of_value : float or None
        Of flows ``p_i |A[i, j]| x_j``; None without a measure that is common to all products.
    words, words_row_owned : int
        Numbers that blocks exchange in a cycle if they own columns, as here, or rows.
    """

    share_of_value: float | None
    words: int
    words_row_owned: int


def survey(measure: Measure, labels: Integers, read: Read) -> Boundary:
    """Return what crosses the boundaries; one read of A, holding one block at a time.

    Parameters
    ----------
    measure : Measure
        See `ogas.engine.flows.measured`, which may take further reads.
    labels : (n,) int64
        The block of every product.
    read : callable
        Returns the blocks of the table, or all of it as one block.

    Examples
    --------
    >>> from ogas.engine.table import coefficients_from
    >>> A = coefficients_from(np.array([[0.1, 0.1], [0.2, 0.0]]))
    >>> x = np.array([1.0, 2.0])
    >>> found = survey(Measure(x, np.ones(2)), np.array([0, 1]), whole(A))
    >>> round(found.share_of_value, 12), found.words, found.words_row_owned
    (0.8, 2, 2)
    """
    n = len(labels)
    total = crossing = 0.0
    words = words_row_owned = 0
    blocks = int(labels.max()) + 1
    for block in read():
        for rows, part in ((block.products, block.own), (block.ext, block.orders)):
            suppliers = np.repeat(rows, np.diff(part.indptr))
            users = block.products[part.indices]
            outside = labels[suppliers] != labels[users]
            flows = _flows(part, suppliers, users, measure)
            total += flows.sum()
            crossing += flows[outside].sum()
            suppliers, users = suppliers[outside], users[outside]
            words += _pairs(labels[users], suppliers, (blocks, n))
            words_row_owned += _pairs(labels[suppliers], users, (blocks, n))
    known_share = measure.output is not None and measure.price is not None and np.isfinite(total)
    share = float(crossing / max(total, 1e-300)) if known_share else None
    return Boundary(share, words, words_row_owned)


def _flows(part: Rows, suppliers: Integers, users: Integers, measure: Measure) -> Vector:
    flows: Vector = np.abs(part.data, dtype=np.float64)
    if measure.output is not None and measure.price is not None:
        with np.errstate(over="ignore", invalid="ignore"):
            flows = flows * measure.price[suppliers] * measure.output[users]
    return flows


def _pairs(blocks: Integers, products: Integers, shape: tuple[int, int]) -> int:
    """Count the different pairs of a block and a product."""
    pairs = coo_array((np.ones(len(products), dtype=np.int8), (blocks, products)), shape=shape)
    return int(pairs.tocsr().nnz)  # which puts the same pairs together


def value_share(table: Table) -> float | None:
    """Return the share of flows whose ends lie in different blocks; see `survey`."""
    labels = np.zeros(len(table), dtype=np.int64) if table.blocks is None else table.blocks
    read = whole(table.coefficients)
    return survey(measured(table, len(table), read), labels, read).share_of_value


@dataclass(frozen=True)
class Partitioned:
    """The sizes of a table in blocks, which its manifest knows.

    Attributes
    ----------
    products, nonzeros, external : (m,) int64
        Of each block: what it makes, its coefficients, the distinct products it takes from others.
    """

    products: Integers
    nonzeros: Integers
    external: Integers

    @property
    def words_per_product(self) -> float:
        """Numbers that blocks exchange in a cycle, by product of the table."""
        return float(self.external.sum() / max(self.products.sum(), 1))


def warnings(sizes: Partitioned, share_of_value: float | None) -> list[str]:
    """Return why a partition will not pay, and what to do about it; one line each."""
    found = []
    if share_of_value is not None and share_of_value > TOO_MUCH:
        found.append(
            f"{share_of_value:.0%} of the value of flows cross between blocks, so plans will take "
            "more passes than with fewer blocks; import the table again with another --blocks"
        )
    words, inputs = sizes.words_per_product, sizes.nonzeros.sum() / max(sizes.products.sum(), 1)
    if words > TOO_MUCH * inputs:
        found.append(
            f"blocks exchange {words:.3g} numbers per product and cycle, which has {inputs:.3g} "
            "inputs: exchange costs as much as the work; use fewer blocks"
        )
    m, largest = sizes.products.size, int(np.argmax(sizes.nonzeros))
    weight = sizes.nonzeros[largest] / max(sizes.nonzeros.sum(), 1)
    if m > 1 and weight > max(0.5, 1.5 / m):
        found.append(
            f"block {largest} holds {weight:.0%} of all coefficients: the others will wait for it; "
            f"--blocks {m} makes blocks of equal size"
        )
    over = np.flatnonzero(sizes.products > MOST)
    if over.size:
        worst = int(np.argmax(sizes.products))
        found.append(
            f"{over.size:,} of {m:,} blocks have more than {MOST:,} products (block {worst}: "
            f"{sizes.products[worst]:,}) and will be cut whenever they are read; "
            f"--blocks {-(-int(sizes.products.sum()) // MOST)} or more avoids that"
        )
    return found
