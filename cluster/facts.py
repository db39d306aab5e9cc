"""What the JSON of `ogas plan` and `ogas price` says of a run: figures, passes, times, totals."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ogas.engine.certificate import Certificate
from ogas.engine.header import Header
from ogas.engine.iterate import Solution
from ogas.engine.plan import Request, histories, total, worst_outcome
from ogas.engine.source import Source

STAGES = ("load", "solve", "certify", "write", "total")
Totals = dict[str, dict[str, Any]]


def facts_of(source: Source, request: Request, solutions: Mapping[str, Solution]) -> dict[str, Any]:
    """Return what the JSON of ``plan`` and ``price`` says, but for the times and the path.

    ``total`` and ``totals`` are those of the first scenario; where there are several, ``scenarios``
    has what is known of each.
    """
    outcome = worst_outcome(solutions)
    proved = {name: found.certificate for name, found in solutions.items() if found.certificate}
    runs = histories(solutions)
    passes = sum(history.passes for history in runs)
    seconds = sum(history.seconds() for history in runs)
    traffic = list({id(found.history): found.traffic for found in solutions.values()}.values())
    header, nonzeros = source.header, source.nonzeros
    totals = _totals(header, request, proved)
    facts = {
        "outcome": outcome.word,
        "title": str(header.meta.get("title", "")),
        "products": len(header),
        "nonzeros": nonzeros,
        "blocks": len(source.sizes),
        "method": "auto" if request.method is None else request.method.name,
        "digits_requested": request.precision.figures,
        **_proved(list(proved.values()), is_complete=len(proved) == len(solutions)),
        "passes": passes,
        "sweeps": sum(history.count("sweep") for history in runs),
        "exchanges": sum(moved.exchanges for moved in traffic),
        "bytes_exchanged": sum(moved.bytes_exchanged for moved in traffic),
        "bytes_per_nonzero": traffic[0].bytes_per_nonzero,
        "bytes_streamed": sum(moved.bytes_streamed for moved in traffic),
        "sweeps_per_read": traffic[0].inner,
        "nanoseconds_per_nonzero_pass": 1e9 * seconds / max(passes * nonzeros, 1),
        "total": next(iter(totals.values()), None),
        "totals": totals,
    }
    if len(request.demands) > 1:
        facts["scenarios"] = {
            name: _proved([found], is_complete=True) | {"totals": _in_output(header, found)}
            for name, found in proved.items()
        }
    return facts


def trace_of(solutions: Mapping[str, Solution]) -> dict[str, list[Any]]:
    """Return what was known after every step that read the table, as a plan keeps it.

    Returns
    -------
    dict of list
        An entry for every step: ``run`` (its number, where columns are solved one after another),
        ``kind``, ``reads``, ``forecast`` and ``half_width``, as in `ogas.engine.outcome.Pass`. No
        times, so that the same plan has the same trace wherever it is computed.
    """
    steps = [
        (run, record) for run, made in enumerate(histories(solutions)) for record in made.records
    ]
    return {
        "run": [run for run, _ in steps],
        **{
            name: [getattr(record, name) for _, record in steps]
            for name in ("kind", "reads", "forecast", "half_width")
        },
    }


def seconds_of(spent: Mapping[str, float], solutions: Mapping[str, Solution]) -> dict[str, float]:
    """Return the stages, told apart: blocks are read while the solver already runs.

    What it spends outside passes is reading the table and bringing it into the form it is swept in;
    the certificates' passes are not counted as solving.
    """
    runs = histories(solutions)
    passes = sum(history.seconds() for history in runs)
    certify = sum(history.seconds("certificate") for history in runs)
    stages = dict(spent) | {
        "load": spent["load"] + max(spent["solve"] - passes, 0.0),
        "solve": passes - certify,
        "certify": certify,
    }
    return {name: stages[name] for name in STAGES if name in stages}


def _proved(proved: list[Certificate], *, is_complete: bool) -> dict[str, Any]:
    """Return what certificates prove together; nothing, unless every column has one."""
    return {
        "digits_certified": min(c.digits_certified for c in proved) if is_complete else 0,
        "relative_half_width": max(c.relative_half_width for c in proved) if is_complete else None,
        "radius_bound": max(c.radius_bound for c in proved) if is_complete else None,
        "zero_products": sum(int(c.structural_zeros.sum()) for c in proved),
        "negative_products": sum(len(c.negative_products) for c in proved),
    }


def _totals(header: Header, request: Request, proved: Mapping[str, Certificate]) -> Totals:
    """Return ``l · x`` for every factor, or ``v · f`` for every priced one, with bounds."""
    if request.kind == "quantities":
        first = next(iter(proved.values()), None)
        return {} if first is None else _in_output(header, first)
    if header.demand is None:
        return {}
    pairs = {name: (header.demand, found) for name, found in proved.items()}
    return _bounded(header, pairs)


def _in_output(header: Header, proved: Certificate) -> Totals:
    return _bounded(header, {name: (part, proved) for name, part in header.factors.items()})


def _bounded(header: Header, pairs: Mapping[str, tuple[Any, Certificate]]) -> Totals:
    totals = {}
    for name, (weights, found) in pairs.items():
        with np.errstate(over="ignore", invalid="ignore"):
            ends = total(weights, found.lower, found.output, found.upper)
        if np.isfinite(ends).all():  # a sum that overflows is no total
            named = dict(zip(("value", "lower", "upper"), ends, strict=True))
            totals[name] = named | {"unit": header.factor_units.get(name) or name}
    return totals
