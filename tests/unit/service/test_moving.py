"""Delays and moves on the virtual clock: a job starts at its time, never before, and at no other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tidemill import (
    DEFAULT_LANES,
    JobArgs,
    JobRegistry,
    Lane,
    RateLimitedError,
    State,
    Submission,
    days,
    hours,
    job,
    minutes,
    seconds,
)
from tidemill.domain import limits
from tidemill.errors import InputError, JobNotFoundError, JobStateError, PayloadGoneError, UnavailableError
from tidemill.testing import Harness
from tidemill.testing.faults import Process


class Ring(JobArgs, kind="clock.ring"):
    text: str = ""


class Turn(JobArgs, kind="clock.turn"):
    """One of a FIFO lane."""


class Clock:
    """Notes when each job starts."""

    def __init__(self):
        self.rang = []
        self.fails = 0

    def __call__(self, args, ctx):
        self.rang.append(self.tide.now)
        if self.fails:
            self.fails -= 1
            raise RateLimitedError("later", retry_after=hours(1))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tide(clock):
    lanes = (*DEFAULT_LANES, Lane("line", fifo=True))
    with Harness(JobRegistry(job(Ring)(clock), job(Turn, lane="line")(clock), lanes=lanes)) as tide:
        clock.tide = tide
        yield tide


def runs_once_at(tide, clock, due):
    """Let everything happen that will; a queue's delays are whole seconds, rounded up."""
    tide.drain_until_idle(within=days(800))
    (start,) = clock.rang
    assert due <= start < due + seconds(2)
    return True


WAITS = [seconds(1), seconds(59), minutes(15), minutes(15) + seconds(1), minutes(16), hours(5), days(30), days(365)]


@pytest.mark.parametrize("delay", WAITS, ids=str)
def test_a_delay_of_a_second_to_a_year_starts_to_the_second_and_never_before(tide, clock, delay):
    due = tide.now + delay
    tide.client.submit(Ring(), delay=delay)

    assert runs_once_at(tide, clock, due)


@pytest.mark.parametrize("wait", WAITS, ids=str)
def test_so_does_a_moment(tide, clock, wait):
    due = tide.now + wait
    tide.client.submit(Ring(), run_at=due)

    assert runs_once_at(tide, clock, due)


def test_a_moment_that_has_just_passed_is_now(tide, clock):
    tide.client.submit(Ring(), run_at=tide.now - seconds(30))

    assert runs_once_at(tide, clock, tide.now)


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("run_at", {"run_at": datetime(2027, 2, 1)}),  # noqa: DTZ001 - what is refused
        ("run_at", {"run_at": datetime(2027, 1, 14, tzinfo=UTC)}),
        ("run_at", {"run_at": datetime(2028, 1, 16, tzinfo=UTC)}),
        ("run_at", {"run_at": "2027-02-01T00:00:00Z"}),
        ("run_at", {"run_at": datetime(2027, 2, 1, tzinfo=UTC), "delay": seconds(1)}),
        ("expires_in", {"run_at": datetime(2027, 2, 1, tzinfo=UTC), "expires_in": days(1)}),
        ("durable_args", {"durable_args": "yes"}),
    ],
)
def test_a_bad_start_is_refused_and_leaves_nothing(tide, field, options):
    with pytest.raises(InputError) as refused:
        tide.client.submit(Ring(), **options)

    assert [violation.field for violation in refused.value.violations] == [field]
    assert (tide.jobs(), tide.drain()) == ([], 0)


@pytest.mark.parametrize("field", ["run_at", "durable_args", "delay"])
def test_an_ordered_lane_has_no_delays(tide, field):
    given = {"run_at": tide.now + hours(1), "durable_args": True, "delay": hours(1)}[field]

    with pytest.raises(InputError, match=f"{field}: is not possible"):
        tide.client.submit(Turn(), entity="e", **{field: given})


@pytest.mark.parametrize("chosen", [{"key": "k"}, {"job_id": "0190a5b0-0000-7000-8000-000000000000"}], ids=str)
def test_a_repeat_of_what_was_in_time_is_answered_after_its_time(tide, chosen):
    moment = tide.now + seconds(5)
    first = tide.client.submit(Ring(), run_at=moment, **chosen)
    tide.advance(hours(1))

    again = tide.client.submit(Ring(), run_at=moment, **chosen)

    assert (again.job_id, again.created) == (first.job_id, False)
    with pytest.raises(InputError, match="in the past"):
        tide.client.submit(Ring(text="another"), run_at=moment)


# --- moving -------------------------------------------------------------------------------------

FROM = {
    "in its queue": {"delay": minutes(10)},
    "in its queue, durable": {"delay": minutes(10), "durable_args": True},
    "due at once": {},
    "in the table": {"delay": hours(3)},
}
SOONER = [name for name in FROM if name not in ("in its queue", "due at once")]
started_from = pytest.mark.parametrize("begun", FROM)


@started_from
@pytest.mark.parametrize("by", [seconds(20), minutes(2), hours(1), hours(20), days(364)], ids=str)
def test_a_job_that_is_moved_later_starts_at_the_new_time_alone(tide, clock, begun, by):
    receipt = tide.client.submit(Ring(), **FROM[begun])
    due = tide.now + FROM[begun].get("delay", seconds(0)) + by

    moved = tide.client.move(receipt.job_id, to=due)

    assert moved.claimable_at == int(due.timestamp() * 1000)
    assert runs_once_at(tide, clock, due)


@pytest.mark.parametrize("begun", SOONER)
@pytest.mark.parametrize("wait", [seconds(0), seconds(7), minutes(3), minutes(9)], ids=str)
def test_a_job_that_the_table_has_is_moved_sooner_to_the_second(tide, clock, begun, wait):
    receipt = tide.client.submit(Ring(), **FROM[begun])
    due = tide.now + wait

    tide.client.move(receipt.job_id, delay=wait)

    assert runs_once_at(tide, clock, due)


def test_one_that_only_its_queue_has_is_not(tide, clock):
    due = tide.now + minutes(10)
    receipt = tide.client.submit(Ring(), delay=minutes(10))

    with pytest.raises(JobStateError, match="durable_args"):
        tide.client.move(receipt.job_id, delay=minutes(9))

    assert runs_once_at(tide, clock, due)


@pytest.mark.parametrize("late", [seconds(1), seconds(30), seconds(119)], ids=str)
@pytest.mark.parametrize("to", [seconds(0), minutes(1), minutes(5), hours(4)], ids=str)
def test_what_a_sweep_has_sent_already_does_not_start_at_its_old_time(tide, clock, late, to):
    receipt = tide.client.submit(Ring(), delay=hours(1))
    tide.advance(hours(1) - late)
    assert late == seconds(119) or tide.job(receipt).state is State.QUEUED
    due = tide.now + to

    tide.client.move(receipt.job_id, delay=to)

    assert runs_once_at(tide, clock, due)


def test_a_job_is_moved_again_and_again(tide, clock):
    receipt = tide.client.submit(Ring(), delay=minutes(1), durable_args=True)
    for wait in (minutes(2), hours(2), seconds(3), days(3), minutes(10)):
        due = tide.now + wait
        tide.client.move(receipt.job_id, delay=wait)
        tide.run_for(seconds(0.5))

    assert runs_once_at(tide, clock, due)


def test_moving_once_a_minute_uses_up_no_receives(tide, clock):
    receipt = tide.client.submit(Ring())
    for _ in range(3 * limits.MAX_RECEIVES):
        due = tide.now + seconds(50)
        tide.client.move(receipt.job_id, to=due)
        tide.run_for(seconds(49))

    assert tide.job(receipt).state in (State.QUEUED, State.SCHEDULED)
    assert runs_once_at(tide, clock, due)


def test_a_parked_wait_is_moved_as_a_delay_is(tide, clock):
    clock.fails = 1
    receipt = tide.client.submit(Ring())
    tide.drain()
    assert tide.job(receipt).state is State.SCHEDULED

    tide.client.move(receipt.job_id, delay=seconds(0))
    tide.drain()

    assert (len(clock.rang), tide.job(receipt).state) == (2, State.SUCCEEDED)


def test_large_arguments_are_kept_for_as_long_as_the_job_waits(tide, clock):
    receipt = tide.client.submit(Ring(text="x" * 200_000), delay=days(300))
    for _ in range(4):
        tide.advance(days(299))
        tide.client.move(receipt.job_id, delay=days(300))

    assert runs_once_at(tide, clock, tide.now + days(300))


def test_arguments_that_are_gone_are_an_error_and_no_move(tide):
    receipt = tide.client.submit(Ring(text="x" * 200_000), delay=hours(1))
    before = tide.job(receipt)
    tide._stack.payloads.kept.clear()

    with pytest.raises(PayloadGoneError):
        tide.client.move(receipt.job_id, delay=hours(2))

    assert tide.job(receipt) == before


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("to", {}),
        ("to", {"to": datetime(2027, 2, 1, tzinfo=UTC), "delay": seconds(5)}),
        ("to", {"to": datetime(2027, 2, 1)}),  # noqa: DTZ001 - what is refused
        ("to", {"to": datetime(2027, 1, 15, 7, 59, tzinfo=UTC)}),
        ("to", {"to": datetime(2028, 1, 16, tzinfo=UTC)}),
        ("delay", {"delay": seconds(-1)}),
        ("delay", {"delay": days(366)}),
        ("delay", {"delay": 5}),
        ("delay", {"delay": hours(9)}),
        ("tenant", {"delay": seconds(5), "tenant": "a#b"}),
    ],
)
def test_a_bad_time_is_refused_and_moves_nothing(tide, field, options):
    receipt = tide.client.submit(Ring(), delay=hours(1), expires_in=hours(8))
    before = tide.job(receipt)

    with pytest.raises(InputError) as refused:
        tide.client.move(receipt.job_id, **options)

    assert [violation.field for violation in refused.value.violations] == [field]
    assert tide.job(receipt) == before


def test_an_ordered_job_is_not_moved(tide):
    receipt = tide.client.submit(Turn(), entity="e")

    with pytest.raises(InputError, match="FIFO"):
        tide.client.move(receipt.job_id, delay=hours(1))


def test_another_tenants_job_is_not_there(tide):
    receipt = tide.client.submit(Ring(), delay=hours(1), tenant="acme")

    with pytest.raises(JobNotFoundError):
        tide.client.move(receipt.job_id, delay=hours(2), tenant="bolt")


@started_from
def test_what_is_cancelled_is_not_moved_and_does_not_run(tide, clock, begun):
    receipt = tide.client.submit(Ring(), **FROM[begun])
    tide.client.move(receipt.job_id, delay=hours(5))
    tide.client.cancel(receipt.job_id)

    with pytest.raises(JobStateError, match="is cancelled"):
        tide.client.move(receipt.job_id, delay=hours(6))
    tide.drain_until_idle()

    assert clock.rang == []


# --- trouble ------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["find", "envelope_of", "keep_longer", "move"])
def test_a_call_that_aws_did_not_answer_may_be_repeated(tide, clock, call):
    receipt = tide.client.submit(Ring(), delay=hours(1))
    tide.faults.throttle(call, by=Process.CLIENT)
    due = tide.now + hours(2)

    with pytest.raises(UnavailableError):
        tide.client.move(receipt.job_id, to=due)
    tide.client.move(receipt.job_id, to=due)

    assert runs_once_at(tide, clock, due)


@pytest.mark.parametrize("call", ["send", "envelope_of"])
def test_what_the_mover_can_not_send_the_sweep_does(tide, clock, call):
    receipt = tide.client.submit(Ring(), delay=hours(1))
    tide.faults.throttle(call, by=Process.CLIENT)

    assert tide.client.move(receipt.job_id, delay=minutes(2)).state is State.SCHEDULED

    assert runs_once_at(tide, clock, tide.now + minutes(2))


@pytest.mark.parametrize("call", ["keep", "move"])
def test_a_worker_that_can_not_shelve_a_postponed_job_leaves_it_in_its_queue(tide, clock, call):
    receipt = tide.client.submit(Ring())
    due = tide.now + days(1)
    tide.client.move(receipt.job_id, to=due)
    tide.faults.throttle(call, by=Process.WORKER)

    assert runs_once_at(tide, clock, due)


@pytest.mark.parametrize("call", ["keep", "move"])
def test_nor_does_one_that_dies_there_lose_it(tide, clock, call):
    receipt = tide.client.submit(Ring())
    due = tide.now + days(1)
    tide.client.move(receipt.job_id, to=due)
    tide.faults.crash_after(call, by=Process.WORKER)

    assert runs_once_at(tide, clock, due)


def test_jobs_of_a_bulk_are_kept_one_by_one(tide):
    tide.faults.throttle("keep", by=Process.CLIENT)

    plain, durable = tide.client.submit_many(
        [Submission(Ring()), Submission(Ring(), delay=seconds(5), durable_args=True)]
    )

    assert plain.created
    assert isinstance(durable, UnavailableError)
    assert len(tide.jobs()) == 1


def test_a_client_lists_what_is_scheduled_by_its_time(tide):
    late = tide.client.submit(Ring(), delay=days(2), tenant="acme").job_id
    soon = tide.client.submit(Ring(), delay=days(1), tenant="acme").job_id
    tide.client.submit(Ring(), delay=days(1))
    tide.client.move(soon, delay=days(3), tenant="acme")

    first = tide.client.scheduled("acme", limit=1)
    rest = tide.client.scheduled("acme", cursor=first.cursor)

    assert [job.ref.id for job in (*first.jobs, *rest.jobs)] == [late, soon]
    assert rest.cursor is None
