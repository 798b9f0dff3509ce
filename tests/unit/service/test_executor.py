"""One batch from delivery to settlement."""

import pytest

from tests.builders import (
    MINUTE,
    NOW,
    SECOND,
    Greet,
    a_delivery,
    an_envelope,
    some_args,
)
from tests.unit.service.conftest import PERMANENT, Slow, raising, returning
from tidemill import RateLimitedError, minutes, seconds
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.lifecycle import State
from tidemill.domain.limits import MAX_RECEIVES


def test_a_submitted_job_runs_once_and_its_message_is_gone(world):
    job = world.submit(Greet(name="eve"))
    world.does = [lambda args, ctx: {"hello": args.name}]

    world.invoke()

    assert world.state(job) is State.SUCCEEDED
    assert world.client.result(job.ref.id) == {"hello": "eve"}
    assert world.runs == [(job.ref.id, 1, 1)]
    assert world.queues.count("default") == 0
    assert world.telemetry.counts["JobsSucceeded"] == 1


def test_a_job_is_told_about_its_run(world):
    seen = []
    job = world.submit(tenant="acme", correlation_id="corr-1")
    world.does = [lambda args, ctx: seen.append(ctx)]

    world.invoke()

    (ctx,) = seen
    assert (ctx.job_id, ctx.tenant, ctx.kind, ctx.lane) == (job.ref.id, "acme", "test.greet", "default")
    assert (ctx.attempt, ctx.generation, ctx.submitted_at_ms, ctx.correlation_id) == (1, 1, NOW, "corr-1")
    assert ctx.deadline_ms == NOW + 60 * SECOND


def test_a_claim_holds_job_and_message_until_the_function_must_have_ended(world):
    job = world.submit()
    (delivery,) = world.queues.receive("default")

    world.begin([delivery])

    lease_until = world.job(job).claimable_at
    assert lease_until >= NOW + 75 * SECOND + 30 * SECOND
    world.clock.advance(seconds(104))
    assert world.queues.receive("default") == []
    world.clock.advance(seconds(3))
    assert [again.receives for again in world.queues.receive("default")] == [2]


def test_a_failed_job_is_retried_after_its_delay_and_dies_after_its_last_attempt(world):
    job = world.submit()
    world.does = [raising(ValueError("one")), raising(ValueError("two")), raising(ValueError("three"))]

    world.invoke()
    assert (world.state(job), world.job(job).claimable_at) == (State.RETRYING, NOW + 10 * SECOND)
    assert world.invoke() == []
    world.settle()

    assert [attempt for _, _, attempt in world.runs] == [1, 2, 3]
    assert (world.state(job), world.job(job).reason) == (State.DEAD, "attempts_exhausted")
    assert [failed.failure.message for failed in world.client.failures(job.ref.id)] == ["one", "two", "three"]
    assert world.queues.depth("default") == 1


def test_a_permanent_failure_dies_at_once_and_sqs_itself_moves_its_message(world):
    job = world.submit()
    world.does = [raising(PERMANENT)]
    (body,) = world.bodies()

    for _ in range(MAX_RECEIVES + 1):
        world.invoke()

    assert (world.state(job), world.job(job).reason) == (State.DEAD, "permanent")
    assert len(world.runs) == 1
    assert [dead.body for dead in world.queues.peek("default", 5)] == [body]


def test_a_dependency_that_asks_to_wait_costs_no_attempt(world):
    job = world.submit()
    world.does = [raising(RateLimitedError(retry_after=seconds(5)))] * 10

    world.settle()

    assert world.state(job) is State.SUCCEEDED
    assert {attempt for _, _, attempt in world.runs} == {1}
    assert world.job(job).deferrals == 10


def test_one_bad_job_never_harms_its_neighbours(world):
    good, bad, ugly = world.submit(), world.submit(), world.submit()
    world.does = [returning(1), raising(ValueError("x")), raising(SystemExit(1))]

    world.invoke()

    assert [world.state(job) for job in (good, bad, ugly)] == [State.SUCCEEDED, State.RETRYING, State.RETRYING]


def test_a_job_without_time_is_given_back_untouched(world):
    job = world.submit()
    (delivery,) = world.queues.receive("default")

    world.work([delivery], within=seconds(59))

    assert world.runs == []
    assert (world.job(job).attempt, world.job(job).reason) == (0, "no_time")
    world.settle()
    assert world.state(job) is State.SUCCEEDED


def test_a_job_that_was_not_performed_keeps_its_lease_and_its_message(world):
    job = world.submit()
    (delivery,) = world.queues.receive("default")
    executor, batch = world.begin([delivery])

    assert executor.finish(batch) == [delivery.message_id]
    assert world.state(job) is State.RUNNING
    assert world.queues.receive("default") == []


def test_a_job_that_comes_too_late_expires_without_a_run(world):
    job = world.submit(expires_in=minutes(5))
    world.clock.advance(minutes(5))

    world.invoke()

    assert (world.state(job), world.runs, world.queues.count("default")) == (State.EXPIRED, [], 0)


@pytest.mark.parametrize("failure", [ValueError("again"), RateLimitedError(retry_after=seconds(30))])
def test_a_job_that_started_in_time_is_tried_again_after_its_time(world, failure):
    job = world.submit(expires_in=seconds(5))
    world.does = [raising(failure)]
    world.invoke()
    world.clock.advance(minutes(1))

    world.invoke()

    assert (world.state(job), len(world.runs)) == (State.SUCCEEDED, 2)


def test_a_job_is_redriven_after_its_time(world):
    job = world.kill(expires_in=minutes(1))
    world.clock.advance(minutes(5))
    world.desk.redrive(job.ref)

    world.invoke()

    assert (world.state(job), world.job(job).generation) == (State.SUCCEEDED, 2)


def test_a_message_of_a_kind_that_is_gone_dies_with_the_reason(world):
    world.send(an_envelope(kind="test.gone"))

    world.invoke()

    assert (world.state(an_envelope().ref), world.job(an_envelope().ref).reason) == (State.DEAD, "unknown_kind")


def test_arguments_that_no_longer_fit_die_with_the_reason_and_without_a_run(world):
    args = some_args(name=5)
    world.send(an_envelope(args=args, fingerprint=fingerprint_of(args)))

    world.invoke()

    assert world.job(an_envelope().ref).reason == "invalid_args"
    assert world.runs == []


def test_a_claim_creates_the_record_that_its_submitter_never_wrote(world):
    envelope = an_envelope(key="k", expires_at=NOW + MINUTE)
    world.send(envelope)

    world.invoke()

    job = world.job(envelope.ref)
    assert (job.state, job.key, job.lane, job.fence, job.created_at) == (State.SUCCEEDED, "k", "default", 1, NOW)


def test_a_message_older_than_its_records_horizon_never_creates_one(world):
    world.clock.advance(minutes(60 * 24 * 19))

    assert world.work([a_delivery(an_envelope())]) == ["message-1"]
    assert (world.runs, world.store.jobs) == ([], {})


def test_an_empty_batch_is_no_work(world):
    assert world.work([]) == []


def test_every_message_is_settled_once_and_only_messages_of_the_batch(world):
    for n in range(7):
        world.submit(Greet(times=n))
    world.queues.put("default", "no json")
    world.queues.put("default", '{"kind":"test.greet","args":{}}')
    deliveries = world.queues.receive("default")
    world.does = [
        returning(1),
        raising(ValueError()),
        raising(PERMANENT),
        raising(RateLimitedError()),
        returning(object()),
    ]

    staying = world.work(deliveries)

    assert len(staying) == len(set(staying)) == 5
    assert set(staying) <= {delivery.message_id for delivery in deliveries}


def test_a_lane_that_cannot_grant_a_jobs_timeout_gives_it_back_for_ever_so_a_submit_refuses_it(world):
    with pytest.raises(Exception, match="lane: 'critical' grants a job 0:01:00") as refused:
        world.submit(Slow(), lane="critical")

    assert refused.value.violations[0].field == "lane"
    assert world.submit(Greet(), lane="bulk").lane == "bulk"
