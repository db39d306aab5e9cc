"""Every analysis by its name, with what can be said to it in one place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ogas.engine.analyses.decomposition import decomposition
from ogas.engine.analyses.entries import columns_of, rows_of
from ogas.engine.analyses.extraction import extraction, extraction_of_groups
from ogas.engine.analyses.flows import ghosh
from ogas.engine.analyses.footprints import demand_by, footprints, traced
from ogas.engine.analyses.households import Households
from ogas.engine.analyses.inverse import Inverse, unit
from ogas.engine.analyses.linkages import linkages
from ogas.engine.analyses.multipliers import multipliers
from ogas.engine.analyses.paths import paths
from ogas.engine.analyses.price_changes import factor_price, product_price
from ogas.engine.analyses.production_prices import production_prices
from ogas.engine.analyses.result import Result
from ogas.engine.analyses.upstream import stages
from ogas.engine.balance import Demand, demand_of
from ogas.engine.errors import WrongUsageError
from ogas.engine.header import Header
from ogas.engine.table import Labels, Vector

MOST_EXTRACTED = 5_000  # products, each of which takes a solve
PATHS = 100


@dataclass(frozen=True, eq=False)
class Asked:
    """What is asked of an analysis; each takes of it what it needs.

    Attributes
    ----------
    factors : sequence of str
        The table's own, all of them if empty.
    products : sequence of int
        Positions.
    demands : mapping of name to Demand
        Columns of final demand in place of the table's own.
    basket : (n,) float64 or None
        What households buy for a unit of their income.
    is_closed : bool
        Whether they spend it.
    labels : (n,) labels or None
        The group of every product.
    change : float or None
        Of a price.
    supplied : (n,) float64 or None
        What is added to primary inputs.
    other : Inverse or None
        That of an earlier year.
    count : int
        Paths that are listed.
    """

    factors: Sequence[str] = ()
    products: Sequence[int] = ()
    demands: Mapping[str, Demand] = field(default_factory=dict)
    basket: Vector | None = None
    is_closed: bool = False
    labels: Labels | None = None
    change: float | None = None
    supplied: Vector | None = None
    other: Inverse | None = None
    count: int = PATHS

    def factor(self, header: Header) -> str:
        """Return the one factor that is asked for, or the table's first."""
        found = [*self.factors, *header.factors][:1]
        if not found or len(self.factors) > 1:
            raise WrongUsageError(
                f"one factor is needed; the table has: {', '.join(header.factors) or 'none'}",
                advice="name it with --factor",
            )
        return found[0]

    def households(self, header: Header) -> Households:
        """Return the households that earn the factor."""
        return Households.of(header, self.factor(header), self.basket)


def _multipliers(inverse: Inverse, asked: Asked) -> Result:
    households = None
    if asked.is_closed or asked.basket is not None:
        households = asked.households(inverse.header)
    found = multipliers(inverse, asked.factors, households)
    return found if households is None else replace(found, notes=(households.convention,))


def _some(asked: Asked, what: str) -> Sequence[int]:
    if not asked.products:
        raise WrongUsageError(f"which {what}?", advice="name products with --product ID")
    return asked.products


def _extraction(inverse: Inverse, asked: Asked) -> Result:
    if asked.labels is not None:
        return extraction_of_groups(inverse, asked.labels, asked.factors)
    if not asked.products and len(inverse) > MOST_EXTRACTED:
        raise WrongUsageError(
            f"each of {len(inverse):,} products takes a solve",
            advice="name some with --product ID, or groups with --by LEVEL",
        )
    return extraction(inverse, asked.products or range(len(inverse)), asked.factors)


def _footprints(inverse: Inverse, asked: Asked) -> Result:
    if asked.labels is None and not asked.demands:
        return footprints(inverse, asked.factors)
    header = inverse.header
    labels = np.array(["all"] * len(header)) if asked.labels is None else asked.labels
    columns: Mapping[str, Vector | Demand] = asked.demands or demand_by(
        demand_of(header).nominal, labels
    )
    return traced(inverse, asked.factor(header), columns, labels)


def _prices(inverse: Inverse, asked: Asked) -> Result:
    if asked.change is None:
        raise WrongUsageError("what becomes dearer by how much?", advice="say --change AMOUNT")
    if asked.products:
        return product_price(inverse, asked.products[0], asked.change)
    return factor_price(inverse, asked.factor(inverse.header), asked.change)


def _values(inverse: Inverse, asked: Asked) -> Result:
    households = asked.households(inverse.header)
    found = production_prices(inverse, households)
    return replace(found, notes=(households.convention,))


def _paths(inverse: Inverse, asked: Asked) -> Result:
    header = inverse.header
    if asked.products:
        wanted = unit(len(header), asked.products[0])
    else:
        given = next(iter(asked.demands.values()), None)
        wanted = (given or demand_of(header)).nominal
    return paths(inverse, asked.factor(header), wanted, asked.count)


def _decomposition(inverse: Inverse, asked: Asked) -> Result:
    if asked.other is None:
        raise WrongUsageError("since which table?", advice="name the earlier one with --since")
    return decomposition(asked.other, inverse, next(iter(asked.factors), ""))


Analysis = Callable[[Inverse, Asked], Result]

MENU: dict[str, tuple[str, Analysis]] = {
    "multipliers": (
        "output and factor multipliers, type I; type II with --closed or --households",
        _multipliers,
    ),
    "linkages": (
        "backward and forward linkages, their indices, key sectors",
        lambda inverse, asked: linkages(inverse),
    ),
    "columns": (
        "columns of the Leontief inverse (--product)",
        lambda inverse, asked: columns_of(inverse, _some(asked, "columns")),
    ),
    "rows": (
        "rows of the Leontief inverse (--product)",
        lambda inverse, asked: rows_of(inverse, _some(asked, "rows")),
    ),
    "extraction": ("hypothetical extraction of every product, of --product, or --by", _extraction),
    "footprints": ("factors by producer and consumer; --demand columns, --by groups", _footprints),
    "ghosh": (
        "supply-driven model; with --supply, what added primary inputs would bring",
        lambda inverse, asked: ghosh(inverse, asked.supplied),
    ),
    "prices": ("cost-push: --change of the price of a --factor or --product", _prices),
    "values": ("labour values, prices of production, the uniform rate of profit", _values),
    "paths": ("structural paths of a --factor to final demand, or to a --product", _paths),
    "decomposition": ("what recipes and demand changed --since an earlier table", _decomposition),
    "upstreamness": (
        "stages of production ahead of every product, and behind it",
        lambda inverse, asked: stages(inverse),
    ),
}
