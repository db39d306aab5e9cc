"""Whatever dies while a checkpoint is written, the one before can be read, whole."""

import errno
import json
import shutil
import signal
import time

import numpy as np
import pytest
from faults import Killed, failing_at, python

from ogas.cluster.jobs.checkpoint import Checkpoints, read_part, write_part
from ogas.cluster.jobs.lease import LostLeaseError, take
from ogas.datasets.atomic import PREFIX
from ogas.engine.errors import DamagedError

BLOCKS = 3


def nobody_dies(owner):
    return False


@pytest.fixture
def lease(tmp_path):
    (tmp_path / "job").mkdir()
    return take(tmp_path / "job", "a", "", nobody_dies)


@pytest.fixture
def checkpoints(lease):
    return Checkpoints(lease.folder)


def vectors(block, number):
    """The vectors of a block at a round, such that no two rounds have the same."""
    return {"output": np.arange(5.0) + 10 * block + 1000 * number, "round": np.array(number)}


def write(checkpoints, lease, number):
    """Write the checkpoint of a round."""
    slot, folder = checkpoints.begin(lease)
    digests = {block: write_part(folder, block, vectors(block, number)) for block in range(BLOCKS)}
    checkpoints.complete(lease, slot, digests, {"round": number})


def round_of(checkpoints):
    """The round of the checkpoint that counts, after a look at every number of it."""
    latest = checkpoints.latest()
    number = latest.facts["round"]
    assert sorted(latest.digests) == list(range(BLOCKS))
    for block in range(BLOCKS):
        found = latest.read_part(block)
        for name, array in vectors(block, number).items():
            np.testing.assert_array_equal(found[name], array)
    return number


def test_there_is_no_checkpoint_before_the_first(checkpoints, lease):
    assert checkpoints.latest() is None
    checkpoints.begin(lease)
    assert checkpoints.latest() is None


def test_a_part_comes_back_to_the_bit(checkpoints, lease):
    _, folder = checkpoints.begin(lease)
    arrays = {
        "output": np.array([np.nan, np.inf, -0.0, 5e-324]),
        "witness": np.random.default_rng(3819).random(1001).astype(np.float32),
        "columns": np.arange(6, dtype=np.uint16).reshape(2, 3),
        "none": np.empty(0),
    }
    found = read_part(folder, 17, write_part(folder, 17, arrays))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


def test_two_slots_take_turns(checkpoints, lease):
    slots = []
    for number in range(1, 6):
        write(checkpoints, lease, number)
        assert round_of(checkpoints) == number
        slots.append(checkpoints.latest().slot)
    assert slots == [0, 1, 0, 1, 0]
    files = list((checkpoints.path / "checkpoints").rglob("*.npz"))
    assert len(files) == 2 * BLOCKS


def test_a_checkpoint_counts_only_once_it_is_complete(checkpoints, lease):
    write(checkpoints, lease, 1)
    slot, folder = checkpoints.begin(lease)
    digests = {block: write_part(folder, block, vectors(block, 2)) for block in range(BLOCKS)}
    assert round_of(checkpoints) == 1
    checkpoints.complete(lease, slot, digests, {"round": 2})
    assert round_of(checkpoints) == 2


def steps_of(checkpoints, lease):
    with failing_at(10**9, Killed()) as count:
        write(checkpoints, lease, 2)
    return count["steps"]


def copied(lease, tmp_path, name):
    """The job, copied, with its lease in force."""
    shutil.copytree(lease.folder, tmp_path / name)
    return Checkpoints(tmp_path / name), take(tmp_path / name, "b", "", lambda owner: True)


def test_a_kill_at_any_step_leaves_a_whole_checkpoint(checkpoints, lease, tmp_path):
    write(checkpoints, lease, 1)
    whole = steps_of(*copied(lease, tmp_path, "counted"))
    assert whole > 3 * BLOCKS
    for k in range(1, whole + 1):
        copy, held = copied(lease, tmp_path, f"copy-{k}")
        with pytest.raises(Killed), failing_at(k, Killed()):
            write(copy, held, 2)
        # The last step, after the manifest was replaced, only makes the replacement durable.
        assert round_of(copy) == (2 if k == whole else 1)
        write(copy, held, 3)
        assert round_of(copy) == 3
        assert not [
            file for file in (copy.path / "checkpoints").glob("?/*") if file.name.startswith(PREFIX)
        ]


def test_a_full_disk_at_any_step_leaves_the_checkpoint_before(checkpoints, lease, tmp_path):
    write(checkpoints, lease, 1)
    whole = steps_of(*copied(lease, tmp_path, "counted"))
    full = OSError(errno.ENOSPC, "No space left on device")
    for k in range(1, whole):
        copy, held = copied(lease, tmp_path, f"copy-{k}")
        with (
            pytest.raises(DamagedError, match=r"the disk is full.*free some space"),
            failing_at(k, full, bury=False),
        ):
            write(copy, held, 2)
        assert round_of(copy) == 1
        assert not [file for file in copy.path.rglob("*") if file.name.startswith(PREFIX)]


def test_a_disk_that_fills_up_within_a_part_leaves_nothing_of_it(checkpoints, lease, monkeypatch):
    _, folder = checkpoints.begin(lease)

    def savez(stream, **_):
        stream.write(b"PK")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", savez)
    with pytest.raises(DamagedError, match="the disk is full"):
        write_part(folder, 1, vectors(1, 1))
    assert list(folder.iterdir()) == []


WRITER = """
import sys
from pathlib import Path
import numpy as np
from ogas.cluster.jobs.checkpoint import Checkpoints, write_part
from ogas.cluster.jobs.lease import take
path, first = Path(sys.argv[1]), int(sys.argv[2])
lease, checkpoints = take(path, "writer", "", lambda owner: True), Checkpoints(path)
for number in range(first, 1_000_000):
    slot, folder = checkpoints.begin(lease)
    digests = {}
    for block in range(3):
        output = np.arange(5.0) + 10 * block + 1000 * number
        digests[block] = write_part(folder, block, {"output": output, "round": np.array(number)})
    checkpoints.complete(lease, slot, digests, {"round": number})
    print(number, flush=True)
"""


def test_a_writer_that_is_killed_leaves_a_whole_checkpoint(checkpoints):
    last = 0
    for moment in (0.0, 0.003, 0.011):
        with python(WRITER, checkpoints.path, last + 1) as process:
            for _ in range(3):
                said = int(process.stdout.readline())
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
        assert round_of(checkpoints) >= said > last
        last = round_of(checkpoints)


def test_a_coordinator_without_the_lease_touches_no_checkpoint(checkpoints, lease, contents):
    write(checkpoints, lease, 1)
    slot, folder = checkpoints.begin(lease)
    digests = {block: write_part(folder, block, vectors(block, 2)) for block in range(BLOCKS)}
    take(lease.folder, "b", "", lambda owner: True)
    before = contents()
    with pytest.raises(LostLeaseError):
        checkpoints.complete(lease, slot, digests, {"round": 2})
    with pytest.raises(LostLeaseError):
        checkpoints.begin(lease)
    assert contents() == before


def test_the_late_part_of_a_worker_that_was_given_up_replaces_nothing(checkpoints, lease):
    write(checkpoints, lease, 1)
    write_part(checkpoints.latest().folder, 2, vectors(2, 77))
    assert round_of(checkpoints) == 1


def altered(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


DAMAGES = {
    "altered": (altered, "the part of block 1 was altered"),
    "truncated": (lambda file: file.write_bytes(file.read_bytes()[:-1]), "block 1 was altered"),
    "empty": (lambda file: file.write_bytes(b""), "the part of block 1 was altered"),
    "missing": (lambda file: file.unlink(), "the part of block 1 is missing"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_part_is_never_read(checkpoints, lease, damage):
    write(checkpoints, lease, 1)
    change, said = DAMAGES[damage]
    (file,) = checkpoints.latest().folder.glob("part-1-*")
    change(file)
    with pytest.raises(DamagedError, match=rf"part-1-.*{said}; delete the folder checkpoints"):
        checkpoints.latest().read_part(1)
    assert checkpoints.latest().read_part(2)["round"] == 1


def test_a_checkpoint_is_not_completed_without_all_its_parts(checkpoints, lease):
    write(checkpoints, lease, 1)
    slot, folder = checkpoints.begin(lease)
    digest = write_part(folder, 0, vectors(0, 2))
    with pytest.raises(DamagedError, match="the part of block 1 is missing"):
        checkpoints.complete(lease, slot, {0: digest, 1: "0" * 64}, {"round": 2})
    assert round_of(checkpoints) == 1


MANIFESTS = [
    {},
    {"slot": 2, "parts": {}, "facts": {}},
    {"slot": 0, "parts": {"0": "../../etc"}, "facts": {}},
    {"slot": 0, "parts": {"x": "0" * 64}, "facts": {}},
    {"slot": 0, "parts": [], "facts": {}},
    {"slot": 0, "parts": {"0": 7}, "facts": {}},
]


@pytest.mark.parametrize("found", MANIFESTS, ids=json.dumps)
def test_a_damaged_manifest_is_said(checkpoints, lease, found):
    write(checkpoints, lease, 1)
    (checkpoints.path / "checkpoints" / "manifest.json").write_text(json.dumps(found))
    with pytest.raises(DamagedError, match=r"manifest\.json: altered.*delete the folder"):
        checkpoints.latest()


def test_python_objects_are_not_written(checkpoints, lease):
    _, folder = checkpoints.begin(lease)
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_part(folder, 0, {"output": np.array([object()])})
    assert list(folder.iterdir()) == []
