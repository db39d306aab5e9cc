"""Tables that have every kind of field, and what it means for two tables to be the same."""

import dataclasses

import numpy as np
from hypothesis import strategies as st
from scipy.sparse import coo_array, random_array

from ogas.engine.table import Table, coefficients_from

SEED = 20240311
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def same(one, other):
    """Whether two tables are equal in every field, to the last bit and the type."""
    a, b = one.coefficients, other.coefficients
    assert a.shape == b.shape
    for part in ("indptr", "indices", "data"):
        left, right = getattr(a, part), getattr(b, part)
        assert left.dtype == right.dtype, part
        assert left.tobytes() == right.tobytes(), part
    for field in dataclasses.fields(Table):
        if field.name != "coefficients":
            assert alike(getattr(one, field.name), getattr(other, field.name)), field.name
    return True


def alike(one, other):
    if isinstance(one, np.ndarray):
        return one.dtype.kind == other.dtype.kind and one.tolist() == other.tolist()
    if isinstance(one, dict):
        return list(one) == list(other) and all(alike(one[key], other[key]) for key in one)
    return one == other


def small_table(n=12, blocks=3, **fields):
    """A table of every kind of field: text with accents, two factors, three blocks."""
    draw = np.random.default_rng(SEED)
    defaults = {
        "ids": np.array([f"produit-é-{i}" for i in range(n)]),
        "demand": draw.normal(size=n),
        "factors": {"labour": draw.random(n), "CO₂/air": draw.random(n)},
        "names": np.array([f"名前 {i}" for i in range(n)]),
        "units": np.array(["kg", "m³"] * (n // 2)),
        "factor_units": {"labour": "h", "CO₂/air": "t"},
        "output": draw.random(n),
        "price": draw.random(n),
        "blocks": np.arange(n, dtype=np.int64) % blocks,
        "meta": {"source": "drawn", "year": 2024, "tags": ["a", None, {"b": 1.5}]},
    }
    matrix = coefficients_from(random_array((n, n), density=0.3, rng=draw))
    return Table(matrix, **(defaults | fields))


@st.composite
def tables(draw, text=TEXT):
    """Tables of up to seven products; every field that may be missing sometimes is."""
    n = draw(st.integers(1, 7))
    value_type = draw(st.sampled_from(["float64", "float32"]))
    single = st.floats(width=32, allow_nan=False, allow_infinity=False)
    values = single if value_type == "float32" else NUMBERS
    place = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    entries = draw(st.dictionaries(place, values, max_size=12))
    rows = [row for row, _ in entries]
    columns = [column for _, column in entries]
    matrix = coo_array((np.array([*entries.values()], float), (rows, columns)), shape=(n, n))

    def vector():
        return np.array(draw(st.lists(NUMBERS, min_size=n, max_size=n)))

    def texts(**options):
        return np.array(draw(st.lists(text, min_size=n, max_size=n, **options)), dtype=np.str_)

    wide = st.integers(-(2**63), 2**63 - 1)
    numbered = st.lists(wide, min_size=n, max_size=n, unique=True)
    block = st.lists(st.integers(0, n - 1), min_size=n, max_size=n)
    return Table(
        coefficients_from(matrix),
        np.array(draw(numbered), np.int64) if draw(st.booleans()) else texts(unique=True),
        demand=vector() if draw(st.booleans()) else None,
        factors={name: vector() for name in draw(st.lists(text, max_size=2, unique=True))},
        names=texts() if draw(st.booleans()) else None,
        units=texts() if draw(st.booleans()) else draw(text),
        output=np.abs(vector()) if draw(st.booleans()) else None,
        blocks=np.array(draw(block), np.int64) if draw(st.booleans()) else None,
        value_type=value_type,
        meta=draw(st.dictionaries(text, st.none() | NUMBERS | text, max_size=2)),
    )
