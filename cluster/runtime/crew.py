"""The workers that a coordinator may use: who is there, who belongs to this job, who is silent.

Dask's scheduler knows who is there. Each worker is then claimed for the job, one after the other in
the order of their addresses, so that of two jobs that want the same workers one gets them all and
the other waits, without holding any. Claimed workers are greeted every second or so: one that does
not answer hangs.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from distributed import Worker

from ogas.cluster.runtime.events import Event, Joined, Lost
from ogas.cluster.runtime.schedule import Host, Schedule
from ogas.cluster.runtime.versions import versions

PERIOD = 1.0
GREETING = 6.0  # seconds for an answer that takes a millisecond from a healthy worker
AT_ONCE = 32  # greetings in flight
DROPPING = 3.0  # seconds that workers may take to let go; they do so by themselves after silence
# What a worker says that is another job's, about to end, or of other versions.
NOT_OURS = ("busy", "leaving", "unfit")


@dataclass(eq=False)
class Crew:
    """The workers of one job.

    Attributes
    ----------
    worker : Worker
        The one that the coordinator runs in.
    job : str
    memory : int or None
        Bytes that each may use; None for its part of what its machine has.
    reserved : int
        Bytes that the coordinator itself takes, in its own worker.
    tell : callable
        Takes what happens: `Joined` and `Lost`.
    """

    worker: Worker
    job: str
    memory: int | None
    tell: Callable[[Event], None]
    epoch: int = 0
    reserved: int = 0
    greetings: dict[str, dict[str, Any]] = field(default_factory=dict)
    busy_with: str = ""
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    async def muster(self) -> bool:
        """Claim all workers there are; return whether they, at least one, are all ours now."""
        # Those claimed a while ago may have been taken for abandoned since.
        self.greetings.clear()
        for address in await self._present():
            greeting = await self._greeted(address)
            if greeting is not None and greeting["status"] == "busy":
                self.busy_with = greeting["job"]
                claimed = [one for one, said in self.greetings.items() if said["job"] != self.job]
                self.greetings.clear()
                await self.release(claimed)
                return False
            if greeting is not None and greeting["status"] not in NOT_OURS:
                self.greetings[address] = greeting
        self.busy_with = ""
        return bool(self.greetings)

    def introduce(self) -> None:
        """Tell of all workers claimed so far."""
        for address in self.greetings:
            self.tell(Joined(self._host(address)))

    def schedule(self, blocks: int) -> Schedule | None:
        """Return who holds blocks that another coordinator had loaded; None if nobody does."""
        owners = [""] * blocks
        for address, greeting in self.greetings.items():
            for block in greeting.get("stored", ()):
                if block < blocks:
                    owners[block] = address
        return Schedule(tuple(owners)) if any(owners) else None

    async def refresh(self) -> None:
        """Ask who is ours what it took until now; of who does not answer the latest is known."""
        ours = list(self.greetings)
        answers = await asyncio.gather(*map(self._greeted, ours))
        for address, greeting in zip(ours, answers, strict=True):
            if greeting is None or greeting["status"] in NOT_OURS:
                continue
            if address in self.greetings:
                self.greetings[address] = greeting

    async def watch(self) -> None:
        """Tell of workers that come, leave, or fall silent, until `is_over`.

        Not to be cancelled: a greeting that is under way would claim a worker that the job has let
        go of, and `asyncio.wait_for` of Python 3.11 may swallow the cancellation besides.
        """
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.is_over.wait(), PERIOD)
                return
            with suppress(OSError):  # a scheduler that is gone ends this worker, and so the job
                await self._look()

    async def evict(self, address: str) -> None:
        """Have the cluster end a process that hangs; its nanny, if it has one, starts another."""
        asked = self.worker.scheduler.restart_workers(
            workers=[address],
            timeout=GREETING,
            wait_for_workers=False,
            on_error="return",
            stimulus_id=f"ogas-evict-{self.job}",
        )
        with suppress(Exception):  # without a nanny Dask gives up on it by itself
            await asyncio.wait_for(asked, GREETING)

    async def release(self, addresses: Sequence[str], epoch: int | None = None) -> None:
        """Have workers let go of the job, up to this epoch or the latest."""

        async def release(address: str) -> None:
            words = {"job": self.job, "epoch": self.epoch if epoch is None else epoch}
            with suppress(Exception):  # who does not hear lets go by itself
                await asyncio.wait_for(self.worker.rpc(address).ogas_drop(**words), DROPPING)

        await asyncio.gather(*map(release, addresses))

    def lose(self, address: str) -> None:
        """Take note that a worker is not there any more, or not ours."""
        self.greetings.pop(address, None)
        self.tell(Lost(address))

    async def _look(self) -> None:
        present = await self._present()
        for address in set(self.greetings) - set(present):
            self.lose(address)
        gate = asyncio.Semaphore(AT_ONCE)

        async def look(address: str) -> None:
            async with gate:
                greeting = await self._greeted(address)
            is_ours = address in self.greetings
            if greeting is None:
                if is_ours:
                    self.lose(address)
                    await self.evict(address)
            elif greeting["status"] not in NOT_OURS:
                self.greetings[address] = greeting
                if not is_ours:
                    self.tell(Joined(self._host(address)))
            elif is_ours:
                self.lose(address)

        await asyncio.gather(*map(look, present))

    async def _present(self) -> list[str]:
        """Return the addresses of workers that may hold blocks, in order."""
        identity = await asyncio.wait_for(self.worker.scheduler.identity(n_workers=-1), GREETING)
        workers = identity["workers"].items()
        return sorted(address for address, one in workers if one["resources"].get("block"))

    async def _greeted(self, address: str) -> dict[str, Any] | None:
        """Claim a worker, or say that its coordinator lives; None if it does not answer."""
        words = {"job": self.job, "epoch": self.epoch, "of": versions()}
        try:
            greeting: dict[str, Any] = await asyncio.wait_for(
                self.worker.rpc(address).ogas_hello(**words), GREETING
            )
        except (TimeoutError, OSError):
            return None
        return greeting

    def _host(self, address: str) -> Host:
        """Return a worker with what it may use: its share of the machine, unless it was told."""
        machine = urlsplit(address).hostname
        neighbours = sum(urlsplit(other).hostname == machine for other in self.greetings)
        share = self.greetings[address]["installed_bytes"] // max(neighbours, 1)
        memory = share if self.memory is None else self.memory
        taken = self.reserved if address == self.worker.address else 0
        return Host(address, memory, taken)
