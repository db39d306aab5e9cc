"""The coordinator: whatever happens to workers, the solver gets a reply or the job ends by name."""

import math
import sys

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ogas.benchmarks.coordination import coordination
from ogas.cluster.runtime.coordinator import Coordinator, Needs, Phase
from ogas.cluster.runtime.errors import ClusterError
from ogas.cluster.runtime.events import (
    LOADING,
    Answered,
    Ask,
    Asked,
    CancelAsked,
    Cancelled,
    Drop,
    Evict,
    Failed,
    Finished,
    Joined,
    Load,
    Lost,
    Refuse,
    Renewed,
    Reply,
    StoodDown,
    Superseded,
    Tick,
    Unreached,
)
from ogas.cluster.runtime.members import Members
from ogas.cluster.runtime.patience import Patience
from ogas.cluster.runtime.schedule import Burden, Host, Schedule
from ogas.engine.errors import DamagedError, DoesNotFitError, WrongUsageError

PATIENCE = Patience(first_step=10.0)
BLOCKS = 6


class Bench:
    """A coordinator, the time, and workers that answer when they are told to."""

    def __init__(self, wanted=2, blocks=BLOCKS, memory=None, patience=PATIENCE, size=100):
        burdens = tuple(Burden(10, size) for _ in range(blocks))
        self.memory, self.now = memory, 0.0
        self.coordinator = Coordinator(Needs(burdens, 0, wanted), patience, 0.0)

    def tell(self, event):
        return self.coordinator.handle(event, self.now)

    def join(self, *addresses):
        return [told for name in addresses for told in self.tell(Joined(Host(name, self.memory)))]

    def wait(self):
        """Let time pass until something is due."""
        self.now = self.coordinator.deadline
        return self.tell(Tick())

    def answer(self, order, *addresses):
        """Let workers answer Load or Ask; all, or those named."""
        schedule = self.coordinator.schedule
        number = order.number if isinstance(order, Ask) else LOADING
        told = []
        for name in addresses or schedule.hosts:
            said = [(block, order.epoch, number) for block in schedule.blocks_of(name)]
            told += self.tell(Answered(name, order.epoch, number, said))
        return told

    def ready(self, *addresses):
        """Get as far as the first epoch's announcement."""
        (load,) = self.join(*addresses)
        assert isinstance(load, Load)
        assert self.answer(load) == []
        (renewed,) = self.tell(Asked("begin"))
        assert isinstance(renewed, Renewed)
        return self

    def step(self, name="sweep"):
        """Have a step taken by all."""
        (ask,) = self.tell(Asked(name))
        (reply,) = self.answer(ask)
        assert isinstance(reply, Reply)
        return reply


@pytest.fixture
def bench():
    return Bench().ready("a", "b")


def in_order(epoch, number):
    return tuple((block, epoch, number) for block in range(BLOCKS))


def kinds(instructions):
    return [type(told) for told in instructions]


def the_error(instructions, kind=ClusterError):
    refusal = instructions[-1]
    assert isinstance(refusal, Refuse)
    assert isinstance(refusal.error, kind)
    return str(refusal.error)


# ---- Gathering


def test_blocks_are_loaded_once_the_wanted_workers_are_there():
    bench = Bench(wanted=3)
    assert bench.join("a", "b") == []
    (load,) = bench.join("c")
    assert (load.epoch, load.schedule.hosts) == (1, ("a", "b", "c"))


def test_after_a_while_one_worker_is_enough():
    bench = Bench(wanted=3)
    bench.now = 50.0
    bench.join("a")
    (load,) = bench.wait()
    assert bench.now == PATIENCE.gathering
    assert load.schedule.hosts == ("a",)


def test_without_any_worker_the_job_ends_and_can_be_resumed():
    error = the_error(Bench().wait())
    assert error == "no worker was there for 60 s; start workers; the job can be resumed"


def test_a_table_that_does_not_fit_is_refused_as_soon_as_all_workers_are_there():
    bench = Bench(memory=250)
    assert bench.join("a") == []
    assert "use 3 workers of 250 bytes" in the_error(bench.join("b"), DoesNotFitError)


def test_spares_are_used_beyond_the_wanted_if_the_table_does_not_fit_without():
    bench = Bench(wanted=2)
    for name, memory in [("a", 100), ("b", 500), ("c", 300), ("d", 300)]:
        bench.memory = memory
        bench.join(name)
    (load,) = bench.tell(Lost("b"))
    assert load.schedule.hosts == ("a", "c", "d")


# ---- Steps


def test_answers_come_in_the_order_of_blocks_whatever_the_order_of_workers(bench):
    (ask,) = bench.tell(Asked("sweep", (3,)))
    assert (ask.step, ask.arguments, ask.addresses) == ("sweep", (3,), ("a", "b"))
    assert bench.answer(ask, "b") == []
    assert bench.answer(ask, "a") == [Reply(in_order(1, ask.number))]


def test_the_first_ask_is_told_what_was_loaded():
    bench = Bench()
    (load,) = bench.join("a", "b")
    assert bench.tell(Asked("begin")) == []
    assert bench.answer(load) == [Renewed(1, in_order(1, LOADING))]


def test_answers_that_are_stale_repeated_or_of_strangers_are_ignored(bench):
    (old,) = bench.tell(Asked("sweep"))
    bench.answer(old)
    (ask,) = bench.tell(Asked("sweep"))
    assert ask.number == old.number + 1
    assert bench.answer(old) == []
    assert bench.tell(Answered("stranger", 1, ask.number, ["?"])) == []
    assert bench.tell(Answered("a", 0, ask.number, ["?"] * 3)) == []
    assert bench.tell(Unreached("a", 1, old.number, ("b",))) == []
    assert bench.tell(Failed("a", 1, old.number, OSError())) == []
    assert bench.answer(ask, "a") == bench.answer(ask, "a") == []
    assert bench.answer(ask, "b") == [Reply(in_order(1, ask.number))]


def test_an_answer_for_too_few_blocks_ends_the_job(bench):
    (ask,) = bench.tell(Asked("sweep"))
    error = the_error(bench.tell(Answered("a", 1, ask.number, [1])))
    assert "a answered for 1 of its 3 blocks" in error


def test_two_asks_at_a_time_are_a_mistake(bench):
    bench.tell(Asked("sweep"))
    with pytest.raises(RuntimeError, match="'prove' was asked while 'sweep' is pending"):
        bench.tell(Asked("prove"))


# ---- Losing workers


def test_a_lost_worker_is_replaced_by_its_successor_and_nobody_else_reads_anything(bench):
    before = bench.coordinator.schedule
    bench.tell(Asked("sweep"))
    assert bench.tell(Lost("b")) == []
    bench.now += 0.7
    (load,) = bench.join("b2")
    assert load.epoch == 2
    assert load.schedule.blocks_of("a") == before.blocks_of("a")
    assert load.schedule.blocks_of("b2") == before.blocks_of("b")
    assert bench.answer(load) == [Renewed(2, in_order(2, LOADING))]


def test_without_a_successor_the_others_take_over_after_the_grace(bench):
    bench.tell(Lost("b"))
    assert bench.coordinator.deadline == PATIENCE.grace
    (load,) = bench.wait()
    assert load.schedule.hosts == ("a",)
    bench.answer(load)
    assert bench.tell(Asked("sweep")) == [Renewed(2, in_order(2, LOADING))]


def test_a_spare_takes_over_at_once(bench):
    assert bench.join("c") == []
    (load,) = bench.tell(Lost("a"))
    assert load.schedule.hosts == ("b", "c")


def test_a_survivor_that_is_left_without_blocks_is_told_to_drop_its_own():
    needs = Needs((Burden(4, 5), Burden(2, 6), Burden(3, 1)), 0, 4)
    coordinator = Coordinator(needs, PATIENCE, 0.0)
    told = []
    for name, memory in [("a", 10), ("b", 4), ("c", 5), ("d", 11)]:
        told += coordinator.handle(Joined(Host(name, memory)), 0.0)
    assert told[0].schedule.owners == ("a", "d", "b")
    coordinator.handle(Lost("d"), 0.0)
    told = coordinator.handle(Tick(), PATIENCE.grace)
    assert told[1].schedule.owners == ("c", "a", "a")
    assert told[0] == Drop(2, ("b",))


def test_blocks_that_went_away_and_came_back_have_to_be_read_again():
    members, burdens = Members(), [Burden(1, 100)] * 3
    first, second = Schedule(("a", "a", "b")), Schedule(("a", "b", "b"))
    assert members.begin(first, burdens) == {"a": 200, "b": 100}
    for name in "ab":
        members.has_loaded(name, first.blocks_of(name))
    assert members.begin(first, burdens) == {"a": 0, "b": 0}
    assert members.begin(second, burdens) == {"a": 0, "b": 100}
    assert members.begin(first, burdens) == {"a": 100, "b": 0}


def test_a_lost_spare_is_no_loss(bench):
    bench.join("c")
    assert bench.tell(Lost("c")) == []
    assert bench.coordinator.phase is Phase.READY


def test_the_last_worker_may_be_lost_if_another_comes():
    bench = Bench(wanted=1).ready("a")
    bench.tell(Asked("sweep"))
    assert bench.tell(Lost("a")) == bench.wait() == []
    bench.now += 20.0
    (load,) = bench.join("z")
    assert bench.answer(load) == [Renewed(2, in_order(2, LOADING))]


def test_after_all_were_lost_the_first_to_return_waits_a_little_for_the_others(bench):
    bench.tell(Lost("a"))
    bench.tell(Lost("b"))
    bench.wait()
    bench.now = 20.0
    assert bench.join("c") == []
    assert bench.coordinator.deadline == 20.0 + PATIENCE.grace
    (load,) = bench.join("d")
    assert load.schedule.hosts == ("c", "d")


def test_a_job_outlives_all_its_workers_for_a_while_only(bench):
    bench.tell(Lost("a"))
    bench.tell(Lost("b"))
    assert bench.wait() == []
    assert "the job can be resumed" in the_error(bench.wait())
    assert bench.now == PATIENCE.gathering


def test_blocks_that_the_others_cannot_hold_wait_for_a_worker_and_then_are_refused():
    bench = Bench(memory=300).ready("a", "b")
    bench.tell(Lost("b"))
    assert bench.wait() == []
    assert bench.coordinator.deadline == PATIENCE.gathering
    told = bench.wait()
    assert "use 2 workers of 300 bytes" in the_error(told, DoesNotFitError)
    assert told[0] == Drop(1, ("a",))


def test_a_worker_lost_while_blocks_are_loaded_is_replaced_too():
    bench = Bench()
    bench.join("a", "b")
    bench.tell(Lost("a"))
    (load,) = bench.join("c")
    assert load.epoch == 2
    assert bench.answer(load) == []
    assert bench.tell(Asked("begin")) == [Renewed(2, in_order(2, LOADING))]


# ---- Hanging


def test_the_only_silent_worker_of_a_step_is_evicted(bench):
    (ask,) = bench.tell(Asked("sweep"))
    bench.answer(ask, "a")
    assert bench.wait() == [Evict("b")]
    assert bench.now == ask.allowance == 10.0
    assert bench.join("b") == []  # it may still be heard of
    assert bench.tell(Lost("b")) == []
    assert kinds(bench.join("b")) == [Load]  # a new process at the old address


def test_of_several_silent_workers_the_roll_call_finds_the_one_that_hangs(bench):
    bench.tell(Asked("sweep"))
    (load,) = bench.wait()
    assert load.epoch == 2
    assert bench.answer(load, "b") == []
    before = bench.now
    assert bench.wait() == [Evict("a")]
    assert bench.now - before == PATIENCE.loading  # nothing had to be read


def test_loading_is_given_the_time_in_which_a_slow_disk_reads():
    bench = Bench(size=10**9)
    bench.join("a", "b")
    assert bench.coordinator.deadline == PATIENCE.loading + 3e9 / PATIENCE.loading_rate
    assert kinds(bench.wait()) == [Evict, Evict]


def test_loading_is_given_twice_the_time_after_a_miss_until_it_succeeds(bench):
    for _ in range(2):
        bench.tell(Asked("sweep"))
        (load,) = bench.wait()  # a roll call: nothing has to be read
        assert bench.coordinator.deadline == bench.now + PATIENCE.loading
        bench.answer(load, "a")
        assert bench.wait() == [Evict("b")]
        bench.tell(Lost("b"))
        (load,) = bench.join("b")
        assert bench.coordinator.deadline == bench.now + 2 * PATIENCE.loading
        bench.answer(load)


def test_steps_are_given_five_times_their_average_and_twice_that_after_a_miss(bench):
    for _ in range(20):
        (ask,) = bench.tell(Asked("sweep"))
        bench.now += 4.0
        bench.answer(ask)
    (ask,) = bench.tell(Asked("sweep"))
    assert ask.allowance == pytest.approx(20.0)
    (load,) = bench.wait()
    bench.answer(load)
    (ask,) = bench.tell(Asked("sweep"))
    assert ask.allowance == pytest.approx(40.0)


def test_the_first_step_of_an_epoch_is_given_the_time_to_compile():
    bench = Bench(patience=Patience()).ready("a", "b")
    (ask,) = bench.tell(Asked("sweep"))
    assert ask.allowance == Patience().first_step
    bench.answer(ask)
    (ask,) = bench.tell(Asked("sweep"))
    assert ask.allowance == Patience().step
    bench.tell(Lost("b"))
    bench.answer(*bench.join("c"))
    (ask,) = bench.tell(Asked("sweep"))
    assert ask.allowance == Patience().first_step


def test_a_tick_too_early_changes_nothing(bench):
    (ask,) = bench.tell(Asked("sweep"))
    bench.now = ask.allowance - 1e-6
    assert bench.tell(Tick()) == []
    assert kinds(bench.answer(ask)) == [Reply]


# ---- Workers that do not reach each other


def test_an_unreached_peer_gets_another_chance_and_then_is_evicted(bench):
    (ask,) = bench.tell(Asked("sweep"))
    (load,) = bench.tell(Unreached("a", 1, ask.number, ("b",)))
    assert load == Load(2, bench.coordinator.schedule)
    assert bench.answer(load) == [Renewed(2, in_order(2, LOADING))]
    (ask,) = bench.tell(Asked("sweep"))
    assert bench.tell(Unreached("a", 2, ask.number, ("b",))) == [Evict("b")]
    bench.tell(Lost("b"))
    (load,) = bench.join("b")  # a new process at the old address is innocent
    bench.answer(load)
    (ask,) = bench.tell(Asked("sweep"))
    assert kinds(bench.tell(Unreached("a", 3, ask.number, ("b",)))) == [Load]


def test_nobody_is_evicted_who_is_no_member(bench):
    for _ in range(3):
        (ask,) = bench.tell(Asked("sweep"))
        (load,) = bench.tell(Unreached("a", ask.epoch, ask.number, ("gone",)))
        bench.answer(load)


def test_a_step_taken_in_between_clears_the_peer(bench):
    for _ in range(20):
        (ask,) = bench.tell(Asked("sweep"))
        (load,) = bench.tell(Unreached("a", ask.epoch, ask.number, ("b",)))
        bench.answer(load)
        bench.step()


def test_who_cannot_reach_several_others_is_to_blame_itself():
    bench = Bench(wanted=3).ready("a", "b", "c")
    for expected in (Load, Evict):
        (ask,) = bench.tell(Asked("sweep"))
        told = bench.tell(Unreached("c", ask.epoch, ask.number, ("a", "b")))
        assert kinds(told) == [expected]
        if expected is Load:
            bench.answer(told[0])
    assert told == [Evict("c")]


def test_epochs_without_a_step_come_to_an_end(bench):
    for _ in range(PATIENCE.most_epochs):
        (ask,) = bench.tell(Asked("sweep"))
        told = bench.tell(Unreached("a", ask.epoch, ask.number))
        if isinstance(told[0], Load):
            bench.answer(told[0])
    assert "8 placements of blocks in a row led to no step taken" in the_error(told)
    assert told[0] == Drop(bench.coordinator.epoch, ("a", "b"))
    assert bench.coordinator.epoch == PATIENCE.most_epochs


# ---- Newcomers


def missing_one():
    """Three workers where four are wanted."""
    bench = Bench(wanted=4, blocks=12)
    bench.join("a", "b", "c")
    (load,) = bench.wait()
    bench.answer(load)
    bench.tell(Asked("begin"))
    return bench


def test_a_newcomer_that_was_wanted_gets_blocks_between_two_steps():
    bench = missing_one()
    (ask,) = bench.tell(Asked("sweep"))
    assert bench.join("d") == []
    bench.now += PATIENCE.rejoining
    assert kinds(bench.answer(ask)) == [Reply]
    (load,) = bench.tell(Asked("sweep"))
    assert load.schedule.hosts == ("a", "b", "c", "d")
    assert bench.answer(load) == [Renewed(2, tuple((block, 2, LOADING) for block in range(12)))]


def test_newcomers_do_not_begin_epochs_too_often_nor_before_a_step_is_taken():
    bench = missing_one()
    bench.now += 100.0
    bench.join("d")
    assert kinds(bench.tell(Asked("sweep"))) == [Ask]
    bench = missing_one()
    bench.step()
    bench.join("d")
    assert kinds(bench.tell(Asked("sweep"))) == [Ask]


def test_a_newcomer_that_could_take_nothing_off_the_others_begins_no_epoch():
    bench = Bench(wanted=3, blocks=2)
    bench.join("a", "b")
    (load,) = bench.wait()
    bench.answer(load)
    bench.tell(Asked("begin"))
    bench.step()
    bench.now += 100.0
    bench.join("c")
    bench.step()
    assert bench.coordinator.epoch == 1


def test_a_job_with_fewer_workers_than_wanted_waits_only_for_the_successor_of_a_lost_one():
    bench = missing_one()
    assert bench.tell(Lost("b")) == []
    (load,) = bench.join("d")
    assert load.schedule.hosts == ("a", "c", "d")


# ---- Endings


def test_an_error_of_the_table_ends_the_job_as_it_is(bench):
    (ask,) = bench.tell(Asked("sweep"))
    error = DamagedError("block 3 was altered", where="t")
    assert bench.tell(Failed("a", 1, ask.number, error)) == [Drop(1, ("a", "b")), Refuse(error)]


def test_any_other_error_ends_the_job_naming_worker_and_step(bench):
    (ask,) = bench.tell(Asked("sweep"))
    error = the_error(bench.tell(Failed("a", 1, ask.number, ZeroDivisionError("0"))))
    assert "a failed in step 'sweep': ZeroDivisionError('0')" in error
    bench = Bench()
    bench.join("a", "b")
    assert "b failed in loading" in the_error(bench.tell(Failed("b", 1, LOADING, OSError(5))))


def reach(phase):
    bench = Bench()
    if phase is Phase.GATHERING:
        return bench
    if phase is Phase.LOADING:
        bench.join("a", "b")
        return bench
    bench.ready("a", "b")
    if phase is Phase.ASKING:
        bench.tell(Asked("sweep"))
    return bench


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.ENDED])
@pytest.mark.parametrize(
    ("event", "last"), [(CancelAsked(), [Cancelled()]), (Finished(), []), (Superseded(), None)]
)
def test_an_ending_takes_effect_in_every_phase_and_is_final(phase, event, last):
    bench = reach(phase)
    assert bench.coordinator.phase is phase
    told = bench.tell(event)
    if last is None:
        assert told == [StoodDown()]
    else:
        dropped = [] if phase is Phase.GATHERING else [Drop(1, ("a", "b"))]
        assert told == dropped + last
    assert bench.coordinator.phase is Phase.ENDED
    assert bench.coordinator.deadline is None
    for late in (Tick(), Asked("sweep"), Joined(Host("c")), Lost("a"), CancelAsked()):
        assert bench.tell(late) == []


def test_a_survivor_that_waits_for_a_successor_is_told_to_drop_its_blocks(bench):
    bench.tell(Lost("a"))
    assert bench.tell(CancelAsked()) == [Drop(1, ("b",)), Cancelled()]


def test_epochs_go_on_from_those_of_an_earlier_coordinator():
    coordinator = Coordinator(Needs((Burden(1, 1),), 0, 1), PATIENCE, 0.0, epoch=41)
    (load,) = coordinator.handle(Joined(Host("a")), 0.0)
    assert load.epoch == 42


@pytest.mark.parametrize("needs", [((), 0, 1), ((Burden(1, 1),), 0, 0)])
def test_a_job_needs_a_block_and_a_worker(needs):
    with pytest.raises(WrongUsageError, match="at least one is needed of each"):
        Needs(*needs)


def calls_of_ten_rounds(workers):
    """How many functions are called, Python's and those in C."""
    seen = []

    def calls(rounds):
        seen.clear()
        sys.setprofile(lambda frame, event, argument: seen.append(event))
        try:
            coordination(workers, 16, rounds)
        finally:
            sys.setprofile(None)
        return sum(event in ("call", "c_call") for event in seen)

    return calls(11) - calls(1)


def test_a_round_costs_no_more_than_in_proportion_to_workers():
    small, large = calls_of_ten_rounds(100), calls_of_ten_rounds(400)
    assert 10 * 100 < small < large < 4.1 * small


# ---- Anything may happen


class AnyCluster(RuleBasedStateMachine):
    """Workers that obey, die, hang, are cut off and return; messages late, repeated or never read.

    Judged: every ask is replied to once, for the epoch in force and all blocks in order; somebody
    is always waited for until some time; and once nothing happens any more, the job goes on.
    """

    @initialize(
        wanted=st.integers(1, 4),
        memory=st.sampled_from([None, None, 300, 700]),
        first=st.integers(0, 5),
        last=st.sampled_from([None, None, None, (9, CancelAsked()), (14, Superseded())]),
    )
    def begin(self, wanted, memory, first, last):
        self.now, self.memory = 0.0, memory
        burdens = tuple(Burden(10 + block, 100) for block in range(BLOCKS))
        self.coordinator = Coordinator(Needs(burdens, 0, wanted), PATIENCE, 0.0)
        self.alive, self.hung = {}, set()  # alive: the epoch by address
        self.mail, self.past, self.told = [], [], 0
        self.epoch = self.steps = self.born = 0
        self.is_asking, self.ending = False, None
        self.last = last  # after how many events somebody ends the job
        for _ in range(first):
            self.a_worker_starts()

    # -- what happens

    @rule()
    def a_worker_starts(self):
        self.born += 1
        name = f"w{self.born:03}"
        self.alive[name] = 0
        self.mail.append(Joined(Host(name, self.memory)))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), is_replaced=st.booleans())
    def a_worker_dies(self, data, is_replaced):
        name = data.draw(st.sampled_from(sorted(self.alive)))
        self.end_process(name)
        if is_replaced:
            self.a_worker_starts()

    @precondition(lambda self: set(self.alive) - self.hung)
    @rule(data=st.data())
    def a_worker_hangs(self, data):
        self.hung.add(data.draw(st.sampled_from(sorted(set(self.alive) - self.hung))))

    @precondition(lambda self: self.mail)
    @rule(data=st.data(), is_repeated=st.booleans())
    def a_message_comes(self, data, is_repeated):
        place = data.draw(st.integers(0, len(self.mail) - 1))
        if isinstance(self.mail[place], Joined | Lost):  # the cluster tells them in order
            place = next(n for n, m in enumerate(self.mail) if isinstance(m, Joined | Lost))
        event = self.mail.pop(place)
        self.past.append(event)
        self.tell(event)
        if is_repeated and not isinstance(event, Joined | Lost):
            self.tell(event)

    @rule(rounds=st.integers(1, 4))
    def all_goes_well_for_a_while(self, rounds):
        for _ in range(rounds):
            self.all_messages_come()
            if not self.is_asking and self.ending is None:
                self.the_solver_asks()
        self.all_messages_come()

    def all_messages_come(self):
        while self.mail:
            self.past.append(self.mail[0])
            self.tell(self.mail.pop(0))

    @precondition(lambda self: self.past)
    @rule(data=st.data())
    def an_old_answer_comes_again(self, data):
        event = data.draw(st.sampled_from(self.past))
        if not isinstance(event, Joined | Lost):
            self.tell(event)

    @precondition(lambda self: not self.is_asking and self.ending is None)
    @rule()
    def the_solver_asks(self):
        self.is_asking = True
        self.tell(Asked("sweep"))

    @rule(seconds=st.sampled_from([0.1, 1.0, 3.0]))
    def time_passes(self, seconds):
        self.now += seconds
        self.tell(Tick())

    @precondition(lambda self: self.coordinator.deadline is not None and not self.mail)
    @rule()
    def a_deadline_comes(self):
        self.now = max(self.now, self.coordinator.deadline)
        self.tell(Tick())

    @precondition(lambda self: self.coordinator.phase is Phase.ASKING)
    @rule(data=st.data())
    def a_worker_cannot_reach_peers(self, data):
        hosts = self.coordinator.schedule.hosts
        name = data.draw(st.sampled_from(hosts))
        peers = data.draw(st.lists(st.sampled_from(hosts), unique=True, max_size=2))
        number = self.coordinator._number
        event = Unreached(name, self.coordinator.epoch, number, tuple(set(peers) - {name}))
        self.mail = [
            m
            for m in self.mail
            if getattr(m, "address", "") != name or isinstance(m, Joined | Lost)
        ]
        self.tell(event)

    # -- how the cluster obeys

    def end_process(self, name):
        del self.alive[name]
        self.hung.discard(name)
        self.mail = [m for m in self.mail if getattr(m, "address", "") != name]
        self.mail.append(Lost(name))

    def tell(self, event):
        self.told += 1
        if self.last and self.told == self.last[0]:
            self.tell(self.last[1])
        was_ended = self.ending is not None
        for told in self.coordinator.handle(event, self.now):
            assert not was_ended
            self.obey(told)

    def obey(self, told):
        match told:
            case Load():
                assert told.epoch == self.coordinator.epoch > self.epoch
                self.epoch = told.epoch
                self.check_memory(told.schedule)
                for name in told.schedule.hosts:
                    self.work(name, told.epoch, LOADING)
            case Ask():
                assert told.epoch == self.epoch
                for name in told.addresses:
                    self.work(name, told.epoch, told.number)
            case Evict():
                if told.address in self.alive:
                    self.end_process(told.address)
                    self.a_worker_starts()
            case Drop():
                assert told.addresses
            case Reply() | Renewed():
                self.check_reply(told)
            case Refuse() | Cancelled() | StoodDown():
                assert self.ending is None
                self.ending, self.is_asking = told, False

    def work(self, name, epoch, number):
        if name not in self.alive or name in self.hung:
            return
        if number == LOADING:
            self.alive[name] = epoch
        assert self.alive[name] == epoch
        blocks = self.coordinator.schedule.blocks_of(name)
        said = [(block, epoch, number) for block in blocks]
        self.mail.append(Answered(name, epoch, number, said))

    def check_reply(self, told):
        assert self.is_asking
        self.is_asking = False
        blocks, epochs, numbers = zip(*told.answers, strict=True)
        assert blocks == tuple(range(BLOCKS))
        assert set(epochs) == {self.epoch}
        assert len(set(numbers)) == 1
        assert (numbers[0] == LOADING) == isinstance(told, Renewed)
        self.steps += isinstance(told, Reply)

    def check_memory(self, schedule):
        for name in schedule.hosts:
            assert 100 * len(schedule.blocks_of(name)) <= (self.memory or math.inf)

    # -- what always holds

    @invariant()
    def somebody_is_waited_for(self):
        coordinator = getattr(self, "coordinator", None)
        if coordinator is None or coordinator.phase is Phase.ENDED:
            return
        if coordinator.phase is Phase.READY:
            assert not self.is_asking  # it is the solver's turn
        else:
            assert coordinator.deadline is not None

    @invariant()
    def an_end_has_a_name(self):
        if getattr(self, "coordinator", None) and self.coordinator.phase is Phase.ENDED:
            assert self.ending is not None
            if isinstance(self.ending, Refuse):
                assert isinstance(self.ending.error, ClusterError | DoesNotFitError)

    def teardown(self):
        """Once the cluster is left alone, the solver's next ten asks lead to steps or to an end."""
        if not hasattr(self, "coordinator"):
            return
        if self.ending is None and not set(self.alive) - self.hung:
            self.a_worker_starts()
        before, turns = self.steps, 0
        while self.ending is None and self.steps < before + 10:
            turns += 1
            assert turns < 200, "no headway"
            if self.mail:
                self.tell(self.mail.pop(0))
            elif not self.is_asking:
                self.the_solver_asks()
            else:
                self.now = max(self.now, self.coordinator.deadline)
                self.tell(Tick())
        if isinstance(self.ending, Refuse):
            is_small = self.memory is not None and self.memory < 100 * BLOCKS
            assert is_small or isinstance(self.ending.error, ClusterError)
        if self.ending is None:
            self.tell(Finished())
            assert self.coordinator.phase is Phase.ENDED


TestAnyCluster = AnyCluster.TestCase
TestAnyCluster.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
