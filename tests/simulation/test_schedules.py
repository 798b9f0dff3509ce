"""The shipped handlers under faults: seeds of every world, every single fault of every flow, and the old finds."""

import os
import subprocess
import sys

import pytest

from tests.simulation.ahead import CORPUS, SEEDS, SINGLES
from tests.simulation.prove import main
from tests.simulation.schedule import Seed, opened
from tests.simulation.shares import share_of
from tests.simulation.tally import Tally
from tests.simulation.worlds import WORLDS


@pytest.mark.slow
@pytest.mark.parametrize("world", [pytest.param(world, marks=pytest.mark.ahead(world)) for world in WORLDS])
def test_no_seed_breaks_anything(ahead, world):
    tally = ahead.tally(world)

    assert [str(found) for found in tally.found] == []
    assert tally.schedules == share_of(world, SEEDS)


@pytest.mark.slow
@pytest.mark.ahead(*WORLDS)
def test_the_seeds_are_many_and_much_goes_wrong(ahead):
    tally = sum(map(ahead.tally, WORLDS), Tally())

    assert tally.schedules >= SEEDS
    assert tally.accepted > SEEDS
    assert tally.faults > SEEDS


@pytest.mark.slow
@pytest.mark.parametrize("flow", [pytest.param(flow, marks=pytest.mark.ahead(flow)) for flow in SINGLES])
def test_no_single_fault_breaks_anything(ahead, flow):
    assert [str(found) for found in ahead.tally(flow).found] == []


@pytest.mark.slow
@pytest.mark.ahead(*SINGLES)
def test_the_single_faults_are_many(ahead):
    assert sum(map(ahead.tally, SINGLES), Tally()).schedules > 3_000


@pytest.mark.ahead(CORPUS)
def test_what_was_found_once_stays_mended(ahead):
    assert [str(found) for found in ahead.tally(CORPUS).found] == []


def test_one_seed_is_one_schedule_on_every_machine(repository):
    stories = [
        subprocess.run(
            [sys.executable, "-m", "tests.simulation.prove", "--seed", "17"],
            cwd=repository,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]

    assert stories[0] == stories[1]
    assert "accepted" in stories[0]
    assert "everything heals" in stories[0]


def test_what_was_played_before_changes_nothing():
    """Each world has a stack of its own; every other one was on the stage before."""

    with opened() as stage:
        before = {world: stage.play(Seed(world, 0)) for world in WORLDS}

        assert {world: stage.play(Seed(world, 0)) for world in reversed(WORLDS)} == before


def test_a_seed_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no world 'moon'"):
        main(["--seed", "moon:1"])
