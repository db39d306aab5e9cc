"""What a Dask worker loads at its start: ``--preload ogas.cluster.worker``."""

from distributed import Worker

from ogas.cluster.runtime.plugin import BlockHolder


async def dask_setup(worker: Worker) -> None:
    """Prepare a worker to hold blocks."""
    await worker.plugin_add(plugin=BlockHolder())
