"""A fact's message becomes one job of each subscriber, however often and however late it comes."""

import json
from dataclasses import replace

import pytest

from tests.builders import Greet
from tests.unit.domain.test_subscription import FACT, message
from tidemill import DEFAULT_LANES, JobRegistry, Lane, State, job, minutes
from tidemill.events import Event, on
from tidemill.testing import Harness


class Met(Event, type="person.met"):
    name: str
    secret: str = "hidden"


MET = replace(FACT, type="person.met", version=1, data=b'{"name":"bob","new":1,"secret":"s3cret"}')
LANES = (*DEFAULT_LANES, Lane("orders", fifo=True))


@pytest.fixture
def seen():
    return []


@pytest.fixture
def tide(seen):
    with listening(seen) as tide:
        yield tide


def listening(seen, lane="default"):
    hears = on(Met)(job(Greet, lane=lane)(lambda args, ctx: seen.append((args, ctx))))
    return Harness(JobRegistry(hears, lanes=LANES))


def tell(tide, fact=MET, lane="default", **options):
    tide.queues.put(lane, json.dumps(message(fact, kind="test.greet", **options)))
    tide.drain()


def test_a_fact_becomes_a_job_that_knows_which(tide, seen):
    tell(tide)

    (record,), ((args, ctx),) = tide.jobs(), seen
    assert record.state is State.SUCCEEDED
    assert args == Greet(name="bob")
    assert (ctx.heard.id, ctx.heard.type, ctx.heard.subject, ctx.heard.sequence) == (MET.id, MET.type, "order/7", 3)
    assert (ctx.tenant, ctx.correlation_id, ctx.is_stale) == ("acme", "c-1", False)


def test_a_fact_that_comes_again_makes_no_second_job(tide, seen):
    for _ in range(3):
        tell(tide)

    assert len(tide.jobs()) == len(seen) == 1


def test_a_replay_makes_new_jobs_one_each(tide, seen):
    for replay in ("", "monday", "monday", "tuesday"):
        tell(tide, replay=replay)

    assert len(tide.jobs()) == len(seen) == 3


def test_a_fact_that_comes_again_to_code_that_reads_it_otherwise_makes_no_second_job(tide, seen):
    tell(tide)
    tell(tide, replace(MET, data=b'{"name":"alice"}'))

    assert [args.name for args, _ in seen] == ["bob"]
    assert [record.state for record in tide.jobs()] == [State.SUCCEEDED]


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        (replace(MET, type="person.left"), "invalid_input"),
        (replace(MET, data=b'{"secret":"s3cret"}'), "invalid_args"),
        (replace(MET, hops=33), "invalid_input"),
    ],
)
def test_a_fact_that_can_be_no_job_is_dead_with_its_reason_and_its_own_tenant(tide, fact, reason):
    tell(tide, fact)

    (record,) = tide.jobs()
    assert (record.state, record.reason, record.ref.tenant) == (State.DEAD, reason, "acme")
    assert "s3cret" not in repr(tide.failures(record.ref)) + repr(tide.telemetry.lines)


def test_a_late_fact_is_no_late_tick(tide):
    tide.queues.put("default", json.dumps(message(MET, kind="test.greet")))
    tide.advance(minutes(10))
    tide.drain()

    assert [record.state for record in tide.jobs()] == [State.SUCCEEDED]
    assert "TicksLate" not in tide.telemetry.counts
    assert not [line for line in tide.telemetry.lines if "tick_late" in str(line)]


# --- a lane in order -------------------------------------------------------------------------------


def test_in_a_lane_in_order_the_subject_is_the_entity_and_a_later_fact_makes_an_earlier_one_stale(seen):
    with listening(seen, lane="orders") as tide:
        for sequence in (1, 3, 2):
            tell(tide, replace(MET, id=MET.id[:-1] + str(sequence), sequence=sequence))

    assert [(ctx.entity, ctx.sequence, ctx.is_stale) for _, ctx in seen] == [
        ("order/7", 1, False),
        ("order/7", 3, False),
        ("order/7", 2, True),
    ]


def test_there_a_fact_needs_a_subject(seen):
    with listening(seen, lane="orders") as tide:
        tell(tide, replace(MET, subject=None))
        (record,) = tide.jobs()

    assert (record.state, record.reason) == (State.DEAD, "invalid_input")
    assert seen == []
