"""`POST /jobs?wait=20`: the result in the same answer if the job ends in time; and what a failed answer says."""

import pytest

from tests.builders import a_failure
from tidemill.domain.errors import UnavailableError
from tidemill.domain.outcome import Bury, Complete

LOOSE = {"kind": "loose", "args": {}}
NEVER = 4_000_000_000_000


class Ends:
    """Lets the job of a request end while it waits, after so many reads."""

    def __init__(self, world, reads, how):
        self._world, self._left, self._how, self._find = world, reads, how, world.store.find

    def __call__(self, refs):
        self._left -= 1
        if self._left == 0:
            self._how(refs[0])
        return self._find(refs)


def waits(world, monkeypatch, how, *, reads=3, target="/jobs?wait=20", body=LOOSE):
    monkeypatch.setattr(world.store, "find", Ends(world, reads, how))
    return world.call("POST", target, body)


def test_a_job_that_ends_in_time_is_answered_with_its_result(world, monkeypatch):
    answer = waits(world, monkeypatch, lambda ref: world.concluded(ref, Complete('{"width":320}', NEVER)))

    assert (answer.status, answer.json["state"], answer.json["result"]) == (200, "succeeded", {"width": 320})
    assert answer.headers["Location"] == answer.json["link"]


def test_one_that_does_not_is_accepted_as_ever(world):
    before = world.clock.now_ms()

    answer = world.call("POST", "/jobs?wait=20", LOOSE)

    assert (answer.status, answer.json["created"]) == (202, True)
    assert 20_000 <= world.clock.now_ms() - before < 20_100


def test_one_that_failed_is_a_problem_that_no_repeat_helps(world, monkeypatch):
    answer = waits(
        world, monkeypatch, lambda ref: world.concluded(ref, Bury("permanent", a_failure(trace="in pay"), NEVER))
    )

    assert (answer.status, answer.json["code"], answer.json["retryable"]) == (409, "job_failed", False)
    assert answer.json["job"]["state"] == "dead"
    assert answer.json["job"]["failures"][0]["type"] == a_failure().type
    assert answer.json["job_id"] == answer.json["job"]["id"]


def test_so_is_one_that_was_cancelled(world, monkeypatch):
    answer = waits(world, monkeypatch, lambda ref: world.client.cancel(ref.id, ref.tenant), reads=2)

    assert (answer.status, answer.json["job"]["state"]) == (409, "cancelled")


def test_a_failing_api_says_that_a_repeat_is_safe(world, monkeypatch):
    def throttled(*_):
        raise UnavailableError("find", "Throttled")

    monkeypatch.setattr(world.store, "find", throttled)

    answer = world.call("POST", "/jobs", {**LOOSE, "key": "k"})

    assert (answer.status, answer.json["retryable"]) == (503, True)


def test_a_job_that_was_accepted_is_never_said_to_be_refused_because_nobody_can_look(world, monkeypatch):
    def throttled(*_):
        raise UnavailableError("find", "Throttled")

    monkeypatch.setattr(world.store, "find", throttled)

    assert world.call("POST", "/jobs?wait=3", LOOSE).status == 202


def test_a_repeat_of_a_key_waits_for_the_first_job(world, monkeypatch):
    keyed = {**LOOSE, "key": "k"}
    first = world.call("POST", "/jobs", keyed).json["id"]

    early = world.call("POST", "/jobs?wait=1", keyed)
    answer = waits(world, monkeypatch, lambda ref: world.concluded(ref, Complete("7", NEVER)), body=keyed)

    assert (early.status, early.json["id"], early.json["created"]) == (202, first, False)
    assert (answer.status, answer.json["id"], answer.json["result"]) == (200, first, 7)
    assert world.call("POST", "/jobs?wait=0", keyed).json["result"] == 7


@pytest.mark.parametrize("wait", ["26", "-1", "x", "1.5", "", "9999999999"])
def test_a_bad_wait_is_400_and_nothing_is_submitted(world, wait):
    assert world.call("POST", f"/jobs?wait={wait}", LOOSE).status == 400
    assert world.is_empty


def test_it_waits_no_longer_than_its_function_has(world):
    class Context:
        def get_remaining_time_in_millis(self):
            return 5_000

    before = world.clock.now_ms()
    world.context = Context()

    assert world.call("POST", "/jobs?wait=20", LOOSE).status == 202
    assert 2_900 <= world.clock.now_ms() - before <= 3_100
