"""The gallery: synthetic economies made to measure, the same ones on every machine.

A recipe is ``name[:case][,variant[=value]]...``:

    sectors, sectors:S1 .. sectors:S4    branches, hubs and supply chains   `ogas.datasets.sectors`
    tns, nove, bernes, catalogue         S1 at the size of published claims `ogas.datasets.cases`
    ccm                                  the published timing table's law   `ogas.datasets.ccm`
    triangular, circular                 published without a circle, and with one
                                                                            `ogas.datasets.triangular`
    ,units=mixed ,signed ,islands ...    what solvers must meet             `ogas.datasets.variants`

Blocks are drawn in parallel and each from its own stream, so a table depends on the recipe, the
parameters and the seed alone. Entries are float32 numbers (the table *is* those numbers), ids count
from 0, and the factor (labour; surplus where households are inside) is 1 - column total in the
units of the law, so all values are 1 there: the answer to ``v = Aᵀ v + l`` is known in advance.
(Not where a radius above 1 is asked for: labour is never negative.)
"""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import asdict
from os import cpu_count
from pathlib import Path
from threading import Event, Semaphore, local
from typing import Any, TypeVar

import numpy as np

from ogas.datasets.draws import DRAWING, Desk
from ogas.datasets.manifest import Manifest
from ogas.datasets.publishing import publishing
from ogas.datasets.recipes import Economy, Parameters, economy_of
from ogas.datasets.sectors import Sectors
from ogas.datasets.store import commit, publish
from ogas.datasets.stored_block import write_block
from ogas.datasets.unfinished import Finished, Unfinished
from ogas.datasets.variants import shuffled
from ogas.engine.block import assemble
from ogas.engine.errors import DamagedError
from ogas.engine.header import Header
from ogas.engine.table import Table, Vector

Progress = Callable[[int, int], None]
Made = TypeVar("Made")

AS_THE_CASE_SAYS = Parameters()
VALUE_TYPE = "float32"


def generate(
    recipe: str,
    parameters: Parameters = AS_THE_CASE_SAYS,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Table:
    """Draw an economy into memory (about 32 bytes a nonzero while it is put together).

    Parameters
    ----------
    recipe : str
        ``name[:case][,variant[=value]]...``.
    parameters : Parameters
        Sizes and seed; the recipe's own where not given.
    workers : int, optional
        Threads that draw blocks; if not given, one more than there are cores, because they wait for
        the disk at times. The table does not depend on it.
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
    parts = list(_each(economy.part, economy.blocks, workers, progress))
    header = _header(economy, [(part.demand, part.factor) for part in parts])
    A = assemble((part.block for part in parts), len(header.ids))
    table = header.with_coefficients(A)
    return shuffled(table, parameters.seed) if economy.variants.hidden else table


def write(
    recipe: str,
    path: Path | str,
    parameters: Parameters = AS_THE_CASE_SAYS,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Draw an economy onto the disk, block by block; see `generate`.

    Memory holds one block per worker and a few vectors, never the table. (Except with `hidden`: a
    shuffled table has no blocks to write one by one, so it is made in memory.) An existing table
    gets a new version. A failure leaves nothing behind. Who is interrupted or killed, and repeats
    the same recipe and parameters, goes on with the blocks that were finished, and gets the same
    table (`ogas.datasets.unfinished`).

    Returns
    -------
    Manifest
        Of the version that is now current.

    Raises
    ------
    WrongUsageError
        See `generate`; also if ``path`` holds something that is not a table.
    LockedError
        If another run is writing here.
    DamagedError
        If the disk has too little room.
    """
    economy = economy_of(recipe, parameters)
    if economy.variants.hidden:
        return publish(path, generate(recipe, parameters, workers, progress))
    path = Path(path)
    work = Unfinished(path, _making(economy))
    _check_room(economy, path, work.done)
    desks = local()

    def made(number: int) -> Finished:
        found = work.recorded(number)
        if found is None:
            desks.own = getattr(desks, "own", None) or Desk()
            part = economy.part(number, desks.own)
            entry = write_block(path, part.block, VALUE_TYPE)
            found = Finished(entry, part.demand, part.factor)
            work.record(number, found)
        return found

    try:
        with publishing(path, keeps=lambda: work.done > 0):
            work.begin()
            blocks = list(_each(made, economy.blocks, workers, progress))
            header = _header(economy, [(block.demand, block.factor) for block in blocks])
            manifest = commit(path, [block.entry for block in blocks], header)
            work.end()
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(_told(work)) from error
    return manifest


def _making(economy: Economy) -> dict[str, Any]:
    """Return all that the blocks of an economy depend on, JSON types only."""
    given = asdict(economy.parameters).items()
    return {
        "drawing": DRAWING,
        "recipe": economy.recipe,
        "options": [f"--{name} {value}" for name, value in given if value is not None],
        "blocks": economy.blocks,
    }


def _told(work: Unfinished) -> str:
    if not work.done:
        return "nothing was changed"
    kept = f"{work.done:,} of {work.making['blocks']:,} blocks are kept"
    return f"{kept}; the same command goes on from there"


def _check_room(economy: Economy, path: Path, done: int) -> None:
    place = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    needed = economy.stored_bytes * (economy.blocks - done) // economy.blocks
    free = shutil.disk_usage(place).free
    if needed > free:
        rest = "the rest of " if done else ""
        raise DamagedError(
            f"{rest}this table takes up to {needed:,} bytes and {free:,} are free on this disk",
            where=str(path),
            advice="free some space, or ask for fewer products or inputs",
        )


def _each(
    make: Callable[[int], Made], count: int, workers: int | None, progress: Progress | None
) -> Iterator[Made]:
    """Yield ``make(0) .. make(count - 1)`` in this order, made by a pool of threads."""
    # Kernels and the disk leave the interpreter lock alone, so threads suffice.
    threads = workers or (cpu_count() or 1) + 1
    working, is_over = Semaphore(threads), Event()

    def watched(number: int) -> Made:
        with working:
            if is_over.is_set():
                raise CancelledError
            return make(number)

    with ThreadPoolExecutor(threads) as pool:
        try:
            for done, made in enumerate(pool.map(watched, range(count)), start=1):
                yield made
                if progress is not None:
                    progress(done, count)
        finally:
            is_over.set()
            pool.shutdown(cancel_futures=True)
            # Interrupted while it starts a thread, a pool forgets the thread, which works on.
            for _ in range(threads):
                working.acquire()
            working.release(threads)


def _header(economy: Economy, vectors: list[tuple[Vector, Vector]]) -> Header:
    """Return everything but the coefficients, from each block's demand and factor."""
    sizes = np.diff(economy.law.starts)
    return Header(
        ids=np.arange(sizes.sum()),
        demand=np.concatenate([demand for demand, _ in vectors]),
        factors={economy.factor: np.concatenate([factor for _, factor in vectors])},
        factor_units={economy.factor: "hours"},
        units="unit" if economy.scales is None else "",
        blocks=np.repeat(np.arange(len(sizes)), sizes),
        rank=-np.arange(float(sizes.sum())) if isinstance(economy.law, Sectors) else None,
        value_type=VALUE_TYPE,
        meta=economy.meta,
    )
