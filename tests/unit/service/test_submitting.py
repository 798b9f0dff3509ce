"""Accepting jobs: checks, keys, races, bulk."""

from datetime import timedelta

import pytest

from tests.builders import NOW, SECOND, Greet, a_send_id
from tests.unit.service.conftest import Slow
from tidemill import Submission, days, minutes, seconds
from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.errors import InputError, KeyConflictError, UnavailableError
from tidemill.domain.ids import keyed_job_id
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Unwritten
from tidemill.service.submitter import Receipt

OUTAGE = UnavailableError("send", "Throttled")
JOB_ID = a_send_id(99)


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("key", {"key": ""}),
        ("key", {"key": "a b"}),
        ("key", {"key": "k" * 97}),
        ("key", {"key": 5}),
        ("tenant", {"tenant": "a#b"}),
        ("tenant", {"tenant": None}),
        ("lane", {"lane": "nope"}),
        ("lane", {"lane": "NO"}),
        ("lane", {"lane": 5}),
        ("delay", {"delay": seconds(-1)}),
        ("delay", {"delay": days(366)}),
        ("delay", {"delay": 5}),
        ("expires_in", {"expires_in": seconds(0)}),
        ("expires_in", {"expires_in": minutes(1), "delay": minutes(1)}),
        ("expires_in", {"expires_in": days(366)}),
        ("expires_in", {"expires_in": 60}),
        ("scheduled_at", {"scheduled_at": "2026-11-27T09:00:00Z"}),
        ("scheduled_at", {"scheduled_at": -1}),
        ("scheduled_at", {"scheduled_at": True}),
        ("job_id", {"job_id": "x"}),
        ("job_id", {"job_id": JOB_ID, "key": "k"}),
        ("correlation_id", {"correlation_id": "x" * 65}),
        ("correlation_id", {"correlation_id": "ü"}),
        ("correlation_id", {"correlation_id": 5}),
        ("causation_id", {"causation_id": "\n"}),
        ("traceparent", {"traceparent": ""}),
        ("hops", {"hops": 33}),
        ("hops", {"hops": -1}),
        ("hops", {"hops": "1"}),
    ],
)
def test_bad_input_is_refused_with_its_field_and_leaves_nothing(world, field, options):
    with pytest.raises(InputError) as refused:
        world.submit(**options)

    assert [violation.field for violation in refused.value.violations] == [field]
    assert (world.store.jobs, world.bodies(), world.store.envelopes) == ({}, [], {})


def test_something_that_is_no_jobargs_is_refused(world):
    with pytest.raises(InputError, match="args"):
        world.submit("not args")


def test_the_record_is_there_at_once_and_outlives_the_message(world):
    job = world.submit(Greet(), key="k", tenant="acme")

    assert world.client.get(job.ref.id, "acme") == job
    assert (job.state, job.ref.id) == (State.QUEUED, keyed_job_id("acme", "test.greet", "k"))
    assert job.ttl_s == message_ttl_s(NOW)


def test_another_tenant_never_sees_the_job(world):
    job = world.submit(tenant="acme")

    with pytest.raises(Exception, match="has no job"):
        world.client.get(job.ref.id, "other")


@pytest.mark.parametrize("delay", [seconds(1), seconds(900)])
def test_a_delay_that_a_queue_can_hold_is_the_queues(world, delay):
    job = world.submit(delay=delay)

    assert (job.state, job.claimable_at) == (State.QUEUED, NOW + delay // timedelta(milliseconds=1))
    world.clock.advance(delay - seconds(1))
    assert world.invoke() == []
    world.clock.advance(seconds(1.001))
    world.invoke()
    assert world.state(job) is State.SUCCEEDED


def test_a_delay_of_part_of_a_second_never_starts_the_job_early(world):
    job = world.submit(delay=seconds(0.3))

    world.clock.advance(seconds(0.9))
    assert world.invoke() == []
    world.clock.advance(seconds(0.2))
    world.invoke()

    assert world.state(job) is State.SUCCEEDED


def test_a_delay_longer_than_a_queue_holds_is_the_tables(world):
    job = world.submit(delay=seconds(901))

    assert (job.state, job.owns_args, world.bodies()) == (State.SCHEDULED, True, [])
    assert job.ttl_s == message_ttl_s(NOW + 901 * SECOND)
    world.settle()
    assert world.state(job) is State.SUCCEEDED
    assert world.job(job).started_at >= NOW + 901 * SECOND


def test_ten_thousand_jobs_are_taken_in_one_call_and_in_their_order(world):
    receipts = world.client.submit_many([Submission(Greet(times=n)) for n in range(10_000)])

    assert all(isinstance(receipt, Receipt) and receipt.created for receipt in receipts)
    assert len({receipt.job_id for receipt in receipts}) == len(world.bodies()) == 10_000
    assert '"times":9999' in world.bodies()[-1]


@pytest.mark.parametrize("count", [0, 10_001])
def test_an_empty_or_too_large_bulk_is_refused_as_a_whole(world, count):
    with pytest.raises(InputError) as refused:
        world.client.submit_many([Submission(Greet())] * count)

    assert refused.value.violations[0].field == "jobs"
    assert (world.store.jobs, world.bodies()) == ({}, [])


def test_a_bulk_is_any_iterable(world):
    results = world.client.submit_many(Submission(Greet(times=n)) for n in range(3))

    assert [type(result) for result in results] == [Receipt] * 3
    with pytest.raises(InputError):
        world.client.submit_many(iter(()))


def test_what_is_no_submission_is_answered_with_its_place_and_its_neighbours_run(world):
    results = world.client.submit_many([Submission(Greet(times=1)), None, Greet(), Submission(Greet(times=2))])

    assert [type(result) for result in results] == [Receipt, InputError, InputError, Receipt]
    assert [results[n].violations[0].field for n in (1, 2)] == ["jobs[1]", "jobs[2]"]
    assert [type(result) for result in world.client.submit_many([None])] == [InputError]
    assert len(world.bodies()) == 2


@pytest.mark.parametrize("hops", [True, False, 1.0, "1", -1])
def test_hops_that_are_no_count_are_refused(world, hops):
    (refused,) = world.client.submit_many([Submission(Greet(), hops=hops)])

    assert isinstance(refused, InputError)
    assert refused.violations[0].field == "hops"


def test_bad_jobs_of_a_bulk_never_harm_the_good_ones(world):
    world.submit(key="taken")
    bulk = [
        Submission(Greet()),
        Submission(Greet(), key="a b"),
        Submission(Greet(name="eve"), key="taken"),
        Submission(Greet(), hops="x"),
        Submission(Greet.model_construct(name=object())),
        Submission(Slow()),
        Submission(Greet(), key="twice"),
        Submission(Greet(), key="twice"),
        Submission(Greet(name="eve"), key="twice"),
        Submission(Greet(), delay=days(1)),
    ]

    results = world.client.submit_many(bulk)

    assert [type(result) for result in results] == [
        Receipt,
        InputError,
        KeyConflictError,
        InputError,
        results[4].__class__,
        Receipt,
        Receipt,
        Receipt,
        KeyConflictError,
        Receipt,
    ]
    assert isinstance(results[4], InputError)
    assert (results[6].created, results[7].created) == (True, False)
    assert (world.queues.count("default"), world.queues.count("bulk")) == (3, 1)


def test_sends_that_failed_are_answered_one_by_one_and_leave_no_record(world):
    send = world.queues.send
    world.queues.send = lambda lane, sends: [*send(lane, sends[:2]), *([OUTAGE] * len(sends[2:]))]

    results = world.client.submit_many([Submission(Greet(times=n)) for n in range(4)])

    assert [type(result) for result in results] == [Receipt, Receipt, UnavailableError, UnavailableError]
    assert len(world.store.jobs) == 2


def test_a_record_that_could_not_be_written_is_no_refusal_because_sqs_has_the_job(world):
    insert, world.store.insert = world.store.insert, lambda jobs: [Unwritten(OUTAGE) for _ in jobs]

    receipt = world.client.submit(Greet())
    world.store.insert = insert
    world.settle()

    assert receipt.created
    assert world.state(receipt.job) is State.SUCCEEDED


def test_a_parked_job_whose_record_could_not_be_written_is_not_accepted(world):
    world.store.insert = lambda jobs: [Unwritten(OUTAGE) for _ in jobs]

    with pytest.raises(UnavailableError):
        world.submit(delay=days(1))


def test_a_parked_job_whose_arguments_could_not_be_kept_is_not_accepted(world):
    world.store.keep = lambda envelopes, ttl_s: [OUTAGE for _ in envelopes]

    with pytest.raises(UnavailableError):
        world.submit(delay=days(1))

    assert world.store.jobs == {}
