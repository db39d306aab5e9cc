"""Where a table is, by its path or by the name of a bundled one."""

from pathlib import Path

from ogas.engine.errors import WrongUsageError

BUNDLED = Path(__file__).parent / "bundled"


def bundled() -> list[str]:
    """Return the names of the tables that come with the package.

    Examples
    --------
    >>> bundled()
    ['us-2021']
    """
    return sorted(pointer.parent.name for pointer in BUNDLED.glob("*/CURRENT"))


def locate(name_or_path: str | Path) -> Path:
    """Return the directory of a table; an existing path wins over the name of a bundled table.

    Raises
    ------
    WrongUsageError
        If there is neither; the message lists what is bundled.
    """
    path = Path(name_or_path)
    if path.exists():
        return path
    if str(name_or_path) in bundled():
        return BUNDLED / name_or_path
    raise WrongUsageError(
        "there is no such table",
        where=str(name_or_path),
        advice=f"name a table directory, or a bundled table: {', '.join(bundled())}",
    )
