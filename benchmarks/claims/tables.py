"""The tables of the page, as HTML; an empty text where there is nothing to show."""

from collections.abc import Sequence
from html import escape
from typing import Any

from ogas.benchmarks.claims.lines import PROJECTED, Laws, Line, computing
from ogas.cluster.report import words

LEFT = {"row", "what", "published", "solver", "outcome", "recipe", "law", "command", "table"}
LEFT |= {"kept", "known of the rest"}


class Html(str):
    """Text that is HTML already."""


def claims(lines: Sequence[Line]) -> str:
    """Return what was published beside what we measured, a row for every claim."""
    law = Laws.of(lines)
    rows = [
        _claim(line, claim, law)
        for line in lines
        if line.facts["kind"] not in ("published", "thinned")
        for claim in line.facts["claims"] or [None]
    ]
    head = ["row", "what", "products", "coefficients", "published", "figures proven", "passes"]
    return _grid([*head, "solving and proving", "whole command", "memory"], rows)


def _claim(line: Line, claim: dict[str, Any] | None, law: Laws) -> list[str]:
    name = line.name if claim is None else str(claim["name"])
    row = _under(Html(f"<b>{name}</b>"), "" if name == line.name else f"row {line.name}")
    sizes = [words.count(line.products), words.count(line.nonzeros)]
    what = _under(line.facts["title"], line.work["recipe"], line.facts.get("why", ""))
    then = None if claim is None else claim["seconds"]
    return [row, what, *sizes, _said(claim), *_ours(line, then, law)]


def _said(claim: dict[str, Any] | None) -> str:
    if claim is None:
        return words.NOTHING
    tag = f'<span class="tag">{escape(claim["tag"])}</span>'
    return _under(Html(f"{escape(claim['says'])} {tag}"), claim["machine"])


def _ours(line: Line, then: float | None, law: Laws) -> list[str]:
    run = line.reaction
    if run is not None:
        passes, whole = computing(run), float(run["seconds"]["total"])
        return [
            *(words.count(run["digits_certified"]), words.count(run["passes"])),
            _under(Html(f"<b>{words.seconds(passes)}</b>"), _over(then, passes)),
            _under(words.seconds(whole), _over(then, whole)),
            words.memory(run["peak_memory_bytes"]),
        ]
    if line.state != "does not fit" or law.seconds is None or law.memory is None:
        return [_state(line), *[words.NOTHING] * 4]
    passes = law.seconds(line.nonzeros)
    memory = words.memory(law.memory(line.nonzeros))
    return [
        *(_state(line), words.NOTHING),
        _under(Html(f"<i>{words.seconds(passes)}</i>"), PROJECTED, _over(then, passes)),
        *(words.NOTHING, _under(Html(f"<i>{memory}</i>"), PROJECTED)),
    ]


def _over(then: float | None, now: float) -> str:
    return "" if then is None else words.times(then / now)


def _under(text: str, *notes: str) -> str:
    """Return a text with notes in small print below it."""
    shown = text if isinstance(text, Html) else escape(text)
    return Html(shown + "".join(f"<small>{escape(note)}</small>" for note in notes if note))


def _state(line: Line) -> str:
    return Html(f'<span class="{"good" if line.is_certified else "bad"}">{line.state}</span>')


def solvers(lines: Sequence[Line]) -> str:
    """Return what other software did on the same matrices, ours first."""
    rows = []
    for line in lines:
        if line.solvers:
            rows += [_mine(line, run) for run in line.runs if run["words"].startswith("ogas plan")]
            rows += [_other(line, solver) for solver in line.solvers.values()]
        elif why := line.facts.get("handover", {}).get("why"):
            rows.append(
                [line.name, Html(f'<span class="bad">not handed over: {escape(why)}</span>')]
            )
    ours = [number for number, row in enumerate(rows) if row[1].startswith("ogas")]
    head = ["row", "solver", "threads", "preparing", "solving", "over ours", "passes"]
    return _grid([*head, "true error", "figures", "memory", "outcome"], rows, ours)


def _mine(line: Line, run: dict[str, Any]) -> list[str]:
    threads = "1" if "--threads 1" in run["words"] else "every core"
    known = line.plan is not None and run["words"] == line.plan["words"]
    error = line.facts.get("handover", {}).get("true_error") if known else None
    return [
        *(line.name, f"ogas, {run['method']}", threads),
        *(words.seconds(run["seconds"]["load"]), words.seconds(computing(run)), ""),
        *(words.count(run["passes"]), words.small(error)),
        *(f"{run['digits_certified']} proven", words.memory(run["peak_memory_bytes"])),
        "certified",
    ]


def _other(line: Line, solver: dict[str, Any]) -> list[str]:
    run = line.plan if solver["threads"] == 0 else line.alone or line.plan
    spent, threads = solver.get("seconds"), "every core" if solver["threads"] == 0 else "1"
    over = words.NOTHING
    if spent is not None and run is not None:
        over = words.times(spent / computing(run))
    wanted = int(line.work["figures"])
    if spent is None:
        outcome: str = Html(f'<span class="bad">{escape(solver["why"])}</span>')
    elif solver["figures"] < wanted:
        outcome = Html(f'<span class="bad">{wanted} figures were asked for</span>')
    else:
        outcome = "as asked"
    return [
        *(line.name, solver["what"], threads),
        *(words.seconds(solver.get("prepare")), words.seconds(spent), over),
        *(words.count(solver.get("passes") or None), words.small(solver.get("true_error"))),
        *(words.count(solver.get("figures")), words.memory(_most(solver)), outcome),
    ]


def _most(solver: dict[str, Any]) -> float:
    return max(float(solver["most_memory"]), float(solver.get("peak_memory_bytes", 0)))


def published(lines: Sequence[Line]) -> str:
    """Return how far our plans of published tables are from the direct inverse."""
    rows = []
    for line in lines:
        if line.facts["kind"] != "published":
            continue
        error = line.facts.get("handover", {}).get("true_error")
        proven = None if line.plan is None else line.plan["relative_half_width"]
        passes = None if line.plan is None else line.plan["passes"]
        rows.append(
            [
                *(line.facts["title"], words.count(line.products), words.count(line.nonzeros)),
                *(words.count(passes), words.small(proven), words.small(error), _state(line)),
            ]
        )
    head = ["table", "products", "coefficients", "passes", "proven half-width"]
    return _grid([*head, "distance from the inverse", "outcome"], rows)


def density(lines: Sequence[Line]) -> str:
    """Return how many entries have to be kept for some figures of every product."""
    rows = [
        [
            *(line.work["recipe"], one["known"], words.count(one["figures"]), one["way"]),
            _under(f"{one['per_product']:.1f}", f"of {one['all_per_product']:.1f}"),
            f"{one['share_of_flow']:.2%}",
            f"{one['at_least'] / line.products:.1f}" if one["at_least"] else words.NOTHING,
            words.small(one["half_width"]),
            f"{one['missed']:.1%}",
        ]
        for line in lines
        for one in line.facts.get("density", ())
    ]
    head = ["table", "known of the rest", "figures", "kept", "entries per product", "of all flows"]
    named = ["no choice below", "proven half-width", "missed without the bound"]
    return _grid([*head, *named], rows)


def revisions(lines: Sequence[Line]) -> str:
    """Return plans for changed demands, from nothing and warm."""
    rows = []
    for line in lines:
        for one in line.facts.get("revisions", ()):
            for name, run in zip(("from nothing", "warm"), one["runs"], strict=True):
                facts = run["facts"]
                if run["code"]:
                    rows.append([line.name, name, words.count(one["changed"]), facts["message"]])
                    continue
                rows.append(
                    [
                        *(line.name, name, words.count(one["changed"])),
                        *(words.count(facts["digits_certified"]), words.count(facts["passes"])),
                        *(words.seconds(facts["seconds"]["load"]), words.seconds(computing(facts))),
                        words.seconds(facts["seconds"]["total"]),
                    ]
                )
    head = ["row", "what", "demands changed", "figures proven", "passes", "reading"]
    return _grid([*head, "solving and proving", "whole command"], rows)


def runs(lines: Sequence[Line]) -> str:
    """Return every certified run, stage by stage."""
    rows = [
        [
            *(line.name, Html(f"<code>{escape(run['words'])}</code>"), words.count(run["passes"])),
            *(words.seconds(run["seconds"][stage]) for stage in ("load", "solve", "certify")),
            *(words.seconds(run["seconds"]["write"]), words.memory(run["peak_memory_bytes"])),
            *(f"{run['bytes_per_nonzero']:.1f}", f"{run['nanoseconds_per_nonzero_pass']:.2f}"),
            *(words.share(line.share(run)), f"{run['radius_bound']:.3f}", _residual(line, run)),
        ]
        for line in lines
        for run in line.runs
    ]
    head = ["row", "command", "passes", "load", "solve", "certify", "write", "memory"]
    measures = [
        "bytes / coefficient",
        "ns / coefficient and pass",
        "of bandwidth",
        "radius ≤",
        "residual",
    ]
    return _grid([*head, *measures], rows)


def streamed(lines: Sequence[Line]) -> str:
    """Return the runs that read most of a table from the disk in every pass."""
    rows = []
    for line in lines:
        disk = line.facts.get("disk")
        for run in line.runs:
            if disk is None or not run["bytes_streamed"]:
                continue
            rate = run["bytes_streamed"] / computing(run)
            rows.append(
                [
                    *(line.name, Html(f"<code>{escape(run['words'])}</code>")),
                    *(words.memory(run["peak_memory_bytes"]), words.count(run["sweeps_per_read"])),
                    *(words.memory(run["bytes_streamed"]), words.seconds(computing(run))),
                    *(
                        f"{words.memory(rate)}/s",
                        f"{words.memory(disk)}/s",
                        words.share(rate / disk),
                    ),
                ]
            )
    head = ["row", "command", "memory", "sweeps a read", "read", "passes", "reading", "disk"]
    return _grid([*head, "of the disk"], rows)


def _residual(line: Line, run: dict[str, Any]) -> str:
    """Return what the verifier found, which is not the solver; of a plan on any threads."""
    found = line.facts.get("verified")
    is_plan = run["words"].startswith("ogas plan")
    return words.small(found["facts"].get("residual") if found and is_plan else None)


def workloads(lines: Sequence[Line]) -> str:
    """Return how every table was made."""
    rows = [
        [
            *(line.name, str(line.work["recipe"]), str(line.work["law"])),
            *(words.count(line.work["products"]), words.count(line.work["inputs"])),
            *(str(line.work["figures"]), str(line.work["seed"]), words.count(line.nonzeros)),
            *(words.count(line.made.get("blocks")), _drawing(line), _state(line)),
        ]
        for line in lines
    ]
    head = ["row", "recipe", "law", "products", "inputs", "figures", "seed", "coefficients"]
    return _grid([*head, "blocks", "drawing", "outcome"], rows)


def _drawing(line: Line) -> str:
    return words.seconds(line.facts.get("made", {}).get("seconds"))


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]], marked: Sequence[int] = ()) -> str:
    if not rows:
        return ""
    kinds = [' class="text"' if name.strip() in LEFT else "" for name in head]
    top = "".join(f"<th{k}>{escape(name)}</th>" for k, name in zip(kinds, head, strict=True))
    body = []
    for number, row in enumerate(rows):
        cells = [*row, *[""] * (len(head) - len(row))]
        inside = "".join(f"<td{k}>{_cell(c)}</td>" for k, c in zip(kinds, cells, strict=True))
        body.append(f"<tr{' class=ours' if number in marked else ''}>{inside}</tr>")
    return f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _cell(text: str) -> str:
    return text if isinstance(text, Html) else escape(text)
