"""ScheduleStore: rows are written only over what their writer knew, together with their versions, and are found."""

from contextlib import ExitStack
from dataclasses import replace
from itertools import count

import pytest
from botocore.exceptions import ClientError

from bench.cloud.account import JOBS_TABLE, BenchAccount
from bench.workload import lambda_environment
from tests.contract.backends import create_jobs_table
from tidemill.aws.clients import Clients
from tidemill.aws.items import UNIT_BYTES, item_bytes
from tidemill.aws.schedule_items import row_item, row_of, version_item, version_of
from tidemill.aws.schedules import DynamoSchedules
from tidemill.domain import limits
from tidemill.domain.cron import Cron, Every
from tidemill.domain.duration import minutes
from tidemill.domain.errors import InputError, UnavailableError
from tidemill.domain.overlap import Overlap
from tidemill.domain.ports import Kept, Stale
from tidemill.domain.schedule_errors import TooManySchedulesError
from tidemill.domain.schedule_row import (
    Change,
    Missed,
    Plan,
    ScheduleRef,
    ScheduleRow,
    ScheduleVersion,
    Settling,
    TickJob,
)
from tidemill.testing.schedules import MemorySchedules

NOW = 1_800_000_000_000
MOST = 3
PLAN = Plan("test.report", Cron("*/5 * * * *", tz="Europe/Paris"), NOW, "default")
_numbers = count(1)


@pytest.fixture(params=["memory", "moto", "ministack", "bench"])
def rows(request):
    if request.param == "memory":
        yield MemorySchedules()
        return
    with ExitStack() as stack:
        if request.param == "bench":
            stack.enter_context(lambda_environment(BenchAccount()))
            yield DynamoSchedules(Clients("us-east-1").dynamodb, JOBS_TABLE)
            return
        client, table = request.getfixturevalue(request.param).dynamodb, f"schedules-{next(_numbers)}"
        create_jobs_table(client, table)
        yield DynamoSchedules(client, table)


def a_row(name="nightly", tenant="acme", **changes):
    row = ScheduleRow(ScheduleRef(tenant, name), PLAN, 1, 1, NOW, NOW, next_at=NOW + 60_000)
    return replace(row, **changes)


def its_version(row, change=Change.CREATED, args=b"{}", **more):
    return ScheduleVersion(row.ref, row.version, change, row.plan, args, row.paused, NOW, "ada", **more)


def opened(rows, row=None, **changes):
    row = row or a_row(**changes)
    answer = rows.record(None, row, its_version(row), MOST)
    assert answer == Kept(row)
    return row


def changed(row, **changes):
    return row.revised(version=row.version + 1, **changes)


def names(page):
    return [row.ref.name for row in page.rows]


def test_a_tick_and_the_time_at_which_it_starts_are_two_things(rows):
    plan = replace(PLAN, jitter=minutes(4), declared=True)
    row = opened(rows, plan=plan)
    due = row.start_of(NOW + 60_000)

    assert due > NOW + 60_000
    assert rows.find([row.ref]) == [row]
    assert rows.due(due - 1, 10, None).rows == ()
    assert rows.due(due, 10, None).rows == (row,)


def test_what_is_recorded_is_found(rows):
    plan = Plan("test.ship", Every(minutes(7)), NOW - 1, "orders", "order-1", Overlap.SKIP, Missed.RUN_ALL, 9)
    full = a_row(
        "full",
        plan=plan,
        settling=Settling((TickJob(NOW + 5), TickJob(NOW + 6, 2)), NOW),
        next_at=None,
        made=(TickJob(NOW), TickJob(NOW + 5, 1)),
        again=(TickJob(NOW + 9, 1),),
        paused=True,
        waiting=True,
        problem="unknown_kind (kind)",
        ticks=1,
        late=2,
        skipped=3,
        missed=4,
        last_missed=NOW - 7,
    )
    opened(rows)
    opened(rows, full)

    assert rows.find([full.ref, ScheduleRef("acme", "none"), a_row().ref]) == [full, None, a_row()]
    assert rows.find([]) == []
    assert rows.version(full.ref, 1) == its_version(full)
    assert rows.version(full.ref, 2) is None
    assert rows.versions_of([a_row(), full]) == [its_version(a_row()), its_version(full)]


def test_a_row_is_opened_once(rows):
    row = opened(rows)
    other = replace(row, revision=7)

    assert rows.record(None, other, its_version(other), MOST) == Stale(row)
    # The same once more, as after an answer that was lost.
    assert rows.record(None, row, its_version(row), MOST) == Kept(row)
    assert rows.find([row.ref]) == [row]


def test_a_move_is_written_only_over_the_row_that_was_read(rows):
    row = opened(rows)
    moved = row.revised(next_at=NOW + 120_000, ticks=1, made=(TickJob(NOW + 60_000),))

    assert rows.move(row, moved) == Kept(moved)
    assert rows.move(row, moved) == Kept(moved)
    assert rows.move(row, row.revised(ticks=9)) == Stale(moved)
    assert rows.move(a_row("none"), a_row("none").revised()) == Stale(None)
    assert rows.find([row.ref]) == [moved]


def test_a_change_and_its_version_are_written_together_or_not_at_all(rows):
    row = opened(rows)
    new = changed(row, paused=True, next_at=None)
    version = its_version(new, Change.PAUSED, b'{"x":1}')

    assert rows.record(row, new, version, MOST) == Kept(new)
    stale = changed(row, next_at=NOW)
    assert rows.record(row, stale, its_version(stale, Change.CHANGED), MOST) == Stale(new)

    assert rows.find([row.ref]) == [new]
    assert rows.version(row.ref, 2) == version
    assert [one.change for one in rows.history(row.ref, 10, None).versions] == ["paused", "created"]


def test_history_is_read_page_by_page_newest_first(rows):
    row = opened(rows)
    for _ in range(11):
        new = changed(row)
        rows.record(row, new, its_version(new, Change.CHANGED), MOST)
        row = new

    numbers, cursor = [], None
    while True:
        page = rows.history(row.ref, 5, cursor)
        numbers += [version.number for version in page.versions]
        cursor = page.cursor
        if cursor is None:
            break

    assert numbers == list(range(12, 0, -1))
    assert rows.history(ScheduleRef("acme", "none"), 5, None).versions == ()
    with pytest.raises(InputError):
        rows.history(row.ref, 5, "x")


def test_a_tenant_has_so_many_and_deleted_ones_do_not_count(rows):
    kept = [opened(rows, name=name) for name in "abc"]
    with pytest.raises(TooManySchedulesError) as refused:
        rows.record(None, a_row("d"), its_version(a_row("d")), MOST)
    assert (refused.value.tenant, refused.value.limit) == ("acme", MOST)
    assert rows.find([a_row("d").ref]) == [None]
    opened(rows, tenant="other")

    gone = changed(kept[1], deleted=True, next_at=None)
    assert rows.record(kept[1], gone, its_version(gone, Change.DELETED), MOST) == Kept(gone)

    opened(rows, name="d")
    assert names(rows.listed("acme", 10, None)) == ["a", "c", "d"]
    assert rows.find([gone.ref]) == [gone]
    again = changed(gone, deleted=False, created_at=NOW + 9)
    with pytest.raises(TooManySchedulesError):
        rows.record(gone, again, its_version(again), MOST)
    assert rows.record(gone, again, its_version(again), MOST + 1) == Kept(again)


def test_a_listing_has_one_tenants_rows_by_name(rows):
    for tenant, name in (("acme", "b"), ("acme", "a"), ("acme2", "c"), ("acme", "c"), ("zeta", "a")):
        opened(rows, a_row(name, tenant))

    first = rows.listed("acme", 2, None)
    assert names(first) == ["a", "b"]
    assert names(rows.listed("acme", 2, first.cursor)) == ["c"]
    assert names(rows.listed("nobody", 2, None)) == []
    with pytest.raises(InputError):
        rows.listed("acme", 2, "no#cursor")


def test_what_is_due_is_found_earliest_first_in_each_shard(rows):
    due = {opened(rows, a_row(f"s{i}", f"t{i % 7}", next_at=NOW + i)).ref for i in range(20)}
    opened(rows, a_row("later", next_at=NOW + 60_000))
    opened(rows, a_row("paused", paused=True, next_at=None))
    settling = opened(rows, a_row("settling", next_at=None, settling=Settling((TickJob(NOW),), NOW)))

    found, cursor = [], None
    while True:
        page = rows.due(NOW + 30_000, 3, cursor)
        found += page.rows
        cursor = page.cursor
        if cursor is None:
            break

    assert {row.ref for row in found} == due | {settling.ref}
    assert len(found) == 21
    assert rows.due(NOW - 1, 100, None).rows == (settling,)


def test_a_row_that_moved_on_is_no_longer_due(rows):
    row = opened(rows)
    moved = row.revised(next_at=NOW + 3_600_000)
    rows.move(row, moved)
    assert rows.due(NOW + 60_000, 10, None).rows == ()
    assert rows.due(NOW + 3_600_000, 10, None).rows == (moved,)
    rows.move(moved, moved.revised(next_at=None))
    assert rows.due(NOW + 3_600_000, 10, None).rows == ()


def test_the_longest_row_stays_within_a_write_unit():
    row = ScheduleRow(
        ScheduleRef("t" * limits.MAX_TENANT_CHARS, "n" * limits.MAX_SCHEDULE_CHARS),
        Plan(
            "k" * limits.MAX_KIND_CHARS,
            Cron("*/5 * * * *", tz="America/Argentina/ComodRivadavia"),
            NOW,
            "l" * limits.MAX_LANE_CHARS,
            "e" * limits.MAX_ENTITY_CHARS,
            Overlap.QUEUE_ONE,
            Missed.RUN_ALL,
            limits.MAX_MISSED_RUNS,
            limits.MAX_SCHEDULE_JITTER,
            declared=True,
        ),
        version=10**9,
        revision=10**9,
        created_at=NOW,
        changed_at=NOW,
        next_at=None,
        made=tuple(TickJob(NOW + i, 1) for i in range(limits.MADE_KEPT)),
        again=tuple(TickJob(NOW + i, 2) for i in range(limits.MADE_KEPT)),
        settling=Settling(tuple(TickJob(NOW + i, 2) for i in range(limits.MADE_KEPT)), NOW),
        waiting=True,
        problem="p" * limits.PROBLEM_CHARS,
        ticks=10**9,
        late=10**9,
        skipped=10**9,
        missed=10**9,
        last_missed=NOW,
    )
    longest = item_bytes(row_item(row, NOW)) + limits.MAX_CRON_CHARS - len(row.plan.timing.expression)
    longest += limits.MAX_ZONE_CHARS - len(row.plan.timing.tz)

    assert longest <= UNIT_BYTES
    assert row_of(row_item(row)) == row
    assert version_of(version_item(its_version(row))) == its_version(row)


class Throttling:
    """A table that takes nothing."""

    def put_item(self, **_):
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "Any")

    get_item = query = batch_get_item = transact_write_items = put_item


def test_what_aws_does_not_answer_is_unavailable():
    rows = DynamoSchedules(Throttling(), "jobs")
    row = a_row()
    calls = (
        lambda: rows.find([row.ref]),
        lambda: rows.record(None, row, its_version(row), MOST),
        lambda: rows.move(row, row.revised()),
        lambda: rows.due(NOW, 1, None),
        lambda: rows.listed("acme", 1, None),
        lambda: rows.version(row.ref, 1),
        lambda: rows.versions_of([row]),
        lambda: rows.history(row.ref, 1, None),
    )
    for call in calls:
        with pytest.raises(UnavailableError):
            call()
