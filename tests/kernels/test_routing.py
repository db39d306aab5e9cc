"""Routes between blocks: the same as the twins find, and nothing is lost on the way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ogas.engine.layout import Layout
from ogas.kernels import reference_routing as twin
from ogas.kernels import routing

SEED = 30917745


@st.composite
def economies(draw):
    """A layout, and the products of one outbox."""
    labels = np.array(draw(st.lists(st.integers(0, 4), min_size=1, max_size=40)))
    labels = np.unique(labels, return_inverse=True)[1]
    layout = Layout.of(labels)
    ext = draw(st.lists(st.integers(0, len(labels) - 1), max_size=30, unique=True))
    return layout, np.array(sorted(ext), dtype=np.uint32)


def addressed(module, layout, ext):
    slots, makers = np.zeros(len(ext), np.uint32), np.zeros(len(ext), np.uint16)
    counts = np.zeros(layout.blocks, np.int64)
    module.address(ext, layout.slots, layout.owners, slots, makers, counts)
    return slots, makers, counts


@given(economies())
def test_every_product_is_found_where_it_stands(economy):
    layout, ext = economy
    slots, makers, counts = addressed(routing, layout, ext)
    for ours, theirs in zip((slots, makers, counts), addressed(twin, layout, ext), strict=True):
        assert ours.tolist() == theirs.tolist()
    assert layout.products[slots].tolist() == ext.tolist()
    assert counts.sum() == len(ext)


@given(economies(), st.integers(0, 2**40))
def test_rows_are_dealt_to_the_blocks_that_are_here(economy, first):
    layout, ext = economy
    slots, makers, counts = addressed(routing, layout, ext)
    here = np.arange(layout.blocks) % 2 == 0
    found = []
    for module in (routing, twin):
        free = np.where(here, np.cumsum(counts * here) - counts, -1)
        total = int(counts[here].sum())
        rows, local = np.full(total, -1), np.zeros(total, np.uint16)
        module.deal(slots, first, layout.owners, layout.bounds, free, rows, local)
        found.append((rows.tolist(), local.tolist(), free.tolist()))
    assert found[0] == found[1]
    rows, local, _ = found[0]
    assert sorted(rows) == [first + k for k in range(len(ext)) if here[makers[k]]]
    owners = makers[np.array(rows, dtype=np.int64) - first]
    assert (layout.bounds[owners] + local == slots[np.array(rows, np.int64) - first]).all()


@pytest.mark.parametrize("module", [routing, twin])
def test_places_move_with_their_maker(module):
    draw = np.random.default_rng(SEED)
    makers = draw.integers(0, 5, 50).astype(np.uint16)
    slots = draw.integers(9, 2**32 - 9, 50).astype(np.uint32)
    shifts, numbers = draw.integers(-9, 9, 5), np.arange(5, dtype=np.uint16)[::-1].copy()
    for kind in (np.uint32, np.int64):
        places, owners = np.zeros(50, kind), np.zeros(50, np.uint16)
        module.move(slots, makers, shifts, places, numbers, owners)
        assert places.tolist() == (slots.astype(np.int64) + shifts[makers]).tolist()
        assert owners.tolist() == (4 - makers).tolist()
