"""The only place that chooses Numba flags.

- ``nogil``: blocks are swept by plain threads, and servers keep answering meanwhile;
- explicit signatures: each is compiled when it is first needed, and nothing for another dtype;
- caching: the machine code of the first run serves every later one, until a file here changes;
- ``fastmath`` stays off: it would delete the checks for NaN and reorder sums, and two machines
  would no longer compute the same bits.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.compiler_lock import global_compiler_lock
from numba.core.sigutils import normalize_signature

#: A fingerprint of all kernels. Machine code contains what is inlined from other files, but Numba
#: asks only whether the file of the kernel itself has changed.
SOURCES = hashlib.sha256(
    b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py")))
).hexdigest()

#: The row pointers and column indices of a CSR matrix, in the forms the kernels are compiled for.
CSR_FORMS = ("int64[::1], int32[::1], float64[::1]", "int64[::1], int64[::1], float64[::1]")

#: All kernels of the modules that were imported.
MADE: "list[Kernel]" = []

#: One thread compiles at a time, with Numba's own lock: a kernel may call another, which is
#: compiled meanwhile, and two locks could wait for each other.
COMPILING = global_compiler_lock


class Kernel:
    """A loop over raw arrays; each signature is compiled, or read, when it is first needed.

    To read the machine code of one signature takes some milliseconds, and a command needs few of
    them. Declared signatures must differ in their arrays: numbers may be converted.
    """

    def __init__(self, loop: Callable[..., Any], signatures: Sequence[str]) -> None:
        update_wrapper(self, loop)
        MADE.append(self)
        self.loop, self.signatures = loop, signatures
        self._compiled: Any = None
        self._is_ready = False

    def __call__(self, *arguments: Any) -> Any:
        """Run the loop."""
        return (self._compiled or self.compiled)(*arguments)

    @property
    def compiled(self) -> Any:
        """Numba's dispatcher, for the declared signatures and no others."""
        with COMPILING:
            if self._compiled is None:
                self._compiled = self._dispatcher()
        return self._compiled

    @property
    def _numba_type_(self) -> Any:
        """What Numba takes a kernel for in which it finds another."""
        return self.compiled._numba_type_

    def make_ready(self) -> None:
        """Compile what is not kept on disk."""
        with COMPILING:
            if self._is_ready:
                return
            dispatcher = self.compiled
            kept = kept_on_disk(dispatcher)
            for types, signature in self._declared().items():
                if signature not in kept:
                    dispatcher.compile(types)
            self._is_ready = True

    def _dispatcher(self) -> Any:
        dispatcher: Any = njit(nogil=True, error_model="numpy")(self.loop)
        try:
            keep_machine_code(dispatcher)
        except (RuntimeError, AttributeError):
            # No folder may be written to, neither the package's own nor the user's; or this Numba
            # keeps its stamps elsewhere. Compile again in every process, which takes seconds,
            # instead of failing or trusting code that may be stale.
            dispatcher = njit(nogil=True, error_model="numpy")(self.loop)
        dispatcher.compile = partial(_compile, dispatcher, dispatcher.compile, self._declared())
        return dispatcher

    def _declared(self) -> dict[tuple[Any, ...], str]:
        """Return the signatures by the types of their arguments."""
        parse: Callable[[str], Any] = normalize_signature
        return {parse(text)[0]: text for text in self.signatures}


def _compile(
    dispatcher: Any,
    compile_one: Callable[[str], Any],
    declared: dict[tuple[Any, ...], str],
    types: tuple[Any, ...],
) -> Any:
    """Return what to call for some types: this is what the dispatcher asks where it knows none.

    Its own way would be to compile for any types at all.
    """
    with COMPILING:
        if types in dispatcher.overloads:  # since a moment ago
            return dispatcher.overloads[types].entry_point
        if types in declared:
            return compile_one(declared[types])
        # Numbers may be converted, and the dispatcher knows how if it has all there is.
        for known, signature in declared.items():
            if known not in dispatcher.overloads:
                compile_one(signature)
        dispatcher.disable_compile()
        return dispatcher


def make_ready() -> None:
    """Have machine code of all of `MADE`, for a process whose steps are not to wait for it.

    Where it is on disk it is not read: a step reads what it needs in milliseconds. Processes that
    do this at the same time take any order, so that they share the work.
    """
    for made in random.sample(MADE, len(MADE)):
        made.make_ready()


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


def kept_on_disk(dispatcher: Any) -> set[str]:
    """Return the signatures whose machine code is kept; for a Numba that tells it, else none."""
    try:
        cache = dispatcher._cache
        return {
            key[0]
            for key in cache._cache_file._load_index()
            if key == cache._index_key(key[0], dispatcher.targetctx.codegen())
        }
    except AttributeError:
        return set()


def csr_kernel(returns: str, arguments: str) -> Callable[[Callable[..., Any]], Kernel]:
    """Make a kernel of a loop whose first arguments are ``indptr, indices, data``."""
    return kernel([f"{returns}({form}, {arguments})" for form in CSR_FORMS])
