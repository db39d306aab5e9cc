"""The coordinator's shell: whatever fails in it, the solver is told, and never waits in vain."""

import asyncio

import pytest

from ogas.cluster.jobs import lease as leases
from ogas.cluster.jobs.job import Job
from ogas.cluster.jobs.lease import take
from ogas.cluster.runtime import crew as crews
from ogas.cluster.runtime import events
from ogas.cluster.runtime.conductor import CancelledError, Conductor, StoodDownError
from ogas.cluster.runtime.coordinator import Coordinator, Needs, Phase
from ogas.cluster.runtime.crew import Crew
from ogas.cluster.runtime.events import Joined, Lost
from ogas.cluster.runtime.exchange import Memory, OnWorkers
from ogas.cluster.runtime.holding import Shape
from ogas.cluster.runtime.schedule import Burden

NEEDS = Needs((Burden(1, 1),), 0, 1)
SHAPE = Shape("/t", 1, "digest", is_transposed=False, narrow=True)
DEADLINE = 30.0


class Worker:
    """The worker of a coordinator, and what the others answer: by address, then by handler."""

    address = "me"

    def __init__(self, others=None):
        self.others, self.told = others or {}, []
        self.scheduler = self

    def rpc(self, address):
        return Peer(self, address)

    async def identity(self, n_workers):
        return {"workers": {address: {"resources": {"block": 1}} for address in self.others}}


class Peer:
    """One of them."""

    def __init__(self, worker, address):
        self.worker, self.address = worker, address

    def __getattr__(self, handler):
        async def call(**words):
            self.worker.told.append((self.address, handler))
            found = self.worker.others[self.address][handler]
            if isinstance(found, Exception):
                raise found
            return found

        return call


def hello(status="ready", job=""):
    return {"status": status, "job": job, "installed_bytes": 10**9, "peak_memory_bytes": 1}


def conducted(worker, script):
    """Run a script that is given a conductor of the job `night`."""

    async def run():
        await asyncio.wait_for(script(Conductor(worker, "night", None, 0)), DEADLINE)

    asyncio.run(run())


async def opened(conductor):
    await asyncio.to_thread(conductor.open, NEEDS, SHAPE, None)


def asking(conductor):
    return asyncio.ensure_future(asyncio.to_thread(conductor.ask, "begin", ((), None)))


def test_the_solver_hears_of_a_defect_of_the_coordinator(monkeypatch):
    async def script(conductor):
        await opened(conductor)
        monkeypatch.setattr(Coordinator, "handle", broken)
        with pytest.raises(ZeroDivisionError):
            await asking(conductor)
        await conductor.close()

    def broken(*_):
        raise ZeroDivisionError

    conducted(Worker(), script)


@pytest.mark.parametrize("ending", ["close", "stand_down"])
def test_a_solver_that_waits_is_told_when_its_worker_leaves(ending):
    async def script(conductor):
        await opened(conductor)
        waiting = asking(conductor)
        await asyncio.sleep(0.05)
        assert not waiting.done()
        if ending == "stand_down":
            conductor.stand_down()
        else:
            await conductor.close()
        with pytest.raises(StoodDownError):
            await waiting
        with pytest.raises(StoodDownError):
            await asking(conductor)
        await conductor.close()

    conducted(Worker(), script)


def test_a_watch_that_fails_ends_the_job():
    async def watch():
        raise KeyError("what nobody thought of")

    async def script(conductor):
        await opened(conductor)
        waiting = asking(conductor)
        asyncio.create_task(watch()).add_done_callback(conductor.check)
        with pytest.raises(KeyError, match="nobody thought of"):
            await waiting

    conducted(Worker(), script)


@pytest.mark.parametrize(
    ("event", "error"),
    [(events.CancelAsked(), CancelledError), (events.Superseded(), StoodDownError)],
    ids=["cancel", "superseded"],
)
def test_a_run_that_asks_nobody_can_be_ended(event, error):
    async def script(conductor):
        conductor.go_on()
        conductor.tell(event)
        with pytest.raises(error):
            conductor.go_on()
        await opened(conductor)
        with pytest.raises(error):
            await asking(conductor)

    conducted(Worker(), script)


@pytest.mark.parametrize("status", ["busy", "leaving"])
def test_a_worker_that_is_another_jobs_or_leaves_is_lost_at_once(status):
    async def script(conductor):
        assert await conductor.crew.muster()
        await opened(conductor)
        waiting = asking(conductor)
        while conductor.crew.greetings:
            await asyncio.sleep(0.01)
        assert conductor.machine.phase is Phase.GATHERING
        await conductor.close()
        with pytest.raises(StoodDownError):
            await waiting

    answers = {"ogas_hello": hello(), "ogas_load": {"status": status}, "ogas_drop": {}}
    conducted(Worker({"a": answers}), script)


# ---- Claims


def mustered(others):
    """Claim workers once; whether that was all of them, who is ours, and who was let go."""
    worker = Worker(others)
    crew = Crew(worker, "night", None, lambda event: None)
    is_ours = asyncio.run(asyncio.wait_for(crew.muster(), DEADLINE))
    dropped = [address for address, handler in worker.told if handler == "ogas_drop"]
    return is_ours, list(crew.greetings), crew.busy_with, dropped


def answering(*args):
    return {"ogas_hello": hello(*args), "ogas_drop": {"status": "done"}}


def test_who_waits_for_a_busy_worker_holds_no_other_back():
    others = {"a": answering(), "b": answering("ready", "night"), "c": answering("busy", "day")}
    assert mustered(others) == (False, [], "day", ["a"])  # b has blocks of this very job


def test_workers_that_leave_hang_or_are_unfit_are_not_waited_for():
    others = {"a": answering("leaving"), "b": {"ogas_hello": OSError()}, "c": answering()}
    assert mustered(others | {"d": answering("unfit")}) == (True, ["c"], "", [])


def test_a_worker_that_another_job_took_is_lost_until_it_is_free():
    heard, worker = [], Worker({"a": answering()})

    async def script():
        crew = Crew(worker, "night", None, heard.append)
        await crew.muster()
        for status in ("busy", "busy", "ready"):
            worker.others["a"] = answering(status, "day")
            await crew._look()

    asyncio.run(asyncio.wait_for(script(), DEADLINE))
    lost, joined = heard
    assert lost == Lost("a")
    assert isinstance(joined, Joined)


def test_no_greeting_claims_a_worker_that_the_job_has_let_go_of(monkeypatch):
    monkeypatch.setattr(crews, "PERIOD", 0.01)
    worker = Worker({"a": answering()})
    answered = asyncio.Event()

    async def identity(n_workers):
        answered.set()
        try:
            await asyncio.sleep(0.1)  # the end of the job comes meanwhile
        finally:  # as asyncio.wait_for of Python 3.11 may do
            return {"workers": {"a": {"resources": {"block": 1}}}}  # noqa: B012

    async def script(conductor):
        await conductor.crew.muster()
        answered.clear()
        conductor.watch()
        await answered.wait()
        await conductor.close()
        at_the_end = list(worker.told)
        assert at_the_end[-1] == ("a", "ogas_drop")
        assert at_the_end.count(("a", "ogas_hello")) == 2
        await asyncio.sleep(0.2)
        assert worker.told == at_the_end

    worker.identity = identity
    conducted(worker, script)


# ---- The lease


def test_publishing_for_long_does_not_cost_the_lease(tmp_path):
    now = [100.0]
    lease = take(tmp_path, "me", "", lambda owner: False, clock=lambda: now[0])

    def write():
        now[0] += 10 * leases.DURATION

    OnWorkers(None, Memory(Job(tmp_path), lease)).publish(write)
    assert take(tmp_path, "other", "", lambda owner: False, clock=lambda: now[0]) is None
    assert lease.is_held()


def test_blocks_stay_where_an_earlier_coordinator_had_them_loaded():
    others = {name: answering("ready", "night") for name in "ab"}
    others["b"]["ogas_hello"]["stored"] = (0, 2)
    worker = Worker(others)

    async def script(conductor):
        assert await conductor.crew.muster()
        needs = Needs(tuple(Burden(1, 1) for _ in range(4)), 0, 2)
        await asyncio.to_thread(conductor.open, needs, SHAPE, None)
        assert conductor.machine.schedule.blocks_of("b") == (0, 2)
        await conductor.close()

    conducted(worker, script)
