"""Options that several commands share. Each falls back to an ``OGAS_...`` variable."""

import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
UNITS |= {f"{unit}i": 1024**power for power, unit in enumerate("KMGT", start=1)}


class Bytes(click.ParamType[int]):
    """An amount of memory: ``2000000000``, ``2GB``, ``1.5GiB``."""

    name = "bytes"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> int:
        """Return the number of bytes."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([0-9.]+)\s*([KMGT]?i?)B?", str(value).strip(), re.IGNORECASE)
        unit = found.group(2).upper().replace("I", "i") if found else ""
        if found is None or unit not in UNITS:
            self.fail(f"{value!r} is not an amount of memory; write 2000000000, 2GB or 1.5GiB")
        try:
            return int(float(found.group(1)) * UNITS[unit])
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not an amount of memory; write 2000000000, 2GB or 1.5GiB")


class Place(click.ParamType[Path]):
    """A path; an empty one is a mistake, not this folder."""

    name = "path"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> Path:
        """Return the path."""
        if not str(value):
            self.fail("the path is empty", parameter, context)
        return Path(value)


PATH = Place()

json_option = click.option(
    "--json", "_json", is_flag=True, expose_value=False, help="Print one JSON object instead."
)
table_argument = click.argument("table")
workers_option = click.option(
    "--workers",
    type=click.IntRange(1),
    envvar="OGAS_WORKERS",
    help="Start so many workers on this machine; with --scheduler, use so many at most.",
)
plan_argument = click.argument("plan", type=PATH)


def option(*names: str, **settings: Any) -> Callable[[Any], Any]:
    """Return an option whose default may be set by ``OGAS_`` and its name."""
    longest = max(names, key=len).lstrip("-").split("/")[0]
    return click.option(*names, envvar=f"OGAS_{longest.upper().replace('-', '_')}", **settings)


def on_cluster(command: Any) -> Any:
    """Add the options that name a cluster; the command is given ``scheduler`` and ``tls``."""

    @wraps(command)
    def with_tls(
        *arguments: Any,
        tls_ca: Path | None,
        tls_cert: Path | None,
        tls_key: Path | None,
        **options: Any,
    ) -> Any:
        files = {"ca": tls_ca, "cert": tls_cert, "key": tls_key}
        given = {name: str(file.absolute()) for name, file in files.items() if file is not None}
        if given and len(given) < len(files):
            raise click.UsageError("--tls-ca, --tls-cert and --tls-key belong together")
        return command(*arguments, tls=given or None, **options)

    found: Any = with_tls
    for name, what in (("key", "our key"), ("cert", "our certificate"), ("ca", "who signs")):
        found = option(f"--tls-{name}", type=PATH, help=f"TLS: PEM file of {what}.")(found)
    add = option("--scheduler", help="Address of a Dask scheduler: tcp://host:port or tls://...")
    return add(found)


def solving(command: Any) -> Any:
    """Add the options of a command that solves a balance."""
    options: list[Callable[[Any], Any]] = [
        option("--digits", default=3, show_default=True, help="Significant figures to prove."),
        option(
            "--delta",
            default=0.0,
            show_default=True,
            help="Relative uncertainty of the coefficients; the bounds then hold for all of them.",
        ),
        option(
            "--method",
            type=click.Choice(
                [
                    *("auto", "jacobi", "gauss-seidel", "anderson"),
                    *("block-jacobi", "orders-and-tables"),
                ]
            ),
            default="auto",
            show_default=True,
            help="How to iterate; auto says what it chose and why.",
        ),
        option("--warm", type=PATH, help="Begin with this earlier plan of the same products."),
        option(
            "--threads",
            type=click.IntRange(0),
            default=0,
            help="Blocks swept at a time, here or by workers started here; the same bits for any "
            "number [default: every core].",
        ),
        option(
            "--memory",
            type=Bytes(),
            help="Use no more than this, here or in any worker; blocks that do not fit are read "
            "from the disk in every pass [default: what the machine has].",
        ),
    ]
    for add in (json_option, *reversed(options)):
        command = add(command)
    return command
