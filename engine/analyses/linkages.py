"""Linkages and key sectors: who pulls on the rest of the economy, and who is pulled.

    backward          b_j = (L' p)_j / p_j      output of all that a unit of demand for j calls for
    forward, demand   (L q)_i / q_i, q = 1/p    output of i if every product is wanted for one money
    forward, supply   (L x)_i / x_i             row sums of Ghosh's inverse; upstreamness
    direct            (A' p)_j / p_j  and  (A x)_i / x_i

An index is a linkage over its mean: 1 for the average product (Rasmussen's power and sensitivity of
dispersion). Key sectors are above 1 both ways; those above 1 one way only are backward or forward
oriented; the others weakly linked. Where bounds enclose 1, the quadrant is undecided.

Sources: Rasmussen (1957), Studies in Inter-Sectoral Relations; Hirschman (1958), The Strategy of
Economic Development, ch. 6; Miller and Blair (2022), Input-Output Analysis, 3rd ed., ch. 12.2.
"""

from typing import Literal

import numpy as np

from ogas.engine.analyses.altered import input_costs, uses
from ogas.engine.analyses.flows import gross_output, upstreamness
from ogas.engine.analyses.inverse import Inverse, money_of
from ogas.engine.analyses.result import Result, Words
from ogas.engine.interval import Interval
from ogas.engine.table import Vector

Side = Literal["supply", "demand"]
WORDS = np.array(["weak", "forward", "backward", "key"])


def linkages(inverse: Inverse, output: Vector | None = None, forward: Side = "supply") -> Result:
    """Return linkages of every product, their indices and the quadrant.

    Parameters
    ----------
    inverse : Inverse
    output : (n,) float64, optional
        Gross output that flows are formed with; see `ogas.engine.analyses.flows.gross_output`.
    forward : "supply" or "demand"
        Which forward linkage decides the quadrant.

    Returns
    -------
    Result
        ``quadrant``; ``backward``, ``forward supply``, ``forward demand``, each also as
        ``... index``; ``direct backward`` and ``direct forward``.
    """
    header = inverse.header
    prices, made = money_of(header), gross_output(inverse, output)
    found = {
        "backward": inverse.contents({"": prices})[""].over(prices),
        "forward supply": upstreamness(inverse, made),
        "forward demand": inverse.outputs({"": 1.0 / prices})[""].times(prices),
    }
    indices = {f"{name} index": index(one) for name, one in found.items()}
    used = uses(inverse.source, made)
    direct = {
        "direct backward": input_costs(inverse.source, prices).over(prices),
        "direct forward": used.over(made),
    }
    quadrant = quadrants(indices["backward index"], indices[f"forward {forward} index"])
    columns: dict[str, Interval | Words] = {"quadrant": quadrant, **found, **indices, **direct}
    return Result(
        what="linkages",
        equation="b = A' b + p, x' = A x' + x",
        ids=header.ids,
        names=header.names,
        columns=columns,
        sort="backward index",
    )


def index(linkage: Interval) -> Interval:
    """Return a linkage over its mean."""
    return linkage.times(float(len(linkage.middle))).over(linkage.total())


def quadrants(backward: Interval, forward: Interval) -> Words:
    """Return where every product stands, or that its bounds do not tell.

    >>> one = Interval.exactly(np.array([1.2, 1.2, 0.8, 0.8]))
    >>> other = Interval.exactly(np.array([1.1, 0.9, 1.1, 0.9]))
    >>> quadrants(one, other).tolist()
    ['key', 'backward', 'forward', 'weak']
    """
    above = [one.minus(Interval.exactly(np.ones_like(one.middle))) for one in (backward, forward)]
    words = WORDS[2 * (above[0].middle > 0) + (above[1].middle > 0)]
    return np.where(above[0].is_certain & above[1].is_certain, words, "undecided")
