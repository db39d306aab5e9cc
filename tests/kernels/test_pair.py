"""The kernels over one block against their twins, to the last bit, and the twins by hand."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ogas.kernels import (
    balances,
    dense,
    drawing,
    lanes,
    loading,
    numbers,
    orders,
    pair,
    routing,
    slices,
    sorting,
    stream,
)
from ogas.kernels import reference_pair as twin

SEED = 58243
ROWS = {
    "no rows": [],
    "one product": [1],
    "one product without inputs": [0],
    "empty rows first, last and between": [0, 3, 0, 0, 5, 1, 0],
    "around eight and sixteen": [1, 7, 8, 9, 15, 16, 17, 31, 32, 33],
    "around the longest in a slice": [255, 256, 257],
    "hubs": [300, 2, 1000, 0, 257, 641, 17],
    "one more than two slices": list(range(33)),
    "exactly one slice": [2] * 16,
    "only empty rows": [0] * 18,
}
COMPILED = (
    pair.sweep_pair,
    pair.sweep_one,
    pair.sums_pair,
    orders.orders_pair,
    orders.orders_one,
    dense.sweep_dense,
    dense.sums_dense,
    slices.copy_rows,
    slices.fill_slices,
    slices.sort_rows,
    loading.is_sound,
    loading.add_content,
    loading.diagonal,
    loading.transpose,
    routing.address,
    routing.move,
    routing.deal,
    balances.settled,
    balances.witnessed,
    numbers.word,
    numbers.spread,
    numbers.pick,
    numbers.quantile,
    numbers.next_place,
    numbers.fill_alias,
    drawing.kinds,
    drawing.upstream,
    drawing.choose,
    drawing.choose_anywhere,
    drawing.choose_below,
    drawing.weigh,
    sorting.bits_in,
    sorting.mark,
    sorting.rank,
    sorting.number,
    sorting.count,
    sorting.pile,
    sorting.merge,
    stream.read,
    stream.triad,
)


class Block:
    """Everything a kernel takes; the products beyond the rows given have empty rows."""

    def __init__(self, lengths, precision, size=None):
        draw = np.random.default_rng(SEED)
        values, vector = (np.dtype(name) for name in precision)
        self.size = b = size or max([1, *lengths, len(lengths)])
        picks = [draw.choice(b, k, replace=False) for k in lengths]
        entries = sum(lengths)
        self.rows = (
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            np.concatenate([[], *picks]).astype(np.uint16),
            (draw.random(entries) * 10.0 ** draw.integers(-8, 1, entries)).astype(values),
        )
        padding = np.full(b - len(lengths), entries, np.int64)
        self.own = (np.concatenate([self.rows[0], padding]), *self.rows[1:])
        self.dense = (draw.random((b, b)) / b).astype(values) if b < 300 else None
        self.order = draw.permutation(b).astype(np.int32)
        self.diagonal = draw.uniform(0.0, 0.9, b)
        self.demand = draw.normal(size=b)
        self.given = draw.lognormal(size=(b, 2))
        self.pair = draw.lognormal(size=(b, 2)).astype(vector)
        self.x = self.pair[:, 0].copy()

    def sweep(self, kernel, matrix=None, given=None, vector=None, bounds=(1e-30, 0.5)):
        """Sweep a copy, and return it with what the sweep returns."""
        vector = (self.pair if vector is None else vector).copy()
        given = self.given if given is None else given
        facts = kernel(
            *(self.own if matrix is None else matrix),
            *(self.order, self.diagonal, self.demand, given, vector, *bounds),
        )
        return vector.tobytes(), facts


@pytest.fixture(params=lanes.PRECISIONS, ids="-".join)
def precision(request):
    return request.param


@pytest.fixture(params=ROWS)
def block(request, precision):
    return Block(ROWS[request.param], precision)


def written(kernel, *arguments, shape):
    out = np.full(shape, 7.5)
    kernel(*arguments, out)
    return out.tobytes()


@pytest.mark.parametrize("bounds", [(1e-30, 1e-12), (0.5, 1e-12), (1e-30, 0.75)], ids=str)
def test_a_sweep_of_plan_and_witness_is_that_of_the_twin(block, bounds):
    ours = block.sweep(pair.sweep_pair, bounds=bounds)
    assert ours == block.sweep(twin.sweep_pair, bounds=bounds)


def test_a_sweep_of_the_plan_alone_is_that_of_the_twin(block):
    alone = {"given": block.given[:, 0].copy(), "vector": block.x, "bounds": (0.5,)}
    assert block.sweep(pair.sweep_one, **alone) == block.sweep(twin.sweep_one, **alone)


def test_a_sweep_finds_the_same_plan_with_and_without_a_witness(block):
    both, facts = block.sweep(pair.sweep_pair)
    given = block.given[:, 0].copy()
    alone, extremes = block.sweep(pair.sweep_one, given=given, vector=block.x, bounds=(1e-30,))
    plan = np.frombuffer(both, block.pair.dtype)[::2]
    assert (alone, extremes) == (plan.tobytes(), facts[:2])


def test_a_sweep_of_some_rows_leaves_the_others(block):
    block.order = block.order[: len(block.order) // 2]
    ours = block.sweep(pair.sweep_pair)
    assert ours == block.sweep(twin.sweep_pair)
    swept = np.frombuffer(ours[0], block.pair.dtype).reshape(-1, 2)
    others = np.setdiff1d(np.arange(block.size), block.order)
    assert np.array_equal(swept[others], block.pair[others])


def test_sums_of_rows_are_those_of_the_twin(block):
    shape = (len(block.rows[0]) - 1, 2)
    ours, twins = (
        written(kernels.sums_pair, *block.rows, block.pair, shape=shape) for kernels in (pair, twin)
    )
    assert ours == twins


def test_rows_are_laid_out_in_slices_as_by_the_twin(block):
    ours, twins = slices.slice_rows(*block.rows), twin.slice_rows(*block.rows)
    for array, expected in zip(ours, twins, strict=True):
        assert array.dtype == expected.dtype
        assert array.tobytes() == expected.tobytes()


def test_orders_are_those_of_the_twin_and_the_sums_of_the_rows(block):
    positions, *layout = slices.slice_rows(*block.rows)
    places = len(layout[0]) - 1 + 16 * (len(layout[1]) - 1)
    both = written(orders.orders_pair, *layout, block.pair, shape=(places, 2))
    assert both == written(twin.orders_pair, *layout, block.pair, shape=(places, 2))
    alone = written(orders.orders_one, *layout, block.x, shape=places)
    assert alone == written(twin.orders_one, *layout, block.x, shape=places)
    sums = np.empty((len(positions), 2))
    pair.sums_pair(*block.rows, block.pair, sums)
    assert np.frombuffer(alone)[: len(positions)] == pytest.approx(sums[positions, 0], rel=1e-12)
    assert not np.frombuffer(alone)[len(positions) :].any()


def test_orders_may_be_rounded_to_float32(block, precision):
    if precision[0] == "float64":
        return
    layout = slices.slice_rows(*block.rows)[1:]
    places = len(layout[0]) - 1 + 16 * (len(layout[1]) - 1)
    exact = written(twin.orders_pair, *layout, block.pair, shape=(places, 2))
    for kernels in (orders, twin):
        out = np.full((places, 2), 7.5, np.float32)
        kernels.orders_pair(*layout, block.pair, out)
        assert out.tobytes() == np.frombuffer(exact).astype(np.float32).tobytes()


@pytest.mark.parametrize("size", [1, 7, 8, 9, 15, 16, 17, 40, 255])
def test_a_dense_block_is_that_of_the_twin(size, precision):
    block = Block([], precision, size=size)
    assert block.sweep(dense.sweep_dense, (block.dense,)) == block.sweep(
        twin.sweep_dense, (block.dense,)
    )
    assert written(dense.sums_dense, block.dense, block.pair, shape=(size, 2)) == written(
        twin.sums_dense, block.dense, block.pair, shape=(size, 2)
    )


def test_a_dense_block_without_products_is_swept_at_once(precision):
    values, vector = (np.dtype(name) for name in precision)
    nothing, two = np.empty(0), np.empty((0, 2))
    order, matrix = np.empty(0, np.int32), np.empty((0, 0), values)
    for kernels in (dense, twin):
        kernels.sums_dense(matrix, two.astype(vector), two)
        facts = kernels.sweep_dense(
            matrix, order, nothing, nothing, two, two.astype(vector), 1.0, 1.0
        )
        assert facts == (0.0, 0.0, 1.0)


def test_a_dense_block_and_a_sparse_one_with_every_entry_are_the_same(precision):
    block = Block([], precision, size=21)
    entries = (
        np.arange(0, 21 * 21 + 1, 21),
        np.tile(np.arange(21, dtype=np.uint16), 21),
        block.dense.ravel(),
    )
    assert block.sweep(dense.sweep_dense, (block.dense,)) == block.sweep(pair.sweep_pair, entries)


def test_the_last_of_65536_products_is_reached(precision):
    block = Block([1000, 3, 300, 17], precision, size=65_536)
    block.own[1][[5, 1001, 1200]] = 65_535
    block.rows[1][:] = block.own[1]
    block.order = np.array([2, 65_535, 0, 3], np.int32)
    assert block.sweep(pair.sweep_pair) == block.sweep(twin.sweep_pair)
    alone = {"given": block.given[:, 1].copy(), "vector": block.x, "bounds": (0.5,)}
    assert block.sweep(pair.sweep_one, **alone) == block.sweep(twin.sweep_one, **alone)
    layout = slices.slice_rows(*block.rows)[1:]
    for kernels in (orders, twin):
        out = np.frombuffer(written(kernels.orders_pair, *layout, block.pair, shape=(18, 2)))
        assert out[0] == pytest.approx(block.rows[2][:1000] @ block.pair[block.rows[1][:1000], 0])


@pytest.mark.parametrize("kernels", [pair, twin], ids=["compiled", "twin"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("column", [0, 1], ids=["plan", "witness"])
def test_what_is_not_a_number_shows_in_what_a_sweep_returns(kernels, wrong, column, precision):
    block = Block([3, 2, 4, 0, 1], precision)
    block.given[1, column] = wrong
    least, largest, depth = block.sweep(kernels.sweep_pair)[1]
    assert math.isnan(depth)
    assert [math.isnan(least), math.isnan(largest)] == [column == 0] * 2
    if column == 0:
        alone = {"given": block.given[:, 0].copy(), "vector": block.x, "bounds": (0.5,)}
        assert np.isnan(block.sweep(kernels.sweep_one, **alone)[1]).all()


def test_dense_sweeps_show_what_is_not_a_number(precision):
    block = Block([], precision, size=9)
    block.pair[4, 0] = np.nan
    for kernels in (dense, twin):
        assert np.isnan(block.sweep(kernels.sweep_dense, (block.dense,))[1]).all()


def test_threads_find_the_bits_of_one_thread(precision):
    blocks = [Block([75] * 2000, precision), Block([40, 300, 0, 17] * 500, precision)]
    for block in blocks:
        block.diagonal[:] = 0.0
    serial = [block.sweep(pair.sweep_pair) for block in blocks]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(10):
            assert list(pool.map(lambda block: block.sweep(pair.sweep_pair), blocks)) == serial


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 1000])
def test_reading_and_the_triad_are_those_of_the_twin(count):
    draw = np.random.default_rng(SEED)
    a, b = draw.normal(size=(2, count))
    assert stream.read(a) == twin.read(a)
    assert written(stream.triad, a, b, 3.0, shape=count) == written(
        twin.triad, a, b, 3.0, shape=count
    )


@pytest.mark.parametrize("kernels", [pair, twin], ids=["compiled", "twin"])
@pytest.mark.parametrize("shared", ["given", "demand", "diagonal"])
def test_a_sweep_over_what_it_reads_is_refused(kernels, shared):
    block = Block([1] * 7, ("float64", "float64"))
    memory = np.zeros(30)
    for width, sweep in ((2, kernels.sweep_pair), (1, kernels.sweep_one)):
        shape = (7, width) if width == 2 else 7
        vectors = {"diagonal": block.diagonal, "demand": block.demand, "given": np.zeros(shape)}
        vectors[shared] = memory[: vectors[shared].size].reshape(vectors[shared].shape)
        written_to = memory[3 : 3 + 7 * width].reshape(shape)
        with pytest.raises(ValueError, match="shares memory"):
            sweep(*block.own, block.order, *vectors.values(), written_to, *[1.0] * width)


@pytest.mark.parametrize("ours", [True, False], ids=["compiled", "twin"])
def test_sums_into_what_they_read_are_refused(ours):
    block = Block([1] * 16, ("float64", "float64"))
    layout = slices.slice_rows(*block.rows)[1:]
    matrix = np.zeros((16, 16))
    sparse, ordered, full = (pair, orders, dense) if ours else (twin, twin, twin)
    for kernel, given in (
        (sparse.sums_pair, block.rows),
        (ordered.orders_pair, layout),
        (full.sums_dense, (matrix,)),
        (ordered.orders_one, layout),
    ):
        memory = np.zeros(35)
        shape = 16 if kernel.__name__.endswith("one") else (16, 2)
        size = math.prod(np.atleast_1d(shape))
        with pytest.raises(ValueError, match="shares memory"):
            kernel(*given, memory[:size].reshape(shape), memory[3 : 3 + size].reshape(shape))


@pytest.mark.parametrize("kernel", COMPILED, ids=lambda kernel: kernel.__name__)
def test_block_kernels_release_the_lock_and_compile_nothing_new(kernel):
    assert kernel.compiled.targetoptions["nogil"]
    assert not kernel.compiled.targetoptions.get("fastmath")


# The twins by hand: [[.5, 0, .25],   (x, w) = (4, 1), (8, 2), (16, 4)
#                     [ 0, 0,   0],   A x = (2 + 4, 0, 8 + 2) = (6, 0, 10)
#                     [ 2, .25, 0]]   A w = (.5 + 1, 0, 2 + .5) = (1.5, 0, 2.5)
HAND = (np.array([0, 2, 2, 4]), np.array([0, 2, 0, 1], np.uint16), np.array([0.5, 0.25, 2, 0.25]))
HAND_DENSE = np.array([[0.5, 0, 0.25], [0, 0, 0], [2, 0.25, 0]])
HAND_PAIR = np.array([[4.0, 1], [8, 2], [16, 4]])
DIAGONAL, DEMAND = np.array([0.5, 0, 0]), np.array([1.0, -3, 0])
GIVEN = np.array([[1.0, 0.5], [0, 1], [2, 0]])


def test_sums_worked_by_hand():
    out = np.empty((3, 2))
    twin.sums_pair(*HAND, HAND_PAIR, out)
    assert out.tolist() == [[6, 1.5], [0, 0], [10, 2.5]]
    twin.sums_dense(HAND_DENSE, HAND_PAIR, out)
    assert out.tolist() == [[6, 1.5], [0, 0], [10, 2.5]]


@pytest.mark.parametrize(
    ("sweep", "matrix"), [(twin.sweep_pair, HAND), (twin.sweep_dense, (HAND_DENSE,))]
)
def test_a_sweep_worked_by_hand(sweep, matrix):
    swept, order = HAND_PAIR.copy(), np.array([1, 0, 2], np.int32)
    facts = sweep(*matrix, order, DIAGONAL, DEMAND, GIVEN, swept, 2.0, 1.0)
    # x_1 = -3 + 0 + 0, imbalance -11, turnover 3 + 0; w_1 = max(3, 1) + 1
    # x_0 = 4 + (1 + 1 + 6 - 4)/.5 = 12, turnover 1 + 11; w_0 = 1 + (max(12, 2) + 2 - 1)/.5 = 27
    # x_2 = 0 + 2 + 24 - .75 = 25.25 and turnover; w_2: needed 54 + 1, surplus 55
    assert swept.tolist() == [[12, 27], [-3, 4], [25.25, 110]]
    assert facts == (-11 / 3, 9.25 / 25.25, 110 / 25.25)


def test_a_sweep_of_the_plan_alone_worked_by_hand():
    x, order = HAND_PAIR[:, 0].copy(), np.array([1, 0, 2], np.int32)
    given = GIVEN[:, 0].copy()
    facts = twin.sweep_one(*HAND, order, DIAGONAL, DEMAND, given, x, 2.0)
    assert (x.tolist(), facts) == ([12, -3, 25.25], (-11 / 3, 9.25 / 25.25))


def test_rows_and_their_orders_laid_out_by_hand():
    rows, *layout = twin.slice_rows(*HAND)
    hub_ptr, slice_ptr, columns, values = layout
    assert (rows.tolist(), hub_ptr.tolist(), slice_ptr.tolist()) == ([0, 2, 1], [0], [0, 32])
    assert columns[[0, 1, 16, 17]].tolist() == [0, 0, 2, 1]
    assert values[[0, 1, 16, 17]].tolist() == [0.5, 2, 0.25, 0.25]
    assert not columns[2:16].any()
    assert not values[18:].any()
    out = np.empty((16, 2))
    twin.orders_pair(*layout, HAND_PAIR, out)
    assert out[:3].tolist() == [[6, 1.5], [10, 2.5], [0, 0]]


def test_a_hub_comes_before_the_slices():
    lengths = [2, 257, 256]
    indptr = np.array([0, 2, 259, 515])
    columns, values = np.zeros(515, np.uint16), np.ones(515)
    rows, hub_ptr, slice_ptr, *_ = twin.slice_rows(indptr, columns, values)
    assert (rows.tolist(), hub_ptr.tolist()) == ([1, 2, 0], [0, 257])
    assert slice_ptr.tolist() == [257, 257 + 16 * 256]
    assert sum(lengths) == 515


def test_lanes_are_added_up_as_drawn():
    # Half a place after 1 is rounded away one by one, in the lane of the 1, but not where the
    # halves of other lanes meet before they meet the 1.
    half = 2.0**-53
    terms = np.zeros((33, 1))
    terms[[0, 16, 32]] = [[1.0], [half], [half]]
    assert twin.lane_sums(terms).item() == 1.0
    terms[32], terms[8] = 0.0, half  # the second accumulator meets lane 0 of the first: 1 again
    assert twin.lane_sums(terms).item() == 1.0
    terms[16], terms[[4, 12]] = 0.0, half  # lanes 4 of both make one place before they meet the 1
    assert twin.lane_sums(terms).item() == 1.0 + 2 * half
