"""The drawings of the page: ours against what was published, and how everything grows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ogas.benchmarks.claims.laws import Law
from ogas.benchmarks.claims.lines import (
    BRANCHED,
    COMPARED,
    EVEN,
    WHOLE,
    Laws,
    Line,
    computing,
    grown,
)
from ogas.benchmarks.claims.peer import PEERS
from ogas.cluster.report import words
from ogas.cluster.report.svg import Axis, Frame, Point, decades, even, written

KINDS = {EVEN: "s1", BRANCHED: "s2", WHOLE: "s6"}
BESIDE = (("scipy-float32", "s3"), ("pyamg", "s4"), ("pardiso", "s5"))
MOST_CURVES = 5
ROOM, ROW_HEIGHT = 130.0, 26.0  # for names at the left; for a row
CLOCK = (
    (1e-6, "1 µs"),
    (1e-3, "1 ms"),
    (1.0, "1 s"),
    (words.MINUTE, "1 min"),
    (words.HOUR, "1 h"),
    (words.DAY, "1 day"),
    (words.YEAR, "1 year"),
    (1e3 * words.YEAR, "1,000 years"),
    (1e6 * words.YEAR, "10⁶ years"),
)


@dataclass(frozen=True)
class Chart:
    """A drawing with its title, its legend (class, text), and what it tells.

    Attributes
    ----------
    title, drawing, tells : str
    legend : sequence of (series, text)
    is_wide : bool
    """

    title: str
    drawing: str
    legend: Sequence[tuple[str, str]]
    tells: str
    is_wide: bool = False


def charts(lines: Sequence[Line]) -> Iterator[Chart]:
    """Yield the drawings that there is something to show in."""
    against = [line for line in lines if line.plan and line.facts["claims"]]
    if against:
        yield _published(against)
    large = grown(lines)
    if len(large) > 1:
        yield _seconds(large)
        yield _passes(large)
    curves = [line for line in lines if line.facts.get("handover", {}).get("convergence")]
    if curves:
        yield _convergence(curves)
    if len(large) > 1:
        yield _memory(large)
        yield _bandwidth(large)


def _published(lines: Sequence[Line]) -> Chart:
    """Return a line for every claim, from our time to the published one."""
    pairs = [(line, claim) for line in lines for claim in line.facts["claims"]]
    pairs = [(line, claim) for line, claim in pairs if claim["seconds"] is not None]
    ours = [_times(line) for line, _ in pairs]
    numbers = [t for pair in ours for t in pair] + [claim["seconds"] for _, claim in pairs]
    low, high = min(numbers) / 3, max(numbers) * 3
    ticks = [(t, text) for t, text in CLOCK if low <= t <= high]
    height = ROW_HEIGHT * (len(pairs) + 2.2)
    rows = [(-float(n), "") for n in range(len(pairs))]
    up = Axis("", rows, -len(pairs) + 0.4, 0.6, is_logarithmic=False)
    frame = Frame(Axis("seconds, minutes, years", ticks, low, high), up, 1_150, height, ROOM)
    marks = []
    for number, ((line, claim), (passes, whole)) in enumerate(zip(pairs, ours, strict=True)):
        y, then = -float(number), float(claim["seconds"])
        marks += [
            written(ROOM - 8, frame.y(y) + 4, _named(line, claim), "end", "name"),
            frame.line([(passes, y), (then, y)], "quiet"),
            frame.dot((whole, y), "s1", f"whole command: {words.seconds(whole)}", is_hollow=True),
            frame.dot((passes, y), "s1", f"{line.name}: {words.seconds(passes)}"),
            frame.diamond((then, y), "s3", f"{claim['says']} on {claim['machine']}"),
        ]
    legend = (
        *(("s1", "ours, solving and proving"), ("s1 open", "ours, the whole command")),
        ("s3 turned", "published"),
    )
    tells = "The machines are decades apart; the table above names them."
    return Chart("Then and now", frame.drawn("times", marks), legend, tells, is_wide=True)


def _named(line: Line, claim: dict[str, Any]) -> str:
    return line.name if claim["name"] == line.name else f"{claim['name']} ({line.name})"


def _times(line: Line) -> tuple[float, float]:
    """Return the seconds of the passes, and of the whole command."""
    run = line.reaction
    assert run is not None
    return computing(run), float(run["seconds"]["total"])


def _seconds(lines: Sequence[Line]) -> Chart:
    beside = [
        (name, series, line, line.solvers[name])
        for name, series in BESIDE
        for line in lines
        if line.solvers.get(name, {}).get("seconds")
    ]
    points = [(line, _point(line, "seconds")) for line in lines]
    heights = [y for _, (_, y) in points] + [solver["seconds"] for *_, solver in beside]
    frame = Frame(
        decades("coefficients", [line.nonzeros for line in lines]), decades("seconds", heights)
    )
    marks, legend, told = _grown(frame, lines, "seconds")
    for name, series, line, solver in beside:
        text = f"{line.name}, {PEERS[name].what}: {words.seconds(solver['seconds'])}"
        marks.append(frame.dot((line.nonzeros, solver["seconds"]), series, text, is_hollow=True))
    for name, series in BESIDE:
        if any(name == other for other, *_ in beside):
            legend.append((f"{series} open", PEERS[name].what))
    tells = f"Seconds grow with coefficients to the power {told}. (Aim: 1.00 ± 0.05.)"
    return Chart("Time grows with the table", frame.drawn("seconds", marks), legend, tells)


def _passes(lines: Sequence[Line]) -> Chart:
    highest = max(_point(line, "passes")[1] for line in lines)
    frame = Frame(decades("products", [line.products for line in lines]), even("passes", highest))
    marks, legend, told = _grown(frame, lines, "passes")
    tells = f"Passes grow with products to the power {told}. (Aim: 0.)"
    return Chart("Passes do not", frame.drawn("passes", marks), legend, tells)


def _memory(lines: Sequence[Line]) -> Chart:
    heights = [_point(line, "memory")[1] for line in lines]
    frame = Frame(
        decades("coefficients", [line.nonzeros for line in lines]), decades("bytes", heights)
    )
    marks, legend, told = _grown(frame, lines, "memory")
    tells = f"Peak memory of the process grows with coefficients to the power {told}."
    return Chart("Memory", frame.drawn("memory", marks), legend, tells)


def _grown(
    frame: Frame, lines: Sequence[Line], what: str
) -> tuple[list[str], list[tuple[str, str]], str]:
    """Return the marks of both kinds of economy with their laws, the legend, and the exponents."""
    marks, legend, told = [], [], []
    for name, series in KINDS.items():
        mine = [line for line in lines if line.kind == name]
        if not mine:
            continue
        legend.append((series, f"ours, {name}"))
        law: Law | None = getattr(Laws.of(mine), what)
        if law is not None:
            ends = [_point(line, what)[0] for line in mine]
            marks.append(frame.line([(x, law(x)) for x in (min(ends), max(ends))], series))
            fit = f"{name}, {law.points} rows of {COMPARED} figures"
            told.append(f"{law.exponent:.2f} ± {law.error:.2f} ({fit})")
        for line in mine:
            point = _point(line, what)
            text = f"{line.name}: {words.count(point[0])}, {words.plain(point[1])}"
            marks.append(frame.dot(point, series, text))
    return marks, legend, " and ".join(told) or "… (three rows are needed to tell)"


def _point(line: Line, what: str) -> Point:
    plan = line.plan
    assert plan is not None
    if what == "passes":
        return float(line.products), float(plan["passes"])
    taken = computing(plan) if what == "seconds" else float(plan["peak_memory_bytes"])
    return float(line.nonzeros), taken


def _convergence(lines: Sequence[Line]) -> Chart:
    chosen = sorted(lines, key=lambda line: -line.nonzeros)[:MOST_CURVES]
    curves = [line.facts["handover"]["convergence"] for line in chosen]
    widths = [one["half_width"] for curve in curves for one in curve]
    longest = max(curve[-1]["pass"] for curve in curves)
    frame = Frame(even("passes", longest), decades("half-width over turnover", widths))
    marks, legend = [], []
    for number, (line, curve) in enumerate(zip(chosen, curves, strict=True), 1):
        legend.append((f"s{number}", line.name))
        sweeps = [one for one in curve if one["kind"] == "sweep"]
        marks.append(frame.line([_met(one) for one in sweeps], f"s{number}"))
        for one in curve:
            if one["kind"] == "certificate":
                text = f"{line.name}, proven: {words.small(one['half_width'])}"
                marks.append(frame.dot(_met(one), f"s{number}", text))
    tells = "Lines: forecast after every sweep; dots: what a certificate proved. To ten figures."
    return Chart("How a plan becomes certain", frame.drawn("half-width", marks), legend, tells)


def _met(one: dict[str, float]) -> Point:
    return one["pass"], one["half_width"]


def _bandwidth(lines: Sequence[Line]) -> Chart:
    shares = [(line, 100 * (line.share(line.plan or {}) or 0.0)) for line in lines]
    rows = [(-float(n), escape(line.name)) for n, (line, _) in enumerate(shares)]
    up = Axis("", rows, -len(shares) + 0.4, 0.6, is_logarithmic=False)
    across = even("per cent of what memory brings", max(max(share for _, share in shares), 50))
    height = max(ROW_HEIGHT * (len(shares) + 2.2), 340)
    frame = Frame(across, up, height=height)
    marks = [
        mark
        for number, (line, share) in enumerate(shares)
        for mark in (
            frame.bar(share, -float(number), 14, KINDS[line.kind]),
            written(frame.x(share) + 5, frame.y(-float(number)) + 4, f"{share:.0f} %", "start"),
        )
    ]
    tells = "Bytes of the table read in all passes, over their seconds, over the read bandwidth."
    return Chart("Share of the memory's bandwidth", frame.drawn("bandwidth", marks), (), tells)
