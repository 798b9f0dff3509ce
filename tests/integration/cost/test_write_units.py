"""DynamoDB write units of whole jobs, from the client's submit to the worker's record."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.integration.cost.jobs import Doomed, Echo, Patient, Shaky
from tidemill.domain import limits
from tidemill.domain.duration import days
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.ports import Written
from tidemill.service.answering import Reply
from tidemill.service.submission import Submission

BIG = "x" * 100_000
listed = pytest.mark.parametrize(("list_index", "price"), [(False, 3), (True, 4)], ids=["plain", "listed"])


def submit(deployment, count, payload="", **options):
    results = deployment.program.client.submit_many([Submission(Echo(payload=payload), **options)] * count)
    assert all(result.created for result in results)
    return [result.job_id for result in results]


@listed
@pytest.mark.parametrize("count", [1, 2, 3, 50])
@pytest.mark.parametrize("payload", ["", BIG], ids=["empty", "100 KB"])
def test_a_job_costs_three_units_and_one_for_the_list_whatever_its_payload(deploy, list_index, price, count, payload):
    deployment = deploy(list_index=list_index)

    submit(deployment, count, payload)
    assert deployment.work() == count

    meter = deployment.account.meter
    assert meter.write_units == price * count
    assert meter.index_units == (price - 3) * count
    assert meter.read_units == 0


@listed
def test_a_keyed_job_costs_the_same_and_one_read(deploy, list_index, price):
    deployment = deploy(list_index=list_index)

    deployment.program.client.submit(Echo(), key="once")
    deployment.program.client.submit(Echo(), key="once")
    deployment.work()

    assert deployment.account.meter.write_units == price
    assert deployment.account.meter.read_units == 2


class Overtaken:
    """A queue whose worker is done before the sender can go on."""

    def __init__(self, queue, work: Callable[[], int]):
        self._queue, self._work = queue, work

    def send(self, lane, sends):
        errors = self._queue.send(lane, sends)
        self._work()
        return errors


@listed
@pytest.mark.parametrize("count", [1, 10])
def test_a_worker_that_beats_the_put_costs_one_unit_more(deploy, list_index, price, count):
    deployment = deploy(list_index=list_index)
    program = deployment.program
    submitter = replace(program.submitter, queue=Overtaken(program.queue, deployment.work))

    client = replace(program.client, submitter=submitter)
    results = client.submit_many([Submission(Echo())] * count)

    assert {result.job.state for result in results} == {"succeeded"}
    # The claim that finds nothing and the put that is refused, instead of the put that is not.
    assert deployment.account.meter.write_units == (price + 1) * count


@pytest.mark.parametrize("count", [1, 2, 10])
@pytest.mark.parametrize("payload", ["", BIG], ids=["empty", "100 KB"])
def test_a_duplicate_delivery_costs_one_unit_and_no_read(deploy, count, payload):
    deployment = deploy(list_index=True)
    meter, queue = deployment.account.meter, deployment.account.lane
    submit(deployment, count, payload)
    kept = {name: replace(message) for name, message in queue.messages.items()}
    deployment.work()
    spent = meter.write_units

    queue.messages.update(kept)
    assert deployment.work() == count

    assert meter.write_units - spent == count
    assert meter.read_units == 0
    assert queue.messages == {}


@pytest.mark.parametrize(("list_index", "listed_units"), [(False, 0), (True, 2)], ids=["plain", "listed"])
def test_a_refusal_is_one_transaction_and_later_receives_are_one_read_each(deploy, list_index, listed_units):
    deployment = deploy(list_index=list_index)
    meter = deployment.account.meter
    deployment.account.lane.put('{"kind": "cost.nobody_knows", "args": {}}')

    handed = deployment.work()

    # Record and evidence, twice the price each; so is the entry in the attention index, and the one in the list.
    assert meter.write_units == 2 + 2 + 2 + listed_units
    assert meter.read_units == handed - 1 > 0


@pytest.mark.parametrize(("forget", "more"), [(None, 0), ("*", 1 + 2)], ids=["resume", "restart"])
def test_what_a_redrive_wants_forgotten_costs_one_unit_more_for_the_record_and_two_for_the_wish(deploy, forget, more):
    deployment = deploy()
    program, meter = deployment.program, deployment.account.meter
    ref = program.client.submit(Doomed()).job.ref
    deployment.work()
    (dead,) = program.reader.find([ref])
    spent = meter.write_units - meter.index_units

    after = dead.reopened(State.SCHEDULED, 0, dead.ttl_s, owns_args=True)
    assert isinstance(program.store.move(Verb.RESCHEDULE, dead, after, forget=forget), Written)

    assert meter.write_units - meter.index_units - spent == 1 + more


def test_two_copies_in_one_batch_are_claimed_once(deploy):
    deployment = deploy()
    submit(deployment, 3)
    queue = deployment.account.lane
    queue.messages.update({name + "2": replace(message, id=name + "2") for name, message in queue.messages.items()})

    assert deployment.work() == 6

    assert deployment.account.meter.write_units == 9
    assert queue.messages == {}


@pytest.mark.parametrize("answer", [None, "x" * 150, "x" * 700, BIG], ids=["none", "inline", "700 B", "100 KB"])
def test_the_state_stays_below_a_unit_at_the_longest_names(deploy, answer):
    deployment = deploy(list_index=True)
    options = {
        "tenant": "t" * limits.MAX_TENANT_CHARS,
        "key": "k" * limits.MAX_KEY_CHARS,
        "correlation_id": "c" * 64,
        "expires_in": days(2),
    }

    client = deployment.program.client
    submitted = client.submit(Echo(answer=answer), **options)
    for other in (Doomed(), Shaky()):
        client.submit(other, **options)
    deployment.work()

    assert client.result(submitted.job_id, options["tenant"]) == answer
    assert 600 < deployment.account.jobs.largest["STATE"] < 1_024


@pytest.mark.parametrize("payload", ["", "x" * 5_000], ids=["small", "5 KB"])
def test_durable_arguments_cost_a_unit_for_each_kilobyte_of_the_envelope(deploy, payload):
    deployment = deploy()

    submit(deployment, 1, payload, durable_args=True)
    deployment.work()

    assert deployment.account.meter.write_units == 3 + (6 if payload else 1)


@pytest.mark.parametrize(("later", "more"), [(False, 0), (True, 6)], ids=["sooner", "later"])
def test_moving_is_one_write_and_the_entries_of_two_indexes(deploy, later, more):
    deployment = deploy()
    client, meter = deployment.program.client, deployment.account.meter
    (job_id,) = submit(deployment, 1, "x" * 5_000, delay=days(2))
    spent, read = meter.write_units, meter.read_units

    client.move(job_id, delay=days(3 if later else 1))

    # An entry whose key changes costs two units. What is kept longer is the envelope, a unit for each kilobyte.
    assert meter.write_units - spent == 1 + 2 * 2 + more
    assert meter.read_units - read == (3 if later else 1)


def test_a_postponed_job_costs_one_unit_to_move(deploy):
    deployment = deploy()
    (job_id,) = submit(deployment, 1)

    deployment.program.client.move(job_id, delay=days(2))

    assert deployment.account.meter.write_units == 1 + 1


def test_a_wait_and_its_answer_cost_what_the_page_says(deploy):
    """docs/waiting-for-answers.md has these numbers."""
    deployment = deploy()
    meter = deployment.account.meter
    job = deployment.program.client.submit(Patient()).job
    deployment.work()
    waits = meter.write_units
    deployment.program.answerer.answer(Reply(job.ref, "approval", True, "client", "ada"))
    answered = meter.write_units - waits
    deployment.work()

    assert deployment.program.client.result(job.ref.id) is True
    # Insert, claim, memory; the question; the parked record with two index entries, and its arguments.
    assert waits == 1 + 1 + 1 + 1 + 3 + 1
    # The trail twice; wait and record in one transaction, with two index entries taken out and put in; the send's mark.
    assert answered == 2 + 2 + 2 + 8 + 3
    # Claim, memory, the outcome as a step, the record.
    assert meter.write_units - waits - answered == 4
