"""Outbox and EventBus, and what JobStore commits to the outbox: together with a job's end, or not at all."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest

from bench.cloud.account import Account
from tests.contract.builders import NOW, make_conclusion, make_envelope, make_job
from tests.contract.conftest import _numbers
from tidemill.aws.bus import EventBridgeBus
from tidemill.aws.clients import Clients
from tidemill.aws.outbox import DynamoOutbox
from tidemill.domain.definition import OnFinal
from tidemill.domain.fact import Fact
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.notice import Notice
from tidemill.domain.outbox import OutboundFact, OutboundJob
from tidemill.domain.ports import Refused, Written
from tidemill.testing.outbox import MemoryBus, MemoryOutbox

_facts = count(1)


@pytest.fixture
def outbox(jobs):
    return MemoryOutbox(jobs.store.outbox) if jobs.client is None else DynamoOutbox(jobs.client, jobs.table)


@pytest.fixture
def commit(jobs, outbox):
    """A caller's transaction commits."""

    def committed(outbounds):
        items = outbox.actions(outbounds)
        if jobs.client is None:
            outbox.commit(items)
        else:
            jobs.client.transact_write_items(TransactItems=items)

    return committed


def make_outbound(**fields) -> OutboundJob:
    return OutboundJob(make_envelope(make_job()), "bulk", NOW, **fields)


def make_fact(data: str = '{"order":"7 — ü"}', **fields) -> OutboundFact:
    number = next(_facts)
    known = {"tenant": "acme", "at": NOW, "correlation_id": "request-1", **fields}
    fact = Fact(f"00000000-0000-7000-8000-{number:012d}", "order.placed", data.encode(), **known)
    return OutboundFact.of(fact, "/tidemill/shop")


def everything(outbox):
    found = []
    for shard in range(16):
        cursor = None
        while True:
            page = outbox.page(shard, 2, cursor)
            assert page.damaged == ()
            found += page.outbounds
            cursor = page.cursor
            if cursor is None:
                break
    return found


def by_name(outbounds):
    return {outbound.name: outbound for outbound in outbounds}


# --- standing there --------------------------------------------------------------------------------


def test_what_is_committed_stands_there_as_it_was(outbox, commit):
    outbounds = [make_outbound(on_final=OnFinal.RERUN, durable_args=True), make_outbound(), make_fact(), make_fact()]
    commit(outbounds)

    assert by_name(everything(outbox)) == by_name(outbounds)
    assert outbox.standing(outbounds) == [True] * 4


def test_pages_hold_all_of_a_shard(outbox, commit):
    outbounds = [make_fact() for _ in range(60)]
    commit(outbounds)

    assert by_name(everything(outbox)) == by_name(outbounds)


def test_a_job_is_found_by_its_id_and_its_tenant(outbox, commit):
    outbound = make_outbound()
    commit([outbound, make_outbound(), make_fact()])

    assert outbox.find(outbound.ref) == outbound
    assert outbox.find(replace(outbound.ref, tenant="acm")) is None
    assert outbox.find(make_job().ref) is None


def test_two_submits_of_one_job_stand_beside_each_other(outbox, commit):
    first = make_outbound()
    second = replace(first, envelope=first.envelope.resend("00000000-0000-7000-8000-000000000009"))
    commit([first])
    commit([second])

    assert by_name(everything(outbox)) == by_name([first, second])
    outbox.remove([second])
    assert everything(outbox) == [first]


def test_what_is_removed_is_gone_and_removing_again_is_done(outbox, commit):
    outbounds = [make_outbound(), make_fact(), make_fact()]
    commit(outbounds)

    assert outbox.remove([*outbounds[:2], outbounds[0]]) == [None] * 3
    assert outbox.standing(outbounds) == [False, False, True]
    assert outbox.remove(outbounds) == [None] * 3
    assert everything(outbox) == []


def test_many_are_removed(outbox, commit):
    outbounds = [make_fact() for _ in range(60)]
    commit(outbounds)

    assert outbox.remove(outbounds) == [None] * 60
    assert everything(outbox) == []


def test_actions_write_nothing(outbox):
    outbox.actions([make_outbound()])

    assert everything(outbox) == []


# --- with the end of a job -------------------------------------------------------------------------


def test_a_conclusion_writes_what_the_job_tells(store, outbox):
    job, told = make_job(State.RUNNING), (make_outbound(), make_fact())
    store.insert([job])

    (answer,) = store.conclude([make_conclusion(job, outbounds=told)])

    assert isinstance(answer, Written)
    assert by_name(everything(outbox)) == by_name(told)


def test_one_that_tells_does_not_disturb_others(store, reader, outbox):
    jobs = [make_job(State.RUNNING) for _ in range(4)]
    told = make_fact()
    store.insert(jobs)

    answers = store.conclude([make_conclusion(job, outbounds=(told,) if i == 1 else ()) for i, job in enumerate(jobs)])

    assert [answer.job.state for answer in answers] == [State.SUCCEEDED] * 4
    assert [job.state for job in reader.find([job.ref for job in jobs])] == [State.SUCCEEDED] * 4
    assert everything(outbox) == [told]


def test_a_conclusion_that_is_refused_tells_nothing(store, outbox):
    job = make_job(State.RUNNING)
    store.insert([replace(job, fence=2)])

    (answer,) = store.conclude([make_conclusion(job, outbounds=(make_fact(),))])

    assert isinstance(answer, Refused)
    assert everything(outbox) == []


def test_a_conclusion_that_is_written_again_tells_once(store, outbox):
    job, told = make_job(State.RUNNING), (make_outbound(), make_fact())
    store.insert([job])
    conclusion = make_conclusion(job, outbounds=told)
    store.conclude([conclusion])
    outbox.remove(told)

    (answer,) = store.conclude([conclusion])

    assert isinstance(answer, Written)
    assert everything(outbox) == []


def test_as_much_as_a_job_may_tell(store, outbox):
    job, told = make_job(State.RUNNING), tuple(make_fact() for _ in range(90))
    store.insert([job])

    (answer,) = store.conclude([make_conclusion(job, outbounds=told)])

    assert isinstance(answer, Written)
    assert by_name(everything(outbox)) == by_name(told)


def test_a_move_tells_or_not_at_all(store, outbox):
    job, told = make_job(), make_fact()
    store.insert([job])
    after = replace(job, state=State.CANCELLED, claimable_at=None, finished_at=NOW, keep_until=NOW)

    assert isinstance(store.move(Verb.CANCEL, job, after, outbounds=[told]), Written)
    assert isinstance(store.move(Verb.CANCEL, job, after, outbounds=[make_fact()]), Refused | Written)
    assert told in everything(outbox)


def test_a_death_whose_notice_is_there_is_told_all_the_same(store, outbox):
    job, told = make_job(State.RUNNING), make_fact()
    waiting = make_job(State.SCHEDULED)
    notice = Notice(make_envelope(waiting), replace(waiting, owns_args=True))
    store.insert([job, notice.record])

    (answer,) = store.conclude([make_conclusion(job, "bury", notices=(notice,), outbounds=(told,))])

    assert isinstance(answer, Written)
    assert everything(outbox) == [told]


# --- the bus ---------------------------------------------------------------------------------------


class Bus:
    """One implementation, and what it took: pairs of type and text."""

    def __init__(self, bus, taken):
        self.bus = bus
        self.taken = taken


@pytest.fixture(params=["memory", "moto", "account"])
def bus(request):
    if request.param == "memory":
        memory = MemoryBus()
        yield Bus(memory, lambda: [(fact.type, fact.text) for fact in memory.published])
    elif request.param == "moto":
        clients = request.getfixturevalue("moto")
        name = f"bus-{next(_numbers)}"
        clients.events.create_event_bus(Name=name)
        yield Bus(EventBridgeBus(clients, name, "shop"), None)
    else:
        account = Account(buses=["bus"])
        with account.wire.connected():
            made = EventBridgeBus(Clients("us-east-1"), "bus", "shop")
            entries = account.bus.published["bus"]
            yield Bus(made, lambda: [(entry["DetailType"], entry["Detail"]) for entry in entries])


@pytest.mark.parametrize("number", [1, 2, 10, 11, 35])
def test_facts_are_published(bus, number):
    facts = [make_fact() for _ in range(number)]

    assert bus.bus.publish(facts) == [None] * number
    if bus.taken is not None:
        assert bus.taken() == [(fact.type, fact.text) for fact in facts]


def test_large_facts_are_published(bus):
    facts = [make_fact('{"much":"' + "ü" * 60_000 + '"}') for _ in range(5)]

    assert bus.bus.publish(facts) == [None] * 5


def test_each_entry_that_fails_is_told():
    account = Account(buses=["bus"])
    account.choices.refuse_entry = lambda operation, number: "ThrottlingException" if number in (1, 3) else None
    with account.wire.connected():
        errors = EventBridgeBus(Clients("us-east-1"), "bus", "shop").publish([make_fact() for _ in range(12)])

    failed = [i for i, error in enumerate(errors) if error is not None]
    assert failed == [1, 3, 11]
    assert {errors[i].cause for i in failed} == {"ThrottlingException"}
    assert len(account.bus.published["bus"]) == 9


def test_an_entry_says_whose_it_is_and_when_it_happened():
    account = Account(buses=["bus"])
    with account.wire.connected():
        EventBridgeBus(Clients("us-east-1"), "bus", "shop").publish([make_fact()])

    (entry,) = account.bus.published["bus"]
    assert (entry["Source"], entry["DetailType"]) == ("tidemill.shop", "order.placed")
    assert datetime.fromtimestamp(entry["Time"], UTC).timestamp() * 1000 == NOW
