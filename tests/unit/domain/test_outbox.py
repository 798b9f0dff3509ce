"""What stands in the outbox: its names, its shards, and the facts in it."""

import json

import pytest

from tests.contract.builders import make_envelope, make_job
from tidemill import JobRegistry, State, job
from tidemill.aws.outbox_items import outbound_of, outbox_item
from tidemill.domain.args import JobArgs
from tidemill.domain.definition import OnFinal
from tidemill.domain.errors import IntegrityError, InvalidArgsError
from tidemill.domain.fact import Fact, data_of, read_fact
from tidemill.domain.ids import caused_id
from tidemill.domain.limits import MAX_EVENT_BYTES, OUTBOX_SHARDS
from tidemill.domain.outbox import OutboundFact, OutboundJob, shard_of, size_of, written
from tidemill.events import Event, JobDied, JobSucceeded


class Placed(Event, type="order.placed"):
    text: str


FACT = Fact(
    "00000000-0000-7000-8000-000000000001", "order.placed", b'{"text":"\xc3\xbc"}', "acme", 1_800_000_000_000, "c"
)


def test_a_fact_as_text_is_the_cloud_event_with_the_very_bytes_of_its_data():
    text = FACT.text("/tidemill/shop")

    assert json.loads(text) == FACT.cloud_event("/tidemill/shop")
    assert FACT.data.decode() in text
    assert read_fact(json.loads(text)) == FACT


def test_the_largest_event_fits_a_row_and_an_entry():
    data = data_of(Placed(text="ü" * ((MAX_EVENT_BYTES - 20) // 2)))
    outbound = OutboundFact.of(Fact(FACT.id, FACT.type, data, "acme", FACT.at, "c"), "/tidemill/shop")

    assert size_of(outbound) < 200_000
    with pytest.raises(InvalidArgsError, match="publish the key"):
        data_of(Placed(text="x" * MAX_EVENT_BYTES))


@pytest.mark.parametrize(
    "outbound",
    [
        OutboundFact.of(FACT, "/tidemill/shop"),
        OutboundJob(make_envelope(make_job()), "bulk", FACT.at),
        OutboundJob(make_envelope(make_job()), "bulk", FACT.at, OnFinal.REFUSE, durable_args=True),
    ],
)
def test_a_row_is_read_as_it_was_written(outbound):
    assert outbound_of(outbox_item(outbound)) == outbound


@pytest.mark.parametrize(
    "outbound", [OutboundFact.of(FACT, "/tidemill/shop"), OutboundJob(make_envelope(make_job()), "bulk", FACT.at)]
)
def test_a_row_says_when_it_was_written_and_its_text_when_it_happened(outbound):
    (later,) = written([outbound], FACT.at + 180_000)
    item = outbox_item(later)

    assert item["at"] == {"N": str(FACT.at + 180_000)}
    assert item["body"] == outbox_item(outbound)["body"]
    assert outbound_of(item) == later
    # No attribute more, so no write unit more.
    assert set(item) == set(outbox_item(outbound))


@pytest.mark.parametrize("body", ["{", "[]", "{}", '{"time":"yesterday"}', '{"time":7}'])
def test_a_fact_that_does_not_say_when_it_happened_is_damaged(body):
    item = {**outbox_item(OutboundFact.of(FACT, "/tidemill/shop")), "body": {"S": body}}

    with pytest.raises(IntegrityError, match=FACT.id):
        outbound_of(item)


@pytest.mark.parametrize("broken", [{"body": {"S": "{"}}, {"body": {"S": "[]"}}, {"final": {"S": "?"}}, {"lane": {}}])
def test_a_damaged_row_is_told_by_its_name(broken):
    item = {**outbox_item(OutboundJob(make_envelope(make_job(id=FACT.id)), "bulk", FACT.at)), **broken}

    with pytest.raises(IntegrityError, match=FACT.id):
        outbound_of(item)


def test_ids_fill_all_shards():
    shards = [shard_of(make_job().ref.id) for _ in range(2_000)]

    assert set(shards) == set(range(OUTBOX_SHARDS))
    assert max(map(shards.count, range(OUTBOX_SHARDS))) < 250


def test_what_a_generation_causes_has_an_id_of_its_own():
    ids = {caused_id(parent, generation, what) for parent in ("a", "b") for generation in (1, 2) for what in ("x", "y")}

    assert len(ids) == 8
    assert all(one[14] == "8" for one in ids)


def test_what_jobs_announce_is_listed():
    class Nothing(JobArgs, kind="none"):
        pass

    quiet = job(Nothing)(lambda args, ctx: None)
    loud = job(Nothing, announces=[State.DEAD, "succeeded"])(lambda args, ctx: None)

    assert dict(JobRegistry(quiet).events) == {}
    assert not JobRegistry(quiet).has_outbox
    assert JobRegistry(quiet, outbox=True).has_outbox
    assert dict(JobRegistry(loud).events) == {"job.died": JobDied, "job.succeeded": JobSucceeded}
    assert JobRegistry(loud).has_outbox
