"""Cancel, kill and move over HTTP: who did it stands in the trail, before it is done."""

import pytest

from tests.unit.http.dead import ACME, entries
from tidemill.domain.audit import Outcome
from tidemill.domain.errors import UnavailableError
from tidemill.domain.lifecycle import State

DAY = 86_400
ADA = {"iam": {"userArn": "arn:aws:iam::1:user/ada"}}
CHANGES = [
    ("cancel", "DELETE", "/jobs/{}", None),
    ("kill", "DELETE", "/jobs/{}?kill=true", None),
    ("cancel", "DELETE", "/jobs?state=scheduled", None),
    ("kill", "DELETE", "/jobs?state=scheduled&kill=true", None),
    ("move", "POST", "/jobs/{}/move", {"delay_seconds": 3 * DAY}),
]


@pytest.mark.parametrize(("action", "method", "target", "body"), CHANGES)
def test_who_did_it_to_which_job_is_in_the_trail(world, action, method, target, body):
    ref = world.submitted(delay_seconds=2 * DAY, tenant="acme")

    answer = world.call(method, target.format(ref.id), body, authorizer=ACME)

    assert answer.status == 200
    (entry,) = entries(world)
    assert (entry.action, entry.actor, entry.tenant, entry.jobs) == (action, "token:user-7", "acme", (str(ref),))
    assert (entry.outcome, sum(entry.counts.values())) == (Outcome.DONE, 1)


@pytest.mark.parametrize(("action", "method", "target", "body"), CHANGES)
def test_where_the_trail_can_not_be_written_nothing_is_changed(world, action, method, target, body):
    ref = world.submitted(delay_seconds=2 * DAY)
    before = world.store.jobs[ref]
    world.trail.outage = UnavailableError("audit", "down")

    assert world.call(method, target.format(ref.id), body, authorizer=ADA).status == 503
    assert world.store.jobs[ref] == before


def test_the_entry_says_what_was_chosen(world):
    world.submitted(delay_seconds=2 * DAY)
    world.call("DELETE", "/jobs?state=scheduled&kind=loose")
    assert entries(world)[0].chosen == {"state": "scheduled", "kind": "loose"}


def test_a_move_says_to_when(world):
    ref = world.submitted(delay_seconds=2 * DAY)
    world.call("POST", f"/jobs/{ref.id}/move", {"run_at": "2027-01-20T09:00:00+01:00"})
    assert entries(world)[0].chosen == {"due_at": "2027-01-20T08:00:00.000Z"}


def test_what_changes_nothing_or_is_refused_leaves_no_entry(world):
    ref = world.submitted(delay_seconds=2 * DAY)
    world.client.cancel(ref.id)
    assert world.store.jobs[ref].state is State.CANCELLED
    other = world.submitted(delay_seconds=2 * DAY)

    world.call("DELETE", f"/jobs/{ref.id}")
    world.call("DELETE", "/jobs/0190a5b0-0000-7000-8000-000000000000")
    world.call("DELETE", "/jobs?state=scheduled&dry_run=true")
    world.call("DELETE", "/jobs?state=retrying")
    world.call("POST", f"/jobs/{ref.id}/move", {"delay_seconds": 5})
    world.call("POST", f"/jobs/{other.id}/move", {"delay_seconds": 2 * DAY})
    world.call("POST", f"/jobs/{other.id}/move", {"delay_seconds": -1})

    assert entries(world) == []


def test_code_that_cancels_and_moves_leaves_none(world):
    ref = world.submitted(delay_seconds=2 * DAY)
    world.client.cancel(ref.id)
    assert entries(world) == []
