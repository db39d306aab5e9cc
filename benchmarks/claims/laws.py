"""Power laws through measured points, and what follows for what was not measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST = 3  # points that a law needs


@dataclass(frozen=True)
class Law:
    """``y = factor x^exponent``, fitted to logarithms.

    Attributes
    ----------
    factor, exponent : float
    error : float
        Standard error of the exponent.
    points : int
    """

    factor: float
    exponent: float
    error: float
    points: int

    def __call__(self, x: float) -> float:
        """Return y."""
        return float(self.factor * x**self.exponent)


def fitted(x: Sequence[float], y: Sequence[float]) -> Law | None:
    """Return the law through points by least squares in logarithms; None where they are too few.

    Examples
    --------
    >>> law = fitted([1.0, 10.0, 100.0], [2.0, 20.0, 200.0])
    >>> round(law.exponent, 6), round(law(1000.0), 6)
    (1.0, 2000.0)
    """
    if len(set(x)) < FEWEST:
        return None
    across, up = np.log(np.asarray(x)), np.log(np.asarray(y))
    exponent, offset = np.polyfit(across, up, 1)
    left = up - offset - exponent * across
    spread = float(np.sum((across - across.mean()) ** 2))
    error = np.sqrt(float(np.sum(left**2)) / (len(x) - 2) / spread)
    return Law(float(np.exp(offset)), float(exponent), float(error), len(x))
