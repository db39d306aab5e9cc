"""Rounds and events as coordinators tell them, by hand and drawn."""

import math
from dataclasses import replace

from hypothesis import strategies as st

from ogas.cluster.watching import VERSION, Round, traces


def sweep(number, half_width=0.1, **changes):
    given = Round(number, 1, "sweep", half_width, 0.5, 0.25, 0.125, 4_000_000, 1_000_000, 1)
    return replace(given, **changes)


def certificate(number, half_width, **changes):
    return sweep(number, half_width, kind="certificate", **changes)


def event(*rounds, **changes):
    """What a coordinator tells, as the scheduler keeps it."""
    given = {
        "version": VERSION,
        "job": "night-7",
        "attempt": 1,
        "state": "running",
        "message": "",
        "digits": 3,
        "elapsed": 2.0,
        "workers": 2,
        "placement": 1,
        "rounds": [one.row() for one in rounds],
        "efforts": {},
    }
    return 1000.0, given | changes


def trace(*rounds, **changes):
    (found,) = traces([event(*rounds, **changes)]).values()
    return found


half_widths = st.floats(0) | st.just(math.inf) | st.just(math.nan)
rounds = st.builds(
    Round,
    number=st.integers(1, 10**6),
    run=st.integers(1, 3),
    kind=st.sampled_from(["start", "sweep", "certificate", "audit"]),
    half_width=half_widths,
    seconds=st.floats(0, 1e6),
    sweeping=st.floats(0, 1e6),
    waiting=st.floats(0, 1e6),
    between_blocks=st.integers(0, 10**15),
    between_workers=st.integers(0, 10**15),
    placement=st.integers(0, 5),
)
