"""Which method for which economy, and how its numbers are held in memory."""

from collections.abc import Sequence

import numpy as np

from ogas.engine.balance import Demand
from ogas.engine.cycle import OrdersAndTables, SectorBalance
from ogas.engine.exchange import HERE, Load
from ogas.engine.layout import MOST_PRODUCTS, Layout
from ogas.engine.method import Anderson, GaussSeidel, Jacobi, Method
from ogas.engine.productivity import audit
from ogas.engine.push import Push
from ogas.engine.sectors import Form
from ogas.engine.source import Source
from ogas.engine.table import Integers, Vector

METHODS: dict[str, Method] = {
    "jacobi": Jacobi(),
    "gauss-seidel": GaussSeidel(),
    "anderson": Anderson(),
    "block-jacobi": OrdersAndTables(with_tables=False, name="block-jacobi"),
    "orders-and-tables": OrdersAndTables(),
}

CACHED = 2**22  # nonzeros that fit a cache as they are: nothing is gained by rounding them
FLOAT32_FIGURES = 5  # that float32 entries and vectors can prove
PUSHED_FIGURES = 5  # for six, one product's new demand touches all of A several times


def chosen(source: Source, figures: int = 3, *, is_revision: bool = False) -> tuple[Method, str]:
    """Return the method that needs the fewest passes, and why.

    On national tables in one block, Anderson's mixing and the cycle with a single block are equal
    within a pass, where the unit is money; in kind, the former is ahead. Where a table is too large
    for a cache, the cycle reads 6 bytes of a coefficient instead of 12. ``is_revision`` says that
    an earlier plan is known.
    """
    blocks = len(source.sizes)
    if blocks > 1:
        return METHODS["orders-and-tables"], f"the table has {blocks:,} blocks"
    if len(source) > MOST_PRODUCTS:
        return METHODS["orders-and-tables"], "one block of so many products is swept in pieces"
    if is_revision and figures <= PUSHED_FIGURES:
        return Push(figures=figures), "an earlier plan is known, and the table is one block"
    if source.nonzeros > CACHED:
        return METHODS[
            "orders-and-tables"
        ], "one block of so many coefficients is read in half the bytes"
    return METHODS["anderson"], "the table is one block"


def sector_balance(
    source: Source,
    demands: Sequence[Demand],
    *,
    is_transposed: bool,
    figures: int,
    load: Load = HERE,
) -> SectorBalance:
    """Load the blocks of a table, here or elsewhere, and set up their balances.

    Up to 5 figures, tables past the cache are held in float32: their own numbers if they are
    stored so, else rounded, which the certificate counts as uncertainty of 2^-24.
    """
    header, few = source.header, figures <= FLOAT32_FIGURES
    exact = header.value_type == "float32"
    narrow = exact or (few and source.nonzeros > CACHED)
    form = Form(is_transposed=is_transposed, narrow=narrow, price=usable(header.price))
    layout = layout_of(len(header), header.blocks, header.rank, is_transposed=is_transposed)
    exchange = load(source, layout, form)
    facts = tuple(exchange.ask("describe"))
    labour = next((amounts for amounts in header.factors.values() if (amounts > 0).any()), None)
    return SectorBalance(
        exchange,
        layout,
        facts,
        tuple(demands),
        lambda: audit(source.table().coefficients),
        is_transposed=is_transposed,
        is_rounded=narrow and not exact,
        is_priced=not is_transposed and all(block.costs_less for block in facts),
        labour=None if is_transposed else labour,
        has_rank=header.rank is not None,
        half=few and narrow and all(block.is_narrow for block in facts),
    )


def layout_of(
    products: int, labels: Integers | None, rank: Vector | None, *, is_transposed: bool
) -> Layout:
    """Return where the products of a table stand: final goods first, raw materials for values."""
    blocks = np.zeros(products, np.int64) if labels is None else labels
    return Layout.of(blocks, rank if rank is None or not is_transposed else -rank)


def usable(published: Vector | None) -> Vector | None:
    """Return published prices, if every product has one."""
    return published if published is not None and (published > 0).all() else None
