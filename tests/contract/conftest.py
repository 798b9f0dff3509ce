"""One suite for each port, over every implementation: in memory, moto, and MiniStack with and without batches."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from moto import mock_aws

from bench.cloud.account import Account, events_table, lines_table
from tests.contract.backends import NEVER, Jobs, MemoryBackend, SqsBackend, clients_for, create_jobs_table
from tidemill.aws.clients import Clients
from tidemill.aws.payloads import S3Payloads
from tidemill.aws.reader import DynamoJobReader
from tidemill.aws.store import DynamoJobStore
from tidemill.domain.ports import Payloads
from tidemill.entrypoints.bootstrap import SystemClock
from tidemill.local import LocalCloud
from tidemill.testing.memory import MemoryPayloads
from tidemill.testing.store import MemoryStore

BACKENDS = ("memory", "moto", "ministack", "ministack-batches")
_numbers = count(1)


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Clients]:
    """Clients of a local cloud that lives as long as this test run."""
    with LocalCloud.started(repository, state=tmp_path_factory.mktemp("cloud")) as cloud:
        yield clients_for(cloud.endpoint)


@pytest.fixture(scope="session")
def moto_clients() -> Clients:
    """Made once: making a client takes longer than a test. Clients made after moto's import go through it."""
    return clients_for(None)


@pytest.fixture
def moto(moto_clients: Clients) -> Iterator[Clients]:
    """Clients of an emulator in this process, which is empty for each test."""
    with mock_aws():
        yield moto_clients


@pytest.fixture
def bench_events() -> Iterator[object]:
    """A client of the events tables on the account in memory that counts what AWS would bill."""
    account = Account(tables=[events_table(), lines_table()])
    with account.wire.connected():
        # One of its own, because a client keeps its connections.
        yield clients_for(None).dynamodb


@pytest.fixture(params=BACKENDS)
def jobs(request: pytest.FixtureRequest) -> Jobs:
    """An empty jobs table of each kind."""
    if request.param == "memory":
        store = MemoryStore()
        return Jobs(store, store)
    backend = request.param.partition("-")[0]
    batch_from = {"moto": NEVER, "ministack": NEVER, "ministack-batches": 1}[request.param]
    return dynamo_jobs(request.getfixturevalue(backend), batch_from=batch_from)


@pytest.fixture
def store(jobs: Jobs):
    return jobs.store


@pytest.fixture
def reader(jobs: Jobs):
    return jobs.reader


@pytest.fixture(params=["memory", "moto", "ministack"])
def queues(request: pytest.FixtureRequest) -> MemoryBackend | SqsBackend:
    """Empty queues of each kind."""
    if request.param == "memory":
        return MemoryBackend()
    return SqsBackend(request.getfixturevalue(request.param).sqs, f"lanes-{next(_numbers)}")


@pytest.fixture(params=["memory", "moto", "ministack"])
def payloads(request: pytest.FixtureRequest) -> Payloads:
    """An empty bucket of each kind."""
    if request.param == "memory":
        return MemoryPayloads()
    return S3Payloads(*bucket_in(request.getfixturevalue(request.param)), SystemClock().now_ms)


def bucket_in(clients: Clients) -> tuple[Clients, str]:
    """A new bucket, and who can reach it."""
    name = f"payloads-{next(_numbers)}"
    clients.s3.create_bucket(Bucket=name)
    return clients, name


def dynamo_jobs(clients: Clients, *, batch_from: int, list_index: bool = True) -> Jobs:
    table = f"jobs-{next(_numbers)}"
    create_jobs_table(clients.dynamodb, table)
    return Jobs(
        DynamoJobStore(clients.dynamodb, table, list_index=list_index, batch_from=batch_from),
        DynamoJobReader(clients.dynamodb, table),
        clients.dynamodb,
        table,
    )
