"""Upstreamness: how many stages of production lie between a product and its final use.

    U_i = [(I - B)^-1 1]_i = (L x)_i / x_i,    B = x^-1 A x     at least 1; 1: all goes to final use
    D_j = (L' p)_j / p_j                                       stages behind it (downstreamness)

The witness of a certified plan is a crude (I - A)^-1 t with the turnover t, so that the
``upstreamness`` stored with a plan is w / t: U to within the crudeness of w. Here it is bounded.

Sources: Antras, Chor, Fally and Hillberry (2012), American Economic Review 102(3), 412-416; Antras
and Chor (2013), Econometrica 81, 2127-2204; Miller and Temurshoev (2017), International Regional
Science Review 40, 443-475.
"""

from ogas.engine.analyses.flows import gross_output, upstreamness
from ogas.engine.analyses.inverse import Inverse, money_of
from ogas.engine.analyses.result import Result
from ogas.engine.table import Vector


def stages(inverse: Inverse, output: Vector | None = None) -> Result:
    """Return ``upstreamness`` and ``downstreamness`` of every product.

    ``output`` is what shares are formed of; see `ogas.engine.analyses.flows.gross_output`.
    """
    header = inverse.header
    prices, made = money_of(header), gross_output(inverse, output)
    columns = {
        "upstreamness": upstreamness(inverse, made),
        "downstreamness": inverse.contents({"": prices})[""].over(prices),
    }
    return Result(
        what="upstreamness",
        equation="U = B U + 1, B = x^-1 A x",
        ids=header.ids,
        names=header.names,
        columns=columns,
        sort="upstreamness",
        units=dict.fromkeys(columns, "stages"),
    )
