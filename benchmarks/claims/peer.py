"""Other solvers on the same matrix, each in a process of its own.

Run as ``python -m ogas.benchmarks.claims.peer NAME FIGURES FOLDER`` on what `handover` wrote. What
a solver does before its first arithmetic (forming I - A, converting formats) is timed apart and not
held against it; factorisations and hierarchies count as solving. One product with A before the
clock starts brings the matrix into memory and caches.

None of them knows how good its answer is. They stop where their own rules say so: the iteration
when no product changes by more than half a unit of the last figure, Krylov methods when the norm of
the residual has fallen to the same share of that of the demand. How many figures they then have is
found out against the truth.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg as krylov

from ogas.benchmarks.claims.handover import ARRAYS, FIGURES, relative_error
from ogas.cluster.memory import peak_memory
from ogas.engine.certificate import figures_of, half_width_for
from ogas.engine.table import Vector

MOST_PASSES = 2_000
Solved = tuple[Vector, int]  # and products with the matrix, 0 for a direct method


@dataclass(frozen=True, eq=False)
class System:
    """``x = A x + f`` to so many figures, A as it is stored."""

    A: sparse.csr_array
    demand: Vector
    figures: int

    @property
    def tolerance(self) -> float:
        """Half a unit of the last figure."""
        return half_width_for(self.figures)

    def net(self) -> Any:
        """Return I - A in float64."""
        A = self.A.astype(np.float64)
        return sparse.csr_matrix(sparse.eye_array(A.shape[0], format="csr") - A)


@dataclass(frozen=True)
class Peer:
    """A solver: what it is, its threads (0 for every core), and how it begins.

    Attributes
    ----------
    what : str
    threads : int
    prepare : callable
        Returns the solving itself, ready to be timed.
    """

    what: str
    threads: int
    prepare: Callable[[System], Callable[[], Solved]]


def _iteration(precision: str) -> Callable[[System], Callable[[], Solved]]:
    """Return ``x <- A x + f``, the method of the published timings, in one precision."""

    def prepare(system: System) -> Callable[[], Solved]:
        A, f = system.A.astype(precision), system.demand.astype(precision)

        def solve() -> Solved:
            x = f
            for done in range(1, MOST_PASSES + 1):
                new = A @ x + f
                change = np.abs(new - x) <= system.tolerance * np.abs(new)
                x = new
                if change.all():
                    return x, done
            raise RuntimeError(f"no end after {MOST_PASSES:,} passes")

        return solve

    return prepare


def _gmres(system: System) -> Callable[[], Solved]:
    net = system.net()
    jacobi = sparse.diags_array(1.0 / net.diagonal())
    return _krylov(system, net, lambda: jacobi, krylov.gmres)


def _bicgstab(system: System) -> Callable[[], Solved]:
    net = system.net()
    columns = net.tocsc()

    def incomplete() -> Any:
        factors = krylov.spilu(columns, drop_tol=1e-3, fill_factor=5)
        return krylov.LinearOperator(columns.shape, factors.solve)

    return _krylov(system, net, incomplete, krylov.bicgstab)


def _krylov(system: System, net: Any, precondition: Any, method: Any) -> Callable[[], Solved]:
    passes = 0

    def times(x: Vector) -> Vector:
        nonlocal passes
        passes += 1
        product: Vector = net @ x
        return product

    def solve() -> Solved:
        operator = krylov.LinearOperator(net.shape, times, dtype=np.float64)
        rule = {"rtol": system.tolerance, "M": precondition(), "maxiter": MOST_PASSES}
        x, code = method(operator, system.demand, **rule)
        if code:
            raise RuntimeError(f"no end after {passes:,} passes")
        return x, passes

    return solve


def _multigrid(system: System) -> Callable[[], Solved]:
    import pyamg

    net = system.net()

    def solve() -> Solved:
        levels = pyamg.ruge_stuben_solver(net)
        residuals: list[float] = []
        x = levels.solve(system.demand, tol=system.tolerance, accel="gmres", residuals=residuals)
        return x, 0

    return solve


def _superlu(system: System) -> Callable[[], Solved]:
    columns = system.net().tocsc()
    return lambda: (krylov.spsolve(columns, system.demand), 0)


def _pardiso(system: System) -> Callable[[], Solved]:
    import pypardiso

    net = system.net()
    return lambda: (pypardiso.spsolve(net, system.demand), 0)


def _inverse(system: System) -> Callable[[], Solved]:
    import pymrio

    A = system.A.toarray().astype(np.float64)
    return lambda: (pymrio.calc_L(A) @ system.demand, 0)


def _life_cycle(system: System) -> Callable[[], Solved]:
    import bw2calc
    import bw_processing as processing

    net = system.net().tocoo()
    package = processing.create_datapackage()
    places = np.empty(net.nnz, dtype=processing.INDICES_DTYPE)
    places["row"], places["col"] = net.row, net.col
    none = np.zeros(1, dtype=processing.INDICES_DTYPE)
    for name, where, values in (
        ("technosphere_matrix", places, net.data),
        ("biosphere_matrix", none, np.ones(1)),
    ):
        package.add_persistent_vector(matrix=name, indices_array=where, data_array=values)
    wanted = {product: float(amount) for product, amount in enumerate(system.demand)}
    life = bw2calc.LCA(wanted, data_objs=[package])
    life.load_lci_data()
    life.build_demand_array()
    order = np.array([life.dicts.activity[product] for product in range(len(wanted))])
    return lambda: (np.asarray(life.solve_linear_system())[order], 0)


PEERS = {
    "scipy-float32": Peer("SciPy CSR, x ← A x + f, float32", 1, _iteration("float32")),
    "scipy-float64": Peer("SciPy CSR, x ← A x + f, float64", 1, _iteration("float64")),
    "gmres-jacobi": Peer("SciPy GMRES, Jacobi", 1, _gmres),
    "bicgstab-ilu": Peer("SciPy BiCGSTAB, incomplete LU", 1, _bicgstab),
    "pyamg": Peer("PyAMG Ruge-Stüben, GMRES", 1, _multigrid),
    "scipy-spsolve": Peer("SciPy spsolve (SuperLU)", 1, _superlu),
    "pardiso": Peer("MKL Pardiso, one thread", 1, _pardiso),
    "pardiso-threads": Peer("MKL Pardiso, every core", 0, _pardiso),
    "pymrio-inverse": Peer("pymrio calc_L, dense inverse", 1, _inverse),
    "bw2calc": Peer("bw2calc, solve_linear_system", 1, _life_cycle),
}


def measured(name: str, figures: int, folder: Path) -> dict[str, Any]:
    """Return what a solver took, and the figures of its answer, at most those of the truth."""
    parts = [np.load(folder / f"{part}.npy", mmap_mode="r") for part in ARRAYS]
    demand, truth, turnover = (
        np.load(folder / f"{part}.npy") for part in ("demand", "truth", "turnover")
    )
    A = sparse.csr_array(tuple(parts), shape=(len(demand), len(demand)))
    A @ demand
    start = time.perf_counter()
    solve = PEERS[name].prepare(System(A, demand, figures))
    begin = time.perf_counter()
    x, passes = solve()
    end = time.perf_counter()
    error = relative_error(x, truth, turnover)
    return {
        "prepare": begin - start,
        "seconds": end - begin,
        "passes": passes,
        "true_error": error if np.isfinite(error) else None,
        "figures": min(int(figures_of(np.array([error]))[0]), FIGURES),
        "peak_memory_bytes": peak_memory(),
    }


if __name__ == "__main__":
    try:
        print(json.dumps(measured(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
    except ImportError as error:
        sys.exit(f"not installed: {error}")
    except MemoryError as error:
        sys.exit(f"out of memory: {error}")
    except Exception as error:  # whatever it is, it is the result
        sys.exit(f"failed: {type(error).__name__}: {error}")
