"""The command line `ogas`: it finds the command, prints its answer, and turns failures into codes.

Only this page knows how an error becomes one line, a JSON object and an exit code. The modules of
the commands import the engine only when a command is called, so ``ogas --help`` starts at once.
"""

import atexit
import gc
import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any

import click

from ogas.cluster import answer
from ogas.cluster.answer import Answer, json_ready
from ogas.cluster.failing import failure, told

TABLES, PLANS = "ogas.cluster.commands_tables", "ogas.cluster.commands_plans"
JOBS, VERSIONS = "ogas.cluster.commands_jobs", "ogas.cluster.commands_versions"
RESHAPING = "ogas.cluster.commands_reshaping"
COMMANDS = {
    "plan": PLANS,
    "price": PLANS,
    "show": PLANS,
    "report": PLANS,
    "verify": PLANS,
    "diff": PLANS,
    "whatif": PLANS,
    "analyse": "ogas.cluster.commands_analyse",
    "info": TABLES,
    "check": TABLES,
    "import": TABLES,
    "export": TABLES,
    "generate": TABLES,
    "aggregate": RESHAPING,
    "balance": RESHAPING,
    "versions": VERSIONS,
    "pin": VERSIONS,
    "unpin": VERSIONS,
    "rollback": VERSIONS,
    "nightly": VERSIONS,
    "submit": JOBS,
    "jobs": JOBS,
    "status": JOBS,
    "logs": JOBS,
    "wait": JOBS,
    "cancel": JOBS,
    "result": JOBS,
    "resume": JOBS,
    "bench": "ogas.cluster.commands_bench",
}


class Commands(click.Group):
    """The commands by name, in the order people need them."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the module of a command, which imports the engine only when it is called."""
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[name]), f"{name}_command")
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("ogas-engine"), prog_name="ogas")
def cli() -> None:
    """Plan an economy: what to make of every product, with a proven bound for each.

    Start with:  ogas plan us-2021
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; nothing escapes as a traceback."""
    if arguments is None:  # a process of our own
        atexit.register(gc.freeze)  # else a last look at all there is takes a quarter of a second
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        found = cli.main(words, prog_name="ogas", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        return answer.WRONG_USAGE
    except SystemExit:  # the reader of --help has left
        return answer.CERTIFIED
    except (click.Abort, KeyboardInterrupt) as error:
        cause = error.__cause__ if isinstance(error, click.Abort) else error
        kept = str(cause or "") or "nothing was changed"
        found = failure(answer.INTERRUPTED, (f"interrupted; {kept}", "", ""))
    except Exception as error:
        found = failure(*told(error))
    return _print(found, as_json) if isinstance(found, Answer) else int(found or 0)


def _print(found: Answer, as_json: bool) -> int:
    """Print an answer; where stdout cannot take it, that is said, and is a failure."""
    code, complaint = found.code, found.complaint
    try:
        if as_json:
            facts = json_ready(found.facts)
            if complaint:
                facts.setdefault("message", complaint)
            print(json.dumps(facts, allow_nan=False))  # ASCII: fits every encoding
        else:
            _accept_any_text(sys.stdout)
            found.show()
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # the reader of our output has left: that is its right
        _abandon(sys.stdout)
    except KeyboardInterrupt:
        code, complaint = answer.INTERRUPTED, "interrupted while printing; the work is done"
    except Exception as error:
        if isinstance(error, OSError):
            _abandon(sys.stdout)
        code, (reason, _, advice) = told(error)
        complaint = f"{complaint or 'done'}; but this cannot be printed: {reason}; {advice}"
    if complaint:
        print(f"{_priority(sys.stderr)}ogas: {complaint}", file=sys.stderr)
    return code


def _priority(stream: Any) -> str:
    """Return what marks a line as an error where the journal of systemd reads it."""
    try:
        place = os.fstat(stream.fileno())
    except (OSError, ValueError):  # nothing that the system knows
        return ""
    is_journal = os.environ.get("JOURNAL_STREAM") == f"{place.st_dev}:{place.st_ino}"
    return "<3>" if is_journal else ""


def _accept_any_text(stream: Any) -> None:
    """Write what the terminal's encoding lacks as a question mark, instead of failing."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")


def _abandon(stream: Any) -> None:
    """Let what is still buffered go nowhere, instead of failing again when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
