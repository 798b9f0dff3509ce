"""Every world has a share of the schedules, and together they are the whole."""

import pytest

from tests.simulation.prove import seeds_in, seeds_of
from tests.simulation.schedule import Seed
from tests.simulation.shares import SHARES, share_of
from tests.simulation.worlds import WORLDS


def test_every_world_has_a_share_and_all_are_the_whole():
    assert list(SHARES) == list(WORLDS)
    assert min(SHARES.values()) > 0
    assert sum(SHARES.values()) == 1_000


@pytest.mark.parametrize("count", [1, 22, 999, 1_000, 20_000])
def test_all_schedules_that_were_asked_for_are_played_and_at_most_one_more_in_each_world(count):
    asked = sum(share_of(world, count) for world in WORLDS)

    assert count <= asked < count + len(WORLDS)
    assert sum(len(task.seeds) for task in seeds_of(count)) == asked


def test_no_seed_is_played_twice():
    seeds = [seed for task in seeds_of(10_000, first=50) for seed in task.seeds]

    assert len(set(seeds)) == len(seeds)
    assert min(seed.number for seed in seeds) == 50


def test_a_world_alone_gets_all():
    seeds = [seed for task in seeds_in("outage", 600, first=3) for seed in task.seeds]

    assert seeds == [Seed("outage", number) for number in range(3, 603)]
