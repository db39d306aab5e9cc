"""The job store: a folder in which every job is a directory that outlives all processes.

    OGAS_JOBS/
        FORMAT                               {"format": 1}
        .lock                                held while a job is made; readers need no lock
        20251122-073412-us-2021-3fa1/        one job, see `ogas.cluster.jobs.job`

A Dask scheduler forgets everything when it dies; what stands here is the truth. A job's directory
appears complete, in one step, or not at all; and of many processes that make the same job at the
same moment one makes it, and the others find it.
"""

import os
import re
import secrets
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ogas.cluster.jobs.files import as_json, locked, now, read_record, replace_record
from ogas.cluster.jobs.job import Job
from ogas.cluster.jobs.specification import Specification
from ogas.cluster.jobs.state import State
from ogas.datasets.atomic import (
    PREFIX,
    clear_temporaries,
    fsync_path,
    fsync_tree,
    said_plainly,
    temporary_directory,
)
from ogas.engine.errors import DamagedError, WrongUsageError

FORMAT = 1
LONGEST_ID = 80
LONGEST_STEM = 40
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def default_folder() -> Path:
    """Return the folder of the job store: ``OGAS_JOBS``, or one among the user's data.

    Raises
    ------
    WrongUsageError
        If the user has no home.
    """
    if named := os.environ.get("OGAS_JOBS"):
        return Path(named).absolute()
    try:
        home = Path.home()
    except RuntimeError as error:
        raise WrongUsageError(
            "the user has no home to keep jobs in", advice="set OGAS_JOBS to a folder"
        ) from error
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "ogas" / "jobs"
    data = Path(os.environ.get("XDG_DATA_HOME", ""))
    # The XDG rules: a relative path there is to be ignored.
    return (data if data.is_absolute() else home / ".local" / "share") / "ogas" / "jobs"


@dataclass(frozen=True)
class JobStore:
    """All jobs of a folder, which is made by the first `create`.

    Attributes
    ----------
    folder : Path

    Examples
    --------
    >>> store = JobStore(Path("jobs").absolute())
    >>> store.jobs()
    []
    >>> job = store.create(Specification("values", "us-2021", "/plans/us.zarr"), "night-7")
    >>> job.state.state, store.job("night-7") == job
    ('queued', True)
    """

    folder: Path

    def create(self, specification: Specification, job: str | None = None) -> Job:
        """Make a job, queued; or return the one that has this id and this specification.

        Parameters
        ----------
        specification : Specification
        job : str, optional
            Its id; without one, an id is made, and always a new job.

        Raises
        ------
        WrongUsageError
            If the id cannot be one or belongs to a job that was asked something else, or the
            folder is no job store or may not be written to.
        DamagedError
            If the store is of another format, or the disk is full; nothing is left then.
        """
        if job is not None:
            _check_id(job)
        self._check_format()
        with said_plainly(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / ".lock"):
            if not self._check_format():
                replace_record(self.folder / "FORMAT", {"format": FORMAT})
            clear_temporaries(self.folder)
            path = self.folder / (job or self._new_id(specification))
            if path.exists():
                return _same(Job(path), specification)
            return _write(path, specification)

    def jobs(self) -> list[Job]:
        """Return all jobs, the newest last; none if there is no store yet.

        Raises
        ------
        WrongUsageError
            If the folder is something else than a job store.
        DamagedError
            If the store is of another format.
        """
        if not self._check_format():
            return []
        found = []
        for file in self.folder.glob("[!.]*/specification.json"):
            with suppress(FileNotFoundError):  # somebody is removing it
                # Written once and never again, so its time is that of the submission.
                found.append((file.stat().st_mtime_ns, file.parent))
        return [Job(path) for _, path in sorted(found)]

    def job(self, job: str) -> Job:
        """Return the job of this id.

        Raises
        ------
        WrongUsageError
            If there is none.
        DamagedError
            If the store is of another format.
        """
        is_there = self._check_format() and _is_id(job)
        if not (is_there and (self.folder / job / "specification.json").exists()):
            raise WrongUsageError(
                f"there is no job {job!r}",
                where=str(self.folder),
                advice="`ogas jobs` lists them; OGAS_JOBS names the folder",
            )
        return Job(self.folder / job)

    def _check_format(self) -> bool:
        """Return whether the store is there; refuse what is none, or none of ours."""
        file = self.folder / "FORMAT"
        if not file.exists():
            if not _holds_something_else(self.folder):
                return False
            if not file.exists():  # else somebody made the store between the two looks
                raise WrongUsageError(
                    "this is not a job store and not empty",
                    where=str(self.folder),
                    advice="set OGAS_JOBS to another folder",
                )
        version = read_record(file, advice="set OGAS_JOBS to another folder").get("format")
        if version != FORMAT:
            raise DamagedError(
                f"written in format {version!r} of the job store; this program reads {FORMAT}",
                where=str(self.folder),
                advice="upgrade ogas-engine, or set OGAS_JOBS to another folder",
            )
        return True

    def _new_id(self, specification: Specification) -> str:
        """Return an id that sorts by time, tells the table, and is not taken."""
        stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(specification.table).stem)[:LONGEST_STEM]
        time = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        while True:
            name = f"{time}-{stem.strip('-') or 'table'}-{secrets.token_hex(2)}"
            if not (self.folder / name).exists():
                return name


def _holds_something_else(folder: Path) -> bool:
    """Return whether this is a file, or a folder in which somebody keeps other things."""
    if not folder.is_dir():
        return folder.exists()
    names = {path.name for path in folder.iterdir()}
    # A store may be made at this very moment; FORMAT comes before the first job.
    ours = {name for name in names if name.startswith((".lock", PREFIX))}
    return "FORMAT" not in names and names != ours


def _is_id(name: str) -> bool:
    return len(name) <= LONGEST_ID and _ID.fullmatch(name) is not None


def _check_id(name: str) -> None:
    # On some systems FORMAT and format are the same file.
    if not _is_id(name) or name.upper() == "FORMAT":
        raise WrongUsageError(
            f"{name!r} cannot be the id of a job",
            advice=f"use at most {LONGEST_ID} letters, digits, dots, dashes and underscores; "
            "the first is a letter, a digit or an underscore",
        )


def _same(job: Job, specification: Specification) -> Job:
    if job.specification != specification:
        raise WrongUsageError(
            "there is a job of this id that was asked something else",
            where=str(job.path),
            advice="choose another id, or ask the same",
        )
    return job


def _write(path: Path, specification: Specification) -> Job:
    """Make the directory of a job in one step."""
    state = State(path.name, "queued", now(), scheduler=specification.scheduler)
    first = {"time": state.submitted, "event": "submitted", "scheduler": state.scheduler}
    with temporary_directory(path) as temporary:
        (temporary / "specification.json").write_text(as_json(specification.json()))
        (temporary / "state.json").write_text(as_json(state.record()))
        (temporary / "events.jsonl").write_text(as_json(first))
        fsync_tree(temporary)
        os.rename(temporary, path)
        fsync_path(path.parent)
    return Job(path)
