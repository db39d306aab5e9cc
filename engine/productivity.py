"""Is the economy productive? Bounds of the spectral radius of |A|, and the loop that is to blame.

Two proofs, each with rounding included; a table at radius 1 within a few 1e-14 has neither:

- every strongly connected component has a positive y with ``|A| y < y``: productive, for every
  demand;
- ``y >= 0, y != 0`` with ``A y >= y``: at activity y these products use up at least as much of
  themselves as they make. No prices could then give each of them a positive value added.

Source: Hawkins and Simon (1949), Econometrica 17, 245-248; Berman and Plemmons (1994), Nonnegative
Matrices in the Mathematical Sciences, ch. 6.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ogas.engine.perron import Perron, perron, proven_ratios
from ogas.engine.table import Integers, Vector

PRUNED = 40  # loops up to this many products are pruned one by one
LAYERS = 100  # how often a component is stripped of those that cannot keep up


@dataclass(frozen=True, eq=False)
class Loop:
    """Products that use up at least as much of themselves as they make.

    Attributes
    ----------
    products : (k,) int64
        Positions, the most important first.
    activity : (k,) float64
        The proof y: ``A[products, products] @ activity >= activity``.
    radius : float
        Proven lower bound of the spectral radius among them; at least 1.
    """

    products: Integers
    activity: Vector
    radius: float


@dataclass(frozen=True, eq=False)
class Productivity:
    """What is known about the spectral radius of |A|.

    Attributes
    ----------
    radius_lower, radius_upper : float
        Proven bounds.
    loop : Loop or None
        The proof that the economy is not productive, if there is one.
    passes : int
        Reads of all of A that this took, rounded up.
    """

    radius_lower: float
    radius_upper: float
    loop: Loop | None
    passes: int

    @property
    def is_productive(self) -> bool:
        """Whether every demand can be met: the radius of |A| is proven to be below 1."""
        return self.radius_upper < 1.0

    @property
    def is_unproductive(self) -> bool:
        """Whether a loop proves the contrary; if neither holds, the question is undecided."""
        return self.loop is not None


def audit(coefficients: csr_array) -> Productivity:
    """Bound the spectral radius of |A| and, if A is not productive, name a short loop.

    Parameters
    ----------
    coefficients : (n, n) CSR
        Entries of any sign. With negative entries the bounds are for |A|, and a loop is proved for
        A itself; between the two the answer is undecided.

    Examples
    --------
    >>> from ogas.engine.table import coefficients_from
    >>> A = coefficients_from(np.array([[0.0, 2.0, 0.1], [0.6, 0.0, 0.0], [0.0, 0.0, 0.5]]))
    >>> found = audit(A)
    >>> sorted(found.loop.products.tolist()), round(found.radius_lower, 6)
    ([0, 1], 1.095445)
    """
    magnitude = abs(coefficients)
    reads = 1.0  # to find the components
    lower = upper = float(np.max(magnitude.diagonal(), initial=0.0))
    suspects: list[tuple[Integers, Perron]] = []
    for products in components(magnitude):
        part = _among(magnitude, products)
        found = perron(part)
        reads += found.products * part.nnz / max(magnitude.nnz, 1)
        lower, upper = max(lower, found.lower), max(upper, found.upper)
        if found.upper >= 1.0:
            suspects.append((products, found))
    loop = _blamed(coefficients, suspects)
    if loop is not None:
        lower = max(lower, loop.radius)
    return Productivity(lower, upper, loop, int(np.ceil(reads)))


def components(matrix: csr_array) -> list[Integers]:
    """Return the strongly connected components that produce for themselves, as positions.

    A single product is one only if it uses itself: its radius is then its own coefficient.
    """
    number, labels = connected_components(matrix, directed=True, connection="strong")
    order = np.argsort(labels, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(labels, minlength=number))[:-1])
    diagonal = matrix.diagonal()
    return [
        group.astype(np.int64) for group in groups if group.size > 1 or diagonal[group].sum() > 0
    ]


def _blamed(coefficients: csr_array, suspects: list[tuple[Integers, Perron]]) -> Loop | None:
    """Return a loop within the suspects, those of the largest radius first, or None."""
    own = coefficients.diagonal()
    worst = int(np.argmax(own))
    if own[worst] >= 1.0:  # needs no vector and no rounding: a_ii * 1 >= 1
        return Loop(np.array([worst]), np.ones(1), float(own[worst]))
    by_radius = sorted(suspects, key=lambda suspect: -suspect[1].lower)
    loops = (_loop(coefficients, *suspect) for suspect in by_radius)
    return next((loop for loop in loops if loop is not None), None)


def _loop(coefficients: csr_array, products: Integers, found: Perron) -> Loop | None:
    """Return the shortest loop we can prove within a component, or None if there is no proof."""
    loop = _proved(coefficients, products, found)
    if loop is None:
        loop = _loop_within(coefficients, _core(coefficients, products, found.vector))
    if loop is None:
        return None
    while (shorter := _shortened(coefficients, loop)).products.size < loop.products.size:
        loop = shorter
    return _pruned(coefficients, shorter)


def _core(coefficients: csr_array, products: Integers, activity: Vector) -> Integers:
    """Drop the products that cannot keep up with an activity, until those that are left can.

    Where a wrong unit makes the radius 1e6, the Perron vector falls off so steeply that float64
    cannot hold its tail, and without the tail the component as a whole proves nothing.
    """
    for _ in range(LAYERS):
        keeps_up = proven_ratios(_among(coefficients, products), activity)[0] >= 1.0
        if keeps_up.all():
            return products
        products, activity = products[keeps_up], activity[keeps_up]
    return products[:0]


def _shortened(coefficients: csr_array, loop: Loop) -> Loop:
    """Return the loop among the fewest of its weightiest products, or all of it in that order.

    A heuristic: a product's weight in the radius is its left times its right Perron vector. The
    radius only grows with more products, so the number is found by doubling, then by bisection.
    """
    part = abs(_among(coefficients, loop.products))
    weight = loop.activity * perron(csr_array(part.T)).vector
    by_weight = np.argsort(-weight, kind="stable")
    ordered = loop.products[by_weight]
    found = Loop(ordered, loop.activity[by_weight], loop.radius)
    too_few, enough = 0, ordered.size
    while enough - too_few > 1:
        tried = min(max(1, 2 * too_few), (too_few + enough) // 2)
        short = _loop_within(coefficients, ordered[:tried])
        if short is None:
            too_few = tried
        else:
            found, enough = short, tried
    return found


def _pruned(coefficients: csr_array, loop: Loop) -> Loop:
    """Drop the products without which the loop still proves itself, least important first."""
    if loop.products.size > PRUNED:
        return loop
    for product in loop.products[::-1]:
        if product in loop.products:
            rest = loop.products[loop.products != product]
            loop = _loop_within(coefficients, rest) or loop
    return loop


def _loop_within(coefficients: csr_array, products: Integers) -> Loop | None:
    """Return a loop among some products, kept in the order given, or None."""
    part = abs(_among(coefficients, products))
    for group in components(part):
        chosen = products[np.sort(group)]
        found = perron(abs(_among(coefficients, chosen)))
        if found.upper >= 1.0 and (loop := _proved(coefficients, chosen, found)) is not None:
            return loop
    return None


def _proved(coefficients: csr_array, products: Integers, found: Perron) -> Loop | None:
    """Return the loop if ``A y >= y`` holds for it with A's own signs, rounding included."""
    lower, _ = proven_ratios(_among(coefficients, products), found.vector)
    radius = float(np.min(lower))
    return Loop(products, found.vector, radius) if radius >= 1.0 else None


def _among(matrix: csr_array, products: Integers) -> csr_array:
    """Return what some products use of each other; all of them, in their order, cost no copy."""
    if products.size == matrix.shape[0] and (np.diff(products) == 1).all():
        return matrix
    return matrix[products][:, products]
