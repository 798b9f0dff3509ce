"""One factory for the AWS clients, tuned for many small calls from a short-lived process.

`botocore` is used directly: `boto3` adds s3transfer and the resource layer, which a worker never needs.
"""

from __future__ import annotations

from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.config import Config
from botocore.session import Session

from tidemill.aws.service_data import SERVICES, LeanLoader
from tidemill.aws.wire import pass_through

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.client import CloudFormationClient
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sqs.client import SQSClient

# DynamoDB and SQS answer within milliseconds, so that a silent connection is a lost one. botocore's 60 s
# would eat a whole lease.
CONNECT_TIMEOUT_S: Final = 2
READ_TIMEOUT_S: Final = 5
# S3 takes some milliseconds more. A job waits for its arguments and for its result to be stored, within its timeout.
S3_READ_TIMEOUT_S: Final = 10
# CloudFormation is no hot path, and may take its time.
SLOW_READ_TIMEOUT_S: Final = 30
# One pool connection for each thread that may call at once; more threads would wait for a connection.
PARALLELISM: Final = 10
# botocore's own text is built anew for every request: 77 of the 284 us of CPU that a GetItem without its socket
# took on one x86-64 core (botocore 1.43, Python 3.11).
USER_AGENT: Final = "tidemill"


class Clients:
    """The clients of one process, each made when it is first asked for.

    A worker touches `dynamodb` while it is initialised, so that the first batch doesn't pay for it.

    Arguments:
        region: by default that of the environment.
        endpoint_url: another server for every service; by default botocore's own rules hold, which read
            `AWS_ENDPOINT_URL`.
        parallelism: how many threads call at the same time.
        profile: an operator's AWS profile. One named here wins over keys in the environment; `AWS_PROFILE` does not.
    """

    def __init__(
        self,
        region: str | None = None,
        endpoint_url: str | None = None,
        *,
        parallelism: int = PARALLELISM,
        profile: str | None = None,
    ) -> None:
        self._region = region
        self._endpoint_url = endpoint_url
        self._parallelism = parallelism
        self._profile = profile
        # A botocore session makes one client at a time safely; the clients themselves are for any thread.
        self._lock = RLock()

    @cached_property
    def _lean(self) -> Session:
        """The session of the services that every worker calls: it reads little, so that a cold start is short."""
        session = Session(profile=self._profile)
        session.register_component("data_loader", LeanLoader())
        return session

    @cached_property
    def _whole(self) -> Session:
        """The session of all other services."""
        return Session(profile=self._profile)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """The jobs table's client. Every write is conditional or idempotent, so that botocore may repeat it."""
        client = cast("DynamoDBClient", self._client("dynamodb", attempts=3))
        pass_through(client)
        return client

    @cached_property
    def sqs(self) -> SQSClient:
        """The queues' client. It never repeats a call: a send_id names one physical send."""
        return cast("SQSClient", self._client("sqs", attempts=1))

    @cached_property
    def s3(self) -> S3Client:
        """The buckets' client."""
        return cast("S3Client", self._client("s3", attempts=3, read_timeout=S3_READ_TIMEOUT_S))

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """The stacks' client: how the command line finds what was deployed."""
        client = self._client("cloudformation", attempts=3, read_timeout=SLOW_READ_TIMEOUT_S)
        return cast("CloudFormationClient", client)

    @cached_property
    def step_functions(self) -> Any:
        """The client of sagas' state machines: a report may be repeated, and a start has a name of its own."""
        return self._client("stepfunctions", attempts=3)

    @cached_property
    def events(self) -> Any:
        """EventBridge's client. It never repeats a call: what is published twice is counted by us."""
        return self._client("events", attempts=1)

    @cached_property
    def sts(self) -> Any:
        """Who these credentials belong to. One call of one service is not worth its stubs."""
        return self._client("sts", attempts=2)

    def _client(self, service: str, *, attempts: int, read_timeout: int = READ_TIMEOUT_S) -> Any:
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=self._parallelism,
            # Requests are built by this package alone, and its tests send them with validation on.
            parameter_validation=False,
            # Looking up the account's own endpoint costs CPU with every call, and local servers have none.
            account_id_endpoint_mode="disabled",
            user_agent=USER_AGENT,
        )
        with self._lock:
            session = self._lean if service in SERVICES else self._whole
            return session.create_client(
                service, region_name=self._region, endpoint_url=self._endpoint_url, config=config
            )
