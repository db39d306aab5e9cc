"""Arrays as the vector instructions see them: an address, a length and the type of an element."""

from collections.abc import Callable
from typing import Any

from numba.core import types
from numba.extending import intrinsic

from ogas.kernels.vectors import LONG, prefetch_line


def inlined(definition: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of the vector instructions for use in kernels."""
    return intrinsic(definition)


class Array:
    """The memory of an array among the arguments of an intrinsic, and what lies in it."""

    def __init__(self, context, b, kind, value):
        self.struct = context.make_array(kind)(context, b, value)
        self.memory = self.struct.data
        self.element = context.get_value_type(kind.dtype)
        self.length = b.extract_value(self.struct.shape, 0)

    def bounds(self, b):
        """Return the address of the first byte and of the byte after the last."""
        start = b.ptrtoint(self.memory, LONG)
        return start, b.add(start, b.mul(self.struct.nitems, self.struct.itemsize))


def arrays_of(context, b, signature, arguments, count):
    """Return the first ``count`` arguments of an intrinsic, which are arrays."""
    given = zip(signature.args[:count], arguments[:count], strict=True)
    return [Array(context, b, kind, value) for kind, value in given]


@inlined
def prefetch(_context, array, index):
    """Ask for the cache line of element ``index``, counted through all dimensions."""

    def generate(context, b, signature, arguments):
        (array,) = arrays_of(context, b, signature, arguments, 1)
        prefetch_line(b, array.memory, arguments[1])
        return context.get_dummy_value()

    return types.void(array, types.uint64), generate


@inlined
def overlap(_context, one, other):
    """Whether two arrays share memory."""

    def generate(context, b, signature, arguments):
        arrays = arrays_of(context, b, signature, arguments, 2)
        (start, end), (other_start, other_end) = (array.bounds(b) for array in arrays)
        return b.and_(
            b.icmp_unsigned("<", start, other_end), b.icmp_unsigned("<", other_start, end)
        )

    return types.boolean(one, other), generate
