"""The store gives back what was put in, block by block too, and keeps every version."""

import dataclasses
import os

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.sparse import random_array
from stored_tables import SEED, same, small_table, tables

from ogas.datasets.atomic import exclusive
from ogas.datasets.store import open_store, publish, publish_entries
from ogas.datasets.stored_block import StoredBlock, write_block
from ogas.engine.block import Cut
from ogas.engine.errors import InvalidInputError, LockedError, WrongUsageError
from ogas.engine.header import Header
from ogas.engine.streams import read_now
from ogas.engine.table import Table, coefficients_from


@settings(max_examples=16, deadline=None)
@given(table=tables())
def test_writing_then_reading_is_the_identity(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "table"
    publish(path, table)
    assert same(table, open_store(path).load())


@settings(max_examples=8, deadline=None)
@given(table=tables())
def test_writing_block_by_block_gives_the_same_digest_and_the_same_table(table, tmp_path_factory):
    whole = publish(tmp_path_factory.mktemp("store") / "whole", table)
    path = tmp_path_factory.mktemp("store") / "pieces"
    entries = [write_block(path, block, table.value_type) for block in Cut(table)]
    manifest = publish_entries(path, entries, Header.of(table))
    assert manifest.content.digest == whole.content.digest
    assert same(table, open_store(path).load())


def test_blocks_come_back_one_by_one_as_they_were_cut(tmp_path):
    table = small_table()
    publish(tmp_path / "t", table)
    for written, read in zip(Cut(table), open_store(tmp_path / "t").blocks(), strict=True):
        assert (written.products == read.products).all()
        assert (written.ext == read.ext).all()
        for ours, theirs in ((written.own, read.own), (written.orders, read.orders)):
            assert (ours.csr() != theirs.csr()).nnz == 0
            assert (theirs.indptr.dtype, theirs.indices.dtype) == (np.int64, np.uint16)


def test_a_large_block_uses_32_bit_indices_and_several_chunks(tmp_path):
    draw = np.random.default_rng(SEED)
    n = 70_000
    own = coefficients_from(random_array((n, n), density=1.7e-4, rng=draw))
    (block,) = Cut(Table(own, np.arange(n)))
    entry = write_block(tmp_path, block)
    chunks = list((tmp_path / "blocks" / entry.digest / "own" / "data" / "c").iterdir())
    assert 1 < len(chunks) < 4
    assert sum(chunk.stat().st_size for chunk in chunks) < 8 * own.nnz * 1.01
    assert (read_now(StoredBlock(tmp_path, entry)).own.csr() != own).nnz == 0


def test_a_night_that_changes_the_demand_writes_one_vector_and_one_manifest(tmp_path):
    path, table = tmp_path / "t", small_table()
    publish(path, table)
    before = {name: set(os.listdir(path / name)) for name in ("blocks", "vectors", "versions")}
    publish(path, dataclasses.replace(table, demand=table.demand + 1), note="night")
    added = {name: len(set(os.listdir(path / name)) - old) for name, old in before.items()}
    assert added == {"blocks": 0, "vectors": 1, "versions": 1}


def test_every_version_stays_readable_and_a_reader_stays_at_its_own(tmp_path):
    path, table = tmp_path / "t", small_table()
    publish(path, table)
    reader = open_store(path)
    changed = dataclasses.replace(table, demand=table.demand + 1)
    assert publish(path, changed, note="night").number == 2
    assert [version.note for version in reader.versions()] == ["", "night"]
    assert same(table, reader.load())
    assert same(table, open_store(path).load(version=1))
    assert same(table, open_store(path, version=1).load())
    assert same(changed, open_store(path).load())
    assert publish(path, table).number == 3
    with pytest.raises(WrongUsageError, match="no version 9"):
        open_store(path, version=9)


def test_an_equal_table_makes_no_new_version(tmp_path):
    path, table = tmp_path / "t", small_table()
    first = publish(path, table)
    files = {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()}
    assert publish(path, table, note="again") == first
    assert files == {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()}


def test_the_digest_depends_on_the_table_alone(tmp_path):
    table = small_table()
    one = publish(tmp_path / "one", table, note="here")
    other = publish(tmp_path / "other", table, note="there")
    assert one.content.digest == other.content.digest
    changed = dataclasses.replace(table, meta=dict(table.meta) | {"year": 2025})
    assert publish(tmp_path / "one", changed).content.digest != other.content.digest


def test_sizes_are_known_without_reading_an_array(tmp_path):
    table = small_table()
    publish(tmp_path / "t", table)
    for vector in (tmp_path / "t" / "vectors").iterdir():
        vector.rename(vector.with_name("hidden-" + vector.name))
    store = open_store(tmp_path / "t")
    assert store.manifest.content.nonzeros == table.nonzeros
    assert store.manifest.content.products == len(table)
    arrays = [table.ids, table.names, table.units, table.blocks]
    arrays += [table.demand, table.output, table.price, *table.factors.values()]
    matrix = table.coefficients
    parts = [matrix.indptr, matrix.indices, matrix.data, *arrays]
    assert store.loaded_bytes == sum(part.nbytes for part in parts)
    assert store.loading_bytes > store.loaded_bytes


def test_a_table_can_be_read_where_nothing_may_be_written(tmp_path):
    table = small_table()
    publish(tmp_path / "t", table)
    places = [tmp_path / "t", *(tmp_path / "t").rglob("*")]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    try:
        assert same(table, open_store(tmp_path / "t").load())
    finally:
        for place in places:
            place.chmod(0o755 if place.is_dir() else 0o644)


def test_a_second_publisher_is_told_of_the_first(tmp_path):
    publish(tmp_path / "t", small_table())
    with (
        exclusive(tmp_path / "t" / "lock"),
        pytest.raises(LockedError, match="another run is writing here"),
    ):
        publish(tmp_path / "t", small_table(n=14))
    assert publish(tmp_path / "t", small_table(n=14)).number == 2


def test_a_folder_of_other_things_is_not_taken_for_a_table(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(WrongUsageError, match="not a table directory and not empty"):
        publish(tmp_path, small_table())
    assert os.listdir(tmp_path) == ["letter.txt"]
    for path in (tmp_path, tmp_path / "nowhere", tmp_path / "letter.txt"):
        with pytest.raises(WrongUsageError, match="there is no table here"):
            open_store(path)


def test_entries_that_do_not_make_up_the_table_are_refused(tmp_path):
    table = small_table()
    entries = [write_block(tmp_path / "t", block) for block in Cut(table)]
    with pytest.raises(InvalidInputError, match="do not make up"):
        publish_entries(tmp_path / "t", entries[:2], Header.of(table))
    single = dataclasses.replace(Header.of(table), value_type="float32")
    with pytest.raises(InvalidInputError, match="holds float64, the header says float32"):
        publish_entries(tmp_path / "t", entries, single)
    wrong = dataclasses.replace(Header.of(table), demand=np.full(12, np.nan))
    with pytest.raises(InvalidInputError, match="not a finite number"):
        publish_entries(tmp_path / "t", entries, wrong)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"value_type": "float32"}, "not float32 numbers"),
        ({"meta": {"x": float("nan")}}, "meta data cannot be stored"),
        ({"names": np.array(["\ud800"] * 12)}, "not valid Unicode"),
    ],
    ids=["float32", "nan in meta", "half a character"],
)
def test_what_a_store_cannot_hold_is_refused_and_nothing_is_left(tmp_path, fields, words):
    with pytest.raises(InvalidInputError, match=words):
        publish(tmp_path / "t", small_table(**fields))
    assert not (tmp_path / "t").exists()
