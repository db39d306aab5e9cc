"""Arrays are read as Zarr reads them, whoever wrote them and however."""

import json

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, BytesCodec, GzipCodec

from ogas.datasets.arrays import Chunks, chunks_of, read_group, write_group
from ogas.engine.errors import DamagedError

NUMBERS = np.random.default_rng(20261123).normal(size=1000)
OTHERS = {
    "gzip": {"compressors": GzipCodec()},
    "what Zarr would choose": {"compressors": "auto"},
    "big-endian": {"serializer": BytesCodec(endian="big"), "compressors": None},
    "other names of files": {
        "chunk_key_encoding": {"name": "v2", "separator": "."},
        "compressors": None,
    },
    "two codecs": {"compressors": [BloscCodec(), GzipCodec()]},
    "shards": {"shards": (500,), "compressors": None},
}
OURS = {"plain": {"compressors": None}, "packed": {"compressors": BloscCodec(cname="lz4")}}


def read(path, name="a"):
    return read_group(path, {name: (1000, "float64")})[name]


def written(path, options):
    """A group with one array, written by Zarr itself."""
    group = zarr.create_group(path)
    array = group.create_array("a", shape=(1000,), chunks=(250,), dtype="float64", **options)
    array[:] = NUMBERS
    return path


@pytest.mark.parametrize("options", OTHERS.values(), ids=OTHERS)
def test_arrays_that_are_not_as_we_write_them_are_read_by_zarr(tmp_path, options):
    path = written(tmp_path / "g", options)
    assert Chunks.at(path / "a").source is not None
    assert read(path).tobytes() == NUMBERS.tobytes()


@pytest.mark.parametrize("options", OURS.values(), ids=OURS)
def test_arrays_that_are_as_we_write_them_are_read_directly(tmp_path, options):
    path = written(tmp_path / "g", options)
    assert Chunks.at(path / "a").source is None
    assert read(path).tobytes() == NUMBERS.tobytes()


def test_what_we_write_is_read_directly_and_by_zarr(tmp_path):
    arrays = {
        "numbers": NUMBERS,
        "part/index": np.arange(5000, dtype=np.int32),
        "part/few": np.arange(3, dtype=np.uint16),
        "none": np.zeros(0),
    }
    path = tmp_path / "g"
    write_group(path, arrays, {})
    root = zarr.open_group(path, mode="r")
    for name, chunks in chunks_of(path, list(arrays)).items():
        assert chunks.source is None, name
    found = read_group(path, {name: (len(a), a.dtype.name) for name, a in arrays.items()})
    for name, array in arrays.items():
        assert found[name].tobytes() == root[name][:].tobytes() == array.tobytes()


WRONG = {
    "no JSON": lambda header: "{",
    "no object": lambda header: "[]",
    "another version": lambda header: json.dumps(header | {"zarr_format": 2}),
    "a group": lambda header: json.dumps(header | {"node_type": "group"}),
    "no codecs": lambda header: json.dumps(header | {"codecs": []}),
    "an unknown codec": lambda header: json.dumps(header | {"codecs": [{"name": "?"}]}),
    "another length": lambda header: json.dumps(header | {"shape": [999]}),
    "two dimensions": lambda header: json.dumps(header | {"shape": [10, 100]}),
    "another type": lambda header: json.dumps(header | {"data_type": "float32"}),
    "no chunks": lambda header: json.dumps({k: v for k, v in header.items() if k != "chunk_grid"}),
}


@pytest.mark.parametrize("spoilt", WRONG.values(), ids=WRONG)
def test_a_header_that_says_something_else_is_damage(tmp_path, spoilt):
    path = written(tmp_path / "g", OURS["plain"])
    file = path / "a" / "zarr.json"
    file.write_text(spoilt(json.loads(file.read_text())))
    with pytest.raises(DamagedError, match="stored bytes are missing or altered"):
        read(path)
