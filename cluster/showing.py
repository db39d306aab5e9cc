"""What `ogas show` answers: the largest products of a plan, one product, or all of them as CSV."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from ogas.cluster import printing
from ogas.cluster.answer import Answer
from ogas.cluster.summary import (
    console,
    counted,
    label,
    largest,
    print_largest,
    proven,
    significant,
)
from ogas.datasets.atomic import atomic_file
from ogas.engine.errors import WrongUsageError
from ogas.engine.plan import Column, Plan

FIELDS = ("output", "lower", "upper", "demand", "turnover")


def largest_of(plan: Plan, count: int) -> Answer:
    """Return the products with the largest output (or value), and the facts of the plan."""
    columns = [
        _named(plan, column)
        | {"largest": [_one(plan, column, i) for i in largest((column,), count)]}
        for column in plan.columns
    ]

    def show() -> None:
        facts = plan.facts
        out = console()
        scenarios = f", {len(columns)} scenarios" if _told_apart(plan) == "scenario" else ""
        out.print(
            f"{plan.kind} of {facts['table']}, {counted(facts['products'], 'product')}{scenarios}: "
            f"{facts['outcome'].replace('_', ' ')}, {counted(facts['digits_certified'], 'figure')} "
            f"of every product ({facts['method']}, {counted(facts['passes'], 'pass', 'passes')})",
        )
        print_largest(out, plan, count)

    return Answer(dict(plan.facts) | {"kind": plan.kind, "columns": columns}, show)


def one_product(plan: Plan, name: str) -> Answer:
    """Return everything the plan says of one product.

    Raises
    ------
    WrongUsageError
        If there is no such product; with ids that look like it.
    """
    product = _position(plan, name)
    columns = [_named(plan, column) | _one(plan, column, product) for column in plan.columns]

    def show() -> None:
        out = console()
        out.print(label(plan, product), style="bold")
        heads = [column.name if len(columns) > 1 else "" for column in plan.columns]
        words, *numbers, units = zip(*_rows(plan, product), strict=True)
        shown = [printing.Column(*both) for both in zip(heads, numbers, strict=True)]
        shown.append(printing.Column("", units, is_left=True))
        printing.print_table(out, printing.Column("", words), shown)

    return Answer({"product": str(plan.ids[product]), "columns": columns}, show)


def as_csv(plan: Plan, target: Path) -> Answer:
    """Write all products to a CSV file, in the table's order, one row per product and column."""
    fields = ("output", "lower", "upper", "figures", "demand", "turnover", "upstreamness")
    head = ["id", "name", "unit", _told_apart(plan), *(_word(plan, field) for field in fields)]
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


def _told_apart(plan: Plan) -> str:
    """Return what its columns are: scenarios, where there are several, or else factors."""
    return "scenario" if plan.kind == "quantities" and len(plan.columns) > 1 else "factor"


def _named(plan: Plan, column: Column) -> dict[str, Any]:
    return {_told_apart(plan): column.name}


def _rows(plan: Plan, product: int) -> list[list[str]]:
    """Return what is known of one product: a word, a number for every column, the unit."""
    facts = [_one(plan, column, product) for column in plan.columns]
    units = list(dict.fromkeys(str(found["unit"]) for found in facts))
    rows = [
        [
            _word(plan, field),
            *(significant(found[field], found["figures"]) for found in facts),
            " | ".join(units),
        ]
        for field in FIELDS
    ]
    known = [proven((column,), product) for column in plan.columns]
    depths = [f"{found['upstreamness']:.2f}" for found in facts]
    return [
        *rows,
        ["proven to", *known, ""],
        ["upstreamness", *depths, "rounds to final use"],
    ]


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
