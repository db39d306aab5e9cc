"""Jobs: what was asked, how far it is, and what came out, in files that outlive every process.

From Python, by the verbs of the command line; see `ogas.cluster.jobs.api`. Dask is loaded when one
of them needs a cluster.
"""

from ogas.cluster.jobs.api import asked, cancel, result, resume, submit, wait
from ogas.cluster.jobs.job import Job
from ogas.cluster.jobs.store import JobStore

__all__ = ["Job", "JobStore", "asked", "cancel", "result", "resume", "submit", "wait"]
