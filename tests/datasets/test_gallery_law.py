"""The draws of `sectors` are those of its law: how many, where from, how large."""

import numpy as np
import pytest

from ogas.datasets.draws import Desk
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters, economy_of

SEED = 40961
SIZES = Parameters(products=60_000, inputs=42, blocks=6, seed=SEED)
BLOCK, SIZE = 2, 10_000


@pytest.fixture(scope="module")
def drawn():
    """One block of S1 before repeated draws are merged: user, supplier and weight of each draw."""
    law = economy_of("sectors", SIZES).law
    draws = law.draw(BLOCK, Desk())
    users = np.repeat(np.arange(SIZE), np.diff(draws.starts))
    own = np.arange(len(users)) < draws.inner[users]
    suppliers = np.where(own, draws.suppliers + BLOCK * SIZE, draws.suppliers.astype(np.int64))
    return law, draws, users, suppliers


def test_the_number_of_inputs_is_lognormal(drawn):
    counts = np.diff(drawn[1].starts)
    assert counts.mean() == pytest.approx(50, rel=0.03)
    logs = np.log(counts)
    assert logs.mean() == pytest.approx(np.log(50) - 0.32, abs=0.03)
    assert logs.std() == pytest.approx(0.8, abs=0.03)
    assert counts.min() >= 3
    assert counts.max() <= 1000


def test_three_in_four_come_from_the_own_block_and_a_seventh_from_hubs(drawn):
    law, _, _, suppliers = drawn
    hubs = law._hubs(0, 60_000)
    assert len(hubs) == 200
    own = (suppliers // SIZE == BLOCK) & ~np.isin(suppliers, hubs)
    to_hubs = np.isin(suppliers, hubs)
    assert own.mean() == pytest.approx(0.75 + 0.1 / 6, abs=0.015)
    assert to_hubs.mean() == pytest.approx(0.15, abs=0.015)
    elsewhere = suppliers[~own & ~to_hubs]
    spread = np.bincount(elsewhere // SIZE, minlength=6)
    assert spread[np.arange(6) != BLOCK] == pytest.approx(0.1 / 6 * len(suppliers), rel=0.05)


def test_hubs_are_used_by_their_rank(drawn):
    law, _, _, suppliers = drawn
    hubs = law._hubs(0, 60_000)
    uses = np.array([np.count_nonzero(suppliers == hub) for hub in hubs])
    outside = hubs // SIZE != BLOCK
    slope, _ = np.polyfit(np.log(np.arange(1, 201))[outside], np.log(uses[outside]), 1)
    assert slope == pytest.approx(-1, abs=0.03)


def test_own_inputs_are_half_by_rank_and_half_even():
    """Of the last product's draws none is redrawn: all of the block is upstream of it."""
    law = economy_of("sectors:S4", Parameters(products=4_000, blocks=4, seed=SEED)).law
    draws = law.draw(1, Desk())
    last = [draws.suppliers[draws.starts[u] : draws.inner[u]] for u in range(900, 1000)]
    uses = np.sort(np.bincount(np.concatenate(last), minlength=1000)[:900])[::-1]
    total = uses.sum()
    harmonic = np.sum(1 / np.arange(1, 1001))
    assert uses[0] / total == pytest.approx(0.5 / harmonic + 0.5 / 1000, rel=0.15)
    assert uses[450:].sum() / total == pytest.approx(0.26, abs=0.06)


def test_four_in_five_own_inputs_are_forced_upstream(drawn):
    law, downstream, own = drawn[0], 0, 0
    for block in range(6):
        draws = law.draw(block, Desk())
        users = np.repeat(np.arange(SIZE), np.diff(draws.starts))
        inside = np.arange(len(users)) < draws.inner[users]
        downstream += np.count_nonzero(draws.suppliers[inside] >= users[inside])
        own += np.count_nonzero(inside)
    # At the position p of a block (from 0 to 1), 1 - p of the draws are not upstream, and a fifth
    # of those stay: a tenth over all; of hubs and others that happen to be in the block, half.
    others = (0.1 + 0.15) / 6 / (0.75 + (0.1 + 0.15) / 6)
    assert downstream / own == pytest.approx(0.1 * (1 - others) + 0.5 * others, rel=0.05)


def test_weights_are_lognormal_and_scaled_to_totals_that_are_uniform(drawn):
    _, draws, users, _ = drawn
    totals = np.bincount(users, draws.weights)
    assert totals.min() >= 0.4 - 1e-6
    assert totals.max() <= 0.9 + 1e-6
    assert totals.mean() == pytest.approx(0.65, abs=0.01)
    assert totals.std() == pytest.approx(0.5 / 12**0.5, abs=0.01)
    logs = np.log(draws.weights)
    means = np.bincount(users, logs) / np.diff(draws.starts)
    spread = np.bincount(users, (logs - means[users]) ** 2) / (np.diff(draws.starts) - 1)
    assert np.average(spread, weights=np.diff(draws.starts)) == pytest.approx(1.5**2, rel=0.02)


def test_what_a_product_takes_of_itself_counts_a_tenth():
    law = economy_of("sectors", Parameters(products=5_000, blocks=5_000 // 25, seed=SEED)).law
    itself, others = [], []
    for block in range(200):
        draws = law.draw(block, Desk())
        users = np.repeat(np.arange(25), np.diff(draws.starts))
        inside = np.arange(len(users)) < draws.inner[users]
        own = inside & (draws.suppliers == users)
        itself.append(np.log(draws.weights[own]))
        others.append(np.log(draws.weights[~own]))
    ratio = np.concatenate(itself).mean() - np.concatenate(others).mean()
    assert ratio == pytest.approx(np.log(0.1), abs=0.1)


def test_columns_of_the_table_add_up_to_the_totals_drawn(drawn):
    _, draws, users, _ = drawn
    table = generate("sectors", SIZES)
    columns = table.coefficients[:, BLOCK * SIZE : (BLOCK + 1) * SIZE].sum(axis=0)
    assert columns == pytest.approx(np.bincount(users, draws.weights), rel=1e-6)
    assert 1 - columns == pytest.approx(
        table.factors["labour"][BLOCK * SIZE : (BLOCK + 1) * SIZE], abs=1e-12
    )
