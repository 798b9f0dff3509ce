"""A test of what commits together."""

from examples.guide.outbox_orders import OrderPacked, OrderPlaced, Pack, Ship, place_order, registry
from tidemill.testing import Harness, assert_published, assert_submitted, refute_published, refute_submitted


class Shop:
    """The shop's own table: the transaction commits, or its condition does not hold."""

    def __init__(self, tide: Harness) -> None:
        self.tide = tide
        self.commits = True

    def transact_write_items(self, TransactItems: list) -> None:  # noqa: N803 - boto3's name
        """As much of DynamoDB as the test needs."""
        if not self.commits:
            raise RuntimeError("TransactionCanceledException")
        self.tide.outbox.commit(TransactItems)


def test_an_order_is_packed_and_shipped() -> None:
    """What the transaction commits is sent, and what the job tells with its success, too."""
    with Harness(registry) as tide:
        place_order(tide.client, Shop(tide), "7", 1_990)
        tide.drain()

        assert_published(tide, OrderPlaced(order="7", cents=1_990), subject="order/7", times=1)
        assert_submitted(tide, Pack, {"order": "7"}, times=1)
        assert_published(tide, OrderPacked, times=1)
        assert_submitted(tide, Ship, {"order": "7"}, times=1)


def test_an_order_that_does_not_commit_is_heard_of_by_nobody() -> None:
    """Building the entries writes nothing."""
    with Harness(registry) as tide:
        shop = Shop(tide)
        shop.commits = False
        try:
            place_order(tide.client, shop, "7", 1_990)
        except RuntimeError:
            tide.drain()

        refute_published(tide, OrderPlaced)
        refute_submitted(tide, Pack)


def test_an_attempt_that_fails_tells_nothing() -> None:
    """A worker that dies before the end of its job has told nothing; the next attempt tells it once."""
    with Harness(registry) as tide:
        tide.faults.crash_before("conclude")
        tide.client.submit(Pack(order="7"))
        tide.drain()
        refute_published(tide, OrderPacked)

        tide.drain_until_idle()
        assert_published(tide, OrderPacked, times=1)
