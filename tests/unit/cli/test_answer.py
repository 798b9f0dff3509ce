"""`tidemill answer`, and what `tidemill get` shows of it."""

import json

import pytest

from tests.unit.cli.conftest import Release
from tidemill import hours
from tidemill.domain.duration import milliseconds
from tidemill.domain.waiting import Wait

YES = '{"granted":true}'


@pytest.fixture
def job_id(world):
    return world.client.submit(Release()).job_id


def test_an_answer_is_given_and_shown(world, run, job_id):
    given = run("answer", job_id, "approval", YES, "--by", "Ada Lovelace")

    assert (given.exit_code, given.stdout) == (0, f"job {job_id} has its answer to approval from Ada Lovelace\n")
    again = run("answer", job_id, "approval", YES, "--json")
    assert json.loads(again.stdout)["created"] is False
    assert "Ada Lovelace by api" in " ".join(run("get", job_id).stdout.split())
    (wait,) = json.loads(run("get", job_id, "--json").stdout)["waits"]
    assert (wait["by"], wait["answer"]) == ("Ada Lovelace", {"granted": True})


def test_an_open_question_and_one_that_nobody_answered_are_shown(world, run, job_id):
    ref, now = world.client.get(job_id).ref, world.clock.now_ms()
    wait = Wait("approval", 1, now, now + milliseconds(hours(1)), "May it?")
    world.client.answerer.waits.ask(ref, None, wait, 1)
    assert ": May it?" in run("get", job_id).stdout

    world.client.answerer.waits.give_up(ref, wait, now, 1)
    assert "not answered until" in run("get", job_id).stdout


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("approval", "{"), "answer"),
        (("approval", '{"granted": 1}'), "answer.granted"),
        (("aproval", YES), "name"),
        (("Not a name", YES), "name"),
        (("approval", YES, "--by", ""), "by"),
    ],
)
def test_a_bad_answer_is_bad_input(refused, job_id, arguments, field):
    assert set(refused("answer", job_id, *arguments)) == {field}


def test_another_answer_is_refused_with_who_gave_the_first(run, job_id):
    run("answer", job_id, "approval", YES, "--by", "Ada Lovelace")
    other = run("answer", job_id, "approval", '{"granted":false}')

    assert other.exit_code != 0
    assert "What was decided stands" in other.stderr
