"""Blocks put on hosts, within the room of each: one way for balance, two for tight rooms.

    by_load    largest number of nonzeros first, each on the host with the fewest so far
    by_room    most bytes first, each on the host with the most room left
    best_fit   most bytes first, each on the host with the least room that still holds it

The first ends within 4/3 of the best balance if there is room everywhere; the last packs tightest.
All are heuristics (packing is NP-hard), deterministic, and O(blocks log hosts) but for rooms that
are full.

References
----------
Graham (1969), Bounds on multiprocessing timing anomalies, SIAM J. Appl. Math. 17.
"""

import heapq
import math
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(eq=False)
class Packing:
    """Blocks on hosts while they are being placed.

    Attributes
    ----------
    nonzeros, sizes : sequence of int
        Of every block; sizes in bytes.
    room : dict of str to float
        Bytes still free on every host; infinite where nothing is limited.
    held : dict of str to list of int
        Blocks of every host.
    load : dict of str to int
        Nonzeros of every host.
    """

    nonzeros: Sequence[int]
    sizes: Sequence[int]
    room: dict[str, float]
    held: dict[str, list[int]] = field(init=False)
    load: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.held = {address: [] for address in self.room}
        self.load = dict.fromkeys(self.room, 0)

    def put(self, block: int, address: str) -> None:
        """Let a host have a block."""
        self.held[address].append(block)
        self.load[address] += self.nonzeros[block]
        self.room[address] -= self.sizes[block]

    def keep(self, owners: Sequence[str], most: float) -> list[int]:
        """Leave blocks where they were, as far as that is bearable; return all the others.

        Parameters
        ----------
        owners : sequence of str
            Who had every block, whether still there or not.
        most : float
            Nonzeros that a host may carry, unless it is one block.
        """
        orphans, usable = [], {address for address, room in self.room.items() if room >= 0}
        for block, address in enumerate(owners):
            if address in usable:
                self.put(block, address)
            else:
                orphans.append(block)
        for address, blocks in self.held.items():
            for block in self._given_away(address, most):
                blocks.remove(block)
                self.load[address] -= self.nonzeros[block]
                self.room[address] += self.sizes[block]
                orphans.append(block)
        return sorted(orphans)

    def _given_away(self, address: str, most: float) -> set[int]:
        """Return the blocks without which a host has room, and no more than it should carry."""
        held = self.held[address]
        gone = smallest(held, self.sizes, -self.room[address])
        left = [block for block in held if block not in gone]
        excess = sum(self.nonzeros[block] for block in left) - most
        if excess <= 0:
            return gone
        # The largest has to be somewhere, and it is the dearest to move.
        left.remove(max(left, key=lambda block: (self.nonzeros[block], -block)))
        return gone | smallest(left, self.nonzeros, excess)

    def by_load(self, blocks: Iterable[int]) -> int | None:
        """Largest first, each on the host that carries least; return one that finds no room."""
        heap = [(load, len(self.held[address]), address) for address, load in self.load.items()]
        heapq.heapify(heap)
        for block in sorted(blocks, key=lambda block: (-self.nonzeros[block], block)):
            full = []
            while heap and self.room[heap[0][2]] < self.sizes[block]:
                full.append(heapq.heappop(heap))
            if not heap:
                return block
            address = heap[0][2]
            self.put(block, address)
            heapq.heapreplace(heap, (self.load[address], len(self.held[address]), address))
            for entry in full:
                heapq.heappush(heap, entry)
        return None

    def by_room(self, blocks: Iterable[int]) -> int | None:
        """Most bytes first, each where most room is left; return one that finds none."""
        heap = [(-room, address) for address, room in self.room.items()]
        heapq.heapify(heap)
        for block in self._by_size(blocks):
            room, address = heap[0]
            if -room < self.sizes[block]:
                return block
            self.put(block, address)
            heapq.heapreplace(heap, (-self.room[address], address))
        return None

    def best_fit(self, blocks: Iterable[int]) -> int | None:
        """Most bytes first, each where least room is left that does; return one that finds none."""
        rooms = sorted((room, address) for address, room in self.room.items())
        for block in self._by_size(blocks):
            place = bisect_left(rooms, (self.sizes[block], ""))
            if place == len(rooms):
                return block
            _, address = rooms.pop(place)
            self.put(block, address)
            insort(rooms, (self.room[address], address))
        return None

    def _by_size(self, blocks: Iterable[int]) -> list[int]:
        return sorted(blocks, key=lambda block: (-self.sizes[block], block))


WAYS: tuple[Callable[[Packing, Iterable[int]], int | None], ...] = (
    Packing.by_load,
    Packing.by_room,
    Packing.best_fit,
)


def smallest(blocks: Iterable[int], weights: Sequence[int], excess: float) -> set[int]:
    """Return few and light blocks that together weigh at least an excess, or all if they do not.

    The lightest one that is enough; if none is, the heaviest, and so on with the rest. Ties go to
    the larger number.

    Examples
    --------
    >>> smallest(range(4), [10, 2, 5, 3], 4)
    {2}
    >>> sorted(smallest(range(4), [10, 2, 5, 3], 11))
    [0, 1]
    >>> smallest(range(4), [10, 2, 5, 3], 0)
    set()
    """
    rising = sorted(blocks, key=lambda block: (weights[block], -block))
    chosen = set()
    while excess > 0 and rising and weights[rising[-1]] > 0:
        enough = bisect_left(rising, excess, key=weights.__getitem__)
        block = rising.pop(min(enough, len(rising) - 1))
        chosen.add(block)
        excess -= weights[block]
    return chosen


def first_fit(sizes: Mapping[int, int], room: float) -> set[int]:
    """Return the blocks that find room, the first ones first.

    Examples
    --------
    >>> first_fit({0: 6, 1: 5, 2: 4}, 10)
    {0, 2}
    """
    kept = set()
    for block, size in sizes.items():
        if size <= room:
            room -= size
            kept.add(block)
    return kept


def bins(sizes: Iterable[int], room: float) -> int:
    """Return into how many equal rooms best fit puts blocks; each is no larger than a room.

    Examples
    --------
    >>> bins([6, 5, 5], 10)
    2
    """
    count, left = 0, list[float]()
    for size in sorted(sizes, reverse=True):
        place = bisect_left(left, size)
        count += place == len(left)
        insort(left, (room if place == len(left) else left.pop(place)) - size)
    return count


def even_room(sizes: Iterable[int], hosts: int) -> int:
    """Return the room with which `by_room` puts blocks on so many equal hosts.

    Examples
    --------
    >>> even_room([6, 5, 5], 2)
    10
    """
    heap = [0] * hosts
    for size in sorted(sizes, reverse=True):
        heapq.heapreplace(heap, heap[0] + size)
    return max(heap)


def rooms(memory: Mapping[str, int | None], common_bytes: int) -> dict[str, float]:
    """Return what hosts may hold besides what all of them need, in the order of addresses."""
    limits = ((address, memory[address]) for address in sorted(memory))
    return {
        address: math.inf if limit is None else float(limit - common_bytes)
        for address, limit in limits
    }
