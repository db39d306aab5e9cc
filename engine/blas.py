"""How dense matrices are multiplied and solved: by one thread, wherever that happens.

The same bits in every run on a machine, and no threads that fight with the sweeps.
"""

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which BLAS and LAPACK use one thread."""
    limited: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limited


@cache
def _libraries() -> ThreadpoolController:
    """Look once which libraries have threads of their own: it takes longer than a small table."""
    return ThreadpoolController()
