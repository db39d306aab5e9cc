"""Numbers that are known within bounds, and what can be computed from them.

Every operation returns bounds that hold for all numbers within those it was given; the rounding of
the operation itself is added, twice what IEEE arithmetic can lose.

Source: Rump (1999), Fast and parallel interval arithmetic, BIT 39, 534-554 (middle and radius).
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ogas.engine.certificate import figures_of
from ogas.engine.table import Integers, Vector
from ogas.kernels.reference import EPSILON, TINY, down, up

Mask = npt.NDArray[np.bool_]


class Bounds(Protocol):
    """What is known of every product: a column of a plan, or a certificate."""

    @property
    def lower(self) -> Vector:
        """Least it can be."""
        ...

    @property
    def upper(self) -> Vector:
        """Most it can be."""
        ...


@dataclass(frozen=True, eq=False)
class Interval:
    """Numbers that are known within bounds.

    Attributes
    ----------
    middle, radius : (n,) float64
        Each lies in ``middle ± radius``. A single number has the shape ``()``.

    Examples
    --------
    >>> a = Interval.between(np.array([1.0, 2.0]), np.array([3.0, 2.0]))
    >>> b = a.times(np.array([2.0, -1.0])).total()
    >>> b.lower <= 0 <= 4 <= b.upper, round(float(b.middle), 9), round(float(b.radius), 9)
    (np.True_, 2.0, 2.0)
    """

    middle: Vector
    radius: Vector

    @staticmethod
    def exactly(numbers: npt.ArrayLike) -> "Interval":
        """Return numbers that are known exactly."""
        middle = np.asarray(numbers, dtype=np.float64)
        return Interval(middle, np.zeros_like(middle))

    @staticmethod
    def between(lower: Vector, upper: Vector) -> "Interval":
        """Return what lies between bounds, rounded outwards."""
        middle = 0.5 * (lower + upper)
        radius = np.maximum(upper - middle, middle - lower)
        return Interval(middle, radius + 2.0 * EPSILON * (np.abs(middle) + radius))

    @staticmethod
    def of(bounds: Bounds, places: Integers, count: int) -> "Interval":
        """Return what lies between bounds, put to these places; 0 elsewhere."""
        lower, upper = np.zeros((2, count))
        lower[places], upper[places] = bounds.lower, bounds.upper
        return Interval.between(lower, upper)

    @staticmethod
    def stacked(several: "list[Interval]") -> "Interval":
        """Return several of a shape as one, along a new first axis."""
        return Interval(
            np.stack([one.middle for one in several]), np.stack([one.radius for one in several])
        )

    def __getitem__(self, places: Any) -> "Interval":
        """Return some of the numbers."""
        return Interval(np.asarray(self.middle[places]), np.asarray(self.radius[places]))

    def minus(self, other: "Interval") -> "Interval":
        """Return the difference."""
        middle = self.middle - other.middle
        rounding = EPSILON * (np.abs(self.middle) + np.abs(other.middle))
        return Interval(middle, self.radius + other.radius + rounding)

    def plus(self, other: "Interval") -> "Interval":
        """Return the sum."""
        return self.minus(Interval(-other.middle, other.radius))

    def times(self, other: "Interval | npt.ArrayLike") -> "Interval":
        """Return the product, number by number."""
        by = other if isinstance(other, Interval) else Interval.exactly(other)
        middle = self.middle * by.middle
        radius = (
            np.abs(self.middle) * by.radius
            + self.radius * np.abs(by.middle)
            + self.radius * by.radius
        )
        return _rounded(middle, radius, 2)

    def over(self, other: "Interval | npt.ArrayLike") -> "Interval":
        """Return the quotient; infinitely wide where the divisor may be 0.

        With quotient q of the middles, ``|a/b - q| <= (r_a + |q| r_b) / (|b| - r_b)``.
        """
        by = other if isinstance(other, Interval) else Interval.exactly(other)
        least = down(down(np.abs(by.middle)) - up(by.radius))
        known = np.broadcast_to(least > 0, np.broadcast_shapes(self.middle.shape, least.shape))
        middle, radius = np.zeros(known.shape), np.full(known.shape, np.inf)
        np.divide(self.middle, by.middle, out=middle, where=known)
        # The quotient of the middles is itself rounded, which its own size pays for below.
        top = self.radius + np.abs(middle) * by.radius + 2.0 * EPSILON * np.abs(self.middle)
        np.divide(top, least, out=radius, where=known)
        return _rounded(middle, radius, 4)

    def total(self) -> "Interval":
        """Return the sum of all numbers along the last axis."""
        terms = self.middle.shape[-1] + 2
        size = np.abs(self.middle).sum(axis=-1) + self.radius.sum(axis=-1)
        radius = self.radius.sum(axis=-1) + EPSILON * terms * size
        return _rounded(np.asarray(self.middle.sum(axis=-1)), np.asarray(radius), 2)

    def weighted(self, weights: "Interval | npt.ArrayLike") -> "Interval":
        """Return the sum of all numbers, each times its weight."""
        return self.times(weights).total()

    @property
    def lower(self) -> Vector:
        """Least that the numbers can be."""
        least: Vector = np.asarray(down(self.middle - up(self.radius)))
        return np.where(self.radius == 0, self.middle, least)

    @property
    def upper(self) -> Vector:
        """Most that the numbers can be."""
        most: Vector = np.asarray(up(self.middle + up(self.radius)))
        return np.where(self.radius == 0, self.middle, most)

    @property
    def figures(self) -> Integers:
        """Significant figures that are known of every number, relative to itself."""
        ratio = np.where(self.radius > 0, np.inf, 0.0)
        size = np.abs(self.middle)
        np.divide(self.radius, size, out=ratio, where=size > 0)
        return np.asarray(figures_of(ratio))

    @property
    def is_certain(self) -> Mask:
        """Where the sign is proven."""
        certain: Mask = np.abs(self.middle) > self.radius
        return certain


def _rounded(middle: Vector, radius: Vector, operations: int) -> Interval:
    """Widen a radius by what so many roundings of middle and radius may have lost."""
    lost = EPSILON * operations * (np.abs(middle) + 2.0 * radius)
    # A number that is exactly 0 stays so: underflow is what TINY stands for.
    tiny = np.where((middle != 0) | (radius != 0), TINY, 0.0)
    return Interval(middle, radius + lost + tiny)
