"""Eight numbers at a time: the LLVM vector instructions of which the lanes are made.

Numba has no vectors of its own, and what LLVM makes of a plain loop differs between machines.
Written out like this, every machine carries out the same operations in the same order, with
whatever instructions it has: products and sums apart (never fused), nothing reassociated.

Here ``b`` is the builder of the code of one intrinsic, ``mask`` tells which lanes are there (None:
all; the others are not read and count as 0), and element types are those of llvmlite.
"""

from llvmlite import ir
from numba.core import cgutils

LANES = 8
DOUBLE, FLOAT = ir.DoubleType(), ir.FloatType()
BIT, BYTE, SHORT, INT, LONG = (ir.IntType(bits) for bits in (1, 8, 16, 32, 64))
NAMES = {DOUBLE: "f64", FLOAT: "f32", SHORT: "i16", LONG: "i64"}
SIZES = {DOUBLE: 8, FLOAT: 4, SHORT: 2, LONG: 8}

#: Prefetch into the second cache: the first is too small to keep a row and what it gathers.
SECOND_CACHE = 2


def vector(element, lanes=LANES):
    """Return the type of a vector."""
    return ir.VectorType(element, lanes)


def constants(element, numbers):
    """Return a vector of known numbers."""
    return ir.Constant(vector(element, len(numbers)), list(numbers))


def zeros(element):
    """Return eight zeros."""
    return ir.Constant(vector(element), None)


def all_lanes(b, number):
    """Return eight times the same number."""
    one = b.insert_element(zeros(number.type), number, ir.Constant(INT, 0))
    return b.shuffle_vector(one, one, constants(INT, [0] * LANES))


def first_lanes(b, count, skipped=0):
    """Return the mask of the lanes below ``count - skipped``."""
    lanes = constants(INT, range(skipped, skipped + LANES))
    return b.icmp_unsigned("<", lanes, all_lanes(b, b.trunc(count, INT)))


def minus_or_zero(b, number, other):
    """Return ``number - other``, or 0 where that would be negative."""
    is_more = b.icmp_unsigned(">", number, other)
    return b.select(is_more, b.sub(number, other), ir.Constant(LONG, 0))


def magnitude(b, numbers):
    """Return the magnitudes of eight float64."""
    return _call(b, f"llvm.fabs.v{LANES}f64", vector(DOUBLE), [numbers])


def plus(b, index, number):
    """Return an index moved on."""
    return b.add(index, ir.Constant(LONG, number))


def load(b, memory, index, element, mask=None):
    """Read eight neighbours from ``memory[index]`` on."""
    start = b.bitcast(b.gep(memory, [index]), vector(element).as_pointer())
    if mask is None:
        return b.load(start, align=SIZES[element])
    name = f"llvm.masked.load.v{LANES}{NAMES[element]}.p0"
    size = ir.Constant(INT, SIZES[element])
    return _call(b, name, vector(element), [start, size, mask, zeros(element)])


def gather(b, memory, indices, element, mask=None):
    """Read ``memory[indices]``."""
    places = b.gep(memory, [indices], inbounds=True, source_etype=element)
    places.type = vector(element.as_pointer())  # llvmlite takes every address for a single one
    mask = constants(BIT, [1] * LANES) if mask is None else mask
    name = f"llvm.masked.gather.v{LANES}{NAMES[element]}.v{LANES}p0"
    size = ir.Constant(INT, SIZES[element])
    return _call(b, name, vector(element), [places, size, mask, zeros(element)])


def store(b, memory, index, numbers, mask=None):
    """Write numbers from ``memory[index]`` on."""
    element = numbers.type.element
    start = b.bitcast(b.gep(memory, [index]), numbers.type.as_pointer())
    if mask is None:
        b.store(numbers, start, align=SIZES[element])
        return
    name = f"llvm.masked.store.v{LANES}{NAMES[element]}.p0"
    _call(b, name, ir.VoidType(), [numbers, start, ir.Constant(INT, SIZES[element]), mask])


def side_by_side(b, columns):
    """Return one vector as it is, and two as pairs: first 0, second 0, first 1, second 1, ..."""
    if len(columns) == 1:
        return columns[0]
    pairs = [lane + LANES * column for lane in range(LANES) for column in (0, 1)]
    return b.shuffle_vector(*columns, constants(INT, pairs))


def widen(b, numbers):
    """Return numbers as float64."""
    return numbers if numbers.type.element == DOUBLE else b.fpext(numbers, vector(DOUBLE))


def narrow(b, numbers, element):
    """Return float64 rounded to the type of an element."""
    return numbers if element == DOUBLE else b.fptrunc(numbers, vector(element))


def halves(b, words):
    """Return the two float32 in each of eight words of 64 bits, as float64."""
    upper = b.lshr(words, constants(LONG, [32] * LANES))
    parts = (b.trunc(part, vector(INT)) for part in (words, upper))
    return [widen(b, b.bitcast(part, vector(FLOAT))) for part in parts]


def tree_sum(b, numbers):
    """Add up eight numbers in pairs: (0+4, 1+5, 2+6, 3+7), then (04+26, 15+37), then these two."""
    width = LANES // 2
    while width:
        lower, upper = constants(INT, range(width)), constants(INT, range(width, 2 * width))
        numbers = b.fadd(
            b.shuffle_vector(numbers, numbers, lower), b.shuffle_vector(numbers, numbers, upper)
        )
        width //= 2
    return b.extract_element(numbers, ir.Constant(INT, 0))


def prefetch_line(b, memory, index):
    """Ask for the cache line of ``memory[index]``, which need not exist."""
    place = b.bitcast(b.gep(memory, [index]), BYTE.as_pointer())
    flags = [ir.Constant(INT, flag) for flag in (0, SECOND_CACHE, 1)]
    _call(b, "llvm.prefetch.p0", ir.VoidType(), [place, *flags])


def _call(b, name, returns, arguments):
    kind = ir.FunctionType(returns, [argument.type for argument in arguments])
    return b.call(cgutils.get_or_insert_function(b.module, kind, name), arguments)
