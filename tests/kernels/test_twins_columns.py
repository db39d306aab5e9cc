"""The twins for any number of columns, on cases small enough to be worked by hand."""

import numpy as np

from ogas.kernels import reference_columns as twin
from ogas.kernels import slices

# [[ .5, 0, .25],   x = (4, -8, 16)     A x = (6, 0, -10)    |A| |x| = (6, 0, 10)
#  [  0, 0,   0],   w = (1,  2,  4)     A w = (1.5, 0, -1.5)   |A| w = (1.5, 0, 2.5)
#  [ -2, .25, 0]]   p = (1,  2,  4)     p A = (-7.5, 1, .25)   p |A| = (8.5, 1, .25)
HAND = (np.array([0, 2, 2, 4]), np.array([0, 2, 0, 1], np.uint16), np.array([0.5, 0.25, -2, 0.25]))
HAND_STATE = np.array([[4.0, 1, 1, 4], [-8, 2, 2, 8], [16, 4, 4, 16]])  # x w | w |x|
DIAGONAL, PRICE = np.array([0.5, 0, 0]), np.array([1.0, 2, 4])
UNUSED = 9.0


def test_sums_worked_by_hand():
    out = np.empty((3, 4))
    twin.sums_columns(*HAND, 2, HAND_STATE, out)
    assert out.tolist() == [[6, 1.5, 1.5, 6], [0, 0, 0, 0], [-10, -1.5, 2.5, 10]]


def test_a_mixed_sweep_worked_by_hand():
    state, turnovers, weighed = HAND_STATE.copy(), np.empty(3), np.zeros((3, 2))
    demand = np.array([[1.0], [-3], [0]])
    given = np.array([[1, UNUSED, 0.5, 2], [0, UNUSED, 1, 0], [2, UNUSED, 0, 3]])
    facts = twin.sweep_columns(
        *(*HAND, np.array([1, 0, 2]), DIAGONAL, demand, given, 2, state),
        *(np.array([2.0]), 2.0, 1.0, PRICE, weighed, turnovers),
    )
    # x_1 = -3, imbalance 5, t 2*3; w_1 = 6 + 1
    # x_0 = 4 + (1 + 1 + 6 - 4)/.5 = 12, t 2 (1 + 2 + 6); w_0 = 1 + (18 + 2 - 1)/.5 = 39
    # x_2 = 0 + 2 - 24 - .75 = -22.75 from 16, t 2 (3 + 24 + .75); w_2: needed 78 + 1.75, twice
    assert turnovers.tolist() == [18, 6, 55.5]
    assert state.tolist() == [[12, 39, 39, 12], [-3, 7, 7, 3], [-22.75, 159.5, 159.5, 22.75]]
    assert facts == (-38.75 * 2 / 55.5, 5 * 2 / 6, 159.5 / 55.5)
    assert weighed.tolist() == [[-7.5, 8.5], [1, 1], [0.25, 0.25]]


def test_a_sweep_of_two_plans_worked_by_hand():
    matrix = (*HAND[:2], np.abs(HAND[2]))
    state, turnovers = np.array([[4.0, 2, 1], [8, 0, 2], [16, 4, 4]]), np.zeros(3)
    demand, given = np.array([[1.0, 2], [3, 1], [0, 4]]), np.zeros((3, 3))
    given[2] = 2, 1, 0.5
    facts = twin.sweep_columns(
        *(*matrix, np.array([2]), np.zeros(3), demand, given, 3, state),
        *(np.array([1, 0.5]), 2.0, 0.5, np.zeros(0), np.zeros((3, 1)), turnovers),
    )
    # x_1: 0 + 2 + 10 = 12 from 16, t 12; x_2: 4 + 1 + 4 = 9 from 4, t (4 + 5)/2; w: 12 + .5 + 2.5
    assert state.tolist() == [[4, 2, 1], [8, 0, 2], [12, 9, 15]]
    assert turnovers.tolist() == [0, 0, 12]
    assert facts == (-4 / 12, 2.5 / 4.5, 15 / 12)


def test_orders_and_prices_worked_by_hand():
    layout = slices.slice_rows(*HAND)[1:]  # rows 0, 2, 1
    up, up_out = HAND_STATE[:, [0, 3]].copy(), np.full((16, 2), 7.5)
    down, down_out = np.zeros((16, 2)), np.ones((3, 2))
    down[:3] = [[1, 1], [4, 4], [2, 2]]
    twin.cross(*layout, 1, up, up_out, 1, down, down_out)
    assert up_out[:3].tolist() == [[6, 6], [-10, 10], [0, 0]]
    assert not up_out[3:].any()
    assert down_out.tolist() == [[1 - 7.5, 1 + 8.5], [2, 2], [1.25, 1.25]]


def test_a_hub_is_read_in_one_piece():
    hub_ptr, slice_ptr = np.array([0, 3]), np.array([3, 3 + 16])
    places, entries = np.zeros(19, np.uint16), np.zeros(19)
    places[[1, 2]], entries[[0, 1, 2, 3 + 5]] = 1, (1, 2, 3, 10)  # the sixth row of the slice
    up_out, down_out = np.empty((17, 1)), np.zeros((2, 1))
    down = np.arange(17.0)[:, None] + 1
    twin.cross(
        *(hub_ptr, slice_ptr, places, entries),
        *(1, np.array([[1.0], [2.0]]), up_out, 1, down, down_out),
    )
    assert up_out.ravel().nonzero()[0].tolist() == [0, 6]
    assert up_out[[0, 6], 0].tolist() == [1 + 4 + 6, 10]
    assert down_out.ravel().tolist() == [1 * 1 + 10 * 7, (2 + 3) * 1]


def test_rows_are_added_up_in_chunks_of_32():
    # After the 1, each of 31 half places is rounded away in the first chunk; the next 20 are a
    # chunk of their own and add up to 10 places before they meet the first.
    half = 2.0**-53
    terms = np.concatenate([[1.0], np.full(31, half), np.full(20, half)])
    total = np.empty(1)
    twin.add_row(np.zeros(52, np.uint16), terms, np.ones((1, 1)), total, 0, 52, 1, 1)
    assert total.item() == 1.0 + 20 * half


def test_orders_of_two_blocks_worked_by_hand():
    # Blocks 1 and 3 have ordered (x, w): block 1 (4, 1) of product 0; block 3 (8, 2) of product 1
    # and (16, 4) of product 0. Block 1 moves by x + w; block 3 halves x and takes w off, doubles w.
    messages = np.array([[8.0, 2], [16, 4], [4, 1]])
    factor, shift = np.zeros((2, 4, 2))
    factor[[1, 3]] = [[1, 1], [0.5, 2]]
    shift[[1, 3]] = [[1, 0], [-1, 0]]
    out = np.full((3, 2), 7.5)
    twin.collect(
        *(np.array([2, 0, 1]), np.array([0, 1, 0]), np.array([1, 3]), np.array([0, 1, 3])),
        *(messages, factor, shift, 1, out),
    )
    assert out.tolist() == [[5 + 8 - 4, 1 + 8], [4 - 2, 4], [0, 0]]


def test_a_correction_of_two_blocks_worked_by_hand():
    # Product 0 is block 1's, which moves by x + w; the others block 0's, which halves x and w.
    state = np.array([[8.0, 2], [16, 4], [4, 1]])
    factor, shift = np.array([[0.5, 0.5], [1, 1]]), np.array([[0.0, 0], [1, 0]])
    twin.follow(np.array([1, 0, 0]), factor, shift, 1, state)
    assert state.tolist() == [[10, 2], [8, 2], [2, 0.5]]


def test_purchases_from_two_blocks_worked_by_hand():
    numbers, out = np.array([[1.0, 2], [3, 4], [5, 6], [100, 100]]), np.full((3, 2), 7.5)
    twin.tally(np.array([2, 0, 2]), np.array([10, 1, 0.5]), numbers, out)
    assert out.tolist() == [[3, 4], [0, 0], [12.5, 23]]
