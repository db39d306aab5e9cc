"""Around a night: who is alerted when it fails, and what starts it."""

import ast
import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

SPEC = 'table = "t"\ninbox = "inbox"\n'
BAD = "change,of,product,value\nset,demand,nobody,1\n"


@pytest.fixture
def failing(stored, tmp_path):
    """A table, and an inbox with a fault."""
    stored("two_sectors")
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "2026-11-20.csv").write_text(BAD)

    def spec(more):
        (tmp_path / "night.toml").write_text(SPEC + "[inbox_rules]\nquiet = 0\n" + more)
        return "night.toml"

    return spec


def test_a_command_is_told_of_a_night_that_failed(ogas, failing, tmp_path):
    script = "import sys; open('told.json', 'w').write(sys.stdin.read())"
    words = json.dumps([sys.executable, "-c", script])
    ending = ogas("nightly", failing(f"[alert]\ncommand = {words}\n"), "--date", "2026-11-20")
    assert ending.code == 5
    told = json.loads((tmp_path / "told.json").read_text())
    assert (told["code"], told["night"]) == (5, "2026-11-20")
    assert "no product 'nobody'" in told["faults"][0]
    assert "no product 'nobody'" in told["message"]


def test_nobody_is_told_of_a_night_that_went_well_or_was_only_tried(ogas, failing, tmp_path):
    script = "open('told', 'w').write('')"
    spec = failing(f"[alert]\ncommand = {json.dumps([sys.executable, '-c', script])}\n")
    assert ogas("nightly", spec, "--date", "2026-11-20", "--dry-run").code == 5
    (tmp_path / "inbox" / "2026-11-20.csv").unlink()
    assert ogas("nightly", spec, "--date", "2026-11-20").code == 0
    assert not (tmp_path / "told").exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["/nowhere/alert"], "nobody was alerted"),
        (
            [sys.executable, "-c", "import sys; sys.exit('no paper')"],
            "instead of alerting: no paper",
        ),
    ],
)
def test_an_alert_that_fails_is_told_and_the_code_is_that_of_the_night(
    ogas, failing, command, said
):
    spec = failing(f"[alert]\ncommand = {json.dumps(command)}\n")
    ending = ogas("nightly", spec, "--date", "2026-11-20")
    assert (ending.code, said in ending.err) == (5, True)
    assert "no product 'nobody'" in ending.err


@pytest.mark.parametrize("is_journal", [True, False])
def test_the_journal_of_systemd_is_told_that_the_line_is_an_error(failing, tmp_path, is_journal):
    script = "from ogas.cluster.cli import main\nmain(['nightly', *__import__('sys').argv[1:]])"
    words = [sys.executable, "-c", script, failing(""), "--date", "2026-11-20"]
    with (tmp_path / "journal").open("w") as journal:
        place = os.fstat(journal.fileno())
        number = place.st_ino if is_journal else 17  # inherited, but stderr goes elsewhere
        environment = os.environ | {"JOURNAL_STREAM": f"{place.st_dev}:{number}"}
        subprocess.run(words, cwd=tmp_path, env=environment, stderr=journal, check=False)
    lines = (tmp_path / "journal").read_text().splitlines()
    assert lines[-1].startswith("<3>ogas: 1 fault" if is_journal else "ogas: 1 fault")


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.said.append((self.path, json.loads(body)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_webhook_is_sent_the_record(ogas, failing):
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        server.said = []
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/hook"
        spec = failing(f'[alert]\nwebhook = "{address}"\n')
        assert ogas("nightly", spec, "--date", "2026-11-20").code == 5
        thread.join(timeout=10)
    ((path, record),) = server.said
    assert (path, record["code"]) == ("/hook", 5)


def test_a_webhook_that_is_not_there_is_told(ogas, failing):
    spec = failing('[alert]\nwebhook = "http://127.0.0.1:9/hook"\n')
    ending = ogas("nightly", spec, "--date", "2026-11-20")
    assert (ending.code, "the webhook was not reached" in ending.err) == (5, True)


# ---- schedulers -------------------------------------------------------------------------------


@pytest.fixture
def snippet(ogas, failing):
    failing("")

    def print_it(kind, *words, spec="night.toml"):
        return ogas("nightly", spec, "--schedule", kind, *words)

    return print_it


def test_cron_has_one_line(snippet, tmp_path):
    (line,) = snippet("cron", "--at", "03:07").out.splitlines()
    assert line.startswith("7 3 * * * /")
    assert line.endswith(f"ogas nightly {tmp_path}/night.toml")
    (tmp_path / "100%.toml").write_text(SPEC)
    assert r"100\%.toml" in snippet("cron", spec="100%.toml").out


def test_systemd_takes_the_units(snippet, tmp_path):
    service, timer = snippet("systemd").out.split("# ogas-nightly.timer\n")
    assert "Persistent=true" in timer
    assert "OnCalendar=*-*-* 02:30:00" in timer
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not here")
    (tmp_path / "ogas-nightly.service").write_text(service)
    (tmp_path / "ogas-nightly.timer").write_text(timer)
    units = ["./ogas-nightly.service", "./ogas-nightly.timer"]
    found = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *units],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in found.stderr.splitlines() if "ogas-nightly" in line]
    assert [line for line in complaints if "not executable" not in line] == []


def test_kubernetes_takes_the_cron_job(snippet, tmp_path):
    validate = pytest.importorskip("kubernetes_validate")
    yaml = pytest.importorskip("yaml")
    found = yaml.safe_load(snippet("kubernetes").out)
    validate.validate(found, "1.33", strict=True)
    (container,) = found["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["ogas", "nightly", f"{tmp_path}/night.toml"]


def test_airflow_gets_python_that_runs_the_command(snippet, tmp_path):
    tree = ast.parse(snippet("airflow").out)
    words = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert any(str(word).endswith(f"nightly {tmp_path}/night.toml") for word in words)


@pytest.mark.parametrize("at", ["25:00", "12", "noon", "3:60", ""])
def test_a_time_that_is_none_is_refused(snippet, at):
    ending = snippet("cron", "--at", at)
    assert (ending.code, "no time of the day" in ending.err) == (2, True)
