"""One page about all rows that stands alone: text, tables, drawings and style in a single file."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from ogas.benchmarks.claims import tables
from ogas.benchmarks.claims.charts import Chart, charts
from ogas.benchmarks.claims.claim import TAGS
from ogas.benchmarks.claims.lines import Line
from ogas.cluster.report.html import defined, document, resource

TITLE = "Can an economy be planned by computer? Published claims, measured again"
COUNTED = {
    "solving and proving": "all passes over the table from the first to the certificate's, which "
    "proves for every product how far the plan can be from the exact one; rounding is included",
    "whole command": "as ogas plan reports it: reading the table from disk, checking it, bringing "
    "it into form, solving, proving, writing the plan; Python's own start is not in it",
    "not counted": "drawing the table (it has its own column) and compiling kernels, which is done "
    "once, on tiny tables, before anything is measured",
    "figures": "d figures: half a unit of the d-th figure of the product's turnover, for the worst "
    "product. Ours are proven; those of other solvers are measured against the truth, which they "
    "do not know; ten is the most that is told apart",
    "passes": "every read of all coefficients counts, those of the certificate included",
    "other solvers": "each in its own process with a limit of time and memory, from the matrix in "
    "memory; forming I − A and converting formats is not held against them, factorising is. They "
    "are set against our plan on as many threads; preparing, for ours, is reading the table from "
    "disk and bringing it into form",
    "×": "published seconds over ours, or those of another solver over ours; words are read so "
    "that they favour the source. The published machines are of their time, and are named",
    "projected": "what does not fit this machine is projected by the law of the rows that do, for "
    "a machine with room for it, and marked so",
}


def page(lines: Sequence[Line]) -> str:
    """Return the page as HTML."""
    style = resource("base.css") + Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    parts = [
        f"<h1>{escape(TITLE)}</h1>",
        f'<p class="soft">{escape(_summary(lines))}</p>',
        _section("The claims", tables.claims(lines), "claims"),
        '<div class="charts">',
        *(_figure(chart) for chart in charts(lines)),
        "</div>",
        _section("Other solvers on the same matrices", tables.solvers(lines)),
        _section("Published tables, against the direct inverse", tables.published(lines)),
        _section("The precision wanted decides how many entries are needed", tables.density(lines)),
        _section("Planned again when demands change", tables.revisions(lines)),
        _section("Tables read from the disk in every pass", tables.streamed(lines)),
        _section("Every run of ours", tables.runs(lines)),
        _section("Workloads", tables.workloads(lines)),
        f"<h2>What is counted</h2>{defined(COUNTED)}",
        f"<h2>How far a published number can be trusted</h2>{defined(TAGS)}",
        f"<h2>Where this was measured</h2>{defined(_where(lines))}",
    ]
    body = "\n".join(part for part in parts if part)
    return document(TITLE, style, body)


def _summary(lines: Sequence[Line]) -> str:
    certified = sum(line.is_certified for line in lines)
    others = [f"{line.name} {line.state}" for line in lines if not line.is_certified]
    told = f"{certified} of {len(lines)} rows certified"
    return f"{told}; {', '.join(others)}." if others else f"{told}."


def _section(title: str, table: str, kind: str = "") -> str:
    return f'<h2>{escape(title)}</h2><div class="wide {kind}">{table}</div>' if table else ""


def _figure(chart: Chart) -> str:
    legend = "".join(
        f'<span><i class="{series}"></i>{escape(text)}</span>' for series, text in chart.legend
    )
    kind = ' class="across"' if chart.is_wide else ""
    return (
        f'<figure{kind}><h3>{escape(chart.title)}</h3><div class="legend">{legend}</div>'
        f"{chart.drawing}<figcaption>{escape(chart.tells)}</figcaption></figure>"
    )


def _where(lines: Sequence[Line]) -> dict[str, str]:
    """Return machine, software and dates; several where rows come from several."""
    rates = [float(r["0"]) for line in lines if (r := line.facts.get("reading", {})).get("0")]
    spread = f"{min(rates) / 1e9:.1f} to {max(rates) / 1e9:.1f} GB/s" if rates else ""
    versions = {", ".join(f"{n} {v}" for n, v in line.facts["versions"].items()) for line in lines}
    return {
        "machine": "; ".join(sorted({str(line.facts["machine"]) for line in lines})),
        "memory brings": f"{spread} to every core together, measured beside every row",
        "software": "; ".join(sorted(versions)),
        "commit": ", ".join(sorted({str(line.facts["commit"]) for line in lines})),
        "dates": " to ".join(
            sorted({min(d := [str(line.facts["date"]) for line in lines]), max(d)})
        ),
    }
