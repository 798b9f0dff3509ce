"""The worker on real event shapes: what becomes of each message and of its job."""

import logging
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from PIL import Image

from tests.integration.functions.conftest import BUCKET, Stack
from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.envelope import Envelope, decode, parse_body
from tidemill.domain.ids import keyed_job_id
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Held
from tidemill.domain.tick import Tick
from tidemill.entrypoints.batch import delivery_of
from tidemill.service.refusal import message_job_id


def envelope_of(event: dict[str, Any], index: int) -> Envelope:
    return decode(parse_body(event["Records"][index]["body"]))


def ids(event: dict[str, Any]) -> list[str]:
    return [record["messageId"] for record in event["Records"]]


def refused(stack: Stack, event: dict[str, Any], index: int, kind: str) -> Any:
    """The dead record of a message that carries no job."""
    return stack.job(JobRef("default", message_job_id("default", kind, delivery_of(event["Records"][index]))))


def test_a_bad_message_disturbs_neither_of_its_neighbours(stack, event):
    batch = event("worker_batch")

    staying = stack.work(batch)

    assert staying == [ids(batch)[2]]
    for index, tenant, message in ((0, "default", "one"), (1, "acme", "two")):
        job = stack.job(envelope_of(batch, index).ref)
        assert (job.state, job.attempt, job.ref.tenant) == (State.SUCCEEDED, 1, tenant)
        assert stack.program.client.result(job.ref.id, tenant) == message
    bad = refused(stack, batch, 2, "demo.ping")
    assert (bad.state, bad.reason) == (State.DEAD, "malformed_message")
    assert "fingerprint" in stack.program.client.failures(bad.ref.id)[0].failure.message


def test_the_same_batch_again_runs_nothing_twice(stack, event):
    stack.work(event("worker_batch"))
    before = stack.rows()

    staying = stack.work(event("worker_batch"))

    assert staying == [ids(event("worker_batch"))[2]]
    assert stack.rows() == before


def test_plain_messages_become_jobs_of_the_same_lane_and_run(stack, event):
    plain = event("worker_plain")

    assert stack.work(plain) == []

    refs = [
        JobRef("default", message_job_id("default", "demo.ping", delivery_of(plain["Records"][0]))),
        JobRef("acme", keyed_job_id("acme", "demo.ping", "plain-2")),
    ]
    assert [stack.job(ref).state for ref in refs] == [State.QUEUED, State.QUEUED]
    assert stack.work(stack.next_event()) == []
    assert [stack.program.client.result(ref.id, ref.tenant) for ref in refs] == ["from a plain message", "with a key"]


def test_a_plain_message_that_comes_twice_is_one_job(stack, event):
    stack.work(event("worker_plain"))
    stack.work(stack.next_event())

    assert stack.work(event("worker_plain")) == []

    assert stack.queued() == []
    assert len(stack.rows()) == 2


def test_a_schedules_tick_that_comes_twice_is_one_job(stack, event):
    at = datetime(2026, 11, 18, 11, 6, tzinfo=UTC)
    ref = JobRef("default", Tick("ping.nightly", int(at.timestamp()) * 1000).job_id("default", "demo.ping"))

    assert stack.work(event("worker_tick")) == []

    (message,) = stack.next_event()["Records"]
    assert stack.work({"Records": [message]}) == []
    assert stack.program.client.result(ref.id) == "from a schedule"
    assert stack.work(event("worker_tick")) == []
    assert stack.queued() == []
    assert len(stack.rows()) == 1


def test_every_message_that_is_refused_stays_for_the_dlq_with_its_reason(stack, event):
    batch = event("worker_refused")
    reasons = [
        ("unreadable", "malformed_message", "JSON"),
        ("unreadable", "malformed_message", "twice"),
        ("unreadable", "malformed_message", "NaN"),
        ("unreadable", "malformed_message", "surrogate"),
        ("demo.pong", "unknown_kind", "demo.ping"),
        ("demo.flaky", "invalid_args", "args.failures"),
        ("demo.ping", "invalid_input", "color"),
        ("unreadable", "invalid_input", "object"),
        ("unreadable", "malformed_message", "fingerprint"),
    ]

    staying = stack.work(batch)

    assert staying == ids(batch)[: len(reasons)]
    for index, (kind, reason, words) in enumerate(reasons):
        dead = refused(stack, batch, index, kind)
        assert (dead.state, dead.reason) == (State.DEAD, reason), batch["Records"][index]["body"]
        assert words in stack.program.client.failures(dead.ref.id)[0].failure.message
    assert [parse_body(body)["args"] for body in stack.queued()] == [{"message": "unharmed"}]


def test_a_job_that_killed_three_workers_is_dead_and_not_run_again(stack, event):
    batch = event("worker_poison")
    envelope = envelope_of(batch, 0)
    # Three claims that nobody concluded, the last one's lease over.
    held = Held(envelope.send_id, int(batch["Records"][0]["attributes"]["SentTimestamp"]))
    crashed = replace(
        envelope.record("default", State.RUNNING, message_ttl_s(held.sent_at)),
        attempt=3, fence=3, claimable_at=1, owner="a-dead-worker", held=held,
    )  # fmt: skip
    stack.program.store.insert([crashed])

    staying = stack.work(batch)

    job = stack.job(envelope.ref)
    assert staying == ids(batch)
    assert (job.state, job.reason, job.result, job.crashes) == (State.DEAD, "poison", None, 3)
    assert "3 workers died" in stack.program.client.failures(job.ref.id)[0].failure.message


def test_a_failed_job_waits_in_the_queue_and_near_the_last_receive_in_the_table(stack, event):
    batch = event("worker_flaky")

    staying = stack.work(batch)

    waiting, parked = (stack.job(envelope_of(batch, index).ref) for index in (0, 1))
    assert staying == [ids(batch)[0]]
    assert (waiting.state, waiting.attempt, waiting.owns_args) == (State.RETRYING, 1, False)
    assert (parked.state, parked.attempt, parked.owns_args) == (State.SCHEDULED, 1, True)
    assert waiting.claimable_at - waiting.started_at >= 1_000
    assert stack.program.client.failures(waiting.ref.id)[0].failure.type.endswith("TransientError")


def test_thumbnails_go_from_bucket_to_bucket_and_what_cannot_be_one_is_dead(stack, event):
    source = BytesIO()
    Image.new("RGB", (640, 427), "teal").save(source, "JPEG")
    stack.program.clients.s3.put_object(Bucket=BUCKET, Key="photographs/china.jpg", Body=source.getvalue())
    stack.program.clients.s3.put_object(Bucket=BUCKET, Key="photographs/README.txt", Body=b"Image: china.jpg")
    batch = event("worker_thumbnail")

    staying = stack.work(batch, "bulk")

    made, missing, text = (stack.job(envelope_of(batch, index).ref) for index in range(3))
    assert staying == ids(batch)[1:]
    result = stack.program.client.result(made.ref.id)
    data = stack.program.clients.s3.get_object(Bucket=BUCKET, Key=result["key"])["Body"].read()
    assert result["key"] == "thumbnails/320/photographs/china.jpg.jpeg"
    assert (Image.open(BytesIO(data)).size, len(data)) == ((320, 214), result["size"])
    assert (missing.state, missing.reason, missing.attempt) == (State.DEAD, "permanent", 1)
    assert (text.state, text.reason, text.attempt) == (State.DEAD, "permanent", 1)
    messages = [stack.program.client.failures(job.ref.id)[0].failure.message for job in (missing, text)]
    assert "NoSuchKey" in messages[0]
    assert "is no JPEG, PNG or WebP picture" in messages[1]


def test_no_payload_reaches_the_log(stack, event, caplog):
    caplog.set_level(logging.INFO)
    stack.work(event("worker_batch"))
    stack.work(event("worker_refused"))
    stack.work(event("worker_plain"))

    ours = [record for record in caplog.records if record.name == "tidemill"]
    formatter = logging.getLogger("tidemill").handlers[0].formatter
    logged = "\n".join(map(formatter.format, ours))
    assert {record.message for record in ours} == {"batch", "message_refused"}
    assert "message_id" in logged
    assert not any(word in logged for word in ("from a", "unharmed", "color", "changed"))
