"""Which process a lease belongs to, and whether it has ended."""

import signal
from pathlib import Path

import pytest
from clusters import until
from faults import python

from ogas.cluster.jobs import process
from ogas.cluster.jobs.process import has_ended, this_process

NAMED = (
    "import sys\n"
    "from ogas.cluster.jobs.process import this_process\n"
    "print(this_process(), flush=True)\n"
    "sys.stdin.readline()\n"
)


def test_a_process_lives_until_it_is_killed_even_before_it_is_waited_for():
    with python(NAMED) as other:
        name = other.stdout.readline().strip()
        assert not has_ended(name)
        other.send_signal(signal.SIGSTOP)
        assert not has_ended(name)
        other.kill()
        until(lambda: has_ended(name))  # it is not waited for yet
        other.wait()
        assert has_ended(name)


def test_a_process_that_the_system_hides_is_not_taken_for_dead(monkeypatch):
    with python(NAMED) as other:
        name = other.stdout.readline().strip()
        monkeypatch.setattr(process, "_fields", lambda number: [])
        assert not has_ended(name)
        other.kill()
        other.wait()
        assert has_ended(name)


def test_a_number_given_again_is_another_process():
    before, start = this_process().rsplit("/", 1)
    assert has_ended(f"{before}/{int(start) - 1}")


@pytest.mark.parametrize("part", [0, 1], ids=["of another machine", "in another container"])
def test_nobody_knows_about_processes(part):
    words = this_process().split("/")
    words[part] = "1"
    words[3] = "0"
    assert not has_ended("/".join(words))


def test_where_the_system_does_not_tell_nobody_is_dead(monkeypatch):
    name = this_process()
    monkeypatch.setattr(process, "PROC", Path("/nowhere"))
    assert this_process() == ""
    assert not has_ended(name)
    assert not has_ended("")
