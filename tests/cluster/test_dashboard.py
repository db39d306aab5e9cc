"""The page of plans: in the dashboard of a scheduler, and nothing where there is none."""

import subprocess
import sys
import urllib.request
from urllib.error import HTTPError

import pytest
from distributed import LocalCluster
from hypothesis import given, settings
from hypothesis import strategies as st
from traces import rounds, trace

from ogas.cluster import curves, dashboard
from ogas.cluster.jobs.api import asked, submit, wait
from ogas.cluster.jobs.store import JobStore
from ogas.cluster.watching import PAGES, TOPIC, Effort, traces

pytest.importorskip("bokeh")


# ---- The page --------------------------------------------------------------------------------


def test_a_name_is_text_whatever_it_looks_like():
    from ogas.cluster.plots import Plots

    plots = Plots("the latest")
    plots.head(trace(job="<script>", message="a & b"), 1000.0)
    assert "<script>" not in plots.headline.text
    assert "&lt;script&gt;" in plots.headline.text
    assert "a &amp; b" in plots.headline.text


@settings(max_examples=5)
@given(st.lists(rounds, max_size=5))
def test_every_trace_can_be_drawn(found):
    from bokeh.document import Document

    from ogas.cluster.plots import Plots

    plots = Plots("the latest")
    plots.show(trace(*found, efforts={"tcp://a": vars(Effort(((0, 1.5),), 2.0, 1.0, 5))}), {}, {})
    document = Document()
    document.add_root(plots.root)
    document.validate()
    assert document.to_json()


@pytest.mark.parametrize(
    ("status", "host", "said"),
    [
        ("http://127.0.0.1:81/status", "127.0.0.1", "http://127.0.0.1:81/ogas"),
        ("http://10.0.0.1:81/status", "0.0.0.0", "http://10.0.0.1:81/ogas"),
        ("https://proxy/user/ann/status", "0.0.0.0", "https://proxy/user/ann/ogas"),
        (
            "http://10.0.0.1:81/status",
            "127.0.0.1",
            "http://127.0.0.1:81/ogas, after ssh -L 81:127.0.0.1:81 10.0.0.1",
        ),
    ],
)
def test_a_person_is_told_an_address_that_can_be_opened(status, host, said):
    assert dashboard._link(status, {"host": host, "port": 81}) == said


@pytest.fixture(scope="module")
def told(cluster, sectors, tmp_path_factory):
    """A job that was carried out, and what was told of it."""
    folder = tmp_path_factory.mktemp("jobs")
    wanted = asked("plan", sectors.path, output=folder / "p", digits=4, method="orders-and-tables")
    job = submit(wanted, "five-year-plan", store=JobStore(folder), client=cluster)
    state = wait(job)
    assert state.state == "certified"
    return state, cluster.get_events(TOPIC)


def fetched(address):
    with urllib.request.urlopen(address, timeout=30) as answer:
        return answer.status, answer.read().decode()


def test_the_page_is_there_and_other_pages_lead_to_it(cluster):
    page = dashboard.link(cluster)
    assert page.startswith("http://127.0.0.1:")
    status, text = fetched(page)
    assert status == 200
    assert '<a href="ogas">' in text
    assert '<a href="ogas">' in fetched(cluster.dashboard_link)[1]


def test_a_visitor_is_sent_the_page(cluster, told):
    """What a browser is sent after the HTML, by the same connection."""
    from bokeh.client import pull_session

    with pull_session(url=dashboard.link(cluster)) as session:
        assert session.document.title == dashboard.TITLE
        assert "five-year-plan" in str(session.document.to_json())


def test_every_round_of_a_job_is_told(told):
    state, events = told
    (found,) = traces(events).values()
    assert (found.job, found.state, found.digits) == ("five-year-plan", "certified", 4)
    assert [number for number, _ in found.numbered()] == list(range(1, state.round + 1))
    assert (found.certified, found.workers, found.placement) == (state.digits_now, 2, 1)
    for _, one in found.rounds:
        if one.kind == "certificate":  # what it needs came with the pass before
            assert one.between_blocks >= one.between_workers
        else:
            assert one.between_blocks > one.between_workers > 0
        assert 0 < one.sweeping <= one.seconds
    assert len(found.efforts) == 2
    assert all(one.bytes_sent > 0 for one in found.efforts.values())
    for one in found.efforts.values():
        assert one.blocks
        assert 0 < sum(taken for _, taken in one.blocks) <= one.seconds - one.waiting


def test_the_page_shows_the_job(cluster, told):
    state, events = told
    scheduler = cluster.cluster.scheduler
    view = dashboard.View(scheduler)
    view.update()
    (found,) = traces(events).values()
    assert view.plots.body.visible
    assert dict(view.plots.sources["times"].data) == curves.times(found).columns
    assert dict(view.plots.sources["certificates"].data) == curves.certificates(found)
    assert list(view.plots.sources["efforts"].data["worker"]) == ["worker 0", "worker 1"]
    blocks = view.plots.sources["blocks"].data
    assert list(blocks["block"]) == list(range(len(blocks["block"])))
    assert all(taken > 0 for taken in blocks["taken"])
    assert "five-year-plan" in view.plots.headline.text
    assert f">{state.digits_now} of 4<" in view.plots.headline.text


def test_a_page_before_the_first_job_says_so():
    class Scheduler:
        def get_events(self, topic):
            return ()

    view = dashboard.View(Scheduler())
    view.update()
    assert not view.plots.body.visible
    assert "No job" in view.plots.headline.text


def test_a_second_preload_adds_nothing(cluster):
    scheduler = cluster.cluster.scheduler
    before = len(scheduler.http_application.applications)
    cluster.cluster.sync(_prepared, scheduler)
    assert len(scheduler.http_application.applications) == before
    assert len(cluster.get_events(PAGES)) == 1


async def _prepared(scheduler):
    dashboard.dask_setup(scheduler)


# ---- Without a page --------------------------------------------------------------------------


SCHEDULER = """
import asyncio, sys
{before}
from distributed import Scheduler

async def main():
    place = {{"host": "127.0.0.1", "port": 0, "dashboard_address": "127.0.0.1:0"}}
    async with Scheduler(**place, preload=["ogas.cluster.dashboard"]{more}) as scheduler:
        print(len(scheduler.get_events("ogas-pages")))

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("before", "more", "pages"),
    [
        ("", "", 1),
        ("", ", dashboard=False", 0),
        ("sys.modules['bokeh'] = None", "", 0),
        ("import distributed.dashboard.core as core; del core.BokehApplication", "", 0),
    ],
    ids=["with a dashboard", "--no-dashboard", "without bokeh", "another Dask"],
)
def test_a_scheduler_starts_with_the_preload_whatever_it_has(tmp_path, before, more, pages):
    done = subprocess.run(
        [sys.executable, "-c", SCHEDULER.format(before=before, more=more)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{pages}\n"


def test_nobody_is_told_anything_where_there_is_no_page(undisturbed, sectors, tmp_path):
    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            memory_limit=0,
            resources={"block": 1, "coordinator": 1},
            preload=["ogas.cluster.worker"],
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        cluster.get_client() as client,
    ):
        assert dashboard.link(client) == ""
        wanted = asked("plan", sectors.path, output=tmp_path / "p", digits=2)
        state = wait(submit(wanted, store=JobStore(tmp_path / "jobs"), client=client))
        assert state.state == "certified"
        assert client.get_events(TOPIC) == ()
        with pytest.raises(HTTPError, match="404"):
            fetched(f"http://127.0.0.1:{cluster.scheduler.http_server.port}/ogas")
