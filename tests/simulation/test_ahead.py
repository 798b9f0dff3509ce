"""What is played ahead is asked for, waited for and ended."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.ahead import PARTS, SEEDS, Ahead
from tests.simulation.prove import seeds_of
from tests.simulation.tally import Tally
from tests.simulation.worlds import WORLDS


def playing(folder: Path, program: str) -> Ahead:
    (folder / "stderr").write_text("out of memory")
    return Ahead(folder, subprocess.Popen([sys.executable, "-S", "-c", program], start_new_session=True))


def test_every_seed_is_in_one_part():
    seeds = [seed for world in WORLDS for task in PARTS[world]() for seed in task.seeds]

    assert sorted(seeds) == sorted(seed for task in seeds_of(SEEDS) for seed in task.seeds)
    assert len(seeds) >= SEEDS


def test_what_was_played_is_told(tmp_path):
    (tmp_path / "calm").write_bytes(pickle.dumps(Tally(7)))

    begun = playing(tmp_path, "")

    assert begun.tally("calm") == Tally(7)
    begun.end()


def test_players_that_fail_say_why(tmp_path):
    with pytest.raises(RuntimeError, match="'calm' was not played:\nout of memory"):
        playing(tmp_path, "raise SystemExit(1)").tally("calm")


def test_what_still_plays_is_ended(tmp_path):
    begun = playing(tmp_path, "import time; time.sleep(600)")

    begun.end()

    with pytest.raises(ProcessLookupError):
        os.kill(begun.process.pid, 0)
