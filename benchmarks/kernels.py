"""Nanoseconds per nonzero of the kernels over blocks, against what this machine's memory can do.

A synthetic economy well past the caches: blocks of 65,536 products whose rows have 75 entries on
the average, in columns drawn evenly; orders of 8 entries on the average; a few dense blocks. The
same process reads a long array and runs SciPy on the same entries, all of it interleaved. Of every
case the best round counts: machines drift by half, ratios within a table by a tenth.

Sweeps take the rows as they lie, or shuffled, which is the worst order there is: memory then brings
each row alone, and with it pieces of neighbours that nobody asked for.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from ogas.engine.exchange import available_cores
from ogas.kernels import dense, orders, pair, slices, stream

SEED = 70_919
FLOOR, LEEWAY = 1e-30, 1e-12
PIECES = 20

Array = npt.NDArray[Any]
Call = Callable[[], object]


@dataclass(frozen=True)
class Size:
    """Blocks, products of each, external products of each; dense blocks; numbers to read."""

    blocks: int = 20
    products: int = 65_536
    external: int = 400_000
    dense_blocks: int = 8
    dense_products: int = 4096
    stream: int = 80_000_000
    rounds: int = 5


QUICK = Size(2, 2048, 4000, 2, 256, 200_000, 1)


@dataclass(frozen=True)
class Label:
    """A kernel, the types of values and vectors, and the bytes it reads of the matrix a nonzero."""

    kernel: str
    precision: str
    bytes: int


@dataclass(frozen=True)
class Part:
    """One block's share of the work: its nonzeros, and a call of every kernel that takes them."""

    nonzeros: int
    calls: dict[Label, Call]


@dataclass(frozen=True)
class Speed:
    """Nanoseconds per nonzero on one thread and on all."""

    label: Label
    one: float
    all: float

    @property
    def rate(self) -> float:
        """GB of matrix per second on all threads."""
        return self.label.bytes / self.all


def speeds(size: Size) -> list[Speed]:
    """Measure every kernel; the first one reads a long array and does nothing else."""
    with ThreadPoolExecutor(available_cores()) as pool:
        works = [_stream(size)]
        makers = ((_own, size.blocks), (_orders, size.blocks), (_dense, size.dense_blocks))
        for (make, count), seed in zip(
            makers, np.random.SeedSequence(SEED).spawn(len(makers)), strict=True
        ):
            works.append(list(pool.map(partial(make, size), seed.spawn(count))))
        cases = [
            (label, [part.calls[label] for part in parts], sum(part.nonzeros for part in parts))
            for parts in works
            for label in parts[0].calls
        ]
        rounds = [
            [(seconds(calls, map), seconds(calls, pool.map)) for _, calls, _ in cases]
            for _ in range(1 + size.rounds)
        ]
    best = np.min(rounds[1:], axis=0)  # the first round warms up
    return [
        Speed(label, *(1e9 * spent / nonzeros).tolist())
        for (label, _, nonzeros), spent in zip(cases, best, strict=True)
    ]


def seconds(calls: Sequence[Call], spread: Callable[..., Iterator[object]]) -> float:
    """Return how long calls take that a map, of one thread or of a pool, spreads."""
    start = time.perf_counter()
    list(spread(lambda call: call(), calls))
    return time.perf_counter() - start


def _stream(size: Size) -> list[Part]:
    """Read a long array, and write the sum of two others, in pieces."""
    length = size.stream // PIECES
    long, *triad = np.ones((4, PIECES, length))
    return [
        Part(
            length,
            {
                Label("stream read", "f64", 8): partial(stream.read, long[piece]),
                Label("stream triad", "f64", 24): partial(
                    stream.triad, triad[0][piece], triad[1][piece], 3.0, triad[2][piece]
                ),
            },
        )
        for piece in range(PIECES)
    ]


def _own(size: Size, seed: np.random.SeedSequence) -> Part:
    """Sweep and add up a sparse own part, and let SciPy do so."""
    draw, b = np.random.default_rng(seed), size.products
    indptr, columns, values = _drawn(draw, draw.poisson(75, b), b)
    lying = np.arange(b, dtype=np.int32)
    ways = {"": lying, ", shuffled": draw.permutation(lying)}
    rest, given, sums = (np.zeros(b), np.ones(b)), np.zeros((b, 2)), np.empty((b, 2))
    peer = scipy.sparse.csr_array(
        (values.astype(np.float64), columns.astype(np.int32), indptr.astype(np.int32)), (b, b)
    )
    calls: dict[Label, Call] = {Label("SciPy CSR @ x", "f64 f64", 12): lambda: peer @ rest[1]}
    for precision, entries, x, both in _precisions(values, b):
        label = partial(Label, precision=precision, bytes=2 + entries.itemsize)
        matrix = (indptr, columns, entries)
        for way, order in ways.items():
            calls[label(f"own sweep x{way}")] = partial(
                pair.sweep_one, *matrix, order, *rest, given[:, 0].copy(), x, FLOOR
            )
            calls[label(f"own sweep x+w{way}")] = partial(
                pair.sweep_pair, *matrix, order, *rest, given, both, FLOOR, LEEWAY
            )
        calls[label("own sums x+w")] = partial(pair.sums_pair, *matrix, both, sums)
    return Part(len(values), calls)


def _orders(size: Size, seed: np.random.SeedSequence) -> Part:
    """Add up orders of external products."""
    draw, b = np.random.default_rng(seed), size.products
    drawn = _drawn(draw, draw.geometric(1 / 8, size.external), b)
    _, hub_ptr, slice_ptr, columns, values = slices.slice_rows(*drawn)
    places = len(hub_ptr) - 1 + slices.SLICE * (len(slice_ptr) - 1)
    one, two = np.empty(places), np.empty((places, 2))
    calls: dict[Label, Call] = {}
    for precision, entries, x, both in _precisions(values, b):
        label = partial(Label, precision=precision, bytes=2 + entries.itemsize)
        matrix = (hub_ptr, slice_ptr, columns, entries)
        calls[label("orders x")] = partial(orders.orders_one, *matrix, x, one)
        calls[label("orders x+w")] = partial(orders.orders_pair, *matrix, both, two)
    return Part(len(drawn[1]), calls)


def _dense(size: Size, seed: np.random.SeedSequence) -> Part:
    """Sweep and add up a dense own part."""
    draw, b = np.random.default_rng(seed), size.dense_products
    values = draw.random((b, b), np.float32) / np.float32(b)
    order = draw.permutation(np.arange(b, dtype=np.int32))
    rest, given, sums = (np.zeros(b), np.ones(b)), np.zeros((b, 2)), np.empty((b, 2))
    calls: dict[Label, Call] = {}
    for precision, matrix, _, both in _precisions(values, b):
        label = partial(Label, precision=precision, bytes=matrix.itemsize)
        calls[label("dense sweep x+w")] = partial(
            dense.sweep_dense, matrix, order, *rest, given, both, FLOOR, LEEWAY
        )
        calls[label("dense sums x+w")] = partial(dense.sums_dense, matrix, both, sums)
    return Part(values.size, calls)


def _drawn(draw: np.random.Generator, lengths: Array, b: int) -> tuple[Array, Array, Array]:
    """Return rows of these lengths; a column of the matrix adds up to about a half."""
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    columns = draw.integers(0, b, indptr[-1], dtype=np.uint16)
    values = draw.random(indptr[-1], np.float32) * np.float32(b / indptr[-1])
    return indptr, columns, values


def _precisions(values: Array, b: int) -> Iterator[tuple[str, Array, Array, Array]]:
    """Yield values, a vector and a pair in each precision, the two f32 sharing one matrix."""
    wide = values.astype(np.float64)
    for name, entries, vector in (
        ("f32 f32", values, np.float32),
        ("f32 f64", values, np.float64),
        ("f64 f64", wide, np.float64),
    ):
        yield name, entries, np.ones(b, vector), np.ones((b, 2), vector)
