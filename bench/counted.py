"""What a job consumes at full batches, counted while real jobs run through the shipped client and worker."""

from __future__ import annotations

from dataclasses import dataclass

from bench.cloud.account import BenchAccount
from bench.cloud.meter import Meter
from bench.jobs import registry
from bench.workload import lambda_environment, submit_ours
from tidemill.entrypoints.worker import worker_handler

JOBS = 1_000
BATCH = 10


@dataclass(frozen=True, slots=True)
class Consumption:
    """Billed units for each job."""

    jobs: int
    meter: Meter

    @property
    def write_units(self) -> float:
        """Of the table and its indexes."""
        return self.meter.write_units / self.jobs

    @property
    def sqs_requests(self) -> float:
        """Sends, receives, deletions and changes of visibility, as SQS bills them."""
        return self.meter.sqs_requests.total() / self.jobs

    @property
    def invocations(self) -> float:
        """Of the worker."""
        return self.meter.invocations / self.jobs

    @property
    def worker_calls_per_batch(self) -> float:
        """What a worker waits for: claim, visibility, conclusion."""
        sends = sum(self.meter.calls[name] for name in ("SendMessage", "SendMessageBatch"))
        # A submit of many inserts 25 records a call.
        inserts = -(-self.jobs // 25)
        return (self.meter.calls.total() - sends - inserts) / self.meter.invocations


def count_consumption(*, list_index: bool) -> Consumption:
    """Submit and run the jobs."""
    account = BenchAccount()
    with lambda_environment(account, list_index=list_index):
        # A handler of its own: that of `bench.shipped` stays with the account it was made for.
        handler = worker_handler(registry)
        submit_ours(JOBS)
        handed = account.poller(BATCH).run(handler)
    assert handed == JOBS
    return Consumption(JOBS, account.meter)
