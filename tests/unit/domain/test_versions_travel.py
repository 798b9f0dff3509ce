"""Whatever asks for a job in JSON says of which version its arguments are, from the second on."""

import json

import pytest

from tests.builders import an_envelope
from tidemill import Every, JobArgs, JobRegistry, Schedule, job, minutes
from tidemill.domain.envelope import decode, parse_body
from tidemill.domain.errors import MalformedMessageError
from tidemill.domain.fact import Fact, read_fact
from tidemill.domain.limits import MAX_CONTRACT_VERSION
from tidemill.domain.saga.machine import compiled
from tidemill.domain.tick import tick_message
from tidemill.sagas import Saga, arguments, step
from tidemill.service.ticks import parse_tick
from tidemill.versions import upcasts


class Ship(JobArgs, kind="test.ship", version=2):
    number: int = 1

    @upcasts(1)
    @staticmethod
    def _numbered(document):
        return {"number": document["order"]}


class Pack(JobArgs, kind="test.pack"):
    number: int = 1


def tick_of(model):
    definition = job(model, schedule=Schedule(Every(minutes(5)), model(number=7), name="often"))(lambda args, ctx: None)
    return definition, json.loads(tick_message(definition, definition.schedules[0]))


def test_a_tick_says_its_version_from_the_second_on():
    definition, said = tick_of(Ship)
    _, unsaid = tick_of(Pack)
    said["tick"]["at"] = "2026-11-27T09:00:00Z"

    assert (said["version"], "version" in unsaid) == (2, False)
    assert parse_tick(said, JobRegistry(definition)).args == Ship(number=7)


def test_a_tick_that_was_deployed_before_there_were_versions_is_of_the_first():
    definition, said = tick_of(Ship)
    old = {**said, "args": {"order": 7}, "tick": {**said["tick"], "at": "2026-11-27T09:00:00Z"}}
    del old["version"]

    assert parse_tick(old, JobRegistry(definition)).args == Ship(number=7)


@pytest.mark.parametrize("version", [0, -1, True, "2", 1.5, MAX_CONTRACT_VERSION + 1, None])
def test_an_envelope_with_a_version_that_can_be_none_is_no_envelope(version):
    document = {**parse_body(an_envelope().encode()), "version": version}

    with pytest.raises(MalformedMessageError, match="version"):
        decode(document)


def test_a_fact_keeps_the_version_of_its_data():
    fact = Fact("018f0000-0000-7000-8000-000000000001", "order.placed", b"{}", "acme", 1, "c", version=3)

    assert read_fact(fact.cloud_event("/tidemill/x")).version == 3


def test_a_saga_says_the_versions_of_its_jobs():
    class Order(JobArgs):
        number: int

    ship, pack = (job(model)(lambda args, ctx: None) for model in (Ship, Pack))
    saga = Saga(
        "orders.send",
        Order,
        steps=[
            step("pack", pack, args={"number": arguments(Order).number}, timeout=minutes(5)),
            step("ship", ship, args={"number": arguments(Order).number}, timeout=minutes(5)),
        ],
    )
    machine = json.dumps(compiled(saga, lambda lane: f"https://{lane}"))

    assert machine.count('"version": 2') == machine.count('"kind": "test.ship"') > 0
    assert '"version": 1' not in machine
