"""Partitions: every product in one block, natural blocks found, the same ones every time."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import nonnegative_matrices

from ogas.datasets.forms import read
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.datasets.variants import shuffle
from ogas.engine import blocking
from ogas.engine.block import Cut, assemble
from ogas.engine.blocking import auto, into
from ogas.engine.boundary import value_share
from ogas.engine.errors import WrongUsageError
from ogas.engine.flows import links, measured, whole
from ogas.engine.partition import (
    by_components,
    by_flows,
    components_in_order,
    from_labels,
    layers,
    split_large,
)
from ogas.engine.table import Table, coefficients_from

SEED = 20261122
LABELS = st.lists(st.sampled_from(["a", "b", "ж", ""]) | st.integers(-3, 3).map(str), min_size=1)


def table_of(matrix, **fields):
    return Table(coefficients_from(matrix), np.arange(len(matrix)), **fields)


def links_of(table):
    return links(table.coefficients, measured(table, len(table), whole(table.coefficients)))


def is_partition(blocks, n):
    """Whether every product has one block and no number is left out."""
    assert blocks.shape == (n,)
    assert blocks.dtype == np.int64
    assert np.unique(blocks).tolist() == list(range(int(blocks.max()) + 1))
    return True


def sets_of(blocks):
    """The products of every block; the numbers themselves forgotten."""
    return {frozenset(np.flatnonzero(blocks == number).tolist()) for number in np.unique(blocks)}


PARTITIONS = {
    "METIS": lambda table, k: by_flows(links_of(table), min(k, len(table))),
    "components": lambda table, k: by_components(table.coefficients, links_of(table), k),
    "labels": lambda table, k: from_labels(np.arange(len(table)) * 7 % k),
    "split": lambda table, k: split_large(from_labels(np.arange(len(table)) % 2), k),
    "exactly K": lambda table, k: into(table, min(k, len(table))).blocks,
    "auto": lambda table, k: auto(table).blocks,
}


@pytest.mark.parametrize("partition", PARTITIONS)
@given(matrix=nonnegative_matrices(most=12), k=st.integers(1, 12), known=st.booleans())
def test_every_partition_covers_every_product_once_and_loses_no_coefficient(
    partition, matrix, k, known
):
    n = len(matrix)
    fields = {"demand": np.ones(n), "factors": {"labour": np.ones(n)}} if known else {}
    table = table_of(matrix, **fields)
    blocks = PARTITIONS[partition](table, k)
    assert is_partition(blocks, n)
    again = assemble(Cut(replace(table, blocks=blocks)), n)
    for part in ("indptr", "indices", "data"):
        assert getattr(again, part).tobytes() == getattr(table.coefficients, part).tobytes()
    assert (blocks == PARTITIONS[partition](table, k)).all()


# ---- labels --------------------------------------------------------------------------------------


@given(labels=LABELS)
def test_products_share_a_block_exactly_if_they_share_a_label(labels):
    blocks = from_labels(np.array(labels))
    assert is_partition(blocks, len(labels))
    by_hand = {}
    assert blocks.tolist() == [by_hand.setdefault(label, len(by_hand)) for label in labels]


@given(codes=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_integer_labels_are_numbered_in_ascending_order(codes):
    ascending = sorted(set(codes))
    blocks = from_labels(np.array(codes, dtype=np.int64))
    assert blocks.tolist() == [ascending.index(code) for code in codes]


# ---- METIS ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hidden():
    """Make a shuffled economy of 20,000 products, and tell the sector that each one came from."""
    made = {}

    def make(recipe):
        if recipe not in made:
            plain = generate(recipe, Parameters(seed=7))
            shuffled = generate(f"{recipe},hidden", Parameters(seed=7))
            made[recipe] = shuffled, plain.blocks[shuffle(len(plain), 7)]
        return made[recipe]

    return make


def together(found, planted):
    """The share of the products that lie in the block where most of their sector lies."""
    pairs, counts = np.unique(np.column_stack([planted, found]), axis=0, return_counts=True)
    return sum(counts[pairs[:, 0] == sector].max() for sector in np.unique(planted)) / len(found)


@pytest.mark.parametrize(
    ("recipe", "least"),
    [
        ("sectors:S1", 0.97),
        ("sectors:S2", 0.97),
        ("sectors:S3", 0.99),
        ("sectors:S4", 0.999),
        ("sectors:S1,units=mixed", 0.97),
        ("sectors:S4,signed", 0.999),
        ("sectors:S1,households", 0.98),
    ],
)
def test_withheld_sectors_are_found_again_from_the_flows(hidden, recipe, least):
    table, planted = hidden(recipe)
    found = auto(table)
    assert found.count == 30
    assert together(found.blocks, planted) > least
    shares = [value_share(replace(table, blocks=blocks)) for blocks in (found.blocks, planted)]
    assert shares[0] < 1.02 * shares[1]
    assert f"{shares[0]:.1%} of the flows cross" in found.why
    sizes = np.bincount(found.blocks)
    assert sizes.max() < 1.05 * len(table) / 30


def test_the_same_table_has_the_same_partition(hidden):
    table, _ = hidden("sectors:S3")
    copy = replace(table, coefficients=table.coefficients.copy())
    assert (auto(table).blocks == auto(copy).blocks).all()


def test_a_change_of_units_changes_no_block():
    plain = generate("sectors:S1,hidden", Parameters(products=3000, seed=7))
    mixed = generate("sectors:S1,units=mixed,hidden", Parameters(products=3000, seed=7))
    blocks = [auto(replace(table, units="")).blocks for table in (plain, mixed)]
    assert (blocks[0] == blocks[1]).all()


@pytest.mark.parametrize("count", [1, 2, 7, 599, 600])
def test_as_many_blocks_come_out_as_are_asked_for(count):
    table = generate("sectors:S1,hidden", Parameters(products=600, seed=7))
    blocks = into(table, count).blocks
    assert np.unique(blocks).tolist() == list(range(count))
    assert np.bincount(blocks).max() <= 2 * -(-600 // count)


@pytest.mark.parametrize("count", [0, 4, 10**9])
def test_more_blocks_than_products_or_none_are_refused(count):
    with pytest.raises(WrongUsageError, match=r"3 products cannot .*; ask for 1 to 3 blocks"):
        into(table_of(np.eye(3) / 2), count)


@pytest.mark.parametrize("count", [1, 3, 10])
def test_products_that_do_not_trade_are_shared_out_evenly(count):
    sizes = np.bincount(by_flows(links_of(table_of(np.zeros((10, 10)))), count))
    assert sizes.size == count
    assert sizes.max() - sizes.min() <= 1


# ---- components ----------------------------------------------------------------------------------


def reachable(matrix):
    """Which products each one needs, directly or not: a transitive closure by squaring."""
    needs = (matrix != 0) | np.eye(len(matrix), dtype=bool)
    for _ in range(len(matrix).bit_length()):
        needs = (needs.astype(int) @ needs.astype(int)) > 0
    return needs  # needs[i, j]: j needs i


@given(matrix=nonnegative_matrices(most=12))
def test_components_are_those_that_need_each_other_users_first(matrix):
    order, sizes = components_in_order(coefficients_from(matrix))
    assert sorted(order.tolist()) == list(range(len(matrix)))
    needs = reachable(matrix)
    blocks = np.empty(len(matrix), dtype=int)
    blocks[order] = np.repeat(np.arange(sizes.size), sizes)
    assert ((blocks[:, None] == blocks) == (needs & needs.T)).all()
    suppliers, users = np.nonzero(matrix)
    assert (blocks[suppliers] >= blocks[users]).all()


@given(matrix=nonnegative_matrices(most=12), most=st.integers(1, 12))
def test_blocks_of_components_are_bounded_and_order_only_from_later_ones(matrix, most):
    blocks = by_components(coefficients_from(matrix), links_of(table_of(matrix)), most)
    needs = reachable(matrix)
    circle = needs & needs.T
    large = circle.sum(axis=1) > most
    suppliers, users = np.nonzero(matrix)
    apart = ~(circle & large)[suppliers, users]
    assert (blocks[suppliers] >= blocks[users])[apart].all()
    assert np.bincount(blocks[~large], minlength=1).max() <= most
    assert np.bincount(blocks).max() <= 2 * most


@given(matrix=nonnegative_matrices(most=10))
def test_layers_count_the_rounds_from_what_nobody_uses(matrix):
    suppliers, users = np.nonzero(np.triu(matrix))
    depth = layers(suppliers, users, len(matrix))
    by_hand = [0] * len(matrix)
    for product in reversed(range(len(matrix))):  # triangular: users have higher numbers
        own = [by_hand[u] + 1 for s, u in zip(suppliers, users, strict=True) if s == product != u]
        by_hand[product] = max(own, default=0)
    assert depth.tolist() == by_hand


def test_an_order_that_is_not_topological_is_replaced_by_layers(monkeypatch):
    matrix = coefficients_from(np.diag(np.ones(5), k=1))  # a chain: 0 supplies 1 supplies 2 ...
    expected = components_in_order(matrix)[0]
    assert expected.tolist() == [5, 4, 3, 2, 1, 0]
    scrambled = (6, np.array([2, 0, 5, 1, 4, 3], dtype=np.int32))
    monkeypatch.setattr("ogas.engine.partition.connected_components", lambda *_, **__: scrambled)
    assert components_in_order(matrix)[0].tolist() == expected.tolist()


# ---- large blocks --------------------------------------------------------------------------------


@given(blocks=st.lists(st.integers(0, 5), min_size=1, max_size=40), most=st.integers(1, 12))
def test_large_blocks_are_cut_into_even_consecutive_pieces_and_others_stay(blocks, most):
    blocks = np.array(blocks, dtype=np.int64)
    found = split_large(blocks, most)
    for number in np.unique(blocks):
        pieces = found[blocks == number]
        assert (np.diff(pieces) >= 0).all()  # products ascending
        sizes = np.bincount(pieces)[pieces.min() :]
        assert sizes.size == -(-pieces.size // most)
        assert sizes.max() <= most
        assert sizes.max() - sizes.min() <= 1
    keys = sorted(set(zip(blocks.tolist(), found.tolist(), strict=True)))
    assert [new for _, new in keys] == sorted({new for _, new in keys})  # order of blocks kept
    if np.bincount(blocks).max() <= most:
        assert found.tolist() == blocks.tolist()


def test_no_block_has_more_products_than_16_bits_can_name():
    assert np.bincount(split_large(np.zeros(200_000, dtype=np.int64))).max() <= 65_536


# ---- the choice ----------------------------------------------------------------------------------


def test_blocks_that_a_table_names_are_kept():
    blocks = np.array([2, 0, 1])
    found = auto(table_of(np.eye(3) / 2, blocks=blocks))
    assert found.blocks.tolist() == [2, 0, 1]
    assert found.why == "3 blocks, as the source names them"


def test_a_small_table_is_one_block():
    found = auto(generate("sectors:S1,hidden", Parameters(products=2000, seed=7)))
    assert found.count == 1
    assert found.why == "one block: 2,000 products are too few for more"


def test_a_table_without_sectors_is_one_block_and_the_reason_is_said():
    found = auto(generate("ccm", Parameters(products=2500, seed=7)))
    assert found.count == 1
    assert "of the flows would cross between 4 by METIS" in found.why


def test_a_large_table_without_sectors_has_the_fewest_blocks_that_16_bits_allow(monkeypatch):
    monkeypatch.setattr(blocking, "MOST", 1000)
    monkeypatch.setattr(blocking, "ROOMY", 900)
    found = auto(generate("ccm", Parameters(products=2500, seed=7)))
    assert found.count == 3
    assert np.bincount(found.blocks).max() <= 1000


def test_an_acyclic_table_whose_components_cut_less_is_cut_along_them():
    # Chains of 10 products that do not trade with each other; METIS has to balance, they need not.
    n = 2400
    matrix = np.zeros((n, n))
    products = np.arange(n)
    inside = products % 10 != 9
    matrix[products[inside], products[inside] + 1] = 0.5
    found = auto(table_of(matrix))
    assert "0.0% of the flows cross" in found.why
    suppliers, users = np.nonzero(matrix)
    assert (found.blocks[suppliers] >= found.blocks[users]).all()


# ---- published tables ----------------------------------------------------------------------------


@pytest.mark.parametrize("year", [1995, 2005])
def test_in_the_tables_of_the_world_most_coefficients_cross_borders_but_little_value(
    data_folder, year
):
    table = read(data_folder / f"wiod13_world_{year}.npz").table
    countries = from_labels(np.array([label.split("|")[0] for label in table.ids.tolist()]))
    rows = np.repeat(np.arange(len(table)), np.diff(table.coefficients.indptr))
    assert np.mean(countries[rows] != countries[table.coefficients.indices]) > 0.8
    in_dollars = replace(table, units="$ million", blocks=countries)
    assert 0.1 < value_share(in_dollars) < 0.2
    found = into(replace(in_dollars, blocks=None), 41)
    assert together(found.blocks, countries) > 0.9
    assert value_share(replace(in_dollars, blocks=found.blocks)) < 1.1 * value_share(in_dollars)


def test_life_cycle_inventories_are_almost_without_circles(data_folder):
    table = read(data_folder / "uslci_fy21q3.npz").table
    order, sizes = components_in_order(table.coefficients)
    assert sizes.max() < 50
    blocks = by_components(table.coefficients, links_of(table), 160)
    assert np.bincount(blocks).max() <= 160
    rows = np.repeat(np.arange(len(table)), np.diff(table.coefficients.indptr))
    assert (blocks[rows] >= blocks[table.coefficients.indices]).all()
    assert order.size == len(table)
