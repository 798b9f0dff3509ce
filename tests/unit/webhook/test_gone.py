"""410 Gone: the endpoint that said it is paused, and no other."""

import pytest

from tidemill import JobArgs, JobRegistry, job, minutes, seconds
from tidemill.domain.lifecycle import State
from tidemill.domain.ports.webhooks import HttpAnswer
from tidemill.domain.webhook.delivery import DELIVER_KIND
from tidemill.domain.webhook.endpoint import Pause
from tidemill.testing import Harness


class Place(JobArgs, kind="shop.place"):
    """Nothing."""


@job(Place, webhook="orders")
def place(args, ctx):
    """End well."""


@pytest.fixture
def tide():
    with Harness(JobRegistry(place, webhooks=["orders"])) as tide:
        tide.endpoint = tide.client.webhooks.create("orders", "https://hooks.example.com/orders")
        yield tide


def told(tide):
    """What the receiver got, verified."""
    return [sent.message(tide.endpoint.secret) for sent in tide.receiver.sent]


def delivery(tide):
    (found,) = [one for one in tide.jobs() if one.kind == DELIVER_KIND]
    return found


def test_gone_pauses_the_endpoint_and_nothing_is_lost(tide):
    tide.receiver.answer(410)
    tide.client.submit(Place())
    tide.client.submit(Place())
    tide.run_for(minutes(10))

    assert len(tide.receiver.sent) == 1
    assert tide.client.webhooks.get("orders").pause is Pause.GONE
    dead = [one for one in tide.jobs() if one.kind == DELIVER_KIND]
    assert {one.state for one in dead} == {State.DEAD}

    tide.client.webhooks.resume("orders")
    for one in dead:
        tide.desk.redrive(one.ref)
    tide.run_for(minutes(10))

    assert len({message.id for message in told(tide)}) == 2


def test_a_late_gone_leaves_an_endpoint_alone_that_was_created_anew(tide, monkeypatch):
    """The receiver answers for the old one while the operator puts another in its place."""
    post = tide.receiver.post

    def slow(target, headers, body):
        monkeypatch.setattr(tide.receiver, "post", post)
        tide.advance(seconds(8))
        tide.client.webhooks.delete("orders")
        tide.endpoint = tide.client.webhooks.create("orders", "https://new.example.com/")
        return HttpAnswer(410, {})

    monkeypatch.setattr(tide.receiver, "post", slow)
    tide.client.submit(Place())
    tide.run_for(minutes(1))

    assert tide.client.webhooks.get("orders") == tide.endpoint
    assert delivery(tide).state is State.SUCCEEDED
    assert [sent.url for sent in tide.receiver.sent] == ["https://new.example.com/"]
    assert told(tide)
