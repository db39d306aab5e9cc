"""How Dask must be configured here, each line with its reason; said once, for every process.

Dask is made for many short tasks over data that may be spilled and moved. Here it holds machines
together while long sweeps run outside its task system, on memory it does not know of. Law: each key
exists in the default configuration of `distributed`, and everything we start is configured by
`apply`, everything started by hand by the file that ``python -m ogas.cluster.runtime.settings``
prints.
"""

import json
from dataclasses import dataclass

import dask.config

HEADER = """\
# The Dask configuration of ogas, for schedulers and workers that are started by hand:
#     python -m ogas.cluster.runtime.settings > dask.yaml
#     export DASK_CONFIG=$PWD/dask.yaml
"""


@dataclass(frozen=True)
class Setting:
    """One line of the configuration.

    Attributes
    ----------
    key : str
        As in ``dask.config.get``.
    value : bool, int or str
        What it must be.
    acts_on : str
        The processes that read it.
    reason : str
        Why the default will not do, or why a person's own configuration must not change it.
    """

    key: str
    value: bool | int | str
    acts_on: str
    reason: str


SCHEDULER, WORKER, SERVERS = "scheduler", "worker", "scheduler and worker"
STARTER, EVERYONE = "who starts workers", "everyone"

SETTINGS = (
    Setting(
        "distributed.scheduler.work-stealing",
        False,
        SCHEDULER,
        "a coordinator pinned by its resource would be stolen by another worker that has it too",
    ),
    Setting(
        "distributed.scheduler.worker-ttl",
        "60s",
        SCHEDULER,
        "a process that hangs keeps its connection; 5 minutes are too long to wait for its blocks",
    ),
    Setting(
        "distributed.scheduler.allowed-failures",
        10,
        SCHEDULER,
        "a coordinator is not to blame for the workers that died under it; after 3 it is given up",
    ),
    Setting(
        "distributed.scheduler.no-workers-timeout",
        "10m",
        SCHEDULER,
        "a job that no worker may run fails and says so, instead of waiting for ever",
    ),
    Setting(
        "distributed.scheduler.active-memory-manager.start",
        False,
        SCHEDULER,
        "blocks are not Dask data; there is nothing to move, every 2 seconds",
    ),
    Setting(
        "distributed.diagnostics.computations.max-history",
        5,
        SCHEDULER,
        "a scheduler that lives for months need not remember a hundred jobs",
    ),
    Setting(
        "distributed.diagnostics.nvml",
        False,
        SERVERS,
        "nothing here computes on a GPU, so none need be looked for and watched",
    ),
    Setting(
        "distributed.worker.memory.target",
        False,
        WORKER,
        "spilling can only reach Dask data; what fills the memory here are blocks",
    ),
    Setting(
        "distributed.worker.memory.spill",
        False,
        WORKER,
        "the same, by the memory of the whole process",
    ),
    Setting(
        "distributed.worker.memory.pause",
        False,
        WORKER,
        "a worker paused for memory that Dask cannot free never resumes",
    ),
    Setting(
        "distributed.worker.memory.terminate",
        False,
        WORKER,
        "what a worker will hold is added up before the run, and refused then, not killed in it",
    ),
    Setting(
        "distributed.worker.profile.enabled",
        False,
        SERVERS,
        "sampling all threads every 10 ms shows nothing where there are no tasks, and costs sweeps",
    ),
    Setting(
        "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_",
        2**26,
        STARTER,
        "with Dask's 64 KiB every vector of a round is mapped, cleared and unmapped: a fifth of it",
    ),
    Setting(
        "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_",
        2**25,
        STARTER,
        "goes with it: whoever sets the one must set the other, which else grows by itself to this",
    ),
    Setting(
        "distributed.worker.multiprocessing-method",
        "spawn",
        STARTER,
        "a forked worker inherits the locks of threads it does not have: Zarr's, and OpenMP's",
    ),
    Setting(
        "distributed.deploy.lost-worker-timeout",
        "60s",
        STARTER,
        "on a busy machine a worker that died takes more than 15 s to be back with its imports",
    ),
    Setting(
        "distributed.comm.timeouts.connect",
        "10s",
        EVERYONE,
        "who cannot be reached in 10 s is lost; its blocks go elsewhere",
    ),
    Setting(
        "distributed.comm.timeouts.tcp",
        "15s",
        EVERYONE,
        "a machine that vanishes without a word is noticed after this (11 s is the least possible)",
    ),
    Setting(
        "distributed.comm.compression",
        False,
        EVERYONE,
        "digits of products do not compress; trying costs more than sending them",
    ),
)


def apply() -> None:
    """Configure this process, and the workers it will start, as `SETTINGS` says."""
    dask.config.set({setting.key: setting.value for setting in SETTINGS})


def as_yaml() -> str:
    """Return `SETTINGS` as a file for ``DASK_CONFIG``, each line below its reason.

    >>> print(as_yaml())  # doctest: +ELLIPSIS
    # The Dask configuration of ogas...
    distributed:
      comm:
        # everyone: digits of products do not compress...
        compression: false
    ...
    """
    lines: list[str] = []
    above: list[str] = []
    for setting in sorted(SETTINGS, key=lambda setting: setting.key.split(".")):
        *groups, name = setting.key.split(".")
        shared = _shared(above, groups)
        for depth, group in enumerate(groups[shared:], start=shared):
            lines.append(f"{'  ' * depth}{group}:")
        indent = "  " * len(groups)
        lines.append(f"{indent}# {setting.acts_on}: {setting.reason}")
        lines.append(f"{indent}{name}: {json.dumps(setting.value)}")  # JSON scalars are YAML
        above = groups
    return HEADER + "\n".join(lines) + "\n"


def as_environment() -> dict[str, str]:
    """Return `SETTINGS` as variables, for processes that no file reaches.

    >>> as_environment()["DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL"]
    '60s'
    """
    return {_variable(setting.key): str(setting.value) for setting in SETTINGS}


def _variable(key: str) -> str:
    """Return the variable that sets a key; what is itself a variable of workers is set as it is."""
    if ".pre-spawn-environ." in key:
        return key.rpartition(".")[2]
    return f"DASK_{key.upper().replace('-', '_').replace('.', '__')}"


def _shared(one: list[str], other: list[str]) -> int:
    """Count the groups that two keys have in common, from the top."""
    count = 0
    while one[: count + 1] == other[: count + 1] and count < min(len(one), len(other)):
        count += 1
    return count


if __name__ == "__main__":
    print(as_yaml(), end="")
