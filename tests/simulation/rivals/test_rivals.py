"""The head-to-head counts what it says it counts, and the pages show what was counted."""

import re

import pytest

from tests.simulation.planted import PLANTED
from tests.simulation.rivals import entrants
from tests.simulation.rivals.arena import opened_arena
from tests.simulation.rivals.entrants import RIVALS, Rival
from tests.simulation.rivals.orders import BOUTS
from tests.simulation.rivals.results import Results
from tests.simulation.rivals.score import Score

SEEDS = 8
OURS = next(rival for rival in RIVALS if rival.name == "tidemill")
THEIRS = [rival for rival in RIVALS if rival is not OURS]

DOES_NOTHING = """
def lambda_handler(event, context):
    return {"batchItemFailures": []}
"""
FORGETS_THE_REDRIVEN = """
from tests.simulation.rivals import work

def lambda_handler(event, context):
    failed = [] if work._match().book.is_mended else event["Records"]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}
"""


@pytest.fixture(scope="module")
def arena():
    with opened_arena() as arena:
        yield arena


def play(arena, rival, bouts=tuple(BOUTS), seeds=SEEDS):
    return sum((arena.play(rival, BOUTS[bout], number) for bout in bouts for number in range(seeds)), Score())


@pytest.fixture
def handler(monkeypatch):
    """A rival with a handler that is written down here."""

    def made(source):
        monkeypatch.setattr(entrants, "_code", lambda name: compile(source, name, "exec"))
        return Rival("planted", "planted", THEIRS[0].submit, "planted")

    return made


def test_ours_loses_nothing_and_applies_nothing_twice_under_one_key(arena):
    score = play(arena, OURS)

    assert score.accepted > SEEDS * len(BOUTS)
    assert score.succeeded == score.accepted
    assert (score.lost, score.stuck, score.never_ran, score.violated) == (0, 0, 0, 0)
    assert (score.keyed_duplicates, score.wrong_rows) == (0, 0)


@pytest.mark.parametrize("rival", THEIRS, ids=lambda rival: rival.name)
def test_the_rivals_run_and_show_what_they_are_known_for(arena, rival):
    score = play(arena, rival)

    assert score.succeeded > SEEDS * len(BOUTS)
    assert score.faults > 0
    assert score.duplicates > play(arena, OURS).duplicates
    assert score.dead_healthy > 0


def test_an_outage_puts_healthy_jobs_of_the_rivals_into_the_dlq_and_none_of_ours(arena):
    healthy = {rival.name: play(arena, rival, ["outage"]).dead_healthy for rival in RIVALS}

    assert healthy.pop("tidemill") == 0
    assert all(healthy.values())


@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.name)
def test_a_seed_is_one_schedule(arena, rival):
    assert play(arena, rival, ["mishaps"], 3) == play(arena, rival, ["mishaps"], 3)


def test_a_job_that_is_acked_and_not_done_is_lost(arena, handler):
    score = play(arena, handler(DOES_NOTHING), ["faults"], 3)

    assert score.lost == score.accepted > 0


def test_a_job_that_is_acked_after_its_redrive_and_not_done_never_ran(arena, handler):
    score = play(arena, handler(FORGETS_THE_REDRIVEN), ["outage"], 3)

    assert score.never_ran == score.accepted > 0


def test_a_job_that_nobody_sends_again_is_stuck(arena):
    planted = next(planted for planted in PLANTED if planted.name == "no sweep")
    with planted.applied():
        score = play(arena, OURS, ["outage"], 3)

    assert score.stuck > 0


def test_an_effect_without_a_step_and_a_key_of_its_own_each_time_is_applied_again(arena, monkeypatch):
    numbers = iter(range(10_000))
    monkeypatch.setattr("tidemill.domain.context.JobContext.step_key", lambda self, name: f"{next(numbers)}")

    assert play(arena, OURS, ["faults", "mishaps"], 3 * SEEDS).keyed_duplicates > 0


def test_the_pages_show_the_data_file():
    results = Results.load()

    assert results.seeds * len(BOUTS) >= 2_000
    assert set(results.scores) == set(BOUTS)
    for page, name, table in results.placed():
        shown = re.search(f"<!-- {name}: .*? -->\n(.*?)\n<!-- /{name} -->", page.read_text(), re.DOTALL)
        assert shown is not None, f"{page.name} has no place for {name}"
        assert shown[1] == table, f"run `make versus`: {page.name}"


def test_the_data_file_has_nothing_lost_in_our_columns():
    score = Results.load().total(OURS)

    assert (score.lost, score.stuck, score.never_ran, score.violated, score.keyed_duplicates) == (0, 0, 0, 0, 0)
