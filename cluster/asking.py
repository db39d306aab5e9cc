"""From the options of a command, or what stands in a job store, to an order; and back to an answer.

The same request can be carried out in this process or by workers elsewhere; what is printed at the
end is the same.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ogas.cluster import answer
from ogas.cluster.answer import Answer
from ogas.cluster.jobs.specification import Specification
from ogas.cluster.planning import Account, Files, Order
from ogas.cluster.summary import complaint, summary
from ogas.datasets.catalog import BUNDLED, locate
from ogas.datasets.plans import read_plan
from ogas.engine.choose import METHODS
from ogas.engine.iterate import Precision
from ogas.engine.outcome import Outcome
from ogas.engine.plan import Request

CODES = {
    Outcome.CERTIFIED: answer.CERTIFIED,
    Outcome.NOT_PRODUCTIVE: answer.NOT_PRODUCTIVE,
    Outcome.PRECISION_NOT_REACHED: answer.NOT_REACHED,
}


def order_of(asked: Specification) -> Order:
    """Return what a job is to carry out."""
    request = Request(
        kind=asked.kind,
        method=METHODS.get(asked.method),
        precision=Precision(figures=asked.digits),
        factors=tuple(dict.fromkeys(asked.factors)),
        delta=asked.delta,
    )
    warm = None if asked.warm is None else Path(asked.warm)
    files = Files(tuple(map(Path, asked.demands)), warm)
    return Order(asked.table, request, Path(asked.target), files)


def absolute(name: str) -> str:
    """Return the name of a bundled table, or the absolute path of another one."""
    path = locate(name)
    return name if path.parent == BUNDLED else str(path.absolute())


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
    code = facts["code"]
    if facts["outcome"] in ("error", "cancelled"):
        words = facts["message"], facts.get("where", ""), facts.get("advice", "")
        where, advice = words[1], words[2]
        line = (f"{where}: {words[0]}" if where else words[0]) + (f"; {advice}" if advice else "")
        return Answer(facts, lambda: None, code, line)
    shown = {name: value for name, value in facts.items() if name not in ("code", "message")}

    def show() -> None:
        summary(shown, None if facts["plan"] is None else read_plan(Path(facts["plan"])))

    return Answer(shown, show, code, facts["message"])
