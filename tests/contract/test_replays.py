"""Replays: begun once under a name, of a bus's archive, to the rules that hear."""

import json
from datetime import UTC, datetime
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tidemill import JobArgs, JobRegistry, job
from tidemill.aws.clients import Clients
from tidemill.aws.replays import EventBridgeReplays
from tidemill.domain.fact_message import PATHS, template_of
from tidemill.domain.replay import ReplayOrder, ReplayState
from tidemill.events import Event, on
from tidemill.testing.clock import FrozenClock
from tidemill.testing.outbox import MemoryBus
from tidemill.testing.replays import MemoryReplays

BUS = "shop"
# Seconds, as EventBridge has it.
SINCE, UNTIL = 1_800_000_000_000, 1_800_003_600_000


class Placed(Event, type="order.placed"):
    order: int


class Shipped(Event, type="order.shipped"):
    order: int


class Count(JobArgs, kind="shop.count"):
    order: int


class Thank(JobArgs, kind="shop.thank"):
    order: int


@on(Placed)
@on(Shipped)
@job(Count)
def count(args, _):
    """Hears both."""


@on(Shipped)
@job(Thank)
def thank(args, _):
    """Hears one."""


HEARD = [("shop.count", "order.placed"), ("shop.count", "order.shipped"), ("shop.thank", "order.shipped")]


def in_memory():
    registry = JobRegistry(count, thank, events=[Placed, Shipped])
    yield MemoryReplays(registry, MemoryBus(), lambda lane, body: None, FrozenClock())


def in_eventbridge():
    with mock_aws():
        client = boto3.client("events")
        bus_arn = client.create_event_bus(Name=BUS)["EventBusArn"]
        client.create_archive(ArchiveName="facts", EventSourceArn=bus_arn, RetentionDays=30)
        for number, (kind, type_) in enumerate(HEARD):
            pattern = {"detail-type": [type_], "detail": {"specversion": ["1.0"]}}
            put_rule(client, f"r{number}", pattern, {"InputPathsMap": PATHS, "InputTemplate": template_of(kind)})
        # What another team put onto the bus.
        put_rule(client, "other", {"detail-type": ["order.placed"]}, {"InputTemplate": '{"kind":"shop.theirs"}'})
        put_rule(client, "all", {"source": ["tidemill.shop"]}, None)
        yield EventBridgeReplays(Clients("eu-central-1"), BUS)


def put_rule(client, name, pattern, transformer):
    client.put_rule(Name=name, EventBusName=BUS, EventPattern=json.dumps(pattern))
    target = {"Id": "Lane", "Arn": "arn:aws:sqs:eu-central-1:123456789012:lane"}
    extra = {} if transformer is None else {"InputTransformer": transformer}
    client.put_targets(Rule=name, EventBusName=BUS, Targets=[{**target, **extra}])


@pytest.fixture(params=[in_memory, in_eventbridge], ids=["memory", "moto"])
def replays(request):
    yield from request.param()


def order_of(replays, name="again", **changes):
    archive = replays.archives()[0].name
    return ReplayOrder(name, archive, SINCE, UNTIL, tuple(replays.subscribers()[:1]), **changes)


def test_who_hears_is_known_by_the_rules_that_were_deployed(replays):
    assert [(one.kind, one.type) for one in replays.subscribers()] == HEARD
    assert len({one.rule for one in replays.subscribers()}) == 3


def test_a_replay_is_begun_once_under_its_name(replays):
    assert replays.start(order_of(replays))
    assert not replays.start(order_of(replays))

    assert [one.name for one in replays.all()] == ["again"]


def test_what_was_begun_is_seen(replays):
    replays.start(order_of(replays))
    found = replays.look("again")

    assert (found.name, found.state, found.since, found.until) == ("again", ReplayState.COMPLETED, SINCE, UNTIL)
    assert found.rules == (replays.subscribers()[0].rule,)
    assert found.started_at is not None
    assert replays.look("never") is None


def test_all_are_listed_without_what_only_a_look_tells(replays):
    replays.start(order_of(replays, "first"))
    replays.start(order_of(replays, "second"))

    assert sorted(one.name for one in replays.all()) == ["first", "second"]
    assert {one.rules for one in replays.all()} == {()}


def test_what_never_was_is_not_cancelled(replays):
    assert not replays.cancel("never")


@pytest.mark.parametrize("made", [in_memory, in_eventbridge], ids=["memory", "moto"])
def test_what_is_over_is_not_cancelled(made, monkeypatch):
    for replays in made():
        replays.start(order_of(replays))
        if made is in_eventbridge:
            # moto's replays are over at once, and it cancels them all the same. API Reference, CancelReplay: errors.
            refusal = ClientError({"Error": {"Code": "IllegalStatusException"}}, "CancelReplay")
            monkeypatch.setattr(replays._events, "cancel_replay", Mock(side_effect=refusal))

        assert not replays.cancel("again")


def test_an_archive_says_how_long_it_keeps():
    for replays in in_eventbridge():
        (archive,) = replays.archives()
        assert (archive.name, archive.kept_for.days) == ("facts", 30)


def test_what_is_asked_of_eventbridge(monkeypatch):
    for replays in in_eventbridge():
        start = Mock()
        monkeypatch.setattr(replays._events, "start_replay", start)
        replays.start(order_of(replays))

        assert start.call_args.kwargs == {
            "ReplayName": "again",
            "EventSourceArn": "arn:aws:events:eu-central-1:123456789012:archive/facts",
            "EventStartTime": datetime.fromtimestamp(SINCE / 1_000, UTC),
            "EventEndTime": datetime.fromtimestamp(UNTIL / 1_000, UTC),
            "Destination": {
                "Arn": "arn:aws:events:eu-central-1:123456789012:event-bus/shop",
                "FilterArns": [replays.subscribers()[0].rule],
            },
        }
