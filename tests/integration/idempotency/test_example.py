"""The guide's job with a decorator, on the table that a worker has in its environment."""

from types import SimpleNamespace

import pytest
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError

from examples.guide.idempotent import SENT, ConfirmOrder, confirm_order, store
from tests.integration.idempotency.conftest import TABLE
from tidemill.idempotency import FencedDynamoDBPersistenceLayer


@pytest.fixture
def confirm(records, monkeypatch):
    """One attempt of the job, on behalf of a tenant."""
    monkeypatch.setattr(store, "_table_name", TABLE)
    monkeypatch.setattr(store, "_client", records.client)
    SENT.clear()
    return lambda tenant="acme": confirm_order(ConfirmOrder(order="order-1"), SimpleNamespace(tenant=tenant))


def test_two_attempts_or_jobs_that_ask_for_the_same_send_once(confirm):
    assert confirm() == confirm() == "receipt 1"
    assert SENT == ["acme/order-1"]


def test_another_tenant_has_its_own(confirm):
    assert confirm("acme") != confirm("umbrella")
    assert SENT == ["acme/order-1", "umbrella/order-1"]


def test_a_dead_workers_record_blocks_until_its_time_is_over(confirm, records):
    dead = FencedDynamoDBPersistenceLayer(TABLE, boto3_client=records.client)
    dead.configure(IdempotencyConfig(), key_prefix="confirmation")
    dead.save_inprogress("acme/order-1")

    with pytest.raises(IdempotencyAlreadyInProgressError):
        confirm()
    records.end_leases()
    assert confirm() == "receipt 1"
