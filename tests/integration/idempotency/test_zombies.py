"""Runs under one key: A starts and takes too long, B takes over, A ends late. What becomes of B's record?

Each trace is played with our store and with Powertools' own. That theirs fails is the reason for ours: when a test of
it passes one day, it says so, and ours may go.
"""

import boto3
import pytest
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyPersistenceLayerError,
)

from tests.integration.idempotency.conftest import TABLE, Run, call
from tidemill.idempotency import FencedDynamoDBPersistenceLayer, IdempotencyLostError


class Unfenced(DynamoDBPersistenceLayer):
    """Powertools' own, with the time that a registered Lambda context gives it."""

    def __init__(self):
        super().__init__(TABLE)

    def save_inprogress(self, data, remaining_time_in_millis=None):
        super().save_inprogress(data, remaining_time_in_millis=60_000)


def fenced():
    return FencedDynamoDBPersistenceLayer(TABLE, boto3_client=boto3.client("dynamodb"))


UNFENCED = pytest.mark.xfail(
    reason="Powertools' records have no owner", raises=(AssertionError, pytest.fail.Exception), strict=True
)
# Each call makes the store of another process.
STORES = pytest.mark.parametrize("process", [fenced, pytest.param(Unfenced, marks=UNFENCED)])


class LateError(Exception):
    """What a run raises after its time."""


@STORES
def test_a_late_error_leaves_the_others_record(process, records):
    a = Run(process()).start()
    records.end_leases()
    b = Run(process()).start()

    with pytest.raises(LateError):
        a.end(LateError())

    assert records.states() == [("INPROGRESS", "")]
    assert b.end("B's") == "B's"
    assert records.states() == [("COMPLETED", '"B\'s"')]


@STORES
def test_after_a_late_error_no_third_run_starts_beside_the_second(process, records):
    a = Run(process()).start()
    records.end_leases()
    b = Run(process()).start()
    with pytest.raises(LateError):
        a.end(LateError())

    with pytest.raises(IdempotencyAlreadyInProgressError):
        Run(process()).start()

    assert b.end("B's") == call(process(), "C's") == "B's"


@STORES
def test_a_late_success_is_refused_while_the_other_runs(process, records):
    a = Run(process()).start()
    records.end_leases()
    b = Run(process()).start()

    with pytest.raises(IdempotencyPersistenceLayerError) as refused:
        a.end("A's")

    assert isinstance(refused.value.__cause__, IdempotencyLostError)
    assert records.states() == [("INPROGRESS", "")]
    assert b.end("B's") == call(process(), "C's") == "B's"


@STORES
def test_a_late_success_does_not_overwrite_the_others_result(process, records):
    a = Run(process()).start()
    records.end_leases()
    assert call(process(), "B's") == "B's"

    with pytest.raises(IdempotencyPersistenceLayerError):
        a.end("A's")

    assert call(process(), "C's") == "B's"


@STORES
def test_a_late_error_does_not_forget_the_others_result(process, records):
    a = Run(process()).start()
    records.end_leases()
    call(process(), "B's")

    with pytest.raises(LateError):
        a.end(LateError())

    assert call(process(), "C's") == "B's"


@STORES
def test_a_success_makes_no_record_where_there_is_none(process, records):
    run = Run(process()).start()
    records.clear()

    with pytest.raises(IdempotencyPersistenceLayerError):
        run.end("too late")

    assert records.all() == []


def test_a_late_error_is_shown_as_it_is_with_a_note(records):
    a = Run(fenced()).start()
    records.end_leases()
    Run(fenced()).start()

    with pytest.raises(LateError) as shown:
        a.end(LateError())

    assert shown.value.__notes__[0].startswith("idempotency_lost: the idempotency record 'work#")


def test_an_error_in_time_lets_the_next_run_start(records):
    with pytest.raises(LateError):
        Run(fenced()).start().end(LateError())

    assert records.all() == []
    assert call(fenced(), "next") == "next"


def test_an_error_whose_record_is_gone_already_is_only_that(records):
    run = Run(fenced()).start()
    records.clear()

    with pytest.raises(LateError) as shown:
        run.end(LateError())

    assert not hasattr(shown.value, "__notes__")


def test_a_run_that_ended_without_a_word_blocks_its_key_until_its_time_is_over(records):
    with pytest.raises(SystemExit):
        Run(fenced()).start().end(SystemExit())

    with pytest.raises(IdempotencyAlreadyInProgressError):
        call(fenced())
    records.end_leases()
    assert call(fenced(), "next") == "next"
