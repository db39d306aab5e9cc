"""What there is to tell of a plan: the plan itself, and what its table adds, read once.

The plan alone says what is made and how surely. Which product goes into which, what units are
worth, and what goes in of labour stands in the table; where that is gone or damaged, the page does
without.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ogas.cluster.planning import store_of
from ogas.cluster.progress import counting
from ogas.cluster.report.flows import NONE, Flows, Largest, Measured, read_once
from ogas.cluster.report.groups import Groups, each_for_itself, groups_of
from ogas.cluster.report.linkages import Linkages, linkages
from ogas.cluster.summary import label
from ogas.engine.block import Block
from ogas.engine.errors import DamagedError
from ogas.engine.flows import measured
from ogas.engine.header import Header
from ogas.engine.plan import Column, Plan
from ogas.engine.source import Source
from ogas.engine.table import Integers, Vector

MOST_LISTED = 20_000  # products whose figures are on the page
MOST_LINKED = 2_000  # of these, products whose suppliers and users are
UNSAID = "units (the table does not say which)"
MOST_POINTS = 1_500  # products that are told apart; beyond, groups are


@dataclass(frozen=True, eq=False)
class Economy:
    """What the table says of a plan of quantities, in value.

    Attributes
    ----------
    price : (n,) float64
        What a unit of every product counts for.
    money : str
        The unit of ``price`` times output.
    groups : Groups
        Few enough for a picture of all pairs.
    flows : Flows
        Between these.
    points : Groups
        Products, where they can be told apart, else the same groups.
    fine : Flows
        Between these.
    """

    price: Vector
    money: str
    groups: Groups
    flows: Flows
    points: Groups
    fine: Flows

    @cached_property
    def linkages(self) -> Linkages | None:
        """The linkages between points."""
        return linkages(self.fine)


@dataclass(frozen=True, eq=False)
class Findings:
    """All that the page tells.

    Attributes
    ----------
    plan : Plan
    column : Column
        The scenario or factor that the page is about.
    listed : (k,) int64
        The largest products, the largest first.
    header : Header or None
        None without the table.
    missing : str
        Why there is no more to tell; empty if there is.
    economy : Economy or None
    inputs, uses : Largest
        Of the first `MOST_LINKED` products listed.
    """

    plan: Plan
    column: Column
    listed: Integers
    header: Header | None = None
    missing: str = ""
    economy: Economy | None = None
    inputs: Largest = NONE
    uses: Largest = NONE

    @property
    def is_priced(self) -> bool:
        """Whether the plan is one of values, not of quantities."""
        return self.plan.kind == "values"

    @cached_property
    def shared_unit(self) -> str:
        """The unit that all products are measured in; empty if they have their own."""
        units = self.column.units
        if isinstance(units, str):
            return units or "unit"
        return str(units[0]) if (units == units[0]).all() else ""

    def called(self, product: int) -> str:
        """Return id and name of a product; not both if they are the same."""
        code = str(self.plan.ids[product])
        return code if self.names_repeat else label(self.plan, product)

    @cached_property
    def names_repeat(self) -> bool:
        """Whether names say nothing that ids do not."""
        names = self.plan.names
        return names is None or bool((names == self.plan.ids.astype(np.str_)).all())

    def unit(self, product: int) -> str:
        """Return the unit of a product."""
        return self.shared_unit or str(self.column.units[product])


def findings(plan: Plan, name: str = "") -> Findings:
    """Gather what there is to tell of a column of a plan; reads every block of the table once.

    Raises
    ------
    WrongUsageError
        If the plan has no such column.
    """
    column = plan.column(name)
    alone = Findings(plan, column, _largest(np.abs(column.output)))
    try:
        return _with_table(alone, store_of(plan).source())
    except DamagedError as error:
        return replace(alone, missing=str(error))


def _largest(size: Vector) -> Integers:
    return np.argsort(-size, kind="stable")[:MOST_LISTED]


def _with_table(alone: Findings, source: Source) -> Findings:
    """Return what the table adds."""
    found = replace(alone, header=source.header)
    if found.is_priced:
        why = "a plan of values has no flows; the plan of quantities shows them"
        return replace(found, missing=why)
    price, money = _prices(found, source)
    if price is None:
        why = "products are in units of their own, and neither prices nor a factor is known"
        return replace(found, missing=f"flows cannot be added up: {why}")
    listed = _largest(np.abs(price * found.column.output))
    return _with_flows(replace(found, listed=listed), source, price, money)


def _prices(found: Findings, source: Source) -> tuple[Vector | None, str]:
    """Return what units count for, and in what; estimated by a factor where nothing else is known.

    See `ogas.engine.flows`: that takes some reads of A.
    """
    header = source.header
    if header.price is not None:
        return np.abs(header.price), "money"
    is_said = not (isinstance(header.units, str) and header.units == "")
    if found.shared_unit and (is_said or not header.factors):
        unit = found.shared_unit if is_said else UNSAID
        return np.ones(len(header)), "units" if unit == "unit" else unit
    if not header.factors:
        return None, ""
    factor = next(iter(header.factors))
    known = replace(header, output=np.abs(found.column.output))
    price = measured(known, len(header), source.blocks).price
    unit = header.factor_units.get(factor) or factor
    return price, f"{unit} (estimated content of {factor})"


def _with_flows(found: Findings, source: Source, price: Vector, money: str) -> Findings:
    """Return what flows; the one read of all blocks."""
    column, header = found.column, source.header
    n = len(header)
    measure = Measured(column.output, price, column.demand.nominal)
    groups = groups_of(header.ids, header.blocks, price * column.output, found.called)
    points = each_for_itself(n, found.called) if n <= MOST_POINTS else groups
    with counting("reading the table", "blocks") as progress:
        blocks = _counted(source, progress)
        asked = found.listed[:MOST_LINKED]
        fine, inputs, uses = read_once(blocks, measure, points.labels, asked)
    flows = fine.merged(groups.labels, len(groups.names)) if points is not groups else fine
    economy = Economy(price, money, groups, flows, points, fine)
    return replace(found, economy=economy, inputs=inputs, uses=uses)


def _counted(source: Source, progress: Callable[[int, int], None]) -> Iterator[Block]:
    """Read the blocks one after the other, and tell how many there are still to come."""
    for number, block in enumerate(source.blocks()):
        progress(number, len(source.sizes))
        yield block
