"""The whole inverse: every entry within its bounds, and the same answers as by solves."""

from dataclasses import replace
from fractions import Fraction

import economies
import exact
import numpy as np
import problems
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inverses import Dense, drawn
from scipy.sparse import csr_array

from ogas.engine.analyses.entries import columns_of, rows_of
from ogas.engine.analyses.extraction import extraction
from ogas.engine.analyses.inverse import Inverse
from ogas.engine.analyses.whole import LEAST, whole_inverse
from ogas.engine.errors import NotProductiveError, NotProvenError
from ogas.engine.interval import Interval
from ogas.engine.iterate import Precision
from ogas.engine.source import Source
from ogas.engine.table import Table, coefficients_from

SEED = 20261123


def assert_holds_the_exact_inverse(found, A):
    """No rounding: bounds and inverse are rational numbers."""
    A, n = exact.fractions(np.asarray(A)), len(A)
    lower, upper = exact.fractions(found.lower), exact.fractions(found.upper)
    for j in range(n):
        column = exact.plan(A, [Fraction(int(i == j)) for i in range(n)])
        for i in range(n):
            assert lower[i][j] <= column[i] <= upper[i][j]


def values(A):
    """Prices at which every product is worth more than its inputs, in whatever units they are."""
    system = np.eye(A.shape[0]) - abs(A).T
    return np.linalg.solve(system, np.linalg.solve(system, np.ones(A.shape[0])))


def meet(one, other):
    """Whether two enclosures have anything in common, as two of one truth must."""
    return (one.lower <= other.upper).all() and (other.lower <= one.upper).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from(economies.KINDS), st.booleans())
def test_every_entry_of_the_exact_inverse_lies_within_its_bounds(seed, kind, is_priced):
    rng = np.random.default_rng(seed)
    A = economies.draw(rng, kind).balance.coefficients
    prices = values(A) if is_priced else rng.lognormal(0.0, 3.0, A.shape[0])
    suits = is_priced and kind != "signed"
    try:
        found = whole_inverse(A, prices)
    except NotProvenError:
        assert not suits
        return
    assert_holds_the_exact_inverse(found, A.toarray())
    assert not suits or found.figures.min() >= 8


def test_no_bound_is_wrong_for_a_matrix_that_nothing_was_made_for():
    rng = np.random.default_rng(SEED)
    for n in (2, 3, 5, 9):
        A = rng.normal(size=(n, n)) * 10.0 ** rng.integers(-6, 7, (n, n))
        try:
            found = whole_inverse(csr_array(A))
        except NotProvenError:
            continue
        assert_holds_the_exact_inverse(found, A)


def test_an_economy_a_millionth_from_consuming_itself_keeps_five_figures():
    A = np.random.default_rng(SEED).random((12, 12))
    A *= 0.999999 / np.abs(np.linalg.eigvals(A)).max()
    found = whole_inverse(csr_array(A), values(A))
    assert_holds_the_exact_inverse(found, A)
    assert found.figures.min() >= 5


@pytest.mark.parametrize("own", [0.0, 0.5, 0.999999])
def test_one_product_is_its_own_chain(own):
    found = whole_inverse(csr_array(np.array([[own]])))
    assert_holds_the_exact_inverse(found, [[own]])
    assert found.figures.min() >= 8


def test_where_no_chain_leads_there_is_exactly_nothing():
    A = np.triu(np.random.default_rng(SEED).random((9, 9)) / 9, 1)
    A[2] = 0.0  # nobody uses product 2
    found = whole_inverse(csr_array(A))
    assert_holds_the_exact_inverse(found, A)
    reached = np.linalg.matrix_power((A != 0) + np.eye(9), 9) > 0
    assert ((found.upper == 0) == ~reached).all()
    assert ((found.lower > 0) == reached).all()


def test_the_smallest_entry_of_a_long_chain_is_known_as_well_as_the_largest():
    n = 40
    A = np.diag(np.full(n - 1, 0.01), 1)
    found = whole_inverse(csr_array(A))
    assert found.middle[0, -1] == pytest.approx(0.01 ** (n - 1))
    assert found.figures.min() >= 11


def test_what_may_underflow_is_not_claimed():
    with pytest.raises(NotProvenError, match="too far apart"):
        whole_inverse(csr_array(np.array([[0.0, LEAST / 10], [0.5, 0.0]])))
    with pytest.raises(NotProvenError, match="too far apart"):
        whole_inverse(csr_array(np.diag(np.full(99, 0.01), 1)))


@pytest.mark.parametrize(
    "A", [[[1.0]], [[0.5, 0.5], [0.5, 0.5]], [[0.1, 0.9], [0.9, 0.1]]], ids=str
)
def test_what_has_no_inverse_has_no_bounds(A):
    with pytest.raises(NotProvenError):
        whole_inverse(csr_array(np.array(A)))


# ---- what is read off it ------------------------------------------------------------------------


@pytest.fixture(params=["plain", "blocks", "signed", "physical"])
def dense(request):
    return Dense(drawn(request.param))


@pytest.mark.parametrize("ask", [columns_of, rows_of, extraction], ids=lambda ask: ask.__name__)
def test_what_is_read_off_the_whole_inverse_agrees_with_what_is_solved_for(dense, ask):
    whole = dense.inverse(9)
    solved = replace(whole, largest=0, ledger=[])
    products = range(len(dense.f))
    read, other = ask(whole, products), ask(solved, products)
    assert list(read.columns) == list(other.columns)
    assert all(meet(read.columns[name], other.columns[name]) for name in read.columns)
    assert "40 rows or columns are of the whole inverse" in read.notes[0]
    assert other.notes == ()
    assert all(work.is_certified for work in whole.ledger)
    # Two are solved for at the most, for a proof that the economy is productive.
    columns = sum(work.columns for work in solved.ledger) - sum(w.columns for w in whole.ledger)
    assert columns >= len(products) - 2


def test_a_few_columns_are_solved_for(dense):
    assert columns_of(replace(dense.inverse(), largest=20), range(40)).notes == ()
    sparse = Source.of(replace(dense.table, coefficients=coefficients_from(0.01 * np.eye(40))))
    assert columns_of(Inverse(sparse), [1, 2]).notes == ()


def test_coefficients_that_are_uncertain_are_solved_for(dense):
    found = columns_of(replace(dense.inverse(2), delta=1e-6), range(40))
    assert found.notes == ()


def test_columns_that_are_not_known_as_well_as_asked_for_are_solved_for():
    # L_01 = a_01 + a_02 a_21 is the difference of two numbers that are alike to eight figures.
    A = np.zeros((3, 3))
    A[0, 1], A[0, 2], A[2, 1] = -0.1 * (1 - 1e-8), 0.5, 0.2
    inverse = Inverse(Source.of(Table(coefficients_from(A), np.arange(3))), Precision(9))
    found = dict(inverse.columns([2, 0, 1]))
    assert sum(work.read for work in inverse.ledger) == 2
    together = Interval.stacked([found[j] for j in range(3)])
    assert_holds_the_exact_inverse(Interval(together.middle.T, together.radius.T), A)


def test_an_economy_that_is_not_productive_is_refused_however_much_is_asked_for(dense):
    A = dense.A.copy()
    A[5, 5] = 1.5
    source = Source.of(replace(dense.table, coefficients=coefficients_from(A)))
    for products in ([5], range(40)):
        with pytest.raises(NotProductiveError, match="p5 is used up"):
            list(Inverse(source).columns(products))


def test_a_published_table_has_the_same_columns_by_solves(published_table):
    inverse = Inverse(Source.of(problems.published(published_table)), Precision(5))
    everything = range(len(inverse))
    try:
        found = dict(inverse.columns(everything))
    except NotProductiveError:
        pytest.skip("not productive as published")
    some = everything[:: max(len(inverse) // 3, 1)]
    solved = dict(replace(inverse, largest=0).columns(some))
    assert all(meet(found[product], solved[product]) for product in some)
