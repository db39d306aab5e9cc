"""Revising an earlier plan by pushes: right wherever it starts, and small where the change is."""

from dataclasses import replace

import economies
import exact
import numpy as np
import problems
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ogas.datasets.answers import answer
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.engine.balance import Demand, Start
from ogas.engine.certificate import certify
from ogas.engine.choose import METHODS
from ogas.engine.errors import WrongUsageError
from ogas.engine.iterate import Precision, solve
from ogas.engine.outcome import Outcome
from ogas.engine.plan import Plan, Request, column, draw_up
from ogas.engine.push import Push
from ogas.engine.source import Source
from ogas.engine.table import coefficients_from

SEED = 6120473
BOUNDED = 600  # reads of A, audit included


@pytest.fixture(params=problems.KINDS)
def kind(request):
    return request.param


@pytest.fixture(params=problems.SOLVABLE)
def table(request):
    return problems.solvable(request.param)


# ---- changes ------------------------------------------------------------------------------------


def one_product(table, factor=1.1):
    """Another demand for one product, and another amount of each factor used by it directly."""
    draw = np.random.default_rng(SEED)

    def changed(vector):
        vector = vector.copy()
        vector[draw.choice(np.flatnonzero(vector))] *= factor
        return vector

    factors = {name: changed(amounts) for name, amounts in table.factors.items()}
    return replace(table, demand=changed(table.demand), factors=factors)


def some_recipes(table):
    """One recipe in a hundred, each entry 5 % up or down."""
    draw = np.random.default_rng(SEED + 1)
    A = table.coefficients.copy()
    recipes = draw.choice(len(table), -(-len(table) // 100), replace=False)
    mine = np.isin(A.indices, recipes)
    A.data = A.data * np.where(mine, 1 + 0.05 * draw.choice([-1, 1], A.nnz), 1.0)
    return replace(table, coefficients=coefficients_from(A), value_type="float64")


def all_demand(table):
    """Every demand and every direct use up or down by up to a tenth."""
    draw = np.random.default_rng(SEED + 2)
    moved = 1 + 0.1 * draw.uniform(-1, 1, len(table))
    factors = {name: amounts * moved for name, amounts in table.factors.items()}
    return replace(table, demand=table.demand * moved, factors=factors)


CHANGES = {"one product": one_product, "some recipes": some_recipes, "all demand": all_demand}


def start_of(certificate):
    """What a plan hands on, as it is stored."""
    known = certificate.upstreamness * certificate.turnover
    return Start(certificate.output[:, None], known)


def started(changed, kind, earlier, figures=3, **options):
    """The balance of a changed table, with the plan of the earlier one to begin with."""
    solution = problems.solved(earlier, kind, "anderson", figures)
    balance = problems.balance_of(changed, kind, **options)
    return replace(balance, start=start_of(solution.certificate))


# ---- laws ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("figures", [3, 6, 10])
def test_a_revised_plan_agrees_with_one_made_afresh_and_with_the_answer(
    table, kind, figures, change
):
    changed = CHANGES[change](table)
    balance = started(changed, kind, table, figures)
    solution = solve(balance, Push(figures=figures), Precision(figures=figures, max_passes=4000))
    assert solution.outcome is Outcome.CERTIFIED
    revised = solution.certificate
    assert revised.digits_certified >= figures
    problems.check_enclosed(answer(changed, kind), revised)
    afresh = problems.solved(changed, kind, "anderson", figures).certificate
    assert (revised.lower <= afresh.upper).all()
    assert (afresh.lower <= revised.upper).all()
    assert (revised.structural_zeros == afresh.structural_zeros).all()


@st.composite
def drawn(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return economies.draw(
        rng, draw(st.sampled_from(economies.KINDS)), draw(st.sampled_from([0.0, 2.0**-24]))
    )


@given(drawn(), st.sampled_from([1, 3, 6, 9]), st.sampled_from([0.1, 1.0]))
def test_whatever_a_revision_certifies_is_true(economy, figures, few):
    balance = replace(economy.balance, start=Start(economy.output[:, None], economy.witness))
    precision = Precision(figures=figures, max_passes=300)
    solution = solve(balance, Push(figures=figures, few=few, most_sweeps=9), precision)
    demand = exact.fractions(economy.balance.demand.nominal)
    exact.check_run(solution, economy.matrix, demand, figures)


def test_the_same_revision_has_the_same_bits(kind):
    table = problems.solvable("sectors:S2,signed,imports=0.4,units=mixed")
    balance = started(one_product(table), kind, table)
    one, other = (solve(balance, Push()).certificate.output for _ in range(2))
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("delta", [2.0**-24, 1e-5])
def test_declared_uncertainty_is_left_room_for(kind, delta):
    table = problems.solvable("sectors:S1")
    changed = one_product(table)
    solution = solve(started(changed, kind, table, delta=delta), Push())
    assert solution.outcome is Outcome.CERTIFIED
    problems.check_enclosed(answer(changed, kind), solution.certificate)


def test_a_demand_known_within_bounds_is_revised_as_far_as_they_allow():
    table = problems.solvable("sectors:S1")
    f = one_product(table).demand
    for spread, outcome in (1e-5, Outcome.CERTIFIED), (1e-2, Outcome.PRECISION_NOT_REACHED):
        demand = Demand(f, f * (1 - spread), f * (1 + spread))
        solution = solve(replace(started(table, "quantities", table), demand=demand), Push())
        assert solution.outcome is outcome
        for factor in (1 - spread, 1, 1 + spread):
            problems.check_enclosed(answer(replace(table, demand=factor * f)), solution.certificate)


# ---- work ---------------------------------------------------------------------------------------


def test_an_unchanged_plan_is_certified_again_without_a_push(kind):
    # Not where imports cancel outputs: the earlier w can prove less of the y published with it.
    for recipe in ("sectors:S1", "sectors:S2", "sectors:S4", "ccm"):
        table = problems.solvable(recipe)
        for figures in (3, 6):
            iteration = Push(figures=figures).start(started(table, kind, table, figures))
            assert iteration.reads_before == 1
            iteration.sweep()
            assert (iteration.pushes, iteration.entries) == (0, 0)
            assert iteration.certify()[0].digits_certified >= figures


def test_the_new_demand_for_one_product_touches_a_small_part_of_the_economy():
    # Of 60 products drawn, the median touched 1.2 % of A, one in four over 5.5 %, one 40 %.
    table = generate("sectors:S1", Parameters(products=3000, seed=problems.SEED))
    balance = started(table, "quantities", table)
    wanted = np.flatnonzero(table.demand > 0)
    shares = []
    for product in np.random.default_rng(SEED + 4).choice(wanted, 15, replace=False):
        f = table.demand.copy()
        f[product] *= 1.1
        iteration = Push().start(replace(balance, demand=Demand.exact(f)))
        iteration.sweep()
        assert iteration.certify()[0].digits_certified >= 3
        assert iteration.is_pushing
        shares.append(iteration.entries / table.nonzeros)
    assert 0 < np.median(shares) < 0.05
    assert max(shares) < 1


def test_a_revision_counts_the_stock_taking_the_transposition_the_push_and_the_certificate():
    table = problems.solvable("sectors:S1")
    history = solve(started(one_product(table), "quantities", table), Push()).history
    assert [(record.kind, record.reads) for record in history.records] == [
        ("start", 2),
        ("sweep", 1),
        ("certificate", 1),
    ]
    assert "entries touched" in history.records[1].note


def test_no_sweep_touches_more_entries_than_the_table_has(kind):
    table = problems.solvable("sectors:S4")
    balance = started(all_demand(table), kind, table)
    iteration = Push(figures=12, few=1.0, most_sweeps=5).start(balance)
    touched = [0]
    while iteration.is_pushing and len(touched) <= 5:
        iteration.sweep()
        touched.append(iteration.entries)
    assert (np.diff(touched) <= table.nonzeros).all()
    assert touched[-1] > 4 * table.nonzeros
    iteration.sweep()
    assert not iteration.is_pushing


def test_where_all_demand_moves_there_is_no_pushing(kind):
    table = problems.solvable("sectors:S1")
    iteration = Push().start(started(all_demand(table), kind, table))
    assert not iteration.is_pushing
    assert iteration.reads_before == 1


def test_a_push_for_too_few_figures_goes_on_until_the_run_has_its_own(kind):
    table = problems.solvable("sectors:S1")
    changed = one_product(table)
    for figures in (4, 7):
        balance = started(changed, kind, table, figures)
        solution = solve(balance, Push(figures=3), Precision(figures=figures))
        assert solution.outcome is Outcome.CERTIFIED
        problems.check_enclosed(answer(changed, kind), solution.certificate)


# ---- changes that are out of the ordinary -------------------------------------------------------


@pytest.mark.parametrize("factor", [0.0, -1.0, 1e-3, 100.0, 1e6])
def test_a_demand_that_vanishes_turns_round_or_multiplies_is_planned_for(table, kind, factor):
    changed = one_product(table, factor)
    balance = started(changed, kind, table)
    solution = solve(balance, Push())
    # Sweeps fail from there too where nothing is wanted any more, or a million times as much of one
    # product at a radius of .99.
    if solve(balance, METHODS["anderson"]).outcome is Outcome.CERTIFIED:
        assert solution.outcome is Outcome.CERTIFIED
    if solution.certificate is not None:
        problems.check_enclosed(answer(changed, kind), solution.certificate)


@pytest.mark.parametrize("recipe", ["nobody_wants", "sectors:S1,tree", "sectors:S3,tree,signed"])
def test_what_nobody_wanted_is_planned_once_somebody_does(recipe):
    table = generate(recipe, problems.SMALL) if ":" in recipe else problems.solvable(recipe)
    idle = np.flatnonzero(answer(table) == 0)
    assert idle.size
    for product in idle[:5]:
        f = table.demand.copy()
        f[product] = 1.0
        changed = replace(table, demand=f)
        solution = solve(started(changed, "quantities", table), Push())
        assert solution.outcome is Outcome.CERTIFIED
        problems.check_enclosed(answer(changed), solution.certificate)


def test_a_witness_without_slack_is_raised_and_not_replaced():
    # The earlier plan says w = 0 of what nobody wants.
    table = problems.solvable("sectors:S1,tree,hidden,units=mixed")
    balance = started(one_product(table), "quantities", table)
    idle = balance.start.witness == 0
    assert idle.any()
    iteration = Push(few=0.5).start(balance)
    assert iteration.stock.lacks_slack[idle].any()
    iteration.sweep()
    assert iteration.is_pushing
    assert iteration.certify()[0].digits_certified >= 3
    assert (iteration.stock.witness[~idle] == balance.start.witness[~idle]).mean() > 0.5


def nonsense():
    draw = np.random.default_rng(SEED + 4)
    sizes = 10.0 ** draw.uniform(-20, 20, 300)
    return {
        "nothing at all": (np.zeros(300), np.zeros(300)),
        "noise": (draw.normal(size=300), draw.random(300)),
        "noise of all sizes": (draw.normal(size=300) * sizes, sizes[::-1].copy()),
        "less than nothing": (-np.ones(300), -np.ones(300)),
        "no numbers": (np.full(300, np.nan), np.ones(300)),
        "infinite": (np.full(300, np.inf), np.full(300, np.inf)),
        "near the end of float64": (np.full(300, 1e307), np.full(300, 1e307)),
        "denormal": (np.full(300, 5e-324), np.full(300, 5e-324)),
    }


@pytest.mark.parametrize("few", [0.1, 1.0])
@pytest.mark.parametrize("start", nonsense())
def test_an_earlier_plan_that_is_nonsense_is_no_obstacle(start, few, kind):
    table = problems.solvable("sectors:S1")
    output, witness = nonsense()[start]
    balance = replace(
        problems.balance_of(table, kind), start=Start(output[:, None].copy(), witness.copy())
    )
    solution = solve(balance, Push(few=few))
    assert solution.history.passes < BOUNDED
    if start == "near the end of float64":  # what is cancelled there has no digits left
        assert solution.outcome in (Outcome.CERTIFIED, Outcome.PRECISION_NOT_REACHED)
    else:
        assert solution.outcome is Outcome.CERTIFIED
    if solution.certificate is not None:
        problems.check_enclosed(answer(table, kind), solution.certificate)


@pytest.mark.parametrize("few", [0.1, 1.0])
@pytest.mark.parametrize("name", [name for name in problems.UNPRODUCTIVE if "20,000" not in name])
def test_an_economy_that_has_become_unproductive_is_called_so(name, few, kind):
    table = problems.UNPRODUCTIVE[name]()
    ones = np.ones(len(table))
    balance = replace(problems.balance_of(table, kind), start=Start(ones[:, None], ones))
    solution = solve(balance, Push(few=few))
    assert solution.outcome is Outcome.NOT_PRODUCTIVE
    assert solution.certificate is None
    assert solution.history.passes < BOUNDED


@pytest.mark.parametrize("name", problems.UNDECIDED)
def test_what_cannot_be_decided_is_not_called_unproductive(name, kind):
    balance = problems.balance_of(problems.UNDECIDED[name](), kind)
    ones = np.ones(len(balance))
    solution = solve(replace(balance, start=Start(ones[:, None], ones)), Push(few=1.0))
    assert solution.outcome is Outcome.PRECISION_NOT_REACHED
    assert solution.history.passes < BOUNDED


# ---- who asks for it ----------------------------------------------------------------------------


def test_without_an_earlier_plan_there_is_nothing_to_revise():
    balance = problems.balance_of(problems.solvable("two_sectors"), "quantities")
    with pytest.raises(WrongUsageError, match="starts from nothing"):
        Push().start(balance)


@pytest.mark.parametrize("figures", [0, 16])
def test_figures_that_float64_cannot_hold_are_wrong_usage(figures):
    with pytest.raises(WrongUsageError, match="1 to 15"):
        Push(figures=figures)


def plan_of(table, kind):
    name = "" if kind == "quantities" else next(iter(table.factors))
    solution = problems.solved(table, kind)
    columns = (column(table, name, solution.demands[0], solution.certificate),)
    return Plan(kind, table.ids, table.names, columns, 0.0, {})


@pytest.mark.parametrize(("figures", "is_pushed"), [(3, True), (6, False)])
@pytest.mark.parametrize("method", [None, "anderson"])
def test_a_request_with_an_earlier_plan_is_pushed_unless_it_says_how(
    kind, method, figures, is_pushed
):
    table = replace(problems.solvable("sectors:S1"), blocks=None)
    changed = one_product(table)
    request = Request(
        kind, METHODS.get(method), Precision(figures=figures), start=plan_of(table, kind)
    )
    (solution,) = draw_up(Source.of(changed), request).values()
    problems.check_enclosed(answer(changed, kind), solution.certificate)
    pushed = any("pushes" in record.note for record in solution.history.records)
    assert pushed == (is_pushed and method is None)


def test_an_earlier_plan_of_a_table_in_blocks_starts_the_cycle_over_blocks():
    table = problems.solvable("sectors:S1")
    request = Request("quantities", None, Precision(), start=plan_of(table, "quantities"))
    (solution,) = draw_up(Source.of(one_product(table)), request).values()
    assert solution.outcome is Outcome.CERTIFIED
    assert not any("pushes" in record.note for record in solution.history.records)


def test_what_a_revision_publishes_proves_itself(kind):
    table = problems.solvable("sectors:S3")
    changed = one_product(table)
    found = solve(started(changed, kind, table), Push()).certificate
    again = certify(problems.balance_of(changed, kind), found.output, found.witness)
    assert again.digits_certified >= 3
