"""One night: take in changes, plan again from yesterday's plan, publish all or nothing.

    1  hold the lock of the table        two nights at once: the second one says so, and ends
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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from ogas.cluster.answer import Answer, json_ready
from ogas.cluster.asking import answer_of, order_of
from ogas.cluster.comparing import Pair, Side, explained_by, told
from ogas.cluster.elsewhere import carried_out
from ogas.cluster.failing import failure
from ogas.cluster.failing import told as told_of
from ogas.cluster.jobs.api import asked
from ogas.cluster.nights.alarms import Alarm, Past, keep
from ogas.cluster.nights.inbox import (
    Taken,
    arrived,
    dates_due,
    files_for,
    name_of,
    wait_until_quiet,
)
from ogas.cluster.nights.specification import Night
from ogas.cluster.planning import ThisProcess, carry_out
from ogas.datasets.amending import Amended, amended
from ogas.datasets.arrays import damage_named
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
from ogas.engine.errors import DamagedError, PlanError

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
        If another run is at work on the table.
    DamagedError
        If the clock went backwards: later nights are done already.
    PlanError
        Of the kind that fits, if the table or the inbox cannot be read.
    """
    open_store(spec.table)
    with publishing(spec.table):
        done = _day(read_pointer(spec.table).night)
        if done is not None and until < done and not _records(spec.table, until):
            raise DamagedError(
                f"the night of {done} is done, and this would be that of {until}",
                where=str(spec.table),
                advice="correct the clock; `ogas rollback` goes back to an older version",
            )
        if not dry:
            clear_staged(spec.table)
        found = arrived(spec.inbox, _taken(spec.table))
        if done is not None and (until < done or (until == done and not found)):
            return [_already(spec, until)]
        outcomes: list[Outcome] = []
        for day in dates_due(found, done, until):
            files = files_for(found, day, done, is_last=day == until)
            try:
                outcomes.append((_supposed if dry else _made)(spec, day, files))
            except PlanError as error:
                if not dry:
                    clear_staged(spec.table)
                failed = failure(*told_of(error))
                outcomes.append(Outcome(_failed(day, error, failed), failed.code, failed.complaint))
            if outcomes[-1].code:
                break
        return outcomes


# ---- one night ----------------------------------------------------------------------------------


def _made(spec: Night, day: date, files: Sequence[Path]) -> Outcome:
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
            clear_staged(spec.table)
            return Outcome(facts, planned.code, planned.complaint + _suspects(planned, new))
    facts |= {"outcome": DONE} | _moved(spec, store, new)
    record = _next_record(spec.table, day)
    keep(spec.table / NIGHTS / f"{record}.npz", new.moves)
    text = json.dumps(json_ready(facts), indent=1)
    write_text(spec.table / NIGHTS / f"{record}.json", text + "\n")
    made_current(spec.table, store.manifest.name, record)
    return Outcome(facts | {"forgotten": pruned(spec.table, spec.keep)})


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
    past = Past.read([file.with_suffix(".npz") for file in _records(spec.table)])
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


# ---- what is on record --------------------------------------------------------------------------


def _already(spec: Night, day: date) -> Outcome:
    version = open_store(spec.table).version
    facts = {"outcome": NOTHING_NEW, "night": day.isoformat(), "table": str(spec.table)}
    return Outcome(facts | {"version": version})


def _day(record: str | None) -> date | None:
    return None if record is None else date.fromisoformat(record[:10])


def _run(record: str) -> tuple[str, int]:
    """Return the date of a record, and which run of that date it is of: ``2026-11-22.2``."""
    day, _, run = record.partition(".")
    return day, int(run or 1)


def _next_record(table: Path, day: date) -> str:
    """Return the name of the record that follows; what a killed run left there is replaced."""
    last = read_pointer(table).night
    if last is None or _day(last) != day:
        return day.isoformat()
    return f"{day.isoformat()}.{_run(last)[1] + 1}"


def _records(table: Path, day: date | None = None) -> list[Path]:
    """Return the records of all nights that are done, or of one date."""
    last = read_pointer(table).night
    if last is None:
        return []
    found = ((_run(file.stem), file) for file in sorted((table / NIGHTS).glob("*.json")))
    return [
        file
        for (when, run), file in found
        if (when, run) <= _run(last) and (day is None or when == day.isoformat())
    ]


def _taken(table: Path) -> Taken:
    """Return which files were taken by the nights that are done."""
    found: dict[str, set[str]] = {}
    for record in _records(table):
        with damage_named(record):
            origins = json.loads(record.read_text(encoding="utf-8"))["files"]
            for origin in origins:
                found.setdefault(origin["file"], set()).add(origin["digest"])
    return found


def _named(changes: Changes, inbox: Path, files: Sequence[Path]) -> Changes:
    """Return changes with the names of their files as they stand in the inbox."""
    origins = (
        replace(origin, file=name_of(inbox, file))
        for origin, file in zip(changes.origins, files, strict=True)
    )
    return replace(changes, origins=tuple(origins))
