"""Plans by blocks: whatever the blocks are, whoever sweeps them, the same economy comes out."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import problems
import pytest

from ogas.datasets.answers import answer
from ogas.datasets.gallery import generate
from ogas.datasets.recipes import Parameters
from ogas.datasets.variants import mixed_units
from ogas.engine import balance, share
from ogas.engine.balance import Demand
from ogas.engine.block import Cut
from ogas.engine.errors import DamagedError
from ogas.engine.layout import Layout
from ogas.engine.outcome import Outcome
from ogas.engine.partition import from_labels
from ogas.engine.sectors import Reading, arrange
from ogas.engine.table import coefficients_from

SEED = 30170429
TABLES = (
    "by_product",
    "nobody_wants",
    "sectors:S1",
    "sectors:S2,signed,imports=0.4,units=mixed",
    "sectors:S1,islands",
    "sectors:S1,tree,hidden,units=mixed",
    "sectors:S1,households",
    "ccm",
)


@pytest.fixture(params=problems.KINDS)
def kind(request):
    return request.param


def check_enclosed(answers, certificate):
    problems.check_enclosed(answers, certificate)
    assert (certificate.structural_zeros == (answers == 0)).all()
    assert not certificate.output[answers == 0].any()


@pytest.mark.parametrize("partition", problems.PARTITIONS)
@pytest.mark.parametrize("name", TABLES)
def test_the_answer_lies_within_the_bounds_whatever_the_blocks(name, kind, partition):
    table = problems.solvable(name)
    solution = problems.solved(problems.cut(table, partition), kind, "orders-and-tables", 6)
    assert solution.outcome is Outcome.CERTIFIED
    assert solution.certificate.digits_certified >= 6
    check_enclosed(answer(table, kind), solution.certificate)


@pytest.mark.parametrize("partition", problems.PARTITIONS)
@pytest.mark.parametrize("name", ["by_product", "sectors:S1,signed"])
def test_blocks_that_are_not_tied_together_come_to_the_same_answer(name, kind, partition):
    table = problems.solvable(name)
    solution = problems.solved(problems.cut(table, partition), kind, "block-jacobi", 6)
    assert solution.outcome is Outcome.CERTIFIED
    assert {record.note for record in solution.history.records} == {""}
    check_enclosed(answer(table, kind), solution.certificate)


@pytest.mark.parametrize("recipe", ["sectors:S1", "sectors:S2", "sectors:S1,imports"])
@pytest.mark.parametrize("partition", ["its own", "at random", "of unequal size"])
def test_what_float32_holds_is_bounded_with_what_it_rounds(recipe, kind, partition):
    plain = replace(problems.solvable(recipe), value_type="float64")
    table = problems.cut(with_digits_of_float64(plain), partition)
    with problems.rounded_to_float32():
        problem = problems.by_blocks(table, kind, figures=3)
    assert problem.is_rounded
    assert problem.half
    solution = problems.planned(problem, 3)
    assert solution.outcome is Outcome.CERTIFIED
    check_enclosed(answer(table, kind), solution.certificate)


def with_digits_of_float64(table):
    """The table with entries that float32 cannot hold."""
    draw = np.random.default_rng(SEED)
    matrix = table.coefficients.copy()
    matrix.data = matrix.data * (1 + 1e-6 * draw.random(matrix.nnz))
    return problems.table_of(matrix, table.demand, next(iter(table.factors.values())))


def test_where_float32_wears_out_the_run_goes_on_in_float64():
    """Imports leave one product a thousand rounds from final use, and its bounds as much wider."""
    table = generate("sectors:S3,signed,imports", Parameters(seed=4))
    problem = problems.by_blocks(table, "quantities", figures=3)
    assert problem.half
    solution = problems.planned(problem, 3)
    notes = [record.note for record in solution.history.records]
    assert solution.outcome is Outcome.CERTIFIED
    assert sum("in float64 from here on" in note for note in notes) == 1


@pytest.mark.parametrize("tiny", [1e-42, 1e-300, 1e200])
def test_entries_that_float32_would_lose_are_kept_in_float64(tiny):
    table = problems.table_of([[0.1, tiny], [0.25 * min(1.0, 1 / tiny), 0.1]])
    with problems.rounded_to_float32():
        problem = problems.by_blocks(table, figures=3)
    solution = problems.planned(problem, 3)
    assert solution.outcome is Outcome.CERTIFIED
    check_enclosed(answer(table), solution.certificate)


@pytest.mark.parametrize("name", ["sectors:S3", "sectors:S1,signed,hidden"])
@pytest.mark.parametrize("figures", [3, 8])
def test_any_number_of_threads_gives_the_same_bits(name, kind, figures, monkeypatch):
    monkeypatch.setattr(share, "WORTH_A_THREAD", 1)
    table = problems.cut(generate(name, problems.SMALL), "by METIS")
    problem = problems.by_blocks(table, kind, figures=figures)
    first, *others = (problems.planned(problem, figures, threads=k) for k in (1, 2, 5))
    for other in others:
        assert [r.spread for r in other.history.records] == [
            r.spread for r in first.history.records
        ]
        for part in ("lower", "output", "upper", "witness", "turnover"):
            ours, theirs = (getattr(s.certificate, part) for s in (first, other))
            assert ours.tobytes() == theirs.tobytes()


def test_threads_that_would_have_little_to_do_are_not_begun(monkeypatch):
    begun = []
    pool = partial(ThreadPoolExecutor, initializer=lambda: begun.append(1))
    monkeypatch.setattr(share, "ThreadPoolExecutor", pool)
    table = generate("sectors:S1", problems.SMALL)
    problems.planned(problems.by_blocks(table, figures=3), 3, threads=2)
    assert not begun
    monkeypatch.setattr(share, "WORTH_A_THREAD", table.nonzeros // 2)
    problems.planned(problems.by_blocks(table, figures=3), 3, threads=5)
    assert begun


@pytest.mark.parametrize("name", ["sectors:S2", "sectors:S1,signed,imports"])
def test_blocks_in_another_order_make_the_same_plan_within_the_bounds(name, kind):
    table = generate(name, problems.SMALL)
    order = np.random.default_rng(SEED).permutation(table.blocks.max() + 1)
    renamed = replace(table, blocks=order[table.blocks])
    first, other = (
        problems.solved(t, kind, "orders-and-tables", 6).certificate for t in (table, renamed)
    )
    assert (first.lower <= other.upper).all()
    assert (other.lower <= first.upper).all()
    width = 0.5 * (first.upper - first.lower) + 0.5 * (other.upper - other.lower)
    assert (np.abs(first.output - other.output) <= width * (1 + 1e-9)).all()


@pytest.mark.parametrize("recipe", ["sectors:S1", "sectors:S2,imports", "sectors:S4"])
def test_other_units_change_the_passes_by_one_at_most(recipe, kind):
    alike, mixed = (generate(name, problems.SMALL) for name in (recipe, f"{recipe},units=mixed"))
    scale = mixed_units(len(alike), problems.SEED)
    scale = scale if kind == "quantities" else 1.0 / scale
    first, second = (problems.solved(t, kind, "orders-and-tables", 6) for t in (alike, mixed))
    # Where recipes cost less than their product, prices need not be found first.
    assert abs(first.history.passes - second.history.passes) <= 1
    ours, theirs = first.certificate, second.certificate
    assert (ours.lower * scale <= theirs.upper).all()
    assert (theirs.lower <= ours.upper * scale).all()
    assert (ours.structural_zeros == theirs.structural_zeros).all()


def test_where_prices_are_carried_other_units_change_nothing(kind):
    # Powers of two round nothing, so everything scales to the last bit.
    table = generate("sectors:S3,signed,units=mixed", problems.SMALL)
    scale = 2.0 ** np.random.default_rng(SEED).integers(-20, 21, len(table))
    other = replace(
        table,
        coefficients=coefficients_from(scale[:, None] * table.coefficients.toarray() / scale),
        demand=table.demand * scale,
        factors={name: amounts / scale for name, amounts in table.factors.items()},
    )
    first, second = (problems.solved(t, kind, "orders-and-tables", 6) for t in (table, other))
    assert first.history.passes == second.history.passes
    scale = scale if kind == "quantities" else 1.0 / scale
    assert second.certificate.output == pytest.approx(first.certificate.output * scale, rel=1e-12)


def test_more_blocks_than_a_dense_table_serves_are_tied_together():
    table = generate("sectors:S1", Parameters(products=2100, inputs=8, seed=SEED))
    solution = problems.solved(
        problems.cut(table, "a block for each product"), "quantities", "orders-and-tables"
    )
    assert solution.outcome is Outcome.CERTIFIED
    assert solution.history.passes < 8  # the table between blocks is all of the economy
    check_enclosed(answer(table), solution.certificate)


def test_a_block_that_nobody_needs_makes_nothing():
    rows = [[0, 0.5, 0, 0, 0], [0.2, 0, 0, 0, 0], [0.1, 0, 0, 0.9, 0.1], [0, 0, 0.9, 0, 0], [0] * 5]
    # Products 2, 3 and 4 are made without 0 and 1, which need each other and them.
    table = problems.table_of(np.array(rows), demand=[0, 0, 0, 0, 1])
    for labels in ([0, 0, 1, 1, 2], [0, 1, 1, 0, 0], [4, 3, 2, 1, 0]):
        cut = replace(table, blocks=from_labels(np.array(labels)))
        certificate = problems.solved(cut, "quantities", "orders-and-tables", 10).certificate
        check_enclosed(answer(table), certificate)
        assert certificate.structural_zeros.tolist() == [True, True, False, False, False]


def test_a_number_that_no_block_has_is_no_block(kind):
    table = problems.solvable("sectors:S1")
    gaps = replace(table, blocks=3 * table.blocks + 2)
    solution = problems.solved(gaps, kind, "orders-and-tables", 6)
    assert solution.outcome is Outcome.CERTIFIED
    check_enclosed(answer(table, kind), solution.certificate)


def test_a_demand_within_bounds_is_planned_for_all_of_them():
    table = problems.solvable("sectors:S1")
    f = table.demand
    demand = Demand(f, 0.999 * f, 1.001 * f)
    (proved,) = problems.planned(problems.by_blocks(table, demands=[demand]), 2).certificates
    for factor in (0.999, 1.0, 1.001):
        check_enclosed(factor * answer(table), proved)


def test_a_delta_that_is_none_is_wrong_usage():
    with pytest.raises(balance.WrongUsageError, match="relative uncertainty"):
        problems.by_blocks(problems.solvable("two_sectors"), delta=1.0)


def test_a_block_that_cannot_be_read_ends_the_arranging_of_the_others():
    table = problems.solvable("sectors:S1")
    whole = Cut(table)

    def damaged(number):
        if number == 3:
            raise DamagedError("a block is altered")
        return whole(number)

    with pytest.raises(DamagedError, match="a block is altered"):
        arrange(Reading(damaged), range(30), Layout.of(table.blocks), threads=2)
