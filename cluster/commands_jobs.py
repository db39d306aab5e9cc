"""Commands for jobs on a cluster: submit, jobs, status, logs, wait, cancel, result, resume."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ogas.cluster import answer
from ogas.cluster.answer import Answer
from ogas.cluster.options import PATH, json_option, on_cluster, option, solving, table_argument

if TYPE_CHECKING:
    from ogas.cluster.jobs.store import JobStore

job_argument = click.argument("job")


@click.command("submit")
@click.argument("command", type=click.Choice(["plan", "price"]))
@table_argument
@click.option("-o", "--output", type=PATH, help="Where the plan goes [default: ./NAME-plan.zarr].")
@click.option("--demand", type=PATH, multiple=True, help="As for `ogas plan`.")
@click.option("--factor", multiple=True, help="As for `ogas price`.")
@click.option("--job", help="The id of the job; submitted twice, it is carried out once.")
@option("--workers", type=click.IntRange(1), help="Use so many workers at most.")
@on_cluster
@solving
def submit_command(
    command: str,
    table: str,
    output: Path | None,
    demand: tuple[Path, ...],
    factor: tuple[str, ...],
    job: str | None,
    **options: Any,
) -> Answer:
    """Have a plan or prices computed by the workers of a cluster; print the id of the job.

    TABLE is a table directory that all workers see, or the name of a bundled table (us-2021).

    The job goes on when this command has returned, whatever happens to this process.
    """
    from ogas.cluster.jobs.api import asked, submit
    from ogas.cluster.progress import is_watched

    wanted = asked(command, table, output=output, demands=demand, factors=factor, **options)
    made = submit(wanted, job)
    if is_watched():
        from ogas.cluster.elsewhere import page_of

        if page := page_of(wanted):
            click.echo(f"to be watched at {page}", err=True)
    return Answer({"job": made.id, "state": made.state.state}, lambda: print(made.id))


@click.command("jobs")
@json_option
def jobs_command() -> Answer:
    """List all jobs, the oldest first; those that cannot be read are named at the end."""
    from ogas.cluster.failing import failure, told
    from ogas.cluster.showing_jobs import show_jobs
    from ogas.engine.errors import PlanError

    states, failed = [], None
    for job in _store().jobs():
        try:
            states.append(job.state)
        except PlanError as error:
            failed = failure(*told(error))
    facts = {"jobs": [state.json() for state in states]}
    if failed is None:
        return Answer(facts, lambda: show_jobs(states))
    return replace(failed, facts={**failed.facts, **facts}, show=lambda: show_jobs(states))


@click.command("status")
@job_argument
@json_option
def status_command(job: str) -> Answer:
    """Say how far a job is: its state, round, and the figures proven so far."""
    from ogas.cluster.jobs.api import is_carried_out
    from ogas.cluster.showing_jobs import show_state

    found = _store().job(job)
    state = found.state
    facts = state.json() | {"is_carried_out": not state.has_ended and is_carried_out(found)}
    return Answer(facts, lambda: show_state(state, is_carried_out=facts["is_carried_out"]))


@click.command("logs")
@job_argument
@click.option("-f", "--follow", is_flag=True, help="Wait for more until the job has ended.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def logs_command(job: str, follow: bool, as_json: bool) -> Answer:
    """Print what has happened to a job."""
    from ogas.cluster.showing_jobs import show_events

    found = _store().job(job)
    events = list(found.events(follow)) if as_json else []
    return Answer({"job": job, "events": events}, lambda: show_events(found.events(follow)))


@click.command("wait")
@job_argument
@option("--timeout", type=click.FloatRange(0), help="Seconds to wait at most.")
@json_option
def wait_command(job: str, timeout: float | None) -> Answer:
    """Wait until a job has ended; print its result, and return its exit code."""
    from ogas.cluster.asking import answer_of_job
    from ogas.cluster.jobs.api import result, wait
    from ogas.cluster.progress import reporting

    found = _store().job(job)
    asked = found.specification
    with reporting(asked.kind, asked.digits) as tell:
        wait(found, tell, timeout)
    return answer_of_job(result(found))


@click.command("cancel")
@job_argument
@json_option
def cancel_command(job: str) -> Answer:
    """End a job within one round of it."""
    from ogas.cluster.jobs.api import cancel

    state = cancel(_store().job(job))
    if state.has_ended:
        return Answer(state.json(), lambda: print(f"{state.job}: {state.state}"))
    complaint = f"{state.job}: asked to end, and still {state.state}; `ogas status` tells more"
    return Answer(state.json(), lambda: None, answer.CLUSTER_FAILURE, complaint)


@click.command("result")
@job_argument
@json_option
def result_command(job: str) -> Answer:
    """Print what came out of a job that has ended, and return its exit code."""
    from ogas.cluster.asking import answer_of_job
    from ogas.cluster.jobs.api import result

    return answer_of_job(result(_store().job(job)))


@click.command("resume")
@job_argument
@on_cluster
@json_option
def resume_command(job: str, scheduler: str | None, tls: dict[str, str] | None) -> Answer:
    """Have a job carried out again that came to no end; it goes on from its last checkpoint."""
    from ogas.cluster.jobs.api import resume

    state = resume(_store().job(job), scheduler, tls).state
    return Answer(state.json(), lambda: print(state.job))


def _store() -> "JobStore":
    from ogas.cluster.jobs.store import JobStore, default_folder

    return JobStore(default_folder())
