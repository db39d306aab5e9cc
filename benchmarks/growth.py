"""What does not grow: passes with the number of products, words with the recipes that cross.

Passes of orders and tables on S1 and S4 with more and more products in 30 blocks. The numbers that
blocks exchange in a cycle, by product, where a block owns columns, as here, and where it would own
rows. And the variants that every method has to meet, at a small size.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ogas.benchmarks.methods import CYCLE
from ogas.benchmarks.passes import Count, by_blocks, counted, problem_of
from ogas.datasets import gallery
from ogas.datasets.recipes import Parameters
from ogas.engine.block import Cut
from ogas.engine.blocking import auto
from ogas.engine.boundary import survey
from ogas.engine.choose import METHODS
from ogas.engine.flows import Measure

FIGURES = (3, 6)
SIZES = (20_000, 100_000, 1_000_000)
BLOCKS = 30
VARIANTS = ("sectors:S1,tree", "sectors:S1,islands", "sectors:S1,hidden", "ccm")
SMALL = 6000


@dataclass(frozen=True)
class Words:
    """Numbers that blocks exchange in a cycle, for one column, by product of the table.

    Attributes
    ----------
    economy : str
    products, words, row_owned : int
        ``row_owned`` if blocks owned the rows of A, and sent outputs around.
    design : str
    """

    economy: str
    products: int
    words: int
    row_owned: int
    design: str


# reference/numerics.md §2: by product, column-owned and row-owned.
DESIGN_WORDS = {"S1": "4.6 / 8.0", "S3": "1.2 / 2.85", "S4": "0.39 / 0.69"}


def growing(
    sizes: tuple[int, ...] = SIZES, cases: tuple[str, ...] = ("S1", "S4")
) -> Iterator[Count]:
    """Yield the passes to 3 and 6 figures as the number of products grows."""
    for case in cases:
        for products in sizes:
            table = gallery.generate(
                f"sectors:{case}", Parameters(products=products, blocks=BLOCKS)
            )
            names = (f"{case}, {products:,} products", "quantities", CYCLE)
            problem = by_blocks(table, "quantities")
            yield counted(names, problem, METHODS[CYCLE], FIGURES)


def spread(counts: list[Count]) -> int:
    """Return by how many passes counts to the same figures differ among sizes of a case."""
    cases: dict[str, list[tuple[int, ...]]] = {}
    for found in counts:
        cases.setdefault(found.economy.split(",")[0], []).append(found.passes)
    return max(int(np.ptp(np.array(passes), axis=0).max()) for passes in cases.values())


def exchanged(cases: tuple[str, ...]) -> Iterator[Words]:
    """Yield the numbers that blocks exchange in a cycle."""
    for case in cases:
        table = gallery.generate(f"sectors:{case}")
        assert table.blocks is not None
        ones = Measure(np.ones(len(table)), np.ones(len(table)))
        found = survey(ones, table.blocks, partial(Cut, table))
        yield Words(
            case, len(table), found.words, found.words_row_owned, DESIGN_WORDS.get(case, "")
        )


def variants(products: int = SMALL) -> Iterator[Count]:
    """Yield the passes to 3 figures of every method on what solvers have to meet."""
    for recipe in VARIANTS:
        table = gallery.generate(recipe, Parameters(products=products))
        blocks = auto(table).blocks if table.blocks is None else table.blocks
        for name, method in METHODS.items():
            given = replace(table, blocks=blocks) if method.in_blocks else table
            problem = problem_of(given, "quantities", method)
            yield counted((recipe, "quantities", name), problem, method, (3,))
