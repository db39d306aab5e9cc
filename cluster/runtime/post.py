"""Messages between workers: one parcel for each pair of them and round, without any detour.

A share sends from the thread that sweeps; the event loop delivers. What arrives is kept in a
mailbox, by sender and number, until the share asks for it: a quick worker may be a round ahead.
Every parcel carries (job, epoch, number); those of an earlier epoch are refused by the receiver.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from ogas.engine.mail import Parcels

Parcel = npt.NDArray[Any]
Deliver = Callable[[str, int, Parcel], Awaitable[None]]


class UnreachedError(Exception):
    """Parcels did not arrive.

    Attributes
    ----------
    peers : tuple of str
        Addresses of those from whom they were expected, or to whom they could not be brought; none
        if the epoch has ended.
    """

    def __init__(self, peers: tuple[str, ...]) -> None:
        super().__init__(f"not reached: {', '.join(peers) or 'the epoch has ended'}")
        self.peers = peers


class Mailbox:
    """The parcels that arrived at one worker in one epoch; may be used by any thread."""

    def __init__(self) -> None:
        self._parcels: dict[tuple[str, int], Parcel] = {}
        self._unreached: set[str] = set()
        self._is_closed = False
        self._change = threading.Condition()

    def put(self, sender: str, number: int, parcel: Parcel) -> None:
        """Keep a parcel until it is asked for."""
        with self._change:
            self._parcels[sender, number] = parcel
            self._change.notify_all()

    def give_up(self, peer: str) -> None:
        """Take note that nothing can be brought to a peer."""
        with self._change:
            self._unreached.add(peer)
            self._change.notify_all()

    def close(self) -> None:
        """End the epoch: whoever waits is told."""
        with self._change:
            self._is_closed = True
            self._change.notify_all()

    def take(self, senders: Sequence[str], number: int, patience: float) -> list[Parcel]:
        """Wait for the parcels with a number; return one of each sender.

        Raises
        ------
        UnreachedError
            If they are not all there in time, a peer cannot be reached, or the epoch has ended.
        """
        keys, deadline = [(sender, number) for sender in senders], time.monotonic() + patience
        with self._change:
            while True:
                missing = [sender for sender, _ in keys if (sender, number) not in self._parcels]
                if self._is_closed:
                    raise UnreachedError(())
                if self._unreached:
                    raise UnreachedError(tuple(sorted(self._unreached)))
                if not missing:
                    return [self._parcels.pop(key) for key in keys]
                if not self._change.wait(deadline - time.monotonic()):
                    raise UnreachedError(tuple(missing))


@dataclass(eq=False)
class WirePost:
    """The post of a share on a worker; see `ogas.engine.mail.Post`.

    Attributes
    ----------
    addresses : tuple of str
        Of the workers, by number of their share.
    mailbox : Mailbox
    deliver : callable
        Brings a parcel with a number to an address; a coroutine.
    loop : event loop
        Of the worker.
    patience : float
        Seconds to wait for parcels.
    """

    addresses: tuple[str, ...]
    mailbox: Mailbox
    deliver: Deliver
    loop: asyncio.AbstractEventLoop
    patience: float
    sent: int = field(default=0, init=False)
    received: int = field(default=0, init=False)
    bytes_sent: int = field(default=0, init=False)
    waited: float = field(default=0.0, init=False)

    def send(self, parcels: Parcels) -> None:
        """Send one parcel to each of some shares, and do not wait."""
        self.sent += 1
        for share, parcel in parcels.items():
            self.bytes_sent += parcel.nbytes
            delivery = self._delivery(self.addresses[share], self.sent, parcel)
            asyncio.run_coroutine_threadsafe(delivery, self.loop)

    def receive(self, senders: Sequence[int]) -> Parcels:
        """Return the next parcel of each of these shares, when all are there.

        Raises
        ------
        UnreachedError
        """
        self.received += 1
        addresses = [self.addresses[share] for share in senders]
        start = time.monotonic()
        parcels = self.mailbox.take(addresses, self.received, self.patience)
        self.waited += time.monotonic() - start
        return dict(zip(senders, parcels, strict=True))

    async def _delivery(self, address: str, number: int, parcel: Parcel) -> None:
        try:
            await self.deliver(address, number, parcel)
        except Exception:  # whatever it was, the parcel is not there: the coordinator finds out why
            self.mailbox.give_up(address)
