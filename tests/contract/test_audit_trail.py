"""AuditTrail: what is kept comes back whole, newest first, and reaches no tenant's partition."""

from dataclasses import replace
from itertools import count

import pytest

from tests.contract.backends import create_jobs_table
from tidemill.aws.audit import PARTITION, DynamoAuditTrail
from tidemill.domain import limits
from tidemill.domain.audit import AuditEntry, Outcome
from tidemill.domain.errors import InputError
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.names import check_tenant
from tidemill.testing.audit import MemoryTrail

NOW = 1_800_000_000_000
DAY_MS = 24 * 3600 * 1000
TODAY = "2027-01-15"
_tables = count(1)


def entry(number=0, at=NOW, **changes):
    made = AuditEntry(time_ordered_id(at + number, number), at + number, "arn:aws:iam::1:user/ada", "redrive")
    return replace(made, **changes)


@pytest.fixture(params=["memory", "moto", "ministack"])
def trail(request):
    if request.param == "memory":
        return MemoryTrail()
    client = request.getfixturevalue(request.param).dynamodb
    table = f"audit-{next(_tables)}"
    create_jobs_table(client, table)
    return DynamoAuditTrail(client, table)


def test_an_entry_comes_back_whole(trail):
    whole = entry(
        tenant="acme",
        chosen={"lane": "bulk", "since": "2026-11-22T08:30:00.250Z"},
        manner="from_step charge é",
        outcome=Outcome.STOPPED,
        ended_at=NOW + 5,
        counts={"redriven": 3, "failed": 0},
        jobs=("acme/1", "acme/2"),
        error="canary",
    )
    trail.write(whole)
    trail.write(entry(1))

    assert trail.read(TODAY, 10, None).entries == (entry(1), whole)


def test_the_outcome_takes_the_place_of_the_intent(trail):
    trail.write(entry())
    trail.write(entry(outcome=Outcome.DONE, counts={"redriven": 1}))

    (found,) = trail.read(TODAY, 10, None).entries
    assert (found.outcome, found.counts) == (Outcome.DONE, {"redriven": 1})


def test_newest_first_page_by_page_and_day_by_day(trail):
    for number in range(5):
        trail.write(entry(number))
    trail.write(entry(0, NOW - DAY_MS))

    first = trail.read(TODAY, 2, None)
    second = trail.read(TODAY, 2, first.cursor)
    third = trail.read(TODAY, 2, second.cursor)

    assert [one.at - NOW for page in (first, second, third) for one in page.entries] == [4, 3, 2, 1, 0]
    assert (first.cursor is None, second.cursor is None, third.cursor) == (False, False, None)
    assert [one.at for one in trail.read("2027-01-14", 9, None).entries] == [NOW - DAY_MS]
    assert trail.read("2027-01-16", 9, None).entries == ()


@pytest.mark.parametrize("cursor", ["", "nonsense", "STATE"])
def test_a_cursor_that_is_none_of_ours(trail, cursor):
    with pytest.raises(InputError, match="cursor"):
        trail.read(TODAY, 10, cursor)


def test_it_is_kept_for_400_days_where_no_tenant_is(moto):
    create_jobs_table(moto.dynamodb, "jobs")
    DynamoAuditTrail(moto.dynamodb, "jobs").write(entry())

    (item,) = moto.dynamodb.scan(TableName="jobs")["Items"]

    assert item["pk"]["S"] == f"#audit#{TODAY}" == PARTITION + TODAY
    assert int(item["ttl"]["N"]) == NOW // 1000 + int(limits.MAX_RETENTION.total_seconds())
    with pytest.raises(InputError):
        check_tenant(item["pk"]["S"].partition("#")[0])
