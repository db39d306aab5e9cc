"""The prices p in which blocks are aggregated.

They decide how fast the cycle is, never what is true. Best are prices at which every recipe costs
less than its product: money, mostly. Without them prices are carried along, ``p <- p A + l``, in
the reads that plan and witness need anyway, one pass behind; for values, amounts ``p <- A p + l``
are. l is labour where it is known, else one over turnover, which is in the right units whatever
they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ogas.engine.account import Matrix
from ogas.engine.mail import Mail
from ogas.engine.sectors import Sectors
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
        ``used`` of what the block takes from others; for values, what its row of the table counts
        these with, ``orders @ used``, and the same of magnitudes where entries are negative.
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


def given(sectors: Sectors) -> list[Weights]:
    """Return the prices known, which stay."""
    return [
        Weights(
            used=block.price,
            content=block.own_content,
            ext_used=block.ext_price[None],
            now=np.zeros(0),
            ext_now=np.zeros(0),
            outside=np.zeros((0, 1)),
            source=np.zeros(0),
            is_carried=False,
            is_reversed=sectors.is_transposed,
        )
        for block in sectors.blocks
    ]


def carried(sectors: Sectors, first: Vector, *, is_source: bool) -> list[Weights]:
    """Return prices that are to be carried; ``first`` (n,) in the table's order.

    ``is_source`` says that ``first`` is l; else l is one over turnover.
    """
    price = floored(first)
    return [
        Weights(
            used=price[block.products],
            content=np.zeros_like(block.own_content),
            ext_used=price[block.ext][None],
            now=price[block.products],
            ext_now=price[block.ext],
            outside=np.zeros((0, 1)),
            source=first[block.products] if is_source else np.zeros(0),
            is_carried=True,
            is_reversed=sectors.is_transposed,
        )
        for block in sectors.blocks
    ]


def carry(
    sectors: Sectors, weights: Sequence[Weights], turnovers: Sequence[Vector], *, anew: bool
) -> None:
    """Move carried prices one pass on; ``anew`` begins again from one over turnover."""
    outside = [part.outside[:, -1] for part in weights]
    if sectors.is_transposed:
        messages = np.concatenate(outside)[:, None]
        outside = [
            _delivered(mail, messages, len(weights), len(part.now))
            for mail, part in zip(sectors.mails, weights, strict=True)
        ]
    following = []
    for part, added, turnover in zip(weights, outside, turnovers, strict=True):
        source = part.source if part.source.size else 1.0 / turnover
        is_new = anew and not part.source.size
        following.append(source if is_new else floored(part.content[:, -1] + added + source))
    everywhere = np.concatenate(following)
    for mail, part, price in zip(sectors.mails, weights, following, strict=True):
        part.used, part.now = part.now, price
        if sectors.is_transposed:
            part.ext_used = np.ascontiguousarray(part.outside[: len(mail.ext)].T)
        else:
            part.ext_used, part.ext_now = part.ext_now[None], everywhere[mail.ext]


def _delivered(mail: Mail, messages: Matrix, blocks: int, size: int) -> Vector:
    """Add up messages of one number that go up to a block."""
    added, ones = np.zeros((size, 1)), np.ones((blocks, 1))
    boundary.collect(
        *(mail.rows, mail.local, mail.sources, mail.bounds, messages),
        *(ones, np.zeros_like(ones), 0, added),
    )
    return added[:, 0]


def floored(prices: Vector) -> Vector:
    """Return prices with the least positive one in place of those that are not positive."""
    least = float(np.min(prices[prices > 0], initial=np.inf))
    return np.where(prices > 0, prices, least if np.isfinite(least) else 1.0)
