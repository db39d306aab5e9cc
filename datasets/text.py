"""Text and numbers as people save them: what is read, what is refused, and where it stands.

UTF-8 is expected, with a mark or without. Bytes that are none are taken as Latin-1 where a layout
is somebody else's, and that is told: names may look odd, numbers cannot. In our own forms they are
refused. UTF-16 is always refused. A number is finite and has a decimal point.
"""

import re
from collections.abc import Iterable, Iterator
from math import isfinite

from ogas.engine.errors import InvalidInputError

THOUSANDS = re.compile(r"[+-]?\d{1,3}([,' \u00a0\u202f]\d{3})+(\.\d*)?")
DECIMAL_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+")
UTF_8_MARK, UTF_16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
SAVE = "save it as UTF-8"


class Lines:
    """The lines of a stream of bytes, with their line ends, and what was taken as Latin-1."""

    def __init__(self, stream: Iterable[bytes], *, is_ours: bool = False) -> None:
        self._stream, self._is_ours = stream, is_ours
        self._latin = ""

    def __iter__(self) -> Iterator[str]:
        """Yield the lines, decoded."""
        for number, raw in enumerate(self._stream, start=1):
            yield self._decoded(raw, number)

    def messages(self) -> tuple[str, ...]:
        """Return what was decided; complete once the lines are read."""
        said = f"not UTF-8, read as Latin-1: look at the names, first in {self._latin}"
        return (said,) if self._latin else ()

    def _decoded(self, raw: bytes, number: int) -> str:
        if number == 1:
            if raw.startswith(UTF_16_MARKS):
                raise InvalidInputError("the text is UTF-16", where="row 1", advice=SAVE)
            raw = raw.removeprefix(UTF_8_MARK)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            if self._is_ours:
                column = raw[: error.start].count(b",") + 1
                place = f"row {number}, column {column}"
                raise InvalidInputError("the text is not UTF-8", where=place, advice=SAVE) from None
            self._latin = self._latin or f"row {number}"
            return raw.decode("latin-1")


def plain_number(cell: str) -> float | None:
    """Return the finite number that a cell holds; None if it holds anything else."""
    try:
        value = float(cell)
    except ValueError:
        return None
    # Python reads 1_000 and infinity as numbers; nobody else does.
    return value if isfinite(value) and "_" not in cell else None


def number_in(cell: str, place: str) -> float:
    """Return the finite number that a cell holds.

    Raises
    ------
    InvalidInputError
        With advice on thousands separators and decimal commas.
    """
    value = plain_number(cell)
    if value is None:
        message = f"{cell!r} is not a finite number"
        raise InvalidInputError(message, where=place, advice=advice_on(cell))
    return value


def advice_on(cell: str) -> str:
    """Return what to do about a cell that holds no number."""
    if THOUSANDS.fullmatch(cell.strip()):
        return "write numbers without thousands separators"
    if DECIMAL_COMMA.fullmatch(cell.strip()):
        return "write decimals with a point"
    return "write a number with a decimal point; 0 where there is none"
