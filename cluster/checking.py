"""What `ogas check` answers: whether an economy can be planned, and what looks wrong in it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ogas.cluster import answer
from ogas.cluster.answer import Answer
from ogas.cluster.planning import MOST_NAMED
from ogas.cluster.summary import console, counted, loop_message
from ogas.datasets.catalog import locate
from ogas.datasets.store import open_store
from ogas.engine.header import Header
from ogas.engine.productivity import Productivity, audit
from ogas.engine.table import Integers, Table

NAMED = 3


@dataclass(frozen=True)
class Finding:
    """One thing that a planner should know about a table."""

    level: str  # error, warning, note
    what: str
    where: str
    advice: str


def checked(name: str) -> Answer:
    """Return whether a table is productive, with proven bounds of its radius, and findings."""
    table = open_store(locate(name)).load()
    found = audit(table.coefficients)
    findings = list(_findings(table, found))
    loop = [] if found.loop is None else found.loop.products.tolist()
    A = table.coefficients
    facts = {
        "outcome": _outcome(found),
        "radius_lower": found.radius_lower,
        "radius_upper": found.radius_upper,
        "loop": [str(table.ids[product]) for product in loop[:MOST_NAMED]],
        "loop_size": len(loop),
        "negative_coefficients": int(np.count_nonzero(A.data < 0)),
        "empty_columns": int(np.count_nonzero(_inputs(table) == 0)),
        "self_loops": int(np.count_nonzero(A.diagonal())),
        "findings": [asdict(finding) for finding in findings],
    }
    codes = {"productive": answer.CERTIFIED, "not_productive": answer.NOT_PRODUCTIVE}
    code = codes.get(_outcome(found), answer.NOT_REACHED)
    return Answer(facts, lambda: _show(facts, findings), code, _complaint(table, found))


def _outcome(found: Productivity) -> str:
    if found.is_productive:
        return "productive"
    return "not_productive" if found.is_unproductive else "undecided"


def _complaint(table: Table, found: Productivity) -> str:
    if found.loop is not None:
        return loop_message(Header.of(table), found.loop)
    if found.is_productive:
        return ""
    return (
        f"undecided: the spectral radius of |A| lies between {found.radius_lower:.15g} and "
        f"{found.radius_upper:.15g}; "
        + (
            "negative coefficients of this weight rule out a certificate"
            if (table.coefficients.data < 0).any()
            else "a loop closes within rounding"
        )
    )


def _findings(table: Table, found: Productivity) -> Iterator[Finding]:
    """Yield what stands out, the gravest first."""
    A = table.coefficients
    if found.loop is not None:
        yield Finding(
            "error",
            f"{counted(len(found.loop.products), 'product')} in a loop that uses up at least what "
            "it makes",
            _some(table, found.loop.products),
            "check the recipes among these products, their units first",
        )
    if table.demand is None:
        yield Finding("warning", "no final demand", "", "plan with --demand FILE")
    elif (negative := np.flatnonzero(table.demand < 0)).size:
        yield Finding(
            "note",
            f"negative demand (net imports) for {counted(negative.size, 'product')}",
            _some(table, negative[np.argsort(table.demand[negative])]),
            "their output may come out negative: imports beyond domestic use",
        )
    if not table.factors:
        yield Finding("note", "no labour or other factor", "", "needed by `ogas price` only")
    if (rows := np.flatnonzero(A.data < 0)).size:
        products = np.searchsorted(A.indptr, rows, side="right") - 1
        yield Finding(
            "note",
            f"{counted(rows.size, 'negative coefficient')} (by-products or credits)",
            _some(table, np.unique(products)),
            "bounds are proven with |A| and are wider",
        )
    if (empty := np.flatnonzero(_inputs(table) == 0)).size:
        yield Finding(
            "note",
            f"{counted(empty.size, 'product')} made without any input",
            _some(table, empty),
            "right for imports and raw materials; otherwise their recipe is missing",
        )
    if table.output is not None and table.demand is not None:
        yield from _published_output(table)


def _published_output(table: Table) -> Iterator[Finding]:
    """Yield a finding if the published output does not meet the published demand."""
    assert table.output is not None
    assert table.demand is not None
    gap = table.coefficients @ table.output + table.demand - table.output
    relative = np.abs(gap) / np.maximum(table.output, 1e-300)
    off = np.flatnonzero((relative > 1e-3) & (np.abs(gap) > 0))
    if off.size:
        worst = off[np.argsort(-relative[off])]
        yield Finding(
            "note",
            f"the published output of {counted(off.size, 'product')} misses the balance by over "
            "0.1 %",
            _some(table, worst),
            "plans are computed from coefficients and demand, not from it",
        )


def _inputs(table: Table) -> Integers:
    """Return how many inputs each product has."""
    return np.bincount(table.coefficients.indices, minlength=len(table))


def _some(table: Table, products: Integers) -> str:
    header = Header.of(table)
    names = [header.label(int(product)) for product in products[:NAMED]]
    more = f" and {products.size - NAMED:,} more" if products.size > NAMED else ""
    return ", ".join(names) + more


def _show(facts: dict[str, Any], findings: list[Finding]) -> None:
    out = console()
    lower, upper = facts["radius_lower"], facts["radius_upper"]
    out.print(facts["outcome"].replace("_", " "), style="bold")
    out.print(f"spectral radius between {lower:.15g} and {upper:.15g}, proven")
    for finding in findings:
        where = f" ({finding.where})" if finding.where else ""
        out.print(f"{finding.level}: {finding.what}{where}; {finding.advice}")
