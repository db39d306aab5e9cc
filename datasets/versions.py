"""Versions: which there are, which are kept, and which one is current.

    TABLE/
        CURRENT                          what is current (`ogas.datasets.manifest`)
        STAGED                           the version that a run is preparing; nobody else sees it
        plans/000007-3fa1c09b77de.zarr   the plan that was published with a version
        pins/000007-3fa1c09b77de         this version is kept whatever happens
        nights/2026-11-22.json           what a night did

A version is staged, planned, and only then current: one replaced pointer names it and its plan.
Whoever prepares or changes anything here holds the lock of the table (`ogas.datasets.publishing`);
who reads needs none, and may go on with any version that stands in `versions/`.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ogas.datasets.amending import Amended
from ogas.datasets.atomic import fsync_path, write_text
from ogas.datasets.changes import Origin
from ogas.datasets.manifest import (
    Manifest,
    Pointer,
    read_manifest,
    read_pointer,
    write_manifest,
    write_pointer,
)
from ogas.datasets.publishing import publishing
from ogas.datasets.store import Store, drawn_up, open_store
from ogas.datasets.unfinished import UNFINISHED
from ogas.engine.errors import WrongUsageError

STAGED, PLANS, PINS, NIGHTS = "STAGED", "plans", "pins", "nights"


@dataclass(frozen=True)
class Version:
    """One version of a table, and what is said of it.

    Attributes
    ----------
    manifest : Manifest
    is_current, is_pinned : bool
    plan : Path or None
        That was published with it.
    """

    manifest: Manifest
    is_current: bool
    is_pinned: bool
    plan: Path | None


def versions(path: Path) -> list[Version]:
    """Return the versions of a table, the oldest first; not one that is only staged."""
    store = open_store(path)
    pointer, staged = read_pointer(path), _staged(path)
    published = {pointer.version, *pointer.before}
    return [
        Version(
            manifest,
            manifest.name == pointer.version,
            (path / PINS / manifest.name).exists(),
            plan_of(path, manifest.name),
        )
        for manifest in store.versions()
        if manifest.name != staged or manifest.name in published
    ]


def plan_of(path: Path, name: str) -> Path | None:
    """Return the plan that was published with a version; None if there is none."""
    plan = path / PLANS / f"{name}.zarr"
    return plan if plan.is_dir() else None


def current_plan(path: Path) -> Path | None:
    """Return the plan that is current, as the pointer says."""
    plan = read_pointer(path).plan
    return None if plan is None else path / PLANS / plan


# ---- a new version ------------------------------------------------------------------------------


def staged(path: Path, found: Amended, note: str, origins: Sequence[Origin]) -> Store:
    """Write a version that nobody sees yet; the lock is held."""
    told = [_json(origin) for origin in origins]
    manifest = drawn_up(path, found.written(), found.header, note, told)
    if manifest.name != read_pointer(path).version:
        write_text(path / STAGED, manifest.name + "\n")
        write_manifest(path, manifest)
    return Store(path, manifest)


def made_current(path: Path, name: str, night: str | None = None) -> None:
    """Let a version and its plan be the current ones, and a night be done; the lock is held.

    ``night`` is the name of its record.
    """
    plan = plan_of(path, name)
    pointer = read_pointer(path).followed_by(name, None if plan is None else plan.name)
    write_pointer(path, pointer if night is None else replace(pointer, night=night))
    (path / STAGED).unlink(missing_ok=True)


def clear_staged(path: Path) -> None:
    """Remove the version that a run prepared and did not publish; the lock is held."""
    name = _staged(path)
    if name is not None and name != read_pointer(path).version:
        (path / "versions" / f"{name}.json").unlink(missing_ok=True)
        shutil.rmtree(path / PLANS / f"{name}.zarr", ignore_errors=True)
    (path / STAGED).unlink(missing_ok=True)


def _staged(path: Path) -> str | None:
    try:
        return (path / STAGED).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def _json(origin: Origin) -> dict[str, object]:
    return {
        "file": origin.file,
        "digest": origin.digest,
        "received": origin.received,
        "rows": origin.rows,
        "sources": list(origin.sources),
    }


# ---- going back, keeping, forgetting ------------------------------------------------------------


def rolled_back(path: Path, number: int | None = None) -> Version:
    """Make an older version current again, with its plan; by default the one before.

    What came after stays: to go forward again is to roll back to it.

    Raises
    ------
    WrongUsageError
        If there is no such version, or none before.
    """
    with publishing(path):
        clear_staged(path)
        pointer = read_pointer(path)
        known = {version.manifest.number: version for version in versions(path)}
        if number is None:
            name = _before(pointer, {version.manifest.name for version in known.values()})
            if name is None:
                raise WrongUsageError(
                    "no version was current before this one, or none of them is left",
                    where=str(path),
                    advice="name one: `ogas versions` lists them",
                )
            number = int(name.split("-")[0])
            pointer = replace(pointer, before=pointer.before[: pointer.before.index(name)])
        if number not in known:
            raise WrongUsageError(
                f"there is no version {number}",
                where=str(path),
                advice="`ogas versions` lists them",
            )
        target = known[number]
        if not target.is_current:
            plan = None if target.plan is None else target.plan.name
            back = Pointer(target.manifest.name, plan, pointer.night, pointer.before)
            write_pointer(path, back)
    return replace(target, is_current=True)


def _before(pointer: Pointer, known: set[str]) -> str | None:
    left = [name for name in pointer.before if name in known and name != pointer.version]
    return left[-1] if left else None


def pin(path: Path, number: int | None, *, keeps: bool) -> Version:
    """Keep a version (the current one by default) whatever the rule of retention; or no longer."""
    with publishing(path):
        manifest = open_store(path, number).manifest
        file = path / PINS / manifest.name
        if keeps:
            write_text(file, "")
        elif file.exists():
            file.unlink()
            fsync_path(file.parent)
        return next(one for one in versions(path) if one.manifest.name == manifest.name)


def pruned(path: Path, keep: int) -> list[str]:
    """Remove all but the last ``keep`` versions, those that are pinned, and the current one.

    Returns their names. What no version needs any more goes with them; the lock is held.
    """
    found = versions(path)
    kept = {one.manifest.name for one in found[-keep:] if keep}
    kept |= {one.manifest.name for one in found if one.is_current or one.is_pinned}
    gone = [one.manifest.name for one in found if one.manifest.name not in kept]
    for name in gone:
        (path / "versions" / f"{name}.json").unlink(missing_ok=True)
        shutil.rmtree(path / PLANS / f"{name}.zarr", ignore_errors=True)
    if gone and not (path / UNFINISHED).exists():
        for group in _unneeded(path):
            shutil.rmtree(group, ignore_errors=True)
    return gone


def _unneeded(path: Path) -> Iterator[Path]:
    """Yield blocks and vectors that no version names."""
    needed: set[str] = set()
    for file in (path / "versions").glob("*.json"):
        content = read_manifest(path, file.stem).content
        needed |= {block.digest for block in content.blocks}
        needed |= {entry.digest for entry in (*content.arrays.values(), *content.factors.values())}
    for folder in ("blocks", "vectors"):
        yield from (group for group in (path / folder).glob("*") if group.name not in needed)
