"""`tidemill move`, and the times in `tidemill list`."""

import json

import pytest

from tidemill.service.request import parse_request

LATER = "2027-01-20T09:00:00+01:00"
SHOWN = "2027-01-20 08:00:00Z"


@pytest.fixture
def waiting(world):
    document = {"kind": "demo.greet", "args": {"name": "Ada"}, "delay_seconds": 86_400}
    return world.submitter.submit([parse_request(document, world.submitter.registry)])[0].job_id


def test_a_job_is_moved_and_listed_with_its_new_time(run, waiting):
    human, machine = run("move", waiting, "--to", LATER), run("move", waiting, "--to", LATER, "--json")

    assert human.stdout == f"job {waiting} is scheduled, due {SHOWN}\n"
    assert json.loads(machine.stdout)["due_at"] == "2027-01-20T08:00:00.000Z"
    assert SHOWN in run("list", "--state", "scheduled").stdout
    assert SHOWN in run("get", waiting).stdout


def test_a_job_is_moved_to_now_and_runs(run, world, waiting):
    assert run("move", waiting, "--in", "0s").stdout == f"job {waiting} is queued, due now\n"

    world.work(rounds=1)

    assert "succeeded" in run("get", waiting).stdout


@pytest.mark.parametrize(
    ("arguments", "field", "problem"),
    [
        ((), "to", "give one of the two"),
        (("--to", LATER, "--in", "5m"), "to", "give one of the two"),
        (("--to", "2027-01-20 09:00"), "to", "with an offset"),
        (("--to", "2027-01-01T00:00:00Z"), "to", "in the past"),
        (("--in", "5"), "in", "such as 90s"),
        (("--in", "366d"), "in", "at most 365d"),
        (("--in", "5m", "--tenant", "a#b"), "tenant", "letters"),
    ],
)
def test_a_bad_time_names_its_option_and_moves_nothing(refused, world, waiting, arguments, field, problem):
    before = dict(world.store.jobs)

    named = refused("move", waiting, *arguments)

    assert list(named) == [field]
    assert problem in named[field]
    assert world.store.jobs == before


def test_a_job_that_is_over_is_not_moved(run, world, waiting):
    run("cancel", waiting)

    result = run("move", waiting, "--in", "5m")

    assert result.exit_code == 1
    assert "is cancelled" in result.stderr
