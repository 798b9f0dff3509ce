"""Processes that are killed in the middle of a batch: what runs again, when, and what is not repeated."""

from itertools import pairwise

import pytest
from trials.crashing import BEYOND_ONE_LEASE_S

from examples.demo.watch import wait_until
from tests.e2e.ground import PATIENCE_S
from tidemill import State
from tidemill.domain.limits import CLOCK_SKEW, MAX_CRASHES, MIN_HEARTBEAT, SWEEP_PERIOD

pytestmark = [pytest.mark.slow, pytest.mark.late]
# Three leases of 40 s each and the starts of three processes.
POISON_S = 240
GRACE_S = 35


def test_a_killed_workers_job_runs_again_in_time_and_its_neighbours_succeed(ground, set_off, measured):
    killed, *neighbours, later = set_off["crashing"]
    diary, bound_s = ground.diary("crashing"), ground.function_timeout_s("crashing") + GRACE_S

    job = ground.ended(killed, patience_s=bound_s + PATIENCE_S)

    assert (job.state, job.attempt, job.crashes, job.result) == (State.SUCCEEDED, 2, 1, "2")
    (death,) = diary.lines("killed")
    first, second = diary.lines("started", "it")
    again_s = (second["at_ms"] - death["at_ms"]) / 1000
    measured(f"a killed worker's job ran again after {again_s:.1f} s; function timeout + {GRACE_S} s = {bound_s} s")
    assert 0 < again_s <= bound_s
    assert second["pid"] != first["pid"] == death["pid"]
    assert len(diary.lines("charged", "it")) == 1
    assert ground.ended(later).state is State.SUCCEEDED
    for ref in neighbours:
        neighbour = ground.ended(ref, patience_s=SWEEP_PERIOD.total_seconds() + PATIENCE_S)
        assert (neighbour.state, neighbour.attempt, neighbour.crashes) == (State.SUCCEEDED, 2, 1)
    # Each ran alone, and one that was given back for that several times was parked until the next sweep.
    last_ms = max(line["at_ms"] for line in diary.lines("ran") if line["name"] != "later")
    measured(f"the last of its {len(neighbours)} neighbours ran again after {(last_ms - death['at_ms']) / 1000:.1f} s")
    # They had run and nobody had recorded it: at least once. Their effect was a step: effectively once.
    assert [len(diary.lines("ran", f"neighbour {n}")) for n in range(3)] == [2, 2, 2]
    assert [len(diary.lines("effect", f"neighbour {n}")) for n in range(3)] == [1, 1, 1]


def test_a_job_that_says_it_lives_outlasts_its_lease_and_is_found_soon_when_it_does_not(ground, set_off, measured):
    going, _ = set_off["beating"]
    diary, bound_s = ground.diary("beating"), MIN_HEARTBEAT.total_seconds() + GRACE_S

    job = ground.ended(going, patience_s=BEYOND_ONE_LEASE_S + bound_s + PATIENCE_S)

    assert (job.state, job.attempt, job.crashes, job.result) == (State.SUCCEEDED, 2, 1, "2")
    (death,) = diary.lines("killed")
    first, second = diary.lines("started")
    lived_s, again_s = ((one["at_ms"] - other["at_ms"]) / 1000 for one, other in ((death, first), (second, death)))
    measured(f"a job with a heartbeat lived {lived_s:.1f} s, and ran again {again_s:.1f} s after its worker's death")
    # Nobody took it over while it lived, and nobody waited for its function to end.
    assert lived_s > (MIN_HEARTBEAT + CLOCK_SKEW).total_seconds()
    assert 0 < again_s <= bound_s
    assert lived_s + again_s < ground.function_timeout_s("beating") + CLOCK_SKEW.total_seconds()


def test_poison_dies_alone_and_its_steps_outlive_it(ground, set_off, measured):
    poison, *others = set_off["poison"]
    diary = ground.diary("poison")

    dead = ground.ended(poison, patience_s=POISON_S)

    assert (dead.state, dead.reason, dead.crashes, dead.generation) == (State.DEAD, "poison", MAX_CRASHES, 1)
    starts = diary.lines("started", "it")
    assert len(starts) == len(diary.lines("killed")) == MAX_CRASHES
    assert len({line["pid"] for line in starts}) == MAX_CRASHES
    waits = [(after["at_ms"] - before["at_ms"]) / 1000 for before, after in pairwise(starts)]
    measured(f"poison killed {MAX_CRASHES} processes, {' s and '.join(f'{wait:.1f}' for wait in waits)} s apart")
    for ref in others:
        other = ground.ended(ref)
        assert other.state is State.SUCCEEDED
        assert other.crashes <= 1
    assert len(diary.lines("effect")) == len(others)

    assert wait_until(lambda: poison in ground.in_dlq("poison"), PATIENCE_S)
    assert list(ground.in_dlq("poison")) == [poison]
    ground.redrive_as_the_console_does("poison", poison)

    again = ground.ended(poison, generation=2)
    assert (again.state, again.generation, again.attempt, again.result) == (State.SUCCEEDED, 2, 1, "2")
    assert len(diary.lines("charged")) == 1
    assert ground.in_dlq("poison") == {}
