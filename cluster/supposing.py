"""What `ogas whatif` answers: what would move if some changes were made; nothing is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ogas.cluster.answer import Answer, json_ready
from ogas.cluster.asking import codes_of, request_of
from ogas.cluster.comparing import Pair, Side, explained_by, told
from ogas.cluster.facts import facts_of, seconds_of
from ogas.cluster.planning import Account, Clock, plan_of
from ogas.cluster.progress import watched
from ogas.cluster.showing_moves import show
from ogas.cluster.summary import console, counted
from ogas.datasets.amending import amended
from ogas.datasets.catalog import locate
from ogas.datasets.changes import read_changes
from ogas.datasets.plans import read_plan
from ogas.datasets.store import open_store
from ogas.datasets.versions import current_plan
from ogas.engine.errors import WrongUsageError
from ogas.engine.plan import Plan, Request, draw_up
from ogas.engine.source import Source

KEPT = (
    *("outcome", "products", "nonzeros", "blocks", "method", "digits_requested"),
    *("digits_certified", "relative_half_width", "radius_bound", "passes"),
)


def supposed(table: str, files: Sequence[Path], options: Mapping[str, Any]) -> Answer:
    """Plan a table as changes would have it, from its plan as it is, and compare the two."""
    clock = Clock()
    with clock.timing("total"), watched("what if", options["digits"]) as observe:
        with clock.timing("load"):
            store = open_store(locate(table))
            read = read_changes(files)
            changes = amended(store, read)
            source = changes.source()
            request = request_of("quantities", options)
        before, passes = _before(store.source(), _plan_of(store.path, options["warm"]), request)
        with clock.timing("solve"):
            request = replace(request, start=before)
            solutions = draw_up(source, request, observe=observe)
    facts = json_ready(facts_of(source, request, solutions))
    after = plan_of(source.header, request, solutions, facts)
    account = Account(source.header, solutions, after, facts)
    said = codes_of(account)
    kept = {name: facts[name] for name in KEPT} | account.loop_facts
    kept |= {"passes_before": passes, "seconds": seconds_of(clock.seconds, solutions)}
    if after is None:
        return Answer(kept, lambda: None, said["code"], said["message"])
    pair = Pair.of(before, after)
    movers = pair.largest(options["top"])
    sides = Side.of(store), Side.after(changes)
    parts, why = explained_by(pair, sides, movers[: options["explain"]])
    kept |= told(pair, movers, parts) | {"unexplained": why}

    def shown() -> None:
        console().print(
            f"after {counted(len(read.rows), 'change')}, to "
            f"{counted(kept['digits_certified'], 'figure')} of every product, in "
            f"{counted(kept['passes'], 'pass', 'passes')}; nothing is stored"
        )
        show(kept)

    return Answer(kept, shown, said["code"], said["message"])


def _plan_of(path: Path, named: Path | None) -> Plan | None:
    """Return the plan that is named, or published with the table; None if there is none."""
    found = current_plan(path) if named is None else named
    return None if found is None else read_plan(found)


def _before(source: Source, plan: Plan | None, request: Request) -> tuple[Plan, int]:
    """Return the plan of the table as it is, and the passes that took if it had to be made."""
    if plan is not None:
        return plan, 0
    solutions = draw_up(source, request)
    facts = json_ready(facts_of(source, request, solutions))
    made = plan_of(source.header, request, solutions, facts)
    if made is None:
        raise WrongUsageError(
            "the table as it is has no plan that could be proven, so nothing can be compared with",
            advice="`ogas check TABLE` says whether it is productive",
        )
    return made, int(facts["passes"])
