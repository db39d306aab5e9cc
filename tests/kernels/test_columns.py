"""The kernels for any number of columns against their twins, to the last bit, and dense algebra."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ogas.kernels import certify, columns, pair, reference, slices
from ogas.kernels import reference_columns as twin

SEED = 61837
ROWS = {
    "no rows": [],
    "one product": [1],
    "one product without inputs": [0],
    "empty rows first, last and between": [0, 3, 0, 0, 5, 1, 0],
    "around one chunk": [0, 1, 31, 32, 33, 127, 128, 129],
    "around two chunks and the longest in a slice": [255, 256, 257],
    "hubs": [300, 2, 1000, 0, 257, 641, 17],
    "one more than two slices": list(range(33)),
    "exactly one slice": [2] * 16,
    "only empty rows": [0] * 18,
}
LAYOUTS = {
    f"{plans} {'mixed' if is_mixed else 'nonnegative'}": (plans, is_mixed)
    for plans in (1, 3, 16)
    for is_mixed in (False, True)
}
COMPILED = (
    columns.add_row,
    columns.add_column,
    columns.sums_columns,
    columns.cross,
    columns.sweep_columns,
    certify.prove_sums,
)
NOTHING = np.zeros(0)
TYPES = {  # of entries and of states
    "float32": ("float32", "float64"),
    "float64": ("float64", "float64"),
    "all float32": ("float32", "float32"),
}


class Block:
    """Everything a kernel takes; the products beyond the rows given have empty rows."""

    def __init__(self, lengths, values, layout):
        draw = np.random.default_rng(SEED)
        values, state_type = TYPES[values]
        self.plans, self.is_mixed = layout
        self.plain = self.plans + 1
        self.size = b = max([1, *lengths, len(lengths)])
        self.width = width = self.plain * (2 if self.is_mixed else 1)
        picks = [draw.choice(b, k, replace=False) for k in lengths]
        entries = sum(lengths)
        numbers = draw.random(entries) * 10.0 ** draw.integers(-8, 1, entries)
        if self.is_mixed:
            numbers *= draw.choice([-1.0, 1.0], entries)
        self.rows = (
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            np.concatenate([[], *picks]).astype(np.uint16),
            numbers.astype(values),
        )
        padding = np.full(b - len(lengths), entries, np.int64)
        self.own = (np.concatenate([self.rows[0], padding]), *self.rows[1:])
        self.order = draw.permutation(b)[:40].astype(np.int32)
        self.order = np.union1d(self.order, np.arange(len(lengths), dtype=np.int32))[::-1].copy()
        self.diagonal = draw.uniform(-0.5 if self.is_mixed else 0.0, 0.9, b)
        self.demand = draw.normal(size=(b, self.plans))
        self.rate, self.price = draw.lognormal(size=self.plans), draw.lognormal(size=b)
        self.given, self.state = draw.lognormal(size=(2, b, width))
        if self.is_mixed:
            self.state[:, : self.plans] *= draw.choice([-1.0, 1.0], (b, self.plans))
            self.state[:, self.plain] = self.state[:, self.plans]
            self.state[:, self.plain + 1 :] = np.abs(self.state[:, : self.plans])
        self.state = self.state.astype(state_type)

    def sweep(self, kernel, priced=0, bounds=(1e-30, 0.5), state=None):
        """Sweep a copy; return everything it leaves: state, prices carried, turnovers, facts."""
        state = (self.state if state is None else state).copy()
        weighed, turnovers = np.full((self.size, priced), 7.5), np.full(self.size, 7.5)
        facts = kernel(
            *(*self.own, self.order, self.diagonal, self.demand, self.given, self.plain, state),
            *(self.rate, *bounds, self.price if priced else NOTHING, weighed, turnovers),
        )
        return state, weighed, turnovers, facts

    def matrix(self):
        """Return the rows given, as a dense matrix in float64."""
        dense = np.zeros((len(self.rows[0]) - 1, self.size))
        for i, row in enumerate(dense):
            span = slice(*self.rows[0][i : i + 2])
            row[self.rows[1][span]] = self.rows[2][span]
        return dense

    def by_column(self, matrix, state, plain):
        """Return the product of a dense matrix with the plain columns and of |matrix| with others.

        And the scale of its rounding errors.
        """
        sums = np.hstack([matrix @ state[:, :plain], np.abs(matrix) @ state[:, plain:]])
        return sums, np.abs(matrix) @ np.abs(state)


@pytest.fixture(params=TYPES)
def values(request):
    return request.param


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return LAYOUTS[request.param]


@pytest.fixture(params=ROWS)
def block(request, values, layout):
    return Block(ROWS[request.param], values, layout)


def bits(found):
    *arrays, facts = found
    return [array.tobytes() for array in arrays], facts


def written(kernel, *arguments, shape):
    out = np.full(shape, 7.5)
    kernel(*arguments, out)
    return out


def agree(found, expected, scale):
    """Whether numbers differ by no more than sums of 1000 terms may."""
    return (np.abs(found - expected) <= 1e-13 * scale).all()


# ---- sums of rows ----------------------------------------------------------------------------


def test_sums_of_rows_are_those_of_the_twin_and_of_a_dense_matrix(block):
    arguments = (*block.rows, block.plain, block.state)
    shape = (len(block.rows[0]) - 1, block.width)
    ours = written(columns.sums_columns, *arguments, shape=shape)
    assert ours.tobytes() == written(twin.sums_columns, *arguments, shape=shape).tobytes()
    assert agree(ours, *block.by_column(block.matrix(), block.state, block.plain))


@pytest.mark.parametrize("stride", [1, 16])
@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 63, 64, 65, 1000])
@pytest.mark.parametrize("width", [1, 3, 7, 8, 9, 17, 33])
def test_one_row_is_added_up_and_spread_as_by_the_twin(count, stride, values, width):
    draw = np.random.default_rng(SEED)
    entries, state_type = TYPES[values]
    numbers = draw.normal(size=5 + count * stride).astype(entries)
    places = draw.integers(0, 9, len(numbers)).astype(np.uint16)  # a product may come again
    span, state = (5, len(numbers), stride), draw.normal(size=(9, width)).astype(state_type)
    for plain in {0, 1, width // 2, width}:
        results = []
        for kernels in (columns, twin):
            total, out = np.full(width, 7.5), np.ones((9, width))
            kernels.add_row(places, numbers, state, total, *span, plain)
            kernels.add_column(places, numbers, total, out, *span, plain)
            results.append((total.tobytes(), out.tobytes()))
        assert results[0] == results[1]


def test_sums_into_what_they_read_are_refused():
    block, memory = Block([1] * 7, "float64", (1, False)), np.zeros(20)
    for kernels in (columns, twin):
        with pytest.raises(ValueError, match="shares memory"):
            kernels.sums_columns(
                *block.rows, 2, memory[:14].reshape(7, 2), memory[3:17].reshape(7, 2)
            )


# ---- orders and prices across boundaries -----------------------------------------------------


class Crossing:
    """Orders of a block in slices, with numbers of chosen widths for either way."""

    def __init__(self, block, up_width, down_width):
        draw = np.random.default_rng(SEED)
        self.positions, *self.layout = slices.slice_rows(*block.rows)
        places = len(self.layout[0]) - 1 + 16 * (len(self.layout[1]) - 1)
        self.matrix = block.matrix()[self.positions]
        self.plains = [block.plain if w == block.width else 0 for w in (up_width, down_width)]
        self.up, self.down_out = (draw.normal(size=(block.size, w)) for w in (up_width, down_width))
        self.down = np.zeros((places, down_width))
        self.down[: len(self.positions)] = draw.normal(size=(len(self.positions), down_width))
        self.up_out = np.full((places, up_width), 7.5)

    def run(self, kernel):
        up_out, down_out = self.up_out.copy(), self.down_out.copy()
        kernel(
            *(*self.layout, self.plains[0], self.up, up_out),
            *(self.plains[1], self.down, down_out),
        )
        return up_out, down_out


@pytest.mark.parametrize(
    "carried", ["orders", "prices", "orders and a price", "prices and an order"]
)
def test_what_crosses_is_that_of_the_twin_and_of_a_dense_matrix(block, carried):
    full = block.width
    widths = {"orders": (full, 0), "prices": (0, full), "orders and a price": (full, 1)}
    crossing = Crossing(block, *widths.get(carried, (1, full)))
    (up, down), twins = (crossing.run(kernels.cross) for kernels in (columns, twin))
    assert (up.tobytes(), down.tobytes()) == tuple(array.tobytes() for array in twins)
    used = len(crossing.positions)
    assert agree(up[:used], *block.by_column(crossing.matrix, crossing.up, crossing.plains[0]))
    assert not up[used:].any()
    prices = crossing.down[:used]
    expected, scale = block.by_column(crossing.matrix.T, prices, crossing.plains[1])
    before = crossing.down_out
    assert agree(down, before + expected, scale + np.abs(before) + np.abs(expected))


def test_a_side_without_columns_may_be_without_rows_too():
    block = Block([3, 300, 0, 2], "float64", (3, True))
    crossing, nothing = Crossing(block, block.width, block.width), np.zeros((0, 0))
    for kernels in (columns, twin):
        both = crossing.run(kernels.cross)
        up_out, down_out = crossing.up_out.copy(), crossing.down_out.copy()
        kernels.cross(
            *crossing.layout, block.plain, crossing.up, up_out, 0, nothing, nothing.copy()
        )
        kernels.cross(
            *crossing.layout, 0, nothing, nothing.copy(), block.plain, crossing.down, down_out
        )
        assert [up_out.tobytes(), down_out.tobytes()] == [array.tobytes() for array in both]


@pytest.mark.parametrize("kernels", [columns, twin], ids=["compiled", "twin"])
@pytest.mark.parametrize("shared", [(0, 1), (2, 3), (1, 2), (0, 3), (1, 3)], ids=str)
def test_crossing_into_what_is_read_or_written_is_refused(kernels, shared):
    block, memory = Block([1] * 16, "float64", (1, False)), np.zeros(35)
    layout = slices.slice_rows(*block.rows)[1:]
    numbers = [np.zeros((16, 2)) for _ in range(4)]  # up, up_out, down, down_out
    for place, start in zip(shared, (0, 3), strict=True):
        numbers[place] = memory[start : start + 32].reshape(16, 2)
    with pytest.raises(ValueError, match="shares memory"):
        kernels.cross(*layout, 2, *numbers[:2], 2, *numbers[2:])


# ---- sweeps ----------------------------------------------------------------------------------


@pytest.mark.parametrize("priced", [0, 1, 2])
def test_a_sweep_is_that_of_the_twin(block, priced):
    ours, twins = (block.sweep(kernels.sweep_columns, priced) for kernels in (columns, twin))
    assert bits(ours) == bits(twins)


@pytest.mark.parametrize("bounds", [(1e-30, 1e-12), (0.5, 1e-12), (1e-30, 0.75)], ids=str)
def test_a_sweep_keeps_to_floor_and_leeway_as_the_twin_does(layout, bounds):
    block = Block(ROWS["hubs"], "float32", layout)
    ours, twins = (block.sweep(kernels.sweep_columns, 1, bounds) for kernels in (columns, twin))
    assert bits(ours) == bits(twins)


@pytest.mark.parametrize("priced", [0, 1, 2])
def test_prices_are_carried_as_by_a_dense_matrix_and_change_nothing_else(block, priced):
    block.order = np.arange(block.size, dtype=np.int32)
    state, weighed, turnovers, facts = block.sweep(columns.sweep_columns, priced)
    alone, _, measured, found = block.sweep(columns.sweep_columns)
    assert (alone.tobytes(), measured.tobytes(), found) == (
        *(state.tobytes(), turnovers.tobytes()),
        facts,
    )
    matrix = block.matrix()
    by_sign = np.stack([matrix, np.abs(matrix)][:priced]) if priced else np.zeros((0, 0, 0))
    for column, entries in enumerate(by_sign):
        cost = block.price[: len(matrix)] @ entries
        scale = 7.5 + block.price[: len(matrix)] @ np.abs(entries)
        assert agree(weighed[:, column], 7.5 + cost, scale)


@pytest.mark.parametrize("values", ["float32", "float64"])
def test_one_plan_where_nothing_is_negative_is_swept_as_a_pair(values):
    for lengths in ROWS.values():
        block = Block(lengths, values, (1, False))
        block.rate[:] = 1.0
        state, _, turnovers, facts = block.sweep(columns.sweep_columns)
        swept = block.state.copy()
        demand = block.demand[:, 0].copy()
        expected = pair.sweep_pair(
            *(*block.own, block.order, block.diagonal, demand, block.given, swept, 1e-30, 0.5)
        )
        assert state == pytest.approx(swept, rel=1e-11)
        assert facts == pytest.approx(expected, rel=1e-11, abs=1e-13)
        size = np.abs(demand) + np.abs(swept[:, 0] - demand)
        assert turnovers[block.order] == pytest.approx(size[block.order], rel=1e-11)


def test_several_plans_are_the_plans_swept_alone(values):
    block = Block(ROWS["hubs"], values, (3, True))
    together = block.sweep(columns.sweep_columns)[0]
    for k in range(3):
        alone = Block(ROWS["hubs"], values, (1, True))
        alone.own, alone.diagonal, alone.order = block.own, block.diagonal, block.order
        alone.demand, alone.rate = block.demand[:, [k]].copy(), block.rate[[k]].copy()
        alone.given = block.given[:, [k, 3, 4, 5 + k]].copy()
        alone.state = block.state[:, [k, 3, 4, 5 + k]].copy()
        found = alone.sweep(columns.sweep_columns)[0]
        assert found[:, [0, 3]].tobytes() == together[:, [k, 5 + k]].tobytes()


def test_a_sweep_of_some_rows_leaves_the_others(layout):
    block = Block(ROWS["one more than two slices"], "float64", layout)
    block.order = block.order[::3].copy()
    ours, twins = (block.sweep(kernels.sweep_columns, 2) for kernels in (columns, twin))
    assert bits(ours) == bits(twins)
    others = np.setdiff1d(np.arange(block.size), block.order)
    assert np.array_equal(ours[0][others], block.state[others])
    assert (ours[2][others] == 7.5).all()


def test_nothing_is_swept_in_a_block_without_products(values, layout):
    plans, is_mixed = layout
    width = (plans + 1) * (2 if is_mixed else 1)
    matrix = (np.zeros(1, np.int64), np.empty(0, np.uint16), np.empty(0, TYPES[values][0]))
    for kernels in (columns, twin):
        state, demand, given = np.empty((0, width)), np.empty((0, plans)), np.empty((0, width))
        facts = kernels.sweep_columns(
            *(*matrix, np.empty(0, np.int32), NOTHING, demand, given, plans + 1, state),
            *(np.ones(plans), 1.0, 1.0, NOTHING, np.empty((0, 1)), np.empty(0)),
        )
        assert facts == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("kernels", [columns, twin], ids=["compiled", "twin"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("column", [0, 1], ids=["plan", "witness"])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_is_not_a_number_stays_in_sight(kernels, wrong, column):
    block = Block(ROWS["around one chunk"], "float64", (1, False))
    block.state[3, column] = wrong
    swept = block.sweep(kernels.sweep_columns)[0]
    assert not np.isfinite(swept[:, column].sum())


def test_threads_find_the_bits_of_one_thread(values, layout):
    blocks = [Block([75] * 500, values, layout), Block([40, 300, 0, 17] * 100, values, layout)]
    crossings = [Crossing(block, block.width, 1) for block in blocks]

    def work(number):
        swept = bits(blocks[number].sweep(columns.sweep_columns, 2))
        return swept, [array.tobytes() for array in crossings[number].run(columns.cross)]

    serial = [work(number) for number in (0, 1)]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            assert list(pool.map(work, (0, 1))) == serial


@pytest.mark.parametrize("kernels", [columns, twin], ids=["compiled", "twin"])
@pytest.mark.parametrize(
    "shared",
    ["state given", "state demand", "state diagonal", "weighed state", "weighed weights"],
)
def test_a_sweep_over_what_it_reads_is_refused(kernels, shared):
    block, memory = Block([1] * 7, "float64", (1, False)), np.zeros(30)
    shapes = {"diagonal": 7, "demand": (7, 1), "given": (7, 2), "state": (7, 2)}
    shapes |= {"weights": 7, "weighed": (7, 1)}
    numbers = {name: np.zeros(shape) for name, shape in shapes.items()}
    for name, start in zip(shared.split(), (3, 0), strict=True):
        numbers[name] = memory[start:][: numbers[name].size].reshape(shapes[name])
    diagonal, demand, given, state, weights, weighed = numbers.values()
    with pytest.raises(ValueError, match="shares memory"):
        kernels.sweep_columns(
            *(*block.own, block.order, diagonal, demand, given, 2, state),
            *(block.rate, 1.0, 1.0, weights, weighed, np.zeros(7)),
        )


# ---- certificates ----------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 17])
@pytest.mark.parametrize("delta", [0.0, 2.0**-24, 1e-3])
@pytest.mark.parametrize("underflow", [0.0, 2.0**-149, 1e-9])
def test_what_is_proven_from_sums_is_that_of_the_twin(count, delta, underflow):
    draw = np.random.default_rng(SEED)
    s, x, lower = draw.normal(size=(3, count))
    gross, q, w, width = draw.lognormal(size=(4, count))
    terms = draw.integers(0, 70_000, count).astype(np.float64)
    given = (s, gross, q, terms, x, w, lower, lower + width, delta, underflow)
    results = []
    for kernels in (certify, reference):
        out = np.full((4, count), 7.5)
        kernels.prove_sums(*given, *out)
        results.append(out.tobytes())
    assert results[0] == results[1]


@pytest.mark.parametrize("kernel", COMPILED, ids=lambda kernel: kernel.__name__)
def test_kernels_for_columns_release_the_lock_and_compile_nothing_new(kernel):
    assert kernel.compiled.targetoptions["nogil"]
    assert not kernel.compiled.targetoptions.get("fastmath")
