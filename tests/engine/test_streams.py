"""Blocks that are read again for every pass: the same bits as in memory, in bounded rooms."""

import time
from dataclasses import dataclass, replace

import numpy as np
import problems
import pytest
from shares import SeveralShares
from streamed import Disk

from ogas.datasets.gallery import generate
from ogas.engine import share, streams
from ogas.engine.balance import demand_of
from ogas.engine.choose import sector_balance
from ogas.engine.cycle import INNER, OrdersAndTables
from ogas.engine.errors import DamagedError
from ogas.engine.exchange import Here
from ogas.engine.iterate import Precision, solve
from ogas.engine.outcome import Outcome
from ogas.engine.source import Source
from ogas.engine.table import Table, coefficients_from

RECIPES = {
    "money": "sectors:S3",
    "mixed units, carried labour": "sectors:S1,units=mixed",
    "signed, imports": "sectors:S4,signed,imports",
    "products that nobody wants": "sectors:S1,islands",
}
ALL, SOME, NONE = frozenset(range(15)), frozenset(range(1, 15, 3)), frozenset()
VECTORS = ("lower", "output", "upper", "witness", "turnover", "structural_zeros")


@pytest.fixture(autouse=True)
def _threads_at_once(monkeypatch):
    """Let threads share the work, however little."""
    monkeypatch.setattr(share, "WORTH_A_THREAD", 1)


@pytest.fixture(scope="module")
def tables():
    return {name: generate(recipe, problems.SMALL) for name, recipe in RECIPES.items()}


def balance(source, kind, figures, load):
    demands = problems.balance_of(source.table(), kind).demands
    is_transposed = kind == "values"
    return sector_balance(source, demands, is_transposed=is_transposed, figures=figures, load=load)


def solution(source, kind="quantities", figures=3, load=None, inner=2):
    problem = balance(source, kind, figures, load or Here(2))
    return solve(problem, OrdersAndTables(inner=inner), Precision(figures))


def check_same(ours, theirs):
    assert [record.spread for record in ours.history.records] == [
        record.spread for record in theirs.history.records
    ]
    for mine, other in zip(ours.certificates, theirs.certificates, strict=True):
        for name in VECTORS:
            assert getattr(mine, name).tobytes() == getattr(other, name).tobytes(), name


@pytest.mark.parametrize("streamed", [ALL, SOME], ids=["all", "some"])
@pytest.mark.parametrize("kind", ["quantities", "values"])
@pytest.mark.parametrize("name", RECIPES)
def test_streamed_blocks_give_the_same_bits(tables, name, kind, streamed):
    source = Disk().source(tables[name])
    for figures in (3, 8):
        held = solution(source, kind, figures)
        again = solution(source, kind, figures, Here(2, streamed))
        assert held.outcome is Outcome.CERTIFIED
        assert (held.traffic.bytes_streamed, again.traffic.bytes_streamed > 0) == (0, True)
        check_same(again, held)


def test_the_same_bits_where_own_parts_are_nearly_full():
    draw = np.random.default_rng(8713).random((40, 40))
    A = coefficients_from(draw / (1.5 * draw.sum(axis=0)))
    blocks = np.arange(40) // 10
    table = Table(A, np.arange(40), demand=np.ones(40), blocks=blocks)
    with problems.rounded_to_float32():
        source = Disk().source(table)
        check_same(solution(source, load=Here(2, ALL)), solution(source))


@pytest.mark.parametrize("kind", ["quantities", "values"])
def test_streamed_blocks_of_several_shares_give_the_same_bits(tables, kind):
    source = Disk().source(tables["money"])
    load = SeveralShares(lambda m: np.arange(m) % 3, streamed=SOME)
    check_same(solution(source, kind, load=load), solution(source, kind))


def test_every_part_is_read_once_for_a_pass(tables):
    disk = Disk()
    found = solution(disk.source(tables["money"]), load=Here(2, SOME), inner=1)
    passes = found.history.passes  # a certificate comes with the orders of the pass before it
    for number in SOME:
        assert disk.reads.count((number, "own")) == passes
        assert disk.reads.count((number, "orders")) == passes


def test_bytes_streamed_are_what_was_read(tables):
    disk = Disk()
    source = disk.source(tables["money"])
    found = solution(source, load=Here(2, SOME))
    sizes = {
        (number, name): part.nbytes
        for number in SOME
        for name, part in zip(("own", "orders"), source.files(number), strict=True)
    }
    assert found.traffic.bytes_streamed == sum(map(sizes.__getitem__, disk.reads))


def test_rooms_do_not_grow_with_the_number_of_blocks(tables, monkeypatch):
    made = []
    plain = streams.Room.__init__
    monkeypatch.setattr(
        streams.Room, "__init__", lambda room, size: (made.append(size), plain(room, size))[1]
    )
    source = Disk().source(tables["money"])
    solution(source, load=Here(2, ALL))
    assert len(made) == 2 * (2 + streams.AHEAD) + 2  # to load, to stream, and to sweep
    largest = max(part.nbytes for number in ALL for part in source.files(number))
    assert max(made) <= 2 * largest + 1024


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("kind", ["quantities", "values"])
@pytest.mark.parametrize("which", [{(4, "own")}, {(4, "orders")}, "all"], ids=str)
def test_damage_in_the_middle_of_a_run_ends_it(tables, which, kind, threads):
    @dataclass
    class Once:
        left: int = 40

        def __call__(self, number, name):
            self.left -= 1
            if self.left < 0 and (which == "all" or (number, name) in which):
                raise DamagedError("gone")

    source = Disk(broken=Once()).source(tables["money"])
    start = time.monotonic()
    with pytest.raises(DamagedError, match="gone"):
        solution(source, kind, load=Here(threads, ALL))
    assert time.monotonic() - start < 60


def test_two_sweeps_are_made_for_a_read_if_most_is_streamed(tables):
    source = Disk().source(tables["money"])
    for streamed, inner in ((ALL, INNER), (SOME, 1), (NONE, 1)):
        assert solution(source, load=Here(2, streamed), inner=0).traffic.inner == inner


def test_a_table_that_is_only_in_memory_is_not_streamed(tables):
    source = Source.of(tables["money"])
    held = sector_balance(
        source, [demand_of(source.header)], is_transposed=False, figures=3, load=Here(2, ALL)
    )
    assert not any(facts.streamed for facts in held.facts)


def test_blocks_that_are_swept_in_pieces_are_held(tables, monkeypatch):
    monkeypatch.setattr("ogas.engine.layout.Layout.of.__defaults__", (None, 60))
    table = replace(tables["money"], blocks=np.arange(300) // 150, rank=None)
    monkeypatch.setattr("ogas.engine.sectors.pieces.__defaults__", (60,))
    problem = balance(Disk().source(table), "quantities", 3, Here(2, ALL))
    assert len(problem.facts) == 6
    assert not any(facts.streamed for facts in problem.facts)


@pytest.mark.parametrize("sizes", [(3, 5), (64, 1), (0, 7)])
def test_arrays_of_a_room_do_not_overlap_and_begin_where_lanes_may_load(sizes):
    room = streams.Room(1024)
    first, second = (room.empty(size, np.float32) for size in sizes)
    first[:], second[:] = 1, 2
    assert (first == 1).all()
    assert second.ctypes.data % 64 == room.memory.ctypes.data % 64
