"""Methods: how one sweep follows another. They neither count nor stop: `ogas.engine.iterate` does.

Every method carries two columns through each read of A: the plan x, and the witness w of its
certificate, which solves ``(I - |A|) w = turnover`` roughly. From nothing, x starts at the demand
where that is positive, w at the turnover.

- `Jacobi`: every product answers to the old plan. The Neumann series, the baseline.
- `GaussSeidel`: every product answers to what the products before it have become. A product's
  output follows from its users', so the sweep goes from final goods to raw materials: by
  **upstreamness** ``w / t``, found from the first sweeps (the transposed table of the values
  reverses it by itself).
- `Anderson`: mixes the last few Gauss-Seidel sweeps so that their imbalance nearly cancels.

Sources: Varga (1962), Matrix Iterative Analysis, ch. 3-4; Walker and Ni (2011), SIAM J. Numer.
Anal. 49, 1715-1735, for Anderson's mixing.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ogas.engine.balance import Balance
from ogas.engine.certificate import Certificate, certify
from ogas.engine.productivity import Productivity, audit
from ogas.engine.table import Integers, Vector
from ogas.kernels import sweep


@dataclass(frozen=True, eq=False)
class Mixture:
    """The last sweeps of one column, for Anderson's mixing: what went in and what came out."""

    results: tuple[Vector, ...] = ()
    changes: tuple[Vector, ...] = ()


@dataclass(frozen=True, eq=False)
class State:
    """What a sweep leaves behind.

    Attributes
    ----------
    output, witness, turnover : (n,) float64
        x, w and t after the sweep. These are what is certified and published.
    start : pair of (n,) float64
        The x and w that the next sweep starts from; a mixing method lets them differ.
    floor : float
        Stands in for the turnover of products that have none, so that w > 0 everywhere.
    order : (n,) int64
        The order of the next sweep.
    sweeps : int
    least, largest : float
        Extremes of ``imbalance / turnover`` that the sweep met.
    mixtures : pair of Mixture
    """

    output: Vector
    witness: Vector
    turnover: Vector
    start: tuple[Vector, Vector]
    floor: float
    order: Integers
    sweeps: int = 0
    least: float = -np.inf
    largest: float = np.inf
    mixtures: tuple[Mixture, Mixture] = (Mixture(), Mixture())

    @property
    def depth(self) -> float:
        """The largest upstreamness seen; grows without end in an economy that is not productive."""
        known = self.turnover > 0
        return float(np.max(self.witness[known] / self.turnover[known], initial=1.0))


@dataclass(frozen=True)
class Sight:
    """What a sweep saw on its way; no proof of anything.

    Attributes
    ----------
    least, largest : float
        Extremes of ``imbalance / turnover``.
    depth : float
        The largest upstreamness ``w / t``; grows without end in an economy that is not productive.
    is_finite : bool
        Whether all numbers still are.
    note : str
        What was out of the ordinary.
    reads : int
        How often A was read, rounded up.
    is_anew : bool
        Whether some of the plan was lost before it, so that earlier sweeps do not count any more.
    """

    least: float
    largest: float
    depth: float
    is_finite: bool = True
    note: str = ""
    reads: int = 1
    is_anew: bool = False

    @property
    def spread(self) -> float:
        """Half the distance between the extremes of the imbalance relative to turnover."""
        return 0.5 * (self.largest - self.least)


@dataclass(frozen=True)
class Traffic:
    """What a run moved.

    Attributes
    ----------
    exchanges : int
        How often blocks exchanged what crosses their boundaries.
    bytes_exchanged : int
    bytes_per_nonzero : float
        Of the matrix in memory: what one pass reads.
    bytes_streamed : int
        What was read from the disk again, because it did not fit into memory.
    inner : int
        Sweeps of every block for each time it is read.
    """

    exchanges: int
    bytes_exchanged: int
    bytes_per_nonzero: float
    bytes_streamed: int = 0
    inner: int = 1


class Iteration(Protocol):
    """A method at work on one problem: what the loop of `ogas.engine.iterate` asks of it.

    Promises: where a sweep changes nothing the balance is met, and the witness stays positive.
    """

    @property
    def delta(self) -> float:
        """Declared relative uncertainty of the coefficients."""
        ...

    @property
    def reads_before(self) -> int:
        """Reads of all of A that were needed before the first sweep."""
        ...

    @property
    def feeds_on_itself(self) -> bool:
        """Whether some product uses up at least one unit of itself per unit."""
        ...

    @property
    def traffic(self) -> Traffic:
        """What was moved so far."""
        ...

    def sweep(self) -> Sight:
        """Read A once and better the plan."""
        ...

    def certify(self) -> tuple[Certificate, ...]:
        """Read A once and bound the error, for every demand; raises `WitnessError`."""
        ...

    def audit(self) -> Productivity:
        """Find out whether the economy is productive."""
        ...


class Method(Protocol):
    """A rule for sweeping: set up with its numbers, it can be started on any problem."""

    @property
    def name(self) -> str:
        """How the command line calls it."""
        ...

    @property
    def in_blocks(self) -> bool:
        """Whether it takes a `SectorBalance`, a table by blocks, and not a whole `Balance`."""
        ...

    def start(self, problem: Any) -> Iteration:
        """Begin with what is known about a problem."""
        ...


class Stepping(Protocol):
    """A method that turns one state of a whole table into the next by one pass over A."""

    def step(self, balance: Balance, state: State) -> State:
        """Sweep once."""
        ...


@dataclass(eq=False)
class WholeTable:
    """An iteration on a table held as one matrix."""

    balance: Balance
    method: Stepping

    reads_before = 0

    def __post_init__(self) -> None:
        self.state = begin(self.balance)

    @property
    def delta(self) -> float:
        """Declared relative uncertainty of the coefficients."""
        return self.balance.delta

    @property
    def feeds_on_itself(self) -> bool:
        """Whether some product uses up at least one unit of itself per unit."""
        return bool((self.balance.diagonal >= 1.0).any())

    @property
    def traffic(self) -> Traffic:
        """What was moved so far: one matrix, and nothing between blocks."""
        A = self.balance.coefficients
        held = A.data.nbytes + A.indices.nbytes + A.indptr.nbytes
        return Traffic(0, 0, held / max(A.nnz, 1))

    def sweep(self) -> Sight:
        """Make the method's next step."""
        self.state = state = self.method.step(self.balance, self.state)
        is_finite = math.isfinite(float(np.sum(state.output) + np.sum(state.witness)))
        return Sight(state.least, state.largest, state.depth, is_finite)

    def certify(self) -> tuple[Certificate]:
        """Bound the error of the output."""
        return (certify(self.balance, self.state.output, self.state.witness),)

    def audit(self) -> Productivity:
        """Find out whether the economy is productive."""
        return audit(self.balance.coefficients)


def turnover_floor(wanted: npt.NDArray[np.float64]) -> float:
    """Return what stands in for the turnover of products that have none, from what is wanted.

    Far below any turnover, so that products without turnover do not widen the others' bounds.
    """
    floor = 1e-30 * float(np.min(wanted[wanted > 0], initial=np.inf))
    return floor if 0 < floor < np.inf else 1e-30


def begin(balance: Balance) -> State:
    """Return the state that knows nothing but the demand, or what an earlier plan knows."""
    wanted = np.abs(balance.demand.nominal)
    floor = turnover_floor(wanted)
    output, witness = np.maximum(balance.demand.nominal, 0.0), np.maximum(wanted, floor)
    order = np.arange(len(balance), dtype=np.int64)
    if balance.start is not None:
        output = balance.start.outputs[:, 0].copy()
        witness = np.maximum(balance.start.witness, floor)
        order = np.argsort(witness / np.maximum(np.abs(output), floor), kind="stable")
    return State(output, witness, wanted, (output, witness), floor, order)


@dataclass(frozen=True)
class Jacobi:
    """Every product answers to the old plan."""

    name: str = "jacobi"
    in_blocks: bool = False

    def start(self, problem: Balance) -> WholeTable:
        """Begin with the demand."""
        return WholeTable(problem, self)

    def step(self, balance: Balance, state: State) -> State:
        """Sweep once, without any order."""
        A = balance.coefficients
        x, w, t = (np.empty_like(state.output) for _ in range(3))
        least, largest = sweep.jacobi(
            *(A.indptr, A.indices, A.data, balance.diagonal, balance.demand.nominal),
            *(state.floor, balance.leeway),
            *(*state.start, x, w, t),
        )
        return _after(state, (x, w, t), least, largest)


@dataclass(frozen=True)
class GaussSeidel:
    """Every product answers to what the products before it have become.

    Parameters
    ----------
    ordering_sweeps : int
        After each of the first sweeps the order is found anew from upstreamness; then it stays.
    """

    ordering_sweeps: int = 3
    name: str = "gauss-seidel"
    in_blocks: bool = False

    def start(self, problem: Balance) -> WholeTable:
        """Begin with the demand."""
        return WholeTable(problem, self)

    def step(self, balance: Balance, state: State) -> State:
        """Sweep once in the state's order."""
        A = balance.coefficients
        x, w = (column.copy() for column in state.start)
        t = np.empty_like(x)
        least, largest = sweep.gauss_seidel(
            *(A.indptr, A.indices, A.data, balance.diagonal, balance.demand.nominal),
            *(state.floor, balance.leeway),
            *(state.order, x, w, t),
        )
        state = _after(state, (x, w, t), least, largest)
        if state.sweeps > self.ordering_sweeps:
            return state
        upstreamness = w / np.maximum(t, state.floor)
        return replace(state, order=np.argsort(upstreamness, kind="stable"))


@dataclass(frozen=True)
class Anderson:
    """Gauss-Seidel sweeps, mixed so that what is left of their imbalance nearly cancels.

    With g(x) the sweep and ``c_k = g(x_k) - x_k``, the next sweep starts at ``g(x_k) - sum_j
    gamma_j (g(x_{j+1}) - g(x_j))`` with gamma minimizing the turnover-weighted norm of ``c_k -
    sum_j gamma_j (c_{j+1} - c_j)``. The mixture stays within a factor 2 of the sweep's own result:
    a heuristic that keeps w positive. Mixing begins when the order stands.

    Parameters
    ----------
    depth : int
        How many differences are mixed.
    """

    depth: int = 3
    sweep: GaussSeidel = GaussSeidel()
    name: str = "anderson"
    in_blocks: bool = False

    def start(self, problem: Balance) -> WholeTable:
        """Begin with the demand."""
        return WholeTable(problem, self)

    def step(self, balance: Balance, state: State) -> State:
        """Sweep once from the mixture of the last sweeps, and mix again."""
        before = state.start
        state = self.sweep.step(balance, state)
        if state.sweeps <= self.sweep.ordering_sweeps:
            return state
        scale = 1.0 / np.maximum(state.turnover, state.floor)
        after = (state.output, state.witness)
        plan, witness = (
            _remember(mixture, result, result - start, self.depth)
            for mixture, start, result in zip(state.mixtures, before, after, strict=True)
        )
        start = (_mix(plan, scale), _mix(witness, scale))
        return replace(state, mixtures=(plan, witness), start=start)


def _after(
    state: State, columns: tuple[Vector, Vector, Vector], least: float, largest: float
) -> State:
    x, w, t = columns
    return replace(
        state,
        output=x,
        witness=w,
        turnover=t,
        start=(x, w),
        sweeps=state.sweeps + 1,
        least=least,
        largest=largest,
    )


def _remember(mixture: Mixture, result: Vector, change: Vector, depth: int) -> Mixture:
    keep = slice(-depth, None)
    return Mixture((*mixture.results[keep], result), (*mixture.changes[keep], change))


def _mix(mixture: Mixture, scale: Vector) -> Vector:
    """Return the mixture of the remembered sweeps whose change is least."""
    latest = mixture.results[-1]
    if len(mixture.results) < 2:
        return latest
    changes = np.stack([change * scale for change in mixture.changes])
    if not np.isfinite(changes).all():  # LAPACK would stop the run; the loop audits it instead
        return latest
    gamma = np.linalg.lstsq(np.diff(changes, axis=0).T, changes[-1], rcond=1e-10)[0]
    mixed = latest - gamma @ np.diff(np.stack(mixture.results), axis=0)
    least, most = np.sort([0.5 * latest, 2.0 * latest], axis=0)
    clipped: Vector = np.clip(mixed, least, most)
    return clipped
