"""The deployed stack that the demo plays on."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from botocore.credentials import Credentials

from examples.demo import REPOSITORY
from examples.demo.screen import Screen
from examples.demo.signed import SignedApi
from examples.orders.shop import Shop
from jobs import registry
from tidemill.aws.clients import Clients
from tidemill.connect import find_stack, program_of
from tidemill.domain.job import Job, JobRef
from tidemill.domain.message import Delivery
from tidemill.entrypoints.bootstrap import Program
from tidemill.local import LocalCloud
from tidemill.service.client import JobClient
from tidemill.service.refusal import message_job_id
from tidemill.service.submission import DEFAULT_TENANT

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

STACK: Final = "tidemill"
# The shop's webhooks go to this machine.
LOOPBACK_FILES: Final = {
    "worker/handler.py": Path(__file__).with_name("loopback_handler.py"),
    "loopback.py": Path(__file__).with_name("loopback.py"),
}


@dataclass(frozen=True)
class Stage:
    """One stack, reached in every way that a user may.

    Attributes:
        program: the operator's side: client, DLQ desk, table.
        api: the HTTP API.
        bucket: where the pictures are.
        cloud: where all of it runs.
        shop: the other stack, of `examples/orders`.
    """

    program: Program
    api: SignedApi
    bucket: str
    cloud: LocalCloud
    shop: Shop | None = None

    @property
    def client(self) -> JobClient:
        """What `tidemill.connect.connect("tidemill", registry=registry)` answers."""
        return self.program.client

    def put(self, key: str, data: bytes, media_type: str) -> None:
        """Write an object into the bucket."""
        self.program.clients.s3.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=media_type)

    def read(self, key: str) -> bytes:
        """An object of the bucket."""
        with self.program.clients.s3.get_object(Bucket=self.bucket, Key=key)["Body"] as body:
            return body.read()

    def send(self, lane: str, *documents: object) -> list[str]:
        """Send plain messages to a lane's queue in one batch, as any AWS program may; answers their message ids."""
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(i), "MessageBody": json.dumps(document)} for i, document in enumerate(documents)
        ]
        answer = self.program.clients.sqs.send_message_batch(QueueUrl=self._queue_url(lane), Entries=entries)
        return [sent["MessageId"] for sent in answer["Successful"]]

    def jobs(self, refs: list[JobRef]) -> list[Job | None]:
        """The records as they are now."""
        return self.program.reader.find(refs)

    def _queue_url(self, lane: str) -> str:
        return self.program.settings.lanes[lane].queue_url


def job_of_message(kind: str, message_id: str) -> JobRef:
    """The job that a plain message without a key becomes: its id follows from the message's, however often it comes."""
    delivery = Delivery(message_id, receipt="", body="", sent_at=0, receives=0)
    return JobRef(DEFAULT_TENANT, message_job_id(DEFAULT_TENANT, kind, delivery))


@contextmanager
def raised_stage(screen: Screen) -> Iterator[Stage]:
    """Start a local cloud, deploy into it, and end it with the block."""
    LocalCloud.check(REPOSITORY)
    with ExitStack() as ending:
        with screen.step("local cloud") as note:
            cloud = ending.enter_context(LocalCloud.started(REPOSITORY))
            note(f"{cloud.endpoint}, process {cloud.running.pid}; nothing leaves this machine")
        _use(cloud)
        with screen.step("cdk deploy") as note:
            cloud.deploy(STACK)
            stage = stage_of(cloud)
            resources = stage.program.clients.cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
            note(f"stack {STACK}, {len(resources)} resources, by the unmodified CDK command line")
        with screen.step("the shop") as note:
            stage = replace(stage, shop=Shop.deployed(cloud, cloud.folder.root / "shop", LOOPBACK_FILES))
            note("stack orders, from examples/orders: a saga, a batch, a schedule")
        yield stage


def stage_of(cloud: LocalCloud) -> Stage:
    """The stack that was deployed into `cloud`."""
    clients = Clients(cloud.env["AWS_REGION"], cloud.endpoint)
    outputs = cloud.outputs(STACK)
    credentials = Credentials(cloud.env["AWS_ACCESS_KEY_ID"], cloud.env["AWS_SECRET_ACCESS_KEY"])
    return Stage(
        program=program_of(find_stack(STACK, clients), registry, clients),
        api=SignedApi(outputs["ApiUrl"], credentials, cloud.env["AWS_REGION"]),
        bucket=outputs["MediaBucket"],
        cloud=cloud,
    )


def _use(cloud: LocalCloud) -> None:
    """Point this process at the local cloud, away from whatever account its user works with."""
    environment = cloud.environment
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
