"""Many redrives, carefully: the pace, the canary, and what a purge takes for evidence."""

from itertools import pairwise

import pytest

from tests.builders import Greet
from tests.unit.service.conftest import PERMANENT, raising
from tests.unit.service.test_deadletters import LARGE, forget_receives
from tidemill import days
from tidemill.domain.audit import Outcome
from tidemill.domain.errors import InputError
from tidemill.domain.lifecycle import State
from tidemill.domain.limits import MAX_RECEIVES
from tidemill.service.bulk import Care
from tidemill.service.canary import CanaryEnded
from tidemill.service.dead_filter import Filter
from tidemill.service.letters import Letters
from tidemill.service.manner import RESUME, Manner, Mode
from tidemill.service.redriving import NotRedriven, Redriven

RESTART = Manner(Mode.RESTART)


def entry(world):
    (entry,) = world.trail.entries.values()
    return entry


def working(world, after=0):
    """Time that goes by for the desk goes by for the workers too, `after` so many waits."""
    sleep, waits = world.sleep, []

    def sleep_and_work(seconds_):
        sleep(seconds_)
        waits.append(seconds_)
        if len(waits) > after:
            world.invoke()

    world.sleep = sleep_and_work
    world.build(world.store, world.queues)


def timed(world, events):
    """When each job was redriven, in seconds after the first."""
    at = [world.clock.now_ms() for event in events if isinstance(event, Redriven)]
    return [(moment - at[0]) / 1000 for moment in at]


# --- the pace -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("manner", "at"), [(RESUME, [0, 0, 1, 1, 2, 2]), (RESTART, [0, 0.5, 1, 1.5, 2, 2.5])])
def test_never_faster_than_the_rate_in_any_manner(world, manner, at):
    jobs = [world.kill() for _ in range(6)]

    assert timed(world, world.desk.redrive_all(jobs, manner, Care(rate=2))) == at


def test_a_canary_that_takes_long_gives_the_others_no_credit(world):
    jobs = [world.kill() for _ in range(12)]
    world.clock.advance(days(1))
    working(world, after=20)

    at = timed(world, world.desk.redrive_all(jobs, RESUME, Care(rate=1, canary=1)))

    assert at[1] >= 40
    assert [later - earlier >= 1 for earlier, later in pairwise(at)] == [True] * 11


def test_a_slow_redrive_looks_through_the_dlq_once(world):
    jobs = [world.kill() for _ in range(8)]
    walks, move = [], world.queues.move
    world.queues.move = lambda *arguments: walks.append(1) or move(*arguments)

    done = list(world.desk.redrive_all(jobs[4:], RESUME, Care(rate=1)))

    assert ([one.via for one in done], len(walks)) == (["dlq"] * 4, 1)


# --- the canary ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("manner", [RESUME, RESTART])
def test_one_that_can_not_be_redriven_fails_the_canary(world, manner):
    bad = world.kill(args=Greet(name=LARGE))
    world.payloads.kept.clear()
    others = [world.kill() for _ in range(3)]

    told = list(world.desk.redrive_all([bad, *others], manner, Care(canary=1)))

    assert isinstance(told[0], NotRedriven)
    assert told[1:] == [CanaryEnded(unflown=(bad.ref,))]
    assert {world.job(job).generation for job in others} == {1}
    assert (entry(world).outcome, entry(world).error) == (Outcome.STOPPED, "canary")


def test_a_canary_of_refusals_is_none_and_nothing_moves(world):
    world.queues.put("default", "bad")
    for _ in range(MAX_RECEIVES + 1):
        world.invoke()
    (refused,) = world.store.jobs.values()
    assert refused.state is State.DEAD

    with pytest.raises(InputError, match="canary: none of the chosen jobs can be watched"):
        list(world.desk.redrive_all([refused], RESUME, Care(canary=1)))

    assert (world.queues.depth("default"), world.trail.entries) == (1, {})


def test_a_lane_whose_deaths_nobody_recorded_has_no_canary_and_nothing_moves(world):
    for _ in range(4):
        world.submit()
    forget_receives(world)
    assert world.queues.depth("default") == 4

    with pytest.raises(InputError, match="canary: no message of default's DLQ"):
        list(world.desk.redrive_lanes(("default",), Care(canary=1)))

    assert (world.queues.depth("default"), world.queues.count("default"), world.trail.entries) == (4, 0, {})


def test_the_canary_of_a_whole_lane_is_of_what_its_dlq_holds(world):
    purged, job = world.kill(), world.kill()
    letters = Letters.of([purged])
    assert len(world.queues.purge("default", letters.takes, 1, 100)) == 1
    world.clock.advance(days(1))
    working(world)

    told = list(world.desk.redrive_lanes(("default",), Care(canary=2)))

    assert [one.ref for one in told if isinstance(one, Redriven)] == [job.ref]
    assert (world.job(purged).generation, world.state(job)) == (1, State.SUCCEEDED)


def test_no_lane_moves_after_the_first_one_s_canary_failed(world):
    jobs = [world.kill() for _ in range(3)]
    other = world.submit(lane="bulk")
    world.does = [raising(PERMANENT)] * 2
    for _ in range(MAX_RECEIVES + 1):
        world.invoke("bulk")
    world.clock.advance(days(1))
    working(world)

    told = list(world.desk.redrive_lanes(("default", "bulk"), Care(canary=1)))

    (ended,) = [one for one in told if isinstance(one, CanaryEnded)]
    assert not ended.passed
    assert sorted(world.job(job).generation for job in jobs) == [1, 1, 2]
    assert (world.job(other).generation, world.queues.depth("bulk"), world.queues.count("bulk")) == (1, 1, 0)


# --- the trail and the purge --------------------------------------------------------------------------------


def test_the_intent_names_the_jobs_before_anything_moves(world):
    jobs = [world.kill() for _ in range(2)]
    seen, move = [], world.queues.move

    def look_first(*arguments):
        seen.append(entry(world))
        yield from move(*arguments)

    world.queues.move = look_first
    list(world.desk.redrive_all(jobs, RESUME, Care(rate=5)))

    assert [(one.outcome, one.tenant, one.jobs) for one in seen] == [
        (Outcome.STARTED, "default", tuple(str(job.ref) for job in jobs))
    ]
    assert entry(world).chosen == {"rate": "5"}


def test_a_purge_leaves_the_message_of_a_dead_job_whose_arguments_nothing_keeps(world):
    job, other = world.kill(), world.kill()
    world.store.jobs[job.ref] = world.job(job)
    object.__setattr__(world.store.jobs[job.ref], "owns_args", False)

    (found,) = world.desk.purgeable(Filter(lane="default"))
    (purged,) = world.desk.purge([found], Filter(lane="default"))

    assert (found.kept, [one.ref for one in purged.jobs]) == (1, [other.ref])
    assert world.queues.depth("default") == 1
