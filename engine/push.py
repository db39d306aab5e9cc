"""Push: revise an earlier plan where it changes, and leave the rest as it is.

One read of A finds out what of the earlier plan still holds: the imbalance r of its output, the
slack v of its witness, its turnover t. If few products are out of balance, those are pushed
(`ogas.kernels.push`), then what they use, and so on until every ``|r_i|`` is below a v_i. No
product is then further from the truth than a (w - v) (`ogas.engine.certificate`), so the figures
asked for say how small a must be. A certificate finishes the run, always: it alone declares
success, and it sees the imbalance as it is, not as the pushes kept it up to date.

- The witness is kept. Only where the change has used up its slack, or where the earlier plan made
  nothing, w is pushed in the same way, up to a slack of t.
- a falls by a factor 10 at a time: small imbalances that meet in a product are pushed on as one.
- Pushes read the columns of A. To transpose it counts as a read, and in time costs ten. The entries
  touched are counted; a sweep of the loop touches at most as many as A has, and counts as one read
  however few they were.
- Where too much is out of balance, where pushing takes too long, or where the certificate refuses
  the witness, ordinary sweeps go on with what is there.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from ogas.engine.balance import Balance, Start
from ogas.engine.certificate import (
    MOST_FIGURES,
    Certificate,
    Findings,
    Mask,
    certify,
    half_width_for,
)
from ogas.engine.errors import WitnessError, WrongUsageError
from ogas.engine.method import Anderson, Sight, State, Traffic, WholeTable
from ogas.engine.productivity import Productivity
from ogas.engine.table import Integers, Vector
from ogas.kernels import certify as certify_kernels
from ogas.kernels.push import settle

MARGIN = 0.9  # of the imbalance that the figures permit: a little more costs less than a second try
LEAST_SLACK = 0.3  # of the turnover: with less, one product spoils the bounds of all
STEP = 0.1  # from one threshold to the next
SWEEPS = Anderson()


@dataclass(frozen=True)
class Push:
    """Push what an earlier plan leaves out of balance.

    Parameters
    ----------
    figures : int
        Significant figures to push for; the precision of the run decides when it ends.
    few : float
        Share of the entries of A that the recipes of the products out of balance may have: if they
        have more, there is no pushing.
    most_sweeps : int
        After so many sweeps, each of at most as many entries as A has, pushing is given up.
    otherwise : Anderson
        How to sweep instead.
    """

    figures: int = 3
    few: float = 0.1
    most_sweeps: int = 2
    otherwise: Anderson = SWEEPS
    name: str = "push"
    in_blocks: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.figures <= MOST_FIGURES:
            raise WrongUsageError(f"figures go from 1 to {MOST_FIGURES}, not {self.figures}")

    def start(self, problem: Balance) -> "Pushing":
        """Take stock of the earlier plan.

        Raises
        ------
        WrongUsageError
            If there is none.
        """
        if problem.start is None:
            raise WrongUsageError(
                "push revises an earlier plan, and there is none",
                advice="name one, or choose a method that starts from nothing",
            )
        return Pushing(problem, self)


@dataclass(frozen=True, eq=False)
class Recipes:
    """A by columns: the recipe of every product, ready to be pushed through."""

    indptr: Integers
    indices: Integers
    data: Vector
    diagonal: Vector

    @staticmethod
    def of(balance: Balance) -> "Recipes":
        """Transpose A; takes as much memory again."""
        A = balance.coefficients.tocsc()  # SciPy leaves both index types as the wider one
        indptr, indices = A.indptr.astype(np.int64), A.indices.astype(np.int32)
        return Recipes(indptr, indices, A.data, balance.diagonal)

    @property
    def magnitudes(self) -> "Recipes":
        """The recipes of |A|."""
        return replace(self, data=np.abs(self.data), diagonal=np.abs(self.diagonal))

    def settle(
        self, column: Vector, imbalance: Vector, threshold: Vector, rank: Vector, most: int
    ) -> tuple[int, int, int]:
        """Push ``column`` in place until no ``|imbalance|`` exceeds its threshold.

        Those that exceed it at first are pushed in the order of their rank. Returns how many still
        wait when ``most`` entries were touched, how many pushes were made, and the entries touched.
        """
        first = np.flatnonzero(np.abs(imbalance) > threshold)
        queue = np.zeros(len(column), np.int64)
        queue[: first.size] = first[np.argsort(rank[first], kind="stable")]
        is_waiting = np.zeros(len(column), np.uint8)
        is_waiting[first] = 1
        waiting, pushes, touched = settle(
            *(self.indptr, self.indices, self.data, self.diagonal, threshold),
            *(most, first.size, queue, is_waiting, column, imbalance),
        )
        return int(waiting), int(pushes), int(touched)


@dataclass(frozen=True, eq=False)
class Stock:
    """What one read of A says of a plan, kept up to date by the pushes; each (n,) float64.

    Attributes
    ----------
    output, witness : x and w
    imbalance : r, in the middle of its bounds
    unavoidable : half the distance of these bounds: rounding and declared uncertainties
    turnover : ``|f| + |A| |x|``, as it was found
    slack : v
    wanted : the slack that w should have: the turnover, where there is one
    """

    output: Vector
    witness: Vector
    imbalance: Vector
    unavoidable: Vector
    turnover: Vector
    slack: Vector
    wanted: Vector

    @staticmethod
    @np.errstate(over="ignore", invalid="ignore")
    def of(balance: Balance, state: State) -> "Stock":
        """Read A once; x and w are copied."""
        A, demand, x, w = balance.coefficients, balance.demand, state.output, state.witness
        found = Findings.blank(x.copy(), w.copy(), demand)
        certify_kernels.certificate_pass(
            *(A.indptr, A.indices, A.data, x, w, demand.lower, demand.upper, balance.delta),
            *(found.gross, found.r_lower, found.r_upper, found.slack, found.reach),
        )
        turnover = found.turnover
        return Stock(
            output=found.output,
            witness=found.witness,
            imbalance=0.5 * (found.r_lower + found.r_upper),
            unavoidable=found.unavoidable,
            turnover=turnover,
            slack=found.slack,
            wanted=np.maximum(np.maximum(turnover, state.floor), balance.leeway * found.reach),
        )

    @property
    def is_finite(self) -> bool:
        """Whether all numbers still are."""
        return bool(np.isfinite(np.sum(self.output + self.imbalance + self.witness + self.slack)))

    @property
    def has_slack(self) -> bool:
        """Whether the witness proves anything."""
        return bool(((self.slack > 0) & (self.witness > 0)).all())

    @property
    def lacks_slack(self) -> Mask:
        """Where the witness has to be raised."""
        lacks: Mask = ~(self.slack >= LEAST_SLACK * self.wanted)
        return lacks

    @property
    def depth(self) -> float:
        """The largest ``(w - v) / t``: how much wider bounds are than imbalances, relatively."""
        known = self.turnover > 0
        reach = self.witness[known] - self.slack[known]
        return float(np.max(reach / self.turnover[known], initial=0.05))

    def permits(self, half_width: float) -> tuple[Vector, float]:
        """Return thresholds, and the factor that makes them small enough for a half-width.

        What cannot be avoided is left room for, as far as that is possible at all.
        """
        known = self.turnover > 0
        attained = np.max(self.unavoidable[known] / self.turnover[known], initial=0.0)
        factor = MARGIN * max(half_width - attained, STEP * half_width) / self.depth
        unit = np.maximum(self.slack - self.unavoidable / factor, STEP * self.slack)
        return unit, float(factor)


@dataclass(eq=False)
class Pushing:
    """Push at work on one balance; see `Iteration`.

    Attributes
    ----------
    sweeps, pushes, entries : int
        Sweeps that pushed, and the pushes and the entries of A that they took.
    """

    balance: Balance
    method: Push
    sweeps: int = field(default=0, init=False)
    pushes: int = field(default=0, init=False)
    entries: int = field(default=0, init=False)

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def __post_init__(self) -> None:
        self.swept = WholeTable(self.balance, self.method.otherwise)
        self.stock = Stock.of(self.balance, self.swept.state)
        self.half_width = half_width_for(self.method.figures)
        self.recipes: Recipes | None = None
        self.reads_before = 1
        out = self._out_of_balance()
        entries = np.bincount(self.balance.coefficients.indices, minlength=len(out))
        most = self.method.few * float(self.balance.coefficients.nnz)
        self.is_pushing = self.stock.is_finite and float(entries[out].sum()) <= most
        if not self.is_pushing:
            self._sweep_on()
        elif out.any():
            self.recipes, self.reads_before = Recipes.of(self.balance), 2

    @property
    def delta(self) -> float:
        """Declared relative uncertainty of the coefficients."""
        return self.balance.delta

    @property
    def feeds_on_itself(self) -> bool:
        """Whether some product uses up at least one unit of itself per unit."""
        return self.swept.feeds_on_itself

    @property
    def traffic(self) -> Traffic:
        """What was moved so far."""
        return self.swept.traffic

    def sweep(self) -> Sight:
        """Push, touching at most as many entries as A has; or sweep."""
        cannot = self.recipes is None and self.sweeps > 0
        if self.is_pushing and (cannot or self.sweeps == self.method.most_sweeps):
            self._sweep_on()
        if not self.is_pushing:
            return self.swept.sweep()
        self.sweeps += 1
        if self.recipes is None:  # the old plan is as good as asked for: nothing is read
            return replace(self._sight(), reads=0)
        return self._push(self.recipes)

    def certify(self) -> tuple[Certificate]:
        """Bound the error of the output; if that fails, look closer in the next sweep."""
        if not self.is_pushing:
            return self.swept.certify()
        try:
            found = certify(self.balance, self.stock.output, self.stock.witness)
        except WitnessError:
            self._sweep_on()
            raise
        missed = half_width_for(self.method.figures) / max(found.relative_half_width, 1e-300)
        self.half_width *= min(max(missed, STEP), 0.5)
        return (found,)

    def audit(self) -> Productivity:
        """Find out whether the economy is productive."""
        return self.swept.audit()

    def _out_of_balance(self) -> Mask:
        """Return which products would be pushed first."""
        stock = self.stock
        if not stock.has_slack:
            return stock.lacks_slack
        unit, factor = stock.permits(self.half_width)
        return stock.lacks_slack | (np.abs(stock.imbalance) > factor * unit)

    def _push(self, recipes: Recipes) -> Sight:
        """Push w where it lacks slack, then x, from one threshold to the next."""
        stock, left = self.stock, self.balance.coefficients.nnz
        rank = stock.witness / stock.wanted
        left -= self._raise_witness(recipes, rank, left)
        if not stock.has_slack:
            return self._gave_up("the witness could not be raised")
        unit, factor = stock.permits(self.half_width)
        level = max(float(np.max(np.abs(stock.imbalance) / unit)), factor)
        waiting = 0
        while level > factor and not waiting:
            level = max(STEP * level, factor)
            waiting, pushes, touched = recipes.settle(
                stock.output, stock.imbalance, level * unit, rank, left
            )
            left -= touched
            self.pushes, self.entries = self.pushes + pushes, self.entries + touched
        return self._sight() if stock.is_finite else self._gave_up("the numbers overflow")

    def _raise_witness(self, recipes: Recipes, rank: Vector, most: int) -> int:
        """Push w where it lacks slack; return the entries touched."""
        stock = self.stock
        if not stock.lacks_slack.any():
            return 0
        magnitudes = recipes.magnitudes if self.balance.is_signed else recipes
        goal = np.maximum(stock.wanted, stock.slack)
        missing = goal - stock.slack
        _, pushes, touched = magnitudes.settle(
            stock.witness, missing, (1.0 - LEAST_SLACK) * stock.wanted, rank, most
        )
        stock.slack[:] = goal - missing
        self.pushes, self.entries = self.pushes + pushes, self.entries + touched
        return touched

    def _sight(self) -> Sight:
        stock = self.stock
        ratio = stock.imbalance / stock.slack
        least, largest = float(np.min(ratio)), float(np.max(ratio))
        if self.balance.is_signed:
            largest = max(-least, largest)
            least = -largest
        note = f"{self.pushes:,} pushes so far, {self.entries:,} entries touched"
        return Sight(least, largest, 1.0 + stock.depth, note=note)

    def _gave_up(self, why: str) -> Sight:
        self._sweep_on()
        return Sight(-np.inf, np.inf, 1.0, note=f"pushing was given up: {why}")

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def _sweep_on(self) -> None:
        """Go on with sweeps: from what is there, or from nothing if that is no number."""
        stock, start = self.stock, None
        if stock.is_finite:
            start = Start(stock.output[:, None], np.maximum(stock.witness, 0.0))
        self.recipes, self.is_pushing = None, False
        self.swept = WholeTable(replace(self.balance, start=start), self.method.otherwise)
