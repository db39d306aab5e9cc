"""What `ogas nightly` answers."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ogas.cluster.answer import Answer
from ogas.cluster.failing import failure, told
from ogas.cluster.nights.alerting import alerted
from ogas.cluster.nights.night import NOTHING_NEW, WOULD_DO, Outcome, nights
from ogas.cluster.nights.specification import Night
from ogas.cluster.showing_moves import show as show_moved
from ogas.cluster.summary import console, counted
from ogas.engine.errors import PlanError


def answer_of_nights(spec: Night, until: date, *, dry: bool) -> Answer:
    """Work through the nights that are due, and say what came of each."""
    try:
        found = nights(spec, until, dry=dry)
    except PlanError as error:
        failed = failure(*told(error))
        found = [Outcome(failed.facts, failed.code, failed.complaint)]
    last = found[-1]
    facts = {**last.facts, "nights": [dict(one.facts) for one in found]}
    complaint = last.complaint
    if last.code and not dry:
        record = facts | {"code": last.code, "message": complaint}
        complaint = "; ".join([complaint, *alerted(spec, record)])
    return Answer(facts, lambda: _show(found), last.code, complaint)


def _show(found: Sequence[Outcome]) -> None:
    for one in found:
        if one.code:
            continue  # its line goes to stderr
        for line in _lines(one.facts):
            console().print(line)
        if one.facts.get("moved"):
            show_moved(one.facts["moved"])


def _lines(facts: Mapping[str, Any]) -> list[str]:
    night = facts["night"]
    if facts["outcome"] == NOTHING_NEW:
        return [f"{night} is done, and nothing new has come: version {facts['version']} stays"]
    files = ", ".join(file["file"] for file in facts["files"]) or "no files"
    what = (
        f"{counted(facts['changes'], 'change')} from {files}: "
        f"{counted(facts['recipes_changed'], 'recipe')} changed, "
        f"{facts['blocks_rewritten']:,} of {counted(facts['blocks'], 'block')} written"
    )
    if facts["outcome"] == WOULD_DO:
        return [f"{night} would take {what}"]
    word = "held back" if facts["held"] else "doubtful"
    lines = [f"{night} took {what}", *(f"{word}: {alarm}" for alarm in facts["alarms"])]
    if "passes" in facts:
        figures = counted(facts["digits_certified"], "figure")
        lines.append(f"planned in {counted(facts['passes'], 'pass', 'passes')}, to {figures}")
    if facts["version"] == facts["version_before"]:
        return [*lines, f"version {facts['version']} stays"]
    gone = facts["forgotten"]
    more = f"; {counted(len(gone), 'older version')} forgotten" if gone else ""
    return [*lines, f"version {facts['version']} is current{more}"]
