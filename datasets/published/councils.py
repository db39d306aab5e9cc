"""Councils as Clojure writes them: maps in two lists, read in pieces.

    (ns pequod-cljs.dep1ex01)
    (def ccs [{:income 5000, :utility-exponents [0.2 0.3], ...} {...} ...])
    (def wcs [{:industry 0, :production-inputs [[1 3] [2] [3]], ...} ...])

A comma is a blank, and a semicolon begins a comment, which no map may contain. One piece
of text is held, and of the councils their numbers alone, however long the file is.
"""

import re
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from ogas.datasets.text import number_in
from ogas.engine.errors import InvalidInputError
from ogas.engine.table import Integers, Vector

CONSUMER, WORKER = "consumer council", "worker council"
SECTIONS = {"ccs": CONSUMER, "wcs": WORKER}
CONSUMED = {"private": ":utility-exponents", "public": ":public-good-exponents"}
MADE = ("private", "intermediate", "public")  # by the number of the industry
TECHNOLOGY = (":a", ":c", ":s", ":du")  # scale, effort, cost of effort and its power
INPUTS = {
    "intermediate": ":input-exponents",
    "nature": ":nature-exponents",
    "labour": ":labor-exponents",
}
CHUNK = 1 << 20  # bytes of text at a time; a council has about 5,000
MOST = 2**31  # the largest number of a good

TOKEN = re.compile(
    rb"[\s,]+|;[^\n]*|\(\s*ns\b[^()]*\)|(?P<opens>\[|\(\s*def\s+(?P<name>\w+))|(?P<closes>[\])])"
    rb"|(?P<council>\{[^{}#;]*\})"
)
ENTRY = re.compile(rb"(:[\w-]+)[\s,]+(\[\s*\[.*?\]\s*\]|\[[^\[\]]*\]|[^\s,\[\]}]+)", re.DOTALL)
LIST = re.compile(rb"\[([^\[\]]*)\]")


@dataclass(frozen=True)
class Council:
    """One council: its keys and values as they stand in the text."""

    kind: str
    number: int
    entries: Mapping[bytes, bytes]

    @property
    def place(self) -> str:
        """What people call it: its kind and its number, from 1."""
        return f"{self.kind} {self.number}"

    def amount(self, key: str) -> float:
        """Return a value that is one number, 0 or more."""
        value = number_in(self._said(key).decode("latin-1"), f"{self.place}, {key}")
        if value < 0:
            raise InvalidInputError(f"{key} has {value:g}, less than 0", where=self.place)
        return value

    def amounts(self, key: str) -> Vector:
        """Return a value that is a list of numbers, 0 or more."""
        return self._numbers(self._lists(key, 1)[0], key)

    def good(self, key: str) -> int:
        """Return a value that is the number of a good."""
        return int(self._goods(self._said(key), key)[0])

    def goods(self, key: str, lists: int) -> list[Integers]:
        """Return a value that is so many lists of numbers of goods."""
        return [self._goods(text, key) for text in self._lists(key, lists)]

    def _said(self, key: str) -> bytes:
        if key.encode() not in self.entries:
            raise InvalidInputError(f"it has no {key}", where=self.place)
        return self.entries[key.encode()]

    def _lists(self, key: str, count: int) -> list[bytes]:
        lists: list[bytes] = LIST.findall(self._said(key))
        if len(lists) != count:
            raise InvalidInputError(
                f"{key} has {len(lists)} lists of numbers, expected {count}", where=self.place
            )
        return lists

    def _numbers(self, text: bytes, key: str) -> Vector:
        cells = text.replace(b",", b" ").split()
        try:
            numbers = np.array(cells, dtype=np.float64)
        except ValueError:
            numbers = np.array([np.nan])
        if not np.isfinite(numbers).all() or b"_" in text:
            place = f"{self.place}, {key}"
            numbers = np.array([number_in(cell.decode("latin-1"), place) for cell in cells])
        if (numbers < 0).any():
            raise InvalidInputError(f"{key} has {numbers.min():g}, less than 0", where=self.place)
        return numbers

    def _goods(self, text: bytes, key: str) -> Integers:
        numbers = self._numbers(text, key)
        odd = numbers[(numbers < 1) | (numbers > MOST) | (numbers % 1 != 0)]
        if odd.size:
            raise InvalidInputError(
                f"{key} has {odd[0]:g}, but goods are numbered 1, 2, 3 ...", where=self.place
            )
        return numbers.astype(np.int64)


@dataclass
class Consumers:
    """What consumer councils spend on goods, added up."""

    count: int = 0
    spent: dict[str, Vector] = field(default_factory=dict)

    def add(self, council: Council) -> None:
        """Add one council."""
        exponents = {good: council.amounts(key) for good, key in CONSUMED.items()}
        total = sum(float(of.sum()) for of in exponents.values())
        if total == 0:
            raise InvalidInputError("all its exponents are 0", where=council.place)
        share = council.amount(":income") / total
        for good, of in exponents.items():
            spent = self.spent.setdefault(good, np.zeros(of.size))
            if spent.size != of.size:
                raise InvalidInputError(
                    f"{CONSUMED[good]} has {of.size} numbers, but {spent.size} in the first",
                    where=council.place,
                )
            spent += share * of
        self.count += 1


@dataclass
class Workers:
    """What worker councils make, and of what: plain numbers, 8 bytes each.

    Attributes
    ----------
    made : industry and product of each council
    technology : the numbers `TECHNOLOGY` of each council
    inputs : the council, the place in `INPUTS` and the number of each input
    exponents : of each input
    """

    made: "array[int]" = field(default_factory=lambda: array("q"))
    technology: "array[float]" = field(default_factory=lambda: array("d"))
    inputs: "array[int]" = field(default_factory=lambda: array("q"))
    exponents: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, council: Council) -> None:
        """Add one council."""
        industry = council.amount(":industry")
        if industry not in range(len(MADE)):
            raise InvalidInputError(
                f":industry is {industry:g}, not 0, 1 or 2", where=council.place
            )
        self.made.extend((int(industry), council.good(":product")))
        technology = [council.amount(key) for key in TECHNOLOGY]
        if 0 in technology:
            nothing = TECHNOLOGY[technology.index(0)]
            raise InvalidInputError(f"{nothing} is 0", where=council.place)
        self.technology.extend(technology)
        lists = council.goods(":production-inputs", len(INPUTS))
        for kind, (numbers, key) in enumerate(zip(lists, INPUTS.values(), strict=True)):
            exponents = council.amounts(key)
            if exponents.size != numbers.size:
                raise InvalidInputError(
                    f"{key} has {exponents.size} numbers, but there are {numbers.size} such inputs",
                    where=council.place,
                )
            for number in numbers.tolist():
                self.inputs.extend((council.number, kind, number))
            self.exponents.extend(exponents.tolist())


def councils(stream: BinaryIO) -> Iterator[Council]:
    """Yield the councils of both lists, as they come.

    Raises
    ------
    InvalidInputError
        If the text stops too early or is something else, after how many councils.
    """
    name, number, depth = "", 0, 0
    for text in _pieces(stream):
        at = 0
        while at < len(text):
            token = TOKEN.match(text, at)
            if token is None:
                cut = text[at : at + 24].decode("latin-1")
                raise _broken(f"cannot be read from {cut!r} on", name, number)
            at = token.end()
            if token["name"]:
                name, number = token["name"].decode(), 0
            depth += (token["opens"] is not None) - (token["closes"] is not None)
            if token["council"] and name in SECTIONS:
                number += 1
                yield Council(SECTIONS[name], number, dict(ENTRY.findall(token["council"])))
    if depth > 0:
        raise _broken("ends in the middle of a list", name, number)


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the text in pieces, of which all but the last end with a council."""
    rest = b""
    while chunk := stream.read(CHUNK):
        head, end, tail = chunk.rpartition(b"}")
        if end:
            yield rest + head + end
            rest = tail
        else:
            rest += chunk
    yield rest


def _broken(what: str, name: str, number: int) -> InvalidInputError:
    return InvalidInputError(
        f"the text {what}",
        where=f"after {SECTIONS.get(name, 'council')} {number}",
        advice="it is truncated or of another form: get it again",
    )
