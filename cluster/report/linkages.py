"""Linkages of an economy in groups: how strongly each draws on all others, and they on it.

The flows between groups are a table like any other, in money per money: A = Z x̂⁻¹. What is shown
are its linkages (`ogas.engine.analyses.linkages`), those of demand backward and those of supply
forward; and what a unit of every group embodies of a factor is its content. The flows are from the
middle of the plan's bounds, so that what is computed from them is not certified.
"""

from dataclasses import dataclass

import numpy as np

from ogas.cluster.report.flows import Flows
from ogas.engine.analyses.flows import upstreamness
from ogas.engine.analyses.inverse import Inverse
from ogas.engine.analyses.linkages import index
from ogas.engine.errors import NotProductiveError, NotProvenError
from ogas.engine.interval import Interval
from ogas.engine.source import Source
from ogas.engine.table import Integers, Table, Vector, coefficients_from


@dataclass(frozen=True, eq=False)
class Linkages:
    """Linkages between the groups that make something.

    Attributes
    ----------
    made : (k,) int64
        Those groups.
    backward, forward : (k,) float64
        Relative to their mean.
    inverse : Inverse
        Of the table between them.
    """

    made: Integers
    backward: Vector
    forward: Vector
    inverse: Inverse

    def embodied(self, flows: Flows, used: Vector) -> Vector:
        """Return what the final demand for every group embodies of a factor, (m,).

        Parameters
        ----------
        used : (m,) float64
            What every group uses of it directly. Both sum up to the same.
        """
        per_unit = used[self.made] / flows.output[self.made]
        found = np.zeros(len(flows))
        found[self.made] = self.inverse.contents({"": per_unit})[""].middle
        return np.asarray(found * flows.demand)


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
    inverse = Inverse(Source.of(Table(coefficients_from(supplies / output), made, output=output)))
    try:
        backward = index(inverse.contents({"": np.ones(made.size)})[""])
        forward = index(upstreamness(inverse, Interval.exactly(output)))
    except (NotProductiveError, NotProvenError):
        return None
    return Linkages(made, backward.middle, forward.middle, inverse)
