"""Problems with answers, and problems that have none: what every method is judged by."""

from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from unittest.mock import patch

import numpy as np
from scipy.sparse import block_diag, csr_array

from ogas.datasets import textbook
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.engine import choose
from ogas.engine.balance import quantities, values
from ogas.engine.blocking import into
from ogas.engine.choose import METHODS, sector_balance
from ogas.engine.exchange import HERE, SerialExchange
from ogas.engine.iterate import Precision, solve
from ogas.engine.partition import from_labels
from ogas.engine.source import Source
from ogas.engine.table import Table, coefficients_from

SEED = 20260711
SMALL = Parameters(products=300, seed=SEED)
KINDS = ("quantities", "values")
WHOLE = ("jacobi", "gauss-seidel", "anderson")  # what they take is one matrix
IN_BLOCKS = ("block-jacobi", "orders-and-tables")
METHOD_NAMES = WHOLE + IN_BLOCKS

WORKED = ("two_sectors", "three_sectors", "by_product", "nobody_wants")
DRAWN = (
    "sectors:S1",
    "sectors:S2",
    "sectors:S3",
    "sectors:S4",
    "ccm",
    "sectors:S1,units=mixed",
    "sectors:S1,signed",
    "sectors:S1,imports",
    "sectors:S2,signed,imports=0.4,units=mixed",
    "sectors:S1,islands",
    "sectors:S1,tree,hidden,units=mixed",
    "sectors:S1,hidden",
    "sectors:S1,households",
    "sectors:S4,households",
)
SOLVABLE = WORKED + DRAWN


@cache
def solvable(name):
    """A productive table by its name."""
    return getattr(textbook, name)() if name in WORKED else generate(name, SMALL)


def table_of(rows, demand=None, labour=None):
    """A table from its rows; demand and labour are ones unless given."""
    matrix = coefficients_from(np.array(rows, float) if isinstance(rows, list) else rows)
    ones = np.ones(matrix.shape[0])
    return Table(
        matrix,
        np.arange(len(ones)),
        demand=ones if demand is None else np.array(demand, float),
        factors={"labour": ones if labour is None else np.array(labour, float)},
    )


def balance_of(table, kind, **options):
    """The balance of quantities, or of values in the first factor."""
    if kind == "quantities":
        return quantities(table, **options)
    return values(table, next(iter(table.factors)), **options)


def problem_of(table, kind, method, figures, **options):
    """The balance in the form that a method takes."""
    balance = balance_of(table, kind, **options)
    if method in WHOLE:
        return balance
    return by_blocks(table, kind, balance.demands, figures=figures, delta=balance.delta)


def solved(table, kind="quantities", method="anderson", figures=3, *, most=4000, **options):
    """Solve a table to some figures; in its own blocks, if the method works in blocks."""
    problem = problem_of(table, kind, method, figures, **options)
    return planned(problem, figures, method, most=most)


# ---- by blocks ----------------------------------------------------------------------------------


def blocks_at_random(table):
    """Seven blocks that have nothing in common."""
    return from_labels(np.random.default_rng(SEED + 6).integers(0, 7, len(table)))


def blocks_by_metis(table):
    """Blocks that trade as little as METIS can make them."""
    return into(table, min(5, len(table))).blocks


def blocks_of_unequal_size(table):
    """Three blocks of a product each, one of two, and one of all the rest."""
    return np.array([0, 1, 2, 3, 3, 4])[np.minimum(np.arange(len(table)), 5)]


PARTITIONS = {
    "its own": lambda table: table.blocks,
    "one block": lambda table: None,
    "at random": blocks_at_random,
    "by METIS": blocks_by_metis,
    "a block for each product": lambda table: np.arange(len(table))[::-1].copy(),
    "of unequal size": blocks_of_unequal_size,
}


def cut(table, partition):
    """A table in other blocks."""
    return replace(table, blocks=PARTITIONS[partition](table))


@contextmanager
def rounded_to_float32():
    """Hold coefficients in float32 however few there are; plans too where few figures are asked."""
    with patch.object(choose, "CACHED", -1):
        yield


def by_blocks(table, kind="quantities", demands=(), figures=6, delta=0.0, load=HERE):
    """The balances of a table by its blocks, for its own demand unless others are given."""
    problem = sector_balance(
        Source.of(table),
        demands or balance_of(table, kind).demands,
        is_transposed=kind == "values",
        figures=figures,
        load=load,
    )
    return replace(problem, delta=delta)


def planned(problem, figures=6, method="orders-and-tables", threads=1, most=4000):
    """Solve a balance; by one thread, which is the fastest for economies as small as these."""
    if isinstance(getattr(problem, "exchange", None), SerialExchange):
        problem.exchange.share.threads = threads
    return solve(problem, METHODS[method], Precision(figures, most))


# ---- economies that cannot meet their demand ----------------------------------------------------


def self_loop(amount, products=300):
    """`sectors:S1` where product 17 takes ``amount`` of itself."""
    table = generate("sectors:S1", Parameters(products=products, seed=SEED))
    matrix = table.coefficients.tolil()
    matrix[17, 17] = amount
    return _with(table, matrix)


def units_error(factor, products=600):
    """`sectors:S1` where the entry of the strongest mutual pair is ``factor`` times too large."""
    table = generate("sectors:S1", Parameters(products=products, seed=SEED + 1))
    i, j = textbook.wrong_unit(products, SEED + 1).meta["entry"]
    matrix = table.coefficients.tolil()
    matrix[i, j] *= factor
    return _with(table, matrix)


def one_bad_island():
    """Four economies that do not trade, of which the third has radius 1 + 1e-6."""
    good = [generate("sectors:S1", Parameters(products=300, seed=SEED + k)) for k in range(3)]
    parts = [table.coefficients for table in good]
    parts.insert(2, textbook.nearly_critical(-1e-6, 50, SEED).coefficients)
    # SciPy builds blocks only of matrices with one index type.
    same = [csr_array((p.data, p.indices, p.indptr.astype(np.int32)), shape=p.shape) for p in parts]
    return table_of(block_diag(same, format="csr"))


def bad_beside_undecidable():
    """A signed pair whose |A| has radius 3 but which is fine, beside a plain loop of radius 1.1."""
    return table_of([[0, -3, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1.21], [0, 0, 1.0, 0]])


def idle_loop():
    """Two products that nobody wants eat more than they make; the third is fine."""
    return table_of([[0, 0, 0], [0, 0, 2], [0, 2, 0]], demand=[1, 0, 0])


UNPRODUCTIVE = {
    "one product that takes 1 of itself": lambda: table_of([[1.0]]),
    "one product that takes 1.1 of itself": lambda: table_of([[1.1]]),
    "self loop of 1": lambda: self_loop(1.0),
    "self loop of 1.5": lambda: self_loop(1.5),
    "self loop of a million": lambda: self_loop(1e6),
    "three hidden products": lambda: textbook.hidden_loop(600, SEED),
    "three hidden products of 4,000": lambda: textbook.hidden_loop(4000, SEED),
    "units wrong by 1e6": lambda: textbook.wrong_unit(600, SEED),
    "units wrong by 1e12": lambda: units_error(1e12),
    "units wrong by 1e200": lambda: units_error(1e200),
    "radius 1 + 1e-10, 4 products": lambda: textbook.nearly_critical(-1e-10, 4, SEED),
    "radius 1 + 1e-10, 60 products": lambda: textbook.nearly_critical(-1e-10, 60, SEED),
    "radius 1 + 1e-10, 2,000 products": lambda: textbook.nearly_critical(-1e-10, 2000, SEED),
    "radius 1 + 1e-10, 20,000 products": lambda: textbook.nearly_critical(-1e-10, 20_000, SEED),
    "one bad island of four": one_bad_island,
    "a bad loop beside one that cannot be decided": bad_beside_undecidable,
    "a bad loop that nobody wants": idle_loop,
    "radius 1.2 everywhere": lambda: generate(
        "sectors:S1,units=mixed", Parameters(products=600, radius=1.2, seed=SEED)
    ),
}

#: Signed tables with a unique plan, although |A| alone would not be productive.
UNDECIDED = {
    "a pair that gives back": lambda: table_of([[0, -0.9], [1.5, 0]]),
    "a rotation with losses": lambda: table_of([[0.2, -1.5, 0.1], [1.5, 0.1, 0], [0, 0.1, 0.2]]),
    "a product that takes -1 of itself": lambda: table_of([[-1.0, 0.1], [0.1, 0]]),
    "a product that takes -2 of itself": lambda: table_of([[-2.0, 0.1], [0.1, 0]]),
}


def _with(table, matrix):
    return replace(table, coefficients=coefficients_from(matrix), value_type="float64")


# ---- published tables ---------------------------------------------------------------------------


def published(path):
    """A published square table; where it has no demand or labour, ones stand in."""
    with np.load(path) as file:
        shape = tuple(file["A_shape"])
        matrix = csr_array((file["A_data"], file["A_indices"], file["A_indptr"]), shape=shape)
        return table_of(matrix, file.get("f"), file.get("l"))


def check_enclosed(answers, certificate, rounding=1e-15):
    """The answers, exact to a rounding relative to turnover, lie within the bounds."""
    margin = rounding * certificate.turnover
    assert (certificate.lower <= answers + margin).all()
    assert (answers - margin <= certificate.upper).all()
