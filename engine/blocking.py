"""Into which blocks to cut a table when nobody says, or only how many.

What sweeps correct slowly is nearly constant within a sector, and the sector table corrects that at
once, if blocks are sectors. METIS finds sectors that are withheld: on S1-S4 of the gallery (20,000
products in 30 sectors), 99 % or more of the products, in a second. Blocks between which most flows
cross gain nothing and cost exchange.
"""

import numpy as np
from scipy.sparse import csr_array

from ogas.engine.boundary import TOO_MUCH, survey
from ogas.engine.errors import WrongUsageError
from ogas.engine.flows import Measure, links, measured, whole
from ogas.engine.partition import (
    MOST,
    ROOMY,
    Partition,
    by_components,
    by_flows,
    components_in_order,
    split_large,
)
from ogas.engine.table import Integers, Table

SMALL = 2_000  # up to so many products one block is read in less time than blocks talk
NATURAL = 30  # blocks that an economy of 20,000 products has
BRANCH = 600  # products that a block has at least
ACYCLIC = 0.1  # of the products are in the largest circle of an almost acyclic table
SEARCHABLE = 2**31 - 1  # nonzeros that the search for components can number


def auto(table: Table) -> Partition:
    """Choose blocks: those the table names, one for a small table, else those of its flows.

    One block, too, if blocks would leave more than half of the value of flows between them. Never
    one of more than 65,536 products, unless the table names it.

    Examples
    --------
    >>> from ogas.engine.table import coefficients_from
    >>> auto(Table(coefficients_from(np.eye(3) / 2), np.arange(3))).why
    'one block: 3 products are too few for more'
    """
    n = len(table)
    if table.blocks is not None and (table.blocks != table.blocks[0]).any():
        named = np.unique(table.blocks).size
        return Partition(table.blocks, f"{_counted(named)}, as the source names them")
    if n <= SMALL:
        noun = "product is" if n == 1 else "products are"
        return Partition(_one(n), f"one block: {n:,} {noun} too few for more")
    measure = _measure(table)
    graph = links(table.coefficients, measure)
    count = max(-(-n // ROOMY), min(NATURAL, n // BRANCH))
    found = _by_flows(table, graph, measure, count)
    if _almost_acyclic(table):
        blocks = by_components(table.coefficients, graph, -(-n // count))
        how, share = "strongly connected components", _crossing(table, blocks, graph, measure)
        found = min(found, (blocks, how, share), key=lambda one: one[2])
    if found[2] <= TOO_MUCH:
        return _told(*found)
    if n <= MOST:
        why = f"one block: {found[2]:.0%} of the flows would cross between {count} by {found[1]}"
        return Partition(_one(n), why)
    return _told(*_by_flows(table, graph, measure, -(-n // ROOMY)))


def _by_flows(
    table: Table, graph: csr_array, measure: Measure, count: int
) -> tuple[Integers, str, float]:
    """Return blocks by METIS, how they came about, and which share of the flows crosses them."""
    blocks = split_large(by_flows(graph, count))
    return blocks, "METIS on the flows", _crossing(table, blocks, graph, measure)


def into(table: Table, count: int) -> Partition:
    """Cut a table into exactly ``count`` blocks of about equal size, by METIS on its flows.

    Raises
    ------
    WrongUsageError
        If there are fewer products than blocks.
    """
    n = len(table)
    if not 1 <= count <= n:
        raise WrongUsageError(
            f"{n:,} products cannot make up {count:,} blocks",
            advice=f"ask for 1 to {n:,} blocks",
        )
    if count == 1:
        return Partition(_one(n), "one block, as asked")
    measure = _measure(table)
    graph = links(table.coefficients, measure)
    blocks = by_flows(graph, count)
    return _told(blocks, "METIS on the flows", _crossing(table, blocks, graph, measure))


def _told(blocks: Integers, how: str, share: float) -> Partition:
    count = int(blocks.max()) + 1
    return Partition(blocks, f"{_counted(count)} by {how}: {share:.1%} of the flows cross")


def _counted(count: int) -> str:
    return "1 block" if count == 1 else f"{count:,} blocks"


def _crossing(table: Table, blocks: Integers, graph: csr_array, measure: Measure) -> float:
    """Return the share of flows between blocks, by value or, without a measure, by links."""
    share = survey(measure, blocks, whole(table.coefficients)).share_of_value
    if share is not None:
        return share
    suppliers = np.repeat(np.arange(len(blocks)), np.diff(graph.indptr))
    crossing = blocks[suppliers] != blocks[graph.indices]
    return float(graph.data[crossing].sum() / max(graph.data.sum(), 1e-300))


def _one(n: int) -> Integers:
    return np.zeros(n, dtype=np.int64)


def _measure(table: Table) -> Measure:
    return measured(table, len(table), whole(table.coefficients))


def _almost_acyclic(table: Table) -> bool:
    if table.nonzeros > SEARCHABLE:
        return False
    _, sizes = components_in_order(table.coefficients)
    return int(sizes.max()) <= ACYCLIC * len(table)
