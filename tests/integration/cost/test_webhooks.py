"""What a webhook costs beside its job, and that a job without one costs what it did."""

from contextlib import ExitStack
from dataclasses import dataclass
from os import environ
from unittest.mock import patch

import pytest

from bench.cloud.account import Account, jobs_table, queue_url
from bench.cloud.queue import QueueDefinition
from bench.environment import environment
from bench.workload import lambda_environment
from tests.integration.cost.jobs import KIND, LANE, Echo
from tidemill import JobArgs, JobContext, JobRegistry, Lane, job
from tidemill.domain.lane import WEBHOOK_LANE
from tidemill.domain.ports.webhooks import HttpAnswer
from tidemill.domain.webhook.reach import PUBLIC
from tidemill.entrypoints.bootstrap import Program
from tidemill.entrypoints.worker import worker_handler
from tidemill.settings import LaneSettings, RuntimeSettings


class Place(JobArgs, kind=KIND[:-1] + "w"):
    """Nothing."""


@job(Place, lane=LANE, webhook="orders")
def place(args: Place, ctx: JobContext) -> None:
    """End well."""


@job(Echo, lane=LANE)
def echo(args: Echo, ctx: JobContext) -> None:
    """End well, and tell nobody."""


registry = JobRegistry(place, echo, lanes=(Lane(LANE),), webhooks=["orders"])


@dataclass
class Sender:
    """A receiver that takes everything."""

    sent: int = 0
    reach = PUBLIC

    def post(self, target, headers, body):
        self.sent += 1
        return HttpAnswer(204, {})


class TwoLanes(Account):
    """A lane and that of webhooks."""

    def __init__(self):
        names = (LANE, WEBHOOK_LANE)
        queues = [QueueDefinition(name, visibility_s=465, max_receives=5, dlq=f"{name}-dlq") for name in names]
        dlqs = [QueueDefinition(f"{name}-dlq") for name in names]
        super().__init__(tables=(jobs_table(),), queues=(*queues, *dlqs))
        self.lane = self.queues[LANE]


def variables(lane, *, list_index):
    plain = environment(lane=lane, list_index=list_index)
    settings = RuntimeSettings.from_env(plain)
    lanes = {
        name: LaneSettings(queue_url=queue_url(name), dlq_url=queue_url(f"{name}-dlq")) for name in (LANE, WEBHOOK_LANE)
    }
    return plain | settings.model_copy(update={"lanes": lanes}).to_env()


@pytest.fixture(params=[False, True], ids=["plain", "listed"])
def stack(request):
    account, sender = TwoLanes(), Sender()
    with ExitStack() as around:
        around.enter_context(lambda_environment(account, list_index=request.param))
        workers = {}
        for lane in (LANE, WEBHOOK_LANE):
            with patch.dict(environ, variables(lane, list_index=request.param)):
                workers[lane] = worker_handler(registry, sender=sender)
                program = Program.from_env(registry)
        yield account, program, workers, sender, int(request.param)


def work(account, workers):
    for lane in (LANE, WEBHOOK_LANE):
        account.poller(10, account.queues[lane]).run(workers[lane])


def test_a_webhook_costs_so_many_units_beside_its_job(stack):
    account, program, workers, sender, listed = stack
    program.client.webhooks.create("orders", "https://hooks.example.com/")
    before = account.meter.write_units, account.meter.read_units

    program.client.submit(Place())
    work(account, workers)

    assert sender.sent == 1
    # In the list index stand the job, for one, and the delivery, which a transaction writes, for two.
    assert account.meter.write_units - before[0] == 17 + 3 * listed
    assert account.meter.read_units - before[1] == 2


def test_a_job_without_one_costs_what_it_did(stack):
    account, program, workers, sender, listed = stack

    program.client.submit(Echo())
    work(account, workers)

    assert sender.sent == 0
    assert (account.meter.write_units, account.meter.read_units) == (3 + listed, 0)
