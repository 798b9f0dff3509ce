"""The guide's subscribers hear what was published, once each."""

from examples.guide.subscribing import (
    CountSale,
    OrderPlaced,
    PlaceOrder,
    SendReceipt,
    ShowStock,
    StockChanged,
    count_sale,
    registry,
)
from tidemill.events import Heard, Publication
from tidemill.testing import Harness, assert_published, assert_submitted, context


def test_a_fact_fans_out_to_both_subscribers():
    with Harness(registry) as tide:
        tide.client.submit(PlaceOrder(order="7", email="ada@example.com", cents=990))
        tide.drain_until_idle()

        assert_published(tide, OrderPlaced, times=1)
        assert_submitted(tide, SendReceipt, {"order": "7"}, times=1)
        assert_submitted(tide, CountSale, {"cents": 990}, times=1)


def test_a_subscriber_can_be_called_directly():
    fact = Heard("fact-1", OrderPlaced.event_type, at=1_700_000_000_000)

    assert count_sale(CountSale(cents=990), context(count_sale, heard=fact)) == "990 cents, fact fact-1"
    assert count_sale(CountSale(cents=990), context(count_sale)) == "990 cents, fact none"


def test_what_is_overtaken_is_stale():
    with Harness(registry) as tide:
        for sequence, left in ((1, 10), (3, 8), (2, 9)):
            event = Publication(StockChanged(left=left), subject="article/1", sequence=sequence)
            tide.outbox.commit(tide.client.transact_items(event))
            tide.drain()
        results = [job.result for job in tide.jobs() if job.kind == ShowStock.job_kind]

    assert results == ['"article/1: 10 left"', '"article/1: 8 left"', '"a later one is shown already"']
