"""What can go wrong between machines."""

from ogas.engine.errors import PlanError


class ClusterError(PlanError, ConnectionError):
    """A scheduler, a worker or a job does not do what it should (exit code 7)."""
