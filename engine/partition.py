"""Partitions: which products belong together, from labels, from flows, or from who needs whom.

A partition gives every product the number of its block, ``0 .. m-1``, and no number is left out.
The same table has the same partition: METIS starts from a fixed seed, and blocks are numbered in
the order in which products appear (by labels that are integers: in ascending order; by components:
users before suppliers).

Source: Karypis and Kumar (1998), SIAM J. Sci. Comput. 20, 359-392 (METIS); Pearce (2005), An
Improved Algorithm for Finding the Strongly Connected Components of a Directed Graph.
"""

from dataclasses import dataclass
from heapq import heapify, heappush, heapreplace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from ogas.engine.table import Integers

MOST = 65_536  # products that 16-bit indices can name
ROOMY = 60_000  # products in a block that is asked for: METIS exceeds what it is asked by 3 %
SEED = 1917
TRIES = 3  # one in ten leaves two sectors mixed up; METIS takes the best
HEAVIEST = 2**30  # all links together; METIS may have been built with 32-bit integers
CROWDED = 4  # with fewer products to a block METIS leaves blocks empty


@dataclass(frozen=True, eq=False)
class Partition:
    """The block of every product, and why these.

    Attributes
    ----------
    blocks : (n,) int64
        Numbers ``0 .. m-1``, every one of them used.
    why : str
        One line: how many, where they come from.
    """

    blocks: Integers
    why: str

    @property
    def count(self) -> int:
        """The number of blocks."""
        return int(self.blocks.max()) + 1


def from_labels(labels: npt.NDArray[Any]) -> Integers:
    """Return block numbers from any labels of the products: sectors, regions, codes.

    Integers are numbered in ascending order, texts in the order in which they appear.

    Examples
    --------
    >>> from_labels(np.array(["steel", "coal", "steel"])).tolist()
    [0, 1, 0]
    >>> from_labels(np.array([30, 10, 30])).tolist()
    [1, 0, 1]
    """
    known, first, numbers = np.unique(labels, return_index=True, return_inverse=True)
    if known.dtype.kind in "iu":
        return numbers.astype(np.int64)
    place = np.empty(known.size, dtype=np.int64)
    place[np.argsort(first)] = np.arange(known.size)
    return place[numbers]


def by_flows(links: csr_array, count: int) -> Integers:
    """Cut a graph into ``count`` blocks of about equal numbers of products, by METIS.

    The links between blocks are made as weak as METIS can. Balanced is the number of products, to
    3 %, not the work: where the work of natural blocks differs, balancing it destroys them (WIOD
    1995 in 41 blocks: 37 % of the value crosses boundaries instead of 13 %).

    Parameters
    ----------
    links : (n, n) CSR, symmetric, positive, empty diagonal
        See `ogas.engine.flows.links`.
    count : int
        From 1 to n; so many blocks come out, none of them empty.
    """
    n = links.shape[0]
    asked = min(count, max(n // CROWDED, 1))
    if asked == 1 or links.nnz == 0:
        evenly: Integers = np.arange(n) * count // n
        return evenly
    import pymetis  # takes 40 ms, which only those who partition should wait for

    scale = min(1e5, HEAVIEST / links.data.sum())
    weights = np.maximum(np.rint(links.data * scale), 1).astype(np.int64)
    graph = pymetis.CSRAdjacency(links.indptr.astype(np.int64), links.indices.astype(np.int64))
    options = pymetis.Options(seed=SEED, ncuts=TRIES)
    _, parts = pymetis.part_graph(asked, graph, eweights=weights, options=options, recursive=False)
    return _exactly(np.asarray(parts, dtype=np.int64), count)


def _exactly(blocks: Integers, count: int) -> Integers:
    """Halve the largest blocks until there are ``count``; number them in order of appearance."""
    order = np.argsort(blocks, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(blocks[order])) + 1)
    largest = [(-group.size, int(group[0]), group) for group in groups]
    heapify(largest)
    for _ in range(count - len(groups)):
        group = largest[0][2]
        halves = np.array_split(group, 2)
        heapreplace(largest, (-halves[0].size, int(halves[0][0]), halves[0]))
        heappush(largest, (-halves[1].size, int(halves[1][0]), halves[1]))
    numbers = np.empty(len(blocks), dtype=np.int64)
    for number, (_, _, group) in enumerate(sorted(largest, key=lambda entry: entry[1])):
        numbers[group] = number
    return numbers


def by_components(coefficients: csr_array, links: csr_array, most: int) -> Integers:
    """Cut a table along its strongly connected components, users before suppliers.

    Between components everything flows one way: a product of block J takes nothing from a block
    before J, unless both are pieces of one component. Neighbours in this order are merged into
    blocks of at most ``most`` products; a larger component is cut by `by_flows` into pieces that
    may pass ``most`` by the 3 % that METIS takes.

    Parameters
    ----------
    coefficients : (n, n) CSR
        At most 2³¹ - 1 nonzeros, which is what SciPy's search can number.
    links : (n, n) CSR
        See `by_flows`; used within components that are too large.
    """
    order, sizes = components_in_order(coefficients)
    starts = np.cumsum(sizes) - sizes
    first = np.empty(sizes.size, dtype=np.int64)  # the block of each component, or of its 1st piece
    pieces: dict[int, Integers] = {}
    number, room = -1, 0
    for component, size in enumerate(sizes.tolist()):
        if size > room:
            number, room = number + 1, most
        first[component] = number
        room -= size
        if size > most:
            products = order[starts[component] : starts[component] + size]
            pieces[component] = by_flows(links[products][:, products], -(-size // most))
            number, room = number + int(pieces[component].max()), 0
    blocks = np.empty(len(order), dtype=np.int64)
    blocks[order] = np.repeat(first, sizes)
    for component, piece in pieces.items():
        blocks[order[starts[component] : starts[component] + piece.size]] += piece
    return blocks


def components_in_order(coefficients: csr_array) -> tuple[Integers, Integers]:
    """Return the products component by component, users before suppliers, and the sizes.

    SciPy numbers components as its search leaves them: in such an order, and with those that need
    each other close together, which makes better blocks than the layers of the economy do (US
    life-cycle inventory in 10 blocks: 57 % of the value crosses boundaries instead of 94 %). It
    does not promise that, so it is checked, and layers are the resort.
    """
    n = coefficients.shape[0]
    pointers = coefficients.indptr.astype(np.int32)  # all that SciPy's search takes
    graph = csr_array((coefficients.data, coefficients.indices, pointers), shape=(n, n))
    count, labels = connected_components(graph, directed=True, connection="strong")
    suppliers = labels[np.repeat(np.arange(n), np.diff(pointers))]
    users = labels[coefficients.indices]
    if (suppliers < users).any():
        labels = layers(suppliers, users, count)[labels] * count + labels
    order = np.argsort(labels, kind="stable").astype(np.int64)
    return order, np.unique(labels, return_counts=True)[1]


def layers(suppliers: Integers, users: Integers, count: int) -> Integers:
    """Return how many rounds of suppliers away each component is from one that nobody uses.

    Parameters
    ----------
    suppliers, users : (k,) int
        The pairs that trade, without a circle among them; pairs of equals do not count.
    """
    apart = suppliers != users
    supplied = coo_array(
        (np.ones(int(apart.sum()), dtype=np.int64), (users[apart], suppliers[apart])),
        shape=(count, count),
    ).tocsr()  # adds up, so that every pair is there once
    waiting = np.bincount(supplied.indices, minlength=count)
    depth = np.zeros(count, dtype=np.int64)
    layer, now = 0, np.flatnonzero(waiting == 0)
    while now.size:
        depth[now] = layer
        found, times = np.unique(supplied[now].indices, return_counts=True)
        waiting[found] -= times
        layer, now = layer + 1, found[waiting[found] == 0]
    return depth


def split_large(blocks: Integers, most: int = MOST) -> Integers:
    """Cut blocks of more than ``most`` products into consecutive pieces of about equal size.

    The pieces of a block follow each other, products ascending; nothing else changes order.

    Examples
    --------
    >>> split_large(np.array([0, 1, 0, 0, 1]), most=2).tolist()
    [0, 2, 0, 1, 2]
    """
    sizes = np.bincount(blocks)
    pieces = np.maximum(-(-sizes // most), 1)
    if (pieces == 1).all():
        return blocks
    order = np.argsort(blocks, kind="stable")
    sorted_blocks = blocks[order]
    rank = np.arange(len(blocks)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    numbers = np.empty_like(blocks)
    firsts = np.cumsum(pieces) - pieces
    numbers[order] = firsts[sorted_blocks] + rank * pieces[sorted_blocks] // sizes[sorted_blocks]
    return numbers
