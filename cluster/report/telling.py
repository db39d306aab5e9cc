"""A plan in plain words: what was asked, what came out, how surely, and where it comes from."""

from html import escape
from pathlib import Path

import numpy as np

from ogas.cluster.lettering import shortened
from ogas.cluster.report.findings import Findings
from ogas.cluster.report.words import initial, percent, seconds
from ogas.cluster.sheet import Sheet
from ogas.cluster.summary import below_one, counted, significant
from ogas.engine.outcome import Outcome
from ogas.engine.plan import total

LONGEST = 60  # letters of a name in a key figure
HEADLINES = {
    Outcome.CERTIFIED.word: ("good", "Certified"),
    Outcome.PRECISION_NOT_REACHED.word: ("warn", "Fewer figures than asked for"),
}


def title(found: Findings) -> str:
    """Return what the page is called."""
    facts = found.plan.facts
    what = "Values" if found.is_priced else "Plan"
    return f"{what}: {facts.get('title') or Path(facts['table']).name}"


def purpose(found: Findings) -> str:
    """Return what a plan says, for who never saw one, as HTML."""
    told = (
        "How much of each product is to be made in a year, so that everything which producers use "
        "up and everything which final users are to get is covered."
    )
    if found.is_priced:
        told = (
            f"How much {found.column.name or 'of the factor'} one unit of each product embodies: "
            "what is used in making it, in making its inputs, in making theirs, and so on."
        )
    return f'<p class="lead">{escape(told)}</p>'


def headline(found: Findings) -> str:
    """Return in one paragraph how surely the plan is known, as HTML."""
    facts = found.plan.facts
    kind, word = HEADLINES.get(facts["outcome"], ("warn", facts["outcome"].replace("_", " ")))
    digits, n = facts["digits_certified"], len(found.plan.ids)
    whose = "each of the " + counted(n, "product") if n > 1 else "the one product"
    things = "values" if found.is_priced else "outputs"
    told = (
        f"at least {counted(digits, 'significant figure')} of the number for {whose} "
        f"{'is' if digits == 1 else 'are'} proven: the exact solution lies within the bounds given "
        "here. Rounding errors are part of the proof, and anyone can check it."
    )
    if not digits:
        told = f"the {things} of some products are not known to a single significant figure."
    elif kind == "warn":
        told = f"{counted(facts['digits_requested'], 'figure')} were asked for; {told}"
    if found.plan.delta:
        told += (
            f" The bounds hold for every economy whose coefficients differ from these by at most "
            f"{100 * found.plan.delta:g} %."
        )
    return (
        f'<p class="verdict {kind}"><b>{escape(word)}.</b> {escape(told[0].upper() + told[1:])}</p>'
    )


def tiles(found: Findings) -> str:
    """Return the key figures, as HTML."""
    return "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd>{escape(number)}'
        f"<small>{escape(what)}</small></dd></div>"
        for name, number, what in _key_figures(found)
    )


def _key_figures(found: Findings) -> list[tuple[str, str, str]]:
    facts, column = found.plan.facts, found.column
    radius, passes = facts["radius_bound"], counted(facts["passes"], "pass", "passes")
    widths = column.relative_half_widths
    worst = int(np.argmax(widths))
    known = f"± {percent(widths[worst])}" if np.isfinite(widths[worst]) else "unknown"
    figures = [
        ("Products", f"{len(widths):,}", f"and {counted(facts['nonzeros'], 'coefficient')}"),
        ("Proven figures", f"{facts['digits_certified']}", "of every product, at least"),
        ("Least certain", known, f"of its turnover: {shortened(found.called(worst), LONGEST)}"),
        (
            "Can be carried out",
            "yes",
            f"nothing uses up more than it makes (spectral radius ≤ {below_one(radius)}, below 1)",
        ),
        ("Computed in", seconds(facts["seconds"]["solve"]), f"{passes} over the table"),
    ]
    return [*figures, *_totals(found)]


def _totals(found: Findings) -> list[tuple[str, str, str]]:
    """Return the amounts of factors that the plan takes in all."""
    header, column, tiles = found.header, found.column, []
    if header is None:
        return []
    pairs = dict(header.factors)
    if found.is_priced:
        pairs = {} if header.demand is None else {column.name: header.demand}
    for name, weights in list(pairs.items())[:2]:
        value, _, _ = total(weights, column.lower, column.output, column.upper)
        unit = header.factor_units.get(name) or name
        where = "embodied in all final demand" if found.is_priced else "in all output"
        told = significant(value, 4).replace("-", "−")
        tiles.append((f"{initial(name)} in all", told, f"{unit}, {where}"))
    return tiles


def scenarios(found: Findings) -> Sheet | None:
    """Return what is known of every scenario or factor, where there are several."""
    plan = found.plan
    if len(plan.columns) < 2:
        return None
    rows = [
        [
            column.name,
            int(column.figures[~column.structural_zeros].min(initial=15)),
            percent(float(column.relative_half_widths.max())),
            int((column.output < 0).sum()),
        ]
        for column in plan.columns
    ]
    what = "factor" if found.is_priced else "scenario"
    head = [what, "proven figures", "least certain, ±", "negative products"]
    return Sheet("scenarios", f"all {what}s of this plan", head, rows)


def origin(found: Findings, path: str) -> dict[str, str]:
    """Return where the plan comes from, and how to check it."""
    facts = found.plan.facts
    meta = {} if found.header is None else found.header.meta
    versions = facts.get("versions") or {}
    terms = {
        "plan": path,
        "table": f"{facts['table']}, version {facts['table_version']}",
        "digest of the table": str(facts["table_digest"]),
        "source": str(meta.get("source", "")),
        "licence": str(meta.get("licence", "")),
        "demand": f"from {facts['demand_from']}; {meta.get('demand', '')}".rstrip("; "),
        "method": f"{facts['method']}: {facts.get('method_because', '')}".rstrip(": "),
        "software": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "to check the proof": f"ogas verify {path}",
    }
    return {name: text for name, text in terms.items() if text}


MEANINGS = {
    "output": "how much of a product is made in a year, for all uses together",
    "final demand": "what leaves production for good; negative where more is brought in",
    "turnover": "what is demanded and used of a product, all taken as positive; precision is "
    "relative to it",
    "±": "half the distance between the proven bounds; the exact solution lies between them",
    "significant figures": "3 figures: known to 0.05 % of turnover; 4 figures: to 0.005 %",
    "product": "a good or a service, or a group of them, as the table has it",
    "coefficient": "how much of one product is used up in making one unit of another",
    "pass": "all coefficients are read once",
    "block": "products that belong together: a sector, a country",
    "factor": "what production takes and no product supplies: labour, energy, CO2 given off",
    "embodied": "used up to the last stage: in making a thing, its inputs, their inputs ...",
    "spectral radius": "the share of what is made that is used up in making it, for the mix of "
    "products where this is most; below 1 every final demand can be met",
    "rounds to final use": "how many steps of production a product is away from its final users, "
    "on average",
}
