"""JobWaits: one outcome for each wait, and an answer and its job's record in one write."""

from dataclasses import replace

import pytest

from tests.contract.builders import LEASE, NOW, TTL, make_conclusion, make_job
from tidemill.aws.waits import DynamoJobWaits
from tidemill.domain.lifecycle import State
from tidemill.domain.outcome import Cost, Park
from tidemill.domain.ports import Refused, Written
from tidemill.domain.waiting import Given, Wait, reason_of
from tidemill.testing.waits import MemoryWaits

GIVEN = Given('{"amount":3}', "ada", "api", NOW + 5)
ASKED = Wait("approval", 1, NOW, NOW + 1_000, "May it?")
EARLY = Wait("approval", 1, given=GIVEN)
LATER = NOW + 60_000
WAITING = Park(LATER, 0, Cost.NOTHING, reason_of("approval"), None, for_answer=True)


@pytest.fixture
def waits(jobs):
    """What the jobs of that table wait for."""
    return MemoryWaits(jobs.store) if jobs.client is None else DynamoJobWaits(jobs.client, jobs.table)


@pytest.fixture
def queued(store):
    return inserted(store, State.QUEUED)


def inserted(store, state, **fields):
    job = make_job(state, **fields)
    store.insert([job])
    return job


def asked(waits, job, wait=ASKED):
    assert waits.ask(job.ref, None, wait, TTL) == wait
    return wait


# --- asking ------------------------------------------------------------------------------------


def test_what_is_asked_stands_there(waits, queued):
    assert waits.wait_of(queued.ref, "approval") is None
    asked(waits, queued)

    assert waits.wait_of(queued.ref, "approval") == ASKED
    assert waits.wait_of(queued.ref, "shipment") is None


def test_asking_again_answers_what_stands_there(waits, queued):
    asked(waits, queued)

    again = replace(ASKED, asked_at=NOW + 9, ends_at=NOW + 99)

    assert waits.ask(queued.ref, None, again, TTL) == ASKED
    assert waits.wait_of(queued.ref, "approval") == ASKED


def test_asking_for_what_was_answered_answers_the_answer(waits, queued):
    assert waits.answer(queued, None, EARLY, NOW, TTL)

    assert waits.ask(queued.ref, None, ASKED, TTL) == EARLY


def test_a_later_generation_asks_anew_over_what_it_forgets(waits, queued):
    assert waits.answer(queued, None, EARLY, NOW, TTL)
    anew = replace(ASKED, generation=2)

    assert waits.ask(queued.ref, EARLY, anew, TTL) == anew
    assert waits.ask(queued.ref, EARLY, replace(anew, asks="other"), TTL) == anew


def test_all_waits_of_one_job_are_listed_by_name_and_no_others(waits, store, queued):
    other = inserted(store, State.QUEUED)
    asked(waits, queued, replace(ASKED, name="shipment"))
    asked(waits, queued)
    asked(waits, other)

    assert [wait.name for wait in waits.waits_of(queued.ref)] == ["approval", "shipment"]


def test_a_wait_without_an_ask_or_with_a_long_one_comes_back_as_it_was(waits, queued):
    for name, asks in (("a", ""), ("b", "ä" * 500)):
        assert asked(waits, queued, replace(ASKED, name=name, asks=asks)) == waits.wait_of(queued.ref, name)


# --- giving up ---------------------------------------------------------------------------------


def test_what_nobody_answered_is_given_up(waits, queued):
    asked(waits, queued)
    ended = ASKED.timed_out(NOW + 7)

    assert waits.give_up(queued.ref, ASKED, NOW + 7, TTL) == ended
    assert waits.give_up(queued.ref, ASKED, NOW + 8, TTL) == ended
    assert waits.wait_of(queued.ref, "approval") == ended


def test_what_was_answered_is_not_given_up(waits, queued):
    asked(waits, queued)
    answered = ASKED.answered(GIVEN)
    assert waits.answer(queued, ASKED, answered, NOW, TTL)

    assert waits.give_up(queued.ref, ASKED, NOW + 7, TTL) == answered


def test_what_was_given_up_is_not_answered(waits, store, reader, queued):
    asked(waits, queued)
    ended = waits.give_up(queued.ref, ASKED, NOW + 7, TTL)

    assert not waits.answer(queued, ASKED, ASKED.answered(GIVEN), NOW, TTL)
    assert waits.wait_of(queued.ref, "approval") == ended
    assert reader.find([queued.ref]) == [queued]


def test_an_older_generation_gives_up_nothing_of_a_later_one(waits, queued):
    anew = replace(ASKED, generation=2)
    asked(waits, queued, anew)

    assert waits.give_up(queued.ref, ASKED, NOW + 7, TTL) == anew


# --- answering ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.QUEUED, State.RETRYING, State.SCHEDULED])
def test_an_answer_to_a_job_that_has_yet_to_look_leaves_its_record(waits, store, reader, state):
    job = inserted(store, state)

    assert waits.answer(job, None, EARLY, NOW, TTL)

    assert waits.wait_of(job.ref, "approval") == EARLY
    assert reader.find([job.ref]) == [job]


@pytest.mark.parametrize("state", [State.QUEUED, State.SCHEDULED])
def test_an_answer_makes_a_job_that_waits_due_at_once(waits, store, reader, state):
    job = inserted(store, state, claimable_at=LATER, owns_args=True, reason=reason_of("approval"))
    asked(waits, job)

    assert waits.answer(job, ASKED, ASKED.answered(GIVEN), NOW, TTL)

    due = replace(job, state=State.SCHEDULED, claimable_at=0)
    assert reader.find([job.ref]) == [due]
    assert reader.due(NOW, 10, None).jobs == (due,)


def test_an_answer_tells_a_job_that_runs_each_time(waits, store, reader):
    job = inserted(store, State.RUNNING)
    assert waits.answer(job, None, EARLY, NOW, TTL)
    (told,) = reader.find([job.ref])

    assert told == replace(job, answers=1)
    assert waits.answer(told, None, replace(EARLY, name="shipment"), NOW, TTL)
    assert reader.find([job.ref]) == [replace(job, answers=2)]


# Nobody tells a job that does not run, so that its count is of no interest.
@pytest.mark.parametrize(
    ("state", "field"),
    [
        *[(State.QUEUED, field) for field in ("state", "fence", "generation", "claimable_at")],
        *[(State.RUNNING, field) for field in ("state", "fence", "generation", "claimable_at", "answers")],
    ],
)
def test_an_answer_to_a_record_that_moved_is_not_given(waits, store, reader, state, field):
    elsewhere = {"state": State.RETRYING, "fence": 9, "generation": 9, "claimable_at": LEASE + 77, "answers": 3}
    before = make_job(state)
    current = replace(before, **{field: elsewhere[field]})
    store.insert([current])

    assert not waits.answer(before, None, EARLY, NOW, TTL)

    assert waits.wait_of(before.ref, "approval") is None
    assert reader.find([before.ref]) == [current]


def test_an_answer_where_there_is_no_record_is_not_given(waits):
    job = make_job()

    assert not waits.answer(job, None, EARLY, NOW, TTL)
    assert waits.wait_of(job.ref, "approval") is None


def test_of_two_answers_the_first_stands_and_the_record_is_told_once(waits, store, reader):
    job = inserted(store, State.RUNNING)
    other = replace(EARLY, given=replace(GIVEN, value="4", by="bob"))
    assert waits.answer(job, None, EARLY, NOW, TTL)
    (told,) = reader.find([job.ref])

    assert not waits.answer(told, None, other, NOW, TTL)

    assert waits.wait_of(job.ref, "approval") == EARLY
    assert reader.find([job.ref]) == [told]


def test_an_answer_that_read_nothing_is_not_given_over_a_question(waits, store, reader):
    """It would hide when the wait ends."""
    job = inserted(store, State.RUNNING)
    asked(waits, job)

    assert not waits.answer(job, None, EARLY, NOW, TTL)
    assert waits.wait_of(job.ref, "approval") == ASKED
    assert reader.find([job.ref]) == [job]


def test_an_answer_takes_the_place_of_one_that_its_generation_forgets(waits, store):
    job = inserted(store, State.RUNNING, generation=2)
    waits.ask(job.ref, None, EARLY, TTL)
    anew = Wait("approval", 2, given=replace(GIVEN, value="9"))

    assert waits.answer(job, EARLY, anew, NOW, TTL)
    assert waits.wait_of(job.ref, "approval") == anew


# --- beginning to wait -------------------------------------------------------------------------


def test_a_job_that_nobody_answered_waits(store, reader):
    job = inserted(store, State.RUNNING, answers=2)

    (answer,) = store.conclude([make_conclusion(job, WAITING)])

    waiting = answer.job
    assert isinstance(answer, Written)
    assert (waiting.state, waiting.claimable_at, waiting.owns_args) == (State.SCHEDULED, LATER, True)
    assert (waiting.attempt, waiting.deferrals, waiting.crashes) == (job.attempt - 1, 0, 0)
    assert reader.find([job.ref]) == [waiting]


@pytest.mark.parametrize("known", [0, 2])
def test_a_job_that_was_answered_meanwhile_does_not_begin_to_wait(waits, store, reader, known):
    job = inserted(store, State.RUNNING, answers=known)
    waits.answer(job, None, EARLY, NOW, TTL)
    (told,) = reader.find([job.ref])

    (answer,) = store.conclude([make_conclusion(job, WAITING)])

    assert answer == Refused(told)
    assert reader.find([job.ref]) == [told]
    # Whoever waits for nothing is not held up.
    at_once = replace(WAITING, at=NOW, for_answer=False)
    (again,) = store.conclude([make_conclusion(told, at_once)])
    assert (again.job.state, again.job.claimable_at) == (State.SCHEDULED, NOW)


def test_a_job_that_was_asked_to_stop_meanwhile_does_not_begin_to_wait(store, reader):
    job = inserted(store, State.RUNNING, cancel_asked=True)

    (answer,) = store.conclude([make_conclusion(replace(job, cancel_asked=False), WAITING)])

    assert answer == Refused(job)


@pytest.mark.parametrize("verdict", ["complete", "retry", "park", "bury", "stop"])
def test_an_answer_is_in_nobody_elses_way(waits, store, reader, verdict):
    job = inserted(store, State.RUNNING)
    waits.answer(job, None, EARLY, NOW, TTL)

    (answer,) = store.conclude([make_conclusion(job, verdict)])

    assert isinstance(answer, Written)
    assert reader.find([job.ref])[0].state is answer.job.state
