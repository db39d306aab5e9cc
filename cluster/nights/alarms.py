"""Alarms: recipes that change more than they ever did, which may be a misreport.

A row that sets or scales a coefficient moves it by ``r = ln(new / old)``. What the nights before
moved of the same product says what is usual: their median, and their median distance from it (MAD).
A row is out of the ordinary if

    |r - median|  >  jump · max(1.4826 MAD, LEAST)

With fewer than `ENOUGH` moves of a product, those of all products are taken; with fewer than
`ENOUGH` of these, nothing is known, and no row is out of the ordinary. 1.4826 MAD is the standard
deviation where moves are normal; half of all moves may be wrong before it is misled.

Source: Rousseeuw and Croux (1993), J. Amer. Statist. Assoc. 88, 1273-1283.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ogas.datasets.amending import Move
from ogas.datasets.arrays import damage_named
from ogas.datasets.atomic import atomic_file
from ogas.engine.table import Vector

ENOUGH = 8
LEAST = 0.01  # moves of a percent are never out of the ordinary
NORMAL = 1.4826
NIGHTS_BACK = 60


@dataclass(frozen=True)
class Alarm:
    """A row that moves a recipe more than is usual.

    Attributes
    ----------
    move : Move
    usual, most : float
        The median move, and how far from it is still usual.
    """

    move: Move
    usual: float
    most: float

    def __str__(self) -> str:
        factor, most = np.exp(self.move.ratio), np.exp(self.usual + self.most)
        return (
            f"{self.move.change.where}: the recipe of {self.move.change.product!r} changes by a "
            f"factor {factor:.3g}; up to {most:.3g} was usual"
        )


@dataclass(frozen=True, eq=False)
class Past:
    """What nights moved before.

    Attributes
    ----------
    products : (k,) strings
    ratios : (k,) float64
    """

    products: np.ndarray[tuple[int], np.dtype[np.str_]]
    ratios: Vector

    @staticmethod
    def read(files: Sequence[Path]) -> "Past":
        """Read what the last nights left."""
        products, ratios = [np.zeros(0, np.str_)], [np.zeros(0)]
        for file in files[-NIGHTS_BACK:]:
            with damage_named(file), np.load(file, allow_pickle=False) as found:
                products.append(found["products"])
                ratios.append(found["ratios"])
        return Past(np.concatenate(products), np.concatenate(ratios))

    def alarms(self, moves: Sequence[Move], jump: float) -> list[Alarm]:
        """Return the moves that are out of the ordinary."""
        order = np.argsort(self.products, kind="stable")
        known, everywhere = self.products[order], _usual(self.ratios)
        found = []
        for move in moves:
            first, last = (
                int(np.searchsorted(known, move.change.product, side=side))
                for side in ("left", "right")
            )
            own = _usual(self.ratios[order[first:last]])
            usual = own or everywhere
            if usual is None:
                continue
            middle, spread = usual
            most = jump * max(NORMAL * spread, LEAST)
            if abs(move.ratio - middle) > most:
                found.append(Alarm(move, middle, most))
        return found


def keep(file: Path, moves: Sequence[Move]) -> None:
    """Leave what a night moved, for the nights that follow."""
    with atomic_file(file) as temporary, open(temporary, "wb") as stream:
        np.savez(
            stream,
            products=np.array([move.change.product for move in moves], dtype=np.str_),
            ratios=np.array([move.ratio for move in moves], dtype=np.float64),
        )


def _usual(ratios: Vector) -> tuple[float, float] | None:
    """Return median and MAD of some moves; None if they are too few."""
    if len(ratios) < ENOUGH:
        return None
    middle = float(np.median(ratios))
    return middle, float(np.median(np.abs(ratios - middle)))
