"""One row of a matrix against the rows of a state, eight columns at a time.

What `ogas.kernels.lanes` does along a row, this does across the columns of a state: the columns are
the lanes, so each is added up in the order of the entries, with the same bits for any number of
columns. A row of the matrix is read again for every eight columns, from the first cache.

These are intrinsics: they exist only inside kernels, as code put in their place. Columns from
``plain`` on are multiplied by magnitudes. The row lies at ``first``, ``first + stride``, and so on
before ``last``.
"""

from contextlib import contextmanager

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
    store,
    widen,
    zeros,
)

CHUNK = 32


class Row:
    """The entries of one row and the products they are for."""

    def __init__(self, b, columns, values, span):
        self.b, self.columns, self.values = b, columns, values
        self.first, self.last, self.stride = span

    def entry(self, k):
        """Return entry k as float64, and its column."""
        value, column = self.b.load(self.b.gep(self.values.memory, [k])), self.columns.memory
        value = value if value.type == DOUBLE else self.b.fpext(value, DOUBLE)
        return value, self.b.zext(self.b.load(self.b.gep(column, [k])), LONG)

    def signed(self, value, plain):
        """Return eight times an entry, or its magnitude where a lane is not ``plain``."""
        both = all_lanes(self.b, value)
        return self.b.select(plain, both, magnitude(self.b, both))


@contextmanager
def groups(b, width, plain):
    """Loop over groups of columns: the first of each, which are there, and which are plain."""
    eight = ir.Constant(LONG, LANES)
    with cgutils.for_range_slice(b, ir.Constant(LONG, 0), width, eight) as (base, _):
        there = first_lanes(b, b.sub(width, base))
        yield base, there, first_lanes(b, minus_or_zero(b, plain, base))


@inlined
def row_of_columns(_context, columns, values, state, total, first, last, stride, plain):
    """Write ``total[c] = sum_k a_k state[j_k, c]`` in chunks of 32 terms, then over the chunks."""

    def generate(context, b, signature, arguments):
        columns, values, state, total = arrays_of(context, b, signature, arguments, 4)
        *span, plain = arguments[4:]
        row = Row(b, columns, values, span)
        chunk = b.mul(row.stride, ir.Constant(LONG, CHUNK))
        with groups(b, total.length, plain) as (base, there, is_plain):
            sums = cgutils.alloca_once_value(b, zeros(DOUBLE))
            part = cgutils.alloca_once(b, zeros(DOUBLE).type)
            b.store(zeros(DOUBLE), sums)
            with cgutils.for_range_slice(b, row.first, row.last, chunk) as (start, _):
                b.store(zeros(DOUBLE), part)
                end = b.add(start, chunk)
                stop = b.select(b.icmp_unsigned("<", end, row.last), end, row.last)
                with cgutils.for_range_slice(b, start, stop, row.stride) as (k, _):
                    value, column = row.entry(k)
                    place = b.add(b.mul(column, total.length), base)
                    numbers = widen(b, load(b, state.memory, place, state.element, there))
                    term = b.fmul(row.signed(value, is_plain), numbers)
                    b.store(b.fadd(b.load(part), term), part)
                b.store(b.fadd(b.load(sums), b.load(part)), sums)
            store(b, total.memory, base, b.load(sums), there)
        return context.get_dummy_value()

    kinds = (columns, values, state, total, *[types.uint64] * 4)
    return types.void(*kinds), generate


@inlined
def column_of_columns(_context, columns, values, worth, out, first, last, stride, plain):
    """Add ``a_k worth[c]`` to ``out[j_k, c]`` for all of one row."""

    def generate(context, b, signature, arguments):
        columns, values, worth, out = arrays_of(context, b, signature, arguments, 4)
        *span, plain = arguments[4:]
        row = Row(b, columns, values, span)
        with groups(b, worth.length, plain) as (base, there, is_plain):
            numbers = load(b, worth.memory, base, DOUBLE, there)
            with cgutils.for_range_slice(b, row.first, row.last, row.stride) as (k, _):
                value, column = row.entry(k)
                place = b.add(b.mul(column, worth.length), base)
                before = load(b, out.memory, place, DOUBLE, there)
                term = b.fmul(row.signed(value, is_plain), numbers)
                store(b, out.memory, place, b.fadd(before, term), there)
        return context.get_dummy_value()

    kinds = (columns, values, worth, out, *[types.uint64] * 4)
    return types.void(*kinds), generate
