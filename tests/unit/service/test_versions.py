"""Old and new code on one stack: what each makes of arguments of the other's version."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.unit.service.conftest import PERMANENT, World, raising
from tidemill import Every, JobArgs, JobRegistry, Retry, hours, job, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.death import DeathNotice
from tidemill.domain.lifecycle import State
from tidemill.domain.notice import notice_of
from tidemill.domain.version_errors import NewerVersionError, UpcastError
from tidemill.service.editing import Edit
from tidemill.service.flow import Batch, Chain
from tidemill.service.request import parse_request
from tidemill.versions import upcasts


class Price(JobArgs, kind="test.price"):
    amount: int


class PriceInCents(JobArgs, kind="test.price", version=2):
    amount: int
    note: str = ""

    @upcasts(1)
    @staticmethod
    def _in_cents(document):
        return {**document, "amount": document["amount"] * 100}


class Stack:
    """A world whose code can be another one."""

    def __init__(self):
        self.world = World()
        self.read = []
        self.deploy(Price)

    def deploy(self, model, **options):
        chosen = {"retry": Retry(max_attempts=3, delays=[seconds(10)]), **options}

        def run(args, ctx):
            self.read.append((type(args), args.amount))
            return self.world._run(args, ctx)

        self.world.registry = JobRegistry(job(model, **chosen)(run))
        self.world.build(self.world.store, self.world.queues)
        return self

    @property
    def amounts(self):
        return [amount for _, amount in self.read]


@pytest.fixture
def stack():
    return Stack()


def test_what_old_code_submitted_is_read_by_new_code_as_it_was_meant(stack):
    done = stack.world.submit(Price(amount=3))
    stack.deploy(PriceInCents).world.settle()

    assert (stack.world.state(done), stack.read) == (State.SUCCEEDED, [(PriceInCents, 300)])


def test_the_fingerprint_is_that_of_the_bytes_that_were_sent(stack):
    sent = stack.world.submit(Price(amount=3))
    stack.deploy(PriceInCents).world.settle()

    assert stack.world.job(sent).fingerprint == sent.fingerprint


def test_only_versions_after_the_first_cost_bytes_in_the_message(stack):
    stack.world.submit(Price(amount=3))
    stack.deploy(PriceInCents).world.submit(PriceInCents(amount=3))
    first, second = map(json.loads, stack.world.bodies())

    assert ("version" in first, second["version"]) == (False, 2)


def test_old_code_leaves_a_newer_job_to_newer_code_and_writes_nothing(stack):
    sent = stack.deploy(PriceInCents).world.submit(PriceInCents(amount=3))
    before = stack.world.job(sent)
    stack.deploy(Price)
    stack.world.invoke()

    assert (stack.world.job(sent), stack.read) == (before, [])
    assert stack.world.invoke() == []
    assert stack.world.telemetry.events("alert") == ["newer_version"]

    stack.world.clock.advance(seconds(15))
    stack.deploy(PriceInCents).world.settle()

    assert (stack.world.state(sent), stack.world.job(sent).attempt, stack.amounts) == (State.SUCCEEDED, 1, [3])


def rolled_back(stack):
    """Old code alone, until nothing is left to do."""
    stack.deploy(Price)
    began = stack.world.clock.now_ms()
    stack.world.settle(patience=400)
    return timedelta(milliseconds=stack.world.clock.now_ms() - began)


def test_left_for_an_hour_it_is_dead_with_the_reason_and_runs_once_it_is_redriven(stack):
    sent = stack.deploy(PriceInCents).world.submit(PriceInCents(amount=3))
    waited = rolled_back(stack)
    dead = stack.world.job(sent)

    assert (dead.state, dead.reason, stack.read) == (State.DEAD, "newer_version", [])
    assert hours(1) < waited < hours(1.2)
    assert (
        "this code knows Price up to version 1"
        in stack.world.desk.inspection.show(dead.ref).failures[0].failure.message
    )
    assert stack.world.queues.depth("default") == 1

    stack.deploy(PriceInCents).world.desk.redrive(dead.ref)
    stack.world.settle()

    assert (stack.world.state(sent), stack.amounts) == (State.SUCCEEDED, [3])


def test_a_cancelled_job_of_a_newer_version_runs_nowhere(stack):
    sent = stack.deploy(PriceInCents).world.submit(PriceInCents(amount=3))
    stack.deploy(Price)
    stack.world.invoke()
    stack.world.client.cancel(sent.ref.id)
    stack.world.settle(patience=400)

    assert (stack.world.state(sent), stack.read, stack.world.queues.depth("default")) == (State.CANCELLED, [], 0)


@pytest.mark.parametrize("delay", [minutes(20), timedelta(0)])
@pytest.mark.parametrize("durable", [True, False])
def test_parked_arguments_keep_their_version(stack, delay, durable):
    stack.deploy(Price, retry=Retry(max_attempts=3, delays=[minutes(30)]))
    sent = stack.world.submit(Price(amount=3), delay=delay, durable_args=durable and not delay)
    stack.deploy(PriceInCents, retry=Retry(max_attempts=3, delays=[minutes(30)]))
    stack.world.does = [raising(ValueError("not yet"))]
    stack.world.settle(patience=400)

    assert (stack.world.state(sent), stack.amounts) == (State.SUCCEEDED, [300, 300])


def test_large_arguments_keep_their_version(stack):
    class Long(JobArgs, kind="test.price"):
        amount: int
        text: str

    class LongInCents(Long, kind="test.price", version=2):
        @upcasts(1)
        @staticmethod
        def _in_cents(document):
            return {**document, "amount": document["amount"] * 100}

    stack.deploy(Long)
    sent = stack.world.submit(Long(amount=3, text="x" * (limits.MAX_ARGS_BYTES + 1)))
    stack.deploy(LongInCents).world.settle()

    assert (stack.world.state(sent), stack.amounts) == (State.SUCCEEDED, [300])


def test_a_dead_job_keeps_the_version_of_its_bytes_through_every_redrive(stack):
    stack.world.does = [raising(PERMANENT)]
    sent = stack.world.submit(Price(amount=3))
    stack.world.settle()
    stack.deploy(PriceInCents)

    assert stack.world.desk.inspection.show(sent.ref).version == 1
    stack.world.desk.redrive(sent.ref)
    stack.world.settle()

    assert stack.amounts == [3, 300]


def dead_of(stack, model, args):
    stack.deploy(model)
    stack.world.does = [raising(PERMANENT)]
    sent = stack.world.submit(args)
    stack.world.settle()
    return sent.ref


def test_an_edit_merges_into_the_arguments_as_they_are_read_and_writes_the_current_version(stack):
    ref = dead_of(stack, Price, Price(amount=3))
    stack.deploy(PriceInCents).world.desk.edit(ref, Edit({"note": "mended"}))
    stack.world.settle()

    assert stack.amounts == [3, 300]
    assert '"version":2' in stack.world.store.envelopes[ref, stack.world.job(ref).fingerprint].encode()


def test_a_desk_that_is_too_old_refuses_to_merge_and_changes_nothing(stack):
    ref = dead_of(stack, PriceInCents, PriceInCents(amount=3))
    stack.deploy(Price)
    before = stack.world.job(ref)

    with pytest.raises(NewerVersionError, match="up to version 1"):
        stack.world.desk.edit(ref, Edit({"amount": 4}))
    assert stack.world.job(ref) == before

    stack.world.desk.edit(ref, Edit({"amount": 4}, whole=True))
    stack.world.settle()

    assert stack.read[-1] == (Price, 4)


def test_arguments_that_an_upcaster_can_not_read_end_the_job_with_the_reason(stack):
    class Odd(JobArgs, kind="test.price", version=2):
        amount: int

        @upcasts(1)
        @staticmethod
        def _odd(document):
            raise KeyError(document["amount"])

    sent = stack.world.submit(Price(amount=3))
    stack.deploy(Odd).world.settle()
    dead = stack.world.job(sent)

    assert (dead.state, dead.reason, stack.read) == (State.DEAD, "upcast", [])
    stack.deploy(PriceInCents).world.desk.redrive(dead.ref)
    stack.world.settle()
    assert stack.amounts == [300]


# --- the doors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "amount"), [({}, 300), ({"version": 1}, 300), ({"version": None}, 300), ({"version": 2}, 3)]
)
def test_a_document_says_its_version_and_none_is_the_first(stack, said, amount):
    stack.deploy(PriceInCents)
    asked = parse_request({"kind": "test.price", "args": {"amount": 3}, **said}, stack.world.registry)

    assert asked.args == PriceInCents(amount=amount)


@pytest.mark.parametrize("version", [0, -1, "2", True, 1.5, 10_000])
def test_a_version_that_can_be_none_is_refused_by_name(stack, version):
    with pytest.raises(Exception, match="version") as raised:
        parse_request({"kind": "test.price", "args": {"amount": 3}, "version": version}, stack.world.registry)

    assert raised.value.violations[0].field == "version"


def test_a_version_that_is_not_known_here_is_refused_with_the_fix(stack):
    with pytest.raises(NewerVersionError, match="Fix: deploy"):
        parse_request({"kind": "test.price", "args": {"amount": 3}, "version": 2}, stack.world.registry)


def test_a_document_that_is_no_first_version_says_which_to_give(stack):
    class Renamed(JobArgs, kind="test.price", version=2):
        cents: int

        @upcasts(1)
        @staticmethod
        def _named(document):
            return {"cents": document["amount"] * 100}

    stack.deploy(Renamed)
    with pytest.raises(UpcastError, match="if they are of another version, say which"):
        parse_request({"kind": "test.price", "args": {"cents": 3}}, stack.world.registry)


def sent_plainly(stack, **document):
    stack.world.queues.put("default", json.dumps({"kind": "test.price", "args": {"amount": 3}, **document}))


def test_a_plain_message_of_a_newer_version_is_left_too_and_then_refused(stack):
    sent_plainly(stack, version=2)
    stack.world.invoke()
    assert (stack.world.store.jobs, len(stack.world.bodies())) == ({}, 1)

    stack.world.clock.advance(seconds(15))
    stack.deploy(PriceInCents).world.settle()
    assert stack.amounts == [3]


def test_a_plain_message_that_was_left_long_enough_is_refused_with_the_reason(stack):
    sent_plainly(stack, version=2)
    stack.world.settle(patience=400)
    (refused,) = stack.world.store.jobs.values()

    assert (refused.state, refused.reason, stack.world.queues.depth("default")) == (State.DEAD, "newer_version", 1)


# --- what else stores arguments -------------------------------------------------------------------


def test_a_schedule_keeps_the_version_of_its_arguments(stack):
    stack.world.schedules.create("nightly", Price(amount=3), Every(minutes(5)))
    stack.deploy(PriceInCents)
    stack.world.schedules.pause("nightly")
    row = stack.world.schedules.resume("nightly")
    stack.world.schedules.trigger("nightly")
    stack.world.settle()

    assert (row.plan.args_version, stack.amounts) == (1, [300])


def test_a_schedule_of_newer_arguments_waits_for_newer_code(stack):
    stack.deploy(PriceInCents)
    stack.world.schedules.create("nightly", PriceInCents(amount=3), Every(minutes(5)))
    stack.deploy(Price)
    stack.world.clock.advance(minutes(4))
    stack.world.ticks.run()

    assert stack.world.schedules.get("nightly").problem == "newer_version (version)"
    stack.deploy(PriceInCents)
    stack.world.ticks.run()
    assert stack.world.schedules.get("nightly").problem == ""


def test_children_that_wait_keep_the_version_of_their_arguments(stack):
    stack.world.client.start(Chain(Batch([Price(amount=1)]), Price(amount=2), then=Price(amount=3)))
    stack.deploy(PriceInCents).world.settle()

    assert sorted(stack.amounts) == [100, 200, 300]


def test_a_notice_says_its_version(stack):
    class Died(DeathNotice, kind="test.died", version=2):
        @upcasts(1)
        @staticmethod
        def _same(document):
            return document

    dead = dead_of(stack, Price, Price(amount=3))
    made = notice_of(stack.world.job(dead), Died, "default", stack.world.clock.now_ms(), 7, None)

    assert made is not None
    assert made.envelope.version == 2


def test_a_send_of_a_newer_version_beside_an_older_one_is_left_alone(stack):
    old = stack.world.submit(Price(amount=1))
    new = stack.deploy(PriceInCents).world.submit(PriceInCents(amount=2))
    stack.deploy(Price).world.invoke()

    assert (stack.world.state(old), stack.world.state(new)) == (State.SUCCEEDED, State.QUEUED)
