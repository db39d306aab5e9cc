"""Groups of products: what a picture can show, where there are too many products for it.

Taken is the first of these that makes at most `MOST` groups: the products, their blocks, a level
that their ids spell out (countries, sectors), the largest products (or blocks) and all others.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ogas.cluster.report.flows import summed
from ogas.datasets.levels import codes_in
from ogas.engine.table import Integers, Labels, Vector

MOST = 48


@dataclass(frozen=True, eq=False)
class Groups:
    """What belongs together.

    Attributes
    ----------
    labels : (n,) int64
        The group of every product, ``0 .. m-1``.
    names : tuple of str
    what : str
        What the groups are, in the plural: products, blocks ...
    others : int
        How many products, or blocks, the last group puts together; 0 if it is one like the others.
    """

    labels: Integers
    names: tuple[str, ...]
    what: str
    others: int = 0

    @property
    def one(self) -> str:
        """What one of them is called."""
        return {"countries": "country"}.get(self.what, self.what.removesuffix("s"))


def each_for_itself(count: int, label: Callable[[int], str]) -> Groups:
    """Return a group for every product."""
    return Groups(np.arange(count), tuple(map(label, range(count))), "products")


def groups_of(
    ids: Labels, blocks: Integers | None, size: Vector, label: Callable[[int], str]
) -> Groups:
    """Return at most `MOST` groups.

    Parameters
    ----------
    ids : (n,) labels
    blocks : (n,) int64 or None
    size : (n,) float64
        What makes a product, or a block, a large one.
    label : callable
        Returns what a product is called.

    Examples
    --------
    >>> ids, size = np.arange(100), np.arange(100.0)
    >>> groups_of(ids, ids % 3, size, str).names
    ('block 0', 'block 1', 'block 2')
    >>> found = groups_of(ids, None, size, str)
    >>> len(found.names), found.names[-1], found.others
    (48, '53 other products', 53)
    """
    if len(ids) <= MOST:
        return each_for_itself(len(ids), label)
    several = blocks is not None and int(blocks.max()) > 0
    codes = codes_in(ids)
    if several and blocks is not None and int(blocks.max()) < MOST:
        return _named(blocks, codes)
    levels = {name: np.unique(found, return_inverse=True) for name, found in codes.items()}
    fitting = [name for name, (known, _) in levels.items() if len(known) <= MOST]
    if fitting:
        best = max(fitting, key=lambda name: len(levels[name][0]))
        known, labels = levels[best]
        what = {"country": "countries", "sector": "sectors"}[best]
        return Groups(labels, tuple(map(str, known)), what)
    if several and blocks is not None:
        named = _named(blocks, codes)
        return _largest(
            blocks, summed(blocks, np.abs(size), len(named.names)), named.names.__getitem__
        )
    return _largest(np.arange(len(ids)), np.abs(size), label)


def _largest(labels: Integers, size: Vector, name: Callable[[int], str]) -> Groups:
    """Return the largest ones in their order, and a group of all others."""
    kept = np.sort(np.argsort(-size, kind="stable")[: MOST - 1])
    place = np.full(len(size), len(kept))
    place[kept] = np.arange(len(kept))
    what = "products" if len(size) == len(labels) else "blocks"
    others = len(size) - len(kept)
    names = (*map(name, kept.tolist()), f"{others:,} other {what}")
    return Groups(place[labels], names, what, others)


def _named(blocks: Integers, codes: dict[str, npt.NDArray[np.str_]]) -> Groups:
    """Return blocks as groups; called as their country or sector, where they are that."""
    count = int(blocks.max()) + 1
    first = np.full(count, -1)
    first[blocks[::-1]] = np.arange(len(blocks))[::-1]
    for name, what in (("country", "countries"), ("sector", "sectors")):
        code = codes.get(name)
        if code is not None and (code == code[first][blocks]).all():
            return Groups(blocks, tuple(map(str, code[first])), what)
    return Groups(blocks, tuple(f"block {number}" for number in range(count)), "blocks")
