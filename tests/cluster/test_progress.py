"""The progress bar: figures rise towards those asked for; nothing where nobody watches."""

import io
from contextlib import contextmanager
from dataclasses import replace

import problems
import pytest

from ogas.cluster import progress
from ogas.cluster.jobs.state import State
from ogas.engine.choose import METHODS
from ogas.engine.iterate import Precision
from ogas.engine.plan import Request, draw_up
from ogas.engine.source import Source


@pytest.mark.parametrize("method", ["anderson", "orders-and-tables"])
def test_the_bar_shows_every_pass_and_the_figures_reached(monkeypatch, method):
    seen = []
    monkeypatch.setattr(progress, "_bar", _listing(seen))
    source = Source.of(problems.solvable("sectors:S1"))
    with progress.watched("plan", 6) as observe:
        draw_up(source, Request("quantities", METHODS[method], Precision(6)), observe=observe)
    assert seen[0] == (0.0, "reading the table")
    passes = [int(text.split()[1].rstrip(",")) for _, text in seen[1:]]
    assert passes == list(range(1, len(passes) + 1))
    done = [reached for reached, _ in seen[1:]]
    assert all(0 <= reached <= 6 for reached in done)
    assert done[-1] == 6


def test_the_bar_of_a_job_says_what_is_waited_for(monkeypatch):
    seen = []
    monkeypatch.setattr(progress, "_bar", _listing(seen))
    queued = State("j", "queued", "")
    running = replace(queued, state="running", workers=1)
    with progress.reporting("plan", 3, "starting 1 of our own") as tell:
        for state in (queued, running, replace(running, round=1200, digits_expected=2.44)):
            tell(state)
    assert seen == [
        (0.0, "starting 1 of our own"),
        (0.0, "queued"),
        (0.0, "reading the table"),
        (2.44, "round 1,200, 2.4 figures, 1 worker"),
    ]


def _listing(seen):
    @contextmanager
    def bar(*_):
        yield lambda done, text: seen.append((done, text))

    return bar


def test_nothing_is_written_where_nobody_watches(monkeypatch):
    unwatched = io.StringIO()
    monkeypatch.setattr("sys.stderr", unwatched)
    with progress.watched("plan", 3), progress.counting("drawing", "blocks") as advance:
        advance(1, 2)
    assert unwatched.getvalue() == ""
