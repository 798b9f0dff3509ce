"""What a job costs, counted: nobody adds a write, a call or a kilobyte unseen."""

from dataclasses import replace
from itertools import count

import pytest

from tests.contract.backends import NEVER, create_jobs_table
from tests.contract.billing import Billing
from tests.contract.builders import KEEP, NOW, TTL, make_claim, make_conclusion, make_envelope, make_job
from tidemill.aws.memory import DynamoJobMemory
from tidemill.aws.reader import DynamoJobReader
from tidemill.aws.sqs import SqsJobQueue
from tidemill.aws.store import DynamoJobStore
from tidemill.domain import limits
from tidemill.domain.lifecycle import State
from tidemill.domain.memory import Remembered
from tidemill.domain.message import Held
from tidemill.domain.outcome import Complete
from tidemill.domain.ports import Refused, Send, Written

# Every name as long as it may be, every optional field set.
LONGEST = {
    "tenant": "t" * limits.MAX_TENANT_CHARS,
    "kind": "k" * limits.MAX_KIND_CHARS,
    "lane": "l" * limits.MAX_LANE_CHARS,
    "key": "k" * limits.MAX_KEY_CHARS,
    "correlation_id": "c" * 64,
    "expires_at": NOW,
}
_numbers = count(1)
both_forms = pytest.mark.parametrize("batch_from", [NEVER, 1], ids=["singles", "batches"])
both_indexes = pytest.mark.parametrize(("list_index", "price"), [(False, 3), (True, 4)])


@pytest.fixture
def bill(ministack):
    table = f"costs-{next(_numbers)}"
    create_jobs_table(ministack.dynamodb, table)
    return Billing(ministack.dynamodb, table)


def run(store, jobs, verdict="complete", **claim_fields):
    """The given jobs from insert to verdict."""
    assert all(isinstance(answer, Written) for answer in store.insert(jobs))
    claimed = store.claim([make_claim(job, **claim_fields) for job in jobs])
    return store.conclude([make_conclusion(answer.job, verdict) for answer in claimed])


@both_forms
@both_indexes
@pytest.mark.parametrize("fields", [{}, LONGEST], ids=["usual", "longest"])
def test_a_normal_job_costs_three_units_and_one_for_the_list(bill, batch_from, list_index, price, fields):
    store = DynamoJobStore(bill, bill.table, list_index=list_index, batch_from=batch_from)
    jobs = [make_job(**fields) for _ in range(5)]

    answers = run(store, jobs, Complete('{"ok":true}', KEEP))

    assert [answer.job.state for answer in answers] == [State.SUCCEEDED] * 5
    assert bill.units == 5 * price
    assert 0 < bill.largest <= 1_024


def test_a_memory_costs_a_unit_for_each_attempt_that_opens_it_and_for_each_step(bill):
    memory, job = DynamoJobMemory(bill, bill.table), make_job(State.RUNNING, **LONGEST)
    asked = {"n" * limits.MAX_STEP_NAME_CHARS: "c" * 12}

    memory.look(job.ref)
    memory.open(job, TTL, "c" * 12)
    for number in range(1, 5):
        memory.remember(job, Remembered(f"step {number}", number, '"small"', NOW, 1, "c" * 12), asked)
    memory.checkpoint(job, "1", 0)

    assert bill.units == 1 + 4 + 1
    assert bill.calls == {"get_item": 1, "update_item": 6}


@both_forms
def test_a_duplicate_delivery_costs_one_unit(bill, batch_from):
    store = DynamoJobStore(bill, bill.table, list_index=True, batch_from=batch_from)
    jobs = [make_job() for _ in range(4)]
    run(store, jobs)
    spent, reads = bill.units, bill.calls["get_item"] + bill.calls["batch_get_item"]

    answers = store.claim([make_claim(job, now_ms=NOW * 2) for job in jobs])

    assert all(isinstance(answer, Refused) for answer in answers)
    assert bill.since(spent) == 4
    assert bill.calls["get_item"] + bill.calls["batch_get_item"] == reads


@both_forms
def test_a_retry_costs_its_two_writes_its_evidence_and_the_attention_index(bill, batch_from):
    store = DynamoJobStore(bill, bill.table, list_index=True, batch_from=batch_from)
    (answer,) = run(store, [make_job()], "retry")
    # Insert 1 and its list entry 1, claim 1, retry 1 and its attention entry 1, evidence 1.
    assert bill.units == 6

    (again,) = store.claim([make_claim(answer.job, now_ms=NOW + 10_000)])
    # Claim 1, and the attention entry goes.
    assert bill.units == 8
    store.conclude([make_conclusion(again.job)])
    assert bill.units == 9


@both_forms
@pytest.mark.parametrize(("verdict", "units"), [("bury", 1 + 1 + 1 + 1), ("park", 1 + 2 + 1 + 1), ("expire", 1)])
def test_other_ends_cost_their_siblings(bill, batch_from, verdict, units):
    """The state, its attention entry (a parked job has a due entry too), the evidence and the envelope."""
    store = DynamoJobStore(bill, bill.table, list_index=False, batch_from=batch_from)
    job = make_job()
    store.insert([job])
    (claimed,) = store.claim([make_claim(job)])
    spent = bill.units

    store.conclude([make_conclusion(claimed.job, verdict)])

    assert bill.since(spent) == units


@both_forms
@pytest.mark.parametrize(("size", "price"), [(100, 1), (500, 1), (900, 1 + 1), (3_000, 1 + 3), (100_000, 1 + 98)])
def test_a_large_result_costs_its_own_item_and_never_a_larger_state(bill, batch_from, size, price):
    store = DynamoJobStore(bill, bill.table, list_index=False, batch_from=batch_from)
    job = make_job()
    store.insert([job])
    (claimed,) = store.claim([make_claim(job)])
    spent = bill.units

    store.conclude([make_conclusion(claimed.job, Complete(f'"{"x" * size}"', KEEP))])

    assert bill.since(spent) == price
    assert bill.largest <= 1_024


@pytest.mark.parametrize("size", range(0, 900, 7))
def test_the_state_stays_within_a_unit_at_the_longest_names_with_any_result(size):
    from tidemill.aws.concluding import ending
    from tidemill.aws.items import item_bytes, state_item

    job = make_job(
        State.RUNNING,
        **{**LONGEST, "owner": "o" * 32, "reason": "r" * 32, "error": "e" * 16, "held": Held("s" * 36, NOW)},
        attempt=999,
        fence=9_999,
        concluded=9_998,
        deferrals=9_999,
        wait_ms=43_200_000,
        generation=999,
    )
    after = ending(make_conclusion(job, Complete("x" * size or None, KEEP))).after

    assert item_bytes(state_item(after, listed=True)) <= 1_024


@pytest.mark.parametrize(("number", "calls"), [(1, 1), (2, 2), (3, 1), (10, 1), (25, 1), (26, 2), (100, 4)])
def test_calls_of_a_batch(bill, number, calls):
    store = DynamoJobStore(bill, bill.table, list_index=False)
    jobs = [make_job() for _ in range(number)]
    single = number < 3
    store.insert(jobs)
    assert bill.calls == {"put_item" if single else "batch_execute_statement": calls}
    bill.calls.clear()

    claimed = store.claim([make_claim(job) for job in jobs])
    store.conclude([make_conclusion(answer.job) for answer in claimed])

    assert bill.calls == {"update_item" if single else "batch_execute_statement": 2 * calls}


def test_duplicates_of_a_batched_insert_are_read_in_one_call(bill):
    store = DynamoJobStore(bill, bill.table, list_index=False)
    jobs = [make_job() for _ in range(20)]
    store.insert(jobs)
    bill.calls.clear()

    answers = store.insert([replace(job, created_at=NOW + 1) for job in jobs])

    assert answers == [Refused(job) for job in jobs]
    assert bill.calls == {"batch_execute_statement": 1, "batch_get_item": 1}


def test_finding_a_hundred_jobs_is_one_call(bill):
    DynamoJobStore(bill, bill.table, list_index=False).insert(jobs := [make_job() for _ in range(100)])
    bill.calls.clear()

    assert DynamoJobReader(bill, bill.table).find([job.ref for job in jobs]) == jobs
    assert bill.calls == {"batch_get_item": 1}


class CountedSqs:
    def __init__(self, client):
        self.client, self.requests = client, []

    def __getattr__(self, name):
        def call(**arguments):
            self.requests.append(name)
            return getattr(self.client, name)(**arguments)

        return call


@pytest.mark.parametrize(
    ("number", "requests"),
    [(1, ["send_message"]), *((n, ["send_message_batch"] * k) for n, k in ((2, 1), (10, 1), (11, 2), (100, 10)))],
    ids=["1", "2", "10", "11", "100"],
)
def test_requests_of_a_send(ministack, number, requests):
    client = CountedSqs(ministack.sqs)
    url = ministack.sqs.create_queue(QueueName=f"counted-{number}")["QueueUrl"]
    queue = SqsJobQueue(client, {"bulk": url})

    assert queue.send("bulk", [Send(make_envelope(make_job())) for _ in range(number)]) == [None] * number

    assert client.requests == requests


def test_requests_of_a_full_batch_of_large_bodies(ministack):
    """1,048,576 bytes hold seven bodies of the largest arguments."""
    client = CountedSqs(ministack.sqs)
    url = ministack.sqs.create_queue(QueueName="counted-large", Attributes={"MaximumMessageSize": "1048576"})[
        "QueueUrl"
    ]
    largest = b'"%s"' % (b"x" * (limits.MAX_ARGS_BYTES - 2))

    SqsJobQueue(client, {"bulk": url}).send("bulk", [Send(make_envelope(make_job(), largest)) for _ in range(15)])

    assert client.requests == ["send_message_batch"] * 3
