"""What may be subscribed to, and what a fact's message says."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.domain.test_event import FACT
from tidemill import DEFAULT_LANES, JobArgs, JobRegistry, Lane, job
from tidemill.domain.envelope import is_fact_message
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.event import Event
from tidemill.domain.fact_message import FactMessage, read_fact_message
from tidemill.domain.heard import heard_of
from tidemill.domain.subscribing import on
from tidemill.domain.subscription import Subscription
from tidemill.testing.subscribing import message_text


class Placed(Event, type="order.placed"):
    order: str
    total: Decimal
    note: str | None = None
    gift: bool = False


class Paid(Event, type="order.paid"):
    order: str


class Pack(JobArgs, kind="warehouse.pack"):
    order: str


def packs(event=Placed, args_type=Pack, lane="default"):
    return on(event)(job(args_type, lane=lane)(lambda args, ctx: None))


def fields(**annotations):
    defaults = {name: default for name, (_, default) in annotations.items() if default is not ...}
    body = {"__annotations__": {name: type_ for name, (type_, _) in annotations.items()}, **defaults}
    return type("Wants", (JobArgs,), body, kind="test.wants")


def test_a_job_may_hear_several_events():
    definition = on(Paid)(packs())

    assert definition.hears == (Subscription(Placed), Subscription(Paid))
    assert [one.event for _, one in JobRegistry(definition).subscriptions] == [Placed, Paid]


def test_the_job_is_still_a_job():
    assert packs().kind == "warehouse.pack"
    assert packs()(Pack(order="7"), None) is None


@pytest.mark.parametrize("event", [Event, Pack, "order.placed", None, 7])
def test_what_is_no_event_is_refused(event):
    with pytest.raises(DefinitionError, match="names no event"):
        on(event)


def test_what_is_no_job_is_refused():
    with pytest.raises(DefinitionError, match=r"put it above @job"):
        on(Placed)(lambda args, ctx: None)


def test_one_event_twice_is_refused():
    with pytest.raises(DefinitionError, match="stands there twice"):
        on(Placed)(packs())


@pytest.mark.parametrize(
    ("wants", "problem"),
    [
        (fields(customer=(str, ...)), r"Wants\.customer is no field of Placed"),
        (fields(order=(int, ...)), r"Wants\.order takes integer, Placed\.order is string"),
        (fields(note=(str, None)), r"Wants\.note takes string, Placed\.note is null or string"),
    ],
)
def test_arguments_that_the_event_does_not_fill_are_refused(wants, problem):
    with pytest.raises(DefinitionError, match=problem):
        packs(args_type=wants)


@pytest.mark.parametrize(
    "wants",
    [
        fields(order=(str, ...), gift=(bool, ...)),
        fields(order=(str | None, ...)),
        fields(customer=(str, "nobody")),
        fields(order=(Any, ...)),
        fields(total=(Decimal, ...), note=(str | None, ...)),
        fields(),
    ],
)
def test_arguments_that_the_event_fills_are_taken(wants):
    assert packs(args_type=wants).hears


def test_what_is_heard_in_a_lane_in_order_comes_by_a_standard_one():
    definition = packs(lane="orders")
    registry = JobRegistry(definition, lanes=(*DEFAULT_LANES, Lane("orders", fifo=True)))

    assert registry.route(definition) == next(lane.name for lane in DEFAULT_LANES)
    with pytest.raises(DefinitionError, match="all lanes are FIFO"):
        JobRegistry(definition, lanes=(Lane("orders", fifo=True),))


# --- the message -----------------------------------------------------------------------------------


def message(fact=FACT, kind="warehouse.pack", replay=""):
    """As the rule's input transformer fills in its template."""
    return json.loads(message_text(kind, json.dumps(fact.cloud_event("/tidemill/shop")), replay))


def test_a_message_is_read_as_the_rule_writes_it():
    assert is_fact_message(message())
    assert read_fact_message(message()) == FactMessage(FACT, "warehouse.pack")
    assert read_fact_message(message(replay="again")) == FactMessage(FACT, "warehouse.pack", "again")


def test_one_fact_has_one_job_of_a_kind_and_another_in_each_replay():
    ids = [
        read_fact_message(message(replay=replay)).job_id(kind)
        for replay in ("", "first", "second")
        for kind in ("warehouse.pack", "mail.receipt")
    ]

    assert len(set(ids)) == 6
    assert ids[0] == read_fact_message(message()).job_id("warehouse.pack")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"more": 1}, "more"),
        ({"event": "x"}, "event"),
        ({"event": {}}, "event.specversion"),
        ({"event": {**FACT.cloud_event("/x"), "tenant": "a#b"}}, "event.tenant"),
        ({"replay": 5}, "replay"),
        ({"replay": "r" * 65}, "replay"),
    ],
)
def test_a_bad_field_is_named(change, field):
    with pytest.raises(InputError) as refused:
        read_fact_message({**message(), **change})

    assert refused.value.violations[0].field == field


def test_what_is_heard_travels_in_the_envelope():
    heard = read_fact_message(message()).heard

    assert heard_of(json.loads(json.dumps(heard.document()))) == heard


@pytest.mark.parametrize("version", [0, -1, 10_000, True, "1"])
def test_a_version_that_no_event_has_is_refused(version):
    document = {**read_fact_message(message()).heard.document(), "version": version}

    with pytest.raises(InputError, match=r"^heard\.version"):
        heard_of(document)


@pytest.mark.parametrize("document", [None, [], {}, {"id": "7"}])
def test_an_ill_formed_one_is_refused(document):
    with pytest.raises(InputError, match=r"^heard"):
        heard_of(document)
