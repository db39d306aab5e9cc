"""A row's result as tables and plots need it: numbers out of the JSON that `measuring` left."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ogas.benchmarks.claims.laws import Law, fitted

LEAST = 500_000  # nonzeros from which on a row says something about growth
COMPARED = 3  # figures of the rows that a law is fitted to
PROJECTED = "projected"
EVEN, WHOLE, BRANCHED = "drawn evenly", "drawn evenly, one block", "branches and hubs"


@dataclass(frozen=True)
class Line:
    """What is known of one row.

    Attributes
    ----------
    facts : dict
        As `ogas.benchmarks.claims.results` has it.
    """

    facts: dict[str, Any]

    @property
    def name(self) -> str:
        """The row's name."""
        return str(self.facts["name"])

    @property
    def work(self) -> dict[str, Any]:
        """The workload."""
        return dict(self.facts["work"])

    @property
    def state(self) -> str:
        """How the row ended: certified, not certified, does not fit, skipped, failed."""
        return str(self.facts["state"])

    @property
    def is_certified(self) -> bool:
        """Whether every plan of ours was certified."""
        return self.state == "certified"

    @property
    def kind(self) -> str:
        """What kind of economy it is: they take other numbers of passes, and other methods."""
        if self.work["recipe"] != "ccm":
            return BRANCHED
        return WHOLE if self.made.get("blocks", 1) == 1 else EVEN

    @property
    def nonzeros(self) -> int:
        """Of the table; as the workload says where there is none."""
        work = self.work
        return int(self.made.get("nonzeros", work["products"] * work["inputs"]))

    @property
    def products(self) -> int:
        """Of the table."""
        return int(self.made.get("products", self.work["products"]))

    @property
    def made(self) -> dict[str, Any]:
        """What drawing the table said."""
        return dict(self.facts.get("made", {}).get("facts", {}))

    @property
    def runs(self) -> list[dict[str, Any]]:
        """The JSON of every run that was certified: on every core first, then on one thread."""
        found = [run for run in self.facts.get("runs", ()) if run["code"] == 0]
        return [{**run["facts"], "words": run["words"], "wall": run["seconds"]} for run in found]

    @property
    def plan(self) -> dict[str, Any] | None:
        """The plan made on every core; None if it was not certified."""
        return self.runs[0] if self.is_certified and self.runs else None

    @property
    def alone(self) -> dict[str, Any] | None:
        """The plan made on one thread."""
        return next((run for run in self.runs if "--threads 1" in run["words"]), None)

    @property
    def values(self) -> dict[str, Any] | None:
        """The labour values."""
        return next((run for run in self.runs if run["words"].startswith("ogas price")), None)

    @property
    def solvers(self) -> dict[str, dict[str, Any]]:
        """What other software did."""
        return dict(self.facts.get("solvers", {}))

    @property
    def reaction(self) -> dict[str, Any] | None:
        """Where demands change, the slowest of the warm plans; else the plan itself."""
        warm = [one["runs"][-1]["facts"] for one in self.facts.get("revisions", ())]
        if self.is_certified and warm:
            return dict(max(warm, key=lambda facts: facts["seconds"]["total"]))
        return self.plan

    def share(self, run: dict[str, Any]) -> float | None:
        """Return the share of memory's bandwidth that the passes of a run used."""
        count = "1" if "--threads 1" in run["words"] else "0"
        rate = self.facts.get("reading", {}).get(count)
        return None if rate is None else bandwidth(run) / float(rate)


def bandwidth(run: dict[str, Any]) -> float:
    """Return the bytes of the table that a run read per second."""
    read = float(run["bytes_per_nonzero"]) * int(run["nonzeros"]) * int(run["passes"])
    return read / computing(run)


def computing(run: dict[str, Any]) -> float:
    """Return the seconds of all passes, those of the certificate included."""
    return float(run["seconds"]["solve"]) + float(run["seconds"]["certify"])


@dataclass(frozen=True)
class Laws:
    """How seconds, passes and memory grow on some rows; None if they are too few.

    Attributes
    ----------
    seconds, memory : Law or None
        In nonzeros.
    passes : Law or None
        In products.
    """

    seconds: Law | None
    memory: Law | None
    passes: Law | None

    @classmethod
    def of(cls, lines: Sequence[Line]) -> "Laws":
        """Fit the rows of three figures that are large enough."""
        compared = [line for line in grown(lines) if line.work["figures"] == COMPARED]
        found = [plan for line in compared if (plan := line.plan) is not None]
        nonzeros = [float(plan["nonzeros"]) for plan in found]
        products = [float(plan["products"]) for plan in found]
        return cls(
            fitted(nonzeros, [computing(plan) for plan in found]),
            fitted(nonzeros, [float(plan["peak_memory_bytes"]) for plan in found]),
            fitted(products, [float(plan["passes"]) for plan in found]),
        )


def grown(lines: Sequence[Line]) -> list[Line]:
    """Return the drawn economies that were planned and are large enough to tell of growth.

    Not those that were read from the disk in every pass: they tell of the disk.
    """
    return [
        line
        for line in lines
        if line.plan is not None
        and line.facts["kind"] not in ("published", "thinned")
        and not line.plan["bytes_streamed"]
        and line.nonzeros >= LEAST
    ]
