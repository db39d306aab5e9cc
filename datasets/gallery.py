"""The gallery: synthetic economies made to measure, the same ones on every machine.

A recipe is ``name[:case][,variant[=value]]...``:

    sectors, sectors:S1 .. sectors:S4    branches, hubs and supply chains   `ogas.datasets.sectors`
    ccm                                  the published timing table's law   `ogas.datasets.ccm`
    ,units=mixed ,signed ,islands ...    what solvers must meet             `ogas.datasets.variants`

Blocks are drawn in parallel and each from its own stream, so a table depends on the recipe, the
parameters and the seed alone. Entries are float32 numbers (the table *is* those numbers), ids count
from 0, and the factor (labour; surplus where households are inside) is 1 - column total in the
units of the law, so all values are 1 there: the answer to ``v = Aᵀ v + l`` is known in advance.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

import numpy as np
from scipy.sparse import coo_array, csc_array, hstack

from ogas.datasets.recipes import Economy, Parameters, Part, economy_of
from ogas.datasets.variants import shuffled
from ogas.engine.block import Block
from ogas.engine.table import Table, coefficients_from

Progress = Callable[[int, int], None]


def generate(
    recipe: str,
    parameters: Parameters = Parameters(),
    workers: int | None = None,
    progress: Progress | None = None,
) -> Table:
    """Draw an economy into memory.

    Parameters
    ----------
    recipe : str
        ``name[:case][,variant[=value]]...``.
    parameters : Parameters
        Sizes and seed; the recipe's own where not given.
    workers : int, optional
        Threads that draw blocks; every core if not given. The table does not depend on it.
    progress : callable, optional
        Called with (blocks done, blocks) after every block.

    Raises
    ------
    WrongUsageError
        If recipe, case or variant is unknown (the message lists what exists) or sizes clash.

    Examples
    --------
    >>> table = generate("sectors:S2,signed", Parameters(products=600, seed=7))
    >>> len(table), table.value_type, int(table.blocks.max()) + 1
    (600, 'float32', 30)
    """
    economy = economy_of(recipe, parameters)
    parts = list(drawn(economy, workers, progress))
    n = int(economy.law.starts[-1])
    sizes = np.diff(economy.law.starts)
    table = Table(
        coefficients_from(hstack([_columns(part.block, n) for part in parts], format="csc")),
        ids=np.arange(n),
        demand=np.concatenate([part.demand for part in parts]),
        factors={economy.factor: np.concatenate([part.factor for part in parts])},
        factor_units={economy.factor: "hours"},
        units="unit" if economy.scales is None else "own unit",
        blocks=np.repeat(np.arange(len(sizes)), sizes),
        value_type="float32",
        meta=economy.meta,
    )
    return shuffled(table, parameters.seed) if economy.variants.hidden else table


def drawn(economy: Economy, workers: int | None, progress: Progress | None) -> Iterator[Part]:
    """Yield the parts of an economy in the order of its blocks, drawn by a pool of threads."""
    count = len(economy.law.starts) - 1
    with ThreadPoolExecutor(workers or cpu_count()) as pool:
        try:
            for done, part in enumerate(pool.map(economy.part, range(count)), start=1):
                yield part
                if progress is not None:
                    progress(done, count)
        finally:
            pool.shutdown(cancel_futures=True)


def _columns(block: Block, products: int) -> csc_array:
    """Return a block's columns over all rows of the table, (n, b)."""
    rows = [
        np.repeat(names, np.diff(part.indptr))
        for part, names in ((block.own, block.products), (block.orders, block.ext))
    ]
    columns = np.concatenate([block.own.indices, block.orders.indices])
    data = np.concatenate([block.own.data, block.orders.data])
    shape = (products, len(block.products))
    return coo_array((data, (np.concatenate(rows), columns)), shape=shape).tocsc()
