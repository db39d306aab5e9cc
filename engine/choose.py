"""Which method for which economy, and how its numbers are held in memory."""

from collections.abc import Sequence
from dataclasses import replace

from ogas.engine.balance import Demand, check_delta
from ogas.engine.cycle import FLOAT32, OrdersAndTables, SectorBalance
from ogas.engine.exchange import SerialExchange
from ogas.engine.method import Anderson, GaussSeidel, Jacobi, Method
from ogas.engine.productivity import audit
from ogas.engine.push import Push
from ogas.engine.sectors import MOST_PRODUCTS, Form, arrange
from ogas.engine.source import Source
from ogas.engine.table import Vector

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
    within a pass, where the unit is money; in kind, the former is ahead. ``is_revision`` says that
    an earlier plan is known.
    """
    blocks = len(source.sizes)
    if blocks > 1:
        return METHODS["orders-and-tables"], f"the table has {blocks:,} blocks"
    if len(source) > MOST_PRODUCTS:
        return METHODS["orders-and-tables"], "one block of so many products is swept in pieces"
    if is_revision and figures <= PUSHED_FIGURES:
        return Push(figures=figures), "an earlier plan is known, and the table is one block"
    return METHODS["anderson"], "the table is one block"


def with_threads(method: Method, threads: int) -> Method:
    """Return the method with so many threads; only methods in blocks have any."""
    if isinstance(method, OrdersAndTables):
        return replace(method, exchange=SerialExchange(threads))
    return method


def sector_balance(
    source: Source,
    demands: Sequence[Demand],
    *,
    is_transposed: bool,
    figures: int,
    delta: float = 0.0,
) -> SectorBalance:
    """Read the blocks of a table and set up their balances.

    Up to 5 figures, tables past the cache are held in float32: their own numbers if they are
    stored so, else rounded, which the certificate counts as uncertainty of 2^-24.
    """
    check_delta(delta)
    header, few = source.header, figures <= FLOAT32_FIGURES
    exact = header.value_type == "float32"
    narrow = exact or (few and source.nonzeros > CACHED)
    price = _price(header.price)
    sectors = arrange(
        source.blocks(),
        len(source),
        Form(is_transposed=is_transposed, narrow=narrow, price=price, rank=header.rank),
    )
    rounding = FLOAT32 * (1.0 + 2.0 * delta) if narrow and not exact else 0.0
    labour = next((amounts for amounts in header.factors.values() if (amounts > 0).any()), None)
    return SectorBalance(
        sectors,
        tuple(demands),
        lambda: audit(source.table().coefficients),
        delta=delta + rounding,
        is_priced=not is_transposed and sectors.recipes_cost_less,
        labour=None if is_transposed else labour,
        has_rank=header.rank is not None,
        half=few and narrow and sectors.is_narrow,
    )


def _price(published: Vector | None) -> Vector | None:
    """Return published prices, if every product has one."""
    return published if published is not None and (published > 0).all() else None
