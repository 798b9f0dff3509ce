"""What holds for every test: no real credentials, no real AWS."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from typer import testing
from typer.main import get_command

# Before any module under test is imported: a boto3 client takes its credentials when it is made.
for name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"]:
    del os.environ[name]
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="eu-central-1",
    AWS_REGION="eu-central-1",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
    POWERTOOLS_METRICS_NAMESPACE="tidemill-test",
    POWERTOOLS_SERVICE_NAME="tidemill-test",
    POWERTOOLS_TRACE_DISABLED="true",
)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's root."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def _commands_are_built_once() -> Iterator[None]:
    """Typer builds all commands anew for each line that a test runs, which takes longer than any of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(testing, "_get_command", cache(get_command))
        yield
