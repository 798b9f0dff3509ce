"""The janitor's minute."""

from jobs.ping import Ping
from tidemill import minutes
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.envelope import Envelope
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State

ARGS = b'{"message":"never ran"}'


def test_an_idle_minute_does_nothing(stack, event):
    nothing = {"ticks": 0, "sent": 0, "deaths": 0, "batch_ends": 0}
    assert stack.call("janitor", event("janitor_tick")) == nothing


def test_a_parked_job_is_sent_when_it_falls_due_and_then_runs(stack, event, later):
    receipt = stack.program.client.submit(Ping(message="later"), delay=minutes(20))
    assert (stack.job(receipt.job.ref).state, stack.queued()) == (State.SCHEDULED, [])
    later(17)
    assert stack.call("janitor", event("janitor_tick"))["sent"] == 0

    later(21)
    assert stack.call("janitor", event("janitor_tick"))["sent"] == 1

    assert stack.job(receipt.job.ref).state is State.QUEUED
    assert stack.work(stack.next_event()) == []
    assert stack.program.client.result(receipt.job_id) == "later"


def test_a_parked_job_is_sent_once(stack, event, later):
    stack.program.client.submit(Ping(message="later"), delay=minutes(20))
    later(21)

    sent = [stack.call("janitor", event("janitor_tick"))["sent"] for _ in range(2)]

    assert (sent, len(stack.queued())) == ([1, 0], 1)


def test_a_death_that_nobody_saw_is_recorded_once_patience_is_over(stack, event, later):
    now_ms = stack.program.clock.now_ms()
    ref = JobRef("default", time_ordered_id(now_ms, 1))
    lost = Envelope(time_ordered_id(now_ms, 2), ref, "demo.ping", ARGS, fingerprint_of(ARGS), now_ms, ref.id)
    stack.program.clients.sqs.send_message(
        QueueUrl=stack.program.settings.lanes["default"].dlq_url, MessageBody=lost.encode()
    )
    assert stack.call("janitor", event("janitor_tick"))["deaths"] == 0

    later(5)
    assert stack.call("janitor", event("janitor_tick"))["deaths"] == 1

    job = stack.job(ref)
    assert (job.state, job.reason, job.owns_args) == (State.DEAD, "never_ran", True)
    assert stack.program.reader.envelope_of(job) == lost
