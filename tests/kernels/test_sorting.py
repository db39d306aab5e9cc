"""Draws become rows: the same as the twins make of them, and as SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array

from ogas.datasets.draws import Desk, Draws, as_block
from ogas.kernels import reference_sorting as twin
from ogas.kernels import sorting

PRODUCTS, FIRST, LAST = 200, 70, 75


@st.composite
def draws(draw):
    """Draws of a block of five: its own by their places in it, others by those in the table."""
    others = st.integers(0, PRODUCTS - 1).filter(lambda place: not FIRST <= place < LAST)
    columns = [
        (draw(st.lists(st.integers(0, 4), max_size=9)), draw(st.lists(others, max_size=9)))
        for _ in range(LAST - FIRST)
    ]
    lengths = [len(own) + len(ordered) for own, ordered in columns]
    starts = np.append(0, np.cumsum(lengths))
    inner = starts[:-1] + [len(own) for own, _ in columns]
    suppliers = np.array([place for own, ordered in columns for place in own + ordered], np.uint32)
    sizes = [draw(st.sampled_from([0, 0.1, 0.25, 3])) for _ in suppliers]
    return starts, inner, suppliers, np.array(sizes, np.float32)


@given(draws())
def test_rows_of_other_blocks_are_those_of_the_twin(drawn):
    starts, inner, suppliers, _ = drawn
    found = []
    for module in (sorting, twin):
        marks, rows = np.zeros(-(-PRODUCTS // 64), np.uint64), suppliers.copy()
        ext = np.zeros(module.mark(inner, starts[1:], rows, marks), np.int64)
        before = np.zeros(len(marks), np.uint32)
        module.rank(marks, before, ext)
        module.number(inner, starts[1:], marks, before, rows)
        found.append([array.tolist() for array in (marks, ext, before, rows)])
    assert found[0] == found[1]


@pytest.mark.parametrize("shift", [0, 1, 3])
@pytest.mark.parametrize("adds", [True, False])
@pytest.mark.parametrize("kind", [np.uint16, np.int32])
@given(draws())
def test_piles_and_rows_are_those_of_the_twin(shift, adds, kind, drawn):
    starts, inner, suppliers, weights = drawn
    begins, found = starts[:-1], []
    for module in (sorting, twin):
        bounds = np.zeros(LAST - FIRST + 1, np.int64)
        module.count(begins, inner, suppliers, bounds[1:])
        np.cumsum(bounds, out=bounds)
        total = int(bounds[-1])
        free, places = bounds[: -1 : 1 << shift].copy(), np.zeros(total, np.uint16)
        piled, indptr = np.zeros(total, np.uint64), np.zeros(LAST - FIRST + 1, np.int64)
        bits = weights.view(np.uint32)
        module.pile(begins, inner, suppliers, bits, np.uint64(shift), free, places, piled)
        columns, values = np.zeros(total, kind), np.zeros(total, np.float32)
        work = np.zeros(1 << shift, np.int64), np.zeros(total, np.uint64)
        entries = module.merge(
            *(bounds, np.uint64(shift), places, piled, adds, *work, indptr, columns, values)
        )
        arrays = (free, places, piled, indptr, columns[:entries], values[:entries])
        found.append([array.tolist() for array in arrays])
    assert found[0] == found[1]


@given(draws())
def test_a_block_is_what_scipy_makes_of_its_draws(drawn):
    starts, inner, suppliers, weights = drawn
    weights = weights + np.float32(1)  # an input that others make is never 0
    users = np.repeat(np.arange(LAST - FIRST), np.diff(starts))
    own = np.arange(len(users)) < inner[users]
    products = np.where(own, suppliers + FIRST, suppliers)
    matrix = coo_array((weights, (products, users)), shape=(PRODUCTS, LAST - FIRST)).toarray()
    block = as_block(Draws(starts, inner, suppliers.copy(), weights), FIRST, LAST, PRODUCTS, Desk())
    assert block.ext.tolist() == np.unique(suppliers[~own]).tolist()
    assert block.own.csr().toarray() == pytest.approx(matrix[FIRST:LAST], rel=1e-6)
    assert block.orders.csr().toarray() == pytest.approx(matrix[block.ext], rel=1e-6)
    for part in (block.own, block.orders):
        assert (part.data != 0).all()
        assert part.csr().has_canonical_format


def test_a_desk_keeps_its_memory_and_grows():
    desk = Desk()
    first = desk.array("x", 100, np.int64)
    assert np.shares_memory(first, desk.array("x", 50, np.int64))
    assert np.shares_memory(first, desk.array("x", 104, np.int64))
    assert len(desk.array("x", 1000, np.int64)) == 1000
    assert not np.shares_memory(desk.array("x", 9, np.int64), desk.array("y", 9, np.int64))
