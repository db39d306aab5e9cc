"""What a command has to say: a JSON object for programs, lines for people, one exit code."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

CERTIFIED, WRONG_USAGE, NOT_PRODUCTIVE, NOT_REACHED, DAMAGED = 0, 2, 3, 4, 5
DOES_NOT_FIT, CLUSTER_FAILURE, LOCKED, INTERRUPTED = 6, 7, 8, 130


@dataclass(frozen=True)
class Answer:
    """The result of a command.

    Attributes
    ----------
    facts : mapping
        The JSON object, as CONTRACT fixes it; floats that JSON cannot hold become null.
    show : callable
        Prints the same for a person.
    code : int
        The exit code.
    complaint : str
        One line for stderr, where the exit code is not 0.
    """

    facts: Mapping[str, Any]
    show: Callable[[], None]
    code: int = CERTIFIED
    complaint: str = ""


def json_ready(value: Any) -> Any:
    """Return ``value`` with infinities and NaN as null, and NumPy numbers as Python's.

    >>> json_ready({"a": float("inf"), "b": [1.5, None]})
    {'a': None, 'b': [1.5, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): json_ready(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(entry) for entry in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
