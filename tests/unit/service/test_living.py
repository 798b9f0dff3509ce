"""Signs of life: heartbeats and progress."""

from __future__ import annotations

import json

import pytest

from tests.builders import NOW, SECOND, Greet
from tests.unit.service.conftest import World, returning
from tidemill import PermanentError, RateLimitedError, hours, minutes, seconds
from tidemill.domain.errors import FenceLostError, InputError, UnavailableError
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Unwritten

SKEW = 30 * SECOND
LONG = hours(1)


@pytest.fixture
def beating():
    """Jobs that promise a sign of life every 30 seconds."""
    return World(heartbeat=seconds(30), timeout=minutes(10))


def tended(world, *spans):
    """A job that runs for these spans, its worker looking after it at the end of each."""

    def behaviour(args, ctx):
        for span in spans:
            world.clock.advance(span)
            world.batch.tend(world.clock.now_ms())
        return "done"

    return behaviour


def invoke(world):
    """An invocation with time enough for long jobs."""
    return world.work(world.queues.receive("default"), within=LONG)


def begin(world, within=LONG):
    (delivery,) = world.queues.receive("default")
    executor, batch = world.begin([delivery], within=within)
    return delivery, executor, batch


def extensions(world):
    """How often a lease was extended from now on."""
    calls, extend = [], world.store.extend

    def counted(*args):
        calls.append(args)
        return extend(*args)

    world.store.extend = counted
    return calls


# --- heartbeats ----------------------------------------------------------------------------------


def test_a_job_with_a_heartbeat_is_held_only_that_long(beating):
    job = beating.submit()
    begin(beating)

    assert beating.job(job).claimable_at == NOW + 30 * SECOND + SKEW
    beating.clock.advance(seconds(60))
    assert beating.queues.receive("default") == []
    beating.clock.advance(seconds(2))
    assert len(beating.queues.receive("default")) == 1


def test_its_worker_beats_for_it_every_third_of_the_time(beating):
    job, calls = beating.submit(), extensions(beating)
    delivery, executor, batch = begin(beating)
    beating.does = [tended(beating, *[seconds(1)] * 65)]

    batch.perform(delivery.message_id)

    assert len(calls) == 6
    assert beating.job(job).claimable_at == NOW + 60 * SECOND + 30 * SECOND + SKEW
    # The message stays hidden as long as the lease, and a second more.
    beating.clock.advance(seconds(55))
    assert beating.queues.receive("default") == []
    assert executor.finish(batch) == []
    assert beating.state(job) is State.SUCCEEDED


def test_its_worker_says_when_it_wants_to_beat_again(beating):
    beating.submit()
    delivery, _, batch = begin(beating)
    told = []
    beating.does = [lambda args, ctx: told.append(batch.tend(beating.clock.now_ms()))]

    batch.perform(delivery.message_id)

    assert told == [NOW + 10 * SECOND]


def test_a_job_without_a_heartbeat_is_not_beaten_for(world):
    world.submit()
    calls = extensions(world)
    delivery, _, batch = begin(world)
    world.does = [tended(world, *[seconds(1)] * 30)]

    batch.perform(delivery.message_id)

    assert calls == []


def test_a_dead_workers_job_runs_elsewhere_as_soon_as_its_beats_stop(beating):
    job = beating.submit()
    begin(beating)
    beating.clock.advance(seconds(62))

    invoke(beating)

    assert (beating.state(job), beating.job(job).attempt) == (State.SUCCEEDED, 2)


def test_an_unheard_beat_is_said_again_and_harms_nothing(beating):
    job = beating.submit()
    delivery, executor, batch = begin(beating)
    extend, answers = beating.store.extend, [Unwritten(UnavailableError("extend", "Throttled"))] * 2
    beating.store.extend = lambda *args: answers.pop() if answers else extend(*args)
    beating.does = [tended(beating, *[seconds(10)] * 4)]

    batch.perform(delivery.message_id)

    assert answers == []
    assert beating.job(job).claimable_at == NOW + 40 * SECOND + 30 * SECOND + SKEW
    assert executor.finish(batch) == []


def test_whoever_lost_the_lease_is_stopped_at_the_next_thing_it_asks_and_is_not_looked_after_any_more(beating):
    job = beating.submit()
    delivery, executor, batch = begin(beating)
    seen, told = [], []

    def overtaken(args, ctx):
        beating.clock.advance(seconds(62))
        invoke(beating)
        told.append(batch.tend(beating.clock.now_ms()))
        told.append(batch.tend(beating.clock.now_ms()))
        for ask in (ctx.heartbeat, lambda: ctx.step("a", int), lambda: ctx.checkpoint(1), lambda: ctx.progress(1)):
            with pytest.raises(FenceLostError) as lost:
                ask()
            seen.append(lost.value)
        raise seen[0]

    beating.does = [overtaken, returning("mine")]
    batch.perform(delivery.message_id)
    executor.finish(batch)

    assert len(seen) == 4
    assert beating.client.result(job.ref.id) == "mine"
    # Not at once again, which would be a worker that does nothing but ask.
    assert all(again_at > beating.clock.now_ms() for again_at in told)


def test_a_job_that_waited_behind_others_for_longer_than_its_heartbeat_is_given_back(beating):
    slow, late = beating.submit(), beating.submit(Greet(name="late"))
    deliveries = beating.queues.receive("default")
    executor, batch = beating.begin(deliveries, within=LONG)
    beating.does = [tended(beating, *[seconds(5)] * 10)]
    for delivery in deliveries:
        batch.perform(delivery.message_id)
    staying = executor.finish(batch)

    assert (beating.state(slow), beating.state(late)) == (State.SUCCEEDED, State.RETRYING)
    assert (len(staying), len(beating.runs), beating.job(late).reason) == (1, 1, "lease_over")
    beating.clock.advance(seconds(1))
    invoke(beating)
    assert beating.state(late) is State.SUCCEEDED


def test_a_heartbeat_of_the_jobs_own_costs_nothing_within_five_seconds(world):
    world.submit()
    calls = extensions(world)

    def behaviour(args, ctx):
        for _ in range(11):
            ctx.heartbeat()
            ctx.step(f"s{len(world.runs)}{ctx.time_left}", int)
            world.clock.advance(seconds(1))

    world.does = [behaviour]
    world.invoke()

    assert len(calls) == 2


def test_a_job_knows_what_time_is_left(world):
    seen = []

    def behaviour(args, ctx):
        seen.append(ctx.time_left)
        world.clock.advance(seconds(61))
        seen.append(ctx.time_left)

    world.submit()
    world.does = [behaviour]
    world.invoke()

    assert seen == [seconds(60), seconds(0)]


# --- progress ------------------------------------------------------------------------------------


def test_progress_is_shown_at_most_every_five_seconds_and_gone_when_the_job_is_over(world):
    job, shown = world.submit(), []

    def behaviour(args, ctx):
        for done in range(12):
            ctx.progress(done, 12, "pages")
            shown.append(world.job(job).progress)
            world.clock.advance(seconds(1))

    world.does = [behaviour]
    world.invoke()

    assert [json.loads(text)["n"] for text in dict.fromkeys(filter(None, shown))] == [5, 10]
    assert json.loads(shown[-1]) == {"n": 10, "of": 12, "note": "pages"}
    assert world.job(job).progress is None


@pytest.mark.parametrize("heartbeat", [None, minutes(1)])
def test_progress_that_is_said_once_is_shown_although_the_job_says_no_more(heartbeat):
    world = World(heartbeat=heartbeat, timeout=minutes(10))
    job, shown, calls = world.submit(), [], extensions(world)

    def behaviour(args, ctx):
        ctx.progress(1, 9)
        for _ in range(8):
            world.clock.advance(seconds(1))
            assert world.batch.tend(world.clock.now_ms()) > world.clock.now_ms()
            shown.append(world.job(job).progress)

    world.does = [behaviour]
    invoke(world)

    assert shown == [None] * 4 + ['{"n":1,"of":9}'] * 4
    assert len(calls) == 1


@pytest.mark.parametrize("end", [ValueError("x"), RateLimitedError(retry_after=hours(1)), PermanentError("no")])
def test_progress_ends_with_its_attempt(world, end):
    job = world.submit()

    def behaviour(args, ctx):
        world.clock.advance(seconds(5))
        ctx.progress(1)
        assert world.job(job).progress == '{"n":1}'
        raise end

    world.does = [behaviour]
    world.invoke()

    assert world.state(job) in {State.RETRYING, State.SCHEDULED, State.DEAD}
    assert world.job(job).progress is None


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("done", (-1,)),
        ("done", (1.5,)),
        ("done", (True,)),
        ("done", (None,)),
        ("done", ((1 << 53) + 1,)),
        ("done", ("1",)),
        ("total", (1, -1)),
        ("total", (1, "2")),
        ("note", (1, 2, "n" * 41)),
        ("note", (1, 2, "é")),
        ("note", (1, 2, "a\nb")),
        ("note", (1, 2, 'a"b')),
        ("note", (1, 2, "a\\b")),
        ("note", (1, 2, 5)),
    ],
)
def test_bad_progress_is_refused_with_its_field(world, field, said):
    seen = []

    def behaviour(args, ctx):
        with pytest.raises(InputError) as refused:
            ctx.progress(*said)
        seen.append(refused.value.violations[0].field)

    world.submit()
    world.does = [behaviour]
    world.invoke()

    assert seen == [f"progress.{field}"]
