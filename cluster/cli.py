"""The command line `ogas`: it finds the command, prints its answer, and turns failures into codes.

Only this page knows how an error becomes one line, a JSON object and an exit code. The modules of
the commands import the engine only when a command is called, so ``ogas --help`` starts at once.
"""

import errno
import json
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

import click

from ogas.cluster import answer
from ogas.cluster.answer import Answer, json_ready

TABLES, PLANS = "ogas.cluster.commands_tables", "ogas.cluster.commands_plans"
COMMANDS = {
    "plan": PLANS,
    "price": PLANS,
    "show": PLANS,
    "verify": PLANS,
    "info": TABLES,
    "check": TABLES,
    "import": TABLES,
    "export": TABLES,
    "generate": TABLES,
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
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        found = cli.main(words, prog_name="ogas", standalone_mode=False)
        code = _print(found, as_json) if isinstance(found, Answer) else int(found or 0)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has left: that is its right
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return answer.CERTIFIED
    except (click.Abort, KeyboardInterrupt):
        return _fail(answer.INTERRUPTED, ("interrupted; nothing was changed", "", ""), as_json)
    except Exception as error:
        return _fail(*_told(error), as_json)
    return code


def _print(found: Answer, as_json: bool) -> int:
    if as_json:
        print(json.dumps(json_ready(found.facts), ensure_ascii=False))
    else:
        found.show()
    if found.complaint:
        print(f"ogas: {found.complaint}", file=sys.stderr)
    return found.code


def _fail(code: int, told: tuple[str, str, str], as_json: bool) -> int:
    message, where, advice = (" ".join(part.split()) for part in told)
    if as_json:
        outcome = "cancelled" if code == answer.INTERRUPTED else "error"
        facts = {"outcome": outcome, "code": code, "message": message}
        print(json.dumps(facts | {"where": where, "advice": advice}, ensure_ascii=False))
    line = f"{where}: {message}" if where else message
    print(f"ogas: {line}" + (f"; {advice}" if advice else ""), file=sys.stderr)
    return code


def _told(error: Exception) -> tuple[int, tuple[str, str, str]]:
    """Return the exit code of an error, and its message, place and advice."""
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        advice = f"see `{context.command_path} --help`" if context else "see `ogas --help`"
        return answer.WRONG_USAGE, (error.format_message().rstrip("."), "", advice)
    from ogas.engine import errors

    if isinstance(error, errors.PlanError):
        codes: dict[type[errors.PlanError], int] = {
            errors.WrongUsageError: answer.WRONG_USAGE,
            errors.DoesNotFitError: answer.DOES_NOT_FIT,
            errors.LockedError: answer.LOCKED,
        }
        code = codes.get(type(error), answer.DAMAGED)
        return code, (error.message, error.where, error.advice)
    if isinstance(error, MemoryError):
        advice = "use a machine with more, or a smaller table"
        return answer.DOES_NOT_FIT, ("not enough memory", "", advice)
    if isinstance(error, OSError):
        return _told_by_the_system(error)
    if os.environ.get("OGAS_DEBUG"):
        raise error
    advice = "this is a defect of ogas; OGAS_DEBUG=1 shows where it happened"
    return 1, (f"{type(error).__name__}: {error}", "", advice)


def _told_by_the_system(error: OSError) -> tuple[int, tuple[str, str, str]]:
    reason, where = error.strerror or str(error), str(error.filename or "")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return answer.DAMAGED, ("the disk is full", where, "free some space and repeat")
    return answer.WRONG_USAGE, (reason, where, "check the path and its permissions")
