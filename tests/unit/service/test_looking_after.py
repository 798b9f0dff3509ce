"""Cancelling, listing, and what operators hear."""

from dataclasses import replace

import pytest

from tests.builders import CANARY, FINAL, NOW, Greet, a_job, a_send_id
from tests.unit.service.conftest import PERMANENT, Later, ReturnOld, raising, returning
from tidemill import PermanentError, RateLimitedError, days, hours, minutes
from tidemill.domain.errors import InputError, JobNotFoundError, JobStateError, UnavailableError
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Refused, Unwritten
from tidemill.service.listing import Listing, Query

# --- cancel --------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", State)
def test_a_job_is_cancelled_while_it_waits_asked_while_it_runs_and_left_alone_after(world, state):
    job = a_job(state)
    world.store.jobs[job.ref] = job

    if state in {State.SCHEDULED, State.QUEUED, State.RETRYING, State.CANCELLED}:
        assert world.client.cancel(job.ref.id, "acme").state is State.CANCELLED
    elif state is State.RUNNING:
        assert world.client.cancel(job.ref.id, "acme") == replace(job, cancel_asked=True) == world.job(job)
    else:
        with pytest.raises(JobStateError, match=f"is {state}: it can't be cancelled. Fix"):
            world.client.cancel(job.ref.id, "acme")
        assert world.job(job) == job


def test_a_cancelled_job_never_runs_and_its_message_is_acked(world):
    job = world.submit()
    world.client.cancel(job.ref.id)

    world.invoke()

    assert (world.runs, world.queues.count("default"), world.state(job)) == ([], 0, State.CANCELLED)


def test_a_job_that_starts_while_it_is_being_cancelled_is_asked_to_stop(world):
    job = world.submit()
    move = world.store.move

    def late(*args):
        world.store.move = move
        world.begin(world.queues.receive("default"))
        return move(*args)

    world.store.move = late

    assert world.client.cancel(job.ref.id).cancel_asked
    assert (world.state(job), world.job(job).cancel_asked) == (State.RUNNING, True)


def test_a_job_that_only_moved_is_cancelled_all_the_same(world):
    job = world.submit(delay=hours(1))
    world.clock.advance(hours(1))
    move = world.store.move

    def late(*args):
        world.store.move = move
        world.janitor.sweep()
        return move(*args)

    world.store.move = late

    assert world.client.cancel(job.ref.id).state is State.CANCELLED


def test_a_cancel_without_an_answer_or_an_end_says_so(world):
    job = world.submit()
    answers = [Unwritten(UnavailableError("move", "x"))]
    world.store.move = lambda *_: answers[0]

    with pytest.raises(UnavailableError):
        world.client.cancel(job.ref.id)
    answers[0] = Refused(job)
    with pytest.raises(UnavailableError, match="kept changing"):
        world.client.cancel(job.ref.id)
    answers[0] = Refused(None)
    with pytest.raises(JobNotFoundError):
        world.client.cancel(job.ref.id)


def test_nobody_cancels_a_job_of_another_tenant(world):
    job = world.submit(tenant="acme")

    with pytest.raises(JobNotFoundError):
        world.client.cancel(job.ref.id, "other")


# --- listing -------------------------------------------------------------------------------------


def fill(world, count, state=State.DEAD, tenant="acme"):
    for number in range(count):
        ref = JobRef(tenant, a_send_id(1000 + len(world.store.jobs)))
        world.store.jobs[ref] = a_job(state, ref=ref, finished_at=NOW + number if state in FINAL else None)


@pytest.mark.parametrize("state", [State.DEAD, State.RETRYING, State.SCHEDULED])
def test_the_states_that_need_attention_are_listed_page_by_page(world, state):
    fill(world, 7, state)
    found, cursor = [], None
    for _ in range(3):
        page = world.listing.jobs(Query("acme", state=state, limit=3, cursor=cursor))
        found += page.jobs
        cursor = page.cursor

    assert cursor is None
    assert {job.ref for job in found} == set(world.store.jobs)
    assert len(found) == 7


@pytest.mark.parametrize(
    "state", [State.QUEUED, State.RUNNING, State.SUCCEEDED, State.CANCELLED, State.EXPIRED, "x", ""]
)
def test_a_state_that_no_index_holds_is_refused_and_the_message_says_which_are(world, state):
    with pytest.raises(InputError, match=r"listed: dead, retrying, scheduled\. Fix") as refused:
        world.listing.jobs(Query(state=state))

    assert refused.value.violations[0].code == "not_indexed"


@pytest.mark.parametrize(
    ("field", "query"),
    [
        ("state", {}),
        ("limit", {"state": "dead", "limit": 0}),
        ("limit", {"state": "dead", "limit": 101}),
        ("limit", {"state": "dead", "limit": "5"}),
        ("tenant", {"state": "dead", "tenant": "a#b"}),
        ("kind", {"kind": "No Kind"}),
        ("day", {"kind": "test.greet", "day": "today"}),
        ("day", {"kind": "test.greet", "day": "20261122"}),
        ("day", {"kind": "test.greet", "day": "2026-02-30"}),
        ("cursor", {"state": "dead", "cursor": "forged"}),
        ("cursor", {"kind": "test.greet", "cursor": "{}"}),
    ],
)
def test_a_bad_query_is_refused_with_its_field(world, field, query):
    with pytest.raises(InputError) as refused:
        world.listing.jobs(Query(**query))

    assert refused.value.violations[0].field == field


def test_a_listing_shows_one_tenants_jobs_only(world):
    fill(world, 30, tenant="other")
    fill(world, 2, tenant="acme")

    page = world.listing.jobs(Query("acme", state="dead", limit=5))

    assert {job.ref.tenant for job in page.jobs} == {"acme"}
    assert len(page.jobs) == 2


def test_a_reader_that_answers_too_much_leaks_nothing(world):
    fill(world, 3, tenant="other")
    waiting = world.store.waiting
    world.store.waiting = lambda state, tenant, limit, cursor: waiting(state, None, limit, cursor)

    assert world.listing.jobs(Query("acme", state="dead")).jobs == ()


def test_a_state_may_be_narrowed_to_a_kind(world):
    world.kill()
    world.submit(ReturnOld())
    world.does = [raising(PERMANENT)]
    world.invoke()

    assert len(world.listing.jobs(Query(state="dead")).jobs) == 2
    assert [job.kind for job in world.listing.jobs(Query(state="dead", kind="test.return")).jobs] == ["test.return"]


def test_a_kind_is_listed_by_day_newest_first(world):
    yesterday = world.submit()
    world.clock.advance(days(1))
    today = [world.submit(), world.submit(ReturnOld())]
    world.clock.advance(minutes(1))
    latest = world.submit()

    assert [job.ref for job in world.listing.jobs(Query(kind="test.greet")).jobs] == [latest.ref, today[0].ref]
    assert [job.ref for job in world.listing.jobs(Query(kind="test.greet", day="2027-01-15")).jobs] == [yesterday.ref]


def test_without_the_list_index_only_states_are_listed(world):
    listing = Listing(world.store, world.clock, list_index=False)

    with pytest.raises(InputError, match=r"list index is off in this stack\. Fix"):
        listing.jobs(Query(kind="test.greet"))
    assert listing.jobs(Query(state="dead")).jobs == ()


def test_a_job_whose_retention_is_over_is_not_listed(world):
    job = world.kill()
    assert world.listing.jobs(Query(state="dead")).jobs == (job,)

    world.clock.advance(days(30))

    assert world.listing.jobs(Query(state="dead")).jobs == ()
    assert world.listing.jobs(Query(kind="test.greet", day="2027-01-15")).jobs == ()


# --- telemetry -----------------------------------------------------------------------------------


def test_no_payload_ever_reaches_an_operators_ear(world):
    secret = Greet(name=CANARY)
    world.does = [
        returning(CANARY),
        raising(ValueError(CANARY)),
        raising(PermanentError(CANARY)),
        raising(SystemExit(CANARY)),
        returning({CANARY: object()}),
    ]
    for _ in range(5):
        world.submit(secret)
    world.submit(secret, delay=hours(1))
    world.submit(Later(), lane="default")
    for body in (
        f"{CANARY}",
        f'{{"{CANARY}":1,"{CANARY}":2}}',
        f'{{"kind":"test.greet","args":{{"name":["{CANARY}"]}}}}',
    ):
        world.queues.put("default", body)
    world.crash()
    world.settle(patience=400)
    world.janitor.census()

    assert len(world.telemetry.lines) > 10
    assert CANARY not in repr(world.telemetry.lines) + repr(world.telemetry.counts)
    # The canary is alive: the evidence that the table keeps has it.
    assert CANARY in repr(world.store.failures)


def test_operators_hear_the_outcomes_of_a_batch_in_numbers(world):
    for _ in range(4):
        world.submit()
    world.does = [returning(1), raising(ValueError("x")), raising(PERMANENT), raising(RateLimitedError())]

    world.invoke()

    assert world.telemetry.counts == {
        "JobsSucceeded": 1,
        "JobsRetried": 1,
        "JobsDead": 1,
        "JobsDeferred": 1,
        "BatchSize": 4,
    }
    assert sorted(world.telemetry.events("alert")) == ["job_dead", "job_waits", "job_waits"]
    assert world.telemetry.events("note").count("batch") == 1
