"""What a job was asked to do: all that `plan` or `price` needs, as plain JSON.

A specification never changes. Whoever carries the job out, on whatever host, reads it from the job
store; so every path in it is absolute, and means the same on every host that takes part.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from ogas.engine.errors import DamagedError, PlanError, WrongUsageError

KINDS = ("quantities", "values")
METHODS = ("auto", "jacobi", "gauss-seidel", "anderson", "block-jacobi", "orders-and-tables")
TLS_FILES = frozenset({"ca", "cert", "key"})
MOST_FIGURES = 15

_TYPES: dict[str, tuple[type, ...]] = {
    "table": (str,),
    "target": (str,),
    "digits": (int,),
    "delta": (float, int),
    "threads": (int,),
    "memory": (int, type(None)),
    "workers": (int, type(None)),
    "scheduler": (str, type(None)),
    "warm": (str, type(None)),
    "version": (int, type(None)),
}


@dataclass(frozen=True)
class Specification:
    """One request for a plan or for prices, checked when it is made.

    Attributes
    ----------
    kind : "quantities" or "values"
    table : str
        Absolute path of a table, or the name of a bundled one.
    target : str
        Absolute path of the plan that will be written.
    digits : int
        Significant figures to prove.
    delta : float
        Declared relative uncertainty of the coefficients.
    method : str
        ``auto`` or the name of a method.
    demands : tuple of str
        Absolute paths of demand files; several are scenarios. Quantities only.
    factors : tuple of str
        Factors to price in; all of the table's if empty. Values only.
    warm : str or None
        Absolute path of an earlier plan, to begin with.
    version : int or None
        Of the table; None for the one that is current when the job begins.
    threads : int
        Blocks swept at a time in a worker started for this job alone, 0 for every core. Workers
        that others start bring their own number, ``OGAS_THREADS``.
    memory : int or None
        Bytes that each worker may use.
    workers : int or None
        Most workers to use; None for all there are.
    scheduler : str or None
        Address of the Dask scheduler; None for workers started for this job alone.
    tls : mapping or None
        Absolute paths by ``ca``, ``cert`` and ``key``, where the scheduler wants them.

    Raises
    ------
    WrongUsageError
        If some field cannot be meant.

    Examples
    --------
    >>> asked = Specification("quantities", "us-2021", "/plans/us.zarr", digits=4)
    >>> Specification.parse(asked.json()) == asked
    True
    """

    kind: Literal["quantities", "values"]
    table: str
    target: str
    digits: int = 3
    delta: float = 0.0
    method: str = "auto"
    demands: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    warm: str | None = None
    version: int | None = None
    threads: int = 0
    memory: int | None = None
    workers: int | None = None
    scheduler: str | None = None
    tls: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        self._check_types()
        self._check_words()
        self._check_numbers()
        self._check_paths()

    def json(self) -> dict[str, Any]:
        """Return the specification as JSON types."""
        found = asdict(self)
        return found | {"demands": list(self.demands), "factors": list(self.factors)}

    @classmethod
    def parse(cls, found: Mapping[str, Any]) -> "Specification":
        """Return the specification written by `json`.

        Raises
        ------
        DamagedError
            If a field is unknown (a newer version wrote it), missing, or cannot be meant.
        """
        if unknown := sorted(set(found) - {field.name for field in fields(cls)}):
            raise DamagedError(
                f"written by a newer version: it asks for {', '.join(unknown)}",
                advice="upgrade ogas-engine",
            )
        lists = {name: found[name] for name in ("demands", "factors") if name in found}
        try:
            return cls(**{**found, **{name: tuple(entries) for name, entries in lists.items()}})
        except (PlanError, TypeError) as error:
            raise DamagedError(
                f"altered ({error})", advice="submit the job again under another id"
            ) from error

    def _check_types(self) -> None:
        for name, types in _TYPES.items():
            value = getattr(self, name)
            if not isinstance(value, types) or isinstance(value, bool):
                raise WrongUsageError(f"{name} cannot be {value!r}")
        for name in ("demands", "factors"):
            entries = getattr(self, name)
            if not isinstance(entries, tuple) or not all(isinstance(e, str) for e in entries):
                raise WrongUsageError(f"{name} cannot be {entries!r}")

    def _check_words(self) -> None:
        if self.kind not in KINDS:
            raise WrongUsageError(f"a job computes {' or '.join(KINDS)}, not {self.kind!r}")
        if self.method not in METHODS:
            raise WrongUsageError(
                f"there is no method {self.method!r}", advice=f"choose from {', '.join(METHODS)}"
            )
        if self.demands and self.kind == "values":
            raise WrongUsageError("values do not depend on demand; leave the demand files out")
        if self.factors and self.kind == "quantities":
            raise WrongUsageError("quantities have no factors; leave them out")
        if self.tls is not None and (
            not isinstance(self.tls, Mapping) or set(self.tls) != TLS_FILES
        ):
            raise WrongUsageError("TLS takes three files: ca, cert and key")

    def _check_numbers(self) -> None:
        if not 1 <= self.digits <= MOST_FIGURES:
            raise WrongUsageError(f"digits go from 1 to {MOST_FIGURES}, not {self.digits}")
        if not (math.isfinite(self.delta) and 0 <= self.delta < 1):
            raise WrongUsageError(f"delta is a share from 0 to below 1, not {self.delta}")
        if self.threads < 0:
            raise WrongUsageError(f"threads cannot be {self.threads}")
        for name in ("memory", "workers", "version"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise WrongUsageError(f"{name} cannot be {value}")

    def _check_paths(self) -> None:
        paths = [self.target, *self.demands, *(self.tls or {}).values()]
        if "/" in self.table or not self.table:  # without a slash it is the name of a bundled one
            paths.append(self.table)
        if self.warm is not None:
            paths.append(self.warm)
        for path in paths:
            if not isinstance(path, str) or not Path(path).is_absolute() or "\0" in path:
                raise WrongUsageError(
                    "a job needs absolute paths: it runs in another folder",
                    where=str(path),
                    advice="give the path from the root",
                )
