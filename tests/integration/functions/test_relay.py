"""The relay: new rows of the outbox in, messages out."""

from copy import deepcopy

import pytest

from tidemill.aws.outbox_items import outbound_of
from tidemill.domain.lifecycle import State


def jobs_in(event):
    return [
        outbound_of(record["dynamodb"]["NewImage"]) for record in event["Records"] if "NewImage" in record["dynamodb"]
    ]


@pytest.fixture
def rows(stack, event):
    """The records of two rows that stand in the outbox, and of one that time to live has removed."""
    rows = event("relay_rows")
    stack.program.clients.dynamodb.transact_write_items(TransactItems=stack.program.outbox.actions(jobs_in(rows)))
    return rows


def test_rows_are_sent_recorded_and_removed(stack, rows):
    assert stack.call("relay", rows) == {"batchItemFailures": []}

    assert len(stack.queued()) == 2
    assert [stack.job(one.ref).state for one in jobs_in(rows)] == [State.QUEUED] * 2
    assert stack.program.outbox.standing(jobs_in(rows)) == [False, False]


def test_a_committed_job_runs(stack, rows):
    stack.call("relay", rows)

    assert stack.work(stack.next_event()) == []
    assert [stack.job(one.ref).state for one in jobs_in(rows)] == [State.SUCCEEDED] * 2


def test_a_batch_that_comes_again_sends_nothing(stack, rows):
    stack.call("relay", deepcopy(rows))
    stack.queued()

    assert stack.call("relay", rows) == {"batchItemFailures": []}
    assert stack.queued() == []


def test_what_is_gone_was_sent_by_the_janitor(stack, event):
    assert stack.call("relay", event("relay_rows")) == {"batchItemFailures": []}
    assert stack.queued() == []


def test_a_row_that_nobody_can_read_is_reported_and_the_others_are_sent(stack, rows):
    broken = rows["Records"][0]["dynamodb"]
    broken["NewImage"]["body"] = {"S": "{"}

    answer = stack.call("relay", rows)

    assert answer == {"batchItemFailures": [{"itemIdentifier": broken["SequenceNumber"]}]}
    assert len(stack.queued()) == 1


def test_a_lane_that_is_not_there_is_reported(stack, rows):
    rows["Records"][1]["dynamodb"]["NewImage"]["lane"] = {"S": "newer"}

    answer = stack.call("relay", rows)

    assert answer == {"batchItemFailures": [{"itemIdentifier": rows["Records"][1]["dynamodb"]["SequenceNumber"]}]}
    assert len(stack.queued()) == 1
