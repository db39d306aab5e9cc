"""Numbers and recipes: to the last bit what the twins draw, and what they should be."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from ogas.datasets.draws import alias_table, even_starts, lognormal, quantiles
from ogas.kernels import drawing, numbers
from ogas.kernels import reference_drawing as twin

SEED = 7315502
WORDS = st.integers(0, 2**64 - 1)
UNIFORM = quantiles(lambda p: p, lambda p: 1 - p)


def whole(*counts):
    return tuple(np.uint64(count) for count in counts)


def test_numbers_are_those_of_splitmix64():
    # The first outputs of the published generator, seeded with 1234567.
    known = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [twin.word(1234567, k) for k in range(1, 5)] == known
    assert [int(numbers.word(*whole(1234567, k))) for k in range(1, 5)] == known


@given(WORDS, WORDS, st.integers(1, 2**32 - 1))
def test_a_number_and_its_place_are_those_of_the_twin(key, k, count):
    drawn = twin.word(key, k)
    assert int(numbers.word(*whole(key, k))) == drawn
    at = int(numbers.spread(*whole(drawn, count)))
    assert at == twin.spread(drawn, count)
    assert at // 2**32 == drawn * count // 2**64


@given(WORDS)
def test_a_size_is_that_of_the_twin(drawn):
    for table in (lognormal(1.5), UNIFORM):
        assert numbers.quantile(table, np.uint64(drawn)) == twin.quantile(table, drawn)


@given(WORDS)
def test_a_size_is_the_quantile_of_its_probability(drawn):
    lower = drawn % 2**31 + 0.5
    p = lower * 2.0**-32 if not drawn >> 31 & 1 else 1 - lower * 2.0**-32
    assert numbers.quantile(UNIFORM, np.uint64(drawn)) == pytest.approx(p, rel=1e-7)
    p = lower * 2.0**-32
    z = ndtri(p) if not drawn >> 31 & 1 else -ndtri(p)
    assert numbers.quantile(lognormal(1.5), np.uint64(drawn)) == pytest.approx(
        np.exp(1.5 * z), rel=7e-5
    )


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=40), st.lists(WORDS, max_size=5))
def test_places_are_as_likely_as_their_weights(weights, drawn):
    weights, theirs = np.array(weights), np.empty(len(weights), np.uint64)
    ours = alias_table(weights)
    twin.fill_alias(weights.copy(), theirs)
    assert ours.tolist() == theirs.tolist()
    for word in drawn:
        assert int(numbers.pick(ours, np.uint64(word))) == twin.pick(ours, word)
    share = (ours >> np.uint64(32)) / 2**32
    likely = share + np.bincount(ours & np.uint64(2**32 - 1), 1 - share, len(weights))
    assert likely / len(weights) == pytest.approx(weights / weights.sum(), abs=1e-9)


def drawn_by(module, products, blocks, block, homes, acyclic):
    """The choice of one block's suppliers, and their weights."""
    draw = np.random.default_rng(SEED)
    keys = draw.integers(0, 2**64, 4, dtype=np.uint64)
    bounds = even_starts(products, blocks)
    size = int(bounds[block + 1] - bounds[block])
    goods = products - homes * blocks
    counts = draw.integers(0, 30, size) + homes
    counts[0] *= not acyclic
    starts = np.append(0, np.cumsum(counts))
    hubs = draw.choice(products, 5, replace=False).astype(np.uint32)
    tables = alias_table(draw.random(size - homes)), alias_table(1 / np.arange(1.0, 6))
    limits = (np.array([0.6, 0.75, 0.9]) * 2**32).astype(np.uint64)
    island = np.array([3, goods - 5, homes], np.uint64)
    suppliers, inner = np.zeros(starts[-1], np.uint32), np.zeros(size, np.int64)
    weights = np.zeros(starts[-1], np.float32)
    reserved, number = whole(homes, block)
    module.choose(
        *(keys[:3], starts, reserved, limits, *tables, hubs, bounds, island, number, acyclic),
        *(suppliers, inner),
    )
    totals = draw.uniform(0.4, 0.9, size)
    module.weigh(
        *(keys[3], starts, reserved, inner, suppliers, lognormal(1.5), 0.1, totals, weights)
    )
    return starts, inner, suppliers, weights, totals


@pytest.mark.parametrize("acyclic", [False, True])
@pytest.mark.parametrize("homes", [0, 1])
@pytest.mark.parametrize(("products", "blocks", "block"), [(60, 3, 1), (101, 7, 6), (20, 1, 0)])
def test_recipes_are_those_of_the_twin(products, blocks, block, homes, acyclic):
    ours = drawn_by(drawing, products, blocks, block, homes, acyclic)
    theirs = drawn_by(twin, products, blocks, block, homes, acyclic)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.tobytes() == other.tobytes()


def test_weights_add_up_to_the_total_of_their_product():
    starts, _, _, weights, totals = drawn_by(drawing, 101, 7, 6, 0, False)
    sums = np.add.reduceat(weights.astype(np.float64), starts[:-1][np.diff(starts) > 0])
    assert sums == pytest.approx(totals[np.diff(starts) > 0], rel=1e-6)


def test_without_totals_sizes_stay_as_drawn():
    starts, inner = np.array([0, 3, 9]), np.array([0, 3])
    suppliers, found = np.zeros(9, np.uint32), []
    for module in (drawing, twin):
        weights = np.zeros(9, np.float32)
        given = (np.uint64(SEED), starts, np.uint64(1), inner, suppliers, UNIFORM, 1.0)
        module.weigh(*given, np.empty(0), weights)
        found.append(weights.tolist())
    assert found[0] == found[1]
    assert found[0][0] == found[0][3] == 0
    assert len({weight for weight in found[0] if 0 < weight < 1}) == 7


@pytest.mark.parametrize("first", [0, 40])
@pytest.mark.parametrize("below", [False, True])
def test_a_choice_from_elsewhere_is_that_of_the_twin(first, below):
    starts, rates = np.array([0, 4, 5, 30, 90]), np.linspace(0, 2, 45) ** 2
    guide = np.arange(70, dtype=np.uint32) % 44  # wherever it leads to
    found = []
    for module in (drawing, twin):
        suppliers, inner = np.zeros(90, np.uint32), np.zeros(4, np.int64)
        given = (np.uint64(SEED), starts, *whole(1, first, 4))
        if below:
            module.choose_below(*given, rates, guide, suppliers, inner)
        else:
            module.choose_anywhere(*given, np.uint64(44), suppliers, inner)
        found.append((suppliers.tolist(), inner.tolist()))
    assert found[0] == found[1]
    suppliers, inner = found[0]
    for u in range(4):
        own = [first + place for place in suppliers[starts[u] + 1 : inner[u]]]
        others = suppliers[inner[u] : starts[u + 1]]
        assert all(first <= supplier < first + 4 for supplier in own)
        assert not any(first <= supplier < first + 4 for supplier in others)
        assert max(own + others, default=0) <= (first + u if below else 43)


def test_tables_of_sizes_are_the_same_everywhere():
    """Their float32 numbers do not depend on the library of mathematical functions."""
    tables = b"".join(table.astype("<f4").tobytes() for table in (lognormal(1.5), UNIFORM))
    assert hashlib.sha256(tables).hexdigest()[:16] == "bfd2f04d88664ee2"
