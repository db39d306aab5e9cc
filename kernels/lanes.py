"""Sums over the rows of a block in fixed lanes, with the same bits on every machine.

A row is added up in sixteen lanes: two accumulators of eight, all starting from 0.

    element    0 ..  7   8 .. 15  16 .. 23  24 .. 31  32 ..
              first      second    first     second    first      one after the other
    sum       first + second, then the eight that are left in pairs

A slice is sixteen rows side by side, one per lane; each lane adds up its own row from the start.
Products and sums are in float64 and rounded one by one; the product of two float32 is exact. An
accumulator is never -0, so lanes that are not there add +0 and change nothing.

These are intrinsics: they exist only inside kernels, as code put in their place. ``width`` is 1
for a vector (b,) and 2 for a pair (b, 2), whose two columns share one read of the matrix.
"""

from llvmlite import ir
from numba.core import cgutils, types

from ogas.kernels.arrays import arrays_of, inlined
from ogas.kernels.vectors import (
    DOUBLE,
    FLOAT,
    INT,
    LANES,
    LONG,
    SHORT,
    all_lanes,
    constants,
    first_lanes,
    gather,
    halves,
    load,
    narrow,
    plus,
    prefetch_line,
    side_by_side,
    store,
    tree_sum,
    widen,
    zeros,
)

STEP = 2 * LANES

#: How far ahead a matrix that is read from front to back is asked for, in elements.
AHEAD = 2048

#: What kernels over a block are compiled for: matrix values and vectors.
PRECISIONS = (("float32", "float32"), ("float32", "float64"), ("float64", "float64"))


def in_all_precisions(signature):
    """Return a signature for each precision of ``{values}`` and ``{vector}``."""
    return [signature.format(values=values, vector=vector) for values, vector in PRECISIONS]


class Accumulators:
    """``count`` times ``width`` vectors of eight float64, from 0; LLVM keeps them in registers."""

    def __init__(self, b, count, width):
        self.b = b
        self.slots = [
            [cgutils.alloca_once_value(b, zeros(DOUBLE)) for _ in range(width)]
            for _ in range(count)
        ]

    def add(self, accumulator, products):
        """Add eight products per column to an accumulator."""
        for slot, terms in zip(self.slots[accumulator], products, strict=True):
            self.b.store(self.b.fadd(self.b.load(slot), terms), slot)

    def lanes(self, accumulator):
        """Return the eight sums of each column."""
        return [self.b.load(slot) for slot in self.slots[accumulator]]


def gathered(b, x, columns, width, mask):
    """Return what x holds at eight columns: one vector of float64, or two for a pair."""
    columns = b.zext(columns, ir.VectorType(LONG, LANES))
    if width == 1:
        return [widen(b, gather(b, x.memory, columns, x.element, mask))]
    if x.element == FLOAT:  # both float32 of a pair come with one gather of 64 bits
        words = b.bitcast(x.memory, LONG.as_pointer())
        return halves(b, gather(b, words, columns, LONG, mask))
    first = b.shl(columns, constants(LONG, [1] * LANES))
    second = b.or_(first, constants(LONG, [1] * LANES))
    return [gather(b, x.memory, place, DOUBLE, mask) for place in (first, second)]


def neighbours(b, pair, index, mask):
    """Return two vectors of float64: the rows of a pair from ``index`` on."""
    if pair.element == FLOAT:
        return halves(b, load(b, b.bitcast(pair.memory, LONG.as_pointer()), index, LONG, mask))
    if mask is not None:
        columns = b.add(all_lanes(b, index), constants(LONG, range(LANES)))
        return gathered(b, pair, columns, 2, mask)
    start = b.shl(index, ir.Constant(LONG, 1))
    parts = [load(b, pair.memory, plus(b, start, skip), DOUBLE) for skip in (0, LANES)]
    return [b.shuffle_vector(*parts, constants(INT, range(own, STEP, 2))) for own in (0, 1)]


def row_in_lanes(b, first, end, products, width, announce=lambda index: None):
    """Add up ``products(index, mask)`` from ``first`` to ``end`` in two accumulators.

    ``announce(index)`` comes before every sixteen products.
    """
    accumulators = Accumulators(b, 2, width)
    tail = b.add(first, b.and_(b.sub(end, first), ir.Constant(LONG, -STEP)))
    with cgutils.for_range_slice(b, first, tail, ir.Constant(LONG, STEP)) as (index, _):
        announce(index)
        terms = [products(plus(b, index, skipped), None) for skipped in (0, LANES)]
        for accumulator in (0, 1):
            accumulators.add(accumulator, terms[accumulator])
    announce(tail)
    rest = b.sub(end, tail)
    for accumulator, skipped in enumerate((0, LANES)):
        with b.if_then(b.icmp_unsigned(">", rest, ir.Constant(LONG, skipped))):
            mask = first_lanes(b, rest, skipped)
            accumulators.add(accumulator, products(plus(b, tail, skipped), mask))
    both = zip(accumulators.lanes(0), accumulators.lanes(1), strict=True)
    return [tree_sum(b, b.fadd(one, other)) for one, other in both]


def _sparse(b, arrays, width, distance):
    """Return how products of a sparse matrix are made, and how those ``distance`` on are asked for.

    Once for sixteen entries, which is a line of values in float32 and half a line of columns: more
    often costs 5 % in the instructions alone.
    """
    values, columns, x = arrays

    def products(index, mask):
        entries = widen(b, load(b, values.memory, index, values.element, mask))
        places = load(b, columns.memory, index, SHORT, mask)
        return [b.fmul(entries, part) for part in gathered(b, x, places, width, mask)]

    def announce(index):
        later = b.add(index, distance)
        prefetch_line(b, columns.memory, later)
        prefetch_line(b, values.memory, later)
        if values.element == DOUBLE:
            prefetch_line(b, values.memory, plus(b, later, LANES))

    return products, announce


def _row(width):
    """Return the intrinsic ``row(values, columns, x, first, end, ahead)``: a tuple of sums.

    The sums of ``values[k] * x[columns[k]]`` for first <= k < end. While element k is used, element
    k - first + ahead is asked for.
    """

    def row(_context, values, columns, x, first, end, ahead):
        def generate(context, b, signature, arguments):
            arrays = arrays_of(context, b, signature, arguments, 3)
            first, end, ahead = arguments[3:]
            products, announce = _sparse(b, arrays, width, b.sub(ahead, first))
            sums = row_in_lanes(b, first, end, products, width, announce)
            return context.make_tuple(b, signature.return_type, sums)

        kinds = (values, columns, x, types.uint64, types.uint64, types.uint64)
        return types.UniTuple(types.float64, width)(*kinds), generate

    return inlined(row)


def _sixteen_rows(width):
    """Return the intrinsic ``sixteen_rows(values, columns, x, out, first, end, row)``.

    It adds up elements first + lane, first + lane + 16, ... before ``end`` in each of sixteen lanes
    and writes the sums to the rows of ``out`` from ``row`` on.
    """

    def sixteen_rows(_context, values, columns, x, out, first, end, row):
        def generate(context, b, signature, arguments):
            *arrays, out = arrays_of(context, b, signature, arguments, 4)
            first, end, row = arguments[4:]
            products, announce = _sparse(b, arrays, width, ir.Constant(LONG, AHEAD))
            accumulators = Accumulators(b, 2, width)
            with cgutils.for_range_slice(b, first, end, ir.Constant(LONG, STEP)) as (index, _):
                announce(index)
                for group, skipped in enumerate((0, LANES)):
                    accumulators.add(group, products(plus(b, index, skipped), None))
            for group, skipped in enumerate((0, LANES)):
                place = b.mul(plus(b, row, skipped), ir.Constant(LONG, width))
                sums = [narrow(b, lanes, out.element) for lanes in accumulators.lanes(group)]
                store(b, out.memory, place, side_by_side(b, sums))
            return context.get_dummy_value()

        kinds = (values, columns, x, out, types.uint64, types.uint64, types.uint64)
        return types.void(*kinds), generate

    return inlined(sixteen_rows)


row_of_one, row_of_pair = _row(1), _row(2)
sixteen_rows_of_one, sixteen_rows_of_pair = _sixteen_rows(1), _sixteen_rows(2)


@inlined
def dense_row_of_pair(_context, matrix, pair, row):
    """Sum ``matrix[row, k] * pair[k]`` for all k, as a tuple of two."""

    def generate(context, b, signature, arguments):
        matrix, pair = arrays_of(context, b, signature, arguments, 2)
        start = b.mul(arguments[2], pair.length)

        def products(index, mask):
            entries = load(b, matrix.memory, b.add(start, index), matrix.element, mask)
            return [b.fmul(widen(b, entries), part) for part in neighbours(b, pair, index, mask)]

        sums = row_in_lanes(b, ir.Constant(LONG, 0), pair.length, products, 2)
        return context.make_tuple(b, signature.return_type, sums)

    return types.UniTuple(types.float64, 2)(matrix, pair, types.uint64), generate


@inlined
def sum_of_all(_context, numbers):
    """Add up a vector in the lanes of a row."""

    def generate(context, b, signature, arguments):
        (numbers,) = arrays_of(context, b, signature, arguments, 1)

        def products(index, mask):
            return [widen(b, load(b, numbers.memory, index, numbers.element, mask))]

        return row_in_lanes(b, ir.Constant(LONG, 0), numbers.length, products, 1)[0]

    return types.float64(numbers), generate
