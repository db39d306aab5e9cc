"""An earlier plan to begin with: it saves passes if it is good, and proves nothing by itself."""

from dataclasses import replace

import numpy as np
import problems
import pytest

from ogas.datasets.answers import answer
from ogas.engine.balance import Demand, Start
from ogas.engine.choose import METHODS
from ogas.engine.iterate import Precision
from ogas.engine.outcome import Outcome
from ogas.engine.plan import Plan, Request, column, draw_up
from ogas.engine.source import Source

SEED = 44120963
RECIPES = ("sectors:S1", "sectors:S2,signed,imports=0.4,units=mixed", "sectors:S1,households")


@pytest.fixture(params=problems.KINDS)
def kind(request):
    return request.param


@pytest.fixture(params=problems.IN_BLOCKS)
def method(request):
    return request.param


def start_of(*certificates):
    """What an earlier plan knows, as it is stored: output, turnover, upstreamness."""
    witnesses = [proved.upstreamness * proved.turnover for proved in certificates]
    outputs = np.stack([proved.output for proved in certificates], axis=1)
    return Start(outputs, np.max(witnesses, axis=0))


def check_enclosed(answers, certificate):
    problems.check_enclosed(answers, certificate)
    assert (certificate.structural_zeros == (answers == 0)).all()


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("figures", [3, 6])
def test_the_plan_itself_is_proved_again_in_two_passes(recipe, kind, figures, method):
    table = problems.solvable(recipe)
    problem = problems.by_blocks(table, kind, figures=figures)
    first = problems.planned(problem, figures + 1, method)
    again = problems.planned(replace(problem, start=start_of(*first.certificates)), figures, method)
    assert again.outcome is Outcome.CERTIFIED
    assert again.history.passes <= 2
    check_enclosed(answer(table, kind), again.certificate)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("share", [0.01, 1.0])
def test_revising_the_plan_of_another_demand_agrees_with_planning_afresh(recipe, kind, share):
    table = problems.solvable(recipe)
    draw = np.random.default_rng(SEED)
    factor = next(iter(table.factors))
    wanted = table.demand if kind == "quantities" else table.factors[factor]
    other = wanted * (1 + share * (draw.random(len(table)) - 0.5))
    old = problems.planned(problems.by_blocks(table, kind)).certificate
    problem = problems.by_blocks(table, kind, [Demand.exact(other)])
    fresh = problems.planned(problem)
    revised = problems.planned(replace(problem, start=start_of(old)))
    assert revised.outcome is Outcome.CERTIFIED
    assert revised.history.passes <= fresh.history.passes
    changed = replace(table, demand=other, factors={factor: other})
    for certificate in (fresh.certificate, revised.certificate):
        check_enclosed(answer(changed, kind), certificate)


@pytest.mark.parametrize("recipe", RECIPES)
def test_revising_the_plan_of_other_recipes_agrees_with_planning_afresh(recipe, kind):
    table = problems.solvable(recipe)
    old = problems.planned(problems.by_blocks(table, kind)).certificate
    draw = np.random.default_rng(SEED + 1)
    matrix = table.coefficients.copy()
    matrix.data = matrix.data * np.where(draw.random(matrix.nnz) < 0.05, 0.9, 1.0)
    changed = replace(table, coefficients=matrix, value_type="float64")
    problem = replace(problems.by_blocks(changed, kind), start=start_of(old))
    revised = problems.planned(problem)
    assert revised.outcome is Outcome.CERTIFIED
    check_enclosed(answer(changed, kind), revised.certificate)


def test_what_is_wanted_anew_and_no_longer_at_all_is_planned_truly():
    table = problems.solvable("sectors:S1")
    old = problems.planned(problems.by_blocks(table, demands=[Demand.exact(table.demand)]))
    for f in (0 * table.demand, np.roll(table.demand, 1)):
        problem = problems.by_blocks(table, demands=[Demand.exact(f)])
        revised = problems.planned(replace(problem, start=start_of(old.certificate)))
        assert revised.outcome is Outcome.CERTIFIED
        check_enclosed(answer(replace(table, demand=f)), revised.certificate)


def test_a_scenario_of_nothing_may_begin_with_the_plan_of_something():
    table = problems.solvable("sectors:S1")
    (old,) = problems.planned(problems.by_blocks(table)).certificates
    demands = [Demand.exact(table.demand), Demand.exact(0 * table.demand)]
    problem = problems.by_blocks(table, demands=demands)
    revised = problems.planned(replace(problem, start=start_of(old, old)))
    assert revised.outcome is Outcome.CERTIFIED
    check_enclosed(answer(table), revised.certificates[0])
    assert revised.certificates[1].structural_zeros.all()


NONSENSE = {
    "nothing": (0.0, 0.0),
    "less than nothing": (-1.0, 1.0),
    "a negative witness": (1.0, -1.0),
    "huge": (1e200, 1e200),
    "huge outputs": (1e200, 1.0),
    "a huge witness": (1.0, 1e200),
    "tiny": (1e-300, 1e-300),
    "no number": (np.nan, 1.0),
    "no number for a witness": (1.0, np.nan),
    "infinite": (np.inf, np.inf),
}


@pytest.mark.parametrize("name", NONSENSE)
@pytest.mark.parametrize("recipe", RECIPES[:2])
def test_a_start_of_nonsense_makes_no_wrong_certificate(name, recipe, kind):
    table = problems.solvable(recipe)
    output, witness = NONSENSE[name]
    sizes = np.random.default_rng(SEED + 2).lognormal(0, 3, (2, len(table)))
    start = Start(output * sizes[0][:, None], witness * sizes[1])
    solution = problems.planned(replace(problems.by_blocks(table, kind), start=start), most=200)
    assert solution.outcome is not Outcome.NOT_PRODUCTIVE
    for certificate in solution.certificates:
        check_enclosed(answer(table, kind), certificate)


@pytest.mark.parametrize("name", ["nothing", "huge", "a negative witness"])
def test_a_start_of_nonsense_does_not_make_an_unproductive_economy_productive(name, method):
    table = problems.UNPRODUCTIVE["three hidden products"]()
    output, witness = NONSENSE[name]
    start = Start(np.full((len(table), 1), output), np.full(len(table), witness))
    solution = problems.planned(replace(problems.by_blocks(table), start=start), 6, method)
    assert solution.outcome is Outcome.NOT_PRODUCTIVE


@pytest.mark.parametrize("name", ["auto", *METHODS])
def test_an_earlier_plan_of_what_nobody_wants_any_more_misleads_nobody(name):
    method = METHODS.get(name)
    table = problems.solvable("nobody_wants")
    source, precision = Source.of(table), Precision(figures=6)
    wanted = np.zeros(len(table))
    wanted[[0, 3]] = 8.0, 1.0
    before = Demand.exact(wanted)
    solution = draw_up(source, Request("quantities", method, precision, {"": before}))[""]
    proved = column(source.header, "", before, solution.certificate, "quantities")
    plan = Plan("quantities", table.ids, table.names, (proved,), 0.0, {})
    now = Demand.exact(np.where(np.arange(len(table)) == 0, 8.0, 0.0))
    again = draw_up(source, Request("quantities", method, precision, {"": now}, start=plan))[""]
    assert again.outcome is Outcome.CERTIFIED
    assert again.certificate.output == pytest.approx([10, 5, 0, 0, 0], rel=1e-6)
    assert again.certificate.structural_zeros.tolist() == [False, False, True, True, True]
