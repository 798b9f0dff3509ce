"""Facts are heard again by whom the operator chose, once for each name of a replay."""

from dataclasses import replace

import pytest

from examples.guide.subscribing import CountSale, OrderPlaced, SendReceipt, registry
from tidemill import JobRegistry, State
from tidemill.domain.duration import minutes
from tidemill.errors import ArchiveError, InputError, ReplayExistsError, ReplayNotFoundError, ReplayOverError
from tidemill.testing import Harness

RECEIPT, SALE = SendReceipt.job_kind, CountSale.job_kind


def sell(tide, order):
    tide.outbox.commit(tide.client.transact_items(OrderPlaced(order=order, email="ada@example.com", cents=990)))
    tide.drain()


def again(tide, *kinds, **options):
    """Of the last hour, as far as the archive is sure to have it."""
    now = tide.clock.now_ms()
    replay = tide.replays.start(kinds, **{"since": now - 3_600_000, "until": now - 600_000, **options})
    tide.drain()
    return replay


@pytest.fixture
def tide():
    with Harness(registry) as tide:
        sell(tide, "1")
        sell(tide, "2")
        tide.advance(minutes(11))
        yield tide


def kinds_of(tide):
    return sorted(job.kind for job in tide.jobs())


def test_the_chosen_hear_every_fact_once_more_and_nobody_else(tide):
    again(tide, RECEIPT)

    assert kinds_of(tide) == [SALE] * 2 + [RECEIPT] * 4
    assert {job.state for job in tide.jobs()} == {State.SUCCEEDED}


def test_a_name_replays_once(tide):
    again(tide, RECEIPT, name="mended")

    with pytest.raises(ReplayExistsError, match="tidemill replay show mended"):
        again(tide, RECEIPT, name="mended")
    assert kinds_of(tide).count(RECEIPT) == 4
    again(tide, RECEIPT, name="mended-2")
    assert kinds_of(tide).count(RECEIPT) == 6


def test_what_a_replay_sends_twice_makes_one_job(tide):
    bodies, put = [], tide.queues.put
    tide.replays.replays.put = lambda lane, body: (bodies.append((lane, body)), put(lane, body))
    again(tide, RECEIPT, SALE)
    for lane, body in bodies:
        put(lane, body)
    tide.drain()

    assert kinds_of(tide) == [SALE] * 4 + [RECEIPT] * 4


def test_only_the_span_is_sent(tide):
    sell(tide, "3")
    tide.advance(minutes(30))
    now = tide.clock.now_ms()

    found = again(tide, RECEIPT, since=now - 31 * 60_000, until=now - 29 * 60_000)

    assert kinds_of(tide).count(RECEIPT) == 4
    assert found.state == "completed"
    assert found.since <= found.reached <= found.until


def test_who_did_it_is_in_the_trail(tide):
    again(tide, RECEIPT, name="mended", event="guide.order-placed")
    (entry,) = tide.replays.auditor.trail.entries.values()

    assert (entry.action, entry.actor, entry.outcome) == ("replay", "tester", "done")
    assert (entry.chosen["replay"], entry.chosen["to"], entry.chosen["event"]) == (
        "mended",
        RECEIPT,
        "guide.order-placed",
    )


def test_without_a_name_it_is_called_after_the_time(tide):
    assert again(tide, RECEIPT).name == "testing-20270115T081100"
    assert [one.name for one in tide.replays.all()] == ["testing-20270115T081100"]


@pytest.mark.parametrize(
    ("kinds", "options", "problem"),
    [
        (["shop.nobody"], {}, "to: shop.nobody hears nothing"),
        ([], {}, "to: must name"),
        ([RECEIPT], {"name": "two words"}, "name: "),
        ([RECEIPT], {"since": 0, "until": 0}, "since: "),
        ([RECEIPT], {"until": 2**50}, "until: "),
        ([RECEIPT], {"event": "order.lost"}, "hears nothing of order.lost"),
    ],
)
def test_bad_input_begins_nothing(tide, kinds, options, problem):
    with pytest.raises(InputError, match=problem):
        again(tide, *kinds, **options)
    assert tide.replays.all() == []
    assert tide.replays.auditor.trail.entries == {}


def test_an_archive_that_is_missing_or_one_of_several_is_named(tide, monkeypatch):
    with pytest.raises(ArchiveError, match=r"has 1 archives \(testing\)"):
        again(tide, RECEIPT, archive="other")
    archive = tide.replays.replays.archives()[0]
    both = [archive, replace(archive, name="other", kept_for=minutes(30))]
    monkeypatch.setattr(type(tide.replays.replays), "archives", lambda _: both)
    with pytest.raises(InputError, match="archive 'other' keeps no longer"):
        again(tide, RECEIPT, archive="other")
    with pytest.raises(ArchiveError, match="--archive"):
        again(tide, RECEIPT)
    monkeypatch.setattr(type(tide.replays.replays), "archives", lambda _: [])
    with pytest.raises(ArchiveError, match=r"DeploySettings\(archive="):
        again(tide, RECEIPT)


def test_what_is_over_is_not_cancelled(tide):
    again(tide, RECEIPT, name="mended")

    with pytest.raises(ReplayOverError, match="is completed already"):
        tide.replays.cancel("mended")
    with pytest.raises(ReplayNotFoundError, match="tidemill replay list"):
        tide.replays.cancel("other")
    assert tide.replays.auditor.trail.entries[max(tide.replays.auditor.trail.entries)].error == "replay_over"


def test_nobody_hears_where_nothing_is_subscribed():
    with Harness(JobRegistry(events=[OrderPlaced])) as tide:
        assert tide.replays.subscribers() == []
