"""Who takes part: the workers that hold blocks or run coordinators, and whether they are fit to.

A plan has the same bits on any number of machines only if all of them run the same code. Law: no
block is sent before every worker has answered, in bounded time, with our versions; a worker that
differs, hangs, or does not see the table is named.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import Client
from distributed.versions import get_versions

from ogas.cluster.runtime.connecting import DEADLINE, PRELOAD, within
from ogas.cluster.runtime.errors import ClusterError
from ogas.cluster.runtime.versions import PACKAGES

START = (
    'dask worker {address} --nthreads 1 --memory-limit 0 --resources "block=1,coordinator=1" '
    f"--preload {PRELOAD}"
)
NAMED = 3  # culprits in one line; the rest are counted


@dataclass(frozen=True, order=True)
class Member:
    """A worker with at least one of our resources.

    Attributes
    ----------
    name : str
        Stays the same when its process is replaced.
    address : str
        Changes then.
    holds_blocks, coordinates : bool
        Its resources ``block`` and ``coordinator``.
    """

    name: str
    address: str
    holds_blocks: bool
    coordinates: bool

    def __str__(self) -> str:
        """Return name and address; a worker that was given no name has its address for one."""
        return f"worker {self.name}" + (f" ({self.address})" if self.address != self.name else "")


def check_workers(client: Client, deadline: float = DEADLINE) -> list[Member]:
    """Return the workers that will compute, by name, after a look at each.

    Raises
    ------
    ClusterError
        If none holds blocks or none may run a coordinator; if some have other versions than we,
        lack one of the packages, were started without the preload, or do not answer in time.
    """
    address = _scheduler(client).address
    members = _members(client, deadline)
    for present, name in (
        (any(member.holds_blocks for member in members), "block"),
        (any(member.coordinates for member in members), "coordinator"),
    ):
        if not present:
            raise ClusterError(
                f"no worker offers the resource {name!r}",
                where=address,
                advice=f"start one: {START.format(address=address)}",
            )
    ours = get_versions(packages=PACKAGES)["packages"]
    versions = _ask(client, members, deadline, get_versions, PACKAGES)
    _refuse(
        {member: _differing(ours, theirs["packages"]) for member, theirs in versions.items()},
        address,
        "install our versions there and restart it: the figures would differ by bits",
    )
    loaded = _ask(client, members, deadline, _is_preloaded)
    _refuse(
        {member: "" if yes else "was not prepared" for member, yes in loaded.items()},
        address,
        f"start it with --preload {PRELOAD}",
    )
    return members


def check_visible(client: Client, path: Path, deadline: float = DEADLINE) -> None:
    """Return if every worker can read what stands at a path.

    Raises
    ------
    ClusterError
        If one cannot, or its storage does not answer in time.
    """
    full = os.path.abspath(path)
    seen = _ask(client, _members(client, deadline), deadline, _can_read, full)
    _refuse(
        {member: "" if yes else f"cannot read {full}" for member, yes in seen.items()},
        _scheduler(client).address,
        "put it on storage that all machines share, under the same path",
    )


def _scheduler(client: Client) -> Any:
    """Return our side of the connection to the scheduler."""
    if client.scheduler is None:
        raise ClusterError("the connection to the scheduler is closed", advice="connect again")
    return client.scheduler


def _members(client: Client, deadline: float) -> list[Member]:
    """List the workers with a resource of ours; the answer is the scheduler's, not remembered."""
    try:
        scheduler = within(deadline, lambda: client.sync(_scheduler(client).identity, n_workers=-1))
    except OSError as error:  # TimeoutError and CommClosedError are
        raise ClusterError(
            f"the scheduler does not answer ({error})",
            where=_scheduler(client).address,
            advice="see its log, or restart it",
        ) from error
    members = (
        Member(
            str(worker["name"]),
            address,
            holds_blocks=worker["resources"].get("block", 0) > 0,
            coordinates=worker["resources"].get("coordinator", 0) > 0,
        )
        for address, worker in scheduler["workers"].items()
    )
    return sorted(member for member in members if member.holds_blocks or member.coordinates)


def _ask(
    client: Client,
    members: list[Member],
    deadline: float,
    function: Callable[..., Any],
    *words: Any,
) -> dict[Member, Any]:
    """Call a function on every worker at once, and refuse those that fail or hang."""

    async def one(member: Member) -> Any:
        asked = client.run(function, *words, workers=[member.address], on_error="return")
        try:
            return (await asyncio.wait_for(asked, deadline))[member.address]
        except TimeoutError:
            return TimeoutError(f"no answer within {deadline:g} s")
        except Exception as error:  # it left while we asked
            return error

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*(one(member) for member in members))

    answers = dict(zip(members, client.sync(all_of_them), strict=True))
    _refuse(
        {
            member: f"fails ({answer})" if isinstance(answer, Exception) else ""
            for member, answer in answers.items()
        },
        _scheduler(client).address,
        "see its log, and restart it",
    )
    return answers


def _differing(ours: dict[str, str | None], theirs: dict[str, str | None]) -> str:
    """Say what a worker has instead of our versions; nothing if it has the same."""
    compared = ("python", *PACKAGES)
    lacking = [f"lacks {name} {ours[name]}" for name in compared if theirs.get(name) is None]
    other = [
        f"has {name} {theirs[name]} and we {ours[name]}"
        for name in compared
        if theirs.get(name) not in (None, ours[name])
    ]
    return ", ".join(lacking + other)


def _refuse(complaints: dict[Member, str], address: str, advice: str) -> None:
    """Raise if there are complaints, and name the first of them."""
    said = [f"{member} {complaint}" for member, complaint in complaints.items() if complaint]
    if not said:
        return
    more = f"; and {len(said) - NAMED} more" if len(said) > NAMED else ""
    raise ClusterError("; ".join(said[:NAMED]) + more, where=address, advice=advice)


def _is_preloaded() -> bool:
    return PRELOAD in sys.modules


async def _can_read(path: str) -> bool:
    """Look in a thread: on storage that hangs, a look on the worker's loop would stop it."""
    return await asyncio.to_thread(os.access, path, os.R_OK)
