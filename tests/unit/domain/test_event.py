"""Events and facts: strict where they are made, tolerant where they are heard, CloudEvents in between."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tidemill.domain import limits
from tidemill.domain.errors import DefinitionError, InvalidArgsError, MalformedMessageError
from tidemill.domain.event import Event
from tidemill.domain.fact import Fact, data_of, read_fact


class OrderPlaced(Event, type="order.placed"):
    order: str
    total: Decimal


FACT = Fact(
    id="0190aaaa-0000-7000-8000-000000000001",
    type="order.placed",
    data=b'{"order":"7","total":"9.90"}',
    tenant="acme",
    at=1_700_000_000_123,
    correlation_id="c-1",
    version=2,
    causation_id="0190aaaa-0000-7000-8000-000000000002",
    subject="order/7",
    sequence=3,
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    hops=4,
)


def test_an_event_names_its_type():
    assert OrderPlaced.event_type == "order.placed"


@pytest.mark.parametrize("words", [{"type": "Order Placed"}, {"type": ""}, {"type": "a" * 65}, {"type": 5}])
def test_an_ill_formed_type_is_refused_when_the_class_is_made(words):
    with pytest.raises(DefinitionError, match="Broken: type"):
        type("Broken", (Event,), {}, **words)


@pytest.mark.parametrize("field", ["event_type", "contract_part"])
def test_a_field_with_a_name_of_events_own_is_refused(field):
    with pytest.raises(DefinitionError, match=rf"Broken\.{field} is a name that Event needs"):
        type("Broken", (Event,), {"__annotations__": {field: str}}, type="order.broken")


def test_a_bad_field_is_named_within_the_data():
    with pytest.raises(InvalidArgsError) as refused:
        OrderPlaced.from_input({"order": 7, "total": "9.90", "more": 1})

    assert {violation.field for violation in refused.value.violations} == {"data.order", "data.more"}


def test_whoever_hears_an_event_ignores_what_it_does_not_know_yet():
    heard = OrderPlaced.from_message(b'{"more":1,"order":"7","total":"9.90"}', 1)

    assert heard == OrderPlaced(order="7", total=Decimal("9.90"))


def test_a_fact_is_a_cloud_event():
    assert FACT.cloud_event("/tidemill/shop") == {
        "specversion": "1.0",
        "id": FACT.id,
        "source": "/tidemill/shop",
        "type": "order.placed",
        "time": "2023-11-14T22:13:20.123Z",
        "datacontenttype": "application/json",
        "subject": "order/7",
        "sequence": 3,
        "tenant": "acme",
        "schemaversion": 2,
        "correlationid": "c-1",
        "causationid": FACT.causation_id,
        "traceparent": FACT.traceparent,
        "hops": 4,
        "data": {"order": "7", "total": "9.90"},
    }


@pytest.mark.parametrize(
    "fact", [FACT, replace(FACT, causation_id=None, subject=None, sequence=None, traceparent=None, hops=0, version=1)]
)
def test_a_fact_is_read_as_it_was_written(fact):
    assert read_fact(fact.cloud_event("/tidemill/shop")) == fact


def test_names_of_attributes_are_as_cloud_events_wants_them():
    assert all(name.isalnum() and name.islower() and len(name) <= 20 for name in FACT.cloud_event("/x"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("specversion", "0.3"),
        ("id", "7"),
        ("type", "Order Placed"),
        ("tenant", "a#b"),
        ("time", "2023-11-14T22:13:20.123"),
        ("time", 5),
        ("time", None),
        ("schemaversion", "2"),
        ("schemaversion", 0),
        ("schemaversion", 10_000),
        ("correlationid", "c" * 65),
        ("subject", "order 7"),
        ("sequence", -1),
        ("hops", True),
    ],
)
def test_a_bad_attribute_is_named(name, value):
    with pytest.raises(MalformedMessageError) as refused:
        read_fact({**FACT.cloud_event("/x"), name: value})

    assert refused.value.violations[0].field == name


def test_an_event_up_to_the_limit_is_taken_and_one_byte_more_is_not():
    room = limits.MAX_EVENT_BYTES - len(data_of(OrderPlaced(order="", total=Decimal(1))))

    assert len(data_of(OrderPlaced(order="x" * room, total=Decimal(1)))) == limits.MAX_EVENT_BYTES
    with pytest.raises(InvalidArgsError, match="131073 bytes, the limit is 131072"):
        data_of(OrderPlaced(order="x" * (room + 1), total=Decimal(1)))
