"""The trail by job, actor and time: over days and pages, nothing twice and nothing left out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidemill.domain.audit import AuditEntry
from tidemill.domain.errors import InputError
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.job import JobRef
from tidemill.service.trail_search import TrailQuery, search_trail
from tidemill.testing.audit import MemoryTrail

NOW = 1_800_000_000_000
DAY = 86_400_000
ADA, BOB = "arn:aws:iam::1:user/ada", "arn:aws:iam::1:user/bob"
JOB = JobRef("acme", "0190aaaa-0000-7000-8000-000000000001")
OTHER = JobRef("acme", "0190aaaa-0000-7000-8000-000000000002")


def entry(number, back=0, **changes):
    at = NOW - back
    fields = {"actor": ADA, "action": "redrive", "tenant": "acme", "jobs": (str(JOB),), **changes}
    return AuditEntry(time_ordered_id(at, number), at, **fields)


def trail_of(*entries):
    trail = MemoryTrail()
    for one in entries:
        trail.write(one)
    return trail


def every(trail, limit=100, **wanted):
    query = TrailQuery(**{"since": NOW - 30 * DAY, "until": NOW, **wanted})
    found, cursor = [], None
    while True:
        page = search_trail(trail, query, limit, cursor)
        found += page.entries
        cursor = page.cursor
        if cursor is None:
            return found


def test_entries_are_found_by_job_actor_action_tenant_and_time():
    mine = entry(1)
    theirs = entry(2, 2 * DAY, actor=BOB, action="purge", tenant="zeta", jobs=(str(OTHER),))
    old = entry(3, 40 * DAY)
    trail = trail_of(mine, theirs, old)

    assert every(trail) == [mine, theirs]
    assert every(trail, job=JOB) == every(trail, actor=ADA) == every(trail, action="redrive") == [mine]
    assert every(trail, actor="user/bob") == every(trail, job=OTHER) == every(trail, tenant="zeta") == [theirs]
    assert every(trail, since=NOW - 50 * DAY, until=NOW - DAY) == [theirs, old]
    assert every(trail, job=JobRef("zeta", JOB.id)) == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5 * DAY), st.booleans()), max_size=25), st.integers(1, 6))
def test_pages_leave_nothing_out_and_repeat_nothing(made, limit):
    entries = [entry(number, back, actor=ADA if ours else BOB) for number, (back, ours) in enumerate(made)]
    trail = trail_of(*entries)

    expected = sorted((one for one in entries if one.actor == ADA), key=lambda one: one.id, reverse=True)
    assert every(trail, limit, actor=ADA) == expected


def test_what_can_not_be_asked_is_refused():
    trail = trail_of()
    for since, until in ((NOW, NOW - 1), (NOW - 402 * DAY, NOW)):
        with pytest.raises(InputError, match="since"):
            TrailQuery(since, until)
    query = TrailQuery(NOW - DAY, NOW)
    for limit, cursor in ((0, None), (101, None), (5, "nonsense"), (5, "2020-01-01/x")):
        with pytest.raises(InputError):
            search_trail(trail, query, limit, cursor)
