"""What can be watched: from the events of coordinators to traces, and to the columns of plots."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traces import certificate, event, rounds, sweep, trace

from ogas.cluster import curves
from ogas.cluster.watching import VERSION, Effort, Round, traces

A, B = "tcp://10.0.0.1:9000", "tcp://10.0.0.2:9000"


# ---- From events to traces -------------------------------------------------------------------


def test_of_nothing_nothing_is_known():
    assert traces([]) == {}


def test_the_events_of_a_job_are_put_together():
    first, last = (sweep(1), sweep(2)), (certificate(3, 1e-4),)
    (found,) = traces([event(*first), event(*last, state="certified", elapsed=4.0)]).values()
    assert [one for _, one in found.rounds] == [*first, *last]
    assert (found.state, found.elapsed, found.certified) == ("certified", 4.0, 3)
    assert found.has_ended


def test_every_job_has_a_trace_and_the_latest_is_last():
    events = [event(sweep(1), job="a"), event(sweep(1), job="b"), event(sweep(2), job="a")]
    found = traces(events)
    assert list(found) == ["b", "a"]
    assert len(found["a"].rounds) == 2


def test_what_a_message_does_to_an_event_changes_nothing():
    """Lists become tuples on the way, and Dask adds a field."""
    when, said = event(sweep(1), sweep(2))
    sent = said | {"rounds": tuple(map(tuple, said["rounds"])), "worker": A}
    assert traces([(when, sent)]) == traces([(when, said)])


TORN = [
    None,
    "text",
    7,
    [],
    {},
    {"version": VERSION},
    event(version=VERSION + 1, job="of the future")[1],
    event(rounds=[[1, 1, "sweep"]])[1],
    event(rounds=[["one", *sweep(1).row()[1:]]])[1],
    event(rounds=7)[1],
    event(rounds=[[*sweep(1).row(), "more"]])[1],
    event(elapsed=None)[1],
    event(efforts={A: {"blocks": []}})[1],
    event(efforts=[A])[1],
    *({name: value for name, value in event()[1].items() if name != gone} for gone in event()[1]),
]


@pytest.mark.parametrize("torn", TORN, ids=range(len(TORN)))
def test_an_event_that_cannot_be_read_is_left_out(torn):
    whole = [event(sweep(1)), event(sweep(2))]
    assert traces([whole[0], (1001.0, torn), whole[1]]) == traces(whole)


def test_a_coordinator_that_was_replaced_is_not_heard_any_more():
    events = [event(sweep(1)), event(sweep(1), attempt=2), event(sweep(2), state="failed")]
    (found,) = traces(events).values()
    assert (found.state, found.attempt) == ("running", 2)
    assert [attempt for attempt, _ in found.rounds] == [1, 2]


def test_rounds_are_counted_on_by_the_next_coordinator():
    events = [event(sweep(1), sweep(2)), event(sweep(1), attempt=2), event(sweep(1), attempt=5)]
    (found,) = traces(events).values()
    assert [number for number, _ in found.numbered()] == [1, 2, 3, 4]


def test_figures_are_those_of_the_run_that_goes_on():
    assert trace(certificate(1, 1e-4)).certified == 3
    assert trace(certificate(1, 1e-2), certificate(2, 1e-5), sweep(3)).certified == 4
    assert trace(certificate(1, 1e-4), sweep(2, run=2)).certified == 0
    assert trace(certificate(1, math.inf)).certified == 0
    assert trace().certified == 0


# ---- From traces to columns ------------------------------------------------------------------


def columns_of(one):
    """All columns of a trace, by source."""
    measured = (curves.times(one), curves.traffic(one), curves.efforts(one, {}, {}))
    measured += (curves.blocks(one, {}, {}),)
    plain = (curves.forecasts, curves.certificates, curves.requested, curves.renewals)
    return [*(found.columns for found in measured), *(draw(one) for draw in plain)]


@given(st.lists(rounds, max_size=300))
def test_columns_are_of_one_length_and_fit_a_logarithmic_axis(found):
    one = trace(*found)
    for columns in columns_of(one):
        assert len({len(values) for values in columns.values()}) == 1
        for width in columns.get("half_width", []):
            assert math.isnan(width) or 0 < width <= curves.WIDEST
    assert all(math.isfinite(number) for number in curves.times(one).columns["rest"])
    assert curves.headline(one, 1000.0)


@given(st.lists(rounds, max_size=300))
def test_an_event_keeps_every_round(found):
    rows = [one.row() for one in found]
    again = [Round.parse(row).row() for row in rows]
    assert [list(map(repr, row)) for row in again] == [list(map(repr, row)) for row in rows]


def test_forecasts_and_certificates_are_told_apart():
    one = trace(sweep(1, 0.1), certificate(2, 0.004), sweep(3, 0.001), certificate(4, math.inf))
    assert curves.forecasts(one) == {"round": [1, 3], "half_width": [0.1, 0.001]}
    assert curves.certificates(one) == {"round": [2], "half_width": [0.004], "figures": [2]}
    assert curves.requested(one) == {"round": [0.5, 4.5], "half_width": [5e-4, 5e-4]}


def test_the_curve_of_another_run_is_not_joined_to_the_first():
    found = curves.forecasts(trace(sweep(1), sweep(2), sweep(3, run=2)))
    assert found["round"] == [1, 2, 3, 3]
    assert [math.isnan(width) for width in found["half_width"]] == [False, False, True, False]


def test_it_is_seen_where_blocks_were_placed_anew():
    events = [event(sweep(1), sweep(2), sweep(3, placement=2)), event(sweep(1), attempt=2)]
    (found,) = traces(events).values()
    assert curves.renewals(found) == {"round": [2.5, 3.5]}


def test_the_time_of_a_round_is_what_it_went_into():
    found = curves.times(trace(sweep(1), sweep(2, seconds=0.3)))
    assert found.unit == "ms"
    assert found.columns["sweeping"] == [250, 250]
    assert found.columns["waiting"] == [125, 125]
    assert found.columns["rest"] == [125, 0]
    assert found.columns["total"] == [500, 300]


def test_many_rounds_share_bars_that_keep_the_mean():
    count = 10 * curves.MOST_BARS
    one = trace(*(sweep(number, seconds=float(number)) for number in range(1, count + 1)))
    found = curves.times(one)
    total, widths = found.columns["total"], found.columns["width"]
    assert len(total) <= curves.MOST_BARS
    assert sum(total) / len(total) == pytest.approx((count + 1) / 2)
    assert found.columns["rounds"][0] == "mean of 1 to 10"
    assert set(widths) == {8.5}


@pytest.mark.parametrize(
    ("moved", "unit", "shown"),
    [(0, "bytes", 0), (999, "bytes", 999), (1000, "kB", 1), (2_500_000, "MB", 2.5)],
)
def test_bytes_have_the_unit_that_fits(moved, unit, shown):
    found = curves.traffic(trace(sweep(1, between_blocks=moved, between_workers=0)))
    assert (found.unit, found.columns["blocks"]) == (unit, [shown])


def heartbeat(**changes):
    said = {
        "job": "night-7",
        "epoch": 1,
        "blocks": [(4, 1.0), (9, 2.0)],
        "bytes_sent": 3_000,
        "seconds": 4.0,
    }
    return said | {"waiting": 1.0} | changes


def test_workers_say_what_they_do_in_heartbeats():
    said = {A: heartbeat(), B: heartbeat(job="another"), "tcp://c": {"job": ""}, "tcp://d": None}
    found = curves.efforts(trace(), said, {A: "node-1", B: 2})
    assert found.unit == "s"
    assert found.columns["worker"] == ["node-1"]
    assert found.columns["blocks"] == [2]
    assert (found.columns["stepping"], found.columns["waiting"]) == ([3.0], [1.0])
    assert found.columns["sent"] == ["3.0 kB"]


def test_the_later_of_two_accounts_of_a_worker_counts():
    """The coordinator tells at the end; the heartbeats of a worker that is free say nothing."""
    last = {A: {"blocks": [(1, 4.0)], "seconds": 5.0, "waiting": 1.0, "bytes_sent": 7}}
    ended = trace(efforts=last, state="certified")
    for said in ({}, {A: {"job": ""}}, {A: heartbeat(seconds=4.5)}, {A: heartbeat(seconds="?")}):
        assert curves.efforts(ended, said, {}).columns["stepping"] == [4.0]
    assert curves.efforts(ended, {A: heartbeat(seconds=6.0)}, {}).columns["stepping"] == [5.0]


def test_workers_stand_in_the_order_of_their_names_and_the_busiest_are_shown():
    count = curves.MOST_WORKERS + 2
    known = {f"tcp://h:{n}": Effort(((n, 1.0),), float(n)) for n in range(count)}
    found = curves.efforts(replace(trace(), efforts=known), {}, {})
    assert found.columns["worker"] == [f"h:{n}" for n in range(2, count)]


def test_blocks_stand_in_order_with_the_time_of_their_steps():
    said = {A: heartbeat(), B: heartbeat(blocks=[(3, 0.5)])}
    found = curves.blocks(trace(), said, {A: "w2", B: "w1"})
    assert found.unit == "s"
    assert found.columns["block"] == [3, 4, 9]
    assert found.columns["taken"] == [0.5, 1.0, 2.0]
    assert found.columns["worker"] == ["w1", "w2", "w2"]
    assert found.columns["shade"] == ["0", "1", "1"]


def test_of_many_blocks_those_that_took_longest_are_shown():
    count = curves.MOST_BLOCKS + 2
    taken = tuple((n, float(n)) for n in range(count))
    found = curves.blocks(replace(trace(), efforts={A: Effort(taken, 1.0)}), {}, {})
    assert found.columns["block"] == list(range(2, count))


def test_the_headline_says_where_a_job_is():
    said = dict(curves.headline(trace(sweep(1), certificate(1_234, 4e-3)), 1001.5))
    assert said == {
        "job": "night-7",
        "state": "running",
        "figures certified": "2 of 3",
        "round": "1,234",
        "elapsed": "3.5 s",
        "workers": "2",
        "placement of blocks": "1",
    }
    ended = trace(state="certified")
    assert dict(curves.headline(ended, 5000.0))["elapsed"] == "2.0 s"


def test_the_headline_does_not_pretend_that_a_silent_job_is_heard():
    assert dict(curves.headline(trace(), 1000.0))["state"] == "reading the table"
    silent = dict(curves.headline(trace(sweep(1)), 1090.0))["state"]
    assert silent == "running, last heard of 1 min 30 s ago"
