"""`POST /jobs/{id}/move`: another time for a job that waits; and times in requests."""

import pytest

from tidemill.domain.lifecycle import State

DAY = 86_400
LATER = "2027-01-20T09:00:00+01:00"


def test_a_job_is_moved_to_a_moment(world):
    ref = world.submitted(delay_seconds=2 * DAY)

    answer = world.call("POST", f"/jobs/{ref.id}/move", {"run_at": LATER})

    assert (answer.status, answer.json["state"], answer.json["due_at"]) == (
        200,
        "scheduled",
        "2027-01-20T08:00:00.000Z",
    )
    assert world.call("GET", f"/jobs/{ref.id}").json["due_at"] == "2027-01-20T08:00:00.000Z"
    assert world.telemetry.counts["JobsMoved"] == 1


def test_a_job_is_moved_to_now_and_sent(world):
    ref = world.submitted(delay_seconds=2 * DAY)

    answer = world.call("POST", f"/jobs/{ref.id}/move", {"delay_seconds": 0})

    assert (answer.status, answer.json["state"], answer.json["due_at"]) == (200, "queued", None)


def test_scheduled_jobs_are_listed_by_their_time(world):
    late, soon = world.submitted(delay_seconds=3 * DAY), world.submitted(delay_seconds=2 * DAY)
    world.call("POST", f"/jobs/{soon.id}/move", {"delay_seconds": 9 * DAY})

    jobs = world.call("GET", "/jobs?state=scheduled").json["jobs"]

    assert [job["id"] for job in jobs] == [late.id, soon.id]
    assert all(job["due_at"] for job in jobs)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "run_at"),
        ({"run_at": LATER, "delay_seconds": 5}, "run_at"),
        ({"run_at": "2027-01-20T09:00:00"}, "run_at"),
        ({"run_at": "2027-01-14T00:00:00Z"}, "run_at"),
        ({"run_at": "2029-01-14T00:00:00Z"}, "run_at"),
        ({"run_at": 1_800_000_000}, "run_at"),
        ({"delay_seconds": -1}, "delay_seconds"),
        ({"delay_seconds": "5"}, "delay_seconds"),
        ({"delay_seconds": True}, "delay_seconds"),
        ({"delay_seconds": 365 * DAY + 1}, "delay_seconds"),
        ({"delay_seconds": 8 * DAY}, "delay_seconds"),
        ({"to": LATER}, "to"),
        ([], "body"),
        (5, "body"),
    ],
)
def test_a_bad_time_is_422_with_its_field_and_moves_nothing(world, body, field):
    ref = world.submitted(delay_seconds=2 * DAY, expires_in_seconds=7 * DAY)
    before = world.store.jobs[ref]

    answer = world.call("POST", f"/jobs/{ref.id}/move", body)

    assert (answer.status, answer.json["violations"][0]["field"]) == (422, field)
    assert world.store.jobs[ref] == before


@pytest.mark.parametrize("job_id", ["x", "0190A5B0-0000-7000-8000-000000000000"])
def test_an_ill_formed_id_is_400(world, job_id):
    assert world.call("POST", f"/jobs/{job_id}/move", {"delay_seconds": 5}).status == 400


def test_what_can_not_be_called_forward_is_409_and_says_how_it_could(world):
    ref = world.submitted(delay_seconds=600)

    answer = world.call("POST", f"/jobs/{ref.id}/move", {"delay_seconds": 5})

    assert (answer.status, answer.json["code"], answer.json["job_id"]) == (409, "job_state", ref.id)
    assert "durable_args" in answer.json["detail"]
    assert answer.json["retryable"] is False


def test_a_token_reaches_only_its_tenants_jobs(make_world):
    world = make_world(tenant_claim="tenant")
    mine = {"jwt": {"claims": {"tenant": "acme", "sub": "u"}}}
    theirs = {"jwt": {"claims": {"tenant": "bolt", "sub": "v"}}}
    made = world.call("POST", "/jobs", {"kind": "loose", "args": {}, "delay_seconds": 2 * DAY}, authorizer=mine)
    target = f"/jobs/{made.json['id']}/move"

    assert world.call("POST", target, {"delay_seconds": 5}, authorizer=theirs).status == 404
    assert world.call("POST", target, {"delay_seconds": 5, "tenant": "acme"}, authorizer=theirs).status == 403
    assert world.call("POST", target, {"delay_seconds": 5}, authorizer=mine).status == 200


# --- submitting -----------------------------------------------------------------------------------


def test_a_job_is_submitted_for_a_moment(world):
    made = world.call("POST", "/jobs", {"kind": "loose", "args": {}, "run_at": LATER})

    assert made.status == 202
    assert world.call("GET", f"/jobs/{made.json['id']}").json["due_at"] == "2027-01-20T08:00:00.000Z"


def test_a_short_delay_may_have_its_arguments_in_the_table(world):
    body = {"kind": "loose", "args": {}, "delay_seconds": 60, "durable_args": True}
    made = world.call("POST", "/jobs", body)

    assert world.call("POST", f"/jobs/{made.json['id']}/move", {"delay_seconds": 5}).status == 200
    (job,) = world.store.jobs.values()
    assert (job.state, job.owns_args) == (State.QUEUED, True)


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("run_at", {"run_at": "tomorrow"}),
        ("run_at", {"run_at": "2027-01-14T00:00:00Z"}),
        ("run_at", {"run_at": LATER, "delay_seconds": 1}),
        ("durable_args", {"durable_args": 1}),
    ],
)
def test_a_bad_start_is_422_and_leaves_nothing(world, field, more):
    answer = world.call("POST", "/jobs", {"kind": "loose", "args": {}, **more})

    assert (answer.status, answer.json["violations"][0]["field"]) == (422, field)
    assert world.is_empty
