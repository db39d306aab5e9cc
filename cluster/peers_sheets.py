"""What `ogas bench peers` prints: classical results, ours beside theirs."""

import os
from pathlib import Path
from typing import Any

from ogas.cluster.progress import counting
from ogas.cluster.sheet import Sheet

PEERS = ("pymrio", "mario")


def sheets(quick: bool) -> list[Sheet]:
    """Measure; a peer that fails is reported as that."""
    from ogas.benchmarks.machine import description
    from ogas.benchmarks.peers import beside

    data = os.environ.get("OGAS_DATA")
    made: list[list[Any]] = []
    alone: list[list[Any]] = []
    with counting("measuring peers", "results") as progress:
        for number, row in enumerate(beside.rows(quick, Path(data) if data else None), 1):
            made.append(
                [
                    *(row.economy, row.what, _seconds(row.ours), row.ours.get("passes", "-")),
                    *(_seconds(row.others[peer]) for peer in PEERS),
                    *(_far(row.differences[peer]) for peer in PEERS),
                ]
            )
            progress(number, max(number, 20))
        for row in beside.large(5_000 if quick else beside.LARGE):
            memory = row.ours.get("peak_memory_bytes", 0) / 1e9
            told = [_seconds(row.ours), row.ours.get("passes", "-"), row.ours.get("columns", "-")]
            alone.append([row.economy, row.what, *told, f"{memory:.2f}"])
    head = ["economy", "what", "ours, s", "passes", "pymrio, s", "MARIO, s"]
    footer = (
        "ours: certified, no inverse is formed; theirs: seconds after the inverse, which is formed "
        f"once, without bounds; {description()}"
    )
    return [
        Sheet("peers", "classical results", [*head, "pymrio - ours", "MARIO - ours"], made, footer),
        Sheet(
            "large",
            "ours alone, three figures of every product",
            ["economy", "what", "seconds", "passes", "solved", "GB at most"],
            alone,
        ),
    ]


def _seconds(facts: dict[str, Any]) -> str:
    return f"{facts['seconds']:.3g}" if "seconds" in facts else str(facts.get("why", "-"))


def _far(difference: float | None) -> str:
    return "-" if difference is None else f"{difference:.1e}"
