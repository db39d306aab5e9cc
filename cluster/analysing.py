"""What `ogas analyse` answers: a classical result of a table, with proven bounds."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ogas.cluster import answer, printing
from ogas.cluster.answer import Answer
from ogas.cluster.memory import Run, largest_inverse, peak_memory
from ogas.cluster.planning import ThisProcess
from ogas.cluster.progress import counting
from ogas.cluster.summary import console, counted, significant
from ogas.datasets.catalog import locate
from ogas.datasets.demand import read_demand
from ogas.datasets.labelled import write_result
from ogas.datasets.levels import level
from ogas.datasets.store import Store, open_store
from ogas.engine.analyses.inverse import Inverse
from ogas.engine.analyses.menu import MENU, Asked
from ogas.engine.analyses.result import Result
from ogas.engine.balance import Demand
from ogas.engine.choose import CACHED
from ogas.engine.errors import WrongUsageError
from ogas.engine.exchange import HERE
from ogas.engine.header import Header
from ogas.engine.interval import Interval
from ogas.engine.iterate import Precision
from ogas.engine.source import Source
from ogas.engine.table import Labels


def listed() -> Answer:
    """Return what there is to choose from."""
    facts = {"analyses": {name: about for name, (about, _) in MENU.items()}}

    def show() -> None:
        for name, about in facts["analyses"].items():
            console().print(f"{name:<14}{about}")

    return Answer(facts, show)


def analysed(table: str, what: str, options: Mapping[str, Any]) -> Answer:
    """Carry out an analysis; its rows go to stdout, the largest first, or all of them to a file."""
    start = time.perf_counter()
    store = open_store(locate(table))
    with counting(what, "solved") as advance:
        inverse = _inverse(store, options, lambda columns: advance(0, max(columns, 1)))
        asked = _asked(inverse, options)
        result = MENU[what][1](inverse, asked)
    if options["csv"] is not None:
        write_result(options["csv"], result)
    certified = all(work.is_certified for work in inverse.ledger)
    facts = {
        "outcome": "certified" if certified else "precision_not_reached",
        "what": result.what,
        "equation": result.equation,
        "table": str(store.path),
        "table_digest": store.digest,
        "digits_requested": options["digits"],
        "solved": sum(work.columns for work in inverse.ledger),
        "passes": sum(work.passes for work in inverse.ledger),
        "seconds": time.perf_counter() - start,
        "peak_memory_bytes": peak_memory(),
        "over": result.over,
        "rows": len(result),
        "units": {name: unit for name, unit in result.units.items() if unit},
        "totals": {name: _number(one, ()) for name, one in result.totals.items()},
        "notes": list(result.notes),
        "largest": [_row(result, row) for row in result.largest(options["top"]).tolist()],
        "csv": None if options["csv"] is None else str(options["csv"]),
    }
    code = answer.CERTIFIED if certified else answer.NOT_REACHED
    complaint = (
        ""
        if certified
        else f"not every solve was certified to {counted(options['digits'], 'figure')}; the bounds "
        "hold all the same; ask for fewer --digits"
    )
    return Answer(facts, lambda: _show(result, facts), code, complaint)


def _inverse(store: Store, options: Mapping[str, Any], tell: Any = lambda columns: None) -> Inverse:
    """Return the inverse of a stored table; a small one is held in memory, for many solves."""
    source = store.source()
    precision = Precision(options["digits"])
    site = ThisProcess(options["threads"], options["memory"])
    plans = 1 + max(len(source.header.factors), len(options["demand"]))
    is_small = source.nonzeros <= CACHED
    run = Run(not is_small, options["digits"], plans, transpositions=1)
    load = site.load(store, run)
    if is_small:
        source = Source.of(store.load())
    return Inverse(
        source,
        precision,
        delta=options["delta"],
        load=HERE if is_small else load,
        largest=largest_inverse(store, run, options["memory"]),
        tell=tell,
    )


def _asked(inverse: Inverse, options: Mapping[str, Any]) -> Asked:
    """Return what is asked for, with files read and products found."""
    header = inverse.header
    basket, supplied = (
        None if options[name] is None else read_demand(options[name], header)[0]
        for name in ("households", "supply")
    )
    since = options["since"]
    return Asked(
        factors=tuple(dict.fromkeys(options["factor"])),
        products=[_position(header, name) for name in dict.fromkeys(options["product"])],
        demands={file.stem: _demand(file, header) for file in options["demand"]},
        basket=basket,
        is_closed=options["closed"],
        labels=None if options["by"] is None else _labels(options["by"], header),
        change=options["change"],
        supplied=supplied,
        other=None if since is None else _inverse(open_store(locate(since)), options),
        count=max(options["top"], 1),
    )


def _demand(file: Path, header: Header) -> Demand:
    nominal, lower, upper = read_demand(file, header)
    if lower is None and upper is None:
        return Demand.exact(nominal)
    return Demand(nominal, *(nominal if bound is None else bound for bound in (lower, upper)))


def _labels(name: str, header: Header) -> Labels:
    """Return the group of every product: its block, or a level of the ids."""
    given = {} if header.blocks is None else {"block": header.blocks}
    found: Labels = level(name, header.ids, given)
    return found


def _position(header: Header, name: str) -> int:
    ids = header.ids.astype(np.str_)
    found = np.flatnonzero(ids == name)
    if found.size:
        return int(found[0])
    near = [one for one in ids.tolist() if name.lower() in one.lower()]
    raise WrongUsageError(
        f"the table has no product {name!r}",
        advice=f"did you mean: {', '.join(near[:5])}" if near else "`ogas export` lists them",
    )


def _row(result: Result, row: int) -> dict[str, Any]:
    found = {
        result.over: str(result.ids[row]),
        "name": "" if result.names is None else str(result.names[row]),
    }
    return found | {
        name: _number(column, row) if isinstance(column, Interval) else str(column[row])
        for name, column in result.columns.items()
    }


def _number(column: Interval, place: Any) -> dict[str, float]:
    """Return a number and its bounds."""
    return {
        "value": float(column.middle[place]),
        "lower": float(column.lower[place]),
        "upper": float(column.upper[place]),
    }


# ---- for people ---------------------------------------------------------------------------------


def _show(result: Result, facts: Mapping[str, Any]) -> None:
    out = console()
    out.print(f"{result.what}: {result.equation}", style="bold")
    done = counted(facts["solved"], "certified solve", "certified solves")
    out.print(
        f"{done}, {counted(facts['passes'], 'pass', 'passes')} over the table, "
        f"{facts['seconds']:.2f} s"
    )
    for note in result.notes:
        out.print(note)
    for name, one in result.totals.items():
        out.print(f"{name}: {_shown(one)} {result.units.get(name, '')}".rstrip())
    for unit in dict.fromkeys(result.units.values()):
        measured = [name for name in result.columns if result.units.get(name) == unit]
        if unit and measured:
            out.print(f"in {unit}: {', '.join(measured)}")
    rows = result.largest(len(facts["largest"])).tolist()
    names = printing.Column(result.over, [_label(result, row) for row in rows])
    columns = [
        printing.Column(name, [_cell(column, row) for row in rows])
        for name, column in result.columns.items()
    ]
    out.print("")
    printing.print_table(out, names, columns)
    if facts["csv"] is not None:
        out.print(f"{counted(len(result), 'row')} in {facts['csv']}")


def _label(result: Result, row: int) -> str:
    code = str(result.ids[row])
    return code if result.names is None else f"{code} {result.names[row]}"


def _cell(column: Any, row: int) -> str:
    return _shown(column[row]) if isinstance(column, Interval) else str(column[row])


def _shown(one: Interval) -> str:
    """Return a number to the figures that are proven, six at most."""
    if not np.isfinite(one.radius):
        return "-"
    if one.radius == 0 and float(one.middle).is_integer():
        return f"{int(one.middle):,}"
    return significant(float(one.middle), min(int(one.figures), 5))
