"""The workers that a coordinator may use: who is there, who belongs to this job, who is silent.

Dask's scheduler knows who is there. Each worker is then claimed for the job, one after the other in
the order of their addresses, so that of two jobs that want the same workers one gets them all and
the other waits. Claimed workers are greeted every second or so: one that does not answer hangs.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from distributed import Worker

from ogas.cluster.runtime.events import Event, Joined, Lost
from ogas.cluster.runtime.schedule import Host

PERIOD = 1.0
GREETING = 6.0  # seconds for an answer that takes a millisecond from a healthy worker
AT_ONCE = 32  # greetings in flight


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
    tell : callable
        Takes what happens: `Joined` and `Lost`.
    """

    worker: Worker
    job: str
    memory: int | None
    tell: Callable[[Event], None]
    epoch: int = 0
    greetings: dict[str, dict[str, Any]] = field(default_factory=dict)
    busy_with: str = ""

    async def muster(self) -> bool:
        """Claim all workers there are; return whether they, at least one, are all ours now."""
        for address in await self._present():
            if address in self.greetings:
                continue
            greeting = await self._greeted(address)
            if greeting is None:
                continue
            if greeting["status"] == "busy":
                self.busy_with = greeting["job"]
                return False
            self.greetings[address] = greeting
        self.busy_with = ""
        return bool(self.greetings)

    def introduce(self) -> None:
        """Tell of all workers claimed so far."""
        for address in self.greetings:
            self.tell(Joined(self._host(address)))

    async def watch(self) -> None:
        """Tell of workers that come, leave, or fall silent, until cancelled."""
        while True:
            await asyncio.sleep(PERIOD)
            with suppress(OSError):  # a scheduler that is gone ends this worker, and so the job
                await self._look()

    async def evict(self, address: str) -> None:
        """Have the cluster end a process that hangs; its nanny, if it has one, starts another."""
        with suppress(Exception):  # without a nanny Dask gives up on it by itself
            await self.worker.scheduler.restart_workers(
                workers=[address],
                timeout=GREETING,
                wait_for_workers=False,
                on_error="return",
                stimulus_id=f"ogas-evict-{self.job}",
            )

    async def _look(self) -> None:
        present = await self._present()
        for address in set(self.greetings) - set(present):
            self._lose(address)
        gate = asyncio.Semaphore(AT_ONCE)

        async def look(address: str) -> None:
            async with gate:
                greeting = await self._greeted(address)
            is_ours = address in self.greetings
            if greeting is None:
                if is_ours:
                    self._lose(address)
                    await self.evict(address)
            elif greeting["status"] != "busy":
                self.greetings[address] = greeting
                if not is_ours:
                    self.tell(Joined(self._host(address)))

        await asyncio.gather(*map(look, present))

    def _lose(self, address: str) -> None:
        self.greetings.pop(address, None)
        self.tell(Lost(address))

    async def _present(self) -> list[str]:
        """Return the addresses of workers that may hold blocks, in order."""
        identity = await asyncio.wait_for(self.worker.scheduler.identity(n_workers=-1), GREETING)
        workers = identity["workers"].items()
        return sorted(address for address, one in workers if one["resources"].get("block"))

    async def _greeted(self, address: str) -> dict[str, Any] | None:
        """Claim a worker, or say that its coordinator lives; None if it does not answer."""
        try:
            greeting: dict[str, Any] = await asyncio.wait_for(
                self.worker.rpc(address).ogas_hello(job=self.job, epoch=self.epoch), GREETING
            )
        except (TimeoutError, OSError):
            return None
        return greeting

    def _host(self, address: str) -> Host:
        """Return a worker with what it may use: its share of the machine, unless it was told."""
        if self.memory is not None:
            return Host(address, self.memory)
        machine = urlsplit(address).hostname
        neighbours = sum(urlsplit(other).hostname == machine for other in self.greetings)
        return Host(address, self.greetings[address]["installed_bytes"] // max(neighbours, 1))
