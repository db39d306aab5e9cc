"""The versions that all processes of a job must share, for its numbers to have the same bits."""

from functools import cache

from distributed.versions import get_versions

PACKAGES = ("numpy", "scipy", "numba", "distributed", "ogas-engine")


@cache
def versions() -> str:
    """Return those of this process, Python's first, in one line.

    >>> versions().split()[0]
    'python'
    """
    found = get_versions(packages=PACKAGES)["packages"]
    return ", ".join(f"{name} {found.get(name)}" for name in ("python", *PACKAGES))
