"""How far a job is: one frozen view, put together from the files of the job's directory.

    state.json       queued | running | ended, and how; every change is forced to the disk
    progress.json    round, figures, workers; replaced quickly and often, may be lost
    cancel           is there if somebody asked for an end

What CONTRACT fixes as the JSON of ``status`` is `State.json`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ogas.cluster import answer
from ogas.cluster.jobs.files import DAMAGE_ADVICE, read_record
from ogas.engine.errors import DamagedError, WrongUsageError

STATES = ("queued", "running", "certified", "failed", "cancelled")
ENDED = frozenset({"certified", "failed", "cancelled"})
# Known from elsewhere than state.json: the folder's name, the clock, the file `cancel`.
DERIVED = ("job", "elapsed", "asked_to_cancel")

_CODES = {
    "certified": answer.CERTIFIED,
    "not_productive": answer.NOT_PRODUCTIVE,
    "precision_not_reached": answer.NOT_REACHED,
    "cancelled": answer.INTERRUPTED,
}


@dataclass(frozen=True)
class Progress:
    """Where the computation is.

    Attributes
    ----------
    round : int
        Rounds of sweeps so far, those before a restart from a checkpoint included.
    digits_now : int or None
        Figures that the last look showed; None before the first.
    workers : int
        Workers that hold blocks.
    digits_expected : float
        Figures that a certificate would prove now, by the solver's forecast.
    """

    round: int = 0
    digits_now: int | None = None
    workers: int = 0
    digits_expected: float = 0.0


@dataclass(frozen=True)
class State:
    """What is known of a job at one moment.

    Attributes
    ----------
    job : str
        Its id.
    state : str
        ``queued``, ``running``, ``certified``, ``failed`` (any other ending) or ``cancelled``.
    submitted, started, ended : str
        UTC, ISO 8601; None for what has not happened. ``started`` is when it was begun first.
    outcome : str or None
        The word of the result: ``certified``, ``not_productive``, ``error`` ...
    code : int or None
        The exit code of the job, once it has ended.
    message, where, advice : str
        What went wrong, if something did.
    round, digits_now, workers, digits_expected
        See `Progress`.
    elapsed : float
        Seconds since it was started, or until it ended.
    attempts : int
        How often a coordinator has begun it.
    scheduler : str or None
        Address of the scheduler it was given to last.
    asked_to_cancel : bool
    """

    job: str
    state: Literal["queued", "running", "certified", "failed", "cancelled"]
    submitted: str
    started: str | None = None
    ended: str | None = None
    outcome: str | None = None
    code: int | None = None
    message: str = ""
    where: str = ""
    advice: str = ""
    round: int = 0
    digits_now: int | None = None
    workers: int = 0
    digits_expected: float = 0.0
    elapsed: float = 0.0
    attempts: int = 0
    scheduler: str | None = None
    asked_to_cancel: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen, unless somebody asks for it."""
        return self.state in ENDED

    def reached(self) -> list[str]:
        """Say how far the computation is: round and figures; nothing before it was begun.

        >>> State("night-7", "running", "", started="", round=1200, digits_now=2).reached()
        ['round 1,200', '2 figures certified']
        """
        if self.started is None or not self.round:
            return []
        digits = self.digits_now or 0
        told = [f"round {self.round:,}", f"{digits} figure{'' if digits == 1 else 's'} certified"]
        if not self.has_ended and self.digits_expected > digits:
            told.append(f"about {self.digits_expected:.1f} expected")
        return told

    def check_resumable(self) -> None:
        """Refuse to begin a job again that came out as it should.

        Raises
        ------
        WrongUsageError
        """
        if self.state == "certified":
            raise WrongUsageError(
                "this job is certified; nothing is left to do",
                where=self.job,
                advice="`ogas result` prints what came out",
            )

    def json(self) -> dict[str, Any]:
        """Return the JSON object of ``status``."""
        return asdict(self)

    def record(self) -> dict[str, Any]:
        """Return what ``state.json`` holds."""
        return {name: value for name, value in asdict(self).items() if name not in DERIVED}

    def begun(self, time: str) -> "State":
        """Return the state after a coordinator began the job."""
        started = self.started or time
        return replace(self, state="running", started=started, attempts=self.attempts + 1)

    def queued_again(self, scheduler: str | None) -> "State":
        """Return the state of a job that is to be carried out once more."""
        fresh = State(self.job, "queued", self.submitted, scheduler=scheduler)
        return replace(fresh, attempts=self.attempts, round=self.round, digits_now=self.digits_now)

    def finished(self, facts: Mapping[str, Any], time: str) -> "State":
        """Return the state after the job came out as ``facts`` say; see `Job.end`."""
        outcome = str(facts["outcome"])
        ending: Any = outcome if outcome in ENDED else "failed"
        digits = facts.get("digits_certified")
        return replace(
            self,
            state=ending,
            ended=time,
            outcome=outcome,
            code=facts.get("code", _CODES.get(outcome, answer.CLUSTER_FAILURE)),
            digits_now=self.digits_now if digits is None else digits,
            message=str(facts.get("message") or ""),
            where=str(facts.get("where") or ""),
            advice=str(facts.get("advice") or ""),
        )


def read_state(path: Path) -> State:
    """Return the state of the job in the folder ``path``.

    Raises
    ------
    DamagedError
        If ``state.json`` is missing, altered, or of a newer version. Lost progress is not damage.
    """
    file = path / "state.json"
    found = read_record(file)
    known = {field.name for field in fields(State)} - set(DERIVED)
    if unknown := sorted(set(found) - known):
        raise DamagedError(
            f"written by a newer version: it tells of {', '.join(unknown)}",
            where=str(file),
            advice="upgrade ogas-engine",
        )
    try:
        stored = State(job=path.name, **found)
        elapsed = _elapsed(stored)
    except (TypeError, ValueError) as error:
        raise DamagedError(f"altered ({error})", where=str(file), advice=DAMAGE_ADVICE) from error
    if stored.state not in STATES:
        raise DamagedError(
            f"there is no state {stored.state!r}", where=str(file), advice=DAMAGE_ADVICE
        )
    stored = replace(stored, elapsed=elapsed, asked_to_cancel=(path / "cancel").exists())
    if stored.state != "running":
        return stored
    return replace(stored, **asdict(_progress(path, stored)))


def _progress(path: Path, stored: State) -> Progress:
    """Return the latest progress; what ``state.json`` says where a power cut took it."""
    try:
        return Progress(**read_record(path / "progress.json"))
    except (DamagedError, TypeError):
        return Progress(stored.round, stored.digits_now, stored.workers, stored.digits_expected)


def _elapsed(stored: State) -> float:
    """Return the seconds since the start; clocks that disagree do not make it negative."""
    if stored.started is None:
        return 0.0
    until = datetime.fromisoformat(stored.ended) if stored.ended else datetime.now(UTC)
    seconds = (until - datetime.fromisoformat(stored.started)).total_seconds()
    return max(0.0, round(seconds, 3))
