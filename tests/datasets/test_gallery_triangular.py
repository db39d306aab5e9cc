"""`triangular` and `circular` are the published economy, without a circle and with one."""

import numpy as np
import pytest

from ogas.datasets.answers import answer
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters, economy_of

SEED = 88213
SIZE = Parameters(products=2_400, inputs=300, blocks=3, seed=SEED)
GOODS, HOUSEHOLD = 2_200, 200


@pytest.fixture(scope="module", params=["triangular", "circular"])
def drawn(request):
    return request.param, generate(request.param, SIZE)


def test_the_largest_published_case_is_the_default():
    law = economy_of("triangular", Parameters()).law
    assert (law.products, law.goods, law.households) == (55_200, 55_000, 5_000)
    assert law.uses == 2_000
    assert len(law.starts) == 2


def test_goods_go_into_as_many_goods_as_asked_for(drawn):
    name, table = drawn
    goods = table.coefficients[:GOODS, :GOODS]
    left = np.arange(GOODS, 0, -1) if name == "triangular" else np.full(GOODS, GOODS)
    expected = np.minimum(300, left)
    uses = np.diff(goods.indptr)
    assert uses.sum() == pytest.approx(expected.sum() + GOODS * (1 - 300 / left.mean()), rel=0.01)
    if name == "triangular":
        assert uses[-300:] == pytest.approx(expected[-300:], abs=1)


def test_only_a_triangle_has_no_circle(drawn):
    name, table = drawn
    rows = np.repeat(np.arange(len(table)), np.diff(table.coefficients.indptr))
    below = np.count_nonzero(rows > table.coefficients.indices)
    assert below == 0 if name == "triangular" else below > 0.4 * table.nonzeros


def test_every_good_uses_a_tenth_of_itself(drawn):
    name, table = drawn
    diagonal = table.coefficients.diagonal()
    assert (diagonal[GOODS:] == 0).all()
    if name == "triangular":
        assert (diagonal[:GOODS] == np.float32(0.1)).all()
    else:
        assert np.median(diagonal[:GOODS]) == np.float32(0.1)


def test_goods_of_the_household_go_into_every_profile(drawn):
    _, table = drawn
    profiles = table.coefficients[:, GOODS:].toarray()
    consumed = profiles[GOODS - HOUSEHOLD : GOODS]
    assert np.count_nonzero(profiles) == np.count_nonzero(consumed) == consumed.size
    assert consumed.max() <= 10
    assert consumed.mean() == pytest.approx(5, rel=0.02)
    assert table.coefficients[GOODS:].nnz == 0
    assert (table.demand[:GOODS] == 0).all()
    assert table.demand.sum() == pytest.approx(1, rel=1e-12)


def test_sizes_are_even_and_columns_of_the_circle_have_their_total(drawn):
    name, table = drawn
    goods = table.coefficients[:GOODS, :GOODS].tocoo()
    sizes = goods.data[goods.row != goods.col]
    if name == "triangular":
        assert sizes.max() <= np.float32(1e-3)
        assert np.quantile(sizes, [0.25, 0.5, 0.75]) == pytest.approx(
            [25e-5, 5e-4, 75e-5], rel=0.01
        )
    else:
        assert goods.sum(axis=0) == pytest.approx(0.9, rel=1e-6)
        assert sizes.mean() == pytest.approx(0.8 / 300, rel=0.1)


def test_everything_is_needed_and_can_be_made(drawn):
    _, table = drawn
    output = answer(table)
    assert (output > 0).all()
    balance = table.demand + table.coefficients @ output - output
    assert (np.abs(balance) <= 1e-13 * output).all()


def test_the_radius_of_the_circle_is_the_one_asked_for():
    table = generate("circular", Parameters(products=900, radius=0.97, seed=SEED))
    goods = table.coefficients[:700, :700].toarray()
    assert np.abs(np.linalg.eigvals(goods)).max() == pytest.approx(0.97, rel=1e-6)
