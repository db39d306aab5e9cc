"""What a row consists of: what somebody published, and the workload by which we measure it."""

from dataclasses import dataclass

SEED = 52_817

#: How far a published number can be trusted.
TAGS = {
    "C": "read in code or data of the authors",
    "T": "read in the text of the source, or of its abstract",
    "S": "read in a secondary source that reports the original",
    "D": "derived from numbers of the source",
    "M": "from memory of the literature; to be checked in the source",
}


@dataclass(frozen=True)
class Claim:
    """What somebody published.

    Attributes
    ----------
    name : str
    says : str
        The time in the source's words.
    seconds : float or None
        The same as a number, where words are read so that they favour the source.
    tag : str
        One of `TAGS`.
    machine, source : str
    """

    name: str
    says: str
    seconds: float | None
    tag: str
    machine: str
    source: str

    def __post_init__(self) -> None:
        if self.tag not in TAGS:
            raise ValueError(f"unknown tag {self.tag!r}; there are {', '.join(TAGS)}")


@dataclass(frozen=True)
class Workload:
    """Which economy, and how many figures of every product are to be proven.

    Attributes
    ----------
    recipe : str
        Of `ogas generate`, or the name of a published table.
    products : int
    inputs : float
        Mean number of different inputs per product.
    law : str
        How inputs grow with products, and where they lie.
    figures, seed : int
    """

    recipe: str
    products: int
    inputs: float
    law: str
    figures: int = 3
    seed: int = SEED


@dataclass(frozen=True)
class Row:
    """One experiment.

    Attributes
    ----------
    name, title : str
    work : Workload
    claims : tuple of Claim
    peers : tuple of str
        Other solvers to run on the same matrix (`ogas.benchmarks.claims.peer`).
    kind : "drawn", "published", "revised" or "thinned"
        A drawn economy; a published table; a drawn one of which the demand changes; a published
        table of which entries are dropped.
    commands : tuple of str
        ``plan``, ``price``.
    memory : str
        What ``--memory`` allows, if anything is said of it. The run then finds nothing of the table
        in the memory of the system.
    """

    name: str
    title: str
    work: Workload
    claims: tuple[Claim, ...] = ()
    peers: tuple[str, ...] = ()
    kind: str = "drawn"
    commands: tuple[str, ...] = ("plan",)
    memory: str = ""
