"""The one S3 client of a container."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.session import get_session

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_making = Lock()


def storage() -> S3Client:
    """The client, made when a job first asks for it; where `AWS_ENDPOINT_URL` says, if it says."""
    # A batch runs its jobs in threads, and a botocore session makes clients for one thread at a time.
    with _making:
        return _client()


@cache
def _client() -> S3Client:
    config = Config(connect_timeout=2, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})
    return cast("S3Client", get_session().create_client("s3", config=config))
