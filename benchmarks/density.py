"""How many entries an economy needs for one, two and three figures of every product.

In BEA's table of 2017 a product has 10 inputs with coefficients of at least .01 and 55 of at least
.001, as if two and three figures needed no more. Here entries are dropped and covered by a bound
that costs two or three words per product, and the certificate says what is still proven for *every*
product of *every* economy within that bound (`ogas.benchmarks.remainder`). Kept are the fewest
entries that prove the figures: of the largest coefficients, of the largest shares of the turnover
of what is used, or of the largest flows at the price of precision (`ogas.benchmarks.dropping`).

Of the dropped, either a bound is known, ``0 <= E s <= r`` at the published outputs s, and the
published demand is planned. Or their sum is, ``E s = r``, and what is planned is another demand,
up to a tenth more or less of every product.

Sources: BEA, benchmark input-output accounts of 2017; for the few key inputs of most industries,
Carvalho (2010), Aggregate Fluctuations and the Network Structure of Intersectoral Trade.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ogas.benchmarks.dropping import Case, Choice, Known, Way, choices
from ogas.benchmarks.remainder import split
from ogas.benchmarks.truth import dense_solution
from ogas.engine.balance import quantities
from ogas.engine.certificate import figures_of
from ogas.engine.errors import WitnessError
from ogas.engine.table import Table, Vector

FIGURES = (1, 2, 3)


@dataclass(frozen=True)
class Kept:
    """The entries that were kept, and what they prove.

    Attributes
    ----------
    known : Known
    figures : int
        That were asked for.
    way : Way
    entries : int
    per_product : float
    share_of_entries, share_of_flow : float
        Of all there are; flows are those of the published outputs.
    proven : int
        Figures of the worst product.
    half_width, typical : float
        The largest relative half-width, and the median one; infinite if nothing was proven.
    missed : float
        What the kept entries alone miss of the plan, relative to turnover: of the median product.
    is_true : bool or None
        Whether the plan of the whole table, a dense solution, lies within the bounds; None if there
        are none.
    at_least : int
        Entries that any choice has to keep for these figures; 0 if that was not found out.
    """

    known: Known
    figures: int
    way: Way
    entries: int
    per_product: float
    share_of_entries: float
    share_of_flow: float
    proven: int
    half_width: float
    typical: float
    missed: float
    is_true: bool | None
    at_least: int


def kept(table: Table, figures: tuple[int, ...] = FIGURES) -> Iterator[Kept]:
    """Yield what has to be kept of a table: for all that may be known, all figures, in every way.

    Half a minute for 400 products, one core.

    Parameters
    ----------
    table : Table
        With a demand, outputs above 0, and small enough for a dense solution.
    figures : tuple of int
        Up to 6.
    """
    for known in Known:
        case = Case.of(table, known)
        true = dense_solution(quantities(table, case.demand))
        for wanted in figures:
            for choice in choices(case, wanted):
                yield _told(case, wanted, choice, true)


def _told(case: Case, figures: int, choice: Choice, true: Vector) -> Kept:
    entries = int(np.count_nonzero(choice.keep))
    widths, is_true = np.full(len(true), np.inf), None
    alone = dense_solution(quantities(split(case.table, choice.keep)[0], case.demand))
    try:
        proof = case.proof(choice.keep)
    except WitnessError:
        pass
    else:
        widths = proof.relative_half_widths
        is_true = bool(((proof.lower <= true) & (true <= proof.upper)).all())
    return Kept(
        known=case.known,
        figures=figures,
        way=choice.way,
        entries=entries,
        per_product=entries / len(true),
        share_of_entries=entries / case.table.nonzeros,
        share_of_flow=float(case.flows[choice.keep].sum() / case.flows.sum()),
        proven=int(figures_of(widths).min()),
        half_width=float(widths.max()),
        typical=float(np.median(widths)),
        missed=float(np.median(np.abs(true - alone) / case.turnover)),
        is_true=is_true,
        at_least=choice.at_least,
    )
