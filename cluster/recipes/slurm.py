"""Workers of `ogas` as SLURM jobs; the scheduler runs where this runs, on a login node.

    python slurm.py --queue regular --nodes 4 --cores 32 --memory 120GB --interface ib0

prints the address for ``ogas plan TABLE --scheduler ADDRESS``, and ends the jobs when interrupted.
One worker has a node, and leaves it before the wall time is over instead of being killed then.
Where the network is shared with others, ``DASK_CONFIG`` must name TLS files (README.md). It needs
``dask-jobqueue`` (the extra ``slurm``).
"""

import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import click
import dask.config
from distributed import Security

from ogas.cluster.runtime import settings

LEAVING = 10  # minutes before the end of a job


@dataclass(frozen=True)
class Node:
    """What one job asks SLURM for.

    Attributes
    ----------
    queue : str
        Its partition.
    cores : int
        All are swept by one worker.
    memory : str
        As SLURM writes it, like ``120G``.
    minutes : int
        Wall time.
    interface : str
        The network that nodes and this machine share, like ``ib0``.
    """

    queue: str
    cores: int
    memory: str
    minutes: int
    interface: str


def jobs(node: Node) -> Any:
    """Return a `dask_jobqueue.SLURMCluster` of our workers; ``scale(jobs=N)`` submits them."""
    from dask_jobqueue.slurm import SLURMCluster

    settings.apply()
    encrypted = dask.config.get("distributed.comm.require-encryption")
    return SLURMCluster(
        job_name="ogas",
        queue=node.queue,
        walltime=f"{node.minutes // 60:02d}:{node.minutes % 60:02d}:00",
        # Dask counts its own threads, of which there is one, and must not limit memory ...
        cores=1,
        processes=1,
        memory="0",
        # ... while SLURM is asked for what the blocks need.
        job_cpu=node.cores,
        job_mem=node.memory,
        job_extra_directives=["--exclusive"],
        job_script_prologue=[
            f"export {name}={value}"
            for name, value in {"OGAS_THREADS": node.cores, **settings.as_environment()}.items()
        ],
        interface=node.interface,
        worker_extra_args=[
            *("--resources", "block=1,coordinator=1", "--preload", "ogas.cluster.worker"),
            *("--lifetime", f"{max(1, node.minutes - LEAVING)}m", "--lifetime-stagger", "2m"),
            *("--dashboard-address", "127.0.0.1:0"),
        ],
        scheduler_options={
            "dashboard_address": "127.0.0.1:0",
            "preload": ["ogas.cluster.dashboard"],
        },
        security=Security() if encrypted else None,
        protocol="tls" if encrypted else "tcp",
    )


@click.command()
@click.option("--queue", required=True)
@click.option("--nodes", default=1, show_default=True)
@click.option("--cores", required=True, type=int, help="Of one node.")
@click.option("--memory", required=True, help="Of one node, as SLURM writes it.")
@click.option("--interface", required=True, help="The network between the nodes, like ib0.")
@click.option("--minutes", default=480, show_default=True, help="Wall time of a job.")
def main(nodes: int, **node: Any) -> None:
    """Keep workers in SLURM until interrupted."""
    with suppress(KeyboardInterrupt), jobs(Node(**node)) as cluster:
        cluster.scale(jobs=nodes)
        click.echo(cluster.scheduler_address)
        signal.pause()


if __name__ == "__main__":
    main()
