"""The workers that a coordinator knows: who is there, who is shut out, who has which blocks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ogas.cluster.runtime.schedule import Burden, Host, Schedule


@dataclass(eq=False)
class Members:
    """Workers in the order in which they joined.

    Attributes
    ----------
    hosts : dict of str to Host
    evicted : set of str
        Hung processes. Their addresses count for nothing until the cluster says that they are gone.
    held : dict of str to frozenset of int
        Blocks that a worker surely has, for everyone who was told to load some and not to drop
        them.
    """

    hosts: dict[str, Host] = field(default_factory=dict)
    evicted: set[str] = field(default_factory=set)
    held: dict[str, frozenset[int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.hosts)

    def join(self, host: Host) -> bool:
        """Add a worker; return whether it is a new one."""
        if host.address in self.evicted or host.address in self.hosts:
            return False
        self.hosts[host.address] = host
        return True

    def leave(self, address: str) -> None:
        """Forget a worker; a process with its address is another one."""
        self.hosts.pop(address, None)
        self.held.pop(address, None)
        self.evicted.discard(address)

    def evict(self, address: str) -> None:
        """Forget a worker that may still be heard of."""
        self.leave(address)
        self.evicted.add(address)

    def chosen(self, schedule: Schedule | None, wanted: int) -> list[Host]:
        """Return who is to have blocks: all that have some, and others until they are enough."""
        hosts = list(self.hosts.values())
        if schedule is None:
            return hosts[:wanted]
        having = [host for host in hosts if schedule.blocks_of(host.address)]
        others = [host for host in hosts if not schedule.blocks_of(host.address)]
        return having + others[: max(wanted - len(having), 0)]

    def begin(self, schedule: Schedule, burdens: Sequence[Burden]) -> dict[str, int]:
        """Note that workers are told to hold these blocks; return the bytes that each has to read.

        What a worker had and is not told to hold it drops, so it would have to be read again.
        """
        unread = {}
        for address in schedule.hosts:
            blocks = schedule.blocks_of(address)
            kept = self.held.get(address, frozenset()).intersection(blocks)
            self.held[address] = kept
            unread[address] = sum(burdens[block].bytes for block in blocks if block not in kept)
        return unread

    def has_loaded(self, address: str, blocks: Sequence[int]) -> None:
        """Note that a worker has these blocks."""
        self.held[address] = frozenset(blocks)

    def dismissed(self, schedule: Schedule) -> tuple[str, ...]:
        """Return, and forget as holders, those who had blocks and are given none."""
        idle = tuple(address for address in self.held if not schedule.blocks_of(address))
        for address in idle:
            del self.held[address]
        return idle
