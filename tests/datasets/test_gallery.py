"""A generated table is what its recipe says, whoever draws it and in whatever order."""

import dataclasses
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from stored_tables import same

from ogas.datasets.atomic import PREFIX
from ogas.datasets.gallery import generate, write
from ogas.datasets.recipes import Economy, Parameters, economy_of
from ogas.datasets.store import open_store, publish
from ogas.engine.block import Cut
from ogas.engine.errors import DamagedError, WrongUsageError

SEED = 9173
SMALL = Parameters(products=1_501, seed=SEED)
RECIPES = [
    "sectors",
    "sectors:S3,units=mixed",
    "sectors:S2,signed,imports=0.2",
    "sectors:S4,households,islands",
    "sectors:S1,tree,hidden",
    "ccm",
    "ccm,units=mixed,signed=0.05,hidden",
    "triangular,units=mixed",
    "circular,signed",
]


@pytest.mark.parametrize("recipe", RECIPES)
def test_one_worker_and_two_draw_the_same_table(recipe):
    assert same(generate(recipe, SMALL, workers=1), generate(recipe, SMALL, workers=2))


def test_blocks_do_not_depend_on_the_order_in_which_they_are_drawn():
    economy = economy_of("sectors:S3,households,signed", SMALL)
    forwards = [economy.part(number) for number in range(economy.blocks)]
    for number in reversed(range(economy.blocks)):
        again = economy.part(number)
        assert (again.block.ext == forwards[number].block.ext).all()
        assert (again.block.own.csr() != forwards[number].block.own.csr()).nnz == 0
        assert (again.block.orders.csr() != forwards[number].block.orders.csr()).nnz == 0
        assert (again.demand == forwards[number].demand).all()


def test_another_seed_draws_another_table():
    table = generate("sectors", SMALL)
    other = generate("sectors", dataclasses.replace(SMALL, seed=SEED + 1))
    assert (table.coefficients != other.coefficients).nnz > table.nonzeros
    assert (table.demand != other.demand).any()


@pytest.mark.parametrize("recipe", RECIPES)
def test_written_block_by_block_it_is_the_table_drawn_in_memory(recipe, tmp_path):
    table = generate(recipe, SMALL)
    manifest = write(recipe, tmp_path / "t", SMALL, workers=2)
    assert same(table, open_store(tmp_path / "t").load())
    assert manifest.content.digest == publish(tmp_path / "whole", table).content.digest


def test_the_parts_of_an_economy_are_the_blocks_of_its_table():
    economy = economy_of("sectors", SMALL)
    for number, block in enumerate(Cut(generate("sectors", SMALL))):
        part = economy.part(number).block
        assert (part.products == block.products).all()
        assert (part.ext == block.ext).all()
        assert (part.own.csr() != block.own.csr()).nnz == 0
        assert (part.orders.csr() != block.orders.csr()).nnz == 0


def interrupt(done, total):
    if done == 3:
        raise KeyboardInterrupt


def drawn(monkeypatch):
    """The numbers of the blocks that are drawn from now on."""
    numbers, part = [], Economy.part

    def counted(self, number, desk=None):
        numbers.append(number)
        return part(self, number, desk)

    monkeypatch.setattr(Economy, "part", counted)
    return numbers


@pytest.mark.parametrize("recipe", ["sectors", "sectors:S4,households,units=mixed,signed"])
def test_an_interrupted_generation_goes_on_where_it_was(recipe, tmp_path, monkeypatch):
    whole = write(recipe, tmp_path / "whole", SMALL)
    path = tmp_path / "t"
    said = r"^([3-9]) of 30 blocks are kept; the same command goes on from there$"
    with pytest.raises(KeyboardInterrupt, match=said) as interruption:
        write(recipe, path, SMALL, workers=2, progress=interrupt)
    kept = int(str(interruption.value)[0])
    with pytest.raises(WrongUsageError, match=f"not finished: {kept} of 30 blocks are drawn"):
        open_store(path)
    numbers = drawn(monkeypatch)
    assert write(recipe, path, SMALL, workers=1).content == whole.content
    assert len(numbers) == 30 - kept
    assert same(open_store(path).load(), open_store(tmp_path / "whole").load())
    assert not (path / "unfinished").exists()


def test_the_advice_is_the_command_that_goes_on(tmp_path):
    sizes = Parameters(products=1_500, inputs=20.0, seed=SEED)
    with pytest.raises(KeyboardInterrupt):
        write("sectors:S2", tmp_path / "t", sizes, progress=interrupt)
    with pytest.raises(WrongUsageError) as refusal:
        open_store(tmp_path / "t")
    command = f"ogas generate sectors:S2 {tmp_path / 't'} --products 1500 --inputs 20.0 --seed 9173"
    assert (
        refusal.value.advice
        == f"repeat `{command}`, which goes on from there, or delete the folder"
    )


def test_who_asks_for_something_else_begins_anew(tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        write("sectors", tmp_path / "t", SMALL, progress=interrupt)
    numbers, other = drawn(monkeypatch), dataclasses.replace(SMALL, seed=SEED + 1)
    manifest = write("sectors", tmp_path / "t", other)
    assert sorted(numbers) == list(range(30))
    assert manifest.content == write("sectors", tmp_path / "whole", other).content
    stored = {path.name for path in (tmp_path / "t" / "blocks").iterdir()}
    assert stored == {entry.digest for entry in manifest.content.blocks}


@pytest.mark.parametrize("victim", ["blocks/*/own/data/c/0", "unfinished/000001.npz"])
def test_a_finished_block_that_was_damaged_is_drawn_again(victim, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write("sectors", tmp_path / "t", SMALL, progress=interrupt)
    file = next((tmp_path / "t").glob(victim))
    file.write_bytes(file.read_bytes()[:-9] + b"123456789")
    manifest = write("sectors", tmp_path / "t", SMALL)
    assert manifest.content == write("sectors", tmp_path / "whole", SMALL).content
    open_store(tmp_path / "t").load()


def test_an_interruption_while_a_thread_starts_waits_for_it(tmp_path, monkeypatch):
    """The pool does not know this thread, which is still at its block."""
    started = []

    class Interrupted(threading.Thread):
        def start(self):
            super().start()
            started.append(self)
            raise KeyboardInterrupt

    monkeypatch.setattr(threading, "Thread", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        write("sectors", tmp_path / "t", SMALL, workers=1)
    (thread,) = started
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(PREFIX)]


def test_an_existing_table_stays_current_when_the_next_is_interrupted(tmp_path):
    table = write("sectors", tmp_path / "t", SMALL)
    with pytest.raises(KeyboardInterrupt):
        write("sectors:S2", tmp_path / "t", SMALL, progress=interrupt)
    assert open_store(tmp_path / "t").manifest.content == table.content
    assert write("sectors:S2", tmp_path / "t", SMALL).number == 2
    assert same(open_store(tmp_path / "t", 1).load(), generate("sectors", SMALL))


def test_a_failure_leaves_nothing_behind(tmp_path):
    def fail(done, total):
        if done == 3:
            raise DamagedError("the disk is full")

    with pytest.raises(DamagedError):
        write("sectors", tmp_path / "t", SMALL, progress=fail)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "recipe", ["sectors:S1", "sectors:S4", "ccm", "sectors:S2,households", "triangular", "circular"]
)
def test_a_table_takes_no_more_of_the_disk_than_was_told(recipe, tmp_path):
    sizes = Parameters(products=20_000, inputs=40, blocks=10, seed=SEED)
    write(recipe, tmp_path / "t", sizes)
    stored = sum(file.stat().st_size for file in (tmp_path / "t").rglob("*") if file.is_file())
    assert stored < economy_of(recipe, sizes).stored_bytes < 2.5 * stored


def test_a_table_that_the_disk_has_no_room_for_is_refused_before_it_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda place: SimpleNamespace(free=10**6))
    with pytest.raises(DamagedError, match=r"takes up to [\d,]+ bytes and 1,000,000 are free"):
        write("sectors:S1", tmp_path / "new" / "t", Parameters(seed=SEED))
    assert not (tmp_path / "new").exists()


def test_what_is_left_of_a_table_needs_the_rest_of_the_room(tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        write("sectors", tmp_path / "t", SMALL, workers=1, progress=interrupt)
    needed = economy_of("sectors", SMALL).stored_bytes
    for free, fits in ((needed // 2, False), (needed * 27 // 30, True)):
        monkeypatch.setattr(
            "shutil.disk_usage", lambda place, free=free: SimpleNamespace(free=free)
        )
        if fits:
            write("sectors", tmp_path / "t", SMALL)
            continue
        with pytest.raises(DamagedError, match="the rest of this table takes up to"):
            write("sectors", tmp_path / "t", SMALL)


def test_progress_counts_every_block_once():
    seen = []
    generate("sectors", SMALL, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 30) for done in range(1, 31)]


def test_block_labels_are_contiguous_and_sizes_differ_by_at_most_one():
    table = generate("sectors", Parameters(products=1_501, blocks=7, seed=SEED))
    sizes = np.bincount(table.blocks)
    assert (np.diff(table.blocks) >= 0).all()
    assert len(sizes) == 7
    assert sizes.max() - sizes.min() == 1


@pytest.mark.parametrize(
    ("products", "blocks"), [(3, 1), (200, 10), (20_000, 30), (1_000_000, 30), (10**8, 1526)]
)
def test_the_number_of_blocks_is_kept_until_16_bits_no_longer_name_a_product(products, blocks):
    assert economy_of("sectors", Parameters(products=products)).blocks == blocks


@pytest.mark.parametrize("recipe", RECIPES)
def test_entries_are_float32_numbers_and_the_factor_is_never_negative(recipe):
    table = generate(recipe, SMALL)
    data = table.coefficients.data
    assert table.value_type == "float32"
    assert (data == data.astype(np.float32)).all()
    assert all((factor >= 0).all() for factor in table.factors.values())


@pytest.mark.parametrize(
    ("recipe", "products", "inputs", "blocks"),
    [("tns", 10**6, 100, 30), ("nove", 12 * 10**6, 143, 184), ("catalogue", 10**8, 16, 1526)],
)
def test_claims_have_the_size_that_was_claimed(recipe, products, inputs, blocks):
    law = economy_of(recipe, Parameters()).law
    assert law.starts[-1] == products
    assert law.draws * 0.84 == pytest.approx(inputs)
    assert len(law.starts) - 1 == blocks


def test_the_smallest_economies_can_be_drawn():
    for recipe, products in [
        ("sectors", 1),
        ("sectors,households", 2),
        ("ccm", 2),
        ("circular", 3),
    ]:
        assert len(generate(recipe, Parameters(products=products, seed=SEED))) == products


@pytest.mark.parametrize(
    ("recipe", "parameters", "said"),
    [
        (
            "sector",
            {},
            "there are: sectors, ccm, triangular, circular, tns, nove, bernes",
        ),
        ("sectors:S9", {}, "it has: S1, S2, S3, S4"),
        ("ccm:S1", {}, "it has: none"),
        ("sectors,signd", {}, "there are: hidden, households, imports, islands, signed, tree"),
        ("ccm,tree", {}, "there are: hidden, imports, signed, units"),
        ("sectors,units=metric", {}, "use units=mixed or units=one"),
        ("sectors,units", {}, "use units=mixed or units=one"),
        ("sectors,signed=2", {}, "shares lie in [0, 1)"),
        ("sectors,signed=much", {}, "shares lie in [0, 1)"),
        ("sectors,islands=1.5", {}, "islands=N is a whole number"),
        ("sectors,tree,households", {}, "a tree has no households"),
        ("sectors,tree", {"radius": 0.5}, "the radius of a tree is 0"),
        ("sectors", {"products": 5, "blocks": 6}, "do not fill 6 blocks"),
        ("sectors,islands=9", {"blocks": 8, "products": 100}, "on 9 islands"),
        ("ccm", {"products": 5, "blocks": 6}, "do not fill 6 blocks"),
        ("circular", {"products": 5, "blocks": 6}, "do not fill 6 blocks"),
        ("circular", {"radius": 0.1}, "a radius of 0.1 is below the diagonal"),
        ("triangular", {"products": 2}, "no room for those who consume"),
        ("triangular", {"radius": 0.9}, "the radius of a triangle is its diagonal, 0.1"),
        ("triangular,tree", {}, "there are: hidden, imports, signed, units"),
        ("triangular", {"products": 50, "inputs": 50}, "50 different inputs"),
        ("sectors", {"products": 50, "inputs": 50}, "50 different inputs"),
        ("sectors", {"radius": 11}, "use 0.01 to 10"),
        ("sectors", {"products": 0}, "products must be positive"),
        ("sectors", {"inputs": float("nan")}, "inputs must be positive"),
        ("sectors", {"seed": -1}, "seed -1 is out of range"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_exists(recipe, parameters, said):
    with pytest.raises(WrongUsageError) as refusal:
        economy_of(recipe, Parameters(**parameters))
    assert said in str(refusal.value)
