"""What ``--blocks`` asks for: which products of a table are stored together, and why."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ogas.datasets.arrays import Array
from ogas.datasets.levels import level, read_blocks
from ogas.engine.blocking import auto, into
from ogas.engine.errors import WrongUsageError
from ogas.engine.partition import Partition, from_labels
from ogas.engine.table import Table

BY = "by:"
KEPT = "partition"  # the entry of meta that says where the blocks come from


def partitioned(table: Table, levels: Mapping[str, Array], asked: str) -> tuple[Table, str]:
    """Return the table in the blocks asked for, and one line on which they are.

    Parameters
    ----------
    asked : str
        ``auto``, a number, ``by:LEVEL``, or the path of a CSV or Parquet file ``id,block``.

    Raises
    ------
    WrongUsageError
        If it is none of these, there is no such level, or there are too few products.
    InvalidInputError
        If the file does not give every product one block.
    """
    found = _partition(table, levels, asked)
    if table.blocks is not None and (found.blocks == table.blocks).all():
        return table, found.why
    meta = {name: entry for name, entry in table.meta.items() if name != KEPT}
    if found.count == 1:
        return replace(table, blocks=None, meta=meta), found.why
    return replace(table, blocks=found.blocks, meta=meta | {KEPT: found.why}), found.why


def _partition(table: Table, levels: Mapping[str, Array], asked: str) -> Partition:
    if asked == "auto":
        return auto(table)
    if asked.startswith(BY):
        name = asked.removeprefix(BY)
        return _labelled(level(name, table.ids, levels), f"by {name}")
    if asked.isdecimal():
        return into(table, int(asked))
    if Path(asked).suffix in (".csv", ".parquet"):
        return _labelled(read_blocks(Path(asked), table.ids), f"as {Path(asked).name} says")
    raise WrongUsageError(
        f"--blocks {asked!r} is no way to partition a table",
        advice="use auto, a number, by:LEVEL, or a CSV file with the columns id and block",
    )


def _labelled(labels: Array, how: str) -> Partition:
    found = Partition(from_labels(labels), how)
    count = "1 block" if found.count == 1 else f"{found.count:,} blocks"
    return replace(found, why=f"{count} {how}")
