"""Jobs of a FIFO lane over HTTP."""

import json

import pytest

from tests.unit.http.conftest import World
from tidemill import JobArgs, JobRegistry, Lane, job


class Ship(JobArgs, kind="test.ship.http"):
    x: int = 0


REGISTRY = JobRegistry(
    job(Ship, lane="orders")(lambda args, ctx: None), lanes=(Lane("default"), Lane("orders", fifo=True))
)
SHIP = {"kind": "test.ship.http", "args": {}}


@pytest.fixture
def world():
    return World(REGISTRY)


def sent(world):
    return [json.loads(message.body) for message in world.queues._queues["orders"].messages]


def test_entity_and_number_reach_the_message(world):
    assert world.call("POST", "/jobs", {**SHIP, "entity": "order:7", "sequence": 3}).status == 202
    assert world.call("POST", "/jobs", {**SHIP, "entity": "order:8"}).status == 202

    assert [(body["entity"], body["sequence"]) for body in sent(world)] == [("order:7", 3), ("order:8", 1)]


def test_a_batch_keeps_its_order(world):
    jobs = [{**SHIP, "entity": entity} for entity in "abab"]

    assert world.call("POST", "/jobs/batch", {"jobs": jobs}).status == 202

    assert [(body["entity"], body["sequence"]) for body in sent(world)] == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("entity", {}),
        ("entity", {"entity": "two words"}),
        ("entity", {"entity": None}),
        ("sequence", {"entity": "a", "sequence": "1"}),
        ("sequence", {"entity": "a", "sequence": 1 << 53}),
        ("delay_seconds", {"entity": "a", "delay_seconds": 1}),
        ("entity", {"entity": "a", "lane": "default"}),
        ("sequence", {"sequence": 1, "lane": "default"}),
    ],
)
def test_what_can_not_be_in_order_is_refused_by_name(world, field, more):
    answer = world.call("POST", "/jobs", {**SHIP, **more})

    assert answer.status == 422, answer.text
    assert [violation["field"] for violation in answer.json["violations"]] == [field]
    assert (world.store.jobs, sent(world)) == ({}, [])
