"""The shop of docs/outbox.md, and its own tests."""

from examples.guide import outbox_orders, testing_outbox
from tidemill.testing import Harness, assert_dead, assert_published

test_packed_and_shipped = testing_outbox.test_an_order_is_packed_and_shipped
test_heard_of_by_nobody = testing_outbox.test_an_order_that_does_not_commit_is_heard_of_by_nobody
test_tells_nothing = testing_outbox.test_an_attempt_that_fails_tells_nothing


def test_a_death_is_announced(monkeypatch):
    def jam(order):
        raise ValueError(order)

    monkeypatch.setattr(outbox_orders, "print_label", jam)
    with Harness(outbox_orders.registry) as tide:
        receipt = tide.client.submit(outbox_orders.Pack(order="7"))
        tide.drain_until_idle()
        assert_dead(tide, receipt)
        assert_published(tide, "job.died", {"job_id": receipt.job_id}, times=1)
