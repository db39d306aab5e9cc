"""Adding up what crosses between blocks: the kernels, their twins, and the rule of corrections."""

import numpy as np
import pytest

from ogas.kernels import boundary
from ogas.kernels import reference_columns as twin

SEED = 74609
BLOCKS = 5
MAIL = {
    "no messages": [],
    "one message": [1],
    "a block that sends nothing": [3, 0, 17],
    "from every block but one": [1, 128, 40, 257],
}


class Mail:
    """Messages for the products of one block, from others in the order of their numbers."""

    def __init__(self, counts, products, width):
        draw = np.random.default_rng(SEED)
        total = sum(counts)
        self.drift = width - 1
        self.sources = np.sort(draw.choice(BLOCKS, len(counts), replace=False)).astype(np.int64)
        self.bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.rows = draw.choice(2 * total + 1, total, replace=False).astype(np.uint32)
        self.local = draw.integers(0, products, total).astype(np.uint16)
        self.messages = draw.normal(size=(2 * total + 1, width))
        self.factor, self.shift = draw.normal(size=(2, BLOCKS, width))
        self.shape = products, width

    def collect(self, kernel, messages=None, factor=None, shift=None):
        out = np.full(self.shape, 7.5)
        kernel(
            *(self.rows, self.local, self.sources, self.bounds),
            self.messages if messages is None else messages,
            self.factor if factor is None else factor,
            self.shift if shift is None else shift,
            *(self.drift, out),
        )
        return out

    def per_message(self, numbers):
        """Return the rows of an array over blocks that belong to each message."""
        return numbers[np.repeat(self.sources, np.diff(self.bounds))]


@pytest.fixture(params=MAIL)
def counts(request):
    return MAIL[request.param]


@pytest.fixture(params=[1, 2, 3, 8, 34])
def width(request):
    return request.param


@pytest.fixture(params=[1, 6, 500])
def mail(request, counts, width):
    return Mail(counts, request.param, width)


def test_what_is_ordered_is_added_up_as_by_the_twin(mail):
    ours, twins = (mail.collect(kernels.collect) for kernels in (boundary, twin))
    assert ours.tobytes() == twins.tobytes()


def test_messages_in_float32_are_added_up_as_by_the_twin(mail):
    mail.messages = mail.messages.astype(np.float32)
    ours, twins = (mail.collect(kernels.collect) for kernels in (boundary, twin))
    assert ours.tobytes() == twins.tobytes()


def test_places_beyond_32_bits_are_added_up_alike(mail):
    before = mail.collect(boundary.collect)
    mail.rows = mail.rows.astype(np.int64)
    assert mail.collect(boundary.collect).tobytes() == before.tobytes()


def test_without_a_correction_messages_are_added_up_as_they_are(mail):
    one, zero = np.ones_like(mail.factor), np.zeros_like(mail.shift)
    expected = np.zeros(mail.shape)
    np.add.at(expected, mail.local, mail.messages[mail.rows])
    assert np.array_equal(mail.collect(boundary.collect, factor=one, shift=zero), expected)


def test_correcting_orders_is_ordering_after_the_correction(mail):
    messages = mail.messages.copy()
    along = messages[mail.rows, mail.drift][:, None]
    messages[mail.rows] = (
        mail.per_message(mail.factor) * messages[mail.rows] + mail.per_message(mail.shift) * along
    )
    one, zero = np.ones_like(mail.factor), np.zeros_like(mail.shift)
    before = mail.collect(boundary.collect)
    after = mail.collect(boundary.collect, messages, one, zero)
    assert np.array_equal(before, after)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [0, 1, 300])
def test_a_state_follows_a_correction_as_by_the_twin(rows, precision, width):
    draw = np.random.default_rng(SEED)
    owners = draw.integers(0, BLOCKS, rows).astype(np.uint16)
    factor, shift = draw.normal(size=(2, BLOCKS, width))
    state = draw.normal(size=(rows, width)).astype(precision)
    for drift in {0, width // 2, width - 1}:
        ours, twins = state.copy(), state.copy()
        boundary.follow(owners, factor, shift, drift, ours)
        twin.follow(owners, factor, shift, drift, twins)
        assert ours.tobytes() == twins.tobytes()


@pytest.mark.parametrize("kernels", [boundary, twin], ids=["compiled", "twin"])
@pytest.mark.parametrize("shared", ["factor", "shift"])
def test_correcting_the_correction_is_refused(kernels, shared):
    memory, owners = np.zeros(30), np.zeros(4, np.uint16)
    given = {"factor": np.ones((2, 2)), "shift": np.ones((2, 2))}
    given[shared] = memory[3:7].reshape(2, 2)
    with pytest.raises(ValueError, match="shares memory"):
        kernels.follow(owners, *given.values(), 1, memory[:8].reshape(4, 2))


@pytest.mark.parametrize("rows", [0, 1, 17, 300])
@pytest.mark.parametrize("padding", [0, 15])
@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_what_is_taken_is_valued_as_by_the_twin_and_a_scatter(rows, padding, precision, width):
    draw = np.random.default_rng(SEED)
    owners = draw.integers(0, BLOCKS, rows).astype(np.uint16)
    price = draw.lognormal(size=rows)
    numbers = draw.normal(size=(rows + padding, width)).astype(precision)
    results = []
    for kernels in (boundary, twin):
        out = np.full((BLOCKS, width), 7.5)
        kernels.tally(owners, price, numbers, out)
        results.append(out)
    expected = np.zeros((BLOCKS, width))
    np.add.at(expected, owners, price[:, None] * numbers[:rows])
    assert results[0].tobytes() == results[1].tobytes() == expected.tobytes()


@pytest.mark.parametrize("kernels", [boundary, twin], ids=["compiled", "twin"])
def test_no_prices_are_prices_of_one(kernels):
    owners, numbers = np.array([1, 0, 1], np.uint16), np.arange(6.0).reshape(3, 2)
    results = []
    for price in (np.ones(3), np.zeros(0)):
        out = np.full((2, 2), 7.5)
        kernels.tally(owners, price, numbers, out)
        results.append(out.tolist())
    assert results[0] == results[1] == [[2, 3], [4, 6]]


@pytest.mark.parametrize("kernels", [boundary, twin], ids=["compiled", "twin"])
@pytest.mark.parametrize("shared", ["messages", "factor", "shift"])
def test_adding_up_into_what_is_read_is_refused(kernels, shared):
    mail, memory = Mail([1, 1], 4, 2), np.zeros(30)
    given = {name: getattr(mail, name) for name in ("messages", "factor", "shift")}
    given[shared] = memory[3:][: given[shared].size].reshape(given[shared].shape)
    head = (mail.rows, mail.local, mail.sources, mail.bounds)
    with pytest.raises(ValueError, match="shares memory"):
        kernels.collect(*head, *given.values(), 0, memory[:8].reshape(4, 2))


@pytest.mark.parametrize("kernels", [boundary, twin], ids=["compiled", "twin"])
@pytest.mark.parametrize("shared", ["price", "numbers"])
def test_valuing_into_what_is_read_is_refused(kernels, shared):
    memory, owners = np.zeros(30), np.zeros(4, np.uint16)
    given = {"price": np.ones(4), "numbers": np.ones((4, 2))}
    given[shared] = memory[3:][: given[shared].size].reshape(given[shared].shape)
    with pytest.raises(ValueError, match="shares memory"):
        kernels.tally(owners, *given.values(), memory[:6].reshape(3, 2))


@pytest.mark.parametrize(
    "kernel",
    [boundary.collect, boundary.follow, boundary.tally],
    ids=lambda kernel: kernel.__name__,
)
def test_kernels_at_boundaries_release_the_lock_and_compile_nothing_new(kernel):
    assert kernel.compiled.targetoptions["nogil"]
    assert not kernel.compiled.targetoptions.get("fastmath")


def test_the_longest_chain_is_that_of_the_longest_message_and_one_for_each_message():
    # product 0 gets messages of rows 2 and 0, product 2 one of row 3, product 1 none
    local, lengths = np.array([0, 0, 2], np.uint16), np.array([5, 9, 7, 1], np.uint16)
    for module in (boundary, twin):
        for kind in (np.uint32, np.int64):
            out = np.full(3, np.nan)
            module.longest(np.array([2, 0, 3], kind), local, lengths, out)
            assert out.tolist() == [7.0 + 2, 0.0, 1.0 + 1]
