"""Several demands at once: they share every read of the table, and each has bounds of its own."""

from dataclasses import replace

import numpy as np
import problems
import pytest

from ogas.datasets.answers import answer
from ogas.datasets.gallery import generate
from ogas.engine.balance import Demand
from ogas.engine.iterate import Precision
from ogas.engine.outcome import Outcome
from ogas.engine.plan import Request, draw_up, histories
from ogas.engine.source import Source

SEED = 61004723
RECIPES = ("sectors:S1", "sectors:S2,imports", "sectors:S3,signed,units=mixed")


def planned(table, demands, figures=6, **options):
    """Plan several demands at once; certified, or the test fails."""
    problem = problems.by_blocks(
        table, demands=[Demand.exact(f) for f in demands], figures=figures, **options
    )
    solution = problems.planned(problem, figures)
    assert solution.outcome is Outcome.CERTIFIED
    assert len(solution.certificates) == len(demands)
    assert min(proved.digits_certified for proved in solution.certificates) >= figures
    return solution


def check_enclosed(table, demand, certificate):
    answers = answer(replace(table, demand=demand))
    problems.check_enclosed(answers, certificate, 1e-14)
    assert (certificate.structural_zeros == (answers == 0)).all()
    assert not certificate.output[answers == 0].any()


def drawn(table, count):
    """Demands that want the same products as the table, and others."""
    draw = np.random.default_rng(SEED)
    f = table.demand
    alike = [f * draw.random(len(f)) for _ in range(count - 1)]
    return [f, *alike], [f, *(draw.lognormal(0, 1, (count - 1, len(f))) * np.abs(f).max())]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("count", [2, 5])
def test_each_demand_has_its_answer_within_its_bounds(recipe, count):
    table = generate(recipe, problems.SMALL)
    for demands in drawn(table, count):
        for f, certificate in zip(demands, planned(table, demands).certificates, strict=True):
            check_enclosed(table, f, certificate)


@pytest.mark.parametrize("partition", problems.PARTITIONS)
def test_demands_for_different_products_do_not_stand_in_each_others_way(partition):
    table = problems.solvable("sectors:S1,islands")  # two economies that do not trade
    here = np.arange(len(table)) < border_of_islands(table)
    demands = [table.demand * here, table.demand * ~here, table.demand]
    solution = planned(problems.cut(table, partition), demands)
    for f, certificate in zip(demands, solution.certificates, strict=True):
        check_enclosed(table, f, certificate)
    assert solution.certificates[0].structural_zeros[~here].all()
    assert solution.certificates[1].structural_zeros[here].all()


def border_of_islands(table):
    """Where the second island begins, which takes nothing from the first and gives it nothing."""
    A = table.coefficients.toarray()
    (border,) = (k for k in range(1, len(A)) if not (A[:k, k:].any() or A[k:, :k].any()))
    return border


@pytest.mark.parametrize("recipe", RECIPES)
def test_nothing_is_made_for_a_demand_of_nothing_beside_others(recipe):
    table = generate(recipe, problems.SMALL)
    solution = planned(table, [table.demand, 0 * table.demand])
    alone = planned(table, [table.demand])
    assert solution.history.passes == alone.history.passes
    nothing = solution.certificates[1]
    assert not nothing.lower.any()
    assert not nothing.upper.any()
    assert nothing.structural_zeros.all()


@pytest.mark.parametrize("recipe", RECIPES)
def test_sizes_of_demands_do_not_matter_to_each_other(recipe):
    table = generate(recipe, problems.SMALL)
    sizes = (1.0, 1e-6, 1e6)
    first, *others = planned(table, [size * table.demand for size in sizes]).certificates
    for size, certificate in zip(sizes[1:], others, strict=True):
        check_enclosed(table, size * table.demand, certificate)
        assert certificate.output == pytest.approx(size * first.output, rel=1e-9, abs=0)


@pytest.mark.parametrize("recipe", RECIPES)
def test_plans_are_linear_in_demand_within_their_bounds(recipe):
    table = generate(recipe, problems.SMALL)
    one, other = np.random.default_rng(SEED).lognormal(0, 2, (2, len(table)))
    a, b, both = planned(table, [one, other, 3 * one - 0.5 * other]).certificates
    margin = 1e-13 * both.turnover
    assert (both.lower <= 3 * a.upper - 0.5 * b.lower + margin).all()
    assert (both.upper >= 3 * a.lower - 0.5 * b.upper - margin).all()


def test_scenarios_of_a_request_share_their_reads_up_to_thirty_two_at_a_time():
    table = problems.solvable("sectors:S1")
    draw = np.random.default_rng(SEED)
    demands = {f"s{k}": Demand.exact(table.demand * draw.random(300)) for k in range(35)}
    request = Request(
        "quantities",
        None,
        Precision(figures=3),
        demands=demands,
    )
    solutions = draw_up(Source.of(table), request)
    assert list(solutions) == list(demands)
    assert [len(s.certificates) for s in solutions.values()] == 35 * [1]
    shared = histories(solutions)
    assert len(shared) == 2
    assert max(history.passes for history in shared) < 12
    for name in ("s0", "s31", "s32", "s34"):
        check_enclosed(table, demands[name].nominal, solutions[name].certificate)


def test_one_demand_that_cannot_be_certified_does_not_certify_the_others():
    table = problems.solvable("sectors:S1")
    wide = Demand(table.demand, 0.5 * table.demand, 2.0 * table.demand)
    problem = problems.by_blocks(table, demands=[Demand.exact(table.demand), wide])
    solution = problems.planned(problem, 6)
    assert solution.outcome is Outcome.PRECISION_NOT_REACHED
    for factor in (0.5, 1.0, 2.0):
        answers = factor * answer(table)
        assert (solution.certificates[1].lower <= answers * (1 + 1e-14)).all()
        assert (answers <= solution.certificates[1].upper * (1 + 1e-14)).all()


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_demand_that_is_no_number_certifies_nothing(wrong):
    table = problems.solvable("sectors:S1")
    f = table.demand.copy()
    f[3] = wrong
    problem = problems.by_blocks(table, demands=[Demand.exact(f), Demand.exact(table.demand)])
    solution = problems.planned(problem, 3)
    assert solution.outcome is Outcome.PRECISION_NOT_REACHED
    assert solution.certificates == ()
