"""How a failure becomes one line, a JSON object and an exit code: here and nowhere else."""

import errno
import os

import click

from ogas.cluster import answer
from ogas.cluster.answer import Answer


def failure(code: int, words: tuple[str, str, str]) -> Answer:
    """Return a failure as an answer: one line on stderr, and the JSON that CONTRACT fixes."""
    message, where, advice = (" ".join(part.split()) for part in words)
    outcome = "cancelled" if code == answer.INTERRUPTED else "error"
    facts = {"outcome": outcome, "code": code, "message": message}
    line = (f"{where}: {message}" if where else message) + (f"; {advice}" if advice else "")
    return Answer(facts | {"where": where, "advice": advice}, lambda: None, code, line)


def told(error: Exception) -> tuple[int, tuple[str, str, str]]:
    """Return the exit code of an error, and its message, place and advice."""
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        advice = f"see `{context.command_path} --help`" if context else "see `ogas --help`"
        return answer.WRONG_USAGE, (error.format_message().rstrip("."), "", advice)
    from ogas.cluster.jobs.lease import LostLeaseError
    from ogas.engine import errors

    if isinstance(error, errors.PlanError):
        codes: dict[type[Exception], int] = {
            errors.WrongUsageError: answer.WRONG_USAGE,
            errors.NotProductiveError: answer.NOT_PRODUCTIVE,
            errors.NotProvenError: answer.NOT_REACHED,
            errors.DoesNotFitError: answer.DOES_NOT_FIT,
            errors.LockedError: answer.LOCKED,
            ConnectionError: answer.CLUSTER_FAILURE,
            LostLeaseError: answer.CLUSTER_FAILURE,
        }
        found = (code for kind, code in codes.items() if isinstance(error, kind))
        return next(found, answer.DAMAGED), (error.message, error.where, error.advice)
    if isinstance(error, MemoryError):
        advice = "use a machine with more, or a smaller table"
        return answer.DOES_NOT_FIT, ("not enough memory", "", advice)
    if isinstance(error, OSError):
        return _told_by_the_system(error)
    if os.environ.get("OGAS_DEBUG"):
        raise error
    advice = "this is a defect of ogas; OGAS_DEBUG=1 shows where it happened"
    return 1, (f"{type(error).__name__}: {error}", "", advice)


def _told_by_the_system(error: OSError) -> tuple[int, tuple[str, str, str]]:
    reasons = {errno.EEXIST: "a file stands here", errno.ENOTDIR: "this is not a folder"}
    reason = reasons.get(error.errno or 0, error.strerror or str(error))
    where = str(error.filename or "")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return answer.DAMAGED, ("the disk is full", where, "free some space and repeat")
    return answer.WRONG_USAGE, (reason, where, "check the path and its permissions")
