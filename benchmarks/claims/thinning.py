"""How few entries of a published table prove one, two and three figures of every product."""

from dataclasses import asdict
from typing import Any

from ogas.benchmarks.claims.claim import Row
from ogas.benchmarks.claims.measuring import FAILED, Bench, Facts, published_file
from ogas.benchmarks.density import Kept, kept
from ogas.cluster.answer import json_ready
from ogas.datasets import forms
from ogas.engine.table import Table


def thinned(row: Row, bench: Bench) -> Facts:
    """Measure what has to be kept; certified if every choice proves what was asked of it."""
    file = published_file(row, bench)
    if file is None:
        return {"state": "skipped", "why": f"OGAS_DATA has no {row.work.recipe}.npz"}
    table = forms.read(file).table
    found = [_json(one, table) for one in kept(table)]
    chosen = [one for one in found if one["at_least"]]
    short = [one for one in chosen if one["proven"] < one["figures"] or not one["is_true"]]
    made = {"facts": {"products": len(table), "nonzeros": table.nonzeros}, "code": 0}
    state = FAILED if short or not chosen else "certified"
    return {"state": state, "made": made, "density": found, "why": ""}


def _json(one: Kept, table: Table) -> dict[str, Any]:
    facts = asdict(one) | {"known": one.known.value, "way": one.way.value}
    return dict(json_ready(facts | {"all_per_product": table.nonzeros / len(table)}))
