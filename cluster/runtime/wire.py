"""How things travel between processes: small ones as one piece, large arrays as they lie in memory.

Dask sends every array of a pickled object as a frame of its own, which is right for a gigabyte and
wrong for the accounts of fifteen blocks: 75 frames of 100 bytes take longer than the sweep.
"""

import pickle
from typing import Any

from distributed.protocol import Serialize, to_serialize

SMALL = 2**16  # bytes


def pack(thing: Any) -> Any:
    """Return what can stand in a message to another process."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
    if not buffers:
        return head
    if len(head) + sum(buffer.raw().nbytes for buffer in buffers) > SMALL:
        return to_serialize(thing)
    return pickle.dumps(thing, protocol=5)


def unpack(found: Any) -> Any:
    """Return the thing, in the process that received the message, or that sent it to itself."""
    if isinstance(found, Serialize):
        return found.data
    return pickle.loads(found) if isinstance(found, bytes) else found
