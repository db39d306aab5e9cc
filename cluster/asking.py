"""From the options of a command, or what stands in a job store, to an order; and back to an answer.

The same request can be carried out in this process or by workers elsewhere; what is printed at the
end is the same.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ogas.cluster import answer
from ogas.cluster.answer import Answer
from ogas.cluster.failing import failure
from ogas.cluster.jobs.specification import Specification
from ogas.cluster.planning import Account, Files, Order
from ogas.cluster.summary import complaint, console, summary
from ogas.datasets.plans import read_plan
from ogas.engine.choose import METHODS
from ogas.engine.errors import PlanError
from ogas.engine.iterate import Precision
from ogas.engine.outcome import Outcome
from ogas.engine.plan import Kind, Plan, Request

TELLING = ("table_digest", "digits_requested", "relative_half_width", "passes", "total", "method")
CODES = {
    Outcome.CERTIFIED: answer.CERTIFIED,
    Outcome.NOT_PRODUCTIVE: answer.NOT_PRODUCTIVE,
    Outcome.PRECISION_NOT_REACHED: answer.NOT_REACHED,
}


def order_of(asked: Specification) -> Order:
    """Return what a job is to carry out."""
    warm = None if asked.warm is None else Path(asked.warm)
    files = Files(tuple(map(Path, asked.demands)), warm)
    request = request_of(asked.kind, vars(asked))
    return Order(asked.table, request, Path(asked.target), files, asked.version)


def request_of(kind: Kind, options: Mapping[str, Any]) -> Request:
    """Return what is asked of a table, from the options of a command or the fields of a job."""
    return Request(
        kind=kind,
        method=METHODS.get(options["method"]),
        precision=Precision(figures=options["digits"]),
        factors=tuple(dict.fromkeys(options.get("factors", ()))),
        delta=options["delta"],
    )


def answer_of(account: Account) -> Answer:
    """Return what a command says of a run in this process."""
    facts, plan = account.facts, account.plan
    said = codes_of(account)
    return Answer(facts, lambda: summary(facts, plan), said["code"], said["message"])


def codes_of(account: Account) -> dict[str, Any]:
    """Return the exit code of a run, and one line where that is not 0."""
    return {"code": CODES[account.outcome], "message": complaint(account)}


def answer_of_job(facts: Mapping[str, Any]) -> Answer:
    """Return what a command says of a run elsewhere, from its JSON object."""
    if facts["outcome"] in ("error", "cancelled"):
        return failure(facts["code"], (facts["message"], facts["where"], facts["advice"]))
    shown = {name: value for name, value in facts.items() if name not in ("code", "message")}

    def show() -> None:
        plan, gone = _stored(facts)
        summary(shown, plan)
        if gone:
            console().print(gone)

    return Answer(shown, show, facts["code"], facts["message"])


def _stored(facts: Mapping[str, Any]) -> tuple[Plan | None, str]:
    """Return the plan that a job stored, or why it cannot be shown: others write there, too."""
    if facts["plan"] is None:
        return None, ""
    try:
        plan = read_plan(Path(facts["plan"]))
    except PlanError as error:
        return None, f"the plan cannot be shown: {error}"
    if all(plan.facts.get(name) == facts[name] for name in TELLING):
        return plan, ""
    return None, f"{facts['plan']}: another plan was stored here since"
