"""The table between blocks, and what it says about their plans: the coarse half of the method.

Every block accounts for what it takes from the others, in value (`Account`). Together these are an
input-output table of the blocks, S, at the prices p and the activity w:

    S_IJ = p_I · (A w)_J's part from I      W = p · w       R = p · (f + A x - x)      G = p · t

    (diag W - S) c = R        x_J <- x_J + c_J w_J       every block's balance met on the whole
    (diag W - S) s = G        w_J <- s_J w_J             every block's witness right on the whole

If ``(I - A) w > 0`` then for any p > 0 the rows of ``diag W - S`` have positive sums: it is an
M-matrix, and solving it is safe. Otherwise the solution itself tells: with S >= 0 and G > 0, a
positive s proves it to be one. If that fails, nothing is corrected in this pass. Where A has
negative entries, s is solved with the table of |A|.

Source: Vakhutinsky, Dudkin and Ryvkin (1979), Econometrica 47, 821-841, iterative aggregation;
Marek and Mayer (2002), Appl. Math. 47, 139-156.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dgetrf, dgetrs
from scipy.sparse import csc_array, diags_array
from scipy.sparse.linalg import splu

from ogas.engine.account import Account, Columns, Correction, Matrix
from ogas.engine.blas import one_thread
from ogas.engine.table import Vector

DENSE = 2_000  # blocks up to which the table is solved as a dense matrix
NOISE = 1e-14  # of what is made: an imbalance below may be rounding, and means nothing
LEAST, MOST = 0.1, 10.0  # by how much a witness may be scaled at a time


@dataclass(frozen=True, eq=False)
class SectorTable:
    """What all accounts say together.

    Attributes
    ----------
    signed, magnitudes : (m, m) CSC
        S of A and of |A|; the same object where nothing is negative.
    worth, held : (m,) float64
        W for S of A and of |A|: the witness of products without turnover is not part of the first.
    imbalance : (m, K) float64
        R.
    surplus : (m,) float64
        G.
    """

    signed: csc_array
    magnitudes: csc_array
    worth: Vector
    held: Vector
    imbalance: Matrix
    surplus: Vector


def add_up(accounts: Sequence[Account], columns: Columns, *, is_transposed: bool) -> SectorTable:
    """Put the accounts of all blocks together.

    A block's account is a column of S for quantities, whose recipes it owns, and a row for values.
    """
    m, plans = len(accounts), columns.plans
    own = np.repeat(np.arange(m), [len(account.partners) for account in accounts])
    other = np.concatenate([account.partners for account in accounts])
    across = np.concatenate([account.across for account in accounts])
    within = np.stack([account.within for account in accounts])
    held = np.stack([account.held for account in accounts])
    wanted = np.stack([account.wanted for account in accounts])
    rows, others = (own, other) if is_transposed else (other, own)

    def table(column: int) -> csc_array:
        diagonal = np.arange(m)
        entries = np.concatenate([across[:, column], within[:, column]])
        places = np.concatenate([rows, diagonal]), np.concatenate([others, diagonal])
        return csc_array((entries, places), shape=(m, m))

    imbalance = wanted[:, :plans] - held[:, :plans] + within[:, :plans]
    for plan in range(plans):
        imbalance[:, plan] += np.bincount(rows, across[:, plan], minlength=m)
    made = held[:, [columns.gross(plan) for plan in range(plans)]]
    imbalance[np.abs(imbalance) <= NOISE * made] = 0.0
    signed = table(columns.drift)
    magnitudes = table(columns.needs) if columns.is_mixed else signed
    worth, all_held = held[:, columns.drift], held[:, columns.needs]
    return SectorTable(signed, magnitudes, worth, all_held, imbalance, wanted[:, plans])


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def corrections(table: SectorTable, columns: Columns) -> Correction:
    """Solve the table; where it is not an M-matrix, correct nothing and say so."""
    m = len(table.worth)
    sound = bool((table.magnitudes.data >= 0).all() and (table.surplus > 0).all())
    scale = _solved(table.magnitudes, table.held, table.surplus[:, None])[:, 0] if sound else None
    if scale is None or not (np.isfinite(scale).all() and (scale > 0).all()):
        return Correction.none(m, columns, "sector table is no M-matrix: skipped")
    along = _solved(table.signed, table.worth, table.imbalance)
    if not np.isfinite(along).all():
        return Correction.none(m, columns, "sector table has no solution: skipped")
    found = Correction.none(m, columns)
    found.factor[:, columns.drift] = found.factor[:, columns.needs] = np.clip(scale, LEAST, MOST)
    found.shift[:, : columns.plans] = along
    return found


def _solved(flows: csc_array, worth: Vector, right: Matrix) -> Matrix:
    """Return the solution of ``(diag(worth) - flows) y = right``, or NaN where there is none.

    Rows are divided by ``worth``, so that blocks of any size are alike; one without worth stays as
    it is.
    """
    worth = np.where(worth <= 0, 1.0, worth)
    system = diags_array(np.ones(len(worth))) - diags_array(1.0 / worth) @ flows
    scaled = right / worth[:, None]
    if not (np.isfinite(scaled).all() and np.isfinite(system.data).all()):
        return np.full_like(right, np.nan)
    solution: Matrix
    if len(worth) > DENSE:
        try:
            solution = splu(system.tocsc()).solve(scaled)
        except RuntimeError:  # exactly singular
            return np.full_like(right, np.nan)
        return solution
    dense = system.toarray()
    with one_thread():
        factored, pivots, singular = dgetrf(dense)
        if singular:
            return np.full_like(right, np.nan)
        solution = dgetrs(factored, pivots, scaled)[0]
    return solution
