"""Blocks in several shares: the same bits as in one, and the same plan when some are lost."""

from dataclasses import dataclass, replace

import numpy as np
import problems
import pytest
from shares import SeveralShares

from ogas.datasets.answers import answer
from ogas.datasets.gallery import generate
from ogas.engine.balance import Demand
from ogas.engine.exchange import BegunAnewError
from ogas.engine.outcome import Outcome

SEED = 73120455
DEALS = {
    "two halves": lambda m: np.arange(m) * 2 // m,
    "three, in turn": lambda m: np.arange(m) % 3,
    "four, at random": lambda m: np.random.default_rng(SEED).permutation(np.arange(m) % 4),
    "one block each": np.arange,
}
RECIPES = {
    "money": "sectors:S3",
    "hidden order": "sectors:S2,hidden",
    "mixed units, carried labour": "sectors:S1,units=mixed",
    "signed, imports": "sectors:S4,signed,imports",
    "products that nobody wants": "sectors:S1,islands",
}
VECTORS = ("lower", "output", "upper", "witness", "turnover", "structural_zeros")


@pytest.fixture(params=["quantities", "values"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def tables():
    found = {}

    def table(name):
        if name not in found:
            drawn = generate(RECIPES[name], problems.SMALL)
            found[name] = problems.cut(drawn, "by METIS") if drawn.blocks is None else drawn
        return found[name]

    return table


def check_same(ours, theirs):
    assert [record.spread for record in ours.history.records] == [
        record.spread for record in theirs.history.records
    ]
    assert ours.history.passes == theirs.history.passes
    for mine, other in zip(ours.certificates, theirs.certificates, strict=True):
        for name in VECTORS:
            assert getattr(mine, name).tobytes() == getattr(other, name).tobytes(), name


@pytest.mark.parametrize("deal", DEALS)
@pytest.mark.parametrize("name", RECIPES)
def test_any_number_of_shares_gives_the_same_bits(tables, name, deal, kind):
    table = tables(name)
    for figures in (3, 8):
        alone = problems.planned(problems.by_blocks(table, kind, figures=figures), figures)
        load = SeveralShares(DEALS[deal])
        shared = problems.planned(
            problems.by_blocks(table, kind, figures=figures, load=load), figures
        )
        assert alone.outcome is Outcome.CERTIFIED
        assert load.office.sent > 0
        check_same(shared, alone)


@pytest.mark.parametrize("count", [2, 9])
def test_scenarios_have_the_same_bits_in_any_number_of_shares(tables, count):
    table = tables("signed, imports")
    draw = np.random.default_rng(SEED)
    demands = [Demand.exact(table.demand * draw.random(len(table))) for _ in range(count)]
    alone = problems.planned(problems.by_blocks(table, demands=demands))
    load = SeveralShares(DEALS["three, in turn"])
    check_same(problems.planned(problems.by_blocks(table, demands=demands, load=load)), alone)


def test_what_shares_send_each_other_is_what_crosses_between_their_blocks(tables):
    table = tables("money")
    load = SeveralShares(DEALS["one block each"])
    problem = problems.by_blocks(table, load=load)
    linked = load.office.sent  # the slots and blocks that parcels will be about, once
    words = sum(block.ext for block in problem.facts)
    assert linked == 2 * 4 * words
    solution = problems.planned(problem)
    chains = 2 * words  # how long sums are, once
    assert load.office.sent - linked - chains == solution.traffic.bytes_exchanged


def test_labels_in_any_order_change_nothing(tables, kind):
    table = tables("money")
    order = np.random.default_rng(SEED).permutation(table.blocks.max() + 1)
    table = replace(table, blocks=order[table.blocks])
    alone = problems.planned(problems.by_blocks(table, kind))
    load = SeveralShares(DEALS["four, at random"])
    check_same(problems.planned(problems.by_blocks(table, kind, load=load)), alone)


@dataclass
class Losing:
    """An exchange that loses some blocks whenever it has been asked so many times."""

    whole: SeveralShares
    lost: frozenset
    every: int
    times: int
    remembered: bool
    asked: int = 0

    def __call__(self, source, layout, form):
        self.whole(source, layout, form)
        return self

    def ask(self, step, *arguments, each=None):
        self.asked += 1
        if step not in ("describe", "begin") and self.times and self.asked % self.every == 0:
            self.times -= 1
            if self.asked % 2:  # some had taken the step already
                self.whole.ask(step, *arguments, each=each)
            known = self.states()
            for share in self.whole.shares:
                share.stations[0].state[:] = np.nan
            kept = set(range(len(known))) - self.lost
            self.whole.office.boxes.clear()
            raise BegunAnewError(kept, known if self.remembered else {})
        return self.whole.ask(step, *arguments, each=each)

    def states(self):
        return {k: v for share in self.whole.shares for k, v in share.memory().items()}


@pytest.mark.parametrize("every", [4, 7, 10, 13])
@pytest.mark.parametrize("remembered", [True, False], ids=["from a checkpoint", "from nothing"])
@pytest.mark.parametrize("name", RECIPES)
def test_losing_blocks_at_any_step_ends_in_the_same_plan(tables, name, remembered, every, kind):
    table = tables(name)
    whole = SeveralShares(DEALS["three, in turn"])
    load = Losing(whole, frozenset([0, 1, 2]), every, 2, remembered)
    solution = problems.planned(problems.by_blocks(table, kind, load=load))
    assert load.times < 2
    assert solution.outcome is Outcome.CERTIFIED
    problems.check_enclosed(answer(table, kind), solution.certificate, 1e-14)
