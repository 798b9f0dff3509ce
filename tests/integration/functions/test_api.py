"""The API on API Gateway's event shape: what it answers, and what is written."""

import json

from tidemill.domain.envelope import decode, parse_body
from tidemill.domain.ids import keyed_job_id
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State

REF = JobRef("acme", keyed_job_id("acme", "demo.ping", "order-1"))


def call(stack, event, name):
    answer = stack.call("api", event(name))
    return answer["statusCode"], json.loads(answer["body"])


def test_a_submitted_job_has_its_row_and_its_message(stack, event):
    status, body = call(stack, event, "api_submit_valid")

    assert (status, body["id"], body["state"], body["created"]) == (202, REF.id, "queued", True)
    assert stack.job(REF).state is State.QUEUED
    (message,) = stack.queued()
    assert (decode(parse_body(message)).ref, decode(parse_body(message)).args) == (REF, b'{"message":"from HTTP"}')


def test_the_same_key_again_is_the_same_job(stack, event):
    call(stack, event, "api_submit_valid")

    status, body = call(stack, event, "api_submit_valid")

    assert (status, body["id"], body["created"]) == (200, REF.id, False)
    assert len(stack.queued()) == 1


def test_what_is_refused_is_named_and_leaves_nothing_behind(stack, event):
    kind = call(stack, event, "api_submit_unknown_kind")
    args = call(stack, event, "api_submit_bad_args")

    assert [violation["field"] for violation in kind[1]["violations"]] == ["kind"]
    assert "media.thumbnail" in kind[1]["violations"][0]["problem"]
    assert {violation["field"] for violation in args[1]["violations"]} == {"args.width", "args.colour"}
    assert (kind[0], args[0]) == (422, 422)
    assert stack.rows() == []
    assert [stack.queued(lane) for lane in stack.program.settings.lanes] == [[], [], []]


def test_a_batch_accepts_the_good_jobs_and_names_the_bad_one(stack, event):
    status, body = call(stack, event, "api_submit_batch")

    assert status == 202
    assert ["id" in result for result in body["results"]] == [True, False, True]
    assert body["results"][1]["violations"][0]["field"] == "kind"
    assert len(stack.queued()) == 2
    assert len(stack.rows()) == 2


def test_a_batch_of_jobs_runs_its_callback_when_they_are_over(stack, event):
    status, started = call(stack, event, "api_start_batch")
    assert (status, started["total"], started["submitted"]) == (202, 2, 2)
    assert call(stack, event, "api_start_batch")[0] == 200

    for _ in range(2):
        stack.work(stack.next_event())
    view = stack.program.client.batches.get(started["id"], "acme")
    assert (view.state, view.succeeded) == ("succeeded", 2)
    assert len([row for row in stack.rows() if row["sk"]["S"] == "STATE"]) == 3


def test_a_job_is_read_before_and_after_it_ran(stack, event):
    assert call(stack, event, "api_get")[0] == 404
    call(stack, event, "api_submit_valid")
    assert call(stack, event, "api_get")[1]["state"] == "queued"

    stack.work(stack.next_event())

    status, body = call(stack, event, "api_get")
    assert (status, body["state"], body["result"]) == (200, "succeeded", "from HTTP")


def test_a_cancelled_job_never_runs(stack, event):
    call(stack, event, "api_submit_valid")

    status, body = call(stack, event, "api_cancel")

    assert (status, body["state"]) == (200, "cancelled")
    assert stack.work(stack.next_event()) == []
    assert stack.job(REF).attempt == 0


def test_a_schedule_is_made_changed_backfilled_and_deleted(stack, event):
    status, made = call(stack, event, "api_schedule_create")
    assert (status, made["version"], made["cron"], made["args"]["message"]) == (201, 1, "0 3 * * *", "nightly")

    status, changed = call(stack, event, "api_schedule_change")
    assert (status, changed["version"], changed["cron"], changed["every_seconds"]) == (200, 2, None, 3600)

    status, filled = call(stack, event, "api_schedule_backfill")
    assert (status, filled["dry_run"]) == (200, True)
    assert call(stack, event, "api_schedule_delete")[0] == 200
    assert call(stack, event, "api_schedule_delete")[0] == 404


def test_the_dead_are_listed_for_their_tenant(stack, event):
    batch = event("worker_refused")
    for record in batch["Records"]:
        record["body"] = record["body"].replace('"args"', '"tenant":"acme","args"', 1)
    stack.work(batch)

    status, body = call(stack, event, "api_list")

    assert status == 200
    assert {job["kind"] for job in body["jobs"]} == {"demo.pong", "demo.flaky", "demo.ping"}
    assert {(job["tenant"], job["state"]) for job in body["jobs"]} == {("acme", "dead")}


def test_the_openapi_document_has_the_registry_s_kinds(stack, event):
    status, body = call(stack, event, "api_openapi")

    assert status == 200
    assert body["openapi"].startswith("3.")
    assert "media.thumbnail" in json.dumps(body)


def test_an_event_without_an_authoriser_s_word_is_refused(stack, event):
    unvouched = event("api_submit_valid")
    del unvouched["requestContext"]["authorizer"]

    assert stack.call("api", unvouched)["statusCode"] == 401
    assert stack.rows() == []
