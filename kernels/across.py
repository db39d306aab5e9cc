"""Rows of many columns, eight columns at a time: against a row of a matrix, and against each other.

What `ogas.kernels.lanes` does along a row, this does across the columns of a state: the columns are
the lanes, so each is added up in the order of the entries, with the same bits for any number of
columns. Up to 16 columns share one reading of the row, or 24.

These are intrinsics: they exist only inside kernels, as code put in their place. Columns from
``plain`` on are multiplied by magnitudes. The row lies at ``first``, ``first + stride``, and so on
before ``last``.
"""

from llvmlite import ir
from numba.core import cgutils, types

from ogas.kernels.arrays import arrays_of, inlined
from ogas.kernels.vectors import (
    DOUBLE,
    LANES,
    LONG,
    all_lanes,
    first_lanes,
    load,
    magnitude,
    minus_or_zero,
    narrow,
    plus,
    store,
    widen,
    zeros,
)

CHUNK = 32
# Vectors of eight columns that share one reading: of sums, with 3 orders are slower; of what is
# spread, 18 columns take 25 ns an entry with 3, and 48 with 2.
SUMMED, SPREAD = 2, 3


class Row:
    """The entries of one row and the products they are for."""

    def __init__(self, b, columns, values, span):
        self.b, self.columns, self.values = b, columns, values
        self.first, self.last, self.stride = span

    def entry(self, k, width):
        """Return eight times entry k as float64, and where the row of its product begins."""
        value = self.b.load(self.b.gep(self.values.memory, [k]))
        value = value if value.type == DOUBLE else self.b.fpext(value, DOUBLE)
        column = self.b.load(self.b.gep(self.columns.memory, [k]))
        return all_lanes(self.b, value), self.b.mul(self.b.zext(column, LONG), width)


class Group:
    """Eight columns, or what is left of them, from ``base`` on."""

    def __init__(self, b, base, width, *, is_full):
        self.b, self.base = b, base
        self.there = None if is_full else first_lanes(b, b.sub(width, base))

    def load(self, array, place):
        """Read these columns of a row that begins at ``place``."""
        index = self.b.add(place, self.base)
        return widen(self.b, load(self.b, array.memory, index, array.element, self.there))

    def store(self, array, place, numbers):
        """Write these columns of a row that begins at ``place``."""
        numbers = narrow(self.b, numbers, array.element)
        store(self.b, array.memory, self.b.add(place, self.base), numbers, self.there)

    def entry(self, value, plain):
        """Return eight times an entry, or its magnitude from column ``plain`` on."""
        is_plain = first_lanes(self.b, minus_or_zero(self.b, plain, self.base))
        return self.b.select(is_plain, value, magnitude(self.b, value))


def for_groups(b, width, body, most=SUMMED):
    """Put in place ``body(groups)`` for all columns, with up to ``most`` groups at a time."""

    def put(base, count):
        body(
            [Group(b, plus(b, base, LANES * g), width, is_full=g < count - 1) for g in range(count)]
        )

    def choose(base, count):
        if count == 1:
            put(base, count)
            return
        is_more = b.icmp_unsigned(">", b.sub(width, base), ir.Constant(LONG, LANES * (count - 1)))
        with b.if_else(is_more) as (more, fewer):
            with more:
                put(base, count)
            with fewer:
                choose(base, count - 1)

    step = ir.Constant(LONG, LANES * most)
    with cgutils.for_range_slice(b, ir.Constant(LONG, 0), width, step) as (base, _):
        choose(base, most)


@inlined
def row_of_columns(_context, columns, values, state, total, first, last, stride, plain):
    """Write ``total[c] = sum_k a_k state[j_k, c]`` in chunks of 32 terms, then over the chunks."""

    def generate(context, b, signature, arguments):
        columns, values, state, total = arrays_of(context, b, signature, arguments, 4)
        *span, plain = arguments[4:]
        row, width = Row(b, columns, values, span), total.length
        chunk = b.mul(row.stride, ir.Constant(LONG, CHUNK))

        def add_up(groups):
            sums, parts = (
                [cgutils.alloca_once(b, zeros(DOUBLE).type) for _ in groups] for _ in range(2)
            )
            for slot in sums:
                b.store(zeros(DOUBLE), slot)
            with cgutils.for_range_slice(b, row.first, row.last, chunk) as (start, _):
                for slot in parts:
                    b.store(zeros(DOUBLE), slot)
                end = b.add(start, chunk)
                stop = b.select(b.icmp_unsigned("<", end, row.last), end, row.last)
                with cgutils.for_range_slice(b, start, stop, row.stride) as (k, _):
                    value, place = row.entry(k, width)
                    for group, slot in zip(groups, parts, strict=True):
                        entry, numbers = group.entry(value, plain), group.load(state, place)
                        term = b.fmul(entry, numbers)
                        b.store(b.fadd(b.load(slot), term), slot)
                for whole, part in zip(sums, parts, strict=True):
                    b.store(b.fadd(b.load(whole), b.load(part)), whole)
            for group, slot in zip(groups, sums, strict=True):
                group.store(total, ir.Constant(LONG, 0), b.load(slot))

        for_groups(b, width, add_up)
        return context.get_dummy_value()

    kinds = (columns, values, state, total, *[types.uint64] * 4)
    return types.void(*kinds), generate


@inlined
def column_of_columns(_context, columns, values, worth, out, first, last, stride, plain):
    """Add ``a_k worth[c]`` to ``out[j_k, c]`` for all of one row."""

    def generate(context, b, signature, arguments):
        columns, values, worth, out = arrays_of(context, b, signature, arguments, 4)
        *span, plain = arguments[4:]
        row, width = Row(b, columns, values, span), worth.length

        def spread(groups):
            numbers = [group.load(worth, ir.Constant(LONG, 0)) for group in groups]
            with cgutils.for_range_slice(b, row.first, row.last, row.stride) as (k, _):
                value, place = row.entry(k, width)
                for group, each in zip(groups, numbers, strict=True):
                    term = b.fmul(group.entry(value, plain), each)
                    group.store(out, place, b.fadd(group.load(out, place), term))

        for_groups(b, width, spread, SPREAD)
        return context.get_dummy_value()

    kinds = (columns, values, worth, out, *[types.uint64] * 4)
    return types.void(*kinds), generate


@inlined
def add_scaled(_context, out, numbers, place, row, scale):
    """Add ``scale numbers[row]`` to ``out[place]``."""

    def generate(context, b, signature, arguments):
        out, numbers = arrays_of(context, b, signature, arguments, 2)
        place, row, scale = arguments[2:]
        width = b.extract_value(out.struct.shape, 1)
        target, source, scale = b.mul(place, width), b.mul(row, width), all_lanes(b, scale)

        def add(groups):
            for group in groups:
                term = b.fmul(scale, group.load(numbers, source))
                group.store(out, target, b.fadd(group.load(out, target), term))

        for_groups(b, width, add)
        return context.get_dummy_value()

    return types.void(out, numbers, types.uint64, types.uint64, types.float64), generate


def _corrected(*, is_added):
    """Return the intrinsic ``f(factor, shift, numbers, out, block, row, place, drift)``.

    It writes ``factor[block] numbers[row] + shift[block] numbers[row, drift]`` to ``out[place]``,
    or adds it to what is there. ``out`` may be ``numbers``, and ``place`` ``row``.
    """

    def corrected(_context, factor, shift, numbers, out, block, row, place, drift):
        def generate(context, b, signature, arguments):
            factor, shift, numbers, out = arrays_of(context, b, signature, arguments, 4)
            block, row, place, drift = arguments[4:]
            width = b.extract_value(out.struct.shape, 1)
            rule, source, target = (b.mul(index, width) for index in (block, row, place))
            along = b.load(b.gep(numbers.memory, [b.add(source, drift)]))
            along = all_lanes(b, along if along.type == DOUBLE else b.fpext(along, DOUBLE))

            def put(groups):
                for group in groups:
                    scaled = b.fmul(group.load(factor, rule), group.load(numbers, source))
                    found = b.fadd(scaled, b.fmul(group.load(shift, rule), along))
                    if is_added:
                        found = b.fadd(group.load(out, target), found)
                    group.store(out, target, found)

            for_groups(b, width, put)
            return context.get_dummy_value()

        return types.void(factor, shift, numbers, out, *[types.uint64] * 4), generate

    return inlined(corrected)


add_corrected, correct = _corrected(is_added=True), _corrected(is_added=False)
