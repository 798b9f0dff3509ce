"""FIFO lanes: who runs after whom, what a failure holds back, and what is never parked."""

import json

import pytest

from tests.unit.service.conftest import PERMANENT, raising
from tests.unit.service.ordered import LANE, OrderedWorld, Ship
from tidemill import Submission, hours, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.entity import Entity
from tidemill.domain.envelope import decode, parse_body
from tidemill.domain.errors import InputError, UnavailableError
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Send

DOWN = UnavailableError("order", "down")


@pytest.fixture
def world():
    return OrderedWorld()


def bodies(world):
    return [decode(parse_body(body)) for body in world.bodies(LANE)]


# --- in order ------------------------------------------------------------------------------------


def test_jobs_of_an_entity_run_in_their_order_and_know_who_finished_before(world):
    for _ in range(3):
        world.ship("a")
    world.ship("b")

    world.drain()

    assert [one for one in world.saw if one[0] == "a"] == [("a", 1, None, 1), ("a", 2, 1, 1), ("a", 3, 2, 1)]
    assert ("b", 1, None, 1) in world.saw


def test_numbers_of_ones_own_are_kept_and_cost_no_counter(world):
    world.ship("a", sequence=7)
    world.ship("a", sequence=9)
    world.drain()

    assert world.saw == [("a", 7, None, 1), ("a", 9, 7, 1)]
    assert world.order.given == {}


def test_a_failed_job_holds_back_its_entity_and_nobody_else(world):
    world.ship("a")
    world.ship("a")
    world.ship("b")
    world.does = [raising(OSError("x"))]

    world.drain()
    assert [one[:2] for one in world.saw] == [("a", 1), ("b", 1)]
    world.clock.advance(seconds(9.9))
    assert world.step() == []
    world.clock.advance(seconds(0.2))
    world.drain()

    assert [one[:3] for one in world.saw] == [("a", 1, None), ("b", 1, None), ("a", 1, None), ("a", 2, 1)]


def test_a_dead_job_makes_way_after_its_receives_are_burnt_and_its_successors_see_the_gap(world):
    world.ship("a")
    world.ship("a")
    world.does = [lambda *_: None, raising(PERMANENT)]
    dead = world.ship("a")
    world.step()
    world.does = [lambda *_: None, raising(PERMANENT)]
    last = world.ship("a")

    invocations = world.drain()

    assert (world.state(dead), world.state(last)) == (State.DEAD, State.SUCCEEDED)
    assert world.saw[-1] == ("a", 4, 2, 1)
    # Jobs 2 and 4 once each, and as many for job 3 as SQS hands a message out.
    assert invocations == 2 + limits.MAX_FIFO_RECEIVES
    assert world.queues.depth(LANE) == 1


def test_a_cancelled_job_never_runs_and_leaves_a_gap(world):
    world.ship("a")
    world.client.cancel(world.ship("a").ref.id)
    world.ship("a")
    world.drain()

    assert [one[:3] for one in world.saw] == [("a", 1, None), ("a", 3, 1)]


def test_the_tenant_is_part_of_the_entity(world):
    world.ship("a", tenant="acme")
    world.ship("a", tenant="zeta")
    world.does = [raising(OSError("x"))]
    world.drain()

    assert [one[:3] for one in world.saw] == [("a", 1, None)] * 2


# --- submitting ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "field", "code"),
    [
        ({}, "entity", "missing"),
        ({"entity": ""}, "entity", "length"),
        ({"entity": "a" * 129}, "entity", "length"),
        ({"entity": "a b"}, "entity", "format"),
        ({"entity": "ä"}, "entity", "format"),
        ({"entity": 5}, "entity", "type"),
        ({"entity": "a", "sequence": -1}, "sequence", "range"),
        ({"entity": "a", "sequence": 1 << 53}, "sequence", "range"),
        ({"entity": "a", "sequence": True}, "sequence", "type"),
        ({"entity": "a", "sequence": "1"}, "sequence", "type"),
        ({"entity": "a", "delay": seconds(1)}, "delay", "fifo_lane"),
        ({"entity": "a", "delay": hours(1)}, "delay", "fifo_lane"),
        ({"lane": "default", "entity": "a"}, "entity", "standard_lane"),
        ({"lane": "default", "sequence": 1}, "sequence", "standard_lane"),
    ],
)
def test_what_can_not_be_in_order_is_refused_and_nothing_is_written(world, options, field, code):
    with pytest.raises(InputError) as refused:
        world.submit(Ship(), **options)

    (violation,) = refused.value.violations
    assert (violation.field, violation.code) == (field, code)
    assert (world.store.jobs, world.order.given, world.queues.count(LANE)) == ({}, {}, 0)


@pytest.mark.parametrize("entity", ["!", "~" * 128, "order:1/ä".encode().hex(), 'a"b\\c#d'])
def test_an_entity_may_hold_what_a_message_group_may(world, entity):
    world.ship(entity)
    world.drain()

    assert world.saw == [(entity, 1, None, 1)]


def test_many_in_one_call_are_numbered_in_their_order(world):
    world.ship("b")
    asked = [Submission(Ship(), entity=entity) for entity in ("a", "b", "a", "a", "b")]
    asked.insert(3, Submission(Ship(), entity="a", delay=seconds(5)))
    world.client.submit_many(asked)

    assert [(one.entity, one.sequence) for one in bodies(world)] == [
        ("b", 1),
        ("a", 1),
        ("b", 2),
        ("a", 2),
        ("a", 3),
        ("b", 3),
    ]


def test_a_repeated_key_takes_no_number_and_a_rerun_the_next_one(world):
    first = world.ship("a", key="k")
    assert world.ship("a", key="k") == first
    world.ship("a")
    world.does = [raising(PERMANENT)]
    world.drain()
    assert world.state(first) is State.DEAD

    again = world.ship("a", key="k")
    world.drain()

    assert (again.ref, again.generation) == (first.ref, 2)
    # It runs after all others, and has a number that says so.
    assert world.saw[-1] == ("a", 3, 2, 2)
    # A number of the caller's own stays what it is.
    world.ship("b", key="own", sequence=5)
    world.does = [raising(PERMANENT)]
    world.drain()
    world.ship("b", key="own", sequence=5)
    world.drain()
    assert world.saw[-1] == ("b", 5, None, 2)


def test_without_a_number_nothing_is_sent(world):
    world.order.outage = DOWN
    with pytest.raises(UnavailableError):
        world.ship("a")

    assert (world.store.jobs, world.queues.count(LANE)) == ({}, 0)
    # One with a number of its own needs no counter.
    world.ship("a", sequence=1)
    assert world.queues.count(LANE) == 1


def test_what_comes_after_a_job_whose_arguments_could_not_be_stored_is_not_sent_either(world):
    """Submitted again, it would come after its successor."""
    large = "x" * limits.MAX_ARGS_BYTES
    world.payloads.put_all = lambda parcels: [DOWN] * len(parcels)
    asked = [
        Submission(Ship(), entity="a"),
        Submission(Ship(note=large), entity="a"),
        Submission(Ship(), entity="a"),
        Submission(Ship(), entity="b"),
    ]

    results = world.client.submit_many(asked)

    assert [isinstance(one, UnavailableError) for one in results] == [False, True, True, False]
    assert [one.entity for one in bodies(world)] == ["a", "b"]


# --- what a worker owes --------------------------------------------------------------------------


def test_a_job_is_noted_before_its_message_goes(world):
    """The worker dies between record and note: whoever meets the message notes it, and does not run the job."""
    job = world.ship("a")
    world.ship("a")
    finish, world.order.finish = world.order.finish, lambda *_: (_ for _ in ()).throw(DOWN)
    world.step()

    assert world.state(job) is State.SUCCEEDED
    assert world.queues.count(LANE) == 2
    assert world.step() == []
    world.order.finish = finish
    world.clock.advance(minutes(2))
    world.drain()

    assert [one[:3] for one in world.saw] == [("a", 1, None), ("a", 2, 1)]
    assert world.queues.count(LANE) == 0
    assert "order_unrecorded" in world.telemetry.events("alert")


def test_who_lost_the_job_notes_it_too_before_the_message_goes(world):
    world.ship("a")
    stuck = world.queues.receive(LANE, 1)
    executor, batch = world.begin(stuck, LANE)
    world.clock.advance(minutes(3))
    finish, world.order.finish = world.order.finish, lambda *_: (_ for _ in ()).throw(DOWN)
    world.step()
    world.order.finish = finish
    assert world.order.finished == {}

    for message_id in batch.together:
        batch.perform(message_id)
    assert executor.finish(batch) == []

    assert world.order.finished == {Entity("default", LANE, "a"): 1}


def test_the_loser_of_a_key_is_not_noted(world):
    job = world.ship("a", key="k")
    world.drain()
    envelope = decode(parse_body(world.sent[0]))
    other = decode(
        json.loads(envelope.encode())
        | {"args": {"note": "other"}, "fingerprint": "", "sequence": 9}
        | {"fingerprint": _mark(b'{"note":"other"}')}
    )
    world.queues.send(LANE, [Send(other.resend(world.ship("b").ref.id))])
    world.drain()

    assert world.order.finished[Entity("default", LANE, "a")] == 1
    assert world.state(job) is State.SUCCEEDED


def _mark(args):
    from tidemill.domain.contract import fingerprint_of

    return fingerprint_of(args)


def test_a_job_whose_predecessor_can_not_be_asked_for_waits_and_spends_nothing(world):
    job = world.ship("a")
    world.order.outage = DOWN
    for _ in range(6):
        world.step()
        world.clock.advance(minutes(1))
    assert world.saw == []
    assert (world.job(job).attempt, world.job(job).deferrals, world.job(job).reason) == (0, 0, "order_unavailable")

    world.order.outage = None
    world.clock.advance(minutes(5))
    world.drain()

    assert world.saw == [("a", 1, None, 1)]


def test_a_standard_lane_asks_nobody_for_an_order(world):
    world.order = None
    world.build(world.store, world.queues)
    world.submit()
    world.submit()
    world.invoke()
    world.invoke()

    assert len(world.runs) == 2


# --- messages of other systems -------------------------------------------------------------------


def plain(**fields):
    return json.dumps({"kind": "test.ship", "args": {}, **fields})


@pytest.mark.parametrize("body", [plain(), plain(entity="a"), "{}", "no json"])
def test_a_plain_message_on_a_fifo_lane_is_refused_with_the_reason(world, body):
    world.queues.put(LANE, body, "group")
    world.ship("a")
    world.drain()

    (dead,) = [job for job in world.store.jobs.values() if job.state is State.DEAD]
    assert dead.reason == ("malformed_message" if body == "no json" else "plain_on_fifo")
    assert [one[0] for one in world.saw] == ["a"]
    assert world.queues.depth(LANE) == 1


def test_a_plain_message_on_a_standard_lane_may_ask_for_a_fifo_one(world):
    for sequence in (4, 5):
        world.queues.put("default", plain(lane=LANE, entity="a", sequence=sequence))
    world.invoke()
    world.drain()

    assert world.saw == [("a", 4, None, 1), ("a", 5, 4, 1)]
