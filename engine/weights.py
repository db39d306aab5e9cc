"""The prices p in which blocks are aggregated.

They decide how fast the cycle is, never what is true. Best are prices at which every recipe costs
less than its product: money, mostly. Without them prices are carried along, ``p <- p A + l``, in
the reads that plan and witness need anyway, one pass behind; for values, amounts ``p <- A p + l``
are. l is labour where it is known, else one over turnover, which is in the right units whatever
they are.
"""

from dataclasses import dataclass

import numpy as np

from ogas.engine.account import Matrix
from ogas.engine.mail import Mail
from ogas.engine.sectors import Sector
from ogas.engine.table import Vector
from ogas.kernels import boundary


@dataclass(eq=False)
class Weights:
    """The prices of one block, and what is known of ``p A`` at them.

    Attributes
    ----------
    used : (b,) float64
        Whose ``content`` the last pass read; the table counts in these.
    content : (b, 1 or 2) float64
        ``used @ own``, and the same of magnitudes.
    ext_used : (1 or 2, e) float64
        ``used`` of what the block takes from others, or empty if all are 1; for values, what its
        row of the table counts these with, ``orders @ used``, and the same of magnitudes where
        entries are negative.
    now, ext_now : (b,), (e,) float64
        Being read in this pass, where prices are carried.
    outside : (b, 1) float64
        ``now @ |orders|`` of this pass; for values ``orders @ now``, a number for every row, and
        the same of magnitudes where entries are negative.
    source : (b,) float64
        l; empty if it is one over turnover.
    is_carried : bool
    is_reversed : bool
        For values: prices are then amounts.
    """

    used: Vector
    content: Matrix
    ext_used: Matrix
    now: Vector
    ext_now: Vector
    outside: Matrix
    source: Vector
    is_carried: bool
    is_reversed: bool


def given(sector: Sector, *, is_reversed: bool) -> Weights:
    """Return the prices known, which stay."""
    return Weights(
        used=sector.price,
        content=sector.own_content,
        ext_used=sector.ext_price[None],
        now=np.zeros(0),
        ext_now=np.zeros(0),
        outside=np.zeros((0, 1)),
        source=np.zeros(0),
        is_carried=False,
        is_reversed=is_reversed,
    )


def carried(
    sector: Sector, price: Vector, ext_price: Vector, source: Vector, *, is_reversed: bool
) -> Weights:
    """Return prices that are to be carried, from these on; no ``source`` is one over turnover."""
    return Weights(
        used=price,
        content=np.zeros_like(sector.own_content),
        ext_used=ext_price[None],
        now=price,
        ext_now=ext_price,
        outside=np.zeros((0, 1)),
        source=source,
        is_carried=True,
        is_reversed=is_reversed,
    )


def following(weights: Weights, outside: Vector, turnover: Vector, *, anew: bool) -> Vector:
    """Return carried prices one pass on; ``anew`` begins again from one over turnover.

    ``outside`` is what inputs from other blocks cost.
    """
    source = weights.source if weights.source.size else 1.0 / turnover
    if anew and not weights.source.size:
        return source
    return floored(weights.content[:, -1] + outside + source)


def delivered(mail: Mail, messages: Matrix, size: int) -> Vector:
    """Add up messages of one number that go up to a block."""
    added, ones = np.zeros((size, 1)), np.ones((int(mail.sources.max(initial=0)) + 1, 1))
    boundary.collect(
        *(mail.rows, mail.local, mail.sources, mail.bounds, messages),
        *(ones, np.zeros_like(ones), 0, added),
    )
    return added[:, 0]


def floored(prices: Vector) -> Vector:
    """Return prices with the least positive one in place of those that are not positive."""
    least = float(np.min(prices[prices > 0], initial=np.inf))
    return np.where(prices > 0, prices, least if np.isfinite(least) else 1.0)
