"""Telling somebody that a night failed: a command, a webhook, or both.

What goes wrong in telling is told in turn, and changes nothing of the night.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from ogas.cluster.answer import json_ready
from ogas.cluster.nights.specification import Night

PATIENCE = 60.0  # seconds


def alerted(spec: Night, record: Mapping[str, Any]) -> list[str]:
    """Send the record of a night that failed; return what went wrong in that, one line each."""
    body = json.dumps(json_ready(record), indent=1).encode()
    wrong = [_run(spec.command, body)] if spec.command else []
    wrong += [_post(spec.webhook, body)] if spec.webhook else []
    return [line for line in wrong if line]


def _run(command: Sequence[str], body: bytes) -> str:
    try:
        found = subprocess.run(
            list(command), input=body, capture_output=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"nobody was alerted: {error}"
    if not found.returncode:
        return ""
    last = found.stderr.decode(errors="replace").strip().splitlines()[-1:]
    return f"{command[0]} ended with {found.returncode} instead of alerting: {' '.join(last)}"


def _post(address: str, body: bytes) -> str:
    request = Request(address, data=body, headers={"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=PATIENCE):
            return ""
    except (URLError, OSError, ValueError) as error:
        return f"the webhook was not reached: {error}"
