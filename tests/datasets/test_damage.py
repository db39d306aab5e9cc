"""Whatever happens to the files of a store: the same table, or an error that names the place."""

import json
import shutil

import pytest
from stored_tables import same, small_table

from ogas.datasets.store import open_store, publish
from ogas.engine.errors import DamagedError, PlanError


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A small store with two versions, of which the first shares most files with the second."""
    path = tmp_path_factory.mktemp("damage") / "t"
    publish(path, small_table(blocks=2))
    return path


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 0x01]) + content[place + 1 :]


def loads_truly_or_says_so(path, table):
    """Whether loading failed; if it did, with damage on one line that names the store."""
    damage = None
    try:
        assert same(table, open_store(path).load())
    except DamagedError as error:
        damage = error
    if damage is not None:
        assert str(path) in str(damage)
        assert "\n" not in str(damage)
        assert damage.advice
    return damage is not None


def damages(content):
    """Ways to harm a file: cut it short, empty it, flip one bit here and there."""
    yield content[:-1]
    yield b""
    for place in sorted({0, len(content) // 3, len(content) - 2}):
        yield flipped(content, place)


def test_no_damage_to_any_file_gives_wrong_numbers(stored):
    table = small_table(blocks=2)
    files = sorted(file for file in stored.rglob("*") if file.is_file() and file.stat().st_size)
    assert len(files) > 50
    for file in files:
        content = file.read_bytes()
        harmed = []
        for damage in damages(content):
            file.write_bytes(damage)
            harmed.append(loads_truly_or_says_so(stored, table))
        # Text may be harmed where it does not matter; a chunk of numbers may not.
        assert all(harmed) or file.suffix == ".json" or file.name == "CURRENT", file
        file.write_bytes(content)
    assert not loads_truly_or_says_so(stored, table)


def test_a_missing_chunk_never_reads_as_zeros(stored):
    table = small_table(blocks=2)
    for file in [file for file in stored.rglob("*") if file.is_file()]:
        aside = stored.parent / "aside"
        file.rename(aside)
        if file.name != "lock":
            missing = loads_truly_or_says_so(stored, table)
            assert missing or not any(aside.read_bytes()), file
        aside.rename(file)
    assert not loads_truly_or_says_so(stored, table)


def test_publishing_the_same_table_again_repairs_its_blocks_and_vectors(stored, tmp_path):
    path, table = tmp_path / "t", small_table(blocks=2)
    shutil.copytree(stored, path)
    for folder in ("blocks", "vectors"):
        chunk = next(file for file in (path / folder).rglob("c/0"))
        chunk.write_bytes(flipped(chunk.read_bytes(), 5))
    assert loads_truly_or_says_so(path, table)
    assert publish(path, table).number == 1
    assert not loads_truly_or_says_so(path, table)


@pytest.mark.parametrize(("number", "advice"), [(1, "delete it, and import"), (3, "upgrade")])
@pytest.mark.parametrize("name", ["CURRENT", "versions"])
def test_another_format_is_named_and_left_alone(stored, tmp_path, name, number, advice):
    path = tmp_path / "t"
    shutil.copytree(stored, path)
    file = path / name
    file = next(file.iterdir()) if file.is_dir() else file
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": number}))
    for attempt in (lambda: open_store(path).load(), lambda: publish(path, small_table())):
        with pytest.raises(PlanError, match=rf"format {number} .* reads 2; {advice}"):
            attempt()
    assert len(list((path / "versions").iterdir())) == 1
