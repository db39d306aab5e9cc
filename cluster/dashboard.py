"""The page of plans in Dask's own dashboard: ``dask scheduler --preload ogas.cluster.dashboard``.

    http://SCHEDULER:8787/ogas      also in the navigation of every other page there

It shows what coordinators tell (`ogas.cluster.watching`) and what workers say in their heartbeats.
The page is an application of its own beside Dask's, on the same server. Where there is no bokeh, or
no dashboard, there is no page, nobody is told anything, and nothing fails.
"""

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ogas.cluster.watching import PAGES, TOPIC, Trace, traces

if TYPE_CHECKING:
    from distributed import Client, Scheduler

ROUTE = "ogas"
TITLE = "Plans of ogas"
EVERY = 500  # milliseconds between two looks
LATEST = "the latest"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def dask_setup(scheduler: "Scheduler") -> None:
    """Add the page to the dashboard of a scheduler that is about to start."""
    try:
        _add(scheduler)
    except ImportError:  # no bokeh, or one that Dask does not take
        return
    except Exception:
        logging.getLogger("distributed.scheduler").warning("no page of plans", exc_info=True)


def link(client: "Client") -> str:
    """Return where people find the page of a cluster, or nothing if it has none."""
    with suppress(Exception):  # a page is no reason to fail
        pages = client.get_events(PAGES)
        if pages and client.dashboard_link is not None:
            return _link(client.dashboard_link, pages[-1][1])
    return ""


def _link(status: str, page: Any) -> str:
    """Return the address of the page, from that of Dask's status page and what ours said.

    >>> _link("http://10.0.0.1:8787/status", {"host": "127.0.0.1", "port": 8787})
    'http://127.0.0.1:8787/ogas, after ssh -L 8787:127.0.0.1:8787 10.0.0.1'
    """
    found, machine = status.removesuffix("status") + ROUTE, urlsplit(status).hostname or ""
    if page["host"] not in LOOPBACK or machine in LOOPBACK:
        return found
    place = f"{page['host']}:{page['port']}"
    scheme = urlsplit(status).scheme
    return f"{scheme}://{place}/{ROUTE}, after ssh -L {page['port']}:{place} {machine}"


def _add(scheduler: "Scheduler") -> None:
    from bokeh.server.tornado import BokehTornado
    from distributed.dashboard.core import BokehApplication
    from distributed.dashboard.scheduler import template_variables
    from tornado.ioloop import IOLoop

    server = scheduler.http_application
    pages = [one for one in server.applications if isinstance(one, BokehTornado)]
    if not pages or scheduler.get_events(PAGES):
        return
    variables = template_variables(scheduler)  # the same object for all pages of a scheduler
    application = BokehApplication(
        {f"/{ROUTE}": _page}, scheduler, prefix=pages[0].prefix, template_variables=variables
    )
    server.add_application(application)
    application.initialize(IOLoop.current())
    application.start()
    if ROUTE not in variables["pages"]:
        variables["pages"].insert(0, ROUTE)
    place = scheduler.http_server
    scheduler.log_event(PAGES, {"host": place.address, "port": place.port})


def _page(scheduler: "Scheduler", extra: dict[str, Any], document: Any) -> None:
    """Make the page for one visitor; what Dask's own pages do."""
    from distributed.dashboard.components.scheduler import env

    view = View(scheduler)
    view.update()
    document.title = TITLE
    document.template = env.get_template("simple.html")
    document.template_variables.update(extra)
    document.add_root(view.plots.root)
    document.add_periodic_callback(view.update, EVERY)


class View:
    """What one visitor looks at.

    Attributes
    ----------
    scheduler : Scheduler
    plots : Plots
    """

    def __init__(self, scheduler: "Scheduler") -> None:
        from ogas.cluster.plots import Plots

        self.scheduler = scheduler
        self.plots = Plots(LATEST)
        self._seen: Any = None
        self._traces: dict[str, Trace] = {}
        self._shown: Any = None

    def update(self) -> None:
        """Show what is new."""
        from distributed.metrics import time

        events = self.scheduler.get_events(TOPIC)
        if self._seen is not (latest := events[-1] if events else None):
            self._seen, self._traces = latest, traces(events)
            self.plots.offer([LATEST, *reversed(self._traces)])
        trace = self._chosen()
        if trace is None:
            self.plots.show_nothing()
            return
        self.plots.head(trace, time())
        workers = self.scheduler.workers
        heartbeats = {address: one.metrics.get("ogas") for address, one in workers.items()}
        if self._shown != (trace, heartbeats):
            self._shown = trace, heartbeats
            names = {address: one.name for address, one in workers.items()}
            self.plots.show(trace, heartbeats, names)

    def _chosen(self) -> Trace | None:
        """Return the job that was chosen, or the one heard of last, running ones first."""
        chosen = self._traces.get(self.plots.choice.value)
        if chosen is not None or not self._traces:
            return chosen
        known = list(self._traces.values())
        running = [one for one in known if one.state == "running"]
        return (running or known)[-1]
