import json

import pytest

from tidemill.cli import waiting

ARGS = '{"name":"Ada"}'


@pytest.fixture
def worker(world, monkeypatch):
    """Whoever sleeps lets the worker run."""
    naps = []

    def sleep(seconds):
        naps.append(seconds)
        world.work()

    monkeypatch.setattr(waiting.time, "sleep", sleep)
    return naps


def test_waiting_shows_the_result(run, worker):
    result = run("submit", "demo.greet", ARGS, "--wait", "60", "--json")

    job = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert (job["state"], job["result"]) == ("succeeded", {"greeting": "Hello Ada"})
    assert worker


def test_waiting_for_a_job_that_dies_fails(run, worker):
    result = run("submit", "demo.break", "{}", "--wait", "60", "--json")

    job = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (job["state"], job["failures"][0]["type"]) == ("dead", "tidemill.domain.signals.PermanentError")
    assert json.loads(result.stderr)["code"] == "job_not_succeeded"


def test_waiting_ends_when_its_time_is_over(run):
    result = run("submit", "demo.greet", ARGS, "--wait", "0")

    assert result.exit_code == 1
    assert "queued" in result.stdout
    assert "still queued after 0 s" in result.stderr
