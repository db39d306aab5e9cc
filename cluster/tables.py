"""What `ogas import`, `export`, `generate` and `info` answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ogas.cluster.answer import Answer
from ogas.cluster.memory import held_bytes
from ogas.cluster.partitioning import partitioned
from ogas.cluster.progress import counting
from ogas.cluster.summary import console, counted
from ogas.datasets import forms, gallery
from ogas.datasets.catalog import bundled, locate
from ogas.datasets.manifest import Manifest
from ogas.datasets.recipes import Parameters
from ogas.datasets.store import Store, open_store, publish
from ogas.datasets.stored_block import BlockEntry
from ogas.engine.boundary import Boundary, Partitioned, survey, warnings
from ogas.engine.errors import WrongUsageError
from ogas.engine.flows import measured
from ogas.engine.table import Integers

FIGURES = 3  # that are asked for unless others are
SPREAD = ("least", "median", "largest")

# What says nothing of a table that is one block.
OF_SEVERAL = (
    *("boundary_share_of_nonzeros", "boundary_share_of_value", "block_sizes", "external_inputs"),
    *("words_per_product", "words_per_product_row_owned"),
)


@dataclass(frozen=True)
class Reading:
    """How a source is to be read: as what form and kind of numbers, with which list, what of it."""

    form: str | None = None
    kind: str = "coefficients"
    products: Path | None = None
    model: str | None = None
    factors: tuple[str, ...] = ()
    imports: str | None = None
    year: int | None = None


def imported(source: Path, target: Path, reading: Reading, blocks: str = "auto") -> Answer:
    """Read a published form, or a stored table, and make it the current version of a table."""
    is_stored = source.is_dir() and not forms.is_published(source, reading.form)
    if is_stored or (not source.exists() and str(source) in bundled()):
        found = _stored_before(source, reading)
    else:
        found = forms.read(
            source,
            format=reading.form,
            kind=reading.kind,
            products=reading.products,
            model=reading.model,
            factors=reading.factors,
            imports=reading.imports,
            year=reading.year,
        )
    table, why = partitioned(found.table, found.levels, blocks)
    manifest = publish(target, table, note=f"imported from {source.name}")
    return stored(target, manifest, (*found.messages, why), why)


def _stored_before(source: Path, reading: Reading) -> forms.Imported:
    """Load a table directory, which is to be stored in other blocks."""
    if reading != Reading():
        raise WrongUsageError(
            "a stored table is read as it is, without --format, --kind, --products, --model, "
            "--factor, --imports and --year",
            where=str(source),
        )
    return forms.Imported(open_store(locate(source)).load(), (), {})


def exported(name: str, file: Path, form: str | None) -> Answer:
    """Write a table in another form."""
    messages = forms.write(open_store(locate(name)).load(), file, format=form)
    facts = {"file": str(file), "messages": list(messages)}

    def show() -> None:
        for line in (f"written to {file}", *messages):
            console().print(line)

    return Answer(facts, show)


def generated(recipe: str, target: Path, parameters: Parameters, workers: int | None) -> Answer:
    """Draw a synthetic economy block by block into a table directory."""
    with counting("drawing", "blocks") as progress:
        manifest = gallery.write(recipe, target, parameters, workers, progress)
    return stored(target, manifest, (), "")


def described(name: str) -> Answer:
    """Return what a table is: sizes, blocks, boundary share, units, source, versions."""
    store = open_store(locate(name))
    facts = _described(store)

    def show() -> None:
        out = console()
        apart = ("meta", "versions", "warnings", *(OF_SEVERAL if facts["blocks"] == 1 else ()))
        for label, value in facts.items():
            if label not in apart and value not in (None, "", [], {}):
                out.print(f"{label.replace('_', ' '):<28} {_readable(value)}")
        for line in facts["warnings"]:
            out.print(f"warning: {line}")
        for version in facts["versions"]:
            head = f"version {version['version']}"
            out.print(f"{head:<28} {version['created']} {version['note']}")
        for label, value in facts["meta"].items():
            out.print(f"{label:<28} {value if isinstance(value, int) else _readable(value)}")

    return Answer(facts, show)


def stored(target: Path, manifest: Manifest, messages: tuple[str, ...], why: str) -> Answer:
    """Return what was published as a table."""
    content = manifest.content
    facts = {
        "outcome": "stored",
        "table": str(target),
        "version": manifest.number,
        "digest": content.digest,
        "products": content.products,
        "nonzeros": content.nonzeros,
        "blocks": len(content.blocks),
        "partition": why,
        "messages": list(messages),
    }

    def show() -> None:
        out = console()
        for line in messages:
            out.print(line)
        out.print(
            f"{counted(content.products, 'product')}, "
            f"{counted(content.nonzeros, 'coefficient')} in "
            f"{counted(len(content.blocks), 'block')}: version {manifest.number} of {target}"
        )

    return Answer(facts, show)


def _described(store: Store) -> dict[str, Any]:
    content = store.manifest.content
    outside = sum(entry.orders for entry in content.blocks)
    sizes = Partitioned(
        *(np.array(column) for column in zip(*map(_sizes, content.blocks), strict=True))
    )
    boundary = _boundary(store) if outside else Boundary(0.0, 0, 0)
    return {
        "table": str(store.path),
        "products": content.products,
        "nonzeros": content.nonzeros,
        "blocks": len(content.blocks),
        "boundary_share_of_nonzeros": outside / max(content.nonzeros, 1),
        "boundary_share_of_value": boundary.share_of_value,
        "block_sizes": {
            "products": _spread(sizes.products),
            "nonzeros": _spread(sizes.nonzeros),
        },
        "external_inputs": _spread(sizes.external),
        "words_per_product": sizes.words_per_product,
        "words_per_product_row_owned": boundary.words_row_owned / content.products,
        "warnings": warnings(sizes, boundary.share_of_value),
        "units": (
            "one for each product" if "units" in content.arrays else content.unit or "not said"
        ),
        "factors": list(content.factors),
        "factor_units": dict(content.factor_units),
        "demand": "demand" in content.arrays,
        "value_type": content.value_type,
        "version": store.version,
        "versions": [
            {"version": m.number, "created": m.created, "digest": m.content.digest, "note": m.note}
            for m in store.versions()
        ],
        "digest": store.digest,
        "loaded_bytes": store.loaded_bytes,
        "bytes_per_nonzero_in_memory": held_bytes(content, FIGURES),
        "meta": dict(content.meta),
    }


def _sizes(entry: BlockEntry) -> tuple[int, int, int]:
    return entry.products, entry.nonzeros, entry.ext


def _boundary(store: Store) -> Boundary:
    """Read the blocks one after the other, never the whole table at once."""
    header, n = store.header(), store.manifest.content.products
    labels = np.zeros(n, dtype=np.int64) if header.blocks is None else header.blocks
    return survey(measured(header, n, store.blocks), labels, store.blocks)


def _spread(sizes: Integers) -> dict[str, Any]:
    found = int(sizes.min()), int(np.median(sizes)), int(sizes.max())
    return dict(zip(SPREAD, found, strict=True))


def _readable(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, Mapping):
        if tuple(value) == SPREAD:
            least, median, largest = value.values()
            return f"{least:,} to {largest:,}, median {median:,}"
        return "; ".join(f"{key}: {_readable(entry)}" for key, entry in value.items())
    if isinstance(value, list):
        return "; ".join(_readable(entry) for entry in value)
    return str(value)
