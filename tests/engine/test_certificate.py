"""What a certificate refuses, and the numbers it publishes."""

import numpy as np
import problems
import pytest

from ogas.engine.balance import Demand, quantities
from ogas.engine.certificate import MOST_FIGURES, certify, figures_of, half_width_for
from ogas.engine.errors import WitnessError
from ogas.kernels import certify as kernels
from ogas.kernels import reference

PAIR = [[0, 0.5, 0], [0.5, 0, 0], [0, 0, 0]]  # the third product is neither wanted nor used
NAN, INF = np.nan, np.inf


@pytest.fixture(params=[kernels.certificate_pass, reference.certificate_pass], ids=["fast", "twin"])
def certified(request):
    """Certify an output and a witness of the pair (its plan is 4/3, 2/3, 0)."""

    def certified(output=(4 / 3, 2 / 3, 0), witness=(2, 2, 1), rows=PAIR, demand=(1, 0, 0)):
        balance = quantities(problems.table_of(rows, demand))
        columns = (np.array(column, float) for column in (output, witness))
        return certify(balance, *columns, certificate_pass=request.param)

    return certified


def test_a_right_output_is_known_to_the_last_figures(certified):
    certificate = certified()
    assert certificate.digits_certified >= 14
    assert certificate.upper == pytest.approx([4 / 3, 2 / 3, 0], rel=1e-14)
    assert certificate.structural_zeros.tolist() == [False, False, True]
    assert certificate.upstreamness == pytest.approx([2 / (4 / 3), 2 / (2 / 3), 0])


@pytest.mark.parametrize("wrong", [NAN, INF, -INF])
@pytest.mark.parametrize("product", range(3))
def test_an_output_that_is_not_a_number_proves_nothing(certified, wrong, product):
    output = np.array([4 / 3, 2 / 3, 0])
    output[product] = wrong
    with pytest.raises(WitnessError):
        certified(output)


@pytest.mark.parametrize("wrong", [NAN, INF, -INF, 0.0, -1.0, 1e-300])
@pytest.mark.parametrize("product", range(3))
def test_a_witness_that_is_not_a_positive_number_proves_nothing(certified, wrong, product):
    witness = np.array([2.0, 2.0, 1.0])
    witness[product] = wrong
    with pytest.raises(WitnessError, match="not positive at"):
        certified(witness=witness)


@pytest.mark.parametrize("own", [1.5, 1e6, -1.5, -1e6])
def test_a_negative_witness_has_positive_slack_at_a_self_loop_and_is_refused(certified, own):
    with pytest.raises(WitnessError, match="not positive at 1 of 1"):
        certified([1 / (1 - own)], [-1.0], rows=[[own]], demand=[1])


@pytest.mark.parametrize("output", [(1e308, -1e308, 0), (1.7e308, 1.7e308, 1.7e308)])
def test_outputs_close_to_overflow_are_bounded_or_refused_without_a_warning(certified, output):
    try:
        certificate = certified(output)
    except WitnessError:
        return
    assert (certificate.lower <= [4 / 3, 2 / 3, 0]).all()
    assert (certificate.upper >= [4 / 3, 2 / 3, 0]).all()


def test_bounds_that_overflow_are_refused(certified):
    with pytest.raises(WitnessError, match="overflow"):
        certified([1e308, 1e200], [1e300, 1e90], rows=[[0, 1e200], [0, 0]], demand=[1e200, 1e200])


def test_negative_outputs_are_published_and_listed(certified):
    rows, demand = [[0, 0.5], [0, 0]], [-14, 20]
    certificate = certified([-4, 20], [20, 20], rows=rows, demand=demand)
    assert certificate.output == pytest.approx([-4, 20])
    assert certificate.negative_products.tolist() == [0]
    assert certificate.turnover.tolist() == [24, 20]


def test_an_uncertain_demand_widens_the_bounds_to_both_its_ends():
    table = problems.table_of([[0, 0.5], [0.5, 0]])
    ends = [np.array(end) for end in ([1.0, 0.0], [0.5, 0.0], [3.0, 0.25])]
    certificate = certify(quantities(table, Demand(*ends)), ends[0] * 4 / 3, np.array([2.0, 2.0]))
    inverse = np.array([[4, 2], [2, 4]]) / 3
    assert (certificate.lower <= inverse @ ends[1]).all()
    assert (certificate.upper >= inverse @ ends[2]).all()


@pytest.mark.parametrize("figures", range(1, MOST_FIGURES + 1))
def test_figures_change_exactly_at_half_a_unit_of_the_last(figures):
    edge = half_width_for(figures)
    widths = np.array([np.nextafter(edge, 0), edge, np.nextafter(edge, 1)])
    assert figures_of(widths).tolist() == [figures, figures, figures - 1]


def test_figures_lie_between_none_and_fifteen():
    assert figures_of(np.array([0.0, 1e-300, 0.051, 1.0, INF])).tolist() == [15, 15, 0, 0, 0]
