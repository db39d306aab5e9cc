"""Every method on every problem, quantities and values, judged by an independent answer."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import problems
import pytest

from ogas.datasets import textbook
from ogas.datasets.answers import answer
from ogas.engine.choose import METHODS, chosen
from ogas.engine.iterate import Precision
from ogas.engine.outcome import Outcome
from ogas.engine.plan import Plan, Request, column, draw_up, total, verify
from ogas.engine.source import Source


@pytest.fixture(params=problems.SOLVABLE)
def table(request, method):
    if method == "block-jacobi" and request.param in problems.DRAWN[1:]:
        pytest.skip(
            "takes long, and is what orders and tables are but for the table between blocks"
        )
    return problems.solvable(request.param)


@pytest.fixture(params=problems.KINDS)
def kind(request):
    return request.param


@pytest.fixture(params=problems.METHOD_NAMES)
def method(request):
    return request.param


def check_against(answers, certificate):
    """The answers lie within the bounds, and what is published between them too."""
    problems.check_enclosed(answers, certificate)
    assert (certificate.lower <= certificate.output).all()
    assert (certificate.output <= certificate.upper).all()


@pytest.mark.parametrize("figures", [3, 6, 10])
def test_a_certified_plan_encloses_the_answer_to_the_figures_asked_for(
    table, kind, method, figures
):
    if kind == "values" and table is problems.solvable("three_sectors"):
        pytest.skip("its values are printed to seven figures: see the textbook test")
    solution = problems.solved(table, kind, method, figures)
    assert solution.outcome is Outcome.CERTIFIED
    certificate = solution.certificate
    check_against(answer(table, kind), certificate)
    assert certificate.digits_certified >= figures
    half = 0.5 * (certificate.upper - certificate.lower)
    asked = 5.0001 * 10.0 ** -(figures + 1) * certificate.turnover
    assert (half <= asked).all()
    assert (np.abs(certificate.output - answer(table, kind)) <= asked).all()
    history = solution.history
    assert history.passes == sum(record.reads for record in history.records)
    assert history.count("certificate") >= 1


@pytest.mark.parametrize("name", ["two_sectors", "by_product", "nobody_wants"])
@pytest.mark.parametrize("figures", [3, 10])
def test_a_certified_plan_encloses_the_answer_worked_by_hand(name, kind, method, figures):
    table = problems.solvable(name)
    certificate = problems.solved(table, kind, method, figures).certificate
    known = np.array(table.meta[kind])
    assert (certificate.lower <= known).all()
    assert (known <= certificate.upper).all()


def test_the_three_sectors_have_the_values_that_ochoa_printed(method):
    table = textbook.three_sectors()
    values = problems.solved(table, "values", method, 10).certificate.output
    printed = np.array(table.meta["values"])
    assert [f"{value:.7g}" for value in values] == [f"{value:.7g}" for value in printed]


def test_structural_zeros_are_exactly_zero_and_nothing_else_is(table, kind, method):
    answers = answer(table, kind)
    certificate = problems.solved(table, kind, method).certificate
    zero = certificate.structural_zeros
    assert (zero == (answers == 0)).all()
    for values in (certificate.lower, certificate.output, certificate.upper):
        assert (values[zero] == 0).all()


def test_what_nobody_wants_is_a_structural_zero(method):
    certificate = problems.solved(textbook.nobody_wants(), method=method).certificate
    assert certificate.structural_zeros.tolist() == [False, False, True, True, True]
    assert certificate.figures[2:].tolist() == [15, 15, 15]


def test_what_is_imported_beyond_all_use_has_a_negative_output(method):
    certificate = problems.solved(textbook.by_product(), method=method, figures=6).certificate
    assert certificate.negative_products.tolist() == [0]


def test_a_gauss_seidel_sweep_contracts_faster_than_a_jacobi_sweep(kind):
    def rate(method):
        history = problems.solved(problems.solvable("sectors:S2"), kind, method, 6).history
        spreads = [record.spread for record in history.records if record.kind == "sweep"]
        return (spreads[-1] / spreads[4]) ** (1 / (len(spreads) - 5))

    jacobi, gauss_seidel, anderson = (rate(method) for method in problems.WHOLE)
    assert jacobi < 0.97  # the radius is .94
    assert gauss_seidel < jacobi**1.5
    assert anderson < 0.75


def test_a_table_in_blocks_is_planned_by_blocks_and_any_other_as_one():
    table = problems.solvable("sectors:S1")
    assert chosen(Source.of(table))[0].name == "orders-and-tables"
    assert chosen(Source.of(problems.cut(table, "one block")))[0].name == "anderson"
    assert {name: method.name for name, method in METHODS.items()} == {
        name: name for name in problems.METHOD_NAMES
    }


# ---- the smallest economies ---------------------------------------------------------------------


def test_one_product_without_inputs_makes_what_is_wanted(kind, method):
    table = problems.table_of([[0.0]], demand=[3], labour=[3])
    certificate = problems.solved(table, kind, method, 10).certificate
    assert certificate.output == pytest.approx([3], rel=1e-12)


def test_one_product_that_uses_half_of_itself_makes_twice_what_is_wanted(kind, method):
    table = problems.table_of([[0.5]], demand=[3], labour=[3])
    certificate = problems.solved(table, kind, method, 10).certificate
    assert certificate.output == pytest.approx([6], rel=1e-12)
    assert certificate.radius_bound == pytest.approx(0.5)


def test_a_table_without_coefficients_plans_its_demand(kind, method):
    table = problems.table_of(np.zeros((7, 7)), demand=np.arange(7), labour=np.arange(7))
    certificate = problems.solved(table, kind, method, 12).certificate
    assert certificate.output == pytest.approx(np.arange(7), rel=1e-13)
    assert certificate.structural_zeros.tolist() == [True] + 6 * [False]


@pytest.mark.parametrize("recipe", ["sectors:S1", "sectors:S4"])
def test_where_nothing_is_wanted_nothing_is_made(recipe, kind, method):
    matrix = problems.solvable(recipe).coefficients
    nothing = np.zeros(matrix.shape[0])
    solution = problems.solved(problems.table_of(matrix, nothing, nothing), kind, method)
    assert solution.outcome is Outcome.CERTIFIED
    assert not solution.certificate.upper.any()
    assert not solution.certificate.lower.any()


def test_a_demand_of_imports_alone_is_planned(kind, method):
    table = problems.table_of([[0, 0.5], [0.5, 0]], demand=[-1, 0], labour=[-1, 0])
    certificate = problems.solved(table, kind, method, 6).certificate
    check_against(np.array([-4 / 3, -2 / 3]), certificate)


def test_an_idle_component_close_to_the_critical_radius_does_not_stand_in_the_way(method):
    table = problems.table_of([[0, 0, 0], [0, 0, 0.999], [0, 0.999, 0]], demand=[1, 0, 0])
    solution = problems.solved(table, "quantities", method)
    assert solution.outcome is Outcome.CERTIFIED
    assert solution.certificate.output == pytest.approx([1, 0, 0])


def test_a_product_that_takes_nearly_all_of_itself_is_planned_as_far_as_rounding_allows(
    kind, method
):
    table = problems.table_of([[1 - 1e-12, 0], [0.5, 0.2]])
    solution = problems.solved(table, kind, method)
    assert solution.outcome is Outcome.PRECISION_NOT_REACHED
    assert solution.certificate.digits_certified == 2
    assert solution.certificate.attainable > 5e-4
    check_against(answer(table, kind), solution.certificate)
    assert solution.history.passes < 20


# ---- plans --------------------------------------------------------------------------------------


def test_labour_spent_is_the_value_of_demand_within_both_totals(table, method):
    quantity, value = (
        problems.solved(table, kind, method, 6).certificate for kind in problems.KINDS
    )
    labour = next(iter(table.factors.values()))
    spent = total(labour, quantity.lower, quantity.output, quantity.upper)
    worth = total(table.demand, value.lower, value.output, value.upper)
    for found in (spent, worth):
        assert found[1] <= found[0] <= found[2]
    assert max(spent[1], worth[1]) <= min(spent[2], worth[2])
    assert spent[0] == pytest.approx(worth[0], abs=spent[2] - spent[1] + worth[2] - worth[1])


def test_a_total_of_weights_of_any_sign_is_enclosed_exactly():
    draw = np.random.default_rng(6604)
    weights, lower = draw.normal(size=(2, 57)) * 10.0 ** draw.uniform(-8, 8, (2, 57))
    upper = lower + draw.random(57) * np.abs(lower)
    value, least, most = total(weights, lower, 0.5 * (lower + upper), upper)
    ends = [
        sorted([Fraction(w) * Fraction(a), Fraction(w) * Fraction(b)])
        for w, a, b in zip(weights, lower, upper, strict=True)
    ]
    assert Fraction(least) <= sum(low for low, _ in ends)
    assert sum(high for _, high in ends) <= Fraction(most)
    assert least <= value <= most


def test_all_factors_are_priced_unless_some_are_named():
    table = problems.solvable("two_sectors")
    table = replace(table, factors={"labour": np.ones(2), "land": np.array([1.0, 0.0])})
    source = Source.of(table)
    request = Request("values", None, Precision(figures=6))
    assert list(draw_up(source, request)) == ["labour", "land"]
    named = Request("values", None, Precision(figures=6), factors=("land",))
    assert list(draw_up(source, named)) == ["land"]


def test_what_a_plan_claims_its_verification_confirms(table, kind, method):
    name = "" if kind == "quantities" else next(iter(table.factors))
    for figures in (3, 6, 10):
        solution = problems.solved(table, kind, method, figures)
        columns = (column(table, name, *solution.demands, solution.certificate),)
        plan = Plan(kind, table.ids, table.names, columns, 0.0, {})
        (again,) = verify(table, plan)
        assert again.digits_certified >= figures
