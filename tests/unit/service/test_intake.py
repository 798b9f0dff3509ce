"""Messages of other systems: good ones become jobs, bad ones go to the DLQ with the reason."""

import json
from dataclasses import replace

import pytest

from tests.builders import CANARY, NOW, Greet, an_envelope
from tests.unit.service.conftest import PERMANENT, RefuseOld, raising
from tidemill import minutes, seconds
from tidemill.domain.errors import UnavailableError
from tidemill.domain.lifecycle import State
from tidemill.domain.limits import MAX_RECEIVES
from tidemill.domain.ports import Unwritten
from tidemill.domain.settle import UNASKED

OUTAGE = UnavailableError("find", "Throttled")


def put(world, lane="default", **document):
    return world.queues.put(lane, json.dumps({"kind": "test.greet", "args": {"name": "eve"}, **document}))


def only_job(world):
    (job,) = world.store.jobs.values()
    return job


def test_a_plain_message_becomes_a_job_of_its_lane_in_one_hop(world):
    put(world, lane="bulk", tenant="acme", correlation_id="corr")

    world.invoke("bulk")
    assert world.runs == []
    assert ["send_id" in json.loads(body) for body in world.bodies("bulk")] == [True]
    world.invoke("bulk")

    job = only_job(world)
    assert (job.state, job.lane, job.ref.tenant, job.correlation_id) == (State.SUCCEEDED, "bulk", "acme", "corr")
    assert world.queues.count("bulk") == 0


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("end", ["cancelled", "dead"])
def test_a_plain_message_that_comes_again_never_reruns_what_has_ended_since(world, key, end):
    """Its invocation died before Lambda could delete it; meanwhile the job came to its end."""
    put(world, **({} if key is None else {"key": key}))
    (delivery,) = world.queues.receive("default")
    executor, batch = world.begin([delivery])
    executor.finish(batch)
    world.clock.advance(seconds(5))
    if end == "cancelled":
        world.client.cancel(only_job(world).ref.id)
    else:
        world.does = [raising(PERMANENT)]
        world.invoke()
    ended, runs = only_job(world), list(world.runs)

    world.work([delivery])
    world.settle()

    assert (only_job(world).state, only_job(world).generation) == (ended.state, 1)
    assert world.runs == runs


def test_a_key_that_is_sent_again_after_the_end_is_a_rerun(world):
    put(world, key="k")
    world.invoke()
    world.client.cancel(only_job(world).ref.id)
    world.clock.advance(seconds(5))
    put(world, key="k")

    world.settle()

    assert (only_job(world).state, only_job(world).generation) == (State.SUCCEEDED, 2)


def test_a_plain_message_that_comes_again_is_the_same_job(world):
    put(world)
    (delivery,) = world.queues.receive("default")

    world.work([delivery])
    world.work([delivery])
    world.settle()

    assert len(world.store.jobs) == len(world.runs) == 1


def test_two_plain_messages_are_two_jobs_unless_they_share_a_key(world):
    put(world)
    put(world)
    put(world, key="k")
    put(world, key="k")

    world.settle()

    assert len(world.store.jobs) == len(world.runs) == 3


def test_a_plain_message_may_choose_lane_delay_and_id(world):
    put(world, lane="default", delay_seconds=30, expires_in_seconds=60)
    world.queues.put("default", json.dumps({"kind": "test.greet", "args": {}, "lane": "critical"}))

    world.invoke()

    assert (world.queues.count("default"), world.queues.count("critical")) == (1, 1)
    assert sorted(job.claimable_at for job in world.store.jobs.values()) == [0, NOW + 30_000]


BAD = [
    ("", "malformed_message"),
    ("hello", "malformed_message"),
    ('{"kind":"test.greet","args":{},"args":{}}', "malformed_message"),
    ('{"kind":"test.greet","args":{"times":NaN}}', "malformed_message"),
    ('{"kind":"test.greet","args":{"times":1e999}}', "malformed_message"),
    ('{"kind":"test.greet","args":{"name":"\\ud800"}}', "malformed_message"),
    ("[" * 100_000, "malformed_message"),
    ("[]", "invalid_input"),
    ("null", "invalid_input"),
    ("{}", "invalid_input"),
    ('{"kind":"test.greet"}', "invalid_input"),
    ('{"args":{}}', "invalid_input"),
    ('{"kind":5,"args":{}}', "invalid_input"),
    ('{"kind":"test.nope","args":{}}', "unknown_kind"),
    ('{"kind":"test.greet","args":[]}', "invalid_input"),
    ('{"kind":"test.greet","args":{"name":5}}', "invalid_args"),
    ('{"kind":"test.greet","args":{"extra":1}}', "invalid_args"),
    ('{"kind":"test.greet","args":{},"extra":1}', "invalid_input"),
    ('{"kind":"test.greet","args":{},"key":"a b"}', "invalid_input"),
    ('{"kind":"test.greet","args":{},"key":5}', "invalid_input"),
    ('{"kind":"test.greet","args":{},"tenant":"a#b"}', "invalid_input"),
    ('{"kind":"test.greet","args":{},"lane":"nope"}', "invalid_input"),
    ('{"kind":"test.greet","args":{},"delay_seconds":-1}', "invalid_input"),
    ('{"kind":"test.greet","args":{},"delay_seconds":true}', "invalid_input"),
    ('{"kind":"test.greet","args":{},"delay_seconds":1e300}', "invalid_input"),
    ('{"kind":"test.greet","args":{},"delay_seconds":31536001}', "invalid_input"),
    ('{"kind":"test.greet","args":{},"expires_in_seconds":0}', "invalid_input"),
    ('{"kind":"test.greet","args":{},"job_id":5}', "invalid_input"),
    ('{"kind":"test.slow","args":{}}', "invalid_input"),
    ('{"send_id":"x"}', "malformed_message"),
    (an_envelope().encode().replace('"ada"', '"eve"'), "malformed_message"),
]


@pytest.mark.parametrize(("body", "reason"), BAD, ids=[str(n) for n in range(len(BAD))])
def test_a_bad_message_goes_to_the_dlq_with_its_reason_and_its_neighbour_runs(world, body, reason):
    neighbour = world.submit()
    world.queues.put("default", body)

    for _ in range(MAX_RECEIVES + 1):
        world.invoke()

    (dead,) = [job for job in world.store.jobs.values() if job.ref != neighbour.ref]
    assert (dead.state, dead.reason, dead.lane) == (State.DEAD, reason, "default")
    assert [letter.body for letter in world.queues.peek("default", 9)] == [body]
    assert world.state(neighbour) is State.SUCCEEDED
    assert len(world.store.failures[dead.ref]) == 1


def test_a_bad_message_names_tenant_and_kind_as_far_as_they_can_be_read(world):
    world.queues.put("default", '{"kind":"test.nope","args":{},"tenant":"acme"}')
    world.queues.put("default", '{"kind":"No Kind","args":{},"tenant":"a#b"}')

    world.invoke()

    assert {(job.ref.tenant, job.kind) for job in world.store.jobs.values()} == {
        ("acme", "test.nope"),
        ("default", "unreadable"),
    }


def test_a_bad_message_is_reported_once_and_never_quoted(world):
    world.queues.put("default", f'{{"kind":"test.greet","args":{{"name":5,"{CANARY}":"{CANARY}"}}}}')

    for _ in range(MAX_RECEIVES + 1):
        world.invoke()

    assert world.telemetry.counts["MessagesRefused"] == 1
    assert world.telemetry.events("alert").count("message_refused") == 1
    assert CANARY not in repr(world.telemetry.lines)


def test_a_key_that_belongs_to_other_arguments_goes_to_the_dlq_and_harms_no_one(world):
    job = world.submit(Greet(name="first"), key="k")
    put(world, key="k")

    for _ in range(MAX_RECEIVES + 1):
        world.invoke()

    dead = next(job for job in world.store.jobs.values() if job.state is State.DEAD)
    assert (dead.reason, world.state(job), len(world.runs)) == ("key_conflict", State.SUCCEEDED, 1)
    assert world.queues.depth("default") == 1


def test_a_key_whose_job_is_final_and_refuses_goes_to_the_dlq(world):
    world.submit(RefuseOld(x=1), key="k")
    world.does = [raising(PERMANENT)]
    world.invoke()
    world.queues.put("default", '{"kind":"test.refuse","args":{"x":1},"key":"k"}')

    world.invoke()

    assert "job_final" in [job.reason for job in world.store.jobs.values()]


def test_while_the_queue_is_down_a_plain_message_stays(world):
    put(world)
    world.queues.outage = UnavailableError("send", "down")

    world.invoke()
    assert (world.queues.count("default"), world.store.jobs) == (1, {})
    world.queues.outage = None
    world.settle()

    assert only_job(world).state is State.SUCCEEDED


def test_while_the_table_cannot_be_read_a_plain_message_stays_and_its_neighbour_is_claimed(world):
    put(world, key="k")
    neighbour = world.submit()
    find = world.store.find

    def unreadable(refs):
        raise OUTAGE

    world.store.find = unreadable
    world.invoke()
    world.store.find = find

    assert world.state(neighbour) is State.SUCCEEDED
    assert world.queues.count("default") == 1


def test_while_the_table_cannot_be_written_a_bad_message_stays_without_a_record(world):
    world.queues.put("default", "bad")
    refuse, world.store.refuse = world.store.refuse, lambda dead, evidence: Unwritten(OUTAGE)
    world.invoke()
    assert (world.queues.count("default"), world.store.jobs) == (1, {})
    world.store.refuse = refuse

    world.settle()

    assert only_job(world).reason == "malformed_message"


def refuse_as_old_code(world, **document):
    """A worker whose code does not know the kind refuses a message and dies before it can settle it."""
    put(world, kind="test.new", **document)
    world.work(world.queues.receive("default"))
    world.clock.advance(minutes(10))
    world.registry._kinds["test.new"] = world.registry.resolve("test.greet")


def test_a_refusal_is_one_write_and_later_receives_write_nothing(world):
    world.queues.put("default", "bad")
    (delivery,) = world.queues.receive("default")
    refuse, writes = world.store.refuse, []
    world.store.refuse = lambda dead, evidence: writes.append((dead, evidence)) or refuse(dead, evidence)

    for receives in (1, 2, 3):
        world.work([replace(delivery, receives=receives)])

    ((dead, evidence),) = writes
    assert only_job(world) == dead
    assert (dead.state, dead.attempt, dead.fence, dead.claimable_at) == (State.DEAD, 0, 0, None)
    assert (world.store.failures[dead.ref], dead.error) == ([evidence], evidence.failure.fingerprint)
    assert dead.ttl_s * 1000 > dead.keep_until


@pytest.mark.parametrize("key", [None, "k"])
def test_a_message_that_was_refused_once_stays_refused_whatever_newer_code_makes_of_it(world, key):
    refuse_as_old_code(world, **({} if key is None else {"key": key}))
    refused = only_job(world)

    for _ in range(MAX_RECEIVES + 1):
        world.invoke()

    assert (only_job(world), world.runs) == (refused, [])
    assert (world.queues.depth("default"), world.queues.count("default")) == (1, 0)
    assert world.telemetry.counts["MessagesRefused"] == 1


@pytest.mark.parametrize("key", [None, "k"])
def test_put_back_it_becomes_a_job_under_newer_code(world, key):
    refuse_as_old_code(world, **({} if key is None else {"key": key}))
    refused = only_job(world)
    for _ in range(MAX_RECEIVES + 1):
        world.invoke()

    world.desk.redrive(refused.ref)
    world.settle()

    assert len(world.runs) == 1
    assert {job.state for job in world.store.jobs.values()} == {State.DEAD, State.SUCCEEDED}
    assert world.store.jobs[refused.ref] == refused


def test_newer_code_that_was_overtaken_by_a_refusal_lets_its_send_go(world):
    """It had read that there is no record, and sent the job; then older code refused the same message."""
    put(world, kind="test.new")
    (delivery,) = world.queues.receive("default")
    send = world.queues.send

    def sends(lane, sends):
        world.queues.send = send
        kinds = world.registry._kinds
        known = kinds.pop("test.new")
        world.work([delivery])
        kinds["test.new"] = known
        return send(lane, sends)

    world.registry._kinds["test.new"] = world.registry.resolve("test.greet")
    world.queues.send = sends
    world.work([delivery])
    for _ in range(MAX_RECEIVES + 1):
        world.invoke()

    assert (only_job(world).reason, world.runs) == ("unknown_kind", [])
    assert world.queues.count("default") == 0


def test_a_message_that_was_a_job_before_is_acked_by_older_code_that_refuses_it(world):
    world.registry._kinds["test.new"] = world.registry.resolve("test.greet")
    put(world, kind="test.new")
    (delivery,) = world.queues.receive("default")
    world.work([delivery])
    accepted = only_job(world)
    known = world.registry._kinds.pop("test.new")

    executor, batch = world.begin([replace(delivery, receives=2)])
    left = executor.finish(batch)
    world.registry._kinds["test.new"] = known

    assert (left, only_job(world)) == ([], accepted)
    world.settle()
    assert len(world.runs) == 1


def test_while_the_table_cannot_be_read_a_message_that_came_before_stays(world):
    refuse_as_old_code(world)
    find = world.store.find

    def unreadable(refs):
        raise OUTAGE

    world.store.find = unreadable
    (delivery,) = world.queues.receive("default")
    executor, batch = world.begin([delivery])
    executor.finish(batch)
    world.store.find = find

    assert batch.settlements == {delivery.message_id: UNASKED}


def test_a_refused_message_runs_when_it_is_redriven_after_its_cause_is_mended(world):
    put(world, kind="test.gone")
    for _ in range(MAX_RECEIVES + 1):
        world.invoke()
    dead = only_job(world)
    world.registry._kinds["test.gone"] = world.registry.resolve("test.greet")

    assert world.desk.redrive(dead.ref).via == "message"
    world.settle()

    assert len(world.runs) == 1
    assert world.queues.depth("default") == 0


def test_the_plain_messages_of_a_batch_are_submitted_in_one_call(world):
    for name in ("eve", "bob", "ada"):
        put(world, args={"name": name})
    put(world, kind="test.unknown")
    send, sent = world.queues.send, []
    world.queues.send = lambda lane, sends: sent.append(len(sends)) or send(lane, sends)

    world.invoke()

    assert sent == [3]
    assert sorted(job.reason or "" for job in world.store.jobs.values()) == ["", "", "", "unknown_kind"]


def test_a_message_whose_validator_raises_is_refused_alone_and_not_quoted(world, monkeypatch):
    parse = Greet._parse.__func__

    def parse_or_raise(cls, canonical, options):
        if b"mallory" in canonical:
            raise KeyError("mallory")
        return parse(cls, canonical, options)

    monkeypatch.setattr(Greet, "_parse", classmethod(parse_or_raise))
    world.queues.put("default", json.dumps({"kind": "test.greet", "args": {"name": "mallory"}}))
    put(world)

    world.invoke()
    world.invoke()

    refused, ran = sorted(world.store.jobs.values(), key=lambda job: job.state is State.SUCCEEDED)
    assert (refused.state, refused.reason, ran.state) == (State.DEAD, "invalid_args", State.SUCCEEDED)
    (failure,) = (one.failure for one in world.store.failures_of(refused.ref))
    assert failure.message == "args: can't be checked: a validator of Greet raised KeyError"
