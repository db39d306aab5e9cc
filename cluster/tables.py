"""What `ogas import`, `export`, `generate` and `info` answer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ogas.cluster.answer import Answer
from ogas.cluster.progress import counting
from ogas.cluster.summary import console, counted
from ogas.datasets import forms, gallery
from ogas.datasets.catalog import locate
from ogas.datasets.manifest import Manifest
from ogas.datasets.recipes import Parameters
from ogas.datasets.store import Store, open_store, publish
from ogas.engine.boundary import value_share


def imported(
    source: Path, target: Path, *, form: str | None, kind: str, products: Path | None
) -> Answer:
    """Read a published form and make it the current version of a table directory."""
    found = forms.read(source, format=form, kind=kind, products=products)
    manifest = publish(target, found.table, note=f"imported from {source.name}")
    return _stored(target, manifest, found.messages)


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
    return _stored(target, manifest, ())


def described(name: str) -> Answer:
    """Return what a table is: sizes, blocks, boundary share, units, source, versions."""
    store = open_store(locate(name))
    facts = _described(store)

    def show() -> None:
        out = console()
        for label, value in facts.items():
            if label not in ("meta", "versions") and value not in (None, "", [], {}):
                out.print(f"{label.replace('_', ' '):<28} {_readable(value)}")
        for version in facts["versions"]:
            head = f"version {version['version']}"
            out.print(f"{head:<28} {version['created']} {version['note']}")
        for label, value in facts["meta"].items():
            out.print(f"{label:<28} {value if isinstance(value, int) else _readable(value)}")

    return Answer(facts, show)


def _stored(target: Path, manifest: Manifest, messages: tuple[str, ...]) -> Answer:
    content = manifest.content
    facts = {
        "outcome": "stored",
        "table": str(target),
        "version": manifest.number,
        "digest": content.digest,
        "products": content.products,
        "nonzeros": content.nonzeros,
        "blocks": len(content.blocks),
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
    return {
        "table": str(store.path),
        "products": content.products,
        "nonzeros": content.nonzeros,
        "blocks": len(content.blocks),
        "boundary_share_of_nonzeros": outside / max(content.nonzeros, 1),
        "boundary_share_of_value": value_share(store.load()) if outside else 0.0,
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
        "meta": dict(content.meta),
    }


def _readable(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_readable(entry)}" for key, entry in value.items())
    if isinstance(value, list):
        return "; ".join(_readable(entry) for entry in value)
    return str(value)
