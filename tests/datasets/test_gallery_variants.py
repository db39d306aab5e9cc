"""Each variant changes what it promises to change, and nothing else."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ogas.datasets.answers import answer
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.datasets.variants import mixed_units, shuffle

SEED = 5231
SIZE = Parameters(products=4_000, seed=SEED)


@pytest.fixture(scope="module")
def plain():
    return generate("sectors", SIZE)


def matrix(table):
    """A with one index type, as SciPy's graph routines want it."""
    held = table.coefficients
    return csr_array((held.data, held.indices, held.indptr), shape=held.shape)


def test_in_mixed_units_the_plan_changes_by_the_units_to_the_last_bit(plain):
    mixed = generate("sectors,units=mixed", SIZE)
    scales = mixed_units(len(plain), SEED)
    assert scales.max() / scales.min() > 1e7
    assert (mixed.demand == plain.demand * scales).all()
    assert (answer(mixed) == answer(plain) * scales).all()
    assert (answer(mixed, "values") == answer(plain, "values") / scales).all()


def test_one_percent_of_the_entries_is_negative_and_none_on_the_diagonal(plain):
    signed = generate("sectors,signed", SIZE)
    assert (abs(signed.coefficients) != plain.coefficients).nnz == 0
    assert np.mean(signed.coefficients.data < 0) == pytest.approx(0.01, rel=0.1)
    assert (signed.coefficients.diagonal() >= 0).all()
    assert answer(signed, "values") == pytest.approx(1, rel=1e-12)


def test_imports_are_negative_demand_for_a_share_of_the_products(plain):
    imports = generate("sectors,imports", SIZE)
    assert np.mean(imports.demand < 0) == pytest.approx(0.15, rel=0.1)
    assert (imports.demand[imports.demand >= 0] == plain.demand[imports.demand >= 0]).all()
    assert (answer(imports) < 0).any()


def test_households_take_wages_in_and_spend_them(plain):
    closed = generate("sectors,households", SIZE)
    homes = np.flatnonzero(np.diff(closed.blocks, append=30))
    goods = np.setdiff1d(np.arange(len(closed)), homes)
    columns = closed.coefficients.sum(axis=0)
    assert columns[homes] == pytest.approx(0.9, rel=1e-6)
    wages = closed.coefficients[homes].tocoo()
    assert (closed.blocks[wages.col] == wages.row).all()
    assert wages.nnz == len(goods)
    assert (closed.demand[homes] == 0).all()
    assert list(closed.factors) == ["surplus"]
    value_added = 1 - (columns[goods] - closed.coefficients[homes].sum(axis=0)[goods])
    assert wages.tocsc().sum(axis=0)[goods] == pytest.approx(0.9 * value_added, rel=1e-5)


def test_households_bring_the_radius_to_95_percent():
    closed = generate("sectors,households", Parameters(seed=SEED))
    vector = np.ones(len(closed))
    for _ in range(100):
        vector = closed.coefficients @ vector
        radius = vector.max()
        vector /= radius
    assert radius == pytest.approx(0.95, abs=0.01)


def test_a_hidden_economy_is_the_same_one_shuffled_without_labels(plain):
    hidden = generate("sectors,hidden", SIZE)
    order = shuffle(len(plain), SEED)
    assert hidden.blocks is None
    assert (hidden.ids == np.arange(len(plain))).all()
    assert (matrix(hidden) != matrix(plain)[order][:, order]).nnz == 0
    assert (hidden.demand == plain.demand[order]).all()
    assert (hidden.factors["labour"] == plain.factors["labour"][order]).all()


def test_a_tree_has_no_circular_production():
    tree = generate("sectors,tree", SIZE)
    components, _ = connected_components(matrix(tree), connection="strong")
    assert components == len(tree)
    assert not tree.coefficients.diagonal().any()
    assert tree.nonzeros > 30 * len(tree)


def test_without_the_variant_most_of_the_economy_is_one_circle(plain):
    _, labels = connected_components(matrix(plain), connection="strong")
    assert np.bincount(labels).max() > 0.9 * len(plain)


@pytest.mark.parametrize("recipe", ["sectors,islands", "sectors,islands=3,households"])
def test_islands_do_not_trade(recipe):
    islands = generate(recipe, SIZE)
    count, labels = connected_components(matrix(islands), directed=False)
    assert count == (3 if "=3" in recipe else 2)
    assert (np.diff(labels) >= 0).all()
    assert islands.blocks[np.flatnonzero(np.diff(labels)) + 1].tolist() == (
        [10, 20] if count == 3 else [15]
    )


def test_variants_combine():
    table = generate("sectors:S3,households,islands,signed,imports,units=mixed,hidden", SIZE)
    output = answer(table)
    turnover = np.abs(table.demand) + abs(table.coefficients) @ np.abs(output)
    balance = table.demand + table.coefficients @ output - output
    assert (np.abs(balance) <= 1e-12 * turnover).all()
