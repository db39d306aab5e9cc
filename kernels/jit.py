"""The only place that chooses Numba flags.

- ``nogil``: blocks are swept by plain threads, and servers keep answering meanwhile;
- explicit signatures: compiled when a kernel is first called, never again for a new dtype;
- caching: the machine code of the first run serves every later one, until a file here changes;
- ``fastmath`` stays off: it would delete the checks for NaN and reorder sums, and two machines
  would no longer compute the same bits.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import update_wrapper
from pathlib import Path
from threading import RLock
from typing import Any

from numba import njit

#: A fingerprint of all kernels. Machine code contains what is inlined from other files, but Numba
#: asks only whether the file of the kernel itself has changed.
SOURCES = hashlib.sha256(
    b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py")))
).hexdigest()

#: The row pointers and column indices of a CSR matrix, in the forms the kernels are compiled for.
CSR_FORMS = ("int64[::1], int32[::1], float64[::1]", "int64[::1], int64[::1], float64[::1]")


#: One thread compiles at a time. A kernel may call another, which is compiled meanwhile.
COMPILING = RLock()

#: All kernels of the modules that were imported.
MADE: "list[Kernel]" = []


class Kernel:
    """A loop over raw arrays, compiled for its signatures when it is first called.

    To read the machine code of one signature takes some milliseconds, and a command needs few of
    them.
    """

    def __init__(self, loop: Callable[..., Any], signatures: Sequence[str]) -> None:
        update_wrapper(self, loop)
        MADE.append(self)
        self.loop, self.signatures = loop, signatures
        self._compiled: Any = None

    def __call__(self, *arguments: Any) -> Any:
        """Run the loop."""
        return (self._compiled or self.compiled)(*arguments)

    @property
    def compiled(self) -> Any:
        """Numba's dispatcher, for the declared signatures and no others."""
        with COMPILING:
            if self._compiled is None:
                self._compiled = self._compile()
        return self._compiled

    @property
    def _numba_type_(self) -> Any:
        """What Numba takes a kernel for in which it finds another."""
        return self.compiled._numba_type_

    def _compile(self) -> Any:
        dispatcher = njit(nogil=True, error_model="numpy")(self.loop)
        try:
            keep_machine_code(dispatcher)
        except (RuntimeError, AttributeError):
            # No folder may be written to, neither the package's own nor the user's; or this Numba
            # keeps its stamps elsewhere. Compile again in every process, which takes seconds,
            # instead of failing or trusting code that may be stale.
            return njit(list(self.signatures), nogil=True, error_model="numpy")(self.loop)
        for signature in self.signatures:
            dispatcher.compile(signature)
        dispatcher.disable_compile()
        return dispatcher


def make_ready() -> None:
    """Compile or read all of `MADE`, for a process whose first steps are to be quick, or timed."""
    for made in MADE:
        _ = made.compiled


def kernel(signatures: Sequence[str]) -> Callable[[Callable[..., Any]], Kernel]:
    """Make a kernel of a loop over raw arrays, for the given signatures."""
    return lambda loop: Kernel(loop, signatures)


def keep_machine_code(dispatcher: Any) -> None:
    """Let Numba keep the machine code on disk, stamped with all files it may come from.

    The stamp is no part of Numba's interface; it has had this name from the first cache on.
    """
    dispatcher.enable_caching()
    file = dispatcher._cache._cache_file
    file._source_stamp = (file._source_stamp, SOURCES)


def csr_kernel(returns: str, arguments: str) -> Callable[[Callable[..., Any]], Kernel]:
    """Make a kernel of a loop whose first arguments are ``indptr, indices, data``."""
    return kernel([f"{returns}({form}, {arguments})" for form in CSR_FORMS])
