"""Fresh tables and queues in the fake and in both emulators."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.session import Session
from moto import mock_aws

from tests.conformance.subjects import Emulator, Fake, Subject
from tidemill.local import LocalCloud

EMULATORS = ("moto", "ministack")


def _factory(endpoint: str | None) -> Callable[[str], Any]:
    """Clients made once: making one takes longer than a test."""
    session = Session()
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    clients = {
        service: session.create_client(service, "us-east-1", endpoint_url=endpoint, config=config)
        for service in ("dynamodb", "sqs", "s3")
    }
    return clients.__getitem__


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Callable[[], Subject]]:
    """Makes subjects on a local cloud that lives as long as this test run."""
    with LocalCloud.started(repository, state=tmp_path_factory.mktemp("cloud")) as cloud:
        clients = _factory(cloud.endpoint)
        yield lambda: Emulator("ministack", clients)


@pytest.fixture(scope="session")
def moto_clients() -> Callable[[str], Any]:
    return _factory(None)


@pytest.fixture
def moto(moto_clients: Callable[[str], Any]) -> Iterator[Callable[[], Subject]]:
    """Makes subjects on an emulator in this process."""
    with mock_aws():
        yield lambda: Emulator("moto", moto_clients)


@pytest.fixture(params=EMULATORS)
def emulator(request: pytest.FixtureRequest) -> Callable[[], Subject]:
    """Makes subjects of each emulator in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def fake() -> Fake:
    return Fake()
