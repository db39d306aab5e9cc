"""The only place that chooses Numba flags.

- ``nogil``: blocks are swept by plain threads, and servers keep answering meanwhile;
- explicit signatures: compiled when the module loads, never a second time for a new dtype;
- ``cache``: the machine code of the first run serves every later one;
- ``fastmath`` stays off: it would delete the checks for NaN and reorder sums, and two machines
  would no longer compute the same bits.
"""

from collections.abc import Callable, Sequence
from typing import Any

from numba import njit

#: The row pointers and column indices of a CSR matrix, in the forms the kernels are compiled for.
CSR_FORMS = ("int64[::1], int32[::1], float64[::1]", "int64[::1], int64[::1], float64[::1]")


def kernel(signatures: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a loop over raw arrays for the given signatures."""

    def compile_loop(loop: Callable[..., Any], *, cache: bool) -> Callable[..., Any]:
        return njit(list(signatures), nogil=True, error_model="numpy", cache=cache)(loop)

    def compiled(loop: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return compile_loop(loop, cache=True)
        except RuntimeError:
            # No folder may be written to, neither the package's own nor the user's: compile again
            # in every process, which takes seconds, instead of failing.
            return compile_loop(loop, cache=False)

    return compiled


def csr_kernel(returns: str, arguments: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a loop whose first arguments are ``indptr, indices, data``."""
    return kernel([f"{returns}({form}, {arguments})" for form in CSR_FORMS])
