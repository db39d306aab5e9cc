"""What `ogas versions`, `pin`, `unpin` and `rollback` answer."""

from pathlib import Path
from typing import Any

from ogas.cluster.answer import Answer
from ogas.cluster.summary import console, counted
from ogas.datasets.versions import Version, pin, rolled_back, versions


def listed(path: Path) -> Answer:
    """Return all versions of a table, the oldest first."""
    found = versions(path)
    facts = {"table": str(path), "versions": [_facts(version) for version in found]}

    def show() -> None:
        for version in found:
            console().print(_line(version))

    return Answer(facts, show)


def pinned(path: Path, number: int | None, *, keeps: bool) -> Answer:
    """Keep a version, or no longer."""
    version = pin(path, number, keeps=keeps)
    return Answer(_facts(version), lambda: console().print(_line(version)))


def back(path: Path, number: int | None) -> Answer:
    """Make an older version current."""
    version = rolled_back(path, number)
    facts = {"outcome": "rolled_back", "table": str(path)} | _facts(version)

    def show() -> None:
        plan = "; it has no plan" if version.plan is None else f"; its plan is {version.plan}"
        console().print(f"version {version.manifest.number} is current again{plan}")

    return Answer(facts, show)


def _facts(version: Version) -> dict[str, Any]:
    manifest = version.manifest
    return {
        "version": manifest.number,
        "created": manifest.created,
        "note": manifest.note,
        "digest": manifest.content.digest,
        "products": manifest.content.products,
        "nonzeros": manifest.content.nonzeros,
        "current": version.is_current,
        "pinned": version.is_pinned,
        "plan": None if version.plan is None else str(version.plan),
        "origins": [dict(origin) for origin in manifest.origins],
    }


def _line(version: Version) -> str:
    manifest = version.manifest
    said = {"current": version.is_current, "pinned": version.is_pinned}
    parts = [
        f"{manifest.number:>6}",
        manifest.created,
        counted(manifest.content.products, "product"),
        manifest.note,
        ", ".join(str(origin["file"]) for origin in manifest.origins),
        "with a plan" if version.plan is not None else "",
        ", ".join(word for word, is_so in said.items() if is_so),
    ]
    return "  ".join(part for part in parts if part)
