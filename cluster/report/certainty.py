"""How surely a plan is known: from pass to pass, and product by product."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ogas.cluster.report.bars import HALF, NARROW, Bar, bars
from ogas.cluster.report.findings import Findings
from ogas.cluster.report.html import Figure
from ogas.cluster.report.svg import Frame, Point, decades, even
from ogas.cluster.report.words import percent, small
from ogas.cluster.sheet import Sheet
from ogas.cluster.summary import counted
from ogas.engine.certificate import half_width_for

WIDEST = 10.0  # a half-width beyond says nothing, and would flatten the rest
Steps = list[dict[str, Any]]


def convergence(found: Findings) -> Figure | None:
    """Return how the bounds closed in, pass after pass; None for a plan that keeps no trace."""
    steps = _steps(found)
    sweeps = [(one["pass"], one["forecast"]) for one in steps if _is_shown(one, "forecast")]
    proofs = [(one["pass"], one["half_width"]) for one in steps if _is_shown(one, "half_width")]
    if not proofs:
        return None
    asked = half_width_for(int(found.plan.facts["digits_requested"]))
    last = float(steps[-1]["pass"])
    heights = [y for _, y in (*sweeps, *proofs)] + [asked]
    up = decades("± relative to turnover", heights)
    across = even("passes over the table", max(last, 5.0))
    title = f"How the bounds of the worst product closed in over {last:.0f} passes"
    frames = Frame(across, up, HALF, 300), Frame(across, up, NARROW, 270)
    drawings = tuple(frame.drawn(title, _curve(frame, sweeps, proofs, asked)) for frame in frames)
    rows = [[one["pass"], _word(one["kind"]), one["forecast"], one["half_width"]] for one in steps]
    head = ["pass", "what it was for", "forecast half-width", "proven half-width"]
    tells = (
        f"A pass reads {counted(found.plan.facts['nonzeros'], 'coefficient')} once. After "
        f"{counted(steps[-1]['pass'], 'pass', 'passes')} it was proven that no product is further "
        f"from the exact solution than {percent(proofs[-1][1])} of its turnover. Dots are "
        "forecasts made on the way; what counts is the proof, which takes a pass of its own."
    )
    if found.plan.delta:
        tells += " The proof allows for uncertain coefficients, the forecasts do not."
    legend = (("s1", "forecast"), ("s2 turned", "proven"), ("s5 flat", "asked for"))
    sheet = Sheet("certainty", "the bounds of the worst product after every pass", head, rows)
    return Figure("How the plan became certain", drawings, tells, sheet, legend, is_half=True)


def _curve(
    frame: Frame, sweeps: Sequence[Point], proofs: Sequence[Point], asked: float
) -> list[str]:
    """Return what was forecast, what was proven, and what was asked for."""
    return [
        frame.line([(0.0, asked), (frame.across.high, asked)], "s5", is_dashed=True),
        frame.line(sweeps, "s1"),
        *(frame.dot(p, "s1", f"pass {p[0]}, forecast: ± {small(p[1])}") for p in sweeps),
        *(frame.diamond(p, "s2", f"pass {p[0]}, proven: ± {small(p[1])}") for p in proofs),
    ]


def _steps(found: Findings) -> Steps:
    """Return the steps of the run that led to the column, with their pass, sweeps first."""
    trace = found.plan.facts.get("trace")
    if not trace:
        return []
    runs, columns = max(trace["run"], default=0) + 1, len(found.plan.columns)
    mine = found.plan.columns.index(found.column) * runs // columns
    steps: Steps = []
    passes = 0
    for run, kind, reads, forecast, half_width in zip(
        *(trace[name] for name in ("run", "kind", "reads", "forecast", "half_width")), strict=True
    ):
        if run == mine:
            passes += reads
            # What is forecast after a proof is what was forecast before it, corrected.
            known = {"forecast": forecast if kind == "sweep" else None, "half_width": half_width}
            steps.append({"pass": passes, "kind": kind} | known)
    return steps


def _is_shown(step: dict[str, Any], name: str) -> bool:
    return step[name] is not None and 0 < step[name] < WIDEST


def _word(kind: str) -> str:
    words = {"start": "getting ready", "sweep": "a sweep", "certificate": "a proof"}
    return words.get(kind, "is there a plan at all?")


def figures_proven(found: Findings) -> Figure:
    """Return how many products are known to how many figures."""
    known = found.column.figures[~found.column.structural_zeros]
    counts = np.bincount(known, minlength=1)
    zeros = int(found.column.structural_zeros.sum())
    rows: list[list[Any]] = [
        [int(figures), half_width_for(int(figures)) if figures else None, int(counts[figures])]
        for figures in np.flatnonzero(counts).tolist()
    ]
    drawn = [Bar(_figures(one[0]), (("s1", one[2]),), (f"{one[2]:,}",)) for one in rows]
    if zeros:
        drawn.append(Bar("exactly 0", (("s5", zeros),), (f"{zeros:,}",)))
        rows.append(["exactly 0", 0.0, zeros])
    title = "How many products are known to how many significant figures"
    head = ["figures", "at most ± of turnover", "products"]
    sheet = Sheet("figures", "proven figures", head, rows)
    tells = (
        "Every product has its own bounds. “3 figures” means that the exact number is within "
        "0.05 % of the product’s turnover: what is demanded and used of it."
    )
    drawings = tuple(bars(title, drawn, "products", width) for width in (HALF, NARROW))
    return Figure("How well each product is known", drawings, tells, sheet, is_half=True)


def _figures(number: int) -> str:
    if not number:
        return "no figure"
    return f"{counted(number, 'figure')}: ± {percent(half_width_for(number))}"
