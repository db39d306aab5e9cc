"""Linkages: how strongly a group draws on all others, and how strongly all others draw on it.

With A = Z x̂⁻¹ (inputs per unit of value) and B = x̂⁻¹ Z (sales per unit of value):

    backward_j = Σ_i L_ij,  L = (I − A)⁻¹     what one more unit for final use of j sets in motion
    forward_i  = Σ_j G_ij,  G = (I − B)⁻¹     what one more unit of i enables further down

both over their mean (Rasmussen's power of dispersion, and its mirror on the supply side). Above 1
in both is a *key* group. G = x̂⁻¹ L x̂, so one inverse serves both; and l L is what a unit embodies
of a factor l. These are computed from the middle of the plan's bounds, and are not certified.

Rasmussen (1956), Studies in Inter-Sectoral Relations; Miller and Blair (2022), Input-Output
Analysis, 3rd edition, sections 12.2 and 2.6.
"""

from dataclasses import dataclass

import numpy as np

from ogas.cluster.report.flows import Flows
from ogas.engine.table import Integers, Vector

ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Linkages:
    """Linkages between the groups that make something.

    Attributes
    ----------
    made : (k,) int64
        Those groups.
    backward, forward : (k,) float64
        Relative to their mean.
    inverse : (k, k) float64
        L.
    """

    made: Integers
    backward: Vector
    forward: Vector
    inverse: Vector

    def embodied(self, flows: Flows, used: Vector) -> Vector:
        """Return what the final demand for every group embodies of a factor, (m,).

        Parameters
        ----------
        used : (m,) float64
            What every group uses of it directly. Both sum up to the same.
        """
        per_unit = used[self.made] / flows.output[self.made]
        found = np.zeros(len(flows))
        found[self.made] = (per_unit @ self.inverse) * flows.demand[self.made]
        return found


def linkages(flows: Flows) -> Linkages | None:
    """Return the linkages of an economy in groups; None if it has no inverse that makes sense.

    Examples
    --------
    >>> two = Flows(np.array([[0.0, 1.0], [2.0, 0.0]]), np.array([4.0, 4.0]), np.array([3.0, 2.0]))
    >>> found = linkages(two)
    >>> found.backward.round(4).tolist(), found.forward.round(4).tolist()
    ([1.0909, 0.9091], [0.9091, 1.0909])
    """
    made = np.flatnonzero(flows.output > 0)
    if not made.size:
        return None
    output, supplies = flows.output[made], flows.supplies[np.ix_(made, made)]
    try:
        inverse: Vector = np.linalg.inv(np.eye(len(made)) - supplies / output).astype(float)
    except np.linalg.LinAlgError:
        return None
    # Without negative flows the inverse of a productive economy has no negative entry.
    if (supplies >= 0).all() and inverse.min() < -ROUNDING:
        return None
    backward = inverse.sum(axis=0)
    forward = (inverse * output).sum(axis=1) / output
    return Linkages(made, backward / backward.mean(), forward / forward.mean(), inverse)
