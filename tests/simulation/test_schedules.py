"""The shipped handlers under faults: seeds of every world, every single fault of every flow, and the old finds."""

import os
import subprocess
import sys

import pytest

from tests.simulation.prove import Task, all_singles, corpus, main, play_all, seeds_of
from tests.simulation.schedule import Seed
from tests.simulation.tally import Tally
from tests.simulation.worlds import WORLDS

# As many in each world.
SEEDS = 20_000
# What these found is open (docs/proof.md). `make prove` plays all of their seeds, and fails until it is mended.
OPEN = {"batches": (83, 198), "schedules": (242, 297)}


def total(tasks):
    return sum(play_all(tasks), Tally())


@pytest.mark.slow
def test_no_seed_breaks_anything():
    tally = total(seeds_of(SEEDS, worlds=[world for world in WORLDS if world not in OPEN]))

    assert [str(found) for found in tally.found] == []
    assert tally.schedules >= SEEDS
    assert tally.accepted > SEEDS
    assert tally.faults > SEEDS


@pytest.mark.xfail(strict=True, reason="open: see docs/proof.md")
@pytest.mark.parametrize(
    "seed", [Seed(world, number) for world, numbers in OPEN.items() for number in numbers], ids=str
)
def test_what_is_open_is_mended(seed):
    assert [str(found) for found in total([Task((seed,))]).found] == []


@pytest.mark.slow
def test_no_single_fault_breaks_anything():
    tally = total(all_singles())

    assert [str(found) for found in tally.found] == []
    assert tally.schedules > 3_000


def test_what_was_found_once_stays_mended():
    assert [str(found) for found in total([corpus()]).found] == []


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


def test_a_seed_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no world 'moon'"):
        main(["--seed", "moon:1"])
