"""What of a source is wanted: which primary inputs, which of several tables, whose product list.

EXIOBASE alone has more than a thousand primary inputs:

--factor "CO2 - combustion - air" --factor "Employment*"      these, by name or pattern
nothing                                                       the first ones, up to a limit
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from ogas.engine.errors import WrongUsageError

MOST = 40
DOMESTIC, TOTAL = "domestic", "total"
IMPORTS = (DOMESTIC, TOTAL)


@dataclass(frozen=True)
class Wanted:
    """What was asked for, if anything was.

    Attributes
    ----------
    names : tuple of str
        Names of factors, or patterns with ``*``; none for the first `MOST`.
    model : one of `ogas.engine.symmetric.MODELS`, or None
        Which table to make of a supply-use pair.
    imports : one of `IMPORTS`, or None
        Which coefficients to make where imports are told from domestic products; see
        `ogas.datasets.published.imports`.
    year : int, optional
        Which year of several.
    products : path, optional
        The product list of an edge list or a Matrix Market file.
    """

    names: tuple[str, ...] = ()
    model: str | None = None
    imports: str | None = None
    year: int | None = None
    products: Path | None = None

    def year_of(self, there: Sequence[str]) -> tuple[str, str]:
        """Return the year to read of those that are there: the newest unless asked; and why.

        Raises
        ------
        WrongUsageError
            If the year that was asked for is not there.
        """
        listed = ", ".join(sorted(there))
        if self.year is None:
            newest = max(there)
            why = (
                f"the newest of {listed}; for another, --year" if len(there) > 1 else "the only one"
            )
            return newest, f"year {newest}, {why}"
        if str(self.year) not in there:
            raise WrongUsageError(f"there is no year {self.year}", advice=f"there are: {listed}")
        return str(self.year), f"year {self.year}, of {listed}"


@dataclass
class Picked:
    """Which factors were met while reading, which of them are kept, and what was asked in vain."""

    wanted: Wanted
    seen: list[str] = field(default_factory=list)
    kept: int = 0
    answered: set[str] = field(default_factory=set)

    def takes(self, *names: str) -> bool:
        """Decide on the next factor, which goes by any of these names; the first is its own."""
        self.seen.append(names[0])
        asked = {ask for ask in self.wanted.names if any(_fits(name, ask) for name in names)}
        self.answered |= asked
        keep = bool(asked) if self.wanted.names else self.kept < MOST
        self.kept += keep
        return keep

    def messages(self) -> tuple[str, ...]:
        """Say what was left out.

        Raises
        ------
        WrongUsageError
            If something was asked for that is not there.
        """
        for ask in self.wanted.names:
            if ask not in self.answered:
                raise self._unknown(ask)
        if self.wanted.names or self.kept == len(self.seen):
            return ()
        return (
            f"{len(self.seen):,} factors: the first {self.kept:,} are kept; name others with "
            "--factor NAME (again for each; * stands for anything)",
        )

    def _unknown(self, ask: str) -> WrongUsageError:
        near = get_close_matches(ask, self.seen, n=3, cutoff=0.4) or self.seen[:3]
        some = ", ".join(repr(name) for name in near)
        advice = f"there are, among {len(self.seen):,}: {some}" if self.seen else "it has none"
        return WrongUsageError(f"there is no factor {ask!r} in this table", advice=advice)


def _fits(name: str, ask: str) -> bool:
    return name == ask or fnmatchcase(name, ask)
