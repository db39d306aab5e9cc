"""On what machine something was measured: a line to print below times."""

import platform
from pathlib import Path

from ogas.engine.exchange import available_cores


def description() -> str:
    """Return processor, cores, caches and memory, as far as the system tells.

    Examples
    --------
    >>> "Python" in description()
    True
    """
    parts = [_processor(), f"{available_cores()} cores", *_last_cache(), *_memory()]
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    return ", ".join([*parts, system, f"Python {platform.python_version()}"])


def _processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor() or platform.machine()


def _last_cache() -> list[str]:
    sizes = [
        text
        for index in range(5)
        for text in _lines(f"/sys/devices/system/cpu/cpu0/cache/index{index}/size")
    ]
    return [f"last cache {sizes[-1]}"] if sizes else []


def _memory() -> list[str]:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal"):
            return [f"{int(line.split()[1]) / 2**20:.0f} GiB"]
    return []


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
