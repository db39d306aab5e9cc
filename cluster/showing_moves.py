"""How it is shown what moved from one plan to another, and what moved it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from ogas.cluster.printing import Column, print_table
from ogas.cluster.summary import console, counted, significant

WORSE = {
    "fewer_figures": "known to fewer figures than before",
    "further_from_use": "further from final use (in steps)",
}


def show(facts: Mapping[str, Any]) -> None:
    """Print what moved."""
    out = console()
    for line in _lines(facts):
        out.print(line)
    if facts["largest"]:
        _print_movers(out, facts["largest"])
    for one in facts["largest"]:
        for line in _part_lines(one):
            out.print(line)
    if facts["unexplained"]:
        out.print(facts["unexplained"])


def _lines(facts: Mapping[str, Any]) -> list[str]:
    moved = counted(facts["changed"], "product")
    lines = [
        f"{moved} of {facts['products']:,} certainly changed; "
        f"{facts['not_distinguishable']:,} changed by less than is known of them"
    ]
    for key, words in (("added", "are new"), ("removed", "are gone")):
        if facts[key]:
            lines.append(f"{counted(facts[key], 'product')} {words}")
    for what, words in WORSE.items():
        worse = facts["worsened"][what]
        if worse["products"]:
            one = worse["worst"][0]
            lines.append(
                f"{worse['products']:,} {words}, most of all {one['product']}: "
                f"{significant(one['new'], 2)} instead of {significant(one['old'], 2)}"
            )
    total = facts["total"]
    if total is None:
        return lines
    if total["lower"] <= 0 <= total["upper"]:
        return [*lines, f"in all, {total['unit']} changed by less than is known of them"]
    word = "more" if total["change"] > 0 else "less"
    return [
        *lines,
        f"in all {significant(abs(total['change']), 3)} {total['unit']} {word}: "
        f"from {significant(total['old'], 5)} to {significant(total['new'], 5)}",
    ]


def _print_movers(out: Console, movers: Sequence[Mapping[str, Any]]) -> None:
    heads = {"old": "before", "new": "now", "change": "change", "lower": "at least"}
    heads["upper"] = "at most"
    columns = [
        Column(head, [significant(one[key], 4) for one in movers]) for key, head in heads.items()
    ]
    columns.append(Column("unit", [one["unit"] for one in movers], is_left=True))
    names = Column("product", [f"{one['product']} {one['name']}".strip() for one in movers])
    print_table(out, names, columns, "what moved most, for its size")


def _part_lines(one: Mapping[str, Any]) -> list[str]:
    if "parts" not in one:
        return []
    lines = [f"{one['product']} changed by {significant(one['change'], 4)}, of that"]
    lines += [
        f"  {significant(part['change'], 3):>14}  by the {part['what']} "
        f"{'for' if part['what'] == 'demand' else 'of'} {part['product']}"
        for part in one["parts"]
    ]
    rest = one["other_parts"]
    if rest["count"]:
        lines.append(f"  {significant(rest['change'], 3):>14}  by {rest['count']:,} others")
    return lines
