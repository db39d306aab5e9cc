"""How a night is started every night: by what starts things where you are; there is no daemon.

A snippet names the specification by its absolute path, and the `ogas` of this environment.
"""

import json
import shlex
import sys
from pathlib import Path

from ogas.engine.errors import WrongUsageError

SYSTEMD = """\
# ogas-nightly.service
[Unit]
Description=Plan again from the day's changes

[Service]
Type=oneshot
ExecStart={command}
# 8: another night is at work
SuccessExitStatus=8

# ogas-nightly.timer
[Unit]
Description=Every night: plan again from the day's changes

[Timer]
OnCalendar=*-*-* {hour:02d}:{minute:02d}:00
# what was missed while the machine was off is made up for
Persistent=true

[Install]
WantedBy=timers.target
"""
CRON = """\
{minute} {hour} * * * {command}
"""
KUBERNETES = """\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: ogas-nightly
spec:
  schedule: "{minute} {hour} * * *"
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 43200
  jobTemplate:
    spec:
      backoffLimit: 2
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: ogas
              image: ogas:latest
              command: {words}
              volumeMounts:
                - name: economy
                  mountPath: {folder}
          volumes:
            - name: economy
              persistentVolumeClaim:
                claimName: economy
"""
AIRFLOW = """\
from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

# One run makes up for all nights that were missed, so the scheduler need not.
with DAG(
    "ogas_nightly",
    schedule="{minute} {hour} * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
) as dag:
    BashOperator(task_id="night", bash_command={quoted}, retries=2)
"""
SNIPPETS = {"cron": CRON, "systemd": SYSTEMD, "kubernetes": KUBERNETES, "airflow": AIRFLOW}
PERCENT = {"cron": r"\%", "systemd": "%%"}  # what a plain % would mean something else to


def snippet(kind: str, spec: Path, at: str) -> str:
    """Return what makes a scheduler start a night every day at a time, ``HH:MM``.

    Raises
    ------
    WrongUsageError
        If this is no time of the day.
    """
    hour, minute = _time(at)
    # An image has an `ogas` of its own.
    program = "ogas" if kind == "kubernetes" else str(Path(sys.executable).with_name("ogas"))
    words = [program, "nightly", str(spec.resolve())]
    command = shlex.join(words)
    return SNIPPETS[kind].format(
        command=command.replace("%", PERCENT.get(kind, "%")),
        quoted=repr(command),
        words=json.dumps(words),
        folder=json.dumps(str(spec.resolve().parent)),
        hour=hour,
        minute=minute,
    )


def _time(at: str) -> tuple[int, int]:
    hour, _, minute = at.partition(":")
    if hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60:
        return int(hour), int(minute)
    raise WrongUsageError(f"{at!r} is no time of the day", advice="write 02:30")
