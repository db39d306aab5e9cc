"""The coordinator of one job: events in, instructions out, with no network and no clock.

                      enough workers            all have loaded
      ┌─► gathering ─────────────────► loading ─────────────────► ready ◄───────┐
      │       ▲                           │                       │ Asked       │ all have
      │       └── a worker is lost ◄──────┴───────────────────────┤             │ answered
      │           or hung: without it,                            ▼             │
      └────────── in a new epoch  ◄──────────────────────────── asking ─────────┘

Every epoch is announced to the solver once, the first included: `Renewed` is the reply to what it
asks next, or is waiting for, and no step is taken then. Else the reply is `Reply`. An iteration
that contracts may begin from any state, so that a new epoch costs no more than the pass it breaks
off, and what has to be read again.

Laws, for any order of events:

- an ask is replied to in the epoch in force, or the job ends with a name: Refuse, Cancelled,
  StoodDown;
- while somebody else than the solver is waited for, there is a deadline;
- there are at most ``Patience.most_epochs`` epochs in a row without a step taken;
- after the end nothing is said any more.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ogas.cluster.runtime import events
from ogas.cluster.runtime.errors import ClusterError
from ogas.cluster.runtime.events import Event, Instruction
from ogas.cluster.runtime.members import Members
from ogas.cluster.runtime.patience import Muster, Pace, Patience
from ogas.cluster.runtime.poll import Poll
from ogas.cluster.runtime.schedule import Burden, Schedule, place, place_streaming
from ogas.engine.errors import DoesNotFitError, PlanError, WrongUsageError


class Phase(Enum):
    """What is waited for."""

    GATHERING = "workers"
    LOADING = "workers that read their blocks"
    READY = "the solver"
    ASKING = "workers that take a step"
    ENDED = "nothing"


@dataclass(frozen=True)
class Needs:
    """What a job takes.

    Attributes
    ----------
    burdens : tuple of Burden
        Of every block; at least one.
    common_bytes : int
        Of every worker, besides its blocks.
    wanted : int
        Workers; others are spares, unless the table does not fit without them.
    rooms : int
        Bytes of every worker that reads blocks again for every pass.
    """

    burdens: tuple[Burden, ...]
    common_bytes: int
    wanted: int
    rooms: int = 0

    def __post_init__(self) -> None:
        if not self.burdens or self.wanted < 1:
            blocks, workers = f"{len(self.burdens)} blocks", f"{self.wanted} workers"
            raise WrongUsageError(f"{blocks} on {workers}", advice="at least one is needed of each")


class Coordinator:
    """The state machine above.

    Parameters
    ----------
    needs : Needs
    patience : Patience
    now : float
        Seconds, from any beginning.
    epoch : int
        The last one of an earlier coordinator of this job.
    earlier : Schedule or None
        Who still holds blocks that it had loaded; an empty address for blocks that nobody has.
    """

    def __init__(
        self,
        needs: Needs,
        patience: Patience,
        now: float,
        epoch: int = 0,
        earlier: Schedule | None = None,
    ) -> None:
        self.needs, self.patience = needs, patience
        self.epoch = epoch
        self.phase = Phase.GATHERING
        self.schedule: Schedule | None = None
        self._earlier = earlier
        self._members = Members()
        self._pace = Pace(patience)
        until = now + patience.gathering
        self._muster = Muster(needs.wanted, until, until)
        self._poll: Poll | None = None
        self._pending: events.Asked | None = None
        self._facts: tuple[Any, ...] | None = None  # of an epoch not yet announced
        self._number = events.LOADING
        self._epochs = 0  # since a step was taken
        self._suspects: set[str] = set()  # since a step was taken
        self._began = self._step_began = now
        self._has_newcomers = False
        self.loading_seconds = 0.0  # of the latest epoch

    @property
    def deadline(self) -> float | None:
        """When a Tick is due at the latest; None while only the solver is waited for."""
        if self.phase is Phase.GATHERING:
            return self._muster.until
        return None if self._poll is None else self._poll.deadline

    def handle(self, event: Event, now: float) -> list[Instruction]:
        """Take note of what happened, and return what is to be done, in this order."""
        if self.phase is Phase.ENDED:
            return []
        return HANDLERS[type(event)](self, event, now)

    # ---- Workers come and go

    def _joined(self, event: events.Joined, now: float) -> list[Instruction]:
        if not self._members.join(event.host):
            return []
        self._has_newcomers = True
        if self.phase is not Phase.GATHERING:
            return []
        self._muster.hasten(now + self.patience.grace)
        return self._try_to_begin(now)

    def _lost(self, event: events.Lost, now: float) -> list[Instruction]:
        before = len(self._members)
        self._members.leave(event.address)
        return self._go_on_without([event.address], before, now)

    def _evict(self, addresses: Iterable[str], now: float) -> list[Instruction]:
        before, hung = len(self._members), sorted(addresses)
        for address in hung:
            self._members.evict(address)
        self._suspects.difference_update(hung)
        evictions: list[Instruction] = [events.Evict(address) for address in hung]
        return evictions + self._go_on_without(hung, before, now)

    def _go_on_without(self, gone: list[str], before: int, now: float) -> list[Instruction]:
        """Wait a little for successors, unless there are spares, and begin a new epoch."""
        schedule = self.schedule
        if self.phase is Phase.GATHERING or schedule is None:
            return []
        if not any(schedule.blocks_of(address) for address in gone):
            return []
        return self._gather(min(self.needs.wanted, before), now)

    def _gather(self, enough: int, now: float) -> list[Instruction]:
        patience = self.patience
        self.phase, self._poll = Phase.GATHERING, None
        self._muster = Muster(enough, now + patience.grace, now + patience.gathering)
        return self._try_to_begin(now)

    def _try_to_begin(self, now: float) -> list[Instruction]:
        """Begin an epoch if workers are enough, or time is up."""
        muster, count = self._muster, len(self._members)
        if muster.is_over(count, now):
            try:
                return self._begin(self._placed(), now)
            except DoesNotFitError as error:
                # Only who is not yet there can help.
                if count >= self.needs.wanted or muster.is_given_up(now):
                    return self._refuse(error)
        elif muster.is_given_up(now):
            seconds = f"{self.patience.gathering:g} s"
            return self._refuse(_resumable(f"no worker was there for {seconds}", "start workers"))
        muster.prolong(now)
        return []

    # ---- Epochs

    def _placed(self) -> Schedule:
        """Place blocks on as many workers as are wanted, or on all if they do not fit else.

        Where they do not fit even so, some are read again for every pass.
        """
        needs, everyone = self.needs, list(self._members.hosts.values())
        earlier, common = self.schedule or self._earlier, needs.common_bytes
        chosen = self._members.chosen(earlier, needs.wanted)
        for hosts in (chosen, everyone):
            with suppress(DoesNotFitError):
                return place(needs.burdens, hosts, common_bytes=common, earlier=earlier)
        common += needs.rooms
        return place_streaming(needs.burdens, everyone, common_bytes=common, earlier=earlier)

    def _begin(self, schedule: Schedule, now: float) -> list[Instruction]:
        """Have blocks loaded in a new epoch."""
        self._epochs += 1
        if self._epochs > self.patience.most_epochs:
            told = f"{self.patience.most_epochs} placements of blocks in a row led to no step taken"
            return self._refuse(_resumable(told, "see the logs of the workers"))
        self.epoch += 1
        self.phase, self.schedule = Phase.LOADING, schedule
        self._has_newcomers, self._began = False, now
        self._pace.begin_epoch()
        idle = self._members.dismissed(schedule)
        unread = self._members.begin(schedule, self.needs.burdens)
        until = {address: now + self._pace.loading(size) for address, size in unread.items()}
        self._poll = Poll(self.epoch, events.LOADING, "", schedule, until)
        dropped: list[Instruction] = [events.Drop(self.epoch, idle)] if idle else []
        return [*dropped, events.Load(self.epoch, schedule)]

    def _spread(self, now: float) -> list[Instruction] | None:
        """Begin an epoch if newcomers can take something off the others."""
        assert self.schedule is not None
        # A step must have been taken since the last epoch, or newcomers could keep the job from
        # making any headway.
        if not self._has_newcomers or self._epochs > 0:
            return None
        if now < self._began + self.patience.rejoining:
            return None
        self._has_newcomers = False
        if len(self.schedule.hosts) >= self.needs.wanted:
            return None
        schedule = self._placed()
        return None if schedule == self.schedule else self._begin(schedule, now)

    # ---- Steps

    def _asked(self, event: events.Asked, now: float) -> list[Instruction]:
        if self._pending is not None:
            raise RuntimeError(f"{event.step!r} was asked while {self._pending.step!r} is pending")
        self._pending = event
        if self.phase is not Phase.READY:
            return []
        if self._facts is not None:
            return self._announce(self._facts)
        spread = self._spread(now)
        return self._ask(event, now) if spread is None else spread

    def _ask(self, asked: events.Asked, now: float) -> list[Instruction]:
        schedule = self.schedule
        assert schedule is not None
        self._number += 1
        self.phase, self._step_began = Phase.ASKING, now
        allowance = self._pace.allowance(asked.step)
        until = dict.fromkeys(schedule.hosts, now + allowance)
        self._poll = Poll(self.epoch, self._number, asked.step, schedule, until)
        names = asked.step, asked.arguments, schedule.hosts
        return [events.Ask(self.epoch, self._number, *names, allowance)]

    def _answered(self, event: events.Answered, now: float) -> list[Instruction]:
        poll = self._awaiting(event)
        if poll is None:
            return []
        blocks = poll.schedule.blocks_of(event.address)
        if len(event.answer) != len(blocks):
            told = f"{event.address} answered for {len(event.answer)} of its {len(blocks)} blocks"
            return self._refuse(_resumable(told, "run the same version everywhere"))
        poll.take(event.address, event.answer)
        if self.phase is Phase.LOADING:
            self._members.has_loaded(event.address, blocks)
        if not poll.is_complete:
            return []
        return self._loaded(poll, now) if self.phase is Phase.LOADING else self._taken(poll, now)

    def _loaded(self, poll: Poll, now: float) -> list[Instruction]:
        self._pace.loaded()
        self.loading_seconds = now - self._began
        self.phase, self._poll, self._facts = Phase.READY, None, poll.answers()
        return [] if self._pending is None else self._announce(self._facts)

    def _announce(self, facts: tuple[Any, ...]) -> list[Instruction]:
        self._pending, self._facts = None, None
        return [events.Renewed(self.epoch, facts)]

    def _taken(self, poll: Poll, now: float) -> list[Instruction]:
        self._pace.took(poll.step, now - self._step_began)
        self.phase, self._poll, self._pending = Phase.READY, None, None
        self._epochs = 0
        self._suspects.clear()
        return [events.Reply(poll.answers())]

    # ---- What goes wrong

    def _awaiting(self, event: events.Answered | events.Failed | events.Unreached) -> Poll | None:
        """Return the question that this is the first answer of this worker to, if there is one."""
        poll = self._poll
        if poll is None or not poll.awaits(event.address, event.epoch, event.number):
            return None
        return poll

    def _failed(self, event: events.Failed, now: float) -> list[Instruction]:
        poll = self._awaiting(event)
        if poll is None:
            return []
        if isinstance(event.error, PlanError):
            return self._refuse(event.error)
        doing = f"step {poll.step!r}" if poll.step else "loading"
        told = f"{event.address} failed in {doing}: {event.error!r}"
        return self._refuse(_resumable(told, "see its log"))

    def _unreached(self, event: events.Unreached, now: float) -> list[Instruction]:
        """Try again in a new epoch, and evict who is to blame for the second time."""
        poll = self._awaiting(event)
        if poll is None:
            return []
        peers = {peer for peer in event.peers if peer in self._members.hosts}
        # All who answered Load are alive: who cannot reach several of them is cut off itself.
        blamed = {event.address} if len(peers) > 1 else peers
        again = blamed & self._suspects
        self._suspects |= blamed
        return self._evict(again, now) if again else self._gather(1, now)

    def _tick(self, event: events.Tick, now: float) -> list[Instruction]:
        if self.deadline is None or now < self.deadline:
            return []
        if self._poll is None:
            return self._try_to_begin(now)
        late = self._poll.overdue(now)
        if not late:
            return []
        self._pace.missed(self._poll.step)
        # In a step those who wait for a hung worker are silent like it. Then Load is the roll call:
        # it is answered at once by those who are alive and hold their blocks.
        if self.phase is Phase.ASKING and len(late) > 1:
            return self._gather(1, now)
        return self._evict(late, now)

    # ---- Endings

    def _refuse(self, error: Exception) -> list[Instruction]:
        return self._end(events.Refuse(error))

    def _canceled(self, event: events.CancelAsked, now: float) -> list[Instruction]:
        return self._end(events.Cancelled())

    def _finished(self, event: events.Finished, now: float) -> list[Instruction]:
        return self._end()

    def _superseded(self, event: events.Superseded, now: float) -> list[Instruction]:
        # Workers belong to the other one now, and a later Drop could reach them first.
        self._members.held.clear()
        return self._end(events.StoodDown())

    def _end(self, *last: Instruction) -> list[Instruction]:
        holders = tuple(sorted(self._members.held))
        self.phase, self._poll, self._pending, self._facts = Phase.ENDED, None, None, None
        dropped: list[Instruction] = [events.Drop(self.epoch, holders)] if holders else []
        return [*dropped, *last]


def _resumable(message: str, advice: str) -> ClusterError:
    return ClusterError(message, advice=f"{advice}; the job can be resumed")


HANDLERS: dict[type[Event], Callable[[Coordinator, Any, float], list[Instruction]]] = {
    events.Joined: Coordinator._joined,
    events.Lost: Coordinator._lost,
    events.Answered: Coordinator._answered,
    events.Failed: Coordinator._failed,
    events.Unreached: Coordinator._unreached,
    events.Asked: Coordinator._asked,
    events.Finished: Coordinator._finished,
    events.Tick: Coordinator._tick,
    events.CancelAsked: Coordinator._canceled,
    events.Superseded: Coordinator._superseded,
}
