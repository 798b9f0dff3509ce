"""JobReader.waiting and JobReader.recent: pages of jobs, each exactly once."""

import base64
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.contract.builders import NOW, make_claim, make_job
from tidemill.domain.errors import InputError
from tidemill.domain.job import day_of
from tidemill.domain.lifecycle import State, Verb

WAITING = [State.SCHEDULED, State.RETRYING, State.DEAD]
DAY = day_of(NOW - 1_000)


def pages(list_page, limit):
    """Every page of a listing, to its end."""
    found = [list_page(limit, None)]
    while found[-1].cursor is not None:
        found.append(list_page(limit, found[-1].cursor))
        assert len(found) < 200, "the listing never ends"
    return found


def refs(found):
    return [job.ref for page in found for job in page.jobs]


def when(job):
    return job.claimable_at or job.finished_at


@pytest.mark.parametrize("state", WAITING)
@pytest.mark.parametrize("limit", [1, 4, 7, 100])
def test_waiting_lists_every_job_of_every_tenant_once(store, reader, state, limit):
    times = [NOW + number * 10 for number in range(25)]
    jobs = [
        make_job(state, tenant=f"t{at % 3}", **({"finished_at": at} if state is State.DEAD else {"claimable_at": at}))
        for at in times
    ]
    others = [make_job(other) for other in State if other is not state]
    store.insert([*jobs, *others])

    found = pages(lambda limit, cursor: reader.waiting(state, None, limit, cursor), limit)

    assert sorted(refs(found), key=str) == sorted((job.ref for job in jobs), key=str)
    assert all(len(page.jobs) <= limit for page in found)
    assert {job.ref: job for page in found for job in page.jobs} == {job.ref: job for job in jobs}


@pytest.mark.parametrize("limit", [1, 10])
def test_due_stops_at_the_time_asked_for(store, reader, limit):
    jobs = [make_job(State.SCHEDULED, claimable_at=NOW + offset) for offset in (-1, 0, 1)]
    store.insert([*jobs, make_job(State.RETRYING, claimable_at=NOW - 1), make_job(State.DEAD)])

    found = pages(lambda limit, cursor: reader.due(NOW, limit, cursor), limit)

    assert set(refs(found)) == {jobs[0].ref, jobs[1].ref}


@pytest.mark.parametrize("state", WAITING)
@pytest.mark.parametrize("limit", [1, 2, 10])
def test_one_tenants_listing_holds_nothing_of_anothers(store, reader, state, limit):
    """Not in its jobs, and not in its cursors: those go out to the tenant."""
    mine = [make_job(state, tenant="acme") for _ in range(5)]
    store.insert([*mine, *(make_job(state, tenant=tenant) for tenant in ("acm", "acme-2", "globex") for _ in range(5))])

    found = pages(lambda limit, cursor: reader.waiting(state, "acme", limit, cursor), limit)

    assert sorted(refs(found), key=str) == sorted((job.ref for job in mine), key=str)
    for page in found:
        seen = base64.b64decode(page.cursor + "==", altchars=b"-_") if page.cursor else b""
        assert not [other for other in (b"globex", b"acme-2") if other in seen]


@pytest.mark.parametrize("state", WAITING)
def test_a_cursor_leads_nowhere_but_into_its_own_listing(store, reader, state):
    store.insert([make_job(state, tenant=tenant) for tenant in ("acme", "globex") for _ in range(30)])
    everybodys = reader.waiting(state, None, 1, None).cursor
    globex = reader.waiting(state, "globex", 1, None).cursor

    for cursor in (everybodys, globex):
        with pytest.raises(InputError, match="cursor"):
            reader.waiting(state, "acme", 1, cursor)


def test_waiting_starts_with_the_earliest(store, reader):
    one_shard = [make_job(State.SCHEDULED, id=job_id, claimable_at=NOW - 5) for job_id in [make_job().ref.id]]
    early, late = one_shard[0], replace(one_shard[0], ref=replace(one_shard[0].ref, tenant="zeta"), claimable_at=NOW)
    store.insert([late, early])

    assert refs(pages(lambda limit, cursor: reader.waiting(State.SCHEDULED, None, limit, cursor), 1)) == [
        early.ref,
        late.ref,
    ]


@pytest.mark.parametrize("state", [state for state in State if state not in WAITING])
def test_waiting_says_which_states_no_index_holds(reader, state):
    with pytest.raises(InputError) as refused:
        reader.waiting(state, None, 10, None)

    assert [(violation.field, violation.code) for violation in refused.value.violations] == [("state", "not_indexed")]


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_recent_lists_one_kind_of_one_tenant_on_one_day(store, reader, limit):
    jobs = [make_job(created_at=NOW - 1_000 + number) for number in range(14)]
    others = [
        make_job(tenant="umbrella"),
        make_job(kind="another.kind"),
        make_job(created_at=NOW - 86_400_000),
        make_job(created_at=NOW + 86_400_000),
    ]
    store.insert([*jobs, *others])

    found = pages(lambda limit, cursor: reader.recent("acme", "media.thumbnail", DAY, limit, cursor), limit)

    assert sorted(refs(found), key=str) == sorted((job.ref for job in jobs), key=str)
    assert all(len(page.jobs) <= limit for page in found)


def test_recent_starts_with_the_newest(store, reader):
    jobs = [make_job(created_at=NOW - 1_000 + number) for number in range(60)]
    store.insert(jobs)

    (page,) = pages(lambda limit, cursor: reader.recent("acme", "media.thumbnail", DAY, limit, cursor), 1_000)

    # In each shard: in 60 jobs of at most eight shards, seven times at most a later one follows an earlier one.
    times = [job.created_at for job in page.jobs]
    assert sum(later > earlier for earlier, later in pairwise(times)) <= 7


def test_recent_shows_what_became_of_the_jobs(store, reader):
    job = make_job()
    store.insert([job])
    (answer,) = store.claim([make_claim(job)])

    assert reader.recent("acme", "media.thumbnail", DAY, 10, None).jobs == (answer.job,)


def test_a_listing_goes_on_after_a_job_that_left_it(store, reader):
    jobs = [make_job(State.SCHEDULED, claimable_at=NOW - 100 + number) for number in range(9)]
    store.insert(jobs)
    first = reader.waiting(State.SCHEDULED, None, 3, None)
    for job in first.jobs:
        store.move(Verb.CANCEL, job, replace(job, state=State.CANCELLED, claimable_at=None, finished_at=NOW))

    rest = [reader.waiting(State.SCHEDULED, None, 3, None)]
    while rest[-1].cursor is not None:
        rest.append(reader.waiting(State.SCHEDULED, None, 3, rest[-1].cursor))

    assert set(refs(rest)) == {job.ref for job in jobs} - {job.ref for job in first.jobs}


FORGED = ["", "0", "x", "-1", "AAAA", "é", "../../etc", "1" * 5_000, base64.urlsafe_b64encode(b"00000000|0").decode()]


@pytest.mark.parametrize("cursor", FORGED)
def test_a_forged_cursor_is_refused(store, reader, cursor):
    store.insert([make_job(State.DEAD)])

    for listing in (
        lambda: reader.waiting(State.DEAD, None, 10, cursor),
        lambda: reader.recent("acme", "media.thumbnail", DAY, 10, cursor),
    ):
        with pytest.raises(InputError) as refused:
            listing()
        assert [violation.field for violation in refused.value.violations] == ["cursor"]


def test_a_cursor_belongs_to_its_listing(store, reader):
    store.insert([make_job(State.DEAD) for _ in range(4)] + [make_job() for _ in range(4)])
    dead = reader.waiting(State.DEAD, None, 1, None).cursor
    recent = reader.recent("acme", "media.thumbnail", DAY, 1, None).cursor
    assert dead
    assert recent

    for listing in (
        lambda: reader.waiting(State.RETRYING, None, 1, dead),
        lambda: reader.waiting(State.DEAD, None, 1, recent),
        lambda: reader.recent("umbrella", "media.thumbnail", DAY, 1, recent),
        lambda: reader.recent("acme", "media.thumbnail", "2026-01-01", 1, recent),
        lambda: reader.recent("acme", "media.thumbnail", DAY, 1, recent[:-1]),
        lambda: reader.recent("acme", "media.thumbnail", DAY, 1, recent + "A"),
    ):
        with pytest.raises(InputError):
            listing()
