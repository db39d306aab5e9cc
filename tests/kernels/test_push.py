"""The push against its twin, to the last bit, and the twin by hand."""

import numpy as np
import pytest
from scipy.sparse import random_array

from ogas.kernels import push, reference_push

SEED = 481907
BOTH = pytest.mark.parametrize("kernels", [push, reference_push], ids=["compiled", "twin"])


class Arrays:
    """Everything the kernel takes: A by columns, thresholds, a queue of those that exceed them."""

    def __init__(self, products, density, index_type=np.int32, *, signed=True, seed=SEED):
        draw = np.random.default_rng(seed)
        A = random_array((products, products), density=density, format="csc", rng=draw)
        A.sort_indices()
        A.data = draw.lognormal(0.0, 1.5, A.nnz) * 0.2 / max(products * density, 1)
        if signed:
            A.data *= draw.choice([-1, 1], A.nnz)
        self.n, self.entries = products, A.nnz
        self.columns = (A.indptr.astype(np.int64), A.indices.astype(index_type), A.data)
        self.matrix, self.diagonal = A.toarray(), A.diagonal()
        self.threshold = 1e-6 * draw.lognormal(size=products)
        self.x, self.r = draw.normal(size=(2, products))
        self.r[draw.random(products) < 0.5] = 0.0
        self.order = draw.permutation(products)

    def settle(self, kernels, most=10**9):
        """Push copies; return what was said, and the column, the imbalance and who waits after."""
        first = self.order[np.abs(self.r[self.order]) > self.threshold[self.order]]
        queue, is_waiting = np.full(self.n, -1, np.int64), np.zeros(self.n, np.uint8)
        queue[: first.size], is_waiting[first] = first, 1
        x, r = self.x.copy(), self.r.copy()
        told = kernels.settle(
            *(*self.columns, self.diagonal, self.threshold, most, first.size, queue, is_waiting),
            *(x, r),
        )
        return tuple(map(int, told)), x, r, is_waiting


@pytest.fixture(params=[(1, 1.0), (1, 0.0), (7, 0.0), (23, 0.3), (60, 1.0), (401, 0.02)], ids=str)
def shape(request):
    return request.param


@pytest.mark.parametrize("index_type", [np.int32, np.int64], ids=["int32", "int64"])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("share", [0, 0.1, 1, 30])
def test_a_push_is_that_of_the_twin_to_the_last_bit(shape, index_type, signed, share):
    arrays = Arrays(*shape, index_type, signed=signed)
    most = int(share * arrays.entries)
    ours, twins = (arrays.settle(kernels, most) for kernels in (push, reference_push))
    assert ours[0] == twins[0]
    for mine, other in zip(ours[1:], twins[1:], strict=True):
        assert mine.tobytes() == other.tobytes()


@BOTH
def test_a_push_worked_by_hand(kernels):
    # [[.5, 0, 0],     product 0 uses .5 of itself, 2 of product 1 and -1 of product 2;
    #  [ 2, 0, 0],     product 1 uses .25 of product 2
    #  [-1, .25, 0]]
    columns = (
        np.array([0, 3, 4, 4]),
        np.array([0, 1, 2, 2], np.int32),
        np.array([0.5, 2, -1, 0.25]),
    )
    diagonal, threshold = np.array([0.5, 0, 0]), np.array([0.5, 0.5, 3.0])
    queue, is_waiting = np.array([0, 0, 0]), np.array([1, 0, 0], np.uint8)
    x, r = np.array([10.0, 20.0, 30.0]), np.array([1.0, 0.25, 0.0])
    told = kernels.settle(*columns, diagonal, threshold, 99, 1, queue, is_waiting, x, r)
    # x_0 + 1 / .5; r_1 = .25 + 2 * 2 waits, r_2 = -2 does not; x_1 + 4.25; r_2 = -2 + .25 * 4.25
    assert (x.tolist(), r.tolist()) == ([12, 24.25, 30], [0, 0, -0.9375])
    assert tuple(told) == (0, 2, 4)


@BOTH
def test_no_push_begins_that_would_touch_more_entries_than_allowed(kernels):
    arrays = Arrays(401, 0.02)
    for most in (0, 1, 50, 1000):
        (waiting, _, touched), _, r, is_waiting = arrays.settle(kernels, most)
        assert touched <= most
        assert waiting == is_waiting.sum() > 0
        assert (np.abs(r) > arrays.threshold).sum() <= waiting


@BOTH
@pytest.mark.parametrize("signed", [False, True])
def test_afterwards_no_imbalance_exceeds_its_threshold_and_the_books_balance(kernels, signed):
    arrays = Arrays(60, 0.3, signed=signed)
    (waiting, pushes, touched), x, r, is_waiting = arrays.settle(kernels)
    assert waiting == is_waiting.sum() == 0
    assert pushes > 60
    assert touched > arrays.entries
    assert (np.abs(r) <= arrays.threshold).all()
    moved = x - arrays.x
    assert r == pytest.approx(arrays.r + arrays.matrix @ moved - moved, abs=1e-12)


@BOTH
def test_where_every_product_uses_up_more_than_it_makes_pushing_is_given_up(kernels):
    arrays = Arrays(60, 1.0, signed=False)
    arrays.columns[2][:] = 0.1
    (waiting, _, touched), *_ = arrays.settle(kernels, 20 * arrays.entries)
    assert waiting > 0
    assert 19 * arrays.entries < touched <= 20 * arrays.entries


@BOTH
@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e308])
def test_numbers_that_are_none_end_too(kernels, wrong):
    arrays = Arrays(23, 0.3)
    arrays.r[5] = wrong
    with np.errstate(over="ignore", invalid="ignore"):
        (*_, touched), *_ = arrays.settle(kernels, 50 * arrays.entries)
    assert touched <= 50 * arrays.entries


def test_the_push_releases_the_lock_and_compiles_nothing_new():
    assert push.settle.compiled.targetoptions["nogil"]
    assert not push.settle.compiled.targetoptions.get("fastmath")
