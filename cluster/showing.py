"""What `ogas show` answers: the largest products of a plan, one product, or all of them as CSV."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from ogas.cluster.answer import Answer
from ogas.cluster.summary import console, label, largest_products, proven, significant
from ogas.datasets.atomic import atomic_file
from ogas.engine.errors import WrongUsageError
from ogas.engine.plan import Column, Plan


def largest(plan: Plan, count: int) -> Answer:
    """Return the products with the largest output (or value), and the facts of the plan."""
    columns = []
    for column in plan.columns:
        order = np.argsort(-column.output, kind="stable")[:count].tolist()
        columns.append({"factor": column.name, "largest": [_one(plan, column, i) for i in order]})

    def show() -> None:
        facts = plan.facts
        out = console()
        out.print(
            f"{plan.kind} of {facts['table']}, {facts['products']:,} products: "
            f"{facts['outcome'].replace('_', ' ')}, {facts['digits_certified']} figures of every "
            f"product ({facts['method']}, {facts['passes']} passes)"
        )
        for column in plan.columns:
            out.print(largest_products(plan, column, count))

    return Answer(dict(plan.facts) | {"kind": plan.kind, "columns": columns}, show)


def one_product(plan: Plan, name: str) -> Answer:
    """Return everything the plan says of one product.

    Raises
    ------
    WrongUsageError
        If there is no such product; with ids that look like it.
    """
    product = _position(plan, name)
    columns = [_one(plan, column, product) for column in plan.columns]

    def show() -> None:
        out = console()
        out.print(label(plan, product), style="bold")
        for column, facts in zip(plan.columns, columns, strict=True):
            figures = int(column.figures[product])
            for field in ("output", "lower", "upper", "demand", "turnover"):
                word = _word(plan, field) + (f" in {column.name}" if column.name else "")
                out.print(f"  {word:<12} {significant(facts[field], figures)} {facts['unit']}")
            out.print(f"  {'proven to':<12} {proven(column, product)}")
            out.print(f"  {'upstreamness':<12} {facts['upstreamness']:.2f} rounds to final use")

    return Answer({"product": str(plan.ids[product]), "columns": columns}, show)


def as_csv(plan: Plan, target: Path) -> Answer:
    """Write all products to a CSV file, in the table's order, one row per product and factor."""
    fields = ("output", "lower", "upper", "figures", "demand", "turnover", "upstreamness")
    head = ["id", "name", "unit", "factor", *(_word(plan, field) for field in fields)]
    with (
        atomic_file(target) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.writer(stream)
        writer.writerow(head)
        for column in plan.columns:
            for product in range(len(plan.ids)):
                facts = _one(plan, column, product)
                first = [facts["product"], facts["name"], facts["unit"], column.name]
                writer.writerow([*first, *(facts[field] for field in fields)])
    rows = len(plan.ids) * len(plan.columns)
    return Answer(
        {"file": str(target), "rows": rows},
        lambda: print(f"{rows:,} rows in {target}"),
    )


def _one(plan: Plan, column: Column, product: int) -> dict[str, Any]:
    """Return what is known of one product; numbers as they are, for programs."""
    unit = column.units if isinstance(column.units, str) else str(column.units[product])
    return {
        "product": str(plan.ids[product]),
        "name": "" if plan.names is None else str(plan.names[product]),
        "unit": unit,
        "output": float(column.output[product]),
        "lower": float(column.lower[product]),
        "upper": float(column.upper[product]),
        "figures": int(column.figures[product]),
        "demand": float(column.demand.nominal[product]),
        "turnover": float(column.turnover[product]),
        "upstreamness": float(column.upstreamness[product]),
    }


def _word(plan: Plan, field: str) -> str:
    priced = {"output": "value", "demand": "direct"}
    return priced.get(field, field) if plan.kind == "values" else field


def _position(plan: Plan, name: str) -> int:
    found = np.flatnonzero(plan.ids.astype(np.str_) == name)
    if found.size:
        return int(found[0])
    near = [str(one) for one in plan.ids.astype(np.str_) if name.lower() in one.lower()]
    raise WrongUsageError(
        f"the plan has no product {name!r}",
        advice=f"did you mean: {', '.join(near[:5])}" if near else "`--csv FILE` lists all",
    )
