"""The manifest: one small JSON file that says, by content, what one version of a table is.

    versions/000007-3fa1c09b77de.json    number of the version, start of the digest of the table
    CURRENT              {"format": 2, "version": "000007-3fa1c09b77de", "plan": null,
                          "night": null, "before": ["000006-95b7..."]}

The digest of a table is that of its manifest without number, time and note: the same table has the
same digest wherever and whenever it is stored. `CURRENT` is the only file that is ever replaced; it
names the version of the table and the plan that belongs to it, together, the last night that is
done, and which versions were current before.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from blake3 import blake3

from ogas.datasets.arrays import damage_named
from ogas.datasets.atomic import write_text
from ogas.datasets.stored_block import BlockEntry
from ogas.engine.errors import DamagedError, InvalidInputError

FORMAT = 2  # 1 named contents by another digest
MOST_BEFORE = 1_000  # versions of which it is known that they were current


@dataclass(frozen=True)
class ArrayEntry:
    """One label or vector: its content name, its type on disk, and its bytes in memory."""

    digest: str
    kind: str
    bytes: int


@dataclass(frozen=True)
class Content:
    """What a version holds: sizes and digests, enough to plan memory before reading any array.

    Attributes
    ----------
    products : int
    value_type : "float64" or "float32"
    blocks : tuple of BlockEntry
        In the order of the block numbers.
    arrays : mapping of str to ArrayEntry
        ``ids``, and those of ``names, units, blocks, demand, output, price`` that the table has.
    factors : mapping of str to ArrayEntry
    unit : str
        The unit that all products share; empty if ``units`` is an array.
    factor_units : mapping of str to str
    meta : mapping
        JSON types only.
    """

    products: int
    value_type: str
    blocks: tuple[BlockEntry, ...]
    arrays: Mapping[str, ArrayEntry]
    factors: Mapping[str, ArrayEntry]
    unit: str
    factor_units: Mapping[str, str]
    meta: Mapping[str, Any]

    @property
    def nonzeros(self) -> int:
        """Stored entries of A."""
        return sum(block.nonzeros for block in self.blocks)

    @property
    def is_plain(self) -> bool:
        """Whether no entry is negative and every column adds up to less than one."""
        return all(block.is_plain for block in self.blocks)

    @property
    def digest(self) -> str:
        """The name of this table; independent of when and where it was stored."""
        text = json.dumps(self.json(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return blake3(text.encode()).hexdigest()

    def json(self) -> dict[str, Any]:
        """Return the content as JSON types; factors as a list, because their order counts."""
        factors = [{"name": name, **asdict(entry)} for name, entry in self.factors.items()]
        return {
            "products": self.products,
            "nonzeros": self.nonzeros,
            "value_type": self.value_type,
            "blocks": [block.json() for block in self.blocks],
            "arrays": {name: asdict(entry) for name, entry in self.arrays.items()},
            "factors": factors,
            "unit": self.unit,
            "factor_units": dict(self.factor_units),
            "meta": dict(self.meta),
        }

    @classmethod
    def parse(cls, found: Mapping[str, Any]) -> "Content":
        """Return the content written by `json`."""
        factors = [dict(factor) for factor in found["factors"]]
        return cls(
            products=int(found["products"]),
            value_type=str(found["value_type"]),
            blocks=tuple(BlockEntry(**block) for block in found["blocks"]),
            arrays={name: ArrayEntry(**entry) for name, entry in found["arrays"].items()},
            factors={factor.pop("name"): ArrayEntry(**factor) for factor in factors},
            unit=found["unit"],
            factor_units=found["factor_units"],
            meta=found["meta"],
        )


@dataclass(frozen=True)
class Manifest:
    """One version of a table.

    Attributes
    ----------
    number : int
        Counts the versions of a store from 1.
    created : str
        UTC, ISO 8601.
    note : str
        What the publisher wished to say.
    content : Content
    origins : tuple of mapping
        Who sent the changes that made it of the version before: see `ogas.datasets.changes`.
    """

    number: int
    created: str
    note: str
    content: Content
    origins: tuple[Mapping[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """The name of the version: number and start of the digest."""
        return f"{self.number:06d}-{self.content.digest[:12]}"


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write the manifest of a version into the table directory ``path``."""
    found = {
        "format": FORMAT,
        "number": manifest.number,
        "created": manifest.created,
        "note": manifest.note,
        "digest": manifest.content.digest,
        "table": manifest.content.json(),
    }
    if manifest.origins:
        found["origins"] = [dict(origin) for origin in manifest.origins]
    write_text(path / "versions" / f"{manifest.name}.json", json.dumps(found, indent=1) + "\n")


def check_meta(meta: Mapping[str, Any]) -> None:
    """Raise `InvalidInputError` if JSON cannot hold ``meta``."""
    try:
        json.dumps(meta, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"the meta data cannot be stored ({error})",
            advice="use text, finite numbers, lists and mappings only",
        ) from error


def read_manifest(path: Path, name: str) -> Manifest:
    """Read the manifest of the version ``name`` and prove that it is unaltered.

    Raises
    ------
    DamagedError
        If it is missing, altered, or of a newer format.
    """
    file = path / "versions" / f"{name}.json"
    found = _json(file)
    with damage_named(file):
        content = Content.parse(found["table"])
        origins = tuple(found.get("origins", ()))
        manifest = Manifest(found["number"], found["created"], found["note"], content, origins)
        if content.digest != found["digest"] or manifest.name != name:
            raise DamagedError("its content has another digest")
    return manifest


@dataclass(frozen=True)
class Pointer:
    """What is current.

    Attributes
    ----------
    version : str
        The name of the version.
    plan : str or None
        That of the plan that belongs to it.
    night : str or None
        The record of the last night that is done: its date, ISO 8601, and from the second run of
        a date on its number, ``2026-11-22.2``.
    before : tuple of str
        The versions that were current before, the last one last.
    """

    version: str
    plan: str | None = None
    night: str | None = None
    before: tuple[str, ...] = ()

    def followed_by(self, version: str, plan: str | None = None) -> "Pointer":
        """Return the pointer when another version becomes current."""
        if version == self.version:
            return replace(self, plan=plan)
        return Pointer(version, plan, self.night, (*self.before, self.version)[-MOST_BEFORE:])


def write_pointer(path: Path, pointer: Pointer) -> None:
    """Make a version, and the plan that belongs to it, the current ones."""
    found = {"format": FORMAT} | asdict(pointer)
    write_text(path / "CURRENT", json.dumps(found) + "\n")


def read_pointer(path: Path) -> Pointer:
    """Return what is current."""
    found = _json(path / "CURRENT")
    with damage_named(path / "CURRENT"):
        version, plan = found["version"], found["plan"]
        night, before = found.get("night"), found.get("before", [])
        if not isinstance(version, str) or not isinstance(plan, str | None):
            raise DamagedError("it names no version")
        if not isinstance(night, str | None) or not all(isinstance(one, str) for one in before):
            raise DamagedError("it names no night, or no versions before")
    return Pointer(version, plan, night, tuple(before))


def _json(file: Path) -> dict[str, Any]:
    """Parse a JSON object; refuse the format of another day before looking further."""
    with damage_named(file):
        found = json.loads(file.read_text(encoding="utf-8"))
        version = found["format"]
        if not isinstance(version, int) or version < 1:
            raise DamagedError(f"format {version!r} is unknown")
    if version != FORMAT:
        raise DamagedError(
            f"written in format {version} of the table store; this program reads {FORMAT}",
            where=str(file),
            advice="upgrade ogas-engine"
            if version > FORMAT
            else "delete it, and import or generate it again",
        )
    return dict(found)
