"""What is known of a stored block after one read: the same as the twins say, and as SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array, random_array

from ogas.kernels import loading
from ogas.kernels import reference_loading as twin

SEED = 61540327
TYPES = [(c, v) for c in ("uint16", "int32") for v in ("float32", "float64")]


@pytest.fixture(params=TYPES, ids="-".join)
def drawn(request):
    """A square matrix with empty rows, negative entries and a few on the diagonal."""
    columns, values = map(np.dtype, request.param)
    draw = np.random.default_rng(SEED)
    found = csr_array(random_array((90, 90), density=0.05, rng=draw, data_sampler=draw.normal))
    found.sort_indices()
    return found.indptr.astype(np.int64), found.indices.astype(columns), found.data.astype(values)


def scipys(drawn):
    return csr_array((drawn[2].astype(np.float64), drawn[1].astype(np.int32), drawn[0]))


@pytest.mark.parametrize("of_magnitudes", [False, True])
def test_content_is_price_times_matrix(drawn, of_magnitudes):
    price = np.random.default_rng(SEED).uniform(0.5, 2.0, 90)
    ours, theirs = np.zeros(90), np.zeros(90)
    said = loading.add_content(*drawn, price, of_magnitudes, ours)
    assert said == twin.add_content(*drawn, price, of_magnitudes, theirs)
    assert ours.tobytes() == theirs.tobytes()
    matrix = scipys(drawn)
    np.testing.assert_allclose(ours, price @ (abs(matrix) if of_magnitudes else matrix))
    assert said == (abs(matrix.data).min(), abs(matrix.data).max(), True)


def test_no_prices_are_prices_of_one(drawn):
    for module in (loading, twin):
        ours, ones = np.zeros(90), np.zeros(90)
        module.add_content(*drawn, np.zeros(0), False, ours)
        module.add_content(*drawn, np.ones(90), False, ones)
        assert ours.tobytes() == ones.tobytes()


def test_of_nothing_there_is_no_least_entry():
    nothing = (np.zeros(4, np.int64), np.zeros(0, np.uint16), np.zeros(0, np.float32))
    for module in (loading, twin):
        assert module.add_content(*nothing, np.ones(3), False, np.zeros(5)) == (np.inf, 0.0, False)


def test_the_diagonal_is_found_in_rows_that_have_one(drawn):
    ours, theirs = np.ones(90), np.ones(90)
    loading.diagonal(*drawn, ours)
    twin.diagonal(*drawn, theirs)
    assert ours.tolist() == theirs.tolist() == scipys(drawn).diagonal().tolist()
    assert 0 < np.count_nonzero(ours) < 90


def test_a_transpose_has_the_columns_for_rows(drawn):
    matrix = scipys(drawn).T.tocsr()
    matrix.sort_indices()
    for module in (loading, twin):
        free = matrix.indptr[:-1].astype(np.int64)
        columns, values = np.zeros_like(drawn[1]), np.zeros_like(drawn[2])
        module.transpose(*drawn, free, columns, values)
        assert free.tolist() == matrix.indptr[1:].tolist()
        assert columns.tolist() == matrix.indices.tolist()
        assert values.tolist() == matrix.data.tolist()


SOUND = ([0, 2, 2, 3], [1, 4, 0])
UNSOUND = {
    "a pointer that goes back": ([0, 3, 2, 3], [1, 4, 0]),
    "a pointer before the first": ([-1, 2, 2, 3], [1, 4, 0]),
    "entries before the first": ([1, 2, 2, 3], [1, 4, 0]),
    "entries after the last": ([0, 2, 2, 2], [1, 4, 0]),
    "a pointer beyond the end": ([0, 9, 9, 3], [1, 4, 0]),
    "a column twice": ([0, 2, 2, 3], [1, 1, 0]),
    "columns out of order": ([0, 2, 2, 3], [4, 1, 0]),
    "a column beyond the last": ([0, 2, 2, 3], [1, 5, 0]),
}


def rows(pointers, columns, kind):
    return np.array(pointers, np.int64), np.array(columns, kind)


@pytest.mark.parametrize("kind", ["uint16", "int32"])
@pytest.mark.parametrize("name", UNSOUND)
def test_rows_that_are_out_of_order_are_not_sound(name, kind):
    for module in (loading, twin):
        assert module.is_sound(*rows(*SOUND, kind), 5)
        assert not module.is_sound(*rows(*UNSOUND[name], kind), 5)


@given(
    st.lists(st.integers(-2, 9), min_size=1, max_size=6), st.lists(st.integers(0, 6), max_size=8)
)
def test_what_is_sound_is_what_the_twin_says(pointers, columns):
    found = rows(pointers, columns, "int32")
    assert loading.is_sound(*found, 5) == twin.is_sound(*found, 5)
