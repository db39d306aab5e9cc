"""What `ogas aggregate` and `ogas balance` answer: a new table made of a stored one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array, diags_array

from ogas.cluster import answer
from ogas.cluster.answer import Answer
from ogas.cluster.partitioning import KEPT
from ogas.cluster.summary import counted
from ogas.cluster.tables import stored
from ogas.datasets.catalog import locate
from ogas.datasets.concordance import read_concordance
from ogas.datasets.levels import level
from ogas.datasets.plans import read_plan
from ogas.datasets.store import Store, open_store, publish
from ogas.datasets.totals import read_totals
from ogas.engine.aggregation import Concordance, Weights, aggregated
from ogas.engine.biproportional import Totals, gras
from ogas.engine.errors import WrongUsageError
from ogas.engine.header import Header
from ogas.engine.table import Table, Vector, coefficients_from

NAMED = 5
UNBALANCED = 1e-9  # of turnover: less is rounding


@dataclass(frozen=True)
class Measure:
    """By what recipes are weighed: a plan in place of the published output, in money or not."""

    plan: Path | None = None
    in_money: bool = False


def aggregation(name: str, target: Path, by: str, measure: Measure) -> Answer:
    """Put products together by a concordance, and store the smaller table."""
    store = open_store(locate(name))
    header = store.header()
    concordance, how = _concordance(by, header)
    weights, whose = _weights(store, header, measure)
    table = aggregated(header, store.blocks(), concordance, weights)
    said = {"aggregated": how, "weights": whose} | _title(header.meta, f"aggregated {how}")
    table = replace(table, meta=_meta(header, said))
    messages = (how, f"recipes weighed by {whose}", *_remarks(table, weights, header))
    manifest = publish(target, table, note=f"aggregated from {Path(name).name} {how}")
    return stored(target, manifest, messages, "")


def _concordance(by: str, header: Header) -> tuple[Concordance, str]:
    if Path(by).suffix in (".csv", ".parquet"):
        return read_concordance(Path(by), header.ids), f"as {Path(by).name} says"
    blocks = {} if header.blocks is None else {"block": header.blocks}
    return Concordance.by(level(by, header.ids, blocks)), f"by {by}"


def _weights(store: Store, header: Header, measure: Measure) -> tuple[Weights, str]:
    """Return output and the demand that goes with it, and whose they are."""
    price = header.price if measure.in_money else None
    if measure.in_money and price is None:
        raise WrongUsageError(
            "the table has no prices", where=str(store.path), advice="leave out --money"
        )
    if measure.plan is not None:
        plan = read_plan(measure.plan)
        if plan.kind != "quantities" or plan.facts["table_digest"] != store.digest:
            raise WrongUsageError(
                "this is no plan of this version of the table",
                where=str(measure.plan),
                advice="plan the table again",
            )
        column = plan.columns[0]
        named = f" for {column.name}" if len(plan.columns) > 1 else ""
        weights = Weights(column.output, column.demand.nominal, price)
        return weights, f"the output of {measure.plan.name}{named}"
    if header.output is None:
        raise WrongUsageError(
            "the table has no published output to weigh recipes by",
            where=str(store.path),
            advice="plan it, and name the plan with --plan",
        )
    return Weights(header.output, header.demand, price), "the published output"


def _remarks(table: Table, weights: Weights, header: Header) -> list[str]:
    """Say what of the small table is not as one would expect."""
    found = []
    output = np.zeros(0) if table.output is None else table.output
    if (weights.output < 0).any():
        worst = int(np.argmin(weights.output))
        count = counted(int(np.count_nonzero(weights.output < 0)), "product")
        found.append(f"the output of {count} is negative, most that of {header.label(worst)}")
    idle = np.flatnonzero(output == 0)
    if idle.size:
        some = ", ".join(str(table.ids[place]) for place in idle[:NAMED])
        found.append(f"{idle.size:,} without output, their recipes are empty: {some}")
    if table.demand is not None:
        uses = table.coefficients @ output
        turnover = np.abs(table.demand) + abs(table.coefficients) @ output
        gap = np.abs(output - uses - table.demand)
        share = np.divide(gap, turnover, out=np.zeros(len(gap)), where=turnover > 0)
        worst = int(np.argmax(share))
        if share[worst] > UNBALANCED:
            found.append(
                f"output differs from uses and demand by up to {share[worst]:.2g} of turnover "
                f"({table.ids[worst]!s}), as it did before"
            )
    return found


def _meta(header: Header, more: Mapping[str, str]) -> dict[str, object]:
    """Return meta data without what was said of products one by one, or of blocks."""
    n = len(header)
    kept = {
        name: entry
        for name, entry in header.meta.items()
        if name != KEPT and not (isinstance(entry, list) and len(entry) == n)
    }
    return kept | dict(more)


def _title(meta: Mapping[str, object], change: str) -> dict[str, str]:
    """Return the title with what was done to the table it names, if it has one."""
    return {"title": f"{meta['title']}, {change}"} if meta.get("title") else {}


def balanced(name: str, rows: Path, columns: Path, target: Path) -> Answer:
    """Scale the flows of a table to new totals, and store the table of the new coefficients."""
    store = open_store(locate(name))
    table = store.load()
    sold, _ = read_totals(rows, table.ids)
    bought, output = read_totals(columns, table.ids)
    output = table.output if output is None else output
    if output is None:
        raise WrongUsageError(
            "the table has no output, which makes flows of coefficients",
            where=name,
            advice=f"add a column `output` to {columns.name}",
        )
    flows = csr_array(table.coefficients @ diags_array(output))
    found = gras(flows, Totals(sold, bought, table.ids, table.ids))
    passes = counted(found.passes, "pass", "passes")
    if not found.is_balanced:
        facts = {"outcome": "precision_not_reached", "passes": found.passes, "gap": found.gap}
        complaint = (
            f"after {passes} the row of {table.ids[found.worst]!s} misses its total by "
            f"{found.gap:.2g} of its size, and nothing is stored; entries that are zero may leave "
            "no way to these totals"
        )
        return Answer(facts, lambda: None, answer.NOT_REACHED, complaint)
    new = _rebalanced(table, found.matrix, output)
    totals = {"balanced": f"{rows.name}, {columns.name}"}
    new = replace(new, meta=dict(table.meta) | totals | _title(table.meta, "brought to new totals"))
    manifest = publish(target, new, note=f"balanced from {Path(name).name}")
    said = (
        f"{passes}; every row adds up to within {found.gap:.1e} of its size",
        "demand is what is left of output, factors per unit are as they were",
    )
    return stored(target, manifest, said, "")


def _rebalanced(table: Table, flows: csr_array, output: Vector) -> Table:
    over = np.divide(1.0, output, out=np.zeros(len(output)), where=output != 0)
    return replace(
        table,
        coefficients=coefficients_from(flows @ diags_array(over)),
        demand=output - np.asarray(flows.sum(axis=1)),
        output=output,
        value_type="float64",
    )
