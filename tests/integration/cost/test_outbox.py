"""What the outbox costs: its rows, their removal, and the calls of the relay."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from unittest.mock import patch

import pytest

from bench.cloud.account import BUS, BenchAccount
from bench.cloud.poller import Context
from bench.workload import lambda_environment
from tidemill import JobArgs, JobRegistry, Lane, job
from tidemill.entrypoints.bootstrap import Program
from tidemill.entrypoints.relay import relay_handler
from tidemill.entrypoints.worker import worker_handler
from tidemill.events import Event

LANE = "work"


class Happened(Event, type="cost.happened"):
    much: str = ""


class Quiet(JobArgs, kind="cost.quiet"):
    pass


class Tell(JobArgs, kind="cost.tell"):
    facts: int = 0
    jobs: int = 0


@job(Quiet, lane=LANE)
def be_quiet(args, ctx):
    return None


@job(Tell, lane=LANE)
def tell(args, ctx):
    for _ in range(args.facts):
        ctx.publish(Happened())
    for _ in range(args.jobs):
        ctx.submit(Quiet())


REGISTRY = JobRegistry(be_quiet, tell, lanes=(Lane(LANE),), events=[Happened])


class Stack:
    """One account, its programs, and the stream of its table."""

    def __init__(self, account: BenchAccount) -> None:
        self.account = account
        self.program = Program.from_env(REGISTRY)
        self.worker, self.relay = worker_handler(REGISTRY), relay_handler(REGISTRY)
        self.records: list = []
        account.jobs.watchers.append(self._look)

    def _look(self, table, key, before, after):
        if key[0].startswith("#outbox#") and before is None:
            keys = {"pk": {"S": key[0]}, "sk": {"S": key[1]}}
            number = str(len(self.records) + 1)
            change = {"Keys": keys, "NewImage": dict(after), "SequenceNumber": number}
            self.records.append({"eventName": "INSERT", "dynamodb": change})

    def commit(self, *things) -> None:
        items = self.program.client.transact_items(*things)
        self.program.clients.dynamodb.transact_write_items(TransactItems=items)

    def send(self) -> None:
        """Let the relay send what the stream has."""
        assert self.relay({"Records": self.records}, Context()) == {"batchItemFailures": []}
        self.records.clear()

    def work(self) -> None:
        self.account.poller(10).run(self.worker)

    def spent(self, do) -> float:
        """Write units."""
        before = self.account.meter.write_units
        do()
        return self.account.meter.write_units - before


@pytest.fixture
def stack() -> Iterator[Stack]:
    with ExitStack() as opened:
        account = BenchAccount(LANE)
        opened.enter_context(lambda_environment(account, list_index=False))
        opened.enter_context(patch.dict(os.environ, {"TIDEMILL_BUS": BUS, "TIDEMILL_OUTBOX": "on"}))
        yield Stack(account)


@pytest.mark.parametrize("count", [1, 10])
def test_a_fact_is_two_units_one_for_its_removal_and_a_tenth_of_a_call(stack, count):
    assert stack.spent(lambda: stack.commit(*[Happened()] * count)) == 2 * count
    assert stack.spent(stack.send) == count

    assert stack.account.meter.calls["PutEvents"] == 1
    assert len(stack.account.bus.published[BUS]) == count
    assert stack.account.meter.read_units == 0


@pytest.mark.parametrize("count", [1, 10])
def test_a_job_is_the_same_and_what_any_job_is_and_one_read(stack, count):
    assert stack.spent(lambda: stack.commit(*[Quiet()] * count)) == 2 * count
    assert stack.spent(lambda: (stack.send(), stack.work())) == (1 + 3) * count

    assert stack.account.meter.read_units == count
    sends = stack.account.meter.calls["SendMessage"] + stack.account.meter.calls["SendMessageBatch"]
    assert sends == 1


def test_each_further_kilobyte_costs_the_same_again(stack):
    assert stack.spent(lambda: stack.commit(Happened(much="x" * 5_000))) == 2 * 6
    assert stack.spent(stack.send) == 6


@pytest.mark.parametrize("told", [1, 5])
def test_a_job_that_tells_pays_one_unit_for_the_transaction_and_two_for_each(stack, told):
    stack.program.client.submit(Tell(facts=told))

    assert stack.spent(stack.work) == 1 + 2 + 2 * told
    assert stack.spent(stack.send) == told


def test_a_job_that_tells_nothing_pays_nothing(stack):
    stack.program.client.submit(Tell())

    assert stack.spent(stack.work) == 2
    assert stack.records == []
    assert stack.account.meter.calls["TransactWriteItems"] == 0


def test_the_jobs_of_a_job_are_sent(stack):
    stack.program.client.submit(Tell(facts=1, jobs=12))
    stack.work()
    stack.send()
    stack.work()

    assert sum(item["state"]["S"] == "succeeded" for key, item in stack.account.jobs.items.items()) == 13
    assert stack.account.meter.calls["SendMessageBatch"] == 2


def test_what_the_bus_refuses_is_told_and_stays(stack):
    stack.account.choices.refuse_entry = lambda operation, number: "Throttling" if operation == "PutEvents" else None
    stack.commit(Happened(), Quiet())

    answer = stack.relay({"Records": stack.records}, Context())

    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["1"]
    assert [key[1].partition("#")[0] for key in stack.account.jobs.items if key[0].startswith("#")] == ["fact"]


def test_a_batch_that_comes_again_sends_no_job_again(stack):
    stack.commit(Quiet())
    records = list(stack.records)
    stack.send()
    stack.relay({"Records": records}, Context())

    assert stack.account.meter.calls["SendMessage"] == 1
