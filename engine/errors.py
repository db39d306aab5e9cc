"""What can go wrong, said once: what, where, and what to do about it.

Every exception of this project derives from `PlanError` and from the builtin a caller would expect.
Outcomes of a computation that ran (precision not reached, not productive) are not exceptions: see
`ogas.engine.outcome`.
"""

from typing import Any


class PlanError(Exception):
    """A failure with a place and a remedy, printed as one line.

    Parameters
    ----------
    message : str
        What is wrong, with the quantity and the culprit.
    where : str
        Product, block, file or row; empty if the message says it.
    advice : str
        What to do about it.
    """

    def __init__(self, message: str, *, where: str = "", advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.advice = advice

    def __str__(self) -> str:
        """Return ``where: message; advice`` without the parts that are empty."""
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}; {self.advice}" if self.advice else head

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive a trip between processes, keyword arguments included."""
        return _rebuild, (type(self), self.message, self.where, self.advice)


def _rebuild(kind: type[PlanError], message: str, where: str, advice: str) -> PlanError:
    return kind(message, where=where, advice=advice)


class WrongUsageError(PlanError, ValueError):
    """The request cannot be carried out as asked (exit code 2)."""


class InvalidInputError(PlanError, ValueError):
    """A table, a demand or a file says something impossible (exit code 5)."""


class DamagedError(PlanError, OSError):
    """Stored bytes are missing, altered, or of a newer format (exit code 5)."""


class DoesNotFitError(PlanError, MemoryError):
    """The work needs more memory than was allowed (exit code 6)."""


class LockedError(PlanError, BlockingIOError):
    """Another run is writing the same store (exit code 8)."""


class WitnessError(PlanError, ArithmeticError):
    """A witness without positive slack: with it, nothing can be promised."""


class NotProductiveError(PlanError, ArithmeticError):
    """Products use up at least as much of themselves as they make (exit code 3)."""


class NotProvenError(PlanError, ArithmeticError):
    """Nothing could be proven of what was asked for (exit code 4)."""
