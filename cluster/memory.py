"""How much memory a run takes at its peak, told from the manifest before recipes are read.

Upper bounds with a margin: on synthetic tables of 10^6 to 10^7 coefficients in one and in 30
blocks, plans, prices and several demands at once, they were 1.2 to 1.7 times what was measured. An
audit, which only a run without headway needs, may take more: it puts the whole table together.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from math import isqrt
from pathlib import Path

from ogas.cluster.runtime.packing import first_fit
from ogas.cluster.runtime.schedule import Burden
from ogas.datasets.manifest import Content
from ogas.datasets.store import Store
from ogas.datasets.stored_block import BlockEntry, part_bytes, stored_bytes
from ogas.engine.analyses.inverse import LARGEST
from ogas.engine.analyses.whole import BYTES as INVERSE_BYTES
from ogas.engine.choose import CACHED, FLOAT32_FIGURES
from ogas.engine.errors import DoesNotFitError
from ogas.engine.layout import MOST_PRODUCTS
from ogas.engine.machine import installed_bytes
from ogas.engine.plan import MOST_COLUMNS
from ogas.engine.sectors import FORMERS
from ogas.engine.streams import AHEAD

INTERPRETER_BYTES = 340 * 10**6  # Python, its libraries, and kernels while they are compiled
WORKER_BYTES = 400 * 10**6  # the same, and a worker of Dask

# Vectors of one number per product: for any run, and for every plan or priced factor more (what is
# iterated, two certificates, and a copy while it is being stored).
VECTORS, PLAN_VECTORS = 24, 32
TRANSPOSING_BYTES = 32  # per nonzero of the whole table

# A block is held as it is stored while it is brought into form; one too large is cut besides.
READING_BYTES, CUTTING_BYTES = 24, 80
HELD_BYTES = {True: 6, False: 10}  # per nonzero: entries in float32, in float64
PADDING = 16 * 257  # entries that fill up the slices of a block, at most
WHOLE_BYTES = 12
# Per product that a block takes from another: where it is, and whose; more where it is elsewhere.
MESSAGE_BYTES, ABROAD_BYTES = 18, 24
LAYOUT_BYTES = 80  # per product of the table: where it stands, for a while on every worker
BLOCK_VECTORS = 24  # of one number per product of a block
TEXT_BYTES = 120  # per label, besides the characters: as Python's own while it is read or stored
TEXT_COPIES = 3


@dataclass(frozen=True)
class Run:
    """What a run's memory depends on besides the table.

    Attributes
    ----------
    in_blocks : bool
        Whether blocks are swept one by one, or all of the table as one matrix.
    figures : int
    plans : int
        Scenarios or factors.
    transpositions : int
        How many transposed copies of the whole table are made: for values, to push a revision on.
    is_warm : bool
        Whether an earlier plan, with as many columns, is held too.
    is_simple : bool
        Whether one nonnegative demand is all that is wanted: plan and witness are then all that
        travels, where the table is simple too.
    """

    in_blocks: bool
    figures: int
    plans: int = 1
    transpositions: int = 0
    is_warm: bool = False
    is_simple: bool = False

    def column_bytes(self, content: Content) -> int:
        """Return what the numbers take that travel for every product of another block.

        Plan and witness; with signs both of the magnitudes too, and prices if they are carried.
        """
        if self.is_simple and content.is_plain:
            few = self.figures <= FLOAT32_FIGURES
            narrow = few and _held_in_blocks(content, self.figures) == HELD_BYTES[True]
            return 2 * (4 if narrow else 8)
        return 8 * (2 * (min(self.plans, MOST_COLUMNS) + 1) + 3)


def needed_bytes(store: Store, run: Run, streamed: Set[int] = frozenset(), threads: int = 1) -> int:
    """Return how much memory a run takes at most, if these blocks are streamed."""
    content = store.manifest.content
    common = INTERPRETER_BYTES + coordinating_bytes(content, run)
    if run.in_blocks:
        return common + _in_blocks(content, run, streamed, threads)
    transposing = TRANSPOSING_BYTES * content.nonzeros * run.transpositions
    return common + max(store.loading_bytes, store.loaded_bytes + transposing)


def blocks_to_stream(store: Store, run: Run, allowed: int | None, threads: int) -> frozenset[int]:
    """Return the blocks that are read again for every pass, so that a run keeps within memory.

    ``allowed`` is all that this machine has if nothing is said. Blocks for which there is room are
    held, the first ones first.

    Raises
    ------
    DoesNotFitError
        If it does not fit even so, with the number that would do.
    """
    within = installed_bytes() if allowed is None else allowed
    if needed_bytes(store, run) <= within:
        return frozenset()
    content = store.manifest.content
    streamed = frozenset(
        number
        for number, entry in enumerate(content.blocks)
        if run.in_blocks and entry.products <= MOST_PRODUCTS
    )
    least = needed_bytes(store, run, streamed, threads)
    if least > within:
        raise _refusal(store, least, allowed)
    sizes = {
        number: _held(content, content.blocks[number], run.figures) for number in sorted(streamed)
    }
    return streamed - first_fit(sizes, within - least)


def largest_inverse(store: Store, run: Run, allowed: int | None) -> int:
    """Return how many products may have a whole inverse in what a run leaves of the memory."""
    within = installed_bytes() if allowed is None else allowed
    return min(LARGEST, isqrt(max(within - needed_bytes(store, run), 0) // INVERSE_BYTES))


def _refusal(store: Store, needed: int, allowed: int | None) -> DoesNotFitError:
    if allowed is not None:
        return DoesNotFitError(
            f"this run needs {needed:,} bytes and {allowed:,} are allowed",
            where=str(store.path),
            advice=f"use --memory {needed} or more",
        )
    return DoesNotFitError(
        f"this run needs {needed:,} bytes and this machine has {installed_bytes():,}",
        where=str(store.path),
        advice=f"use a machine with more, or insist with --memory {needed}",
    )


def coordinating_bytes(content: Content, run: Run) -> int:
    """Return what the labels and vectors of the whole table take, in the process that solves."""
    plans = run.plans * (1 + run.is_warm)
    vectors = 8 * content.products * (VECTORS + PLAN_VECTORS * plans)
    return vectors + _text(content, TEXT_COPIES + run.is_warm)


def burdens_of(content: Content, run: Run) -> tuple[tuple[Burden, ...], int]:
    """Return what every stored block takes on a worker, and what a worker takes besides.

    Messages are counted twice, where they are sent from and where they arrive.
    """
    message = run.column_bytes(content) + ABROAD_BYTES
    vectors = 8 * (BLOCK_VECTORS + PLAN_VECTORS * min(run.plans, MOST_COLUMNS))
    burdens = tuple(
        Burden(
            entry.nonzeros,
            _held(content, entry, run.figures)
            + 2 * message * _words(content, entry)
            + vectors * entry.products,
            entries=_held(content, entry, run.figures) * (entry.products <= MOST_PRODUCTS),
        )
        for entry in content.blocks
    )
    reading = _reading(content)
    return burdens, WORKER_BYTES + LAYOUT_BYTES * content.products + reading


def held_bytes(content: Content, figures: int) -> int:
    """Return the bytes per nonzero in which a table is swept: as one matrix, or in blocks."""
    is_whole = len(content.blocks) == 1 and content.products <= MOST_PRODUCTS
    return WHOLE_BYTES if is_whole else _held_in_blocks(content, figures)


def _held_in_blocks(content: Content, figures: int) -> int:
    """Return the same for a table in blocks."""
    narrow = content.value_type == "float32"
    return HELD_BYTES[narrow or (figures <= FLOAT32_FIGURES and content.nonzeros > CACHED)]


def _in_blocks(content: Content, run: Run, streamed: Set[int], threads: int) -> int:
    """Return what blocks, their messages and rooms to stream in take, or they and what is read."""
    words = sum(_words(content, entry) for entry in content.blocks)
    held = sum(
        _held(content, entry, run.figures)
        for number, entry in enumerate(content.blocks)
        if number not in streamed
    )
    rooms = _rooms(content, [content.blocks[number] for number in streamed], run, threads)
    messages = (run.column_bytes(content) + MESSAGE_BYTES) * words
    return held + max(messages + rooms, MESSAGE_BYTES * words + _reading(content))


def streaming_bytes(content: Content, run: Run, threads: int = 1) -> int:
    """Return what a process takes to read blocks again for every pass, besides their messages."""
    entries = [entry for entry in content.blocks if entry.products <= MOST_PRODUCTS]
    return _rooms(content, entries, run, threads)


def _rooms(content: Content, entries: Sequence[BlockEntry], run: Run, threads: int) -> int:
    """Return what is kept for parts of blocks that are on their way, and being swept."""
    stored = max((max(part_bytes(entry)) for entry in entries), default=0)
    formed = max((_held(content, entry, run.figures) for entry in entries), default=0)
    return (threads + AHEAD) * stored + threads * formed


def _held(content: Content, entry: BlockEntry, figures: int) -> int:
    """Return what the entries of a block take in memory."""
    pieces = -(-entry.products // MOST_PRODUCTS)
    return _held_in_blocks(content, figures) * (entry.nonzeros + PADDING * pieces)


def _words(content: Content, entry: BlockEntry) -> int:
    """Return how many products a stored block takes from others, its own pieces included."""
    pieces = -(-entry.products // MOST_PRODUCTS)
    return entry.ext if pieces == 1 else min(pieces * content.products, entry.nonzeros)


def _reading(content: Content) -> int:
    """Return what reading blocks and bringing them into form takes for a while."""
    forming = sorted(_forming(entry) for entry in content.blocks)[-FORMERS:]
    stored = sorted(stored_bytes(entry) for entry in content.blocks)[-AHEAD:]
    return sum(forming) + sum(stored)


def _forming(entry: BlockEntry) -> int:
    is_cut = entry.products > MOST_PRODUCTS
    return (CUTTING_BYTES if is_cut else READING_BYTES) * entry.nonzeros


def _text(content: Content, copies: int) -> int:
    """Return what labels take that are text: characters of fixed width, and Python's own."""
    arrays = [entry for entry in content.arrays.values() if entry.kind == "string"]
    return sum(copies * entry.bytes + TEXT_BYTES * content.products for entry in arrays)


def peak_memory() -> int:
    """Return the most memory this process ever held."""
    try:  # what getrusage says on Linux includes the process that started this one
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return 1024 * int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError, ValueError):
        import resource
        import sys

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
