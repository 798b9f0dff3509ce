"""The shipped handlers on an account that counts what AWS would bill (`bench.cloud`); no sockets."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from bench.cloud.account import BenchAccount
from bench.workload import lambda_environment
from tests.integration.cost.jobs import LANE, registry
from tidemill.entrypoints.bootstrap import Program
from tidemill.entrypoints.worker import worker_handler


@dataclass
class Deployment:
    """One stack: its account, a program that submits to it, and the worker of its lane."""

    account: BenchAccount
    program: Program
    worker: object

    def work(self, batch: int = 10) -> int:
        """Let the worker run until nothing is visible; answer how many messages it was handed."""
        return self.account.poller(batch).run(self.worker)


@pytest.fixture
def deploy() -> Iterator[Callable[..., Deployment]]:
    with ExitStack() as stack:

        def deployed(*, list_index: bool = False) -> Deployment:
            account = BenchAccount(LANE)
            stack.enter_context(lambda_environment(account, list_index=list_index))
            return Deployment(account, Program.from_env(registry), worker_handler(registry))

        yield deployed
