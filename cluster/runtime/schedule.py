"""Who computes which blocks: placed by nonzeros, within memory, and moved as little as possible.

    block      0        1      2    3         host   blocks   nonzeros
    nonzeros   ███████  █████  ████ ██        a      0, 3     █████████
                                              b      1, 2     █████████

A block costs time by its nonzeros and memory by its bytes. Moving one means to read it again from
disk and to begin it from the last checkpoint, hence blocks stay where they are while their host is
there, has the memory, and carries no more than ``MOST_LOAD`` of its fair share.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ogas.cluster.runtime.packing import WAYS, Packing, bins, even_room, first_fit, rooms
from ogas.engine.errors import DoesNotFitError, WrongUsageError

# All wait for the host that carries most, so a pass may take a quarter longer than the best. Four
# hosts that became three (4/3) are evened out when the fourth is back; five that became four stay.
MOST_LOAD = 1.25


@dataclass(frozen=True)
class Burden:
    """What a block asks of the host that holds it.

    Attributes
    ----------
    nonzeros : int
        Time per pass is proportional to it.
    bytes : int
        Memory, with all vectors and messages of the block.
    entries : int
        How many of them need not be held: its entries can be read again for every pass instead.
    """

    nonzeros: int
    bytes: int
    entries: int = 0


@dataclass(frozen=True)
class Host:
    """A process that can hold blocks.

    Attributes
    ----------
    address : str
        A process that was started again may have another.
    memory : int or None
        Bytes that it may use; None if nothing is limited.
    reserved : int
        How many of them are taken by something else: by the coordinator, where it runs.
    """

    address: str
    memory: int | None = None
    reserved: int = 0

    @property
    def free(self) -> int | None:
        """Bytes for blocks and what they need; None if nothing is limited."""
        return None if self.memory is None else self.memory - self.reserved


@dataclass(frozen=True)
class Schedule:
    """Who holds every block.

    Attributes
    ----------
    owners : tuple of str
        Address by block number.
    streamed : set of int
        Blocks whose entries are read again for every pass, for lack of memory.

    Examples
    --------
    >>> schedule = Schedule(("a", "b", "b", "a"))
    >>> schedule.hosts, schedule.blocks_of("a")
    (('a', 'b'), (0, 3))
    >>> schedule.in_order({"a": "xy", "b": "uv"})
    ('x', 'u', 'v', 'y')
    """

    owners: tuple[str, ...]
    streamed: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.owners)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel without what can be derived: every worker is sent the whole schedule."""
        return Schedule, (self.owners, self.streamed)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Addresses that hold at least one block, in their own order."""
        return tuple(self._blocks)

    def blocks_of(self, address: str) -> tuple[int, ...]:
        """Return the blocks of a host, ascending; none if it is not in the schedule."""
        return self._blocks.get(address, ())

    def in_order(self, answers: Mapping[str, Sequence[Any]]) -> tuple[Any, ...]:
        """Put together what hosts say of their blocks, ascending, in the order of all blocks."""
        said = [answer for address in self._blocks for answer in answers[address]]
        return tuple(map(said.__getitem__, self._places))

    @cached_property
    def _blocks(self) -> dict[str, tuple[int, ...]]:
        blocks: dict[str, list[int]] = {address: [] for address in sorted(set(self.owners))}
        for block, address in enumerate(self.owners):
            blocks[address].append(block)
        return {address: tuple(held) for address, held in blocks.items()}

    @cached_property
    def _places(self) -> tuple[int, ...]:
        """Where every block comes when hosts speak in the order of their addresses."""
        spoken = [block for held in self._blocks.values() for block in held]
        places = [0] * len(spoken)
        for place, block in enumerate(spoken):
            places[block] = place
        return tuple(places)


def place(
    burdens: Sequence[Burden],
    hosts: Sequence[Host],
    *,
    common_bytes: int,
    earlier: Schedule | None,
) -> Schedule:
    """Decide who holds which block.

    Blocks stay with their earlier owner if it is among the hosts, unless it lacks the memory or
    carries more than ``MOST_LOAD`` times its fair share; then the fewest that mend this leave. The
    others go, largest first, to the host that carries least and has room. Where this finds no room
    for a block, tighter packings are tried, at last one that moves everything.

    Parameters
    ----------
    burdens : sequence of Burden
        Of every block.
    hosts : sequence of Host
        In any order. One may be left without blocks.
    common_bytes : int
        What every host needs besides its blocks.
    earlier : Schedule or None
        Of the same blocks.

    Raises
    ------
    DoesNotFitError
        If no way was found to hold all blocks, with what would do.

    Examples
    --------
    >>> burdens = [Burden(70, 7), Burden(50, 5), Burden(40, 4), Burden(20, 2)]
    >>> hosts = [Host("a"), Host("b")]
    >>> place(burdens, hosts, common_bytes=0, earlier=None).owners
    ('a', 'b', 'b', 'a')
    >>> place(burdens, hosts, common_bytes=0, earlier=Schedule(("b", "a", "a", "gone"))).owners
    ('b', 'a', 'a', 'b')
    """
    if not hosts:
        raise WrongUsageError("no worker is there to hold blocks", advice="start workers")
    nonzeros = [burden.nonzeros for burden in burdens]
    sizes = [burden.bytes for burden in burdens]
    free = rooms({host.address: host.free for host in hosts}, common_bytes)
    most = MOST_LOAD * sum(nonzeros) / len(free)
    starts = [(("",) * len(burdens), most)]
    if earlier is not None:  # what fitted does so again, be it out of balance
        starts = [(earlier.owners, most), (earlier.owners, math.inf), *starts]
    for owners, bearable in starts:
        for way in WAYS:
            packing = Packing(nonzeros, sizes, dict(free))
            homeless = way(packing, packing.keep(owners, bearable))
            if homeless is None:
                return _schedule(packing, len(burdens))
    assert homeless is not None
    raise _refusal(packing, homeless, hosts, common_bytes)


def place_streaming(
    burdens: Sequence[Burden],
    hosts: Sequence[Host],
    *,
    common_bytes: int,
    earlier: Schedule | None,
) -> Schedule:
    """Decide who holds which block, and whose entries stay on the disk; else as `place`.

    Every host holds the entries of blocks for which there is room, the first ones first.
    ``common_bytes`` has what is read ahead.

    Examples
    --------
    >>> burdens = [Burden(50, 60, entries=50), Burden(40, 50, entries=40)]
    >>> found = place_streaming(burdens, [Host("a", 70)], common_bytes=0, earlier=None)
    >>> found.owners, sorted(found.streamed)
    (('a', 'a'), [1])
    """
    least = [replace(one, bytes=one.bytes - one.entries) for one in burdens]
    placed = place(least, hosts, common_bytes=common_bytes, earlier=earlier)
    free = rooms({host.address: host.free for host in hosts}, common_bytes)
    streamed = set[int]()
    for address in placed.hosts:
        mine = placed.blocks_of(address)
        room = free[address] - sum(least[block].bytes for block in mine)
        streamed |= set(mine) - first_fit({block: burdens[block].entries for block in mine}, room)
    return replace(placed, streamed=frozenset(streamed))


def _schedule(packing: Packing, blocks: int) -> Schedule:
    owners = [""] * blocks
    for address, held in packing.held.items():
        for block in held:
            owners[block] = address
    return Schedule(tuple(owners))


def _refusal(
    packing: Packing, homeless: int, hosts: Sequence[Host], common_bytes: int
) -> DoesNotFitError:
    """Say which block found no room, where it came closest, and what would do."""
    sizes = packing.sizes
    memory = {host.address: host.memory or 0 for host in hosts}
    worker = max(sorted(memory), key=packing.room.__getitem__)
    taken = memory[worker] - int(packing.room[worker])
    largest = max(memory.values())
    own = common_bytes + next(host.reserved for host in hosts if host.address == worker)
    # The coordinator may run in any of them.
    common_bytes += max(host.reserved for host in hosts)
    enough = common_bytes + even_room(sizes, len(memory))
    advice = f"{len(memory)} of {enough:,} bytes (--memory {enough})"
    if own > memory[worker]:
        return DoesNotFitError(
            f"{worker} may use {memory[worker]:,} bytes, and takes {own:,} before it holds a block",
            advice=f"use larger workers, {advice}",
        )
    if common_bytes + max(sizes) <= largest:
        needed = bins(sizes, largest - common_bytes)
        advice = f"use {needed} workers of {largest:,} bytes, or {advice}"
    else:
        advice = f"use larger workers, {advice}, or cut the table into smaller blocks"
    return DoesNotFitError(
        f"block {homeless} needs {sizes[homeless]:,} bytes on {worker}, where {memory[worker]:,} "
        f"are allowed and {taken:,} are taken, {own:,} of them by no block",
        advice=advice,
    )
