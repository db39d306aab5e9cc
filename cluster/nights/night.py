"""One night: take in changes, plan again from yesterday's plan, publish all or nothing.

    1  hold the lock and the lease       two nights at once: the second one says so, and ends
    2  find the files of the date        none taken before, none still being written
    3  look at every row                 one fault, and nothing of the night is made
    4  stage the new version             nobody sees it
    5  plan it from the current plan     certified, or nothing is published
    6  report what moved and why
    7  one pointer: version and plan are current, the night is done
    8  forget versions by the rule

Whatever ends a night before 7 leaves the old version current with its plan, and after it the new
one; who runs the night again goes on from there.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from ogas.cluster.answer import Answer, json_ready
from ogas.cluster.asking import answer_of, order_of
from ogas.cluster.comparing import Pair, Side, explained_by, told
from ogas.cluster.elsewhere import carried_out
from ogas.cluster.failing import failure
from ogas.cluster.failing import told as told_of
from ogas.cluster.jobs.api import asked
from ogas.cluster.jobs.lease import (
    Lease,
    LostLeaseError,
    read_lease,
    renewed,
    take_unless_renewed,
    this_owner,
)
from ogas.cluster.nights.alarms import Alarm, Past, keep
from ogas.cluster.nights.inbox import (
    arrived,
    dates_due,
    files_for,
    name_of,
    wait_until_quiet,
)
from ogas.cluster.nights.records import date_of, next_record, records, taken
from ogas.cluster.nights.specification import Night
from ogas.cluster.planning import ThisProcess, carry_out
from ogas.datasets.amending import Amended, amended
from ogas.datasets.atomic import write_text
from ogas.datasets.changes import Changes, ChangesError, read_changes
from ogas.datasets.manifest import read_pointer
from ogas.datasets.plans import read_plan
from ogas.datasets.publishing import publishing
from ogas.datasets.store import Store, open_store
from ogas.datasets.versions import (
    NIGHTS,
    PLANS,
    clear_staged,
    current_plan,
    made_current,
    plan_of,
    pruned,
    staged,
)
from ogas.engine.errors import DamagedError, LockedError, PlanError

DONE, NOTHING_NEW, WOULD_DO = "done", "nothing_new", "would_do"
MOST_SUSPECTS = 3
PLANNED = (
    *("outcome", "digits_certified", "relative_half_width", "radius_bound", "passes"),
    *("total", "seconds", "loop", "loop_size", "loop_radius", "method"),
)


@dataclass(frozen=True)
class Outcome:
    """What came of a night.

    Attributes
    ----------
    facts : mapping
        Its record, JSON types only.
    code : int
        The exit code.
    complaint : str
        One line where that is not 0.
    """

    facts: Mapping[str, Any]
    code: int = 0
    complaint: str = ""


def nights(spec: Night, until: date, *, dry: bool = False) -> list[Outcome]:
    """Work through all dates that are due, in order; stops at the first that fails.

    Raises
    ------
    LockedError
        If another run is at work on the table, here or on another machine.
    DamagedError
        If the clock went backwards: later nights are done already.
    PlanError
        Of the kind that fits, if the table or the inbox cannot be read.
    """
    open_store(spec.table)
    with publishing(spec.table):
        done = date_of(read_pointer(spec.table).night)
        if done is not None and until < done and not records(spec.table, until):
            raise DamagedError(
                f"the night of {done} is done, and this would be that of {until}",
                where=str(spec.table),
                advice="correct the clock; `ogas rollback` goes back to an older version",
            )
        found = arrived(spec.inbox, taken(spec.table))
        if done is not None and (until < done or (until == done and not found)):
            return [_already(spec, until)]
        work = [
            (day, files_for(found, day, done, is_last=day == until))
            for day in dates_due(found, done, until)
        ]
        if dry:
            return _until_one_fails(work, partial(_supposed, spec))
        with _turn(spec.table) as lease:
            clear_staged(spec.table)
            return _until_one_fails(work, partial(_made, spec, lease))


def _until_one_fails(
    work: Iterable[tuple[date, list[Path]]], outcome: Callable[[date, list[Path]], Outcome]
) -> list[Outcome]:
    found: list[Outcome] = []
    for day, files in work:
        try:
            found.append(outcome(day, files))
        except PlanError as error:
            failed = failure(*told_of(error))
            found.append(Outcome(_failed(day, error, failed), failed.code, failed.complaint))
        if found[-1].code:
            break
    return found


@contextmanager
def _turn(table: Path) -> Iterator[Lease]:
    """Hold the lease of a table's nights: a machine that was cut off publishes nothing later."""
    owner = this_owner()
    # We hold the lock of the table: an earlier run of this very process has let go of it.
    lease = take_unless_renewed(table, owner, lambda other: other == owner)
    if lease is None:
        found = read_lease(table)
        raise LockedError(
            f"{'another machine' if found is None else found.owner} is making a night",
            where=str(table),
            advice="wait for it to end, and repeat",
        )
    with renewed(lease):
        yield lease


# ---- one night ----------------------------------------------------------------------------------


def _made(spec: Night, lease: Lease, day: date, files: Sequence[Path]) -> Outcome:
    try:
        found = _planned_and_published(spec, lease, day, files)
    except LostLeaseError:  # what is staged is another's
        raise
    except PlanError:
        clear_staged(spec.table)
        raise
    if found.code:
        clear_staged(spec.table)
    return found


def _planned_and_published(spec: Night, lease: Lease, day: date, files: Sequence[Path]) -> Outcome:
    wait_until_quiet(files, spec.quiet, spec.patience)
    before = open_store(spec.table)
    changes = _named(read_changes(files), spec.inbox, files)
    new, alarms = _looked_at(spec, before, changes)
    store = staged(spec.table, new, f"night of {day}", changes.origins)
    facts = _facts(day, before, changes, new, alarms) | {"version": store.version}
    facts["held"] = bool(alarms) and spec.policy == "hold"
    if store.version != before.version or not _is_planned(spec):
        planned = _planned(spec, store)
        facts |= {name: planned.facts[name] for name in PLANNED if name in planned.facts}
        if planned.code:
            return Outcome(facts, planned.code, planned.complaint + _suspects(planned, new))
    facts |= {"outcome": DONE} | _moved(spec, store, new)
    record = next_record(spec.table, day)
    keep(spec.table / NIGHTS / f"{record}.npz", new.moves)
    text = json.dumps(json_ready(facts), indent=1)
    write_text(spec.table / NIGHTS / f"{record}.json", text + "\n")
    with lease.while_held():
        made_current(spec.table, store.manifest.name, record)
        forgotten = pruned(spec.table, spec.keep)
    return Outcome(facts | {"forgotten": forgotten})


def _is_planned(spec: Night) -> bool:
    """Whether the current plan is as good as it is asked for."""
    plan = current_plan(spec.table)
    if plan is None or not plan.is_dir():
        return False
    return int(read_plan(plan).facts["digits_certified"]) >= spec.digits


def _planned(spec: Night, store: Store) -> Answer:
    """Plan a version from the plan that is current, into the table's own folder."""
    target = spec.table / PLANS / f"{store.manifest.name}.zarr"
    target.parent.mkdir(exist_ok=True)
    warm = current_plan(spec.table)
    wanted = asked(
        "plan",
        spec.table,
        output=target,
        digits=spec.digits,
        warm=warm if warm is not None and warm.is_dir() else None,
        version=store.version,
        **spec.run,
    )
    if wanted.workers is not None or wanted.scheduler is not None:
        return carried_out(wanted)
    return answer_of(carry_out(order_of(wanted), ThisProcess(wanted.threads, wanted.memory)))


def _supposed(spec: Night, day: date, files: Sequence[Path]) -> Outcome:
    """Return what a night would do, without doing it."""
    before = open_store(spec.table)
    changes = _named(read_changes(files), spec.inbox, files)
    facts = _facts(day, before, changes, *_looked_at(spec, before, changes))
    return Outcome(facts | {"outcome": WOULD_DO})


def _looked_at(spec: Night, before: Store, changes: Changes) -> tuple[Amended, list[Alarm]]:
    """Return what changes make of a table, and which rows are out of the ordinary.

    These are left out if they are to be held back.
    """
    new = amended(before, changes)
    if spec.policy == "off":
        return new, []
    past = Past.read([file.with_suffix(".npz") for file in records(spec.table)])
    alarms = past.alarms(new.moves, spec.jump)
    if spec.policy == "hold" and alarms:
        doubted = {id(alarm.move.change) for alarm in alarms}
        kept = tuple(row for row in changes.rows if id(row) not in doubted)
        new = amended(before, replace(changes, rows=kept))
    return new, alarms


def _facts(
    day: date, before: Store, changes: Changes, new: Amended, alarms: Sequence[Alarm]
) -> dict[str, Any]:
    return {
        "outcome": DONE,
        "night": day.isoformat(),
        "table": str(before.path),
        "version_before": before.version,
        "changes": len(changes.rows),
        "files": [asdict(origin) for origin in changes.origins],
        "alarms": [str(alarm) for alarm in alarms],
        "recipes_changed": len(new.recipes),
        "blocks_rewritten": len(new.touched),
        "blocks": len(before.manifest.content.blocks),
    }


def _failed(day: date, error: PlanError, failed: Answer) -> dict[str, Any]:
    faults = [str(fault) for fault in error.faults] if isinstance(error, ChangesError) else []
    return {**failed.facts, "night": day.isoformat(), "faults": faults}


def _moved(spec: Night, store: Store, new: Amended) -> dict[str, Any]:
    """Return what moved since the plan that is current, and why; empty if there is none."""
    earlier, later = current_plan(spec.table), plan_of(spec.table, store.manifest.name)
    if earlier is None or later is None or earlier == later or not earlier.is_dir():
        return {"moved": None}
    pair = Pair.of(read_plan(earlier), read_plan(later))
    movers = pair.largest(spec.top)
    sides = Side.of(new.store), Side.of(store)
    parts, why = explained_by(pair, sides, movers[: spec.explain])
    return {"moved": told(pair, movers, parts) | {"unexplained": why}}


def _suspects(planned: Answer, new: Amended) -> str:
    """Return which changed recipes stand in the loop that makes an economy unproductive."""
    changed = {str(new.header.ids[product]): product for product in new.recipes}
    found = [changed[name] for name in planned.facts.get("loop", ()) if name in changed]
    if not found:
        return ""
    names = ", ".join(new.header.label(product) for product in found[:MOST_SUSPECTS])
    return f"; tonight changed the recipe of {names}"


def _already(spec: Night, day: date) -> Outcome:
    version = open_store(spec.table).version
    facts = {"outcome": NOTHING_NEW, "night": day.isoformat(), "table": str(spec.table)}
    return Outcome(facts | {"version": version})


def _named(changes: Changes, inbox: Path, files: Sequence[Path]) -> Changes:
    """Return changes with the names of their files as they stand in the inbox."""
    origins = (
        replace(origin, file=name_of(inbox, file))
        for origin, file in zip(changes.origins, files, strict=True)
    )
    return replace(changes, origins=tuple(origins))
